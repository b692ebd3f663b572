"""The group commit: fewer commits than requests, and no request suffers for another."""

from __future__ import annotations

import asyncio
from datetime import timedelta

import pytest

from api import ingest as module
from api.ingest import Ingest
from journeys.catalogue import Event
from journeys.problems import Invalid, Unavailable
from store.store import Store, open_store
from tests.api.door import NOW, Door, event, problem, success
from tests.shop import Shop


def one(id: str, **attributes: object) -> Event:
    given = {"cart_id": id, "total": 60, **attributes}
    return Event.model_validate(event(id, attributes=given))


@pytest.fixture
async def ingest(store: Store) -> Ingest:
    """An ingest that does not run yet."""
    shop = Shop(store, NOW)
    await shop.stock()
    await shop.publish()
    return Ingest(store, lambda: None, lambda: NOW, drain_for=timedelta(0))


async def finished(ingest: Ingest, *posts: asyncio.Task[object]) -> list[object]:
    """Run *ingest* until all that waits is committed, and return what the posts got."""
    await asyncio.sleep(0)
    ingest.close()
    await ingest.run()
    return await asyncio.gather(*posts, return_exceptions=True)


def post(ingest: Ingest, *events: Event) -> asyncio.Task[object]:
    return asyncio.create_task(ingest.accept(events))


async def test_fifty_requests_at_once_are_one_commit(ingest: Ingest) -> None:
    answers = await finished(ingest, *[post(ingest, one(f"e{n}"), one(f"f{n}")) for n in range(50)])

    assert ingest.commits == 1
    for n, receipts in enumerate(answers):
        assert isinstance(receipts, list)
        assert [receipt.event for receipt in receipts] == [f"e{n}", f"f{n}"]
        assert [receipt.decisions[0].did for receipt in receipts] == ["started", "started"]


async def test_fifty_posts_at_once_are_fewer_commits(live: Door) -> None:
    ingest: Ingest = live.app.state.ingest

    answers = await asyncio.gather(
        *[live.http.post("/v1/events", json=event(f"e{n}", customer=f"c{n}")) for n in range(50)]
    )

    assert [success(answer)["event"] for answer in answers] == [f"e{n}" for n in range(50)]
    assert ingest.commits < 50


async def test_one_invalid_post_among_fifty_is_refused_alone(live: Door) -> None:
    bodies = [event(f"e{n}", customer=f"c{n}") for n in range(50)]
    bodies[17]["attributes"] = {"total": "much"}

    answers = await asyncio.gather(*[live.http.post("/v1/events", json=body) for body in bodies])

    wrong = answers.pop(17)
    assert problem(wrong, 422, "invalid")["errors"][0]["path"] == "attributes.total"
    assert {success(answer)["decisions"][0]["did"] for answer in answers} == {"started"}


async def test_the_flaws_of_a_request_count_from_its_own_first_event(ingest: Ingest) -> None:
    answers = await finished(
        ingest, post(ingest, one("a"), one("b")), post(ingest, one("c"), one("d", total="much")), post(ingest, one("e"))
    )

    assert isinstance(answers[1], Invalid)
    assert [flaw.path for flaw in answers[1].flaws] == ["[1].attributes.total"]
    assert [type(answer) for answer in answers] == [list, Invalid, list]


async def test_a_group_holds_no_more_than_256_events(ingest: Ingest) -> None:
    await finished(ingest, *[post(ingest, *[one(f"{r}-{n}") for n in range(100)]) for r in range(5)])

    assert ingest.commits == 3


async def test_a_large_batch_is_one_commit(ingest: Ingest) -> None:
    await finished(ingest, post(ingest, *[one(f"e{n}") for n in range(300)]))

    assert ingest.commits == 1


async def test_whoever_comes_when_too_many_wait_is_asked_to_come_again(
    ingest: Ingest, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(module, "MOST_WAITING", 3)
    first = post(ingest, one("a"), one("b"))
    await asyncio.sleep(0)

    with pytest.raises(Unavailable, match="2 events wait already"):
        await ingest.accept([one("c"), one("d")])

    assert await finished(ingest, first)
    assert ingest.waiting == 0


async def test_a_client_that_goes_away_hurts_nobody(ingest: Ingest) -> None:
    gone, other = post(ingest, one("a"), one("b")), post(ingest, one("c"))
    await asyncio.sleep(0)
    gone.cancel()

    answers = await finished(ingest, gone, other)

    assert isinstance(answers[0], asyncio.CancelledError)
    assert isinstance(answers[1], list)
    again = Ingest(ingest._store, lambda: None, lambda: NOW)
    receipts = (await finished(again, post(again, one("a"), one("b"))))[0]
    assert isinstance(receipts, list)
    assert len({receipt.duplicate for receipt in receipts}) == 1, "both or none"


async def test_what_waits_at_the_end_is_committed(ingest: Ingest) -> None:
    posts = [post(ingest, one(f"e{n}"), *[one(f"e{n}-{m}") for m in range(99)]) for n in range(5)]
    await asyncio.sleep(0)
    ingest.close()

    await ingest.run()

    assert [type(await waiting) for waiting in posts] == [list] * 5
    assert (ingest.waiting, ingest.commits) == (0, 3)


async def test_nothing_is_taken_while_shutting_down(ingest: Ingest) -> None:
    ingest.close()

    with pytest.raises(Unavailable, match="shutting down"):
        await ingest.accept([one("a")])


async def test_a_database_that_is_away_refuses_everybody() -> None:
    nowhere = open_store("postgresql://nobody@127.0.0.1:1/nothing", patience=timedelta(seconds=1))
    ingest = Ingest(nowhere, lambda: None, lambda: NOW)

    answers = await finished(ingest, post(ingest, one("a")), post(ingest, one("b")))

    assert [type(answer) for answer in answers] == [Unavailable, Unavailable]
    assert ingest.commits == 0
