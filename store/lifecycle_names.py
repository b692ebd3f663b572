"""What is kept of runs by the names of their steps, where these have other names: a part of ``lifecycle.py``."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from sqlalchemy import Connection, bindparam, case, select, update

from store.many import write_each
from store.schema import actions, among, calls, decisions, diary, sends


def rename_steps(connection: Connection, ids: Sequence[str], names: Mapping[str, str]) -> None:
    """Call the steps of runs that are locked by other *names* in all that is kept of them, as if they always had."""
    if not ids or not names:
        return
    for table in (diary, sends, actions, calls):
        named = case(dict(names), value=table.c.step)
        those = (among(table.c.run, "runs"), table.c.step.in_(list(names)))
        connection.execute(update(table).where(*those).values(step=named), {"runs": list(ids)})


def rename_answers(connection: Connection, called: Mapping[str, Mapping[str, str | None]]) -> None:
    """The same for what events answered, by run; None: to nothing that is still asked."""
    runs = [run for run, answers in called.items() if answers]
    rows = connection.execute(_ANSWERS, {"runs": runs}).all() if runs else ()
    changed: list[dict[str, Any]] = []
    for row in rows:
        answers = [called[row.run].get(answer, answer) for answer in row.answers]
        if answers != row.answers:
            changed.append({"decision": row.id, "called": [answer for answer in answers if answer is not None]})
    write_each(connection, _CALL, changed)


_ANSWERS = select(decisions.c.id, decisions.c.run, decisions.c.answers).where(
    among(decisions.c.run, "runs"), decisions.c.did == "resumed"
)
_CALL = update(decisions).where(decisions.c.id == bindparam("decision")).values(answers=bindparam("called"))
