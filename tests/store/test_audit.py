"""The audit log: who changed what and when, page by page, and only what was committed."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import pytest
from sqlalchemy import Connection

from journeys.problems import Conflict
from store.audit import AuditEntry, Change, list_audit, record
from store.store import Store, write_transaction
from tests.shop import NOON

DONE: list[tuple[str, str, str, dict[str, Any]]] = [
    ("grace", "journey published", "journey/welcome", {"version": 1}),
    ("shop", "trigger put", "trigger/cart", {}),
    ("grace", "journey published", "journey/welcome-back", {"version": 1}),
    ("grace", "journey stopped", "journey/welcome", {"runs": 3}),
]


@write_transaction
def put_down(connection: Connection, *, and_fail: bool = False) -> None:
    for hours, (by, did, what, detail) in enumerate(DONE):
        record(connection, Change(by, NOON + timedelta(hours=hours)), did, what, detail)
    if and_fail:
        raise Conflict("This is refused after all.")


async def numbers(store: Store, **asked: Any) -> list[int]:
    """Which of DONE are listed, in what order."""
    entries = (await list_audit(store, **asked)).entries
    return [DONE.index((each.by, each.did, each.what, each.detail)) for each in entries]


async def test_changes_are_listed_with_who_made_them_the_latest_first(store: Store) -> None:
    await put_down(store)

    latest, *rest = (await list_audit(store)).entries

    stopped: dict[str, Any] = {
        "by": "grace",
        "did": "journey stopped",
        "what": "journey/welcome",
        "detail": {"runs": 3},
    }
    assert latest == AuditEntry(id=latest.id, at=NOON + timedelta(hours=3), **stopped)
    assert [each.at.hour for each in rest] == [14, 13, 12]


async def test_they_are_listed_page_by_page(store: Store) -> None:
    await put_down(store)

    first = await list_audit(store, limit=3)
    rest = await list_audit(store, limit=3, before=first.next)

    assert [each.what for each in first.entries[1:]] == ["journey/welcome-back", "trigger/cart"]
    assert ([each.at for each in rest.entries], rest.next) == ([NOON], None)
    assert (await list_audit(store, limit=4)).next is None


@pytest.mark.parametrize(
    ("asked", "found"),
    [
        ({"what": "journey"}, [3, 2, 0]),
        ({"what": "journey/welcome"}, [3, 0]),
        ({"what": "journey/w%"}, []),
        ({"by": "shop"}, [1]),
        ({"by": "Grace"}, []),
        ({"since": NOON + timedelta(hours=2)}, [3, 2]),
        ({"what": "journey", "by": "grace", "since": NOON + timedelta(hours=1), "limit": 1}, [3]),
    ],
    ids=["a kind", "one thing", "no pattern", "by somebody", "as it is written", "since", "all of it"],
)
async def test_they_are_asked_for_by_what_by_whom_and_since_when(
    store: Store, asked: dict[str, Any], found: list[int]
) -> None:
    await put_down(store)

    assert await numbers(store, **asked) == found


async def test_what_is_undone_was_not_changed(store: Store) -> None:
    with pytest.raises(Conflict):
        await put_down(store, and_fail=True)

    assert await numbers(store) == []
