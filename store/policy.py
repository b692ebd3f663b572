"""The house's policy: what is in force, and all that was before it, with who changed it and when."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import datetime
from functools import lru_cache

from pydantic import AwareDatetime, TypeAdapter
from sqlalchemy import Connection, ScalarSelect, insert, select

from journeys.catalogue import CUSTOMER
from journeys.clearance.policy import NO_POLICY, Policy
from journeys.language.attributes import Declaration, Schema
from journeys.models import Frozen
from journeys.problems import Unknown
from store.audit import BY_ITSELF, Change, record
from store.changing import other_fields
from store.customer_types import customer_schema
from store.locks import lock_house
from store.schema import AnyRow, policies
from store.store import read_transaction, write_transaction

FROM_SETTINGS = "settings"
"""Who the first version is by."""


class PolicyVersion(Frozen):
    """What the policy was, or is, from *changed_at* on. *number* counts from 1; *changed_by*: the name of a key."""

    number: int
    policy: Policy
    changed_at: AwareDatetime
    changed_by: str


class PolicyVersions(Frozen):
    """Versions of the policy, the latest first. *next*: the ``before`` of the next page; None on the last one."""

    versions: tuple[PolicyVersion, ...]
    next: int | None = None


@dataclass(frozen=True)
class Ruling:
    """The policy in force, and the types of customers' attributes that its conditions were checked against."""

    policy: Policy = NO_POLICY
    customer: Schema = field(default_factory=lambda: CUSTOMER)


@read_transaction
def get_policy(connection: Connection) -> PolicyVersion:
    """What is in force. Raises Unknown where there is none yet: the API and the worker write the first one."""
    if row := connection.execute(_LATEST).one_or_none():
        return _version(row)
    raise Unknown("There is no policy yet. Put one, or start the API or a worker, which writes the first one.")


@read_transaction
def list_policies(connection: Connection, *, limit: int = 50, before: int | None = None) -> PolicyVersions:
    """The policy and what it was before, the latest first. *before*: the ``next`` of the page before."""
    wanted = select(policies).order_by(policies.c.number.desc()).limit(limit + 1)
    if before is not None:
        wanted = wanted.where(policies.c.number < before)
    rows = connection.execute(wanted).all()
    page = tuple(_version(row) for row in rows[:limit])
    return PolicyVersions(versions=page, next=page[-1].number if len(rows) > limit else None)


@read_transaction
def would_put_policy(connection: Connection, policy: Policy, change: Change) -> PolicyVersion | None:
    """What put_policy() would return, and nothing is changed."""
    return _next(connection.execute(_LATEST).one_or_none(), policy, change)


@write_transaction
def put_policy(
    connection: Connection, policy: Policy, change: Change, customer: Schema | None = None
) -> PolicyVersion | None:
    """Put a policy in force. Returns its version; None where it is the same again, which changes nothing.

    *customer*: the types of customers' attributes that it was checked against, where they are not those of now.
    """
    lock_house(connection)
    last = connection.execute(_LATEST).one_or_none()
    if (version := _next(last, policy, change)) is None:
        return None
    row = _row(policy, version.number, change.at, change.by, customer or customer_schema(connection))
    connection.execute(insert(policies), row)
    fields = other_fields(dict(_version(last).policy if last else NO_POLICY), dict(policy))
    record(connection, change, "policy put", "policy", {"number": version.number, "changed": sorted(fields)})
    return version


def _next(last: AnyRow | None, policy: Policy, change: Change) -> PolicyVersion | None:
    """The version that comes after the last one; None where it is the same again."""
    if last and _version(last).policy == policy:
        return None
    number = (last.number if last else 0) + 1
    return PolicyVersion(number=number, policy=policy, changed_at=change.at, changed_by=change.by)


@write_transaction
def begin_with(connection: Connection, policy: Policy, now: datetime) -> bool:
    """Put the first policy in force. Returns False, and changes nothing, where there is one."""
    lock_house(connection)
    if connection.execute(_LATEST).one_or_none():
        return False
    connection.execute(insert(policies), _row(policy, 1, now, FROM_SETTINGS, customer_schema(connection)))
    record(connection, Change(BY_ITSELF, now), "policy put", "policy", {"number": 1})
    return True


def in_force(connection: Connection) -> Ruling:
    """The policy in force; none where none was ever put."""
    row = connection.execute(_LATEST).one_or_none()
    return ruling(row.policy, row.customer) if row else Ruling()


def ruling(policy: str | None, customer: str | None) -> Ruling:
    """What two columns of the table say, read once and kept."""
    return Ruling() if policy is None or customer is None else _ruling(policy, customer)


@lru_cache(maxsize=32)
def _ruling(policy: str, customer: str) -> Ruling:
    return Ruling(Policy.model_validate_json(policy), _SCHEMA.validate_json(customer))


_SCHEMA = TypeAdapter(dict[str, Declaration])


def _version(row: AnyRow) -> PolicyVersion:
    policy = ruling(row.policy, row.customer).policy
    return PolicyVersion(number=row.number, policy=policy, changed_at=row.changed_at, changed_by=row.changed_by)


def _row(policy: Policy, number: int, now: datetime, by: str, customer: Schema) -> dict[str, object]:
    written = policy.model_dump_json(by_alias=True, exclude_unset=True)
    schema = _SCHEMA.dump_json(dict(customer)).decode()
    return {"number": number, "policy": written, "customer": schema, "changed_at": now, "changed_by": by}


def column_in_force(name: str) -> ScalarSelect[str]:
    """A column of the policy in force, for a statement that reads it with other things."""
    return select(policies.c[name]).order_by(policies.c.number.desc()).limit(1).scalar_subquery()


_LATEST = select(policies).order_by(policies.c.number.desc()).limit(1)
