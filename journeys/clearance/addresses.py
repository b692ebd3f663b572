"""Addresses: each has one spelling, in which it is stored, compared and handed to providers, however it was written.

Nothing here quotes an address: what is said ends up in logs, in the ledger and in Temporal.
"""

from __future__ import annotations

import hashlib
import re
import unicodedata
from collections.abc import Iterator
from functools import lru_cache
from typing import NamedTuple
from urllib.parse import unquote

from journeys.interactions import Kind


class Unsendable(ValueError):
    """Nothing can be sent there: *why*, to be read after the name of what was found, and a *hint* what to do."""

    def __init__(self, why: str, hint: str) -> None:
        self.why, self.hint = why, hint
        super().__init__(f"{why}. {hint}")


class Mailbox(NamedTuple):
    """An email address, and the name in front of it, if any."""

    name: str
    email: str


@lru_cache(maxsize=64)  # a claim asks five times for one address, a tenth of its CPU; no more of them are kept for long
def normal(kind: Kind, written: str) -> str:
    """The one spelling of an address: ``ada@example.com``, ``+15550100``, or a device token. Raises Unsendable."""
    match kind:
        case "email":
            return mailbox(written).email
        case "text":
            return _number(_dialled(written))
        case "push":
            return _token(written)


def normal_each(kind: Kind, written: str) -> list[str]:
    """The addresses in a recipient: one, or several devices with commas between; none of nothing. Raises Unsendable."""
    if kind == "push":
        return [token for part in _visible(written).split(",") if (token := _token(part))]
    return [normal(kind, written)] if _visible(written) else []


def fingerprint(kind: Kind, written: str) -> str:
    """A hash that is the same for all spellings of an address, also for those that nothing can be sent to."""
    return hashlib.sha256(_compared(kind, written).encode(errors="surrogatepass")).hexdigest()


def mailbox(written: str) -> Mailbox:
    """An email address as people write it: bare, as a link, or as ``Shop <shop@example.com>``. Raises Unsendable.

    The name is taken as it stands, with ``@``, commas and colons in it: nothing reads it as part of an address.
    """
    named = _NAMED.fullmatch(written)
    name, address = (" ".join(named["name"].split()), named["email"]) if named else ("", written)
    return Mailbox(_unquoted(name), _email(_bare(address)))


_WRITE_EMAIL = "Write one address, such as ada@example.com."
_WRITE_NUMBER = "Write it as +14155550132: a plus, the country code and the number."

_NAMED = re.compile(r"(?P<name>[^<>]*)<(?P<email>[^<>]+)>[^\w<>@]*")
_QUOTED = re.compile(r'"((?:[^"\\]|\\.)*)"')
_MAILTO = re.compile(r"mailto:(//)?", re.IGNORECASE)
_BEFORE, _AFTER = "<(['\"“„‘«", ">)]'\"”“’»,;:."

_SCHEME = re.compile(r"(tel|sms|smsto|callto):(//)?", re.IGNORECASE)
# From where what parts it off begins: to try again within that would take quadratic time.
_EXTENSION = re.compile(r"(?<![\s,;.-])[\s,;.-]*(ext(ension|n)?|x|#|durchwahl|poste)[\s.:=]*\d+$", re.IGNORECASE)
_TRUNK = re.compile(r"[(\[]\s*0\s*[)\]]")
_BETWEEN = frozenset("./\\·•'_~−ー")

# Seen by nobody, and not among the format characters (Cf): fillers, variation selectors, the blank of Braille.
_UNSEEN = re.compile(
    "[\u034f\u115f\u1160\u17b4\u17b5\u180b-\u180d\u2800\u3164\ufe00-\ufe0f\uffa0\U000e0100-\U000e01ef]"
)


def _visible(text: str) -> str:
    """What a reader sees of it."""
    return "".join(
        character
        for character in _UNSEEN.sub("", text)
        if character.isspace() or unicodedata.category(character) not in ("Cf", "Cc")
    ).strip()


def _plain(text: str) -> str:
    """What a reader sees of it, with one character for each that looks wide, narrow or raised."""
    return unicodedata.normalize("NFKC", _visible(text)).strip()


def _email(address: str) -> str:
    from email_validator import EmailNotValidError, validate_email  # noqa: PLC0415 - 40 ms, and few need them

    if why := _no_email(address):
        raise Unsendable(why, _WRITE_EMAIL)
    try:
        found = validate_email(address, check_deliverability=False, test_environment=True)  # .test may be written to
    except EmailNotValidError:  # without its words, which may quote the address
        raise Unsendable("is no email address that mail can be sent to", _WRITE_EMAIL) from None
    # The domain as it is looked up: providers report it so.
    return f"{found.local_part}@{found.ascii_domain}"


def _no_email(address: str) -> str:
    """The plain mistakes, in plain words."""
    name, _, domain = address.rpartition("@")
    match address.count("@"):
        case 0:
            return "is no email address: there is no @ in it"
        case 1 if any(character.isspace() for character in address):
            return "is no email address: there is a blank in it"
        case 1 if name and "." in domain:
            return ""
        case 1:
            return "is no email address: a name, @ and a domain with a dot in it were expected"
        case _:
            return "is not one email address: there is more than one @ in it"


def _bare(address: str) -> str:
    """Without what links and lists put around it."""
    text = _plain(address).replace("。", ".")  # a dot in domains, as they are written in Chinese and Japanese
    if scheme := _MAILTO.match(text):
        text = unquote(text[scheme.end() :].partition("?")[0])
    return text.lstrip(_BEFORE).rstrip(_AFTER).strip()


def _unquoted(name: str) -> str:
    quoted = _QUOTED.fullmatch(name)
    return re.sub(r"\\(.)", r"\1", quoted[1]) if quoted else name


def _dialled(written: str) -> str:
    """A number without what only helps to read it; what cannot be dialled stays in."""
    text = _plain(written)
    if scheme := _SCHEME.match(text):
        text = unquote(text[scheme.end() :].partition("?")[0])
    return "".join(_counting(text.rstrip(",;. ")))


def _counting(text: str) -> Iterator[str]:
    """Each character that counts, with the digits of all scripts as ours, and ``(0)`` kept apart."""
    for part in re.split(f"({_TRUNK.pattern})", text):
        if _TRUNK.fullmatch(part):
            yield "(0)"
            continue
        for character in part:
            digit = unicodedata.decimal(character, None)
            between = character in _BETWEEN or unicodedata.category(character) in ("Zs", "Pd", "Ps", "Pe")
            if not between and not character.isspace():
                yield character if digit is None else str(digit)


def _number(dialled: str) -> str:
    """In E.164. Whether anybody has the number, only a provider knows."""
    if _EXTENSION.search(dialled):
        raise Unsendable("has an extension, which no text can reach", "Leave the extension out.")
    if not re.fullmatch(r"\+*(\d|\(0\))+", dialled):
        raise Unsendable("is no phone number", _WRITE_NUMBER)
    if not (abroad := _from_abroad(dialled)):
        raise Unsendable("has no country code", _WRITE_NUMBER)
    if not (found := _planned(abroad)):
        why = "is too long or too short for its country code, or there is no such code"
        raise Unsendable(why, "Look the number up again.")
    return found


def _planned(abroad: str) -> str:
    """In E.164, if a number can look so. A zero in brackets is left out, but where numbers have one, as in Italy."""
    kept, dropped = (_possible(abroad.replace("(0)", zero)) for zero in ("0", ""))
    if kept and (kept == dropped or _assigned(kept)):
        return kept
    return dropped


def _from_abroad(dialled: str) -> str:
    """With one plus in front, which 00 stands for too; nothing where there is neither."""
    bare = dialled.lstrip("+")
    if bare.startswith("00"):
        return "+" + bare[2:]
    return "+" + bare if dialled != bare else ""


def _possible(number: str) -> str:
    import phonenumbers  # noqa: PLC0415 - 40 ms, and few need them

    try:
        parsed = phonenumbers.parse(number)
    except phonenumbers.NumberParseException:  # its words may quote the number
        return ""
    # Its length only: new ranges are given out faster than a library hears of them.
    if not phonenumbers.is_possible_number(parsed):
        return ""
    return str(phonenumbers.format_number(parsed, phonenumbers.PhoneNumberFormat.E164))


def _assigned(number: str) -> bool:
    import phonenumbers  # noqa: PLC0415 - as above

    return bool(phonenumbers.is_valid_number(phonenumbers.parse(number)))


def _token(written: str) -> str:
    return "".join(_visible(written).split())


def _compared(kind: Kind, written: str) -> str:
    try:
        address = normal(kind, written)
        return address if kind == "push" else address.casefold()
    except Unsendable:
        if kind != "text":
            return _plain(written).casefold()
    dialled = _EXTENSION.sub("", _dialled(written)).lower()
    digits = dialled.replace("(0)", "").lstrip("+")
    # Without a plus too: so it may have been written to before that was refused, and providers report it with one.
    abroad = (_from_abroad(dialled) or f"+{digits}") if digits.isdigit() else ""
    return (abroad and _planned(abroad)) or dialled
