"""How large a regular expression is once its repetitions are written out: what each character it reads may cost."""

from __future__ import annotations

import re

_PIECE = re.compile(
    r"""(?P<open>\((?:\?(?:P?<\w+>|[a-zA-Z-]*:?))?)
    | (?P<close>\))
    | (?P<times>\{(?P<least>\d{1,9})(?P<range>,(?P<most>\d{0,9}))?\})
    | (?P<repeat>[*+?])
    | (?P<quoted>\\Q(?:(?!\\E).)*(?:\\E)?)
    | (?P<class>\[\^?\]?(?:\\.|\[:\^?\w+:\]|[^\]\\])*\]?)
    | (?P<any>\.)
    | (?P<letters>\\[pP](?:\{[^}]*\}?|.)?)
    | (?P<one>\\.|.)""",
    re.VERBOSE | re.DOTALL,
)
_LETTERS = 10
"""A class such as ``\\pL`` has hundreds of ranges."""


def pattern_size(pattern: str) -> int:
    """The steps of the machine that RE2 makes of *pattern*, roughly: at worst, each byte goes through all of them.

    Measured: about 5 ns for a step and a byte. Repetitions multiply: ``(a{9}){9}`` has 81.
    """
    groups, last = [0], 0
    for piece in _PIECE.finditer(pattern):
        match piece.lastgroup:
            case "open":
                groups.append(0)
                last = 0
                continue
            case "close":
                last = groups.pop() if len(groups) > 1 else 0
            case "times":
                groups[-1] -= last
                last = _repeated(last, int(piece["least"]), piece["range"], piece["most"])
            case "repeat":
                groups[-1] -= last
                last += 1
            case "letters":
                last = _LETTERS
            case "class":
                last = 1 + (not piece[0].isascii()) * 3 + _LETTERS * len(re.findall(r"\\[pP]", piece[0]))
            case "any":
                last = 2  # it may be of several bytes
            case "quoted":
                last = len(piece[0].encode())
            case _:
                last = len(piece[0].removeprefix("\\").encode()) or 1
        groups[-1] += last
    return sum(groups)


def _repeated(size: int, least: int, is_range: str | None, most: str | None) -> int:
    if not is_range:
        return size * least
    longest = int(most) if most else least + 1
    return size * longest + 2 * max(0, longest - least)
