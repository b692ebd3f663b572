"""The house's policy: who may be messaged when, over all journeys; what is in force, and what was before."""

from __future__ import annotations

from datetime import datetime
from typing import Annotated

from fastapi import APIRouter, Query, Response

from api.audit import ChangeDep
from api.bodies import AsWritten, Body, Yaml, aside, gives, in_yaml, ref, takes
from api.dependencies import Deps
from api.keys import needs
from api.policy_examples import EVERYTHING, NIGHTS, VERSION, VERSIONS
from api.problems import STANDARD, TooLarge, WrongType, declare
from journeys.checks.keeping import keeps_less
from journeys.checks.policy import check_policy
from journeys.clearance.policy import Policy
from journeys.language.attributes import Schema
from journeys.models import Frozen
from journeys.problems import Flaw, Invalid, Unknown
from journeys.reading import read_policy
from store import policy as policies
from store.customer_types import customer_schema
from store.policy import PolicyVersion

router = APIRouter(prefix="/v1/policy", tags=["policy"], responses=STANDARD)

ANSWER = gives({**VERSION, "new": True, "dry_run": False, "warnings": []})

Limit = Annotated[int, Query(description="At most so many.", ge=1, le=200)]
DryRun = Annotated[bool, Query(description="Only say what putting it would do.")]
Before = Annotated[int | None, Query(description="The `next` of the page before.", ge=1, le=2**31 - 1)]


class PolicyAnswer(PolicyVersion):
    """The policy as it was written: its number, since when it is in force, and by whom."""

    policy: AsWritten[Policy]


class PolicyPut(PolicyAnswer):
    """What is in force now, or with *dry_run* would be. *new*: False where it was so before.

    *warnings*: what keeps nothing from being in force, and its author should know.
    """

    new: bool
    dry_run: bool
    warnings: tuple[Flaw, ...] = ()


class PolicyVersionPage(Frozen):
    """The policy and what it was before, the latest first. *next*: the ``before`` of the next page."""

    versions: tuple[PolicyAnswer, ...]
    next: int | None


@router.put(
    "",
    dependencies=[needs("publish")],
    response_model=PolicyPut,
    responses=declare(TooLarge, WrongType) | {200: ANSWER, 201: ANSWER | {"model": PolicyPut}},
    openapi_extra=takes(ref(Policy), {"Quiet nights": NIGHTS, "All that it may say": EVERYTHING}, yaml_too=True),
)
async def put_policy(
    body: Body, deps: Deps, change: ChangeDep, response: Response, *, dry_run: DryRun = False
) -> PolicyPut:
    """Put a policy in force, whole, in JSON or YAML: what it does not say is as usual, whatever was said before.

    It holds for whatever is claimed from then on. The same policy again changes nothing, and is answered with 200.
    What is wrong with it is answered all at once, with the types that customers' attributes have now.
    Where it keeps less than the one before, a warning says so, as what is pruned is gone. With `dry_run`,
    which is in the address as the body is the policy, nothing is changed, and the answer, with 200, says what would be.
    """
    policy = await aside(read_policy, body)
    schema = await deps.store.read(customer_schema)
    warnings = await aside(_checked, policy, schema, change.at)
    if dry_run:
        made = await policies.would_put_policy(deps.store, policy, change)
    else:
        made = await policies.put_policy(deps.store, policy, change, schema)
    if made:
        response.status_code = 200 if dry_run else 201
        before = (await policies.list_policies(deps.store, limit=1, before=made.number)).versions
        warnings += keeps_less(policy.keep, before[0].policy.keep) if before else ()
    in_force = made or await policies.get_policy(deps.store)
    return PolicyPut(**dict(in_force), new=made is not None, dry_run=dry_run, warnings=warnings)


@router.get(
    "",
    dependencies=[needs("definitions:read")],
    response_model=PolicyAnswer,
    responses=declare(Unknown) | {200: gives(VERSION, yaml=Policy)},
)
async def get_policy(deps: Deps, yaml: Yaml) -> PolicyAnswer | Response:
    """What is in force: JSON with who put it and when, or with `Accept: application/yaml` the policy alone.

    That can be put again.
    """
    in_force = await policies.get_policy(deps.store)
    return await in_yaml(in_force.policy) if yaml else PolicyAnswer(**dict(in_force))


@router.get(
    "/versions",
    dependencies=[needs("definitions:read")],
    response_model=PolicyVersionPage,
    responses={200: gives(VERSIONS)},
)
async def list_policies(deps: Deps, limit: Limit = 50, before: Before = None) -> PolicyVersionPage:
    """The policy and all that it was before, the latest first, page by page."""
    page = await policies.list_policies(deps.store, limit=limit, before=before)
    return PolicyVersionPage(versions=tuple(PolicyAnswer(**dict(one)) for one in page.versions), next=page.next)


def _checked(policy: Policy, customer: Schema, now: datetime) -> tuple[Flaw, ...]:
    """What its author should know. Raises Invalid with every flaw."""
    found = check_policy(policy, customer, now)
    if found.flaws:
        raise Invalid("This policy is not valid.", found.flaws)
    return found.warnings
