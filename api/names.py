"""The parts of addresses: names and ids, with what OpenAPI says of them."""

from __future__ import annotations

from typing import Annotated

from fastapi import Path
from pydantic import AfterValidator, BeforeValidator

from journeys.catalogue import CustomerId
from journeys.language.attributes import AttributeName
from journeys.models import Name, Time
from journeys.storable import unstorable


def _stored(text: str) -> str:
    if flaw := unstorable(text):
        raise ValueError(flaw)
    return text


Stored = Annotated[str, AfterValidator(_stored)]
"""A text that may be the id of something that is kept: on every database the same answer where it cannot be."""


def _no_number(text: object) -> object:
    # In an address everything is a text, and pydantic would count seconds since 1970.
    if isinstance(text, str) and text.strip("-+. ").replace(".", "").isdigit():
        raise ValueError("a time with its offset is expected, such as 2026-11-24T09:00:00Z")
    return text


Moment = Annotated[Time, BeforeValidator(_no_number)]
"""An instant in an address."""

TriggerName = Annotated[Name, Path(alias="name", description="The trigger's name.", examples=["abandoned-cart"])]
ContentName = Annotated[
    Name, Path(alias="name", description="The content's name.", examples=["initial-email-reminder"])
]
EndpointName = Annotated[Name, Path(alias="name", description="The endpoint's name.", examples=["crm"])]
KeyName = Annotated[Name, Path(alias="name", description="The key's name.", examples=["shop"])]
KeySecretId = Annotated[
    Stored, Path(alias="id", description="The first digits of the secret's hash.", examples=["5e884898da28"])
]
JourneyName = Annotated[Name, Path(alias="name", description="The journey's name.", examples=["abandoned-cart"])]
CustomerName = Annotated[CustomerId, Path(alias="id", description="Your own id of the customer.", examples=["ada"])]
AttributeInPath = Annotated[AttributeName, Path(alias="name", description="The attribute's name.", examples=["born"])]
EventId = Annotated[Stored, Path(alias="id", description="The event's own id.", examples=["cart-17-abandoned"])]
RunId = Annotated[Stored, Path(alias="id", description="The run's id.", examples=["abandoned-cart/ada/k3v9x2mq"])]
SuppressionId = Annotated[int, Path(alias="id", description="The suppression's id.", examples=[17], ge=1, le=2**63 - 1)]
SendId = Annotated[Stored, Path(alias="id", description="The send's id.", examples=["k3v9x2mqk3v9x2mqk3v9"])]
