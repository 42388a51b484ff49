"""The tick of many offices: those that are due, several in one transaction.

Where one of these can't be ticked, each gets a transaction of its own.

Offices are spread over shards, each the key of a job that is done each minute. An office is looked
at when its time has come (`next_at`), or something has happened to it: what changes it takes that
time away. A faulty one costs itself alone, and is tried again at growing intervals.
"""

from __future__ import annotations

import logging
from collections.abc import Callable, Iterable, Sequence
from contextlib import ExitStack, suppress
from dataclasses import dataclass
from datetime import datetime, timedelta
from functools import partial
from itertools import chain

from reminder.app.logs import bound
from reminder.domain.errors import ReminderError
from reminder.ops.supervisor import pause_until
from reminder.province.cache import OfficeCache
from reminder.province.figures import FiguresKeeper
from reminder.province.process import Part, Province
from reminder.services.service import Service
from reminder.services.tick import Tick
from reminder.store.figures import FiguresTable
from reminder.store.offices import Due
from reminder.store.records import StoreBusyError

log = logging.getLogger(__name__)

SHARDS = 64
TICK, SEND = "tick", "send"  # the engine's roles
CLAIM = timedelta(minutes=1)  # after it an office whose tick was cut off is due again
SOON = timedelta(minutes=10)  # before their time services are made, where none waits
TOGETHER = 25  # offices of a transaction: some 50 ms, during which nothing else is done
AT_ONCE = 8  # of a shard's services that are made in a minute: meanwhile nothing else is done
TRIES, PAUSE = 10, 2.0  # of offices while the database does not answer; seconds
SOME_BUSY = 3  # in a row from the first on: then it is not these offices' rows
SKEW = timedelta(minutes=5)  # what the clocks of several machines may differ by
SOONEST, LATEST = timedelta(minutes=1), timedelta(minutes=30)  # until a faulty one is tried again
NO_CHANNEL = "chưa dùng tài khoản nào để gửi tin: reminder office account link"
LONGEST_FAULT = 500  # characters


@dataclass
class Ticker:
    """Ticks offices; used from the store's one thread."""

    cache: OfficeCache
    now: Callable[[], datetime]

    def claim(self, shard: int) -> tuple[list[Due], datetime]:
        """Return the offices of a shard that are due, and until when they are this process's."""
        now = self.now()
        until = now + CLAIM
        due = self.cache.stores.claim_due(now, until, shard, SHARDS)
        self.cache.look(each.id for each in due)
        return due, until

    def tick_together(self, some: Sequence[Due], claimed: datetime) -> set[str] | None:
        """Tick offices in one transaction; return the accounts that got messages.

        None, and nothing has come about, where one of them fails. StoreBusyError: not now.
        """
        stores = self.cache.stores
        try:
            services = {each.id: self._service(each) for each in some}
            with ExitStack() as stack:
                stack.enter_context(stores.gathering())
                for service in services.values():
                    stack.enter_context(service.store.ticking())
                now, standings = self.now(), stores.standings(services)
                begun: dict[str, Tick] = {}
                for each, service in services.items():
                    with bound(office=each):
                        begun[each] = service.begin_tick(standings[each], now, SKEW)
                before = stores.spoken_among({each: tick.places for each, tick in begun.items()})
                rows: dict[str, int] = {}
                for each, tick in begun.items():
                    with bound(office=each):
                        rows[each] = tick.queue(services[each].store, before[each])
                next_at = {each: service.next_tick(now) for each, service in services.items()}
                stores.settle_all(claimed, next_at)
        except StoreBusyError:
            raise
        except Exception as error:  # noqa: BLE001  which of them it is shows when each is ticked
            log.debug("offices are ticked one by one: %s", error)
            return None
        return {used for each in rows if rows[each] for used in self.cache.accounts(each).values()}

    def tick(self, due: Due, claimed: datetime) -> set[str]:
        """Tick an office; return the accounts that got messages. StoreBusyError: not now."""
        with bound(office=due.id):
            try:
                return set(self._tick(due, claimed))
            except StoreBusyError:
                raise  # the database's trouble, not the office's
            except Exception as error:  # noqa: BLE001  one faulty office must not cost the others
                self._note_fault(due, error, claimed)
                return set()

    def warm(self, shard: int) -> None:
        """Make some of the services that are needed soon, as far as they fit."""
        soon = self.cache.stores.due_offices(self.now() + SOON, shard, SHARDS)
        for office in [each for each in soon if each not in self.cache][:AT_ONCE]:
            if self.cache.is_full:
                return
            with suppress(ReminderError):  # told when it is ticked
                self.cache.service(office)

    def _tick(self, due: Due, claimed: datetime) -> Iterable[str]:
        service, now = self._service(due), self.now()
        with service.store.together(), service.store.ticking():
            rows = service.tick(now, skew=SKEW)
            self.cache.stores.settle(due.id, claimed, service.next_tick(now))
        if due.fault:
            log.info("office %s works again", due.id)
        return self.cache.accounts(due.id).values() if rows else ()

    def _service(self, due: Due) -> Service:
        service = self.cache.service(due.id)
        if not service.office.outside:
            raise ReminderError(NO_CHANNEL)
        return service

    def _note_fault(self, due: Due, error: Exception, claimed: datetime) -> None:
        """Keep why an office can't be ticked, and log it once."""
        self.cache.forget(due.id)  # what its transaction had read may be of no use
        ours, now = isinstance(error, ReminderError), self.now()
        words = "; ".join(str(error).splitlines()) if ours else f"{type(error).__name__}: {error}"
        words = words[:LONGEST_FAULT] or type(error).__name__
        since = due.fault_since if due.fault and due.fault_since else now
        if words != due.fault:
            told = None if ours else error
            log.error("office %s is left out, the others go on: %s", due.id, words, exc_info=told)
        again = now + min(max(now - since, SOONEST), LATEST)
        self.cache.stores.settle(due.id, claimed, again, fault=words, fault_since=since)


def parts_of(due: Sequence[Due]) -> tuple[list[list[Due]], list[Due]]:
    """Return those that are ticked together, in parts, and those that are ticked alone."""
    sound = [each for each in due if not each.fault]
    parts = [sound[at : at + TOGETHER] for at in range(0, len(sound), TOGETHER)]
    return parts, [each for each in due if each.fault]


async def tick_all(
    ticker: Ticker, province: Province, shard: int, pause: float = PAUSE
) -> list[str]:
    """Tick all of a shard that are due, in parts, so that other work goes between.

    Where the database does not answer it is tried for some seconds, as long as a server takes to
    come back or another to step in. Return the offices that were ticked.
    """
    due, claimed = await province.do(partial(ticker.claim, shard))
    together, alone = parts_of(due)
    ticked: list[str] = []
    woken: set[str] = set()
    for at, some in enumerate(together):
        if province.worker.stop.is_set():
            return ticked  # the rest comes due again
        try:
            found = await province.do(partial(ticker.tick_together, some, claimed))
        except StoreBusyError:
            alone += chain.from_iterable(together[at:])
            break
        if found is None:
            alone += some
        else:
            woken |= found
            ticked += [each.id for each in some]
    await province.engine.wake(SEND, *sorted(woken))
    return ticked + await _tick_alone(ticker, province, alone, claimed, pause)


async def _tick_alone(
    ticker: Ticker, province: Province, due: Sequence[Due], claimed: datetime, pause: float
) -> list[str]:
    """Tick offices one by one; return those that were ticked."""
    ticked: list[str] = []
    for n in range(TRIES):
        woken: set[str] = set()
        left: list[Due] = []
        for at, each in enumerate(due):
            if province.worker.stop.is_set():
                return ticked  # the rest comes due again
            try:
                woken |= await province.do(partial(ticker.tick, each, claimed))
                ticked.append(each.id)
            except StoreBusyError as error:
                left.append(each)
                busy = error
                if len(left) > SOME_BUSY and len(left) > at:  # none was ticked
                    left += due[at + 1 :]
                    break
        await province.engine.wake(SEND, *sorted(woken))
        if not left:
            break
        if n == TRIES - 1:
            raise busy
        due = left
        await pause_until(province.worker.stop, pause)
    return ticked


def part(province: Province) -> Part:
    """Return what the role tick does."""
    ticker = Ticker(province.cache, province.clock.now)
    keeper = FiguresKeeper(province.cache, FiguresTable(province.stores))

    async def tick(shard: str) -> None:
        ticked = await tick_all(ticker, province, int(shard))
        for office in ticked:
            await province.do(partial(keeper.keep, office, province.clock.now()))
        if not ticked:
            await province.do(partial(ticker.warm, int(shard)))

    every = tuple((60.0, TICK, str(shard)) for shard in range(SHARDS))
    return Part(handlers={TICK: tick}, every=every)
