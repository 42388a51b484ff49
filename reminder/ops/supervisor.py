"""Background tasks: one that ends is restarted; a trouble is logged once, with its end."""

from __future__ import annotations

import asyncio
import logging
import threading
from collections.abc import Awaitable, Callable
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from contextvars import copy_context
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from functools import partial
from typing import Protocol, TypeVar

from reminder.domain.errors import ReminderError
from reminder.domain.outbox import backoff
from reminder.store.records import LockLostError, StoreBusyError

log = logging.getLogger(__name__)
T = TypeVar("T")

LONGEST_PAUSE = 60.0  # seconds before a task that ends again and again is started anew
ALIKE = timedelta(seconds=1)  # what clocks may differ by unnoticed
WRONG = timedelta(seconds=5)  # from which on that is told
CALM = timedelta(seconds=10)  # without a trouble, after which it is over
HEALTHY_AFTER = 600.0  # seconds after which a task that ran so long counts as having worked


class Clock(Protocol):
    """Tells the time; only the outermost loop asks it."""

    def now(self) -> datetime:
        """Return the present instant, aware, UTC."""
        ...


class SharedClock:
    """The clock of a server that several machines use, as told by this machine's own.

    Only a difference of more than a second counts, so that clocks which agree are left alone.
    """

    def __init__(self, own: Clock, server_time: Callable[[], datetime]) -> None:
        self._own, self._server_time = own, server_time
        self._told = timedelta(0)
        self.ahead = timedelta(0)  # this machine's clock, of the server's

    def now(self) -> datetime:
        """Return the server's time."""
        return self._own.now() - self.ahead

    def look(self) -> None:
        """Compare the clocks, and log once by how much they differ. What the server raises."""
        self.compare()
        if abs(self.ahead - self._told) >= WRONG or (self._told and not self.ahead):
            self._told = self.ahead
            self._say()

    def compare(self) -> None:
        """Compare the clocks. What the server raises."""
        asked = self._own.now()
        there = self._server_time()
        took = self._own.now() - asked
        if not timedelta(0) <= took < ALIKE:
            return  # the answer came late, or the clock was set meanwhile
        ahead = asked + took / 2 - there
        if abs(ahead) < ALIKE:
            ahead = timedelta(0)
        if abs(ahead - self.ahead) >= ALIKE:
            self.ahead = ahead

    def _say(self) -> None:
        if not self.ahead:
            log.info("this machine's clock agrees with the database's again")
            return
        seconds = self.ahead.total_seconds()
        log.warning(
            "this machine's clock is %.0f s %s the database's, by which all is timed: turn on NTP "
            "on both machines", abs(seconds), "ahead of" if seconds > 0 else "behind",
        )  # fmt: skip

    @property
    def is_wrong(self) -> bool:
        """Whether the clocks differ by so much that somebody should see to it."""
        return abs(self.ahead) >= WRONG


async def pause_until(stop: asyncio.Event, seconds: float) -> None:
    """Wait, at most until the program ends."""
    try:
        await asyncio.wait_for(stop.wait(), seconds)
    except TimeoutError:
        return


async def apart(work: Callable[[], T]) -> T:
    """Run what may take minutes in a thread of its own, which holds up no end of the program."""
    loop = asyncio.get_running_loop()
    done: asyncio.Future[T] = loop.create_future()

    def told(end: Callable[[], None]) -> None:
        if not done.done():
            end()

    def run() -> None:
        try:
            end = partial(done.set_result, work())
        except Exception as error:  # noqa: BLE001  raised where it is waited for
            end = partial(done.set_exception, error)
        with suppress(RuntimeError):  # the program has ended meanwhile
            loop.call_soon_threadsafe(told, end)

    threading.Thread(target=run, name="apart", daemon=True).start()
    return await done


async def supervise(
    name: str, run: Callable[[], Awaitable[object]], stop: asyncio.Event, pause: float
) -> None:
    """Run `run` until `stop`, and restart it whenever it ends before.

    `pause` is in seconds before the first restart; it doubles up to a minute.
    """
    loop = asyncio.get_running_loop()
    failures = 0
    while not stop.is_set():
        began = loop.time()
        try:
            await run()
            why = "without an error"
        except Exception as error:  # noqa: BLE001  nothing may end a task without a word
            why = f"{type(error).__name__}: {error}"
        if stop.is_set():
            return
        if loop.time() - began > HEALTHY_AFTER:
            failures = 0
        failures += 1
        wait = backoff(failures, pause, LONGEST_PAUSE)
        log.error("%s has ended (%s): restarted in %g s", name, why, wait)
        await pause_until(stop, wait)


@dataclass
class Troubles:
    """Logs each trouble once, until its text changes or it is over.

    `now`: where it is given, what waits again within `CALM` still has the same trouble: on a server
    whose disk is full one statement works while the next does not.
    """

    now: Callable[[], datetime] | None = None
    _waits: dict[str, str] = field(default_factory=dict)  # what → why
    _met: dict[str, datetime] = field(default_factory=dict)  # why → when something waited last
    _ending: dict[str, str] = field(default_factory=dict)  # why → what did not wait any more
    _fails: dict[str, str] = field(default_factory=dict)

    def waits(self, what: str, why: Exception, *, again: bool = True) -> None:
        """`what` is tried again until it works; all that waits for one reason is one trouble.

        `again` is False for what is not tried again: no end of it could be told, and as a trouble
        without an end it would keep the next one of its reason unsaid.
        """
        words, now = str(why), self.now() if self.now else None
        met = self._met.get(words)
        lately = now is not None and met is not None and now - met < CALM
        if not lately and words not in self._waits.values():
            log.error("%s %s: %s", what, "waits" if again else "was left out", why)
        if again:
            self._waits[what] = words
            self._ending.pop(words, None)
        if now is not None:
            self._met[words] = now

    def fails(self, what: str, why: Exception) -> None:
        """Log that `what` has failed; an unexpected error with its class."""
        words = str(why) if isinstance(why, ReminderError) else f"{type(why).__name__}: {why}"
        if self._fails.get(what) != words:
            log.error("%s failed: %s", what, words)
        self._fails[what] = words

    def over(self, what: str) -> None:
        """Note that `what` works; log the end of its trouble."""
        why = self._waits.pop(what, None)
        if why is not None and why not in self._waits.values():
            self._ending[why] = what
        if self._fails.pop(what, None) is not None:
            log.info("%s works again", what)
        calm = self.now() - CALM if self.now and self._ending else None
        for why in list(self._ending):
            if calm is None or self._met[why] <= calm:
                log.info("%s works again", self._ending.pop(why))


@dataclass
class Worker:
    """The thread in which every use case runs, since the store is synchronous."""

    busy_pause: float = 5.0  # seconds before a database that could not be written is tried again
    stop: asyncio.Event = field(default_factory=asyncio.Event)
    troubles: Troubles = field(default_factory=Troubles)
    lost: LockLostError | None = None  # why the program has to end, if it has to

    def __post_init__(self) -> None:
        self._thread = ThreadPoolExecutor(1, thread_name_prefix="store")

    async def do(self, work: Callable[[], T]) -> T:
        """Run one use case; the program ends where another daemon has its database."""
        loop, context = asyncio.get_running_loop(), copy_context()  # what its log lines name
        try:
            return await loop.run_in_executor(self._thread, context.run, work)
        except LockLostError as error:
            self.lost = error
            self.stop.set()
            raise

    async def attempt(self, what: str, work: Callable[[], T], *, again: bool = True) -> T | None:
        """Run `work`, or log why it failed; the daemon goes on.

        `again`: whether the caller tries the same again, so that its success is logged.
        """
        try:
            done = await self.do(work)
            self.troubles.over(what)
            return done
        except StoreBusyError as error:
            self.troubles.waits(what, error, again=again)
        except LockLostError:
            log.debug("%s was left out: the program ends", what)
        except Exception as error:  # noqa: BLE001  nothing may end the daemon without a word
            self.troubles.fails(what, error)
        return None

    async def retry(self, what: str, work: Callable[[], T]) -> T | None:
        """Run `work`, retrying while the database can't be written; None if the program ends.

        Whatever else goes wrong is the caller's.
        """
        while True:
            try:
                done = await self.do(work)
            except StoreBusyError as error:
                self.troubles.waits(what, error)
                if self.stop.is_set():
                    return None
                await pause_until(self.stop, self.busy_pause)
            else:
                self.troubles.over(what)
                return done

    def end(self) -> None:
        """Finish the thread's work."""
        self._thread.shutdown(wait=True)
