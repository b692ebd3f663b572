"""The docs name every setting, command, step type, interaction and error; the README's files and links are there."""

from __future__ import annotations

import json
import re
from pathlib import Path

import pytest
import typer

import api.problems  # noqa: F401 - it has errors of its own
import cli
from activities.channels.registry import PROVIDERS
from journeys import problems
from journeys.catalogue import CUSTOMER
from journeys.checks.policy import check_policy
from journeys.clearance.policy import Brake, Cap, Policy, QuietTime
from journeys.definition import Goal, Journey, Start
from journeys.findings import Findings
from journeys.inputs.places import fields
from journeys.interactions import INTERACTIONS
from journeys.reading import read_policy
from journeys.steps import STEP_TYPES, Step
from settings import AllSettings
from tests.tables import page_of, pages, written

ROOT = Path(__file__).parent.parent
DOCS = ROOT / "docs"


def commands() -> list[str]:
    group = typer.main.get_command(cli.app)
    return sorted(getattr(group, "commands", {}))


def prose() -> list[str]:
    files = [*DOCS.rglob("*.md"), *ROOT.glob("*.md"), *map(page_of, PROVIDERS)]
    return sorted(path.relative_to(ROOT).as_posix() for path in files)


@pytest.mark.parametrize("name", sorted(AllSettings.model_fields))
def test_every_setting_is_documented(name: str) -> None:
    assert f"`SOJOURN_{name.upper()}`" in (DOCS / "settings.md").read_text()


@pytest.mark.parametrize("name", PROVIDERS)
def test_every_provider_has_a_page(name: str) -> None:
    assert page_of(name).read_text().startswith("# ")


@pytest.mark.parametrize("page", pages(), ids=lambda page: page.relative_to(ROOT).as_posix())
def test_tables_say_what_the_code_says(page: Path) -> None:
    assert page.read_text() == written(page.read_text(), pages()[page]), "make docs writes them"


@pytest.mark.parametrize("name", commands())
def test_every_command_is_documented(name: str) -> None:
    assert f"`sojourn {name}" in (DOCS / "cli.md").read_text()


@pytest.mark.parametrize("page", prose())
def test_every_command_that_is_shown_is_there(page: str) -> None:
    shown = "\n".join(
        re.findall(r"^```(?:bash|console)\n(.*?)^```", (ROOT / page).read_text(), re.MULTILINE | re.DOTALL)
    )
    makefile = (ROOT / "Makefile").read_text()

    ours = set(re.findall(r"^(?:\S*/)?sojourn (\w+)", shown, re.MULTILINE))
    targets = set(re.findall(r"^make (\w+)", shown, re.MULTILINE))

    assert ours <= {*commands()}
    assert targets <= set(re.findall(r"^(\w+):", makefile, re.MULTILINE))


@pytest.mark.parametrize("name", sorted(STEP_TYPES))
def test_every_step_type_is_documented(name: str) -> None:
    assert re.search(rf"^###.*`{name}`", (DOCS / "journeys.md").read_text(), re.MULTILINE)


@pytest.mark.parametrize("name", sorted({name for kind in INTERACTIONS.values() for name in kind}))
def test_every_interaction_is_documented(name: str) -> None:
    assert f"`{name}`" in (DOCS / "journeys.md").read_text()


@pytest.mark.parametrize("model", [Journey, Start, Goal])
def test_every_field_of_a_definition_is_documented(model: type[Journey | Start | Goal]) -> None:
    text = (DOCS / "journeys.md").read_text()

    missing = [field.alias or name for name, field in model.model_fields.items() if (field.alias or name) not in text]

    assert missing == []


def sections() -> dict[str, str]:
    """What docs/journeys.md says of each type of step."""
    text = (DOCS / "journeys.md").read_text()
    told = re.findall(r"^### (`.*)\n((?:(?!^##?#? ).*\n)*)", text, re.MULTILINE)
    return {name: section for heading, section in told for name in re.findall(r"`(\w+)`", heading)}


def fields_of(step: type[Step]) -> set[str]:
    """The fields of a type of step and of what is written within it, other steps left out."""
    schema = step.model_json_schema()
    models, others = schema.get("$defs", {}), {each.__name__ for each in STEP_TYPES.values()} - {step.__name__}
    fields, ahead = set[str](), [step.__name__ if "$ref" in schema else ""]
    seen = set(others)
    while ahead:
        if (name := ahead.pop()) not in seen:
            seen.add(name)
            model = models[name] if name else {"properties": schema["properties"]}
            fields |= {*model.get("properties", {})}
            ahead += re.findall(r"#/\$defs/(\w+)", json.dumps(model))
    return fields


@pytest.mark.parametrize("name", sorted(STEP_TYPES))
def test_every_field_of_a_step_is_documented_with_it(name: str) -> None:
    told = sections()[name]
    questions = sections()["if"] if name in ("await", "until") else ""  # they ask what an if may ask

    missing = {
        field for field in fields_of(STEP_TYPES[name]) if not re.search(rf"\b{field}\b(`|:)", told + questions)
    } - {"id", "then", "else", "steps"}

    assert missing == set()


@pytest.mark.parametrize("name", sorted(set(STEP_TYPES) - {"end"}))
def test_every_step_says_what_it_does_when_things_go_wrong(name: str) -> None:
    assert re.search(r"^(When things go wrong|\| when \|)", sections()[name], re.MULTILINE)


@pytest.mark.parametrize("error", [problems.SojournError, *problems.SojournError.__subclasses__()])
def test_every_error_is_documented(error: type[problems.SojournError]) -> None:
    assert f"| `/problems/{error.slug}` | {error.status} |" in (DOCS / "errors.md").read_text()


@pytest.mark.parametrize("page", prose())
def test_links_lead_to_files_that_are_there(page: str) -> None:
    text = (ROOT / page).read_text()

    targets = re.findall(r"\]\((?!https?:|#)([^)#]+)", text)

    assert [target for target in targets if not ((ROOT / page).parent / target).exists()] == []


@pytest.mark.parametrize("page", prose())
def test_links_lead_to_headings_that_are_there(page: str) -> None:
    path = ROOT / page

    targets = re.findall(r"\]\((?!https?:)([^)#]*)#([^)]+)\)", path.read_text())

    lost = [
        f"{file}#{anchor}"
        for file, anchor in targets
        if (aim := path.parent / file if file else path).suffix == ".md" and anchor not in anchors(aim)
    ]
    assert lost == []


def anchors(page: Path) -> set[str]:
    """What GitHub makes of the headings of a page."""
    headings = re.findall(r"^#+ (.*)$", page.read_text(), re.MULTILINE)
    return {re.sub(r"[^\w\- ]", "", heading.lower()).replace(" ", "-") for heading in headings}


def policies() -> list[str]:
    """Every policy that docs/policy.md shows."""
    return re.findall(r"^```yaml\n(.*?)^```", (DOCS / "policy.md").read_text(), re.MULTILINE | re.DOTALL)


@pytest.mark.parametrize("shown", policies())
def test_a_policy_that_is_shown_would_hold(shown: str) -> None:
    assert check_policy(read_policy(shown), {**CUSTOMER, "country": "text?"}) == Findings()


@pytest.mark.parametrize("model", [Policy, QuietTime, Cap, Brake])
def test_every_field_of_a_policy_is_documented(model: type[Policy | QuietTime | Cap | Brake]) -> None:
    text = (DOCS / "policy.md").read_text()

    missing = [name for name in fields(model) if not re.search(rf"`{name}`|^{name}:", text, re.MULTILINE)]

    assert missing == []
