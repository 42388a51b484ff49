"""The tick of many offices: those that are due, each in a transaction of its own.

Offices are spread over shards, each the key of a job that is done each minute. An office is looked
at when its time has come (`next_at`), or something has happened to it: what changes it takes that
time away. A faulty one costs itself alone, and is tried again at growing intervals.
"""

from __future__ import annotations

import logging
from collections.abc import Callable, Iterable
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from functools import partial

from reminder.domain.errors import ReminderError
from reminder.province.cache import OfficeCache
from reminder.province.figures import FiguresKeeper
from reminder.province.process import Part, Province
from reminder.services.office import counted
from reminder.store.figures import FiguresTable
from reminder.store.offices import Due
from reminder.store.records import StoreBusyError

log = logging.getLogger(__name__)

SHARDS = 64
TICK, SEND = "tick", "send"  # the engine's roles
CLAIM = timedelta(minutes=1)  # after it an office whose tick was cut off is due again
SKEW = timedelta(minutes=5)  # what the clocks of several machines may differ by
SOONEST, LATEST = timedelta(minutes=1), timedelta(minutes=30)  # until a faulty one is tried again
NO_CHANNEL = "chưa dùng tài khoản nào để gửi tin: reminder office account link"
LONGEST_FAULT = 500  # characters


@dataclass
class Ticker:
    """Ticks offices; used from the store's one thread."""

    cache: OfficeCache
    now: Callable[[], datetime]
    ticked: list[str] = field(default_factory=list)  # offices, by the last `tick_shard`

    def claim(self, shard: int) -> tuple[list[Due], datetime]:
        """Return the offices of a shard that are due, and until when they are this process's."""
        now = self.now()
        until = now + CLAIM
        due = self.cache.stores.claim_due(now, until, shard, SHARDS)
        self.cache.look(each.id for each in due)
        return due, until

    def tick(self, offices: Iterable[Due], claimed: datetime) -> set[str]:
        """Tick these offices; return the accounts that got messages."""
        woken: set[str] = set()
        for due in offices:
            try:
                woken.update(self._tick(due, claimed))
            except StoreBusyError:
                raise  # all others would meet it too; what is claimed comes due again
            except Exception as error:  # noqa: BLE001  one faulty office must not cost the others
                self._note_fault(due, error, claimed)
        return woken

    def _tick(self, due: Due, claimed: datetime) -> Iterable[str]:
        service, now = self.cache.service(due.id), self.now()
        if not service.office.outside:
            raise ReminderError(NO_CHANNEL)
        with service.store.ticking():
            rows = service.tick(now, skew=SKEW)
            self.cache.stores.settle(due.id, claimed, service.next_tick(now))
        if due.fault:
            log.info("office %s works again", due.id)
        return self.cache.accounts(due.id).values() if rows else ()

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

    def tick_shard(self, shard: int) -> set[str]:
        """Tick all of a shard that are due; return the accounts that got messages."""
        due, claimed = self.claim(shard)
        woken = self.tick(due, claimed)
        if due:
            log.debug("shard %d: %s ticked", shard, counted(len(due), "office"))
        self.ticked = [each.id for each in due]
        return woken


def part(province: Province) -> Part:
    """Return what the role tick does."""
    ticker = Ticker(province.cache, province.clock.now)
    keeper = FiguresKeeper(province.cache, FiguresTable(province.stores))

    async def tick(shard: str) -> None:
        woken, ticked = await province.do(lambda: (ticker.tick_shard(int(shard)), ticker.ticked))
        await province.engine.wake(SEND, *woken)
        for office in ticked:  # one by one, so that other work goes between
            await province.do(partial(keeper.keep, office, province.clock.now()))

    every = tuple((60.0, TICK, str(shard)) for shard in range(SHARDS))
    return Part(handlers={TICK: tick}, every=every)
