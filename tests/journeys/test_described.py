"""What docstrings tell of a model and of its fields, as JSON Schema has it."""

from __future__ import annotations

from datetime import timedelta

from pydantic import Field

from journeys.described import Described, about_fields, about_model
from journeys.language.durations import Duration
from journeys.models import Model, Name


class Parent(Model):
    """A thing with a name.

    *name*: what it is called. It stays.
    """

    name: Name


class Child(Parent):
    """A thing that is ``small``, as *name* says.

    *else* is what else there is.
    *within* counts from *name*, not from here. *silent*: says nothing, does it?
    Source: a book.
    """

    else_: str = Field(alias="else")
    within: Duration = timedelta(days=3)
    silent: bool = False
    by: Name = "a"
    untold: int = 1


def test_a_docstring_tells_of_a_model_without_its_fields() -> None:
    assert about_model(Child) == "A thing that is `small`, as *name* says."


def test_a_docstring_tells_of_fields_where_a_sentence_begins_with_one() -> None:
    assert about_fields(Child) == {
        "name": "What it is called. It stays.",
        "else": "What else there is.",
        "within": "Counts from *name*, not from here.",
        "silent": "Says nothing, does it?",
        "by": "A name of lower-case letters, digits and dashes, such as abandoned-cart.",
    }


def test_the_schema_has_it_where_the_field_stands() -> None:
    schema = Child.model_json_schema(schema_generator=Described)

    assert schema["description"] == "A thing that is `small`, as *name* says."
    assert schema["properties"]["within"] == {
        "default": "3 days",
        "description": "Counts from *name*, not from here.",
        "examples": ["1 day", "36 hours", "1 day 12 hours", "P1DT12H"],
        "title": "Duration",
        "type": "string",
    }
    assert "description" not in schema["properties"]["untold"]
