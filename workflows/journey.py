"""A run on Temporal: the walk, with Temporal as its world. Nothing personal comes here: a run knows ids and steps."""

from __future__ import annotations

from asyncio import CancelledError
from collections.abc import Awaitable, Callable
from contextlib import suppress
from datetime import datetime, timedelta
from typing import Any, NoReturn, TypeVar

from temporalio import workflow
from temporalio.common import RetryPolicy, SearchAttributePair
from temporalio.exceptions import FailureError, is_cancelled_exception
from temporalio.workflow import ActivityCancellationType, ActivityHandle

from activities.deliver import ATTEMPT, Deliver
from activities.notes import End, Lines, Notes
from activities.reconcile import TELLING, Reconcile
from activities.visits import Visits
from activities.webhooks import Webhooks
from journeys.language.clock import clock
from journeys.language.durations import say
from journeys.language.moments import Moment
from journeys.steps import Webhook
from journeys.walk.diary import Choice, Delivery, Ended, Held, Moved, Over
from journeys.walk.pace import DAY
from journeys.walk.position import Arrival, Position, Unheard
from journeys.walk.walk import Walk
from journeys.walk.world import Visit
from workflows.cancels import is_like_ours, is_marked
from workflows.run_input import RunInput
from workflows.search_attributes import JOURNEY_VERSION
from workflows.timers import of_one

AGAIN = RetryPolicy(maximum_interval=timedelta(minutes=1))
"""Without end: what fails is the database or a bug, and both get mended."""

LATE = timedelta(seconds=5)
"""A timer that fires so late was held up by an outage, and with it perhaps the relay."""

LOCALLY = timedelta(seconds=10)
"""How long a local activity may hold a workflow task. Retries that wait longer become timers."""

COUNTING = timedelta(minutes=1)
"""The first who comes after the end of a test counts everybody in it, who may be a million."""

ITS_CANCEL = timedelta(minutes=1)
"""So long does a run that has ended wait for its cancel. It comes at once; none comes to a run that was reset."""

Given = TypeVar("Given")
Answer = TypeVar("Answer")


class _NotHeard(Exception):
    """The store has answers that the walk has not heard, and took a no for one of them."""

    def __init__(self, news: Unheard) -> None:
        super().__init__()
        self.arrivals = news.arrivals


class _HasEnded(Exception):
    """The store has ended the run, and whoever is to cancel it does not come."""

    def __init__(self, over: Over) -> None:
        super().__init__()
        self.ended = over.ended


class _IsMoved(Exception):
    """The run is to go on at another position, perhaps of another version."""


@workflow.defn(name="Journey")
class JourneyWorkflow:
    """One customer's walk through one version of a journey."""

    @workflow.init
    def __init__(self, run: RunInput) -> None:
        self._id = run.id
        self._version = run.version
        self._is_of_0_1 = run.version == 0
        self._to: RunInput | None = None  # where it is to go on
        self._pace = "" if run.day == DAY else f" (a day lasts {say(run.day)})"
        begin = run.position or Position.at_start(run.steps[0].id, run.started_at)
        self._walk = Walk(run.steps, begin, run=run.id, version=run.version, day=run.day, from_hearing=self._is_of_0_1)

    @workflow.run
    async def run(self, run: RunInput) -> Ended:
        """Walk to the end, unless cancelled before. Returns how the run ended."""
        del run  # __init__ has it: a signal may come before this is called
        try:
            return await self._to_the_end()
        except (CancelledError, FailureError) as error:
            reason = workflow.cancellation_reason()
            if is_cancelled_exception(error) and reason is not None and not self._is_known(reason):
                await self._close("cancelled", reason or "cancelled by an operator")
            raise

    async def _to_the_end(self) -> Ended:
        """Walk, and return how the run ended. Once more from before a question that got none, where an answer comes."""
        while True:
            try:
                why = await self._walk.go(self)
                if self._walk.diary.unwritten:
                    await self._close("completed", why)
            except _NotHeard as answers:
                self._walk = self._walk.anew(answers.arrivals)
            except _HasEnded as over:
                return over.ended
            except _IsMoved:
                self._go_on_elsewhere()
            else:
                return "completed"

    @workflow.signal(description="An event that answers some of this run's ifs. Its id makes a repeated one harmless.")
    def arrive(self, arrival: Arrival) -> None:
        self._walk.arrive(arrival)

    @workflow.signal(description="Go on at another position, of another version too. Harmless where it stands there.")
    def move(self, to: RunInput) -> None:
        if _lines(to) > _lines(self._to):
            self._to = to

    @workflow.signal(description="What held a message may be over: it is looked at again. Harmless at any time.")
    def let_go(self) -> None:
        self._walk.let_go()

    def now(self) -> datetime:
        return workflow.now()

    async def deliver(self, visit: Visit) -> Delivery | Held:
        """Send; where nobody knows whether it went out, find out, and send again what surely did not."""
        while True:
            answer = await self._send(visit)
            if isinstance(answer, Held) or not answer.in_doubt:
                return answer  # what an earlier release knew no more of is not asked about now
            # It may or may not have gone out: give the provider time to tell, then ask.
            until = workflow.now() + TELLING
            why = f"Wait for news of {visit.message.content} until {clock(until, workflow.now())}"
            await self.wait(until, lambda: False, why)
            if settled := await self._find_out(visit):
                return settled
            visit = visit.at(workflow.now())

    async def decide(self, visit: Visit) -> Choice | None:
        """Choose an arm. The activity writes that the step is passed, and completes the run where nothing follows."""
        return await self._locally(Visits.decide, visit, f"Choose an arm of {visit.at_step}", at_most=COUNTING)

    async def moment(self, visit: Visit) -> Moment:
        """Until when to wait. The activity writes it down, with all lines up to there: no note is needed."""
        return await self._locally(Visits.moment, visit, f"Find out until when {visit.at_step} waits")

    async def perform(self, visit: Visit) -> Delivery | Held:
        """Act. The activity writes that the step is passed, and completes the run where nothing follows."""
        if isinstance(visit.step, Webhook):
            return await self._call(visit, visit.step)
        does = visit.step.words if visit.step else visit.at_step
        return await self._locally(Visits.perform, visit, f"Act: {does}")

    async def _call(self, visit: Visit, step: Webhook) -> Delivery | Held:
        """Post to an endpoint, again and again while there is time. Whoever ends the run ends the tries."""
        self._tell(f"Calling {step.webhook}")
        return await self._outside(Webhooks.call, visit, f"Webhook: {step.webhook}")

    async def _send(self, visit: Visit) -> Delivery | Held:
        """One claim and its call. The record writes the diary too, and completes the run where nothing follows."""
        message = visit.message
        self._tell(f"Sending {message.kind} {message.content}")
        return await self._outside(Deliver.deliver, visit, f"{message.kind.capitalize()}: {message.content}")

    async def _find_out(self, visit: Visit) -> Delivery | Held | None:
        """Ask what became of it. The activity settles what it finds, as the record of a send does."""
        content = visit.message.content
        self._tell(f"Asking what became of {content}")
        return await self._outside(Reconcile.reconcile, visit, f"Ask what became of {content}")

    async def wait(self, until: datetime | None, arrived: Callable[[], bool], why: str) -> bool:
        """Wait on durable timers, unless the wait is over already."""
        if not arrived() and (until is None or workflow.now() < until):
            self._leave_if_moved()
            await self._note()
            self._tell(why)
            await self._until(until, lambda: arrived() or self._is_moved, why)
            self._leave_if_moved()
        if until is not None and not arrived() and workflow.now() - until > LATE:
            await self._catch_up()
        return arrived()

    async def _until(self, until: datetime | None, arrived: Callable[[], bool], why: str) -> None:
        """One durable timer, or one after the other where none lasts so long; none where nobody knows until when."""
        if until is None:
            return await workflow.wait_condition(arrived)
        while True:
            left = until - workflow.now()
            lasting = of_one(left)
            with suppress(TimeoutError):
                await workflow.wait_condition(arrived, timeout=lasting, timeout_summary=why)
            if arrived() or lasting == left:
                return None

    async def _catch_up(self) -> None:
        """After an outage a timer may be here before the answers that were accepted in time: read them."""
        why = "Look for answers that are on their way"
        for arrival in await self._locally(Notes.catch_up, self._id, why):
            self._walk.arrive(arrival)

    async def _note(self) -> None:
        """Write the lines that would be missing while the run waits. After a send there are none."""
        if lines := self._walk.diary.unwritten:
            noted = Lines(run=self._id, entries=lines, known=self._walk.known, version=self._version)
            await self._locally(Notes.note, noted, "Note where the run stands")
            self._walk.diary.wrote_all()

    async def _close(self, ended: Ended, why: str) -> None:
        lines, known = self._walk.diary.unwritten, self._walk.known
        end = End(
            run=self._id,
            ended=ended,
            why=why,
            at=workflow.now(),
            entries=lines,
            known=known,
            version=self._version,
        )
        await self._locally(Notes.close, end, f"Note that the run is {ended}")

    async def _locally(
        self,
        activity: Callable[[Any, Given], Awaitable[Answer | Unheard | Over | Moved]],
        given: Given,
        summary: str,
        at_most: timedelta = LOCALLY,
    ) -> Answer:
        """One transaction of the store, within a workflow task."""
        answer = await workflow.execute_local_activity_method(
            activity,
            given,
            summary=summary,
            start_to_close_timeout=at_most,
            local_retry_threshold=LOCALLY,
            retry_policy=AGAIN,
        )
        return await self._taken(answer)

    async def _outside(
        self, activity: Callable[[Any, Given], Awaitable[Answer | Unheard | Over | Moved]], given: Given, summary: str
    ) -> Answer:
        """A call of somebody outside. Whoever ends the run: what is under way is finished, and recorded."""
        self._leave_if_moved()
        under_way = workflow.start_activity_method(
            activity,
            given,
            summary=summary,
            start_to_close_timeout=ATTEMPT,
            retry_policy=AGAIN,
            cancellation_type=ActivityCancellationType.ABANDON,
        )
        try:
            return await self._taken(await self._came_to(under_way))
        except CancelledError:
            under_way.cancel()  # one that was not begun never is
            raise

    async def _came_to(self, under_way: ActivityHandle[Given]) -> Given:
        """What an activity came to. Where the run is moved, it may finish the attempt at which it is.

        An attempt that begins afterwards does nothing, however often it comes: the store has moved the run before.
        """
        await workflow.wait_condition(lambda: under_way.done() or self._is_moved)
        if not under_way.done():
            with suppress(TimeoutError):
                await workflow.wait_condition(
                    under_way.done, timeout=ATTEMPT, timeout_summary="Let what is under way come to its end"
                )
        if not under_way.done():
            raise _IsMoved
        return await under_way

    async def _taken(self, answer: Answer | Unheard | Over | Moved) -> Answer:
        """What the store answers.

        Raises _NotHeard, _HasEnded where it ended the run and no cancel comes, and _IsMoved once it hears where to.
        """
        if isinstance(answer, Unheard):
            raise _NotHeard(answer)
        if isinstance(answer, Moved):
            self._tell("Is elsewhere by now, and about to hear where")
            await workflow.wait_condition(lambda: self._is_moved)
            raise _IsMoved
        if isinstance(answer, Over):
            self._tell(f"Is {answer.ended}, and about to be cancelled")
            with suppress(TimeoutError):
                await workflow.wait_condition(lambda: False, timeout=ITS_CANCEL, timeout_summary="Wait for its cancel")
            raise _HasEnded(answer)
        return answer

    @property
    def _is_moved(self) -> bool:
        """Whether it is to go on elsewhere. Each move adds a line to the diary: who has as many has gone there."""
        return _lines(self._to) > self._walk.diary.written.n + 1

    def _leave_if_moved(self) -> None:
        if self._is_moved:
            raise _IsMoved

    def _go_on_elsewhere(self) -> NoReturn:
        """Begin anew there, under the same id, with all that was heard."""
        to = self._to
        if to is None or to.position is None:
            raise LookupError("nobody said where to go on")
        version = SearchAttributePair(JOURNEY_VERSION, to.version)
        workflow.continue_as_new(
            to.model_copy(update={"position": to.position.hearing(self._walk.heard)}),
            search_attributes=workflow.info().typed_search_attributes.updated(version),
        )

    def _is_known(self, reason: str) -> bool:
        """Whether a cancel carries out an end that the store has already, and is no operator's wish."""
        return is_marked(reason, self._id) or (self._is_of_0_1 and is_like_ours(reason))

    def _tell(self, where: str) -> None:
        workflow.set_current_details(f"{where}{self._pace}")


def _lines(to: RunInput | None) -> int:
    """How many lines the diary has there."""
    return to.position.lines if to and to.position else 0
