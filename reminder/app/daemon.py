"""The daemon: ticks, sends and receives until it is stopped.

APScheduler runs the recurring ticks; no message is scheduled ahead. A tick that is dropped or late
loses nothing, since each tick computes all that is due since the last one.
"""

from __future__ import annotations

import asyncio
import gc
import logging
from collections.abc import Awaitable, Callable
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from functools import partial
from typing import TYPE_CHECKING, Protocol, TypeVar

from reminder.app.dispatcher import Dispatcher
from reminder.channels import Channel, Ready
from reminder.domain.context import Inbound
from reminder.ops.supervisor import Clock, Worker, apart, pause_until, supervise
from reminder.services.service import Service

if TYPE_CHECKING:
    from apscheduler.schedulers.asyncio import AsyncIOScheduler

    from reminder.app.timer import Jobs

log = logging.getLogger(__name__)
T = TypeVar("T")

REHEARSAL = 2.0  # seconds before a slot: connections are kept for five
REHEARSED = timedelta(seconds=65)  # before a slot: each tick looks beyond the next one
EARLY = 0.01  # seconds by which a sleep may seem to have ended early
JUMP = timedelta(seconds=30)  # what no ordinary correction of a clock amounts to


class Listener(Protocol):
    """Receives messages until it is cancelled."""

    name: str  # in the log

    async def begin(self) -> None:
        """Try the provider once, at the start; raise ReminderError if it will never accept us."""
        ...

    async def run(self, take: Callable[[Inbound], Awaitable[bool]]) -> None:
        """Call `take` for each message; confirm it to the provider only after that."""
        ...


@dataclass
class Daemon:
    """One service, its channels and its listeners, on one event loop."""

    service: Service
    channels: dict[str, Channel]
    clock: Clock
    reload: Callable[[], bool] = lambda: False  # rereads changed files; True: taken up, or refused
    listeners: tuple[Listener, ...] = ()
    backup: Callable[[], None] | None = None  # makes the daily copy, if it is due
    mark: Callable[[str], None] = lambda _: None  # notes that a part of ops.liveness is at work
    tick_seconds: float | None = None  # None: at the start of each minute
    reload_seconds: float = 5.0  # between two looks at the files
    sweep_seconds: float | None = None  # None: in the middle of each minute
    backup_seconds: float | None = None  # the same: looks at whether a copy is due
    silent_seconds: float = 180.0  # without a tick, after which the timer is restarted
    watch_seconds: float = 5.0  # between two looks at the clock
    restart_pause: float = 1.0  # seconds before a task that has ended is started anew, at first
    worker: Worker = field(default_factory=Worker)
    _ticked: float = 0.0  # when the last tick was, on the loop's clock
    _expected: datetime | None = None  # the slot that is rehearsed, or was
    _rehearsing: asyncio.Task[None] | None = None

    def __post_init__(self) -> None:
        self.dispatcher = Dispatcher(
            self.service,
            self.channels,
            self.clock,
            self.worker,
            term=self.service.store.term,
            mark=lambda: self.mark("sending"),
        )

    async def do(self, work: Callable[[], T]) -> T:
        """Run one use case in the store's thread."""
        return await self.worker.do(work)

    def stop(self) -> None:
        """Ask the daemon to end: no new sends are begun, those under way are finished."""
        self.worker.stop.set()
        self.wake()

    def wake(self) -> None:
        """Wake the dispatcher."""
        self.dispatcher.wake()

    async def run(self) -> None:
        """Run until `stop`, then finish the sends under way."""
        await self._begin()
        listening = [
            self._supervise(f"listening to {one.name}", partial(one.run, self.take))
            for one in self.listeners
        ]
        sending = self._supervise("sending", self.dispatcher.run)
        shown = self._time()
        try:
            await self.tick()
            await self._run_timer(shown)
        finally:
            ending = [*listening, self._rehearsing] if self._rehearsing else listening
            for task in ending:
                task.cancel()
            await asyncio.gather(*ending, return_exceptions=True)
            self.wake()
            await asyncio.gather(sending, return_exceptions=True)
            await self.dispatcher.drain()
            await self.worker.attempt("the end", lambda: self.service.end(self.clock.now()))
            self.worker.end()
        if self.worker.lost is not None:
            raise self.worker.lost

    def _time(self) -> tuple[float, datetime]:
        """Return the time of the loop's steady clock, and what the other one shows."""
        return asyncio.get_running_loop().time(), self.clock.now()

    async def _run_timer(self, shown: tuple[float, datetime]) -> None:
        """Make the recurring ticks until the end, and finish those under way."""
        timer, jobs = (await apart(_load))()
        self._schedule(timer)
        timer.start()
        watching = self._supervise("watching clock and files", partial(self._watch, timer, *shown))
        try:
            await self.worker.stop.wait()
        finally:
            watching.cancel()
            timer.shutdown(wait=False)
            await jobs.over()

    async def _begin(self) -> None:
        """Begin the service; retry as long as the database can't be written."""
        await self.worker.retry("the start", lambda: self.service.begin(self.clock.now()))

    def _supervise(self, name: str, run: Callable[[], Awaitable[object]]) -> asyncio.Task[None]:
        return asyncio.create_task(supervise(name, run, self.worker.stop, self.restart_pause))

    async def _watch(self, timer: AsyncIOScheduler, steady: float, shown: datetime) -> None:
        """Look at the clock, and at the files: by a timer of their own an idle daemon wakes twice.

        After a clock was set back the timer is restarted; APScheduler waits for the old time.
        """
        looked = steady
        while True:
            await asyncio.sleep(self.watch_seconds)
            before, (steady, now) = steady, self._time()
            if steady - looked > self.reload_seconds - EARLY:
                looked = steady
                await self._reload()
            jump = now - shown - timedelta(seconds=steady - before)
            shown = now
            if jump > JUMP:  # the tick itself notices a clock that was set back
                span = timedelta(seconds=round(jump / timedelta(seconds=1)))
                log.warning("the clock went forward by %s at once: missed messages are sent", span)
            elif steady - self._ticked > self.silent_seconds:
                log.error("no tick for %d s: the timer is restarted", steady - self._ticked)
            elif jump >= -JUMP:
                continue
            if jump < -JUMP:  # do this even if the tick noticed; it may have failed
                back = partial(self.service.set_back, self.clock.now())
                await self.worker.attempt("the clock", back)
            self._schedule(timer)
            await self.tick()
            self.wake()  # its wait was computed on the old clock

    def _schedule(self, timer: AsyncIOScheduler) -> None:
        """Schedule the recurring ticks from now on."""
        jobs: list[tuple[str, Callable[[], Awaitable[None]], float | None, int]] = [
            ("tick", self.tick, self.tick_seconds, 0),
            ("sweep", self._sweep, self.sweep_seconds, 30),
        ]
        jobs += [("copies", self._back_up, self.backup_seconds, 30)] if self.backup else []
        for name, work, seconds, second in jobs:  # at one second: one wake-up of an idle daemon
            when = {"second": second} if seconds is None else {"seconds": seconds}
            timer.add_job(
                self._unless_stopping,
                "cron" if seconds is None else "interval",
                args=(work,),
                id=name,
                name=name,
                replace_existing=True,
                **when,
            )

    async def _unless_stopping(self, work: Callable[[], Awaitable[None]]) -> None:
        """Run `work`, unless the daemon is ending."""
        if not self.worker.stop.is_set():
            await work()

    async def tick(self) -> None:
        """Run one tick; if the database can't be written now, the next one makes up for it."""
        self._ticked = asyncio.get_running_loop().time()
        self.mark("tried")
        ticked = await self.worker.attempt("tick", lambda: self._tick_at(self.clock.now()))
        if ticked is None:
            return
        rows, following = ticked
        self.mark("ticked")
        if rows:
            self.wake()
        if following - self.clock.now() < REHEARSED and following != self._expected:
            self._expected = following
            self._rehearsing = asyncio.create_task(self._rehearse(following))

    def _tick_at(self, now: datetime) -> tuple[int, datetime]:
        """Tick, in the store's thread; return how many rows that made, and when the next may."""
        return self.service.tick(now), self.service.next_tick(now)

    async def _rehearse(self, at: datetime) -> None:
        """Make all ready for the first message of a slot, a moment before it."""
        wait = (at - self.clock.now()) / timedelta(seconds=1) - REHEARSAL
        await pause_until(self.worker.stop, max(0.0, wait))
        if self.worker.stop.is_set():
            return
        rehearse = partial(self.service.rehearse, at)
        ways = await self.worker.attempt("the rehearsal of a slot", rehearse, again=False)
        for way in ways or ():
            channel: object = self.channels.get(way)
            if isinstance(channel, Ready):
                await channel.make_ready()

    async def take(self, inbound: Inbound) -> bool:
        """Handle one message; return once it is recorded, so that it may be confirmed.

        CancelledError at the end: what was not recorded must not be confirmed either.
        """
        take = partial(self.dispatcher.take, partial(self.service.take, inbound))
        taken = await self.worker.retry("an incoming message", take)
        if taken is None:
            raise asyncio.CancelledError
        await self.dispatcher.taken()
        return taken

    async def reload_now(self) -> None:
        """Do what `reminder reload` asks for."""
        ask = partial(self.service.store.set_meta, "reload", self.clock.now().isoformat())
        await self.worker.attempt("reload", ask)
        await self._reload()

    async def _reload(self) -> None:
        if await self.worker.attempt("reload", self.reload):
            self.wake()  # what was refused is told to the office
            await self.tick()

    async def _sweep(self) -> None:
        # Sends under way are alive, however long a provider takes, or however the clock jumps.
        swept = await self.worker.attempt(
            "sweep", lambda: self.service.sweep(self.clock.now(), self.dispatcher.held)
        )
        if swept:
            self.wake()

    async def _back_up(self) -> None:
        if self.backup is not None:
            await self.worker.attempt("backup", self.backup)
            self.wake()  # that no copy could be made is told to the office


def _load() -> Callable[[], tuple[AsyncIOScheduler, Jobs]]:
    """Load what the first poll does not need: what makes the timer, and what reads texts."""
    import reminder.services.handle  # noqa: F401
    from reminder.app.timer import make_timer

    if gc.get_freeze_count():  # this process has frozen what it loaded before
        gc.freeze()
    return make_timer
