"""The API with the providers' webhooks set up, runs whose messages the fakes have taken, and what the fakes report."""

from __future__ import annotations

from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass
from datetime import UTC, datetime
from itertools import count
from typing import Any

import httpx

from activities.channels import Accepted, Channel, Outgoing
from activities.channels.registry import build_readers
from activities.channels.sendgrid import SendGrid
from activities.channels.twilio import Twilio
from embedded.fakes.sendgrid import FakeSendGrid
from embedded.fakes.server import Kept, Webhook
from embedded.fakes.twilio import FakeTwilio
from journeys.clearance.consent import Rules
from journeys.contents import render_content
from journeys.interactions import Kind
from store.consents import get_consents
from store.runs import RunView, SendView, get_run
from store.sends import Claim, Go
from store.store import Store
from tests.api.door import KEY, Clock, deps_for, opened, success
from tests.shop import Shop

SECRET = "a secret for tests"
PUBLIC = "https://journeys.example.com"
STEPS: dict[Kind, tuple[str, str]] = {
    "email": ("initial-reminder", "opened"),
    "text": ("second-reminder", "pause"),
}
_carts = count(1)


@dataclass
class Sent:
    """A message that a fake has taken, and the run that sent it."""

    run: str
    kept: Kept

    @property
    def id(self) -> str:
        return self.kept.send_id


@dataclass
class Sandbox:
    """The API beside a shop and the providers it sends through, none of them for real."""

    http: httpx.AsyncClient
    shop: Shop
    clock: Clock
    mail: FakeSendGrid
    texts: FakeTwilio
    channels: dict[Kind, Channel]

    async def claim(self, customer: str = "ada", kind: Kind = "email") -> tuple[str, Claim]:
        step, following = STEPS[kind]
        run = await self.shop.start(customer, cart_id=f"cart-{next(_carts)}")
        return run, await self.shop.claim(run, step, following=following)

    async def send(self, customer: str = "ada", kind: Kind = "email", *, record: bool = True) -> Sent:
        """Start a run and send its message, through the real SDK. Without *record*, the worker died after that."""
        run, claimed = await self.claim(customer, kind)
        assert isinstance(claimed, Go)
        parts = render_content(claimed.content, claimed.values, self.shop.now)
        message = Outgoing(claimed.send_id, run, STEPS[kind][0], kind, claimed.to, parts, self.shop.now)
        assert isinstance(await self.channels[kind].send(message), Accepted)
        if record:
            await self.shop.record(run, STEPS[kind][0], following=STEPS[kind][1])
        return Sent(run, self.fake(kind).accepted(claimed.send_id)[0])

    def fake(self, kind: Kind) -> FakeSendGrid | FakeTwilio:
        return self.mail if kind == "email" else self.texts

    async def post(self, webhook: Webhook) -> httpx.Response:
        address = webhook.url.removeprefix(PUBLIC)
        return await self.http.post(address, content=webhook.body, headers=webhook.headers)

    async def take(self, *webhooks: Webhook) -> None:
        for webhook in webhooks:
            answer = await self.post(webhook)
            assert answer.is_success, answer.text

    async def report(self, sent: Sent, *names: str, **fields: object) -> None:
        """Let SendGrid report these events of an email, each in a POST of its own."""
        for name in names:
            await self.take(self.mail.signed([self.mail.event(sent.kept, name, **fields)]))

    async def run(self, sent: Sent) -> RunView:
        return await get_run(self.shop.store, sent.run)

    async def view(self, sent: Sent) -> SendView:
        return next(view for view in (await self.run(sent)).sends if view.id == sent.id)

    async def heard(self, sent: Sent) -> list[str]:
        """What was reported of it, in alphabetical order."""
        return sorted(seen.interaction for seen in (await self.view(sent)).interactions)

    async def did(self, sent: Sent) -> Sequence[str]:
        """What events did to its run since it started."""
        return [made.decision.did for made in (await self.run(sent)).decisions][1:]

    async def said(self, customer: str = "ada") -> set[tuple[str, ...]]:
        view = await get_consents(self.shop.store, customer)
        return {
            (consent.channel, consent.purpose, *([consent.topic] if consent.topic else []), consent.choice)
            for consent in view.said
        }

    async def taken(self) -> dict[str, Any]:
        webhooks: dict[str, Any] = success(await self.http.get("/readyz"))["webhooks"]
        return webhooks


@asynccontextmanager
async def open_sandbox(store: Store, **changes: Any) -> AsyncIterator[Sandbox]:
    """The clock is the wall's, since the fakes sign by it."""
    shop = Shop(store, datetime.now(UTC))
    await shop.stock()
    await shop.publish()
    clock = Clock(shop.now)
    async with FakeSendGrid() as mail, FakeTwilio() as texts:
        mail.webhook, texts.webhook = f"{PUBLIC}/webhooks/sendgrid", f"{PUBLIC}/webhooks/twilio"
        channels: dict[Kind, Channel] = {
            "email": SendGrid(mail.key, "Shop <shop@example.com>", url=mail.url),
            "text": Twilio(texts.account, texts.token, texts.number, callback=texts.webhook, url=texts.url),
        }
        readers = build_readers({"sendgrid": mail.webhook_key, "twilio": texts.token})
        given: dict[str, Any] = {"webhooks": readers, "public_url": PUBLIC, "send": channels, "secret": SECRET}
        await shop.rule(consent=Rules(text="non-restrictive"))
        async with opened(deps_for(store, clock, **{**given, **changes})) as (_, http):
            del http.headers["Authorization"]
            yield Sandbox(http, shop, clock, mail, texts, channels)
        for channel in channels.values():
            await channel.close()


WITH_KEY = {"Authorization": f"Bearer {KEY}"}
