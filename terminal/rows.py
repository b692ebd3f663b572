"""What the rows of each table are, in words: for people who never see the database."""

from __future__ import annotations

from collections.abc import Iterator, Mapping

from rich.text import Text

from store.personal import PERSONAL, Goes
from terminal.numbers import counted

WORDS: Mapping[str, tuple[str, str]] = {
    "customers": ("customer, with all attributes", "customers, with all attributes"),
    "events": ("event, with all attributes", "events, with all attributes"),
    "decisions": ("note of what an event did", "notes of what events did"),
    "waiting_starts": ("start that waits for a pause to end", "starts that wait for a pause to end"),
    "links": ("link to unsubscribe", "links to unsubscribe"),
    "runs": ("run through a journey", "runs through journeys"),
    "diary": ("line of a run's diary", "lines of runs' diaries"),
    "people": ("entry among the people of a journey", "entries among the people of journeys"),
    "entries": ("note of when a journey was entered", "notes of when journeys were entered"),
    "places": ("place in a split", "places in splits"),
    "ab_people": ("place in a test", "places in tests"),
    "sends": ("message", "messages"),
    "interactions": ("reaction to a message, such as an open", "reactions to messages, such as opens"),
    "actions": ("action of a run", "actions of runs"),
    "calls": ("call of a webhook", "calls of webhooks"),
    "outbox": ("word that Temporal was not told yet", "words that Temporal was not told yet"),
    "consents": ("statement on being messaged", "statements on being messaged"),
    "liftings": ("reason to write to an address again", "reasons to write to an address again"),
    "known_events": ("hash of an event that was kept before", "hashes of events that were kept before"),
    "audit": ("line of the audit log", "lines of the audit log"),
}
"""One row, and several."""

AS_A_PROOF = ("consents",)
"""Kept not for the counts, but as a proof."""


def in_words(table: str, number: int) -> str:
    """``1 message``, ``2 messages``."""
    return counted(number, *WORDS.get(table, (f"row of {table}", f"rows of {table}")))


def listed(rows: Mapping[str, int]) -> Iterator[Text]:
    """A line for each kind of rows."""
    width = max((len(f"{number:,}") for number in rows.values()), default=0)
    for table, number in rows.items():
        _, what = in_words(table, number).split(" ", 1)
        yield Text(f"  {number:>{width},}  {what}")


def of_erasure(rows: Mapping[str, int]) -> Iterator[Text]:
    """What is deleted of a customer, and what stays under a name of chance, or a hash."""
    gone = {table: number for table, number in rows.items() if isinstance(PERSONAL[table], Goes)}
    proofs = {table: number for table, number in rows.items() if table in AS_A_PROOF}
    nameless = {table: number for table, number in rows.items() if table not in gone | proofs}
    for heading, some in (
        ("Deleted:", gone),
        ("Kept for the counts, without anything that leads to the person:", nameless),
        ("Kept as a proof, under a hash of the id:", proofs),
    ):
        if some:
            yield Text(heading, "bold")
            yield from listed(some)
