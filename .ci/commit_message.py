"""Checks a commit's message: ``commit_message.py FILE``, as pre-commit calls it for each commit."""

from __future__ import annotations

import re
import sys
from collections.abc import Iterator
from pathlib import Path

LONGEST = 60
SCISSORS = "# ------------------------ >8"

# What git writes by itself.
GITS_OWN = re.compile(r"(Merge|Revert|fixup!|squash!|amend!) ")
PREFIX = re.compile(r"\[|\w+(\([^)]*\))?!?: ")
# Adds, Adding and Added; but Pass, Focus, Bring, Shed, Need and Embed are told to do something.
NOT_TOLD = re.compile(r"(?!embed$)\w*([^aius]s|[aeiouy]\w*ing|[aeiouy]\w*[^e]ed)$", re.IGNORECASE)


def flaws(message: str) -> Iterator[str]:
    """All that is wrong with it, each with what to do."""
    lines = [line for line in message.partition(SCISSORS)[0].splitlines() if not line.startswith("#")]
    subject, *rest = "\n".join(lines).strip().splitlines() or [""]
    if not subject:
        yield "There is no message. Say what the commit does."
        return
    if GITS_OWN.match(subject):
        return
    first = subject.split()[0]
    if len(subject) > LONGEST:
        yield f"The subject has {len(subject)} letters, {LONGEST} are allowed. Leave the rest to the lines below it."
    if subject.endswith("."):
        yield "The subject ends with a dot. Leave it out."
    if PREFIX.match(subject):
        yield f'The subject begins with "{first}". Begin with the verb.'
    elif not first[0].isupper():
        yield f'The subject begins with "{first}". Begin with a capital letter.'
    elif NOT_TOLD.match(first):
        yield f'"{first}" does not tell what to do. Begin with the imperative: Count, not Counts, Counting or Counted.'
    if rest and rest[0]:
        yield "The second line is not empty. Leave it empty, so that git tells subject and text apart."


if __name__ == "__main__":
    found = list(flaws(Path(sys.argv[1]).read_text("utf-8")))
    sys.exit("\n".join(found) or 0)
