"""What an action says where it cannot be done: which attribute, and nobody's values."""

from __future__ import annotations

import pytest

from journeys.acting import Impossible, refuse_unfit, unfit
from journeys.language.attributes import check_attributes
from journeys.problems import Flaw

SECRET = "zelda@secret.example"


@pytest.mark.parametrize("name", ["city", "trigger", "last_trigger"])
def test_an_attribute_that_does_not_fit_is_named_and_not_quoted(name: str) -> None:
    """Whatever it is called: of a trigger itself, it is said what became of it."""
    flaws = check_attributes({name: "number"}, {name: SECRET})
    assert SECRET in str(flaws)

    with pytest.raises(Impossible) as error:
        refuse_unfit(flaws)

    assert error.value.why == f"it does not fit: {name}"
    assert unfit([flaw.within("attributes").within("[0]") for flaw in flaws]) == error.value.why


def test_what_became_of_a_trigger_is_said() -> None:
    flaw = Flaw(path="[0].trigger", message='trigger "visit" is stopped, not ready.')

    assert unfit([flaw]) == 'trigger "visit" is stopped, not ready'
