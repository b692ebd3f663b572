from __future__ import annotations

from datetime import timedelta

import pytest

from activities.channels.calls import Limits

A_WHILE = timedelta(minutes=1)
A_MOMENT = timedelta(seconds=1)


@pytest.fixture
def limits(request: pytest.FixtureRequest) -> Limits:
    """Of a provider's SDK: time enough for a busy machine, and a moment where the provider is to hang."""
    return Limits(timeout=A_MOMENT if "hang" in request.node.name else A_WHILE, connections=4)
