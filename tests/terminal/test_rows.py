"""What is erased and pruned is told in words: no table of the database by its name."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any

import pytest

from store.audit import AuditEntry, AuditPage
from store.erasing import _FOUND, Erasure
from store.pruning import ALL_TABLES
from terminal.auditing import listed as audited
from terminal.database_commands import _counted
from terminal.erasing import erased
from terminal.rows import WORDS

NOON = datetime(2026, 11, 24, 12, tzinfo=UTC)


def test_all_that_is_erased_or_pruned_has_words() -> None:
    assert {*_FOUND, *ALL_TABLES} <= {*WORDS}


def test_an_erasure_says_what_is_deleted_and_what_stays_without_the_person() -> None:
    rows = {"ab_people": 2, "consents": 1, "customers": 1, "events": 1200, "waiting_starts": 1}
    told = Erasure(customer="ada", rows=rows, ended=1, in_flight=1, erased_before=None, dry_run=True)

    assert [line.plain for line in erased(told)] == [
        "ada would be erased.",
        "Deleted:",
        "      1  customer, with all attributes",
        "  1,200  events, with all attributes",
        "      1  start that waits for a pause to end",
        "Kept for the counts, without anything that leads to the person:",
        "  2  places in tests",
        "Kept as a proof, under a hash of the id:",
        "  1  statement on being messaged",
        "1 run under way ends.",
        "1 message is on the way to a provider, and may still arrive.",
        "Nobody takes it back. Counts stay, and hashes of addresses: see docs/erasing.md.",
    ]


def test_what_is_pruned_is_counted_in_words() -> None:
    said = [line.plain for line in _counted("Gone", {"sends": 2, "diary": 1})]

    assert said == ["Gone:", "  2  messages", "  1  line of a run's diary"]


@pytest.mark.parametrize(
    ("did", "detail", "said"),
    [
        ("customer erased", {"rows": {"sends": 2, "events": 1}, "ended": 0},
         "rows: 2 messages, 1 event, ended: 0"),
        ("journey resumed", {"paused": {"since": "2026-11-24T09:00:00Z", "waiting_starts": 1}, "catch_up": "now"},
         "paused: since 24 Nov 2026 09:00 UTC, waiting starts 1, catch up: now"),
        ("content put", {"new": True, "changed": ["email", "title"]}, "new: yes, changed: email and title"),
    ],
)  # fmt: skip
def test_the_audit_log_is_told_in_words(did: str, detail: dict[str, Any], said: str) -> None:
    page = AuditPage(entries=(AuditEntry(id=1, at=NOON, by="root", did=did, what="x", detail=detail),), next=None)

    assert [line.plain for line in audited(page)][1] == f"    {said}"
