"""The tables. Times are aware UTC, ids are text for people; what has a shape of its own is JSON.

There are no foreign keys: only the functions in this room write.
"""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any, Self

from sqlalchemy import (
    ARRAY,
    JSON,
    BigInteger,
    Boolean,
    Column,
    ColumnElement,
    DateTime,
    Dialect,
    Float,
    FunctionElement,
    Index,
    Integer,
    MetaData,
    PrimaryKeyConstraint,
    Row,
    String,
    Table,
    Text,
    TypeDecorator,
    bindparam,
    false,
    text,
)
from sqlalchemy.ext.compiler import compiles
from sqlalchemy.sql.compiler import SQLCompiler
from sqlalchemy.sql.operators import OperatorType
from sqlalchemy.types import TypeEngine

AnyRow = Row[*tuple[Any, ...]]
"""A row as it comes from the database; its columns are known by the statement that asked for it."""


class Time(TypeDecorator[datetime]):
    """An instant in UTC: a timestamp in PostgreSQL; in SQLite a text of fixed width, so that it sorts by time."""

    impl = DateTime
    cache_ok = True

    def load_dialect_impl(self, dialect: Dialect) -> TypeEngine[Any]:
        return dialect.type_descriptor(DateTime(timezone=True) if dialect.name == "postgresql" else String(27))

    def process_bind_param(self, value: datetime | None, dialect: Dialect) -> object:
        if value is None or dialect.name == "postgresql":
            return value
        return f"{value.astimezone(UTC).replace(tzinfo=None).isoformat(timespec='microseconds')}Z"

    def process_result_value(self, value: object, _dialect: Dialect) -> datetime | None:
        match value:
            case str():
                return datetime.fromisoformat(value)
            case datetime():
                return value.astimezone(UTC)
            case _:
                return None


class Texts(TypeDecorator[list[str]]):
    """Any number of texts as one parameter: an array in PostgreSQL, JSON in SQLite."""

    impl = JSON
    cache_ok = True

    def load_dialect_impl(self, dialect: Dialect) -> TypeEngine[Any]:
        return dialect.type_descriptor(ARRAY(String()) if dialect.name == "postgresql" else JSON())


def storable(text: str) -> str:
    """*text* as every database keeps it: without NUL, and without halves of characters."""
    return text.replace("\0", "\ufffd").encode(errors="replace").decode()


class Among(FunctionElement[bool]):
    """Whether a column is one of some texts. Unlike IN, the same SQL for any number, so it is prepared once."""

    type = Boolean()
    inherit_cache = True

    def self_group(self, against: OperatorType | None = None) -> Self:
        # Where there is no boolean type, SQLAlchemy would add "= 1", and SQLite would use no index any more.
        del against
        return self


def among(column: ColumnElement[Any], parameter: str) -> Among:
    """*column* is one of the texts that are given as *parameter*, a list."""
    return Among(column, bindparam(parameter, type_=Texts()))


@compiles(Among, "postgresql")
def _any(element: Among, compiler: SQLCompiler, **how: Any) -> str:
    column, texts = (compiler.process(clause, **how) for clause in element.clauses)
    return f"{column} = ANY ({texts})"


@compiles(Among, "sqlite")
def _each(element: Among, compiler: SQLCompiler, **how: Any) -> str:
    column, texts = (compiler.process(clause, **how) for clause in element.clauses)
    return f"{column} IN (SELECT value FROM json_each({texts}))"  # noqa: S608 - the texts are a parameter


metadata = MetaData(
    naming_convention={"pk": "pk_%(table_name)s", "ix": "ix_%(table_name)s_%(column_0_N_name)s"},
)

IS_HELD = "held_by IS NOT NULL"
IS_MISSING = "missing_since IS NOT NULL"
IS_OVER = "ended_at IS NOT NULL"

_Number = BigInteger().with_variant(Integer(), "sqlite")  # only INTEGER counts up by itself in SQLite


triggers = Table(
    "triggers",
    metadata,
    Column("name", Text, primary_key=True),
    Column("definition", JSON, nullable=False),
    Column("state", Text, nullable=False),
    Column("seen", BigInteger, nullable=False),
    Column("last_seen_at", Time),
    Column("created_at", Time, nullable=False),
    Column("changed_at", Time, nullable=False),
)

contents = Table(
    "contents",
    metadata,
    Column("name", Text, primary_key=True),
    Column("draft", JSON, nullable=False),
    Column("ready", JSON),  # what is sent; a draft is edited beside it
    Column("state", Text, nullable=False),
    Column("created_at", Time, nullable=False),
    Column("changed_at", Time, nullable=False),
)

customers = Table(
    "customers",
    metadata,
    Column("id", Text, primary_key=True),
    Column("attributes", JSON, nullable=False),
    Column("created_at", Time, nullable=False),
    Column("changed_at", Time, nullable=False),
)

customer_attributes = Table(
    "customer_attributes",
    metadata,
    Column("name", Text, primary_key=True),
    Column("type", Text, nullable=False),
    Column("declared", Boolean, nullable=False, server_default=false()),  # by somebody, not by its first value
    Column("since", Time),  # when its type was fixed; what was fixed before that was kept has none
)

consents = Table(
    "consents",
    metadata,
    Column("id", _Number, primary_key=True),
    Column("customer", Text),  # or else:
    Column("address", Text),  # its hash: what was said there holds for whoever has it
    Column("channel", Text, nullable=False),
    Column("purpose", Text, nullable=False),
    Column("topic", Text),
    Column("choice", Text, nullable=False),
    Column("source", Text, nullable=False),
    Column("at", Time, nullable=False),  # when it was said, which may be long before it was heard of
    Column("detail", Text, nullable=False),
    Index(None, "customer", "channel", "at"),
    Index(None, "address", "channel", "at"),
)

suppressions = Table(
    "suppressions",
    metadata,
    Column("id", _Number, primary_key=True),
    Column("channel", Text, nullable=False),
    Column("address", Text, nullable=False),  # its hash: what must not be written to need not be kept
    Column("reason", Text, nullable=False),
    Column("at", Time, nullable=False),
    Index(None, "address", "channel", "reason", unique=True),
)

liftings = Table(
    "liftings",
    metadata,
    Column("id", _Number, primary_key=True),
    Column("channel", Text, nullable=False),
    Column("address", Text, nullable=False),
    Column("reason", Text, nullable=False),  # of the suppression, and when that was
    Column("suppressed_at", Time, nullable=False),
    Column("why", Text, nullable=False),
    Column("source", Text, nullable=False),
    Column("at", Time, nullable=False),
    Index(None, "address"),
)

audit = Table(
    "audit",
    metadata,
    Column("id", _Number, primary_key=True),
    Column("at", Time, nullable=False),
    Column("by", Text, nullable=False),  # the name of a key, which may be gone by now
    Column("did", Text, nullable=False),
    Column("what", Text, nullable=False),
    Column("detail", JSON, nullable=False),
    Index(None, "what", "id"),
    Index(None, "by", "id"),
)

test_sends = Table(
    "test_sends",
    metadata,
    Column("id", _Number, primary_key=True),
    Column("address", Text, nullable=False),
    Column("at", Time, nullable=False),
    Index(None, "at"),
)

channels = Table(
    "channels",
    metadata,
    Column("kind", Text, primary_key=True),
    Column("state", Text, nullable=False),
    Column("reason", Text, nullable=False),
    Column("since", Time, nullable=False),
)

endpoints = Table(
    "endpoints",
    metadata,
    Column("name", Text, primary_key=True),
    Column("definition", JSON, nullable=False),
    Column("secrets", JSON, nullable=False),  # sealed, the newest first, each with when it was made and ceases to sign
    Column("state", Text, nullable=False),
    Column("reason", Text, nullable=False),
    Column("since", Time, nullable=False),
    Column("created_at", Time, nullable=False),
    Column("changed_at", Time, nullable=False),
)

journeys = Table(
    "journeys",
    metadata,
    Column("name", Text, primary_key=True),
    Column("definition", JSON, nullable=False),
    Column("live_version", Integer),  # the one that newcomers take
    Column("stopped_at", Time),
    Column("held_at", Time),  # by the brake, until somebody lets it go
    Column("held_why", Text),
    Column("released_at", Time),  # whoever was held then goes on, some time after it
    Column("paused_at", Time),  # by somebody, until somebody resumes it
    Column("resumed_at", Time),  # whoever waited for that goes on, some time after it
    Column("catch_up", Text),  # what became of what waited when it was resumed last
    Column("catch_up_over", Float),  # seconds over which it goes out
    Column("closed_at", Time),  # nobody enters since then, and people inside finish
    Column("archived_at", Time),
    Column("created_at", Time, nullable=False),
    Column("changed_at", Time, nullable=False),
)

house = Table(
    "house",
    metadata,
    Column("id", Integer, primary_key=True, autoincrement=False),  # one row, and only while nothing is sent
    Column("set_back_at", Time, nullable=False),
    Column("set_back_why", Text, nullable=False),
)

repairs = Table(
    "repairs",
    metadata,
    Column("id", _Number, primary_key=True),
    Column("journey", Text, nullable=False),
    Column("step", Text),  # and the rest: which of its runs that are parked, as it was asked
    Column("reason", Text),
    Column("since", Time),
    Column("instead", Text),  # go on, if they are not to try again
    Column("at", Time, nullable=False),
    Column("after", Text, nullable=False),  # the last run that was told, in the order of their ids
)

policies = Table(
    "policies",
    metadata,
    Column("number", Integer, primary_key=True, autoincrement=False),
    Column("policy", Text, nullable=False),  # JSON, as it is written
    Column("customer", Text, nullable=False),  # JSON: the types of customers' attributes that it was checked against
    Column("changed_at", Time, nullable=False),
    Column("changed_by", Text, nullable=False),
)

versions = Table(
    "versions",
    metadata,
    Column("journey", Text, nullable=False),
    Column("number", Integer, nullable=False),
    Column("hash", Text, nullable=False),
    Column("definition", JSON, nullable=False),
    Column("schemas", JSON, nullable=False),
    Column("customer", JSON, nullable=False),
    Column("published_at", Time, nullable=False),
    Column("stopped_at", Time),
    Column("moving", JSON(none_as_null=True)),  # people from older versions, and how far that is: see store/people.py
    Column("moving_at", Time),  # when it went on; with none it is over
    Column("moved_at", Time),  # when people were moved there last
    PrimaryKeyConstraint("journey", "number"),
)

events = Table(
    "events",
    metadata,
    Column("id", Text, nullable=False),
    Column("source", Text, nullable=False),
    Column("trigger", Text, nullable=False),
    Column("customer", Text),
    Column("occurred_at", Time, nullable=False),
    Column("received_at", Time, nullable=False),
    Column("attributes", JSON, nullable=False),
    Column("body", Text, nullable=False),  # a hash: tells the same event posted again from another with its id
    Column("before", JSON(none_as_null=True)),  # of a customer that was changed: the attributes there were
    PrimaryKeyConstraint("id", "source"),
    Index(None, "customer", "received_at"),
    Index(None, "customer", "trigger", "occurred_at"),
    Index(None, "received_at"),
)

known_events = Table(
    "known_events",
    metadata,
    Column("digest", Text, primary_key=True),  # of the source and id of an event that is kept no more
    Column("at", Time, nullable=False),
    Index(None, "at"),
)

erasures = Table(
    "erasures",
    metadata,
    Column("digest", Text, primary_key=True),  # of the id of a customer who was erased
    Column("at", Time, nullable=False),  # the last time
)

decisions = Table(
    "decisions",
    metadata,
    Column("id", _Number, primary_key=True),
    Column("event", Text, nullable=False),
    Column("source", Text, nullable=False),
    Column("journey", Text, nullable=False),
    Column("version", Integer, nullable=False),
    Column("did", Text, nullable=False),
    Column("why", Text, nullable=False),
    Column("run", Text),
    Column("answers", JSON, nullable=False),
    Index(None, "event", "source"),
    Index(None, "run", "did"),
)

runs = Table(
    "runs",
    metadata,
    Column("id", Text, primary_key=True),
    Column("journey", Text, nullable=False),
    Column("version", Integer, nullable=False),
    Column("customer", Text, nullable=False),
    Column("key", Text),
    Column("trigger", Text, nullable=False),
    Column("event_source", Text, nullable=False),
    Column("event_id", Text, nullable=False),
    Column("entered_at", Time, nullable=False),  # when its event occurred
    Column("started_at", Time, nullable=False),  # when we heard of it
    Column("day_seconds", Float, nullable=False),
    Column("ended", Text),
    Column("ended_at", Time),
    Column("why", Text, nullable=False),
    Column("ended_by", Text),  # see diary.EndedBy
    Column("goal_met_at", Time),
    Column("goal_until", Time),  # over or not, a goal event up to then counts
    Column("step", Text),
    Column("step_at", Time),
    Column("step_until", Time),  # where it waits there for a moment that was computed
    Column("held_by", Text),  # what holds its message: see diary.HeldBy
    Column("held_since", Time),
    Column("held_until", Time),  # as far as that is known
    Column("held_why", Text),
    Column("repaired_at", Time),  # it was told there to try again what had failed
    Column("skip_until", Time),  # what it came to before then is not done any more
    Column("skip_why", Text),
    Column("missing_since", Time),  # Temporal does not know it
    Column("lines", Integer, nullable=False),  # of its diary: the n of the next one
    Column("chain", JSON, nullable=False, server_default=text("'[]'")),  # journeys that led here
    Index(None, "customer", "started_at"),
    Index(None, "journey", "version", "ended"),
    Index(None, "journey", "started_at"),
    Index(None, "started_at"),
    Index(None, "step_at", "id"),  # of runs under way: who is over stands nowhere
    Index(None, "journey", "held_by", sqlite_where=text(IS_HELD), postgresql_where=text(IS_HELD)),
    Index(None, "missing_since", sqlite_where=text(IS_MISSING), postgresql_where=text(IS_MISSING)),
    Index(None, "ended_at", "id", sqlite_where=text(IS_OVER), postgresql_where=text(IS_OVER)),
)

waiting_starts = Table(
    "waiting_starts",
    metadata,
    Column("id", _Number, primary_key=True),
    Column("journey", Text, nullable=False),
    Column("customer", Text, nullable=False),
    Column("event", Text, nullable=False),
    Column("source", Text, nullable=False),
    Column("at", Time, nullable=False),  # when it came in
    Column("day_seconds", Float, nullable=False, server_default=text("86400")),
    Column("made_by", JSON),  # the run that made the event, if one did
    Index(None, "journey", "id"),
    Index(None, "customer"),
)

diary = Table(
    "diary",
    metadata,
    Column("run", Text, nullable=False),
    Column("n", Integer, nullable=False),
    Column("at", Time, nullable=False),
    Column("step", Text, nullable=False),
    Column("did", Text, nullable=False),
    Column("arm", Text),
    Column("why", Text, nullable=False),
    PrimaryKeyConstraint("run", "n"),
)

counts = Table(
    "counts",
    metadata,
    Column("journey", Text, nullable=False),
    Column("version", Integer, nullable=False),
    Column("did", Text, nullable=False),  # see lifecycle.Did
    Column("shard", Integer, nullable=False),  # so that who counts at once need not write the same row
    Column("n", BigInteger, nullable=False),
    PrimaryKeyConstraint("journey", "version", "did", "shard"),
)

people = Table(
    "people",
    metadata,
    Column("customer", Text, nullable=False),
    Column("journey", Text, nullable=False),
    Column("met_goal", Boolean, nullable=False),
    PrimaryKeyConstraint("customer", "journey"),
)

entries = Table(
    "entries",
    metadata,
    Column("customer", Text, nullable=False),
    Column("journey", Text, nullable=False),
    Column("keyed", Boolean, nullable=False),  # else its runs had no key, and it is empty here
    Column("key", Text, nullable=False),
    Column("first_at", Time, nullable=False),  # of the runs that were pruned
    Column("last_at", Time, nullable=False),
    Column("met_goal", Boolean, nullable=False),
    PrimaryKeyConstraint("customer", "journey", "keyed", "key"),
)

pruned_counts = Table(
    "pruned_counts",
    metadata,
    Column("journey", Text, nullable=False),
    Column("version", Integer, nullable=False),
    Column("did", Text, nullable=False),  # an end, or refused, as in counts, which go on counting what was pruned
    Column("n", BigInteger, nullable=False),
    PrimaryKeyConstraint("journey", "version", "did"),
)

links = Table(
    "links",
    metadata,
    Column("send", Text, primary_key=True),  # of an email that was pruned: its link to unsubscribe still works
    Column("customer", Text, nullable=False),
    Column("purpose", Text, nullable=False),
    Column("topic", Text),
    Column("at", Time, nullable=False),
    Index(None, "customer"),
    Index(None, "at"),
)

places = Table(
    "places",
    metadata,
    Column("journey", Text, nullable=False),
    Column("step", Text, nullable=False),
    Column("arm", Text, nullable=False),
    Column("customer", Text, nullable=False),
    PrimaryKeyConstraint("journey", "step", "arm", "customer"),
)

places_taken = Table(
    "places_taken",
    metadata,
    Column("journey", Text, nullable=False),
    Column("step", Text, nullable=False),
    Column("arm", Text, nullable=False),
    Column("n", Integer, nullable=False),  # a place stays taken, whatever becomes of whoever took it
    PrimaryKeyConstraint("journey", "step", "arm"),
)

ab_tests = Table(
    "ab_tests",
    metadata,
    Column("journey", Text, nullable=False),
    Column("step", Text, nullable=False),
    Column("arms", Text, nullable=False),  # their identity: with other arms it is another test
    Column("rules", JSON, nullable=False),  # with which it began
    Column("started_at", Time, nullable=False),  # when its first person came
    Column("due_at", Time, nullable=False),  # it does not end before
    Column("decision", JSON(none_as_null=True)),  # written once
    PrimaryKeyConstraint("journey", "step", "arms"),
)

ab_people = Table(
    "ab_people",
    metadata,
    Column("journey", Text, nullable=False),
    Column("step", Text, nullable=False),
    Column("arms", Text, nullable=False),
    Column("customer", Text, nullable=False),
    Column("run", Text, nullable=False),  # the one in which they came first
    Column("arm", Text, nullable=False),
    Column("at", Time, nullable=False),
    Column("until", Time, nullable=False),  # what they do after it does not count
    PrimaryKeyConstraint("journey", "step", "arms", "customer"),
    Index(None, "journey", "step", "arms", "until"),
)

sends = Table(
    "sends",
    metadata,
    Column("id", Text, primary_key=True),
    Column("run", Text, nullable=False),
    Column("customer", Text, nullable=False),
    Column("step", Text, nullable=False),
    Column("kind", Text, nullable=False),
    Column("content", Text, nullable=False),
    Column("purpose", Text),  # and topic: as they were when it was sent
    Column("topic", Text),
    Column("recipient", Text),
    Column("address", Text),  # the recipient's hash, however it is written
    Column("expires_at", Time),
    Column("state", Text, nullable=False),  # claimed, released, or an outcome
    Column("attempt", Integer, nullable=False),
    Column("repeats", Integer, nullable=False, server_default=text("0")),  # how often it was sent again in doubt
    Column("claimed_at", Time),
    Column("at", Time),  # of the outcome
    Column("reason", Text, nullable=False),
    Column("provider_id", Text),
    Index(None, "run", "step", unique=True),
    Index(None, "state", "claimed_at"),
    Index(None, "address", "kind", "claimed_at"),
    Index(None, "customer", "kind", "claimed_at"),
)

actions = Table(
    "actions",
    metadata,
    Column("run", Text, nullable=False),
    Column("step", Text, nullable=False),
    Column("outcome", Text, nullable=False),
    Column("at", Time, nullable=False),
    Column("reason", Text, nullable=False),
    PrimaryKeyConstraint("run", "step"),
)

calls = Table(
    "calls",
    metadata,
    Column("run", Text, nullable=False),
    Column("step", Text, nullable=False),
    Column("id", Text),  # for receivers: the same for all tries, whatever the step is called meanwhile
    Column("endpoint", Text, nullable=False),
    Column("data", JSON),  # what is posted, as long as it is
    Column("tries", Integer, nullable=False),
    Column("first_at", Time, nullable=False),
    Column("tried_at", Time),
    Column("next_at", Time),  # once it is known what became of the last try, and it was none
    Column("reason", Text, nullable=False),  # why the last try was none
    PrimaryKeyConstraint("run", "step"),
)

keys = Table(
    "keys",
    metadata,
    Column("name", Text, primary_key=True),
    Column("scopes", JSON, nullable=False),
    Column("triggers", JSON, nullable=False),
    Column("origins", JSON, nullable=False),
    Column("per_second", Float),
    Column("until", Time),
    Column("created_at", Time, nullable=False),
)

key_secrets = Table(
    "key_secrets",
    metadata,
    Column("digest", Text, primary_key=True),  # SHA-256 in hex; the secret itself is kept nowhere
    Column("key", Text, nullable=False),
    Column("created_at", Time, nullable=False),
    Column("until", Time),
    Column("used_at", Time),
    Index(None, "key"),
)

interactions = Table(
    "interactions",
    metadata,
    Column("event", Text, nullable=False),
    Column("source", Text, nullable=False),
    Column("send", Text, nullable=False),
    Column("interaction", Text, nullable=False),
    Column("at", Time, nullable=False),
    Column("link", Text),
    Column("reply", Text),
    Column("machine", Boolean, nullable=False, server_default=false()),
    PrimaryKeyConstraint("event", "source"),
    Index(None, "send", "interaction"),
)

outbox = Table(
    "outbox",
    metadata,
    Column("id", _Number, primary_key=True),
    Column("run", Text, nullable=False),
    Column("kind", Text, nullable=False),  # see outbox.JobKind
    Column("payload", JSON, nullable=False),
    Column("created_at", Time, nullable=False),
    Column("due_at", Time, nullable=False),
    Column("attempts", Integer, nullable=False),
    Column("error", Text, nullable=False),
    Column("refused_at", Time),  # Temporal does not take it, for good as it seems
    Column("bulk", Boolean, nullable=False, server_default=false()),  # one of very many: all others come first
    Index(None, "run", "id"),
    Index(None, "bulk", "id"),
    sqlite_autoincrement=True,  # an id is never used again: a relay whose lease ran out still names its row
)
