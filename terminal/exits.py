"""How commands end: the exit codes that a script can rely on, and the words for what went wrong."""

from __future__ import annotations

import errno
import traceback
from collections.abc import Mapping

DONE = 0
REFUSED = 1
USAGE = 2
UNAVAILABLE = 3
UNAUTHORIZED = 4
BUG = 70
INTERRUPTED = 130
NOBODY_READS = 141

MEANINGS: Mapping[int, str] = {
    DONE: "done",
    REFUSED: "refused: what was given is wrong, is not there, or does not go with what is there",
    USAGE: "the command line was not understood: no such command, option or value",
    UNAVAILABLE: "not now: the API, the database, Temporal or the disk does not do its part; try again later",
    UNAUTHORIZED: "there is no key, or none that opens this",
    BUG: "a bug of Sojourn's, with a traceback to report",
    INTERRUPTED: "ended by Ctrl-C",
    NOBODY_READS: "whoever read the output reads no more, such as `head`",
}
"""What each exit code says. docs/cli.md has this table."""

# Of the machine, not of what was asked for: no space, a quota, a broken disk, too many files.
_OF_THE_MACHINE = {errno.ENOSPC, errno.EDQUOT, errno.EIO, errno.EMFILE, errno.ENFILE, errno.ENOMEM}


class NobodyReads(SystemExit):
    """The other end of a pipe is closed, so there is nobody left to tell anything."""

    def __init__(self) -> None:
        super().__init__(NOBODY_READS)


def told(error: Exception) -> int:
    """Say what went wrong, in words where it was foreseen. Returns the exit code."""
    from journeys.problems import (  # noqa: PLC0415 - only where something is wrong
        Forbidden,
        SojournError,
        Unauthorized,
        Unavailable,
    )

    while isinstance(error, ExceptionGroup):
        error = error.exceptions[0]
    match error:
        case Unavailable():
            code = UNAVAILABLE
        case Unauthorized() | Forbidden():
            code = UNAUTHORIZED
        case SojournError():
            code = REFUSED
        case OSError() if error.filename is not None or error.errno in _OF_THE_MACHINE:
            code = UNAVAILABLE if error.errno in _OF_THE_MACHINE else REFUSED
            error = SojournError(f"{error.filename or 'The output'} cannot be used: {error.strerror}.")
        case _:
            traceback.print_exception(error)
            return BUG
    from terminal.show import problem, tell  # noqa: PLC0415

    tell(problem(error), error=True)
    return code
