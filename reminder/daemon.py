"""The daemon: ticks and sends, woken when there is something to do; it ends in good order.

APScheduler holds recurring ticks only, and nothing is scheduled ahead: a run that it drops or that
comes late loses nothing, since a tick works out all that should have been said by now.
"""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Awaitable, Callable, Mapping
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from functools import partial
from typing import Protocol, TypeVar

from apscheduler.schedulers.asyncio import AsyncIOScheduler

from reminder.core.desk import Inbound
from reminder.core.outbox import Draft
from reminder.ports import Channel, Clock, SendError, StoreBusyError
from reminder.service.deliver import Parcel
from reminder.service.service import Service
from reminder.tending import Troubles, nap, tended

log = logging.getLogger(__name__)
T = TypeVar("T")

DRAIN = 8.0  # seconds that sends under way get at the end; systemd and Docker wait for 10
AHEAD = 4  # messages leased and rendered while others are on their way
IDLE = 30.0  # seconds that the dispatcher sleeps at most when nothing wakes it
JUMP = timedelta(seconds=30)  # what no ordinary correction of a clock amounts to


class Listener(Protocol):
    """Brings in what people write, until it is cancelled."""

    name: str  # in the log

    async def run(self, take: Callable[[Inbound], Awaitable[bool]]) -> None:
        """Calls `take` for each message; it is confirmed to the provider only after that."""
        ...


@dataclass
class Daemon:
    """One service, its channels and its listeners, on one event loop."""

    service: Service
    channels: Mapping[str, Channel]
    clock: Clock
    listeners: tuple[Listener, ...] = ()
    look: Callable[[], bool] | None = None  # rereads changed files; True: taken up, or refused
    backup: Callable[[], None] | None = None  # makes the daily copy, if it is due
    beat: Callable[[str], None] = lambda _: None  # takes the signs of life: ops.pulse.Beat
    on_sent: Callable[[Draft, datetime], None] = lambda _, __: None  # takes what was accepted
    in_flight: int = 8
    tick_seconds: float | None = None  # None: at the start of each minute
    look_seconds: float = 20.0
    sweep_seconds: float = 30.0
    backup_seconds: float = 60.0  # between two looks at whether a copy is due
    silent_seconds: float = 180.0  # without a tick: the timer must have died
    watch_seconds: float = 5.0  # between two looks at the clock
    busy_pause: float = 5.0  # seconds before a database that could not be written is tried again
    restart_pause: float = 1.0  # seconds before a task that has ended is started anew, at first
    _troubles: Troubles = field(default_factory=Troubles)
    _wake: asyncio.Event = field(default_factory=asyncio.Event)
    _stop: asyncio.Event = field(default_factory=asyncio.Event)
    _ready: list[Parcel] = field(default_factory=list)  # leased, and not yet on their way
    _sends: dict[asyncio.Task[None], int] = field(default_factory=dict)  # → id of the row
    _flying: int = 0  # of them those that the provider has not answered
    _held: set[int] = field(default_factory=set)  # rows from their lease to the end of their send
    _ticked: float = 0.0  # when the last tick was, on the loop's clock

    def __post_init__(self) -> None:
        # The store is synchronous and belongs to one thread; so does every use case.
        self._thread = ThreadPoolExecutor(1, thread_name_prefix="store")

    async def do(self, work: Callable[[], T]) -> T:
        """Runs one use case in the store's thread."""
        return await asyncio.get_running_loop().run_in_executor(self._thread, work)

    def stop(self) -> None:
        """Asks the daemon to end: nothing new is sent, what is under way is waited for."""
        self._stop.set()
        self._wake.set()

    def wake(self) -> None:
        """Has the dispatcher look for what is to be sent, now."""
        self._wake.set()

    async def run(self) -> None:
        """Runs until `stop`; then drains."""
        await self._begin()
        timer = AsyncIOScheduler(
            job_defaults={"misfire_grace_time": None, "coalesce": True, "max_instances": 1},
            timezone="UTC",
        )
        self._schedule(timer)
        listening = [
            self._tended(f"listening to {one.name}", partial(one.run, self.take))
            for one in self.listeners
        ]
        sending = self._tended("sending", self._dispatch)
        timer.start()
        watching = self._tended("watching the clock", partial(self._watch_clock, timer))
        try:
            await self.tick()
            await self._stop.wait()
        finally:
            watching.cancel()
            timer.shutdown(wait=False)
            for task in listening:
                task.cancel()
            await asyncio.gather(*listening, return_exceptions=True)
            self._wake.set()
            await asyncio.gather(sending, return_exceptions=True)
            await self._drain()
            await self._guarded("the end", lambda: self.service.end(self.clock.now()))
            self._thread.shutdown(wait=True)

    async def _begin(self) -> None:
        """The service's beginning, however long the database can't be written."""
        while not self._stop.is_set():
            try:
                await self.do(lambda: self.service.begin(self.clock.now()))
            except StoreBusyError as error:
                self._troubles.waits("the start", error)
                await nap(self._stop, self.busy_pause)
            else:
                self._troubles.over("the start")
                return

    def _tended(self, name: str, run: Callable[[], Awaitable[object]]) -> asyncio.Task[None]:
        return asyncio.create_task(tended(name, run, self._stop, self.restart_pause))

    async def _watch_clock(self, timer: AsyncIOScheduler) -> None:
        """APScheduler waits for hours of the clock: one set back would silence it for as long."""
        loop = asyncio.get_running_loop()
        steady, shown = loop.time(), self.clock.now()
        while True:
            await asyncio.sleep(self.watch_seconds)
            passed = timedelta(seconds=loop.time() - steady)
            jump = self.clock.now() - shown - passed
            steady, shown = loop.time(), self.clock.now()
            if jump > JUMP:  # one set back is told by the tick, which knows of a restart too
                span = timedelta(seconds=round(jump / timedelta(seconds=1)))
                log.warning("the clock went forward by %s at once: what was missed is said", span)
            elif steady - self._ticked > self.silent_seconds:
                log.error("no tick for %d s: the timer is set anew", steady - self._ticked)
            elif jump >= -JUMP:
                continue
            self._schedule(timer)
            await self.tick()
            self._wake.set()  # whatever the dispatcher waits for, it reckoned on another clock

    def _schedule(self, timer: AsyncIOScheduler) -> None:
        """Only recurring ticks, reckoned from now; a late or dropped run is made up by the next."""
        if self.tick_seconds is None:
            timer.add_job(self.tick, "cron", second=0, id="tick", replace_existing=True)
        else:
            timer.add_job(
                self.tick, "interval", seconds=self.tick_seconds, id="tick", replace_existing=True
            )
        timer.add_job(
            self._sweep, "interval", seconds=self.sweep_seconds, id="sweep", replace_existing=True
        )
        if self.look:
            timer.add_job(
                self._look, "interval", seconds=self.look_seconds, id="look", replace_existing=True
            )
        if self.backup:
            timer.add_job(
                self._back_up,
                "interval",
                seconds=self.backup_seconds,
                id="backup",
                replace_existing=True,
            )

    async def tick(self) -> None:
        """One tick; a database that can't be written now is left as it is, and tried again."""
        self._ticked = asyncio.get_running_loop().time()
        self.beat("tried")
        rows = await self._guarded("tick", lambda: self.service.tick(self.clock.now()))
        if rows is not None:
            self.beat("ticked")
        if rows:
            self._wake.set()

    async def take(self, inbound: Inbound) -> bool:
        """Takes one message in; it is only lost to the provider once it is on record.

        CancelledError at the end: what was not recorded must not be confirmed either.
        """
        while not self._stop.is_set():
            try:
                taken = await self.do(lambda: self.service.receive(inbound, self.clock.now()))
            except StoreBusyError as error:
                self._troubles.waits("an incoming message", error)
                await nap(self._stop, self.busy_pause)
                continue
            self._troubles.over("an incoming message")
            self._wake.set()
            return taken
        raise asyncio.CancelledError

    async def note(self, name: str, value: str) -> None:
        """Keeps a mark in the store, if that can be written now."""
        work = partial(self.service.store.set_meta, name, value)
        await self._guarded(f"note {name}", work, again=False)

    async def say_refused(self, channel: str, reason: str) -> None:
        """Tells the office that `channel` refuses everything."""
        await self._guarded(
            "refused",
            lambda: self.service.refused(channel, reason, self.clock.now()),
            again=False,
        )
        self._wake.set()

    async def _look(self) -> None:
        if self.look is None:
            return
        changed = await self._guarded("look", self.look)
        if changed:
            self._wake.set()  # what was refused is told to the office
            await self.tick()

    async def _sweep(self) -> None:
        if await self._guarded("sweep", self._take_back):
            self._wake.set()

    def _take_back(self) -> int:
        # Those are alive, however long a provider makes them wait, or however the clock jumps.
        return self.service.sweep(self.clock.now(), set(self._held))

    async def _back_up(self) -> None:
        if self.backup is not None:
            await self._guarded("backup", self.backup)
            self._wake.set()  # that no copy could be made is told to the office

    async def _guarded(self, what: str, work: Callable[[], T], *, again: bool = True) -> T | None:
        """`work`, or one line in the log that says why not; the daemon goes on in any case.

        `again`: whether the same is tried again anyhow, so that it is told when it works.
        """
        try:
            done = await self.do(work)
            self._troubles.over(what)
            return done
        except StoreBusyError as error:
            self._troubles.waits(what, error, again=again)
        except Exception as error:  # noqa: BLE001  nothing may end the daemon without a word
            self._troubles.fails(what, error)
        return None

    async def _dispatch(self) -> None:
        """Leases what is due, a little ahead of what may be in flight, and sleeps until it is due.

        While a send waits for the provider the next ones are leased and rendered, and while it is
        put on record the next one is on its way: each has a record of its own all the same.
        """
        while not self._stop.is_set():
            self._wake.clear()
            self.beat("sending")
            self._set_out()
            if len(self._ready) > AHEAD // 2:
                await self._woken(IDLE)
                continue
            room = AHEAD - len(self._ready) + max(0, self.in_flight - self._flying)
            parcels = await self._guarded("lease", partial(self._lease, room))
            if parcels:
                self._ready = sorted([*self._ready, *parcels], key=_waits)
            elif parcels is None:
                await nap(self._stop, self.busy_pause)
            else:
                await self._rest()
        await self._guarded("give back", self._give_back)

    def _set_out(self) -> None:
        """Sends what is ready, as many at once as may be in flight."""
        while self._ready and self._flying < self.in_flight:
            parcel = self._ready.pop(0)
            self._flying += 1
            send = asyncio.create_task(self._send(parcel))
            self._sends[send] = parcel.row.id
            send.add_done_callback(self._landed)

    def _lease(self, limit: int) -> list[Parcel]:
        parcels = self.service.lease(self.clock.now(), limit)
        self._held.update(parcel.row.id for parcel in parcels)  # here, before any sweep can come
        return parcels

    def _give_back(self) -> None:
        """What was leased ahead, and not sent: at the next start it is no possible repeat."""
        ready, self._ready = self._ready, []
        self.service.give_back(ready)
        self._held.difference_update(parcel.row.id for parcel in ready)

    def _landed(self, send: asyncio.Task[None]) -> None:
        self._held.discard(self._sends.pop(send))

    async def _rest(self) -> None:
        """Until the next message is due, or somebody wakes the dispatcher."""
        due = await self._guarded("next due", self.service.next_due)
        wait = IDLE
        if due is not None and self._flying < self.in_flight:
            # What is due and was not leased just now waits for something else than its hour.
            ahead = (due - self.clock.now()) / timedelta(seconds=1)
            wait = min(IDLE, ahead if ahead > 0 else 1.0)
        await self._woken(wait)

    async def _woken(self, seconds: float) -> None:
        """Until somebody wakes the dispatcher, or the time is up."""
        try:
            await asyncio.wait_for(self._wake.wait(), seconds)
        except TimeoutError:
            return

    async def _send(self, parcel: Parcel) -> None:
        try:
            outcome = await self._offer(parcel)
        finally:
            self._flying -= 1
            self._wake.set()
        row = parcel.row.id
        if isinstance(outcome, SendError):
            await self._record(row, lambda: self.service.failed(parcel, outcome, self.clock.now()))
            self._wake.set()
        else:
            at = self.clock.now()
            self.on_sent(parcel.row.draft, at)
            await self._record(row, lambda: self.service.sent(parcel, outcome, at))

    async def _offer(self, parcel: Parcel) -> str | SendError:
        """What the provider made of it: its id there, or why not."""
        try:
            channel = self.channels[parcel.row.draft.channel]
            return await channel.send(parcel.address, parcel.message, parcel.key)
        except SendError as error:
            return error
        except Exception as error:  # noqa: BLE001  a fault of ours must not lose the row
            log.error("sending row %d failed: %s", parcel.row.id, type(error).__name__)
            return SendError(type(error).__name__, retry=True, unknown=True)

    async def _record(self, row: int, work: Callable[[], T]) -> T | None:
        """Writes down what became of a send, however long the database refuses.

        Should that fail, or the daemon end before it, the lease says so: the row is sent once
        more, marked.
        """
        while True:
            try:
                fate = await self.do(work)
            except StoreBusyError as error:
                self._troubles.waits("the record of what was sent", error)
                if self._stop.is_set():
                    return None
                await nap(self._stop, self.busy_pause)
            except Exception as error:  # noqa: BLE001  the sends after it have a record of their own
                log.error(
                    "what became of row %d can't be recorded (%s: %s): it is sent once more, "
                    "marked, when its lease has ended", row, type(error).__name__, error,
                )  # fmt: skip
                return None
            else:
                self._troubles.over("the record of what was sent")
                return fate

    async def _drain(self) -> None:
        for channel in self.channels.values():
            channel.halt()  # what has not begun is no possible repeat of the next run
        if self._sends:
            log.info("waiting for %d sends under way", len(self._sends))
            await asyncio.wait(self._sends, timeout=DRAIN)
        for send in list(self._sends):
            send.cancel()
        await asyncio.gather(*self._sends, return_exceptions=True)


def _waits(parcel: Parcel) -> bool:
    """Answers set out before all else."""
    return parcel.row.draft.kind != "reply"
