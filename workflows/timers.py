"""How long one timer of Temporal lasts. It is apart from the workflow, which is imported anew for each run."""

from __future__ import annotations

from datetime import timedelta

LONGEST = timedelta(days=36_500)
"""Temporal cuts a timer that is longer, and says nothing."""


def of_one(left: timedelta) -> timedelta:
    """How much of *left* one timer can last."""
    return min(left, LONGEST)
