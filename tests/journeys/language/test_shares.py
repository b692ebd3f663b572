"""Shares: a tenth of a percent, exactly, and what is said of everything else."""

from __future__ import annotations

from collections.abc import Sequence
from decimal import Decimal

import pytest
from hypothesis import given
from hypothesis import strategies as st
from pydantic import TypeAdapter

from journeys.language.shares import Share, flaw_of_shares, parse_share, say_share
from journeys.models import Model

SHARES: TypeAdapter[Decimal] = TypeAdapter(Share)
ANY = st.integers(1, 1000).map(lambda tenths: Decimal(tenths) / 10)


class Part(Model):
    share: Share


@given(ANY)
def test_what_is_said_is_read_back(share: Decimal) -> None:
    assert parse_share(say_share(share)) == share
    assert Part.model_validate_json(Part(share=share).model_dump_json()) == Part(share=share)


@pytest.mark.parametrize(
    ("written", "said"),
    [("45%", "45%"), ("33.3%", "33.3%"), (" 45.0 % ", "45%"), ("0.1%", "0.1%"), ("100%", "100%"), ("045.50%", "45.5%")],
)
def test_one_share_has_one_spelling(written: str, said: str) -> None:
    assert SHARES.dump_python(SHARES.validate_python(written)) == said


@pytest.mark.parametrize(
    ("written", "said"),
    [
        ("33.33%", '"33.33%" is finer than 0.1%: write 33.3%'),
        ("0.04%", '"0.04%" is finer than 0.1%: write 0.1%'),
        ("99.96%", '"99.96%" is finer than 0.1%: write 100%'),
        ("0%", '"0%" is nobody: leave the arm out, or give it 0.1% or more'),
        ("0.0%", '"0.0%" is nobody: leave the arm out, or give it 0.1% or more'),
        (
            "100.1%",
            '"100.1%" is more than everybody: write the share of people that take the arm, such as 45% or 33.3%',
        ),
        ("-5%", '"-5%" is less than nobody: write the share of people that take the arm, such as 45% or 33.3%'),
        ("45", "45 has no percent sign: write 45%"),
        (45, "45 has no percent sign: write 45%"),
        (0.45, "0.45 has no percent sign: write 45%"),
        ("0.333", "0.333 has no percent sign: write 33.3%"),
        (0.3333, "0.3333 has no percent sign: write the share of people that take the arm, such as 45% or 33.3%"),
        ("45,5%", '"45,5%" has a comma: write 45.5%'),
        ("45 percent", '"45 percent" has a word for the sign: write 45%'),
        ("1/3", '"1/3" is not a share: write the share of people that take the arm, such as 45% or 33.3%'),
        ("half", '"half" is not a share: write the share of people that take the arm, such as 45% or 33.3%'),
        ("５０%", '"５０%" is not a share: write the share of people that take the arm, such as 45% or 33.3%'),  # noqa: RUF001
        ("", '"" is not a share: write the share of people that take the arm, such as 45% or 33.3%'),
        (True, "this is not a share: write the share of people that take the arm, such as 45% or 33.3%"),
        (None, "this is not a share: write the share of people that take the arm, such as 45% or 33.3%"),
        pytest.param(
            10**5000,
            "this is not a share: write the share of people that take the arm, such as 45% or 33.3%",
            id="a number of 5,000 digits",
        ),
        (float("nan"), "this is not a share: write the share of people that take the arm, such as 45% or 33.3%"),
        (["45%"], "this is not a share: write the share of people that take the arm, such as 45% or 33.3%"),
        (
            "9" * 30,
            f'"{"9" * 20}…" is 30 characters long: write the share of people that take the arm, such as 45% or 33.3%',
        ),
    ],
    ids=repr,
)
def test_what_is_no_share_is_told_with_what_to_write(written: object, said: str) -> None:
    with pytest.raises(ValueError, match=r"^1 validation error") as caught:
        SHARES.validate_python(written)

    assert [error["msg"] for error in caught.value.errors()] == [f"Value error, {said}"]  # type: ignore[attr-defined]


@pytest.mark.parametrize(
    ("shares", "said"),
    [
        (["45", "45", "10"], None),
        (["100"], None),
        (["0.1", "99.9"], None),
        (["45", "54.9"], "the shares add up to 99.9%, not to 100%. 0.1% are missing."),
        (["60", "50"], "the shares add up to 110%, not to 100%. 10% are too many."),
        (
            ["33.3", "33.3", "33.3"],
            "the shares add up to 99.9%, not to 100%. 0.1% are missing. One arm takes what is left over: 33.4%.",
        ),
        (
            ["14.3"] * 7,
            "the shares add up to 100.1%, not to 100%. 0.1% are too many. One arm takes what is left over: 14.2%.",
        ),
        ([], "the shares add up to 0%, not to 100%. 100% are missing."),
    ],
    ids=str,
)
def test_shares_add_up_to_everybody(shares: Sequence[str], said: str | None) -> None:
    flaw = flaw_of_shares("", [Decimal(share) for share in shares])

    assert (str(flaw) if flaw else None) == said
