"""The audit log: who asks for a change, as routes take it."""

from __future__ import annotations

from typing import Annotated

from fastapi import Depends

from api.dependencies import Deps
from api.keys import CallerDep
from store.audit import Change


async def change_of(deps: Deps, caller: CallerDep) -> Change:
    """The change that a request asks for: by whom, and when."""
    return Change(caller.name, deps.now())


ChangeDep = Annotated[Change, Depends(change_of)]
