"""The link in an email: a page that changes nothing, and one click that opts out."""

from __future__ import annotations

import re
from datetime import timedelta

import pytest
from sqlalchemy import delete
from structlog.testing import capture_logs

from activities.channels.links import sign
from journeys.clearance.consent import Rules
from journeys.reading import read_content
from store import catalogue, sends
from store.consents import get_consents
from store.customers import put_customer
from store.pruning import prune
from store.schema import outbox
from store.sends import Done, Go
from store.store import Store
from tests.api.door import success
from tests.api.sandbox import SECRET, WITH_KEY, Sandbox, open_sandbox
from tests.shop import by_us
from tests.transactions import execute

ONE_CLICK = {"List-Unsubscribe": "One-Click"}


def link(send_id: str, secret: str = SECRET) -> str:
    return f"/u/{sign(send_id, secret)}"


async def about(sandbox: Sandbox, **changes: object) -> None:
    """Change what the first email is about."""
    email = {"subject": "Your cart", "text": "It waits. {{ unsubscribe_url }}"}
    content = read_content({"content": "initial-email-reminder", "email": email, **changes})
    await catalogue.put_content(sandbox.shop.store, content, by_us(sandbox.shop.now))
    await catalogue.ready_content(sandbox.shop.store, content.content, by_us(sandbox.shop.now))


async def test_opening_the_link_changes_nothing(sandbox: Sandbox) -> None:
    sent = await sandbox.send()

    pages = [await sandbox.http.get(link(sent.id)) for _ in range(3)]

    assert {page.status_code for page in pages} == {200}
    assert "marketing emails" in pages[0].text
    assert await sandbox.said() == set()
    assert await sandbox.heard(sent) == await sandbox.did(sent) == []


async def test_the_page_needs_no_script_and_nothing_from_elsewhere(sandbox: Sandbox) -> None:
    page = await sandbox.http.get(link((await sandbox.send()).id))

    assert page.headers["content-type"].startswith("text/html")
    assert page.headers["content-security-policy"].startswith("default-src 'none'")
    assert "set-cookie" not in page.headers
    assert not re.search(r"<script|//|src=|ada", page.text)
    assert '<form method="post">' in page.text


@pytest.mark.parametrize("how", [{"data": ONE_CLICK}, {"files": {"List-Unsubscribe": (None, "One-Click")}}, {}])
async def test_one_click_opts_out_without_a_key(sandbox: Sandbox, how: dict[str, object]) -> None:
    sent = await sandbox.send()

    answer = await sandbox.http.post(link(sent.id), **how)  # type: ignore[arg-type]

    assert answer.status_code == 200
    assert "set-cookie" not in answer.headers
    assert await sandbox.said() == {("email", "commercial", "out")}
    assert await sandbox.heard(sent) == ["unsubscribed"]
    (line,) = (await get_consents(sandbox.shop.store, "ada")).log
    assert line.source == "unsubscribe-link"


async def test_the_button_of_the_page_does_the_same(sandbox: Sandbox) -> None:
    sent = await sandbox.send()
    page = (await sandbox.http.get(link(sent.id))).text
    button = re.search(r'<button name="([^"]+)" value="([^"]+)">', page)
    assert button

    await sandbox.http.post(link(sent.id), data={button[1]: button[2]})

    assert await sandbox.said() == {("email", "commercial", "out")}


async def test_only_the_run_that_sent_it_hears_of_it(sandbox: Sandbox) -> None:
    ada, bob = await sandbox.send("ada"), await sandbox.send("bob")

    await sandbox.http.post(link(ada.id), data=ONE_CLICK)

    assert await sandbox.heard(bob) == []


async def test_whoever_has_the_address_is_opted_out_under_every_id(sandbox: Sandbox) -> None:
    sent = await sandbox.send("ada")
    await put_customer(sandbox.shop.store, "user-9", {"email": "ADA@example.com"}, sandbox.shop.now)

    await sandbox.http.post(link(sent.id), data=ONE_CLICK)

    assert await sandbox.said("user-9") == {("email", "commercial", "out")}
    run = await sandbox.shop.start("user-9", cart_id="cart-of-9")
    claimed = await sandbox.shop.claim(run, rules=Rules())
    assert isinstance(claimed, Done)
    assert claimed.delivery.reason == "opted out of commercial email"


async def test_an_email_of_a_topic_opts_out_of_that_topic_only(sandbox: Sandbox) -> None:
    await about(sandbox, topic="reminders")
    sent = await sandbox.send()

    page = await sandbox.http.get(link(sent.id))
    await sandbox.http.post(link(sent.id), data=ONE_CLICK)

    assert "about reminders" in page.text
    assert await sandbox.said() == {("email", "commercial", "reminders", "out")}


async def test_what_counts_is_what_it_was_about_when_it_was_sent(sandbox: Sandbox) -> None:
    await about(sandbox, topic="reminders")
    sent = await sandbox.send()
    await about(sandbox, purpose="transactional", topic="orders")

    await sandbox.http.post(link(sent.id), data=ONE_CLICK)

    assert await sandbox.said() == {("email", "commercial", "reminders", "out")}


async def test_clicking_again_and_again_is_one_line_in_the_log(sandbox: Sandbox) -> None:
    sent = await sandbox.send()

    for _ in range(3):
        await sandbox.http.post(link(sent.id), data=ONE_CLICK)

    assert len((await get_consents(sandbox.shop.store, "ada")).log) == 1
    assert await sandbox.heard(sent) == ["unsubscribed"]


async def test_an_old_link_opts_out_also_who_opted_in_since(sandbox: Sandbox) -> None:
    sent = await sandbox.send()
    await sandbox.http.post(link(sent.id), data=ONE_CLICK)
    sandbox.clock.now += timedelta(days=3000)
    back = {"consents": [{"channel": "email", "choice": "in"}]}
    success(await sandbox.http.put("/v1/customers/ada/consents", json=back, headers=WITH_KEY))
    sandbox.clock.now += timedelta(days=1)

    await sandbox.http.post(link(sent.id), data=ONE_CLICK)

    assert await sandbox.said() == {("email", "commercial", "out")}


async def test_a_message_that_is_held_does_not_go_out_after_the_click(sandbox: Sandbox) -> None:
    first = await sandbox.send()
    run, claimed = await sandbox.claim()
    assert isinstance(claimed, Go)
    await sends.release(sandbox.shop.store, sandbox.shop.visit(run), 1, reason="not now")

    await sandbox.http.post(link(first.id), data=ONE_CLICK)

    again = await sandbox.shop.claim(run, "initial-reminder", rules=Rules())
    assert isinstance(again, Done)
    assert (again.delivery.outcome, again.delivery.reason) == ("blocked", "opted out of commercial email")


@pytest.mark.parametrize("method", ["GET", "POST"])
@pytest.mark.parametrize("token", ["{id}", "{id}.", "{id}.AAAAAAAAAAAAAAAAAAAAAA", "nobody.x", "é.ü", "{other}"])
async def test_a_link_that_we_have_not_made_does_nothing(sandbox: Sandbox, method: str, token: str) -> None:
    sent = await sandbox.send()
    other = sign(sent.id, "another secret")

    answer = await sandbox.http.request(method, f"/u/{token.format(id=sent.id, other=other)}")

    assert answer.status_code == 404
    assert answer.headers["content-type"].startswith("text/html")
    assert await sandbox.said() == set()


async def test_a_link_to_a_send_that_is_gone_does_nothing(sandbox: Sandbox) -> None:
    assert (await sandbox.http.post(link("a-send-of-long-ago"))).status_code == 404


async def test_without_a_secret_no_link_is_ours(store: Store) -> None:
    async with open_sandbox(store, secret="") as sandbox:
        sent = await sandbox.send()

        assert (await sandbox.http.post(link(sent.id, ""))).status_code == 404
        assert await sandbox.said() == set()


async def test_a_link_is_not_logged_when_something_fails(sandbox: Sandbox, monkeypatch: pytest.MonkeyPatch) -> None:
    async def broken(*_: object, **__: object) -> None:
        raise RuntimeError("broken")

    sent = await sandbox.send()
    monkeypatch.setattr("api.unsubscribe.find_link", broken)

    with capture_logs() as logged:
        answer = await sandbox.http.post(link(sent.id))

    assert answer.status_code == 500
    assert [line["path"] for line in logged] == ["/u/…"]


async def test_a_link_works_after_its_send_was_pruned(sandbox: Sandbox) -> None:
    await about(sandbox, purpose="commercial", topic="carts")
    sent = await sandbox.send()
    await sandbox.shop.post("purchase-completed")
    await execute(sandbox.shop.store, delete(outbox))  # Temporal has it
    assert (await prune(sandbox.shop.store, sandbox.shop.now + timedelta(days=401)))["sends"] == 1

    page = await sandbox.http.get(link(sent.id))
    answer = await sandbox.http.post(link(sent.id), data=ONE_CLICK)

    assert "marketing emails about carts" in page.text
    assert answer.status_code == 200
    [line] = (await get_consents(sandbox.shop.store, "ada")).log
    assert (line.channel, line.purpose, line.topic, line.choice) == ("email", "commercial", "carts", "out")
