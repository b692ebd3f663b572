"""After a backup of the database was put back: what Temporal has beyond it ends or begins anew, and all goes on."""

from __future__ import annotations

import asyncio
from collections import defaultdict
from collections.abc import Callable, Mapping
from datetime import datetime

from temporalio.client import Client
from temporalio.service import RPCError

from journeys.models import Frozen
from store.audit import Change
from store.ended_here import forget_erased, known
from store.house import hold_all, let_all_go
from store.rebuilding import begin_again, under_way_after
from store.remembering import customers_of, forgotten, remember
from store.store import Store
from workflows.asking import NOBODYS, is_unknown
from workflows.rebuilding import ABREAST, PAGE, TOGETHER, Told, parts
from workflows.relay import Relay
from workflows.remembering import messages_of
from workflows.rounds import of_queue, running
from workflows.search_attributes import CUSTOMER_ID

BY_HAND = "Somebody says that the database was set back"
SHOWN = 20


class Restored(Frozen):
    """What Temporal had beyond the database, and what became of it.

    *strangers*: runs that the database does not know, which were ended there; some are named. *remembered*: messages
    that went out or may have, which the ledger did not know. *begun_anew*: runs that go on where the database has them.
    """

    strangers: int
    some_strangers: tuple[str, ...]
    remembered: int
    begun_anew: int
    dry_run: bool


class Restore:
    """Lets everything go again once Temporal has no more than the store. It may be cut off, and begun again."""

    def __init__(
        self,
        store: Store,
        client: Client,
        task_queue: str,
        clock: Callable[[], datetime],
        told: Told = lambda _what, _n, _of: None,
    ) -> None:
        self._store = store
        self._client = client
        self._task_queue = task_queue
        self._relay = Relay(store, client, task_queue, clock)
        self._told = told

    async def do(self, change: Change, *, dry_run: bool = False) -> Restored:
        """Hold everything, put it right, and let it go; or say what that would do.

        Raises RPCError or RuntimeError where Temporal does not answer.
        """
        if not dry_run:
            await hold_all(self._store, BY_HAND, change.at)
        there = await self._there()
        strangers = await self._strangers(list(there), change.at)
        here = await self._here()
        whose = {run: there[run] for run in strangers} | here
        remembered = await self._remember(whose, await self._in_whose_stead(), dry_run=dry_run)
        anew = [run for run in here if run in there]
        told = Restored(
            strangers=len(strangers),
            some_strangers=tuple(strangers[:SHOWN]),
            remembered=remembered,
            begun_anew=len(anew),
            dry_run=dry_run,
        )
        if not dry_run:
            await self._end({run: there[run] for run in strangers}, change.at)
            await self._begin_anew(anew, change.at)
            await let_all_go(self._store, change, told.model_dump(exclude={"some_strangers", "dry_run"}))
        return told

    async def _there(self) -> dict[str, str]:
        """Whose the runs are that Temporal has under way."""
        whose = dict[str, str]()
        async for execution in self._client.list_workflows(running(self._task_queue), page_size=PAGE):
            whose[execution.id] = execution.typed_search_attributes.get(CUSTOMER_ID) or ""
        return whose

    async def _in_whose_stead(self) -> dict[str, list[str]]:
        """Executions in whose stead others may have begun, by their runs, the latest first.

        Where the database was set back more than once, those that began anew between know nothing of what went before.
        """
        query = f"{of_queue(self._task_queue)} AND ExecutionStatus = 'Terminated'"
        terminated = [execution async for execution in self._client.list_workflows(query, page_size=PAGE)]
        earlier = defaultdict[str, list[str]](list)
        for execution in sorted(terminated, key=lambda each: each.start_time, reverse=True):
            earlier[execution.id].append(execution.run_id)
        return earlier

    async def _strangers(self, there: list[str], now: datetime) -> list[str]:
        found = [await known(self._store, some, now) for some in parts(there, PAGE)]
        return [run for page in found for run in page.unknown]

    async def _here(self) -> dict[str, str]:
        """Whose the runs are that the store has under way."""
        whose, after = dict[str, str](), ""
        while page := await under_way_after(self._store, after, PAGE):
            after = page[-1].id
            whose |= await customers_of(self._store, [run.id for run in page])
        return whose

    async def _remember(
        self, whose: Mapping[str, str], in_whose_stead: Mapping[str, list[str]], *, dry_run: bool
    ) -> int:
        """Write what went out meanwhile into the ledger. Returns how many messages that were."""
        done, remembered = 0, 0
        for some in parts(list(whose.items()), ABREAST):
            asked = (messages_of(self._client, run, customer, in_whose_stead.get(run, ())) for run, customer in some)
            told = [each for run in await asyncio.gather(*asked) for each in run]
            remembered += await (forgotten(self._store, told) if dry_run else remember(self._store, told))
            self._told("Read what went out", done := done + len(some), len(whose))
        return remembered

    async def _end(self, strangers: Mapping[str, str], now: datetime) -> None:
        """Those of customers who were erased again, as the docs say, since the backup was put back, are forgotten."""
        for done, (run, customer) in enumerate(strangers.items(), 1):
            if not await forget_erased(self._store, run, customer, now):
                await self._terminate(run)
            self._told("End what nobody knows", done, len(strangers))

    async def _terminate(self, run: str) -> None:
        try:
            await self._client.get_workflow_handle(run).terminate(reason=NOBODYS)
        except RPCError as error:
            if not is_unknown(error):  # it has ended since
                raise

    async def _begin_anew(self, ids: list[str], now: datetime) -> None:
        """Have them begin where the store has them, and see to it that they do: who is ahead would hold all again."""
        for done, some in enumerate(parts(ids, TOGETHER)):
            await begin_again(self._store, some, "now", now, anew=True)
            await self._relay.drain_once()
            self._told("Begin anew", min(len(ids), (done + 1) * TOGETHER), len(ids))
