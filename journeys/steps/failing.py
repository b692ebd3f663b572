"""What a run does where its step has failed: it is parked, to be repaired by somebody, or it goes on."""

from __future__ import annotations

from typing import Literal

Failing = Literal["park", "go on"]
"""``park``: the run stands there until somebody repairs it. ``go on``: it goes on without what has failed."""

Failure = Literal["not filled in", "refused", "not ready"]
"""How a message fails. ``not filled in``: its content with these values. ``refused``: by its provider, for good.
``not ready``: its content is not there, or was taken back.
"""


def parks(failing: Failing | None, failure: Failure) -> bool:
    """Whether a run is parked. Unless said, only for what is ours to mend: an address stays what a provider refuses."""
    return failing == "park" or (failing is None and failure == "not filled in")
