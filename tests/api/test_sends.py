"""One send over HTTP: whose it is, and what became of it."""

from __future__ import annotations

from tests.api.door import Door, problem
from tests.api.sandbox import WITH_KEY, Sandbox


async def test_a_send_says_whose_it_is_and_what_became_of_it(sandbox: Sandbox) -> None:
    sent = await sandbox.send()

    send = (await sandbox.http.get(f"/v1/sends/{sent.id}", headers=WITH_KEY)).json()

    assert (send["id"], send["run"], send["step"]) == (sent.id, sent.run, "initial-reminder")
    assert (send["kind"], send["state"]) == ("email", "accepted")


async def test_an_unknown_send_is_unknown(door: Door) -> None:
    problem(await door.http.get("/v1/sends/nothing"), 404, "unknown")
