"""Whose cancel it is: ours carries out an end that the store has already, an operator's it still has to hear of.

A workflow learns nothing of a cancel but its reason, and a reason may say anything. So ours bear a mark. Why like this,
and not otherwise: docs/decisions/0013-marked-cancels.md.
"""

from __future__ import annotations

from journeys.definition import short_id


def marked(reason: str, run: str) -> str:
    """Our reason to cancel *run*: ``exit: purchase-completed [k3v9x2mq]``. Each run and reason has its own mark."""
    return f"{reason} [{short_id(run, reason)}]"


def is_marked(reason: str, run: str) -> bool:
    """Whether a cancel of *run* is ours."""
    words, _, _ = reason.rpartition(" [")
    return reason == marked(words, run)


def is_like_ours(reason: str) -> bool:
    """Whether a cancel reads like one of ours, which was all there was to tell it by in release 0.1."""
    return reason.startswith(("exit: ", "stopped: ")) or reason == "restarted"
