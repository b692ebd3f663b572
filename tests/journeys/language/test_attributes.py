"""Attributes: declared, checked with every flaw at once, and typed for conditions."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta, timezone

import pytest
from hypothesis import given
from hypothesis import strategies as st
from pydantic import BaseModel, ValidationError

from journeys.language.attributes import Schema, check_attributes, reference, typed, types, under

CART: Schema = {"cart_id": "text", "total": "number", "gift": "boolean", "left_at": "time", "coupon": "text?"}
GOOD: dict[str, object] = {"cart_id": "c1", "total": 40, "gift": False, "left_at": "2026-11-24T09:00:00Z"}


def test_good_attributes_have_no_flaw() -> None:
    assert check_attributes(CART, GOOD) == []
    assert check_attributes(CART, GOOD | {"coupon": None}) == []
    assert check_attributes(CART, GOOD | {"coupon": "TEN"}) == []


@pytest.mark.parametrize(
    ("change", "flaw"),
    [
        ({"totl": 1}, 'totl: this attribute is not declared. Did you mean "total"?'),
        ({"cart_id": None}, "cart_id: null was found, text is required."),
        ({"cart_id": 7}, "cart_id: 7 was found, text was expected."),
        ({"cart_id": ["a"]}, "cart_id: a list was found, text was expected."),
        ({"cart_id": "a\0b"}, "cart_id: the character U+0000 cannot be stored in text: leave it out."),
        ({"cart_id": "\ud800"}, "cart_id: the character U+D800 cannot be stored in text: leave it out."),
        ({"total": "forty"}, 'total: "forty" was found, a number was expected.'),
        ({"total": True}, "total: true was found, a number was expected."),
        ({"total": float("nan")}, "total: nan was found, a finite number was expected."),
        ({"total": float("-inf")}, "total: -inf was found, a finite number was expected."),
        ({"total": 10**5000}, "total: this number has more than 18 digits: write it as text, in quotes."),
        ({"total": -(10**18)}, "total: this number has more than 18 digits"),
        ({"cart_id": "a" * 32_769}, "cart_id: this text is too long: at most 32768 bytes are kept."),
        ({"cart_id": "\U0001f600" * 8_193}, "cart_id: this text is too long"),
        ({"gift": "yes"}, 'gift: "yes" was found, true or false was expected.'),
        ({"gift": 0}, "gift: 0 was found, true or false was expected."),
        ({"left_at": "2026-11-24"}, 'left_at: "2026-11-24" has no offset, so it is not one moment'),
        ({"left_at": "2026-11-24T09:00"}, "add Z or an offset such as +02:00."),
        ({"left_at": "today"}, '"today" was found, a time such as "2026-11-24T09:00:00Z" was expected.'),
        ({"left_at": 1_800_000_000}, "1800000000 was found, a time such as"),
        ({"left_at": "0001-01-01T00:00:00+14:00"}, "a time between the years 1 and 9999 in UTC was expected."),
        ({"coupon": {}}, "coupon: an object was found, text was expected."),
    ],
)
def test_a_flaw_says_where_what_and_what_was_expected(change: dict[str, object], flaw: str) -> None:
    [found] = check_attributes(CART, GOOD | change)

    assert flaw in str(found)


DAY = 'a day such as "2026-03-01" was expected'
NO_DAY = "was found, which is no day: leave the attribute out where the day is not known."


@pytest.mark.parametrize("day", ["1900-01-01", "2026-03-01", "2028-02-29", "2200-12-31"])
def test_a_date_is_a_day_and_stays_as_it_is_written(day: str) -> None:
    assert check_attributes({"due": "date"}, {"due": day}) == []
    assert typed({"due": "date"}, {"due": day}) == {"due": day}


@pytest.mark.parametrize(
    ("found", "flaw"),
    [
        ("2026-03-01T09:00:00Z", f'"2026-03-01T09:00:00Z" was found, {DAY}: a date has no time of day.'),
        ("2026-3-1", f'"2026-3-1" was found, {DAY}.'),
        ("20260301", f'"20260301" was found, {DAY}.'),
        ("2026-W09-7", f'"2026-W09-7" was found, {DAY}.'),
        ("01.03.2026", f'"01.03.2026" was found, {DAY}.'),
        ("\u0662026-03-01", f'"\u0662026-03-01" was found, {DAY}.'),
        ("", f'"" was found, {DAY}.'),
        (20260301, f"20260301 was found, {DAY}."),
        (False, f"false was found, {DAY}."),
        ("2026-02-29", '"2026-02-29" was found, and there is no such day.'),
        ("2026-13-01", '"2026-13-01" was found, and there is no such day.'),
        ("0000-00-00", f'"0000-00-00" {NO_DAY}'),
        ("0", f'"0" {NO_DAY}'),
        (0, f"0 {NO_DAY}"),
        ("1899-12-31", '"1899-12-31" was found, a day from 1900 to 2200 was expected.'),
        ("9999-12-31", '"9999-12-31" was found, a day from 1900 to 2200 was expected.'),
    ],
)
def test_what_is_no_date_is_said_to_be_none(found: object, flaw: str) -> None:
    assert [str(wrong) for wrong in check_attributes({"due": "date?"}, {"due": found})] == [f"due: {flaw}"]


def test_all_flaws_come_at_once() -> None:
    flaws = check_attributes(CART, {"totl": 1, "total": "forty"})

    assert [flaw.path for flaw in flaws] == ["totl", "cart_id", "total", "gift", "left_at"]
    assert str(flaws[1]) == "cart_id: it is missing, text is required."


def test_typed_attributes_are_floats_and_utc_and_leave_out_what_is_missing() -> None:
    attributes = GOOD | {"left_at": "2026-11-24T11:00:00+02:00", "coupon": None}

    assert typed(CART, attributes) == {
        "cart_id": "c1",
        "total": 40.0,
        "gift": False,
        "left_at": datetime(2026, 11, 24, 9, tzinfo=UTC),
    }
    assert isinstance(typed(CART, attributes)["total"], float)


def test_an_aware_datetime_is_a_time() -> None:
    noon = datetime(2026, 11, 24, 12, tzinfo=timezone(timedelta(hours=3)))

    assert check_attributes(CART, GOOD | {"left_at": noon}) == []
    assert typed(CART, {"left_at": noon}) == {"left_at": datetime(2026, 11, 24, 9, tzinfo=UTC)}


anything = st.none() | st.booleans() | st.integers() | st.floats() | st.text() | st.datetimes() | st.just(10**400)


@given(st.dictionaries(st.sampled_from([*CART, "other"]), anything))
def test_any_values_can_be_checked_and_typed(attributes: dict[str, object]) -> None:
    check_attributes(CART, attributes)

    assert typed(CART, attributes).keys() <= CART.keys()


def test_types_and_names_as_conditions_have_them() -> None:
    assert under("event", types({"total": "number", "coupon": "text?"})) == {
        "event.total": "number",
        "event.coupon": "text",
    }


def test_an_unknown_type_is_named() -> None:
    with pytest.raises(ValueError, match=r'no attribute type "nubmer"\. Did you mean "number"'):
        types({"total": "nubmer"})


@pytest.mark.parametrize("text", ["event.cart_id", "customer.email"])
def test_a_reference_splits_at_its_dot(text: str) -> None:
    assert ".".join(reference(text)) == text


@pytest.mark.parametrize(
    "text", ["cart_id", "event", "event.", "event.Cart", "event.a.b", "order.id", "event.a > 1", ""]
)
def test_what_is_no_reference_is_told_how_one_looks(text: str) -> None:
    with pytest.raises(ValueError, match=r"such as event\.cart_id"):
        reference(text)


class Declared(BaseModel):
    attributes: Schema


@pytest.mark.parametrize(
    ("attributes", "why"),
    [
        ({"Cart-Id": "text"}, "use small letters, digits and _"),
        ({"in": "text"}, "conditions have another meaning for it"),
        ({"total": "nubmer"}, "'number'"),
        ({"total": "number??"}, "'number?'"),
    ],
    ids=["capitals", "a-word-of-cel", "unknown-type", "two-marks"],
)
def test_a_bad_declaration_is_refused(attributes: dict[str, str], why: str) -> None:
    with pytest.raises(ValidationError) as refusal:
        Declared.model_validate({"attributes": attributes})

    assert why in str(refusal.value)


def test_a_good_declaration_is_kept() -> None:
    assert Declared.model_validate({"attributes": CART}).attributes == CART
