"""What commands say of the house's policy: what is in force, what was put, and what was before."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from pydantic import field_serializer
from rich.text import Text

from journeys.clearance.policy import Policy
from journeys.notation.yaml_text import write_yaml
from journeys.problems import Flaw
from journeys.reading import write
from store.policy import PolicyVersion, PolicyVersions
from terminal.show import warnings


class PolicyPut(PolicyVersion):
    """What is in force now, or would be, as the API answers it. *new*: False where it was so before."""

    new: bool
    dry_run: bool
    warnings: tuple[Flaw, ...] = ()

    @field_serializer("policy")
    def _as_written(self, policy: Policy) -> dict[str, Any]:
        return written(policy)


def as_written(version: PolicyVersion) -> dict[str, Any]:
    """A version for a script, its policy with the fields that it was written with."""
    return version.model_dump(mode="json") | {"policy": written(version.policy)}


def written(policy: Policy) -> dict[str, Any]:
    """A policy with the fields that it was written with."""
    return policy.model_dump(mode="json", by_alias=True, exclude_unset=True)


def in_force(version: PolicyVersion) -> Iterator[Text]:
    """The policy as a file that can be put again, with what holds where it says nothing."""
    yield Text(f"# {_whose(version)}", "dim")
    yield from (Text(line) for line in write(version.policy).splitlines() if version.policy.model_fields_set)
    if usual := _unsaid(version.policy):
        yield Text("# As usual, since it says nothing of it:", "dim")
        yield from (Text(f"# {line}", "dim") for line in write_yaml(usual).splitlines())


def put(told: PolicyPut) -> Iterator[Text]:
    """What putting a policy did, or would do."""
    if told.new:
        yield Text.assemble((f"Policy {told.number}", "bold"), f" {'would be' if told.dry_run else 'is'} in force.")
    else:
        yield Text.assemble("It is in force already: ", (_whose(told), "bold"), ".")
    yield from warnings(told.warnings)


def question(would: PolicyPut) -> str | None:
    """What is asked before a policy is put that keeps less than the one in force; None of any other."""
    # Of what is kept the API warns where it is less, and of nothing else.
    less = [flaw.path.removeprefix("keep.") for flaw in would.warnings if flaw.path.startswith("keep.")]
    return f"Put policy {would.number}, which keeps {' and '.join(less)} for less long?" if less else None


def was_put(told: PolicyPut, would: PolicyPut) -> Iterator[Text]:
    """What putting a policy did, to whoever was told before what it would do."""
    yield from put(told.model_copy(update={"warnings": new_warnings(told, would)}))


def new_warnings(told: PolicyPut, would: PolicyPut) -> tuple[Flaw, ...]:
    """Those that nobody was told of before."""
    return tuple(flaw for flaw in told.warnings if flaw not in would.warnings)


def history(page: PolicyVersions) -> Iterator[Text]:
    """Versions, the latest first, each with what it changed."""
    if not page.versions:
        yield Text("There was no policy yet.")
    for version, before in zip(page.versions, [*page.versions[1:], None], strict=True):
        yield Text(_whose(version), "bold")
        if changed := _changed(version.policy, before.policy) if before else []:
            yield Text(f"    changed {', '.join(changed)}")
    if page.next is not None:
        yield Text(f"There are more. --limit {min(2 * len(page.versions), 200)} shows more of them.", "dim")


def _whose(version: PolicyVersion) -> str:
    return f"Policy {version.number}, by {version.changed_by}, {version.changed_at:%d %b %Y %H:%M} UTC"


def _unsaid(policy: Policy) -> dict[str, Any]:
    """What holds where the policy says nothing, but for rules that there are none of."""
    names = {name for name in Policy.model_fields if name not in policy.model_fields_set}
    usual = policy.model_dump(mode="json", by_alias=True, include=names, exclude_none=True)
    return {name: value for name, value in usual.items() if value}


def _changed(policy: Policy, before: Policy) -> list[str]:
    return [name for name in Policy.model_fields if getattr(policy, name) != getattr(before, name)]
