"""Each address has one spelling, however it was written; what nothing can be sent to is told, without quoting it."""

from __future__ import annotations

from time import process_time

import pytest
from hypothesis import given
from hypothesis import strategies as st

from journeys.clearance.addresses import Mailbox, Unsendable, fingerprint, mailbox, normal, normal_each
from journeys.interactions import Kind

ADA = "ada@example.com"
NUMBER = "+15550100002"

EMAILS = {
    "as it is": ADA,
    "blanks": "  ada@example.com\n",
    "no-break space": "ada@example.com\u00a0",
    "zero-width space": "ada@example.com\u200b",
    "zero-width space within": "ada\u200b@exam\u2060ple.com",
    "byte order mark": "\ufeffada@example.com",
    "soft hyphen": "ada@exam\u00adple.com",
    "marks of direction": "\u202aada@example.com\u202c",
    "isolates": "\u2068ada@example.com\u2069",
    "variation selector": "ada@example.com\ufe0f",
    "filler": "\u3164ada@example.com",
    "full width": "ａｄａ＠ｅｘａｍｐｌｅ．ｃｏｍ",  # noqa: RUF001 - as it is typed
    "ideographic full stop": "ada@example。com",
    "link": "mailto:ada@example.com",
    "link with a subject": "MAILTO:ada%40example.com?subject=Hello",
    "angle brackets": "<ada@example.com>",
    "link in brackets": "<mailto:ada@example.com>",
    "name": "Ada <ada@example.com>",
    "name with a comma": '"Lovelace, Ada" <ada@example.com>',
    "name, in a list": "Ada <ada@example.com>, ",
    "quotes": "'ada@example.com'",
    "full stop": "ada@example.com.",
    "comma": "ada@example.com,",
    "semicolon": "ada@example.com;",
    "domain in capitals": "ada@EXAMPLE.Com",
}
NO_EMAILS = {
    "no @": "ada.example.com",
    "two": "ada@example.com, bob@example.com",
    "two with names": "Ada <ada@example.com>, Bob <bob@example.com>",
    "blank": "ada @example.com",
    "no domain": "ada@",
    "nobody": "@example.com",
    "no dot": "ada@example",
    "two dots": "ada@example..com",
    "reserved": "ada@shop.local",
    "number": NUMBER,
    "underscore in the domain": "ada@exa_mple.com",
    "hyphen first": "ada@-example.com",
    "an IP address": "ada@[192.0.2.1]",
}
NUMBERS = {
    "as it is": NUMBER,
    "brackets": "+1 (555) 010-0002",
    "dots": "+1.555.010.0002",
    "slashes": "+1/555/0100002",
    "00": "0015550100002",
    "00 and blanks": "00 1 555 010 0002",
    "plus and 00": "+0015550100002",
    "plus in brackets": "(+1) 555 010 0002",
    "plus apart": "+ 1 555 010 0002",
    "no-break space": "+1\u00a0555\u00a0010\u00a00002",
    "narrow no-break space": "+1\u202f555\u202f010\u202f0002",
    "no-break hyphens": "+1\u2011555\u2011010\u20110002",
    "dashes": "+1–555—010−0002",
    "marks of direction": "\u202a+15550100002\u202c",
    "zero-width space": "+1555\u200b0100002",
    "byte order mark": "\ufeff+15550100002",
    "full width": "＋１５５５０１００００２",  # noqa: RUF001 - as it is typed
    "Arabic digits": "+١٥٥٥٠١٠٠٠٠٢",
    "tel": "tel:+1-555-010-0002",
    "sms": "SMS:%2B15550100002?body=STOP",
    "line break": "+1 555\n010 0002\t",
    "comma": "+15550100002,",
    "trunk zero": "+1 (0) 555 010 0002",
}
NO_NUMBERS = {
    "no country": ("0171 1234567", "has no country code"),
    "no plus": ("15550100002", "has no country code"),
    "local": ("555-0100", "has no country code"),
    "from within the USA": ("011 49 171 1234567", "has no country code"),
    "extension": ("+15550100002 ext. 5", "has an extension, which no text can reach"),
    "x": ("+15550100002x5", "has an extension, which no text can reach"),
    "extension in a link": ("tel:+15550100002;ext=5", "has an extension, which no text can reach"),
    "letters": ("+1 800 FLOWERS", "is no phone number"),
    "two": ("+15550100002 or +15550100003", "is no phone number"),
    "another channel": ("whatsapp:+15550100002", "is no phone number"),
    "email": (ADA, "is no phone number"),
    "only a plus": ("+", "is no phone number"),
    "too short": ("+1555", "is too long or too short for its country code, or there is no such code"),
    "too long": ("+155501000021234", "is too long or too short for its country code, or there is no such code"),
    "no such country": ("+999123456", "is too long or too short for its country code, or there is no such code"),
}


@pytest.mark.parametrize("written", EMAILS.values(), ids=EMAILS)
def test_an_email_address_has_one_spelling(written: str) -> None:
    assert normal("email", written) == ADA
    assert fingerprint("email", written) == fingerprint("email", ADA)


@pytest.mark.parametrize("written", NUMBERS.values(), ids=NUMBERS)
def test_a_number_has_one_spelling(written: str) -> None:
    assert normal("text", written) == NUMBER
    assert fingerprint("text", written) == fingerprint("text", NUMBER)


@pytest.mark.parametrize(
    ("written", "dialled"),
    [
        ("+49 (0)171 1234567", "+491711234567"),
        ("0049(0)171/1234567", "+491711234567"),
        ("+44 (0)20 7946 0018", "+442079460018"),
        ("+48 (0)22 123 45 67", "+48221234567"),  # whose plan has no such zero, and room for one digit more
        ("+39 (0)6 1234 5678", "+390612345678"),  # where the zero is part of the number
    ],
)
def test_the_zero_in_brackets_is_dialled_only_where_it_belongs_to_the_number(written: str, dialled: str) -> None:
    assert normal("text", written) == dialled


def test_a_domain_is_written_as_it_is_looked_up() -> None:
    for written in ("ada@BÜCHER.example", "ada@bu\u0308cher.example", "ada@xn--bcher-kva.example"):
        assert normal("email", written) == "ada@xn--bcher-kva.example"


def test_capitals_before_the_at_are_kept_and_tell_nobody_apart() -> None:
    assert normal("email", "Ada@example.com") == "Ada@example.com"
    assert fingerprint("email", "Ada@example.com") == fingerprint("email", ADA)


@pytest.mark.parametrize("written", NO_EMAILS.values(), ids=NO_EMAILS)
def test_what_is_no_email_address_is_told(written: str) -> None:
    with pytest.raises(Unsendable, match=r"^is (no|not one) email address.*Write one address, such as ada@") as error:
        normal("email", written)

    assert error.value.__cause__ is None
    assert written not in error.value.why


@pytest.mark.parametrize(("written", "why"), NO_NUMBERS.values(), ids=NO_NUMBERS)
def test_what_is_no_number_is_told(written: str, why: str) -> None:
    with pytest.raises(Unsendable) as error:
        normal("text", written)

    assert error.value.why == why
    assert written not in error.value.why


def test_a_number_without_a_plus_is_heard_as_one_with_it() -> None:
    assert fingerprint("text", "15550100002") == fingerprint("text", NUMBER)
    assert fingerprint("text", "1 (555) 010-0002 x5") == fingerprint("text", NUMBER)


def test_a_long_text_that_is_no_number_is_told_at_once() -> None:
    began = process_time()

    with pytest.raises(Unsendable):
        normal("text", f"+1{',' * 32_000}5")

    assert process_time() - began < 2


def test_other_addresses_have_other_fingerprints() -> None:
    numbers = [NUMBER, "+15550100003", "0171 1234567", "0171 1234568", "555-0100", "555-0101", "12345", "SHOP", "+", ""]
    assert len({fingerprint("text", number) for number in numbers}) == len(numbers)
    assert fingerprint("push", "Token") != fingerprint("push", "token")
    assert fingerprint("email", "ada") != fingerprint("email", "bob")


def test_of_devices_there_may_be_several() -> None:
    assert normal_each("push", " one,\u200btwo ,, three\n") == ["one", "two", "three"]
    assert [normal_each(kind, " \u200b ") for kind in ("email", "text", "push")] == [[], [], []]


@pytest.mark.parametrize(
    ("written", "name"),
    [
        ("Shop@Home <shop@acme.example>", "Shop@Home"),
        ("Fish: Chips <shop@acme.example>", "Fish: Chips"),
        ("Acme (UK) Ltd <shop@acme.example>", "Acme (UK) Ltd"),
        ("Acme, Inc. <shop@acme.example>", "Acme, Inc."),
        ("Zoë [Shop] <shop@acme.example>", "Zoë [Shop]"),
        ("Shop; more <shop@acme.example>", "Shop; more"),
        ("Shop™ 👩‍👧 <shop@acme.example>", "Shop™ 👩‍👧"),
        ('"Acme, Inc." <shop@acme.example>', "Acme, Inc."),
        (r'"The \"Shop\"" <shop@acme.example>', 'The "Shop"'),
        ('The "Shop" <shop@acme.example>', 'The "Shop"'),
        ("Shop\r\n Bcc: <shop@acme.example>", "Shop Bcc:"),
        ("Shop<shop@acme.example>", "Shop"),
        ("<shop@acme.example>", ""),
        ("shop@acme.example", ""),
    ],
)
def test_a_name_is_taken_as_it_is_written(written: str, name: str) -> None:
    assert mailbox(written) == Mailbox(name, "shop@acme.example")


@pytest.mark.parametrize("kind", ["email", "text", "push"])
@given(written=st.text(st.characters() | st.sampled_from("+@.<>()0123456789")))
def test_anything_has_a_fingerprint_and_one_spelling_stays_as_it_is(kind: Kind, written: str) -> None:
    assert len(fingerprint(kind, written)) == 64
    try:
        spelled = normal_each(kind, written)
    except Unsendable:
        return
    assert normal_each(kind, ",".join(spelled)) == spelled
