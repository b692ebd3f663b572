"""People who go on in a version and come back to what was before: what they had and were called stays theirs."""

from __future__ import annotations

from typing import Any

import pytest
from sqlalchemy import select

from journeys.definition import send_id
from journeys.endpoints import Endpoint
from journeys.walk.diary import Delivery, Entry
from journeys.walk.position import Position
from journeys.walk.world import Visit
from store import sends
from store.calls import Call, claim_call, postpone_call
from store.endpoints import put_endpoint
from store.move_progress import Move
from store.positions import positions
from store.runs import get_run, note
from store.schema import events
from store.visits import perform
from tests.samples import abandoned_cart
from tests.shop import Shop, by_us
from tests.store.test_people import HELLO, VISIT, pause, published, sent
from tests.transactions import rows

STEP = "initial-reminder"
ASKS: dict[str, Any] = {"message": STEP, "is": "opened", "within": "9 days"}
OPENED: dict[str, Any] = {"id": "opened", "if": ASKS, "then": [], "else": [pause("no")]}
CALL = {"id": "crm", "webhook": "crm", "with": {"email": "customer.email"}, "within": "1 day"}
TELL = {"id": "tell", "raise": "store-visit", "with": {"city": "'Oslo'"}}
MARK = {"id": "tell", "set": {"country": "customer.country == 'NO' ? 'SE' : 'NO'"}}


async def moved(shop: Shop, *steps: dict[str, Any], names: dict[str, str] | None = None) -> Move:
    """Publish a version and have people go on in it, as it was said before."""
    would = await published(shop, *steps, people="move", names=names or {}, dry_run=True)
    did = await published(shop, *steps, people="move", names=names or {})
    assert did.move
    assert did.move == would.move
    return did.move


async def there(shop: Shop, run: str) -> Position:
    return (await shop.store.read(lambda connection: positions(connection, [run])))[run]


async def noted(shop: Shop, run: str, version: int, *said: tuple[str, Any]) -> None:
    """Note these lines of its walk, behind those that there are: each a step, and what it did there."""
    first = len((await get_run(shop.store, run)).diary)
    entries = [Entry(n=n, at=shop.now, step=step, did=did) for n, (step, did) in enumerate(said, first)]
    assert await note(shop.store, run, entries, version=version) is None


async def visit(shop: Shop, run: str, version: int, step: dict[str, Any], following: str) -> Visit:
    """The visit of its walk at a step like this one, where the run stands."""
    stands = await there(shop, run)
    told = {"run": run, "version": version, "position": stands, "now": shop.now, "following": following}
    return Visit.model_validate({**told, "step": step})


async def begun(shop: Shop, run: str, step: dict[str, Any]) -> None:
    """Let nothing become of a message or a call that was begun."""
    at = await visit(shop, run, 1, step, "series")
    if step is HELLO:
        claimed = await sends.claim(shop.store, at)
        assert isinstance(claimed, sends.Go)
        await sends.release(shop.store, at, claimed.attempt, "busy")
    else:
        assert isinstance(await claim_call(shop.store, at), Call)
        assert await postpone_call(shop.store, at, "it answered 503", shop.later(minutes=1)) is None


async def does(shop: Shop, run: str, version: int, step: dict[str, Any], following: str) -> None:
    """Send a message, or do what another step does."""
    at = await visit(shop, run, version, step, following)
    if step["id"] == "tell":
        did = await perform(shop.store, at)
        assert isinstance(did, Delivery)
        assert did.outcome == "accepted", did
        return
    claimed = await sends.claim(shop.store, at)
    assert isinstance(claimed, sends.Go), claimed
    await sends.record(shop.store, at, claimed.attempt, Delivery(outcome="accepted", at=shop.now), "p-1")


@pytest.mark.parametrize("step", [pytest.param(HELLO, id="a-message"), pytest.param(CALL, id="a-call")])
async def test_what_it_left_in_the_middle_is_not_called_as_what_it_had(shop: Shop, step: dict[str, Any]) -> None:
    """Nothing became of the step: its series was left. Of all that came later, one is to have its name."""
    await put_endpoint(shop.store, Endpoint(endpoint="crm", url="https://crm.example.com"), "sealed", by_us(shop.now))
    await published(shop, {"id": "series", "until": VISIT, "steps": [step]}, pause())
    left, never = [await shop.start(customer) for customer in ("ada", "bob")]
    await noted(shop, left, 1, (step["id"], "entered"))
    await begun(shop, left, step)
    await noted(shop, left, 1, (step["id"], "left"), ("series", "passed"), ("pause", "entered"))
    await noted(shop, never, 1, ("series", "passed"), ("pause", "entered"))
    second = HELLO | {"id": "second"} if step is HELLO else CALL | {"id": "second"}
    assert (await moved(shop, pause(), second, pause("rest"))).steps == {"pause": 2}
    shop.later(hours=1)
    for run in (left, never):
        await noted(shop, run, 2, ("pause", "passed"), ("second", "entered"))
        if step is HELLO:
            await does(shop, run, 2, second, "rest")
        else:
            assert isinstance(await claim_call(shop.store, await visit(shop, run, 2, second, "rest")), Call)
            await noted(shop, run, 2, ("second", "passed"), ("rest", "entered"))

    move = await moved(shop, pause(), step, pause("rest"), names={"second": step["id"]})

    assert move.steps == {"rest": 1}
    why = f"it had {step['id']} already, in an earlier version"
    assert [(each.why, each.runs) for each in move.stays] == [(why, (left,))]


async def test_what_went_out_although_it_left_the_step_does_not_come_again(shop: Shop) -> None:
    """Its series was left while the provider was asked, so that the step was not passed."""
    await published(shop, {"id": "series", "until": VISIT, "steps": [HELLO]}, pause())
    run = await shop.start()
    await noted(shop, run, 1, (STEP, "entered"))
    at = await visit(shop, run, 1, HELLO, "series")
    claimed = await sends.claim(shop.store, at)
    assert isinstance(claimed, sends.Go)
    await noted(shop, run, 1, (STEP, "left"), ("series", "passed"), ("pause", "entered"))
    await sends.record(shop.store, at, claimed.attempt, Delivery(outcome="accepted", at=shop.now), "p-1")

    move = await moved(shop, pause(), HELLO)

    why = f"it had {STEP} already, which comes after pause in version 2"
    assert [(each.why, each.runs) for each in move.stays] == [(why, (run,))]


async def test_what_it_had_in_an_even_older_version_does_not_come_again(shop: Shop) -> None:
    await published(shop, HELLO, pause())
    run = await shop.start()
    await sent(shop, run)
    assert (await moved(shop, pause())).moved == 1

    before_it = await moved(shop, pause(), HELLO)
    behind_it = await moved(shop, HELLO, pause())

    why = f"it had {STEP} already, which comes after pause in version 3"
    assert [(each.why, each.runs) for each in before_it.stays] == [(why, (run,))]
    assert behind_it.steps == {"pause": 1}


@pytest.mark.parametrize("step", [pytest.param(TELL, id="raise"), pytest.param(MARK, id="set")])
async def test_what_an_action_makes_is_an_event_of_its_own_where_another_had_its_name(
    shop: Shop, step: dict[str, Any]
) -> None:
    for trigger in ("store-visit", "customer-changed"):
        listens = {"start": {"trigger": trigger}, "goal": None, "exit": [], "steps": [pause()]}
        await shop.publish(abandoned_cart(journey=f"of-{trigger}", **listens))
    await shop.change(country="SE")
    await published(shop, step, pause())
    run = await shop.start()
    await does(shop, run, 1, step, "pause")
    await moved(shop, step | {"id": "told"}, pause(), names={"tell": "told"})
    await moved(shop, step | {"id": "told"}, pause(), step, pause("rest"))
    shop.later(hours=1)
    await noted(shop, run, 3, ("pause", "passed"), ("tell", "entered"))

    await does(shop, run, 3, step, "rest")

    made = select(events.c.id).where(events.c.source == "journey:abandoned-cart")
    assert len(await rows(shop.store, made)) == 2
    assert [(act.step, act.outcome) for act in (await get_run(shop.store, run)).actions] == [
        ("told", "accepted"),
        ("tell", "accepted"),
    ]


async def test_there_and_back_by_another_name_it_is_what_it_was(shop: Shop) -> None:
    """The third version is the first one, word for word."""
    await published(shop, HELLO, OPENED, pause())
    run = await shop.start()
    await shop.claim(run)
    await shop.record(run)
    await shop.post("email-opened", None, send_id=send_id(run, STEP))
    await noted(shop, run, 1, ("opened", "passed"), ("pause", "entered"))
    was, stood = await get_run(shop.store, run), await there(shop, run)
    names = {STEP: "hello", "opened": "asks", "pause": "rest"}
    other = OPENED | {"id": "asks", "if": ASKS | {"message": "hello"}}
    shop.later(hours=1)

    await moved(shop, HELLO | {"id": "hello"}, other, pause("rest"), names=names)
    between = await there(shop, run)
    await moved(shop, HELLO, OPENED, pause(), names={now: before for before, now in names.items()})

    assert (between.step, set(between.sent), between.heard[0].answers) == ("rest", {"hello"}, ("asks",))
    back = await get_run(shop.store, run)
    assert (back.version, back.step, back.step_at, back.sends) == (3, was.step, was.step_at, was.sends)
    assert back.diary[: len(was.diary)] == was.diary
    stands = await there(shop, run)
    gone_on = {"lines": stands.lines, "moved_at": stands.moved_at}
    assert stands == stood.model_copy(update=gone_on)
    assert await sends.claim(shop.store, shop.visit(run, version=3, n=1)) is not None
    assert len((await get_run(shop.store, run)).sends) == 1


async def test_what_it_answered_before_that_is_asked_it_has_answered_by_any_name(shop: Shop) -> None:
    await published(shop, HELLO, pause(), OPENED)
    run = await shop.start()
    await sent(shop, run)
    await shop.post("email-opened", None, send_id=send_id(run, STEP))
    other = OPENED | {"if": ASKS | {"message": "hello"}}

    await moved(shop, HELLO | {"id": "hello"}, pause(), other, names={STEP: "hello"})
    between = await there(shop, run)
    await moved(shop, HELLO, pause(), OPENED, names={"hello": STEP})

    back = await there(shop, run)
    assert [heard.answers for heard in (*between.heard, *back.heard)] == [("opened",), ("opened",)]
