"""The tables of the docs that follow from what providers declare: ``make docs`` writes them, and a test compares."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from datetime import timedelta
from pathlib import Path
from typing import get_args

from pydantic.fields import FieldInfo

from activities.channels.provider import Unset
from activities.channels.registry import PROVIDERS, senders
from journeys.interactions import Kind
from journeys.language.durations import say
from settings import Settings
from store.scopes import OPENS
from terminal.exits import MEANINGS

ROOT = Path(__file__).parent.parent
KINDS: tuple[Kind, ...] = get_args(Kind)


def page_of(provider: str) -> Path:
    """The provider's page of the docs, which stands in its folder."""
    return ROOT / "activities" / "channels" / provider / "README.md"


def pages() -> dict[Path, dict[str, list[str]]]:
    """Every page that holds such tables, and their lines by the tables' names."""
    tables = {
        ROOT / "docs" / "settings.md": {"channels": [*_head("variable", "what it is", "default"), *_channels()]},
        ROOT / "docs" / "cli.md": {"exits": [*_head("exit code", "what it says"), *_exits()]},
        ROOT / "docs" / "keys.md": {"scopes": [*_head("scope", "opens"), *_scopes()]},
        ROOT / "docs" / "providers.md": {"providers": [*_head("provider", "choose it"), *_providers()]},
    }
    return tables | {
        page_of(name): {"settings": [*_head("variable", "what it is", "default"), *_settings(name)]}
        for name, provider in PROVIDERS.items()
        if provider.settings.model_fields
    }


def written(text: str, tables: Mapping[str, list[str]]) -> str:
    """The page's *text* with its tables as they should be. Raises ValueError where there is no place for one."""
    for name, lines in tables.items():
        begin, end = f"<!-- {name}: written by `make docs` -->\n", "<!-- end -->\n"
        place = re.compile(f"(?<={re.escape(begin)}).*?(?={re.escape(end)})", re.DOTALL)
        if not place.search(text):
            raise ValueError(
                f"There is no place for the table of {name}. It begins with {begin!r}, and ends with {end!r}."
            )
        text = place.sub(lambda _, lines=lines: "".join(f"{line}\n" for line in lines), text)  # type: ignore[misc]
    return text


def _head(*columns: str) -> tuple[str, str]:
    return f"| {' | '.join(columns)} |", "|---" * len(columns) + "|"


def _channels() -> Iterator[str]:
    for kind in KINDS:
        field = Settings.model_fields[kind]
        names = ", ".join(f"`{name}`" for name in senders(kind))
        yield f"| `SOJOURN_{kind.upper()}` | {_lower(field.description or '')}: {names} or `none` | `{field.default}` |"
    for name in PROVIDERS:
        yield from _settings(name)
    reporting = " and ".join(f"`{name}`" for name, provider in PROVIDERS.items() if "public_url" in provider.needs)
    yield ""
    yield f"{reporting} need `SOJOURN_PUBLIC_URL` as well: unsubscribe links and reports go there."


def _settings(provider: str) -> Iterator[str]:
    for name, field in PROVIDERS[provider].settings.model_fields.items():
        variable = f"SOJOURN_{provider}_{name}".upper()
        yield f"| `{variable}` | {field.description} | {_default(provider, field)} |"


def _default(provider: str, field: FieldInfo) -> str:
    words = [note.words for note in field.metadata if isinstance(note, Unset)]
    if field.is_required():
        return f"required with `{provider}`"
    value = say(field.default) if isinstance(field.default, timedelta) else field.default
    return words[0] if words else f"`{value}`"


def _providers() -> Iterator[str]:
    for name, provider in PROVIDERS.items():
        title = page_of(name).read_text("utf-8").partition("\n")[0].removeprefix("# ")
        chosen = ", ".join(f"`SOJOURN_{kind.upper()}={name}`" for kind in KINDS if kind in provider.kinds)
        yield f"| [{title}](../{page_of(name).relative_to(ROOT).as_posix()}) | {chosen} |"


def _scopes() -> Iterator[str]:
    for scope, meaning in OPENS.items():
        yield f"| `{scope}` | {meaning} |"


def _exits() -> Iterator[str]:
    return (f"| {code} | {meaning} |" for code, meaning in MEANINGS.items())


def _lower(sentence: str) -> str:
    return sentence[:1].lower() + sentence[1:].rstrip(".")


if __name__ == "__main__":
    for page, tables in pages().items():
        page.write_text(written(page.read_text("utf-8"), tables), "utf-8")
