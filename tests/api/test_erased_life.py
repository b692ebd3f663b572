"""Everything that may happen to a customer by HTTP, good and bad: what is logged of them, and what is left of them."""

from __future__ import annotations

import logging
from collections.abc import AsyncIterator, Sequence
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest

from activities.channels.links import sign
from store.outbox import done, lease
from store.store import Store
from tests.api.sandbox import SECRET, WITH_KEY, Sandbox, Sent, open_sandbox
from tests.searching import found, logged

ID = "zq-1618"
SECRETS = {
    "email": "zelda.quill@secret.example",
    "phone": "+15559876543",
    "push_token": "token-xyzzy-4711",
    "first_name": "Zeldamira",
}
SEEN = {
    "cart": "cart-of-velvet",
    "coupon": "needle-of-an-event",
    "event": "event-of-zelda",
    "link": "https://shop.example.com/cart?who=zelda",
    "reply": "Call me at noon. Quillfeather",
    "ip": "203.0.113.77",
    "agent": "Mozilla of zelda",
    "reason": "550 no mailbox of zelda",
    "external": "crm-id-0042",
}
PLANTED = (*SECRETS.values(), *SEEN.values(), "zelda")


@pytest.fixture
async def shop(store: Store) -> AsyncIterator[Sandbox]:
    async with open_sandbox(store) as sandbox:
        yield sandbox


async def sent_to(shop: Sandbox, kind: Any = "email") -> Sent:
    shop.shop.later(minutes=1)
    return await shop.send(ID, kind)


async def live(shop: Sandbox) -> list[Sent]:
    """All that goes well. Returns their messages, the last one a text."""
    put = {"attributes": {**SECRETS, "external_id": SEEN["external"]}}
    await shop.http.put(f"/v1/customers/{ID}", json=put, headers=WITH_KEY)
    cart = {"cart_id": SEEN["cart"], "total": 60, "coupon": SEEN["coupon"]}
    event = {"id": SEEN["event"], "trigger": "abandoned-cart", "customer": ID, "attributes": cart}
    for _ in range(2):
        assert (await shop.http.post("/v1/events", json=event, headers=WITH_KEY)).is_success
    consent = {"consents": [{"channel": "text", "choice": "in"}], "source": "checkout"}
    await shop.http.put(f"/v1/customers/{ID}/consents", json=consent, headers=WITH_KEY)
    mails = [await sent_to(shop) for _ in range(3)] + [await sent_to(shop, "text")]
    mail, text = mails[0], mails[-1]
    told = {"ip": SEEN["ip"], "useragent": SEEN["agent"]}
    await shop.report(mail, "delivered", "open", **told)
    await shop.report(mail, "click", url=SEEN["link"], **told)
    await shop.take(shop.texts.status(text.kept, "delivered"))
    await shop.take(shop.texts.incoming(SECRETS["phone"], SEEN["reply"]))
    await shop.take(shop.texts.incoming(SECRETS["phone"], "STOP"))
    assert (await shop.http.post(f"/u/{sign(mail.id, SECRET)}")).is_success
    return mails


async def fail(shop: Sandbox, mails: Sequence[Sent]) -> None:
    """All that is refused, cannot be read, or is about nobody."""
    mail, text = mails[0], mails[-1]
    for sent, name in zip(mails, ("bounce", "spamreport", "dropped"), strict=False):
        await shop.report(sent, name, type="bounce", reason=SEEN["reason"])
    await shop.take(shop.texts.status(text.kept, "undelivered", 30003))
    unknown = shop.mail.event(mail.kept, "click", url=SEEN["link"]) | {"send_id": "sendofnobody12345678"}
    await shop.take(shop.mail.signed([unknown, {"event": SECRETS["email"]}, {"email": SECRETS["email"]}]))
    assert (await shop.post(shop.mail.signed([unknown]).unsigned())).status_code == 403
    bad: tuple[tuple[str, str, object], ...] = (
        ("POST", "/v1/events", {"id": SEEN["event"], "trigger": "abandoned-cart", "customer": ID, "attributes": {}}),
        ("POST", "/v1/events", {"trigger": SECRETS["email"], "customer": SECRETS["email"]}),
        ("POST", "/v1/events", [SEEN["reply"]]),
        ("PUT", f"/v1/customers/{ID}", {"attributes": {"email": f"{SECRETS['email']} and {SEEN['reply']}"}}),
        ("PATCH", f"/v1/customers/{ID}", {"attributes": {"first_name": 7, "phone": SEEN["reason"]}}),
        ("PUT", f"/v1/customers/{ID}/consents", {"consents": [{"channel": SECRETS["email"], "choice": "in"}]}),
        ("GET", f"/v1/suppressions?address={SECRETS['email']}", None),
        ("GET", f"/v1/customers/{SECRETS['email']}", None),
        ("POST", f"/v1/runs/{mail.run}/cancel", {"reason": ""}),
        ("GET", f"/u/{sign('sendofnobody12345678', SECRET)}", None),
    )
    for method, path, body in bad:
        await shop.http.request(method, path, json=body, headers=WITH_KEY)


async def break_down(shop: Sandbox, monkeypatch: pytest.MonkeyPatch) -> None:
    """A fault of ours while a request of theirs is answered."""

    async def broken(*_: object, **__: object) -> None:
        raise RuntimeError("a fault of ours")

    with monkeypatch.context() as fault:
        fault.setattr("store.customers.put_customer", broken)
        answer = await shop.http.put(f"/v1/customers/{ID}", json={"attributes": SECRETS}, headers=WITH_KEY)
    assert answer.status_code == 500


async def test_a_whole_life_is_logged_without_the_person_and_leaves_nothing(
    shop: Sandbox, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(logging.getLogger("httpx"), "disabled", True)  # the tests' own client, not the API
    with logged(tmp_path / "everything.log") as log:
        await fail(shop, await live(shop))
        await break_down(shop, monkeypatch)
        before = await found(shop.shop.store, ID, *PLANTED)
        erased = await shop.http.delete(f"/v1/customers/{ID}", headers=WITH_KEY)
        again = await shop.http.delete(f"/v1/customers/{ID}", headers=WITH_KEY)
        while jobs := await lease(shop.shop.store, shop.shop.now, 100, timedelta(seconds=30)):
            await done(shop.shop.store, [job.id for job in jobs])
        after = await found(shop.shop.store, ID, *PLANTED)

    assert {*SECRETS.values(), SEEN["cart"], SEEN["link"], SEEN["reply"], ID} <= before.keys()
    assert erased.is_success, erased.text
    assert (again.json()["rows"], after) == ({}, {})
    told = log.read_text().lower()
    assert "a request failed" in told  # we do look where it is logged
    assert "what cannot be read" in told
    assert [secret for secret in PLANTED if secret.lower() in told] == []
