"""The parts of addresses: names and ids, with what OpenAPI says of them."""

from __future__ import annotations

from typing import Annotated

from fastapi import Path

from journeys.catalogue import CustomerId
from journeys.models import Name

TriggerName = Annotated[Name, Path(alias="name", description="The trigger's name.", examples=["abandoned-cart"])]
ContentName = Annotated[
    Name, Path(alias="name", description="The content's name.", examples=["initial-email-reminder"])
]
JourneyName = Annotated[Name, Path(alias="name", description="The journey's name.", examples=["abandoned-cart"])]
CustomerName = Annotated[CustomerId, Path(alias="id", description="Your own id of the customer.", examples=["ada"])]
EventId = Annotated[str, Path(alias="id", description="The event's own id.", examples=["cart-17-abandoned"])]
RunId = Annotated[str, Path(alias="id", description="The run's id.", examples=["abandoned-cart/ada/k3v9x2mq"])]
SendId = Annotated[str, Path(alias="id", description="The send's id.", examples=["k3v9x2mqk3v9x2mqk3v9"])]
