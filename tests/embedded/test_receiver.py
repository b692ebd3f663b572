"""The receiver beside a demonstration: it takes what its endpoint's secret has signed, and nothing else."""

from __future__ import annotations

import json
from datetime import UTC, datetime

import httpx
import pytest

from activities.endpoints.signing import new_secret, signed
from embedded.receiver import receiving

IN_SUMMER = datetime(2126, 7, 1, 9, 0, 0, 250_000, tzinfo=UTC)
BODY = b'{"type": "win-back.tell-the-crm", "data": {"customer": "finn"}}'


@pytest.mark.parametrize(("by_ours", "status"), [(True, 200), (False, 401)], ids=["ours", "somebody else's"])
async def test_it_takes_what_its_secret_has_signed_at_any_time(by_ours: bool, status: int) -> None:
    async with receiving() as receiver, httpx.AsyncClient(trust_env=False) as client:
        receiver.secrets = {"crm": new_secret()}
        headers = signed("call-1", IN_SUMMER, BODY, [receiver.secrets["crm"] if by_ours else new_secret()])

        answer = await client.post(receiver.url_of("crm"), content=BODY, headers=headers)

        assert answer.status_code == status
        assert receiver.calls == ({"call-1": json.loads(BODY)} if by_ours else {})
