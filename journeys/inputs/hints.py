"""What to do about something that was found in place of what was expected."""

from __future__ import annotations

import re
import unicodedata
from typing import Any, get_args, get_origin

from pydantic_core import ErrorDetails

from journeys.inputs.expected import A_NAME, LISTS, OBJECTS, short
from journeys.inputs.places import Place
from journeys.models import FORM_OF_NAMES
from journeys.nearest import nearest
from journeys.steps import EventQuestion
from journeys.steps.asking import Awaited
from journeys.steps.choosing import Tested
from journeys.unions import meant, tagged


def hint_for(error: ErrorDetails, place: Place) -> str:
    """What to do about what was found there, if there is something to say."""
    found, kind = error["input"], error["type"]
    if isinstance(found, str) and error.get("ctx", {}).get("pattern") == FORM_OF_NAMES:
        return _for_name(found, place)
    if kind == "string_type":
        return _for_text(found, place)
    if kind in LISTS:
        return _for_list(found, place)
    if kind in OBJECTS and isinstance(found, list | tuple):
        of_arms = place.inside in (Awaited, Tested)
        return "Write the list below arms." if of_arms else "Remove the dash or the brackets: it is not a list."
    if kind == "union_tag_not_found" and isinstance(found, dict) and place.name == "wait":
        return _for_duration(found)
    if kind == "literal_error" and isinstance(found, str):
        return _for_choice(found, place, re.findall("'([^']*)'", str(error["ctx"]["expected"])))
    return ""


def _for_text(found: object, place: Place) -> str:
    if isinstance(found, list) and "name" in place.words:
        return _for_several(place)
    if isinstance(found, bool | int | float) and not place.words:
        return "Put it in quotes to make it a text."
    if found is None and not place.words:
        return 'Write "" for an empty text. One that begins with # goes in quotes.'
    return ""


def _for_list(found: object, place: Place) -> str:
    if found is None:
        return "" if place.words else "Write [] for none."
    if isinstance(found, str) and _is_of_steps(place.inside):
        return "Write steps, such as - {id: enough, end: done}, or [] for none."
    if isinstance(found, str) and A_NAME.fullmatch(short(found)) and _is_of_texts(place.inside):
        return f"Write [{found}] for one alone."
    return "Begin the line of each thing in it with a dash: - …"


def _for_duration(found: dict[str, object]) -> str:
    """How ``{days: 2}`` and ``{for: 2 days}`` are written."""
    said = [f"{value} {name}" if isinstance(value, int) else str(value) for name, value in found.items()]
    return f"Write wait: {' '.join(said)}." if said and not any(map(_NO_DURATION.search, said)) else ""


_NO_DURATION = re.compile(r"[^\w .,]|^\D")


def _for_choice(found: str, place: Place, known: list[str]) -> str:
    if place.name == "is" and found.startswith("not "):
        return f"Ask whether it was {found.removeprefix('not ')}: what follows where it was not goes into else."
    if place.name == "is" and found in ("sent", "accepted", "blocked", "failed"):
        return 'What became of the send is asked by a branch: when: sent["hello"] == "accepted".'
    return f'Did you mean "{near}"?' if (near := nearest(found, known)) else ""


def _is_of_steps(inside: Any) -> bool:  # noqa: ANN401
    return get_origin(inside) is tuple and bool(tagged(get_args(inside)[0]))


def _is_of_texts(inside: Any) -> bool:  # noqa: ANN401
    return get_origin(inside) is tuple and meant(get_args(inside)[0])[0] is str


LONGEST = 63
_QUOTES = " \t\n\"'“”„‘’«»"
_NAME = re.compile(r"[a-z][a-z0-9-]*")
_JOINED = re.compile(r"[\s,;|]+|\b(?:or|and)\b")


def _for_name(found: str, place: Place) -> str:
    """What to write in place of *found*, where a name of small letters, digits and dashes is expected."""
    if "://" in found:
        return "An address is written where the endpoint is registered."
    several = [part for part in _JOINED.split(found) if part]
    if (len(several) > 1 and _JOINED.search(found) and any(sign in found for sign in ",;|")) or " or " in found:
        return f"Of several, write a list: [{', '.join(several)}]." if "a list of" in place.words else "One goes here."
    if len(found) > LONGEST and _NAME.fullmatch(found):
        return f"It is {len(found)} characters long; at most {LONGEST} go."
    if found[:1].isdigit() and _NAME.fullmatch(found.lstrip("0123456789-")):
        return "It begins with a letter."
    meant = _folded(found)
    if _NAME.fullmatch(meant) and len(meant) <= LONGEST:
        hidden = any(unicodedata.category(letter) == "Cf" for letter in found)
        return f"There is a character in it that nobody sees: write {meant}." if hidden else f"Write {meant}."
    return _foreign(found)


def _for_several(place: Place) -> str:
    """What to do about a list where one name is expected."""
    if "a list" in place.words:
        return ""
    if place.model is EventQuestion:
        return "One goes here: of several, write await with an arm for each."
    return "One goes here."


def _folded(text: str) -> str:
    """*text* as it would be as a name: ``customer_created`` is customer-created, ``contents/hello.yaml`` hello."""
    letters = unicodedata.normalize("NFKD", re.sub(r"^[\w./-]*/|\.ya?ml$", "", text.strip(_QUOTES)))
    plain = "".join(letter for letter in letters if unicodedata.category(letter) not in ("Mn", "Cf"))
    return re.sub(r"[\s_.-]+", "-", plain.lower()).strip("-")


def _foreign(text: str) -> str:
    """Which letter of another alphabet looks like one of ours."""
    other = next((letter for letter in text if letter.isalpha() and not letter.isascii()), None)
    if other is None or not re.search("[a-z]", text):
        return ""
    return f'"{other}" in it is no letter from a to z: {unicodedata.name(other, "another one").lower()}.'
