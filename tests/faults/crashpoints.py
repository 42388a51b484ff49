"""Every point of the office's month at which a crash makes a difference, one by one.

usage: python -m tests.faults.crashpoints [--point N] [--every N] [--twice N] [--seed S] [--jobs N]

The month runs in one process: service, store and dispatcher are the daemon's, the store's work is
done where it is asked for, the clock is virtual, the providers are in process and always accept. So
two runs meet the same points in the same order. What a crash leaves behind is what the database has
committed and what the providers have; they change at a commit, at a message that a provider accepts
and at an update that is confirmed to it, and nowhere else: before one of these is after another.
After each the process forks; the child throws away all that is in memory, starts the program anew
on what is left, and goes on with the month: for three days, each `WHOLE`th to its end, and each
`--twice`th through a second crash.

It is judged by the month without a crash: the same messages reach the same people, the same events
stand in the ledger; what comes twice says so, and was in flight at a crash. A failing point prints
its number; `--point N` plays it alone.
"""

from __future__ import annotations

import argparse
import asyncio
import json
import logging
import os
import random
import sys
import time
import traceback
import warnings
from collections import Counter
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field, replace
from datetime import datetime
from functools import partial
from typing import Any, TypeVar

from reminder.app.channels import known_channels
from reminder.app.dispatcher import Dispatcher
from reminder.domain.context import Inbound
from reminder.domain.outbox import Outbound, RowState
from reminder.domain.people import Person
from reminder.domain.schedule import Scheduler
from reminder.files.calendar import load_calendar
from reminder.files.plan import load_plan
from reminder.messages.rows import RowRenderer
from reminder.ops.supervisor import Worker
from reminder.services.office import Files, Office
from reminder.services.service import Service
from tests.conftest import ROOT
from tests.fakes.blank import contents_of, memory_store
from tests.fakes.zalo import chat_of
from tests.faults.month import hours_of
from tests.faults.office import (
    ANSWERS,
    BY_MAIL,
    BY_ZALO,
    CHATS,
    DAYS,
    GROUP,
    IN_GROUP,
    INTRUDERS,
    STRANGER,
    UNIT_OF,
)  # fmt: skip
from tests.faults.verdict import REPEAT, row_key
from tests.services.world import EMAIL, TELEGRAM, at

T = TypeVar("T")
AFTER = 15  # moments that a child plays on: three working days
WHOLE = 25
IN_FLIGHT = 8
LEASED = 3 * IN_FLIGHT  # messages of all channels that may be marked though they come once
PLAN = load_plan(ROOT / "data/plan2024.toml")
SCHEDULER = Scheduler(load_calendar(ROOT / "config/calendar.toml", [2023, 2024, 2025]))
ZALO = "zalo"
CHANNELS = (TELEGRAM, ZALO, EMAIL)


def address_of(who: str) -> tuple[str, str]:
    """The channel by which somebody writes, and their address in it; a stranger's by Telegram."""
    if who in BY_MAIL:
        return EMAIL, f"{who}@example.vn"
    if who in BY_ZALO:
        return ZALO, chat_of(who)
    return TELEGRAM, str(CHATS.get(who, STRANGER))


PEOPLE = tuple(
    Person(
        id=name, name=name.capitalize(), units=(unit,), email=f"{name}@example.vn",
        channels=tuple(dict.fromkeys([address_of(name)[0], EMAIL])),
    )
    for name, unit in UNIT_OF.items()
)  # fmt: skip
FILES = Files(plans=(PLAN,), people=PEOPLE, scheduler=SCHEDULER)


class CrashError(SystemExit):
    """The program ends here, and leaves `left` behind; asyncio lets no task keep a SystemExit."""

    def __init__(self, left: Left) -> None:
        super().__init__()
        self.left = left


@dataclass
class Providers:
    """What is outside the program, and survives it."""

    moment: int = -1  # the newest whose messages have been written
    sent: list[tuple[str, str]] = field(default_factory=list)  # key of the row, text
    waiting: list[Inbound] = field(default_factory=list)  # not confirmed yet


@dataclass(frozen=True)
class Left:
    """What a crash leaves behind."""

    database: bytes
    providers: Providers
    moment: int  # that was being played


@dataclass
class Channel:
    """Accepts each message."""

    name: str
    run: Run

    async def send(self, address: str, message: Outbound, key: str) -> str:
        del address
        await asyncio.sleep(0)  # on its way
        sent = self.run.providers.sent
        sent.append((f"{self.name}/{key}", message.text))
        self.run.reached(self.run)
        await asyncio.sleep(0)  # its answer is
        return str(1000 + len(sent))

    def turn(self, address: str) -> None:
        """Nobody waits."""

    def halt(self) -> None:
        """Nothing waits."""

    async def stop(self) -> None:
        """Nothing is open."""


class InlineWorker(Worker):
    """Runs each use case where it is asked for."""

    async def do(self, work: Callable[[], T]) -> T:
        await asyncio.sleep(0)
        return work()


class Loop(asyncio.SelectorEventLoop):
    """A loop on which no time passes, so that no time-out of the real clock adds a point."""

    def time(self) -> float:
        return 0.0


def played(run: Run, until: int) -> None:
    """Play the moments up to `until`."""
    loop = Loop()
    try:
        loop.run_until_complete(run.play(until))
    finally:
        loop.close()  # what is under way ends here, as in a crash


@dataclass
class Clock:
    moment: datetime

    def now(self) -> datetime:
        return self.moment


@dataclass
class Run:
    """One life of the program, from the moment `left` on."""

    left: Left
    moments: list[tuple[str, str]]
    reached: Callable[[Run], None]  # called at each point
    over: Callable[[Run], None] = lambda _: None  # called after each moment

    def __post_init__(self) -> None:
        kept = self.left.providers
        self.providers = replace(kept, sent=[*kept.sent], waiting=[*kept.waiting])
        self.store = memory_store(self.left.database or None)
        self.moment = self.left.moment
        dialect: Any = self.store.database._writer.dialect
        commit, changes = dialect.do_commit, 0

        def committed(connection: Any) -> None:
            nonlocal changes
            commit(connection)
            if connection.total_changes > changes:  # else it has only read
                changes = connection.total_changes
                self.reached(self)

        dialect.do_commit = committed

    def leaves(self) -> Left:
        """What a crash now leaves behind."""
        kept = self.providers
        providers = replace(kept, sent=[*kept.sent], waiting=[*kept.waiting])
        return Left(contents_of(self.store), providers, self.moment)

    async def play(self, until: int) -> None:
        """Start the program, and play the moments up to `until`."""
        clock = Clock(at(*self.moments[self.moment]))
        service = Service(
            store=self.store,
            renderer=RowRenderer().render,
            office=Office(files=FILES, channels=CHANNELS, known=known_channels()),
            bot_names={TELEGRAM: "nhac_bot"},
        )
        if self.providers.moment < 0:
            self._enrol(clock.moment)
        service.begin(clock.moment)
        channels = {name: Channel(name, self) for name in CHANNELS}
        dispatcher = Dispatcher(service, dict(channels), clock, InlineWorker(), IN_FLIGHT)
        sending = asyncio.create_task(dispatcher.run())
        for moment in range(self.moment, until + 1):
            self.moment = moment
            day, hour = self.moments[moment]
            clock.moment = at(day, hour)
            if self.providers.moment < moment:
                self.providers.moment = moment
                self.providers.waiting += written(day, hour, moment)
            service.tick(clock.moment)
            dispatcher.wake()
            while self.providers.waiting:
                said = partial(service.take, self.providers.waiting[0])
                await dispatcher.worker.do(partial(dispatcher.take, said))
                await dispatcher.taken()
                self.providers.waiting.pop(0)
                self.reached(self)
            await self._settled(service, dispatcher, sending)
            self.over(self)
        dispatcher.worker.stop.set()
        dispatcher.wake()
        await sending

    async def _settled(
        self, service: Service, dispatcher: Dispatcher, sending: asyncio.Task[None]
    ) -> None:
        """Until nothing that is due waits, and nothing is on its way."""
        now = at(*self.moments[self.moment])
        while True:
            for _ in range(20):
                await asyncio.sleep(0)
            if sending.done():
                await sending
                raise AssertionError("the dispatcher has ended")
            due = service.next_due()
            if not dispatcher.held and (due is None or due > now):
                return
            dispatcher.wake()

    def _enrol(self, now: datetime) -> None:
        for name in (*CHATS, *BY_ZALO):
            self.store.bind(name, *address_of(name), now)
        self.store.bind(f"group:{IN_GROUP}", TELEGRAM, str(GROUP), now)


def written(day: str, hour: str, moment: int) -> Iterator[Inbound]:
    """What people write at this moment, those without a right included."""
    texts = [(a.who, a.text) for a in ANSWERS if (a.day, a.hour) == (day, hour)]
    if hour == "09:30":
        texts.append(INTRUDERS[moment % len(INTRUDERS)])
    for number, (who, text) in enumerate(texts):
        channel, sender = address_of(who)
        name = f"{moment}-{number}"
        yield Inbound(
            channel=channel, update=name, sender=sender, chat=sender, private=True, text=text,
            message=name,
        )  # fmt: skip


@dataclass(frozen=True)
class Found:
    """What stands after a moment: who got what, and the ledger."""

    messages: frozenset[str]  # their rows' keys
    events: tuple[str, ...]


def found(run: Run) -> Found:
    events = [recorded.event for recorded in run.store.events()]
    said = sorted(f"{e.at:%d/%m %H:%M} {e.kind.value} {e.key.task} {e.unit} {e.by}" for e in events)
    return Found(frozenset(key for key, _ in run.providers.sent), tuple(said))


@dataclass
class Verdict:
    """What became of one crash, or of many."""

    points: int = 0
    lost: int = 0
    twice: int = 0
    marked_once: int = 0  # messages that came once and say that they may be a repeat
    most_marked: int = 0  # of these, after one crash
    answers_lost: int = 0
    why: list[str] = field(default_factory=list)

    def add(self, other: Verdict) -> None:
        self.points += other.points
        self.lost += other.lost
        self.twice += other.twice
        self.marked_once += other.marked_once
        self.most_marked = max(self.most_marked, other.most_marked)
        self.answers_lost += other.answers_lost
        self.why += other.why


def judged(run: Run, expected: Found, crashes: list[Left]) -> Verdict:
    """Compare what a month with crashes came to with the month without any."""
    seen = found(run)
    verdict = Verdict(points=1)
    lost = expected.messages - seen.messages
    verdict.lost = len(lost)
    verdict.why += [f"lost: {key}" for key in sorted(lost)]
    verdict.why += [f"nobody's: {key}" for key in sorted(seen.messages - expected.messages)]
    missing = Counter(expected.events) - Counter(seen.events)
    verdict.answers_lost = missing.total()
    verdict.why += [f"not in the ledger: {event}" for event in missing]
    verdict.why += [
        f"beyond the ledger: {event}" for event in Counter(seen.events) - Counter(expected.events)
    ]
    if broken := run.store.verify():
        verdict.why.append(f"the chain is broken: {broken}")
    open_leases = set().union(*map(leased, crashes))
    copies: dict[str, list[str]] = {}
    for key, text in run.providers.sent:
        copies.setdefault(key, []).append(text)
    for key, texts in copies.items():
        marks = [REPEAT in text for text in texts]
        verdict.twice += len(texts) - 1
        verdict.marked_once += len(texts) == 1 and marks[0]
        if not all(marks[1:]):
            verdict.why.append(f"came {len(texts)} times, unmarked: {key}")
        if (len(texts) > 1 or any(marks)) and key not in open_leases:
            verdict.why.append(f"marked or twice, and was not in flight: {key} {marks}")
    verdict.most_marked = verdict.marked_once
    if verdict.marked_once > LEASED * len(crashes):
        verdict.why.append(f"{verdict.marked_once} messages that came once are marked")
    return verdict


def leased(left: Left) -> set[str]:
    """The keys of the rows that a crash leaves under way."""
    store = memory_store(left.database) if left.database else None
    rows = store.rows(states=[RowState.LEASED], limit=1000) if store else []
    return {f"{row.draft.channel}/{row_key(row.draft)}" for row in rows}


@dataclass
class Month:
    """The month without a crash: what stands after each moment, and how many points it has."""

    moments: list[tuple[str, str]]
    expected: list[Found] = field(default_factory=list)
    points: int = 0

    @property
    def left(self) -> Left:
        return Left(b"", Providers(), 0)

    def play(self) -> None:
        """Play it once, and note what each moment comes to."""

        def count(_: Run) -> None:
            self.points += 1

        run = Run(self.left, self.moments, count, lambda run: self.expected.append(found(run)))
        played(run, len(self.moments) - 1)


def crashed(month: Month, number: int, left: Left, *, second: int, whole: bool) -> Verdict:
    """Start anew on what point `number` left; end once more at the `second` point, if any."""
    crashes = [left]
    last = len(month.moments) - 1
    until = last if whole else min(left.moment + AFTER, last)
    reached = 0

    def again(run: Run) -> None:
        nonlocal reached
        reached += 1
        if reached == second:
            raise CrashError(run.leaves())

    run = Run(left, month.moments, again)
    try:
        played(run, until)
    except CrashError as crash:
        crashes.append(crash.left)
        run = Run(crash.left, month.moments, lambda _: None)
        played(run, until)
    verdict = judged(run, month.expected[until], crashes)
    verdict.why = [f"point {number}{f'+{second}' if second else ''}: {w}" for w in verdict.why]
    return verdict


@dataclass
class Children:
    """The processes that play on from a point, at most `jobs` at once."""

    jobs: int
    total: Verdict = field(default_factory=Verdict)
    _pipes: list[tuple[int, int]] = field(default_factory=list)  # process, where it writes

    def start(self, work: Callable[[], Verdict]) -> None:
        while len(self._pipes) >= self.jobs:
            self._reap()
        reading, writing = os.pipe()
        child = os.fork()
        if child:
            os.close(writing)
            self._pipes.append((child, reading))
            return
        try:
            warnings.simplefilter("ignore")  # of coroutines that the crash leaves behind
            asyncio.events._set_running_loop(
                None
            )  # the parent's, in the middle of whose run we are
            verdict = work()
        except BaseException:  # noqa: BLE001  it is told, with the point's number
            verdict = Verdict(points=1, why=[traceback.format_exc()])
        with os.fdopen(writing, "w", encoding="utf-8") as pipe:
            json.dump(vars(verdict), pipe)
        os._exit(0)

    def _reap(self) -> None:
        child, reading = self._pipes.pop(0)
        with os.fdopen(reading, encoding="utf-8") as pipe:
            told = pipe.read()
        os.waitpid(child, 0)
        self.total.add(Verdict(**json.loads(told)))

    def end(self) -> Verdict:
        while self._pipes:
            self._reap()
        return self.total


def crash_everywhere(
    days: tuple[str, ...], *, every: int, twice: int, seed: int, jobs: int, only: int = 0
) -> tuple[Month, Verdict]:
    """Crash at each `every`th point of `days`, each `twice`th time again; or at `only` alone."""
    month = Month(hours_of(days))
    month.play()
    children, rng, number = Children(jobs), random.Random(seed), 0

    def reached(run: Run) -> None:
        nonlocal number
        number += 1
        second = rng.randrange(1, 40)
        if number != only if only else number % every:
            return
        left, point = run.leaves(), number
        again = second if twice and number // every % twice == 0 else 0
        whole = number // every % WHOLE == 0
        children.start(lambda: crashed(month, point, left, second=again, whole=whole))

    run = Run(month.left, month.moments, reached)
    played(run, len(month.moments) - 1)
    return month, children.end()


def main() -> int:
    """The exit code: 1 if a promise was not kept."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawTextHelpFormatter
    )
    parser.add_argument("--point", type=int, default=0, help="this one alone")
    parser.add_argument("--every", type=int, default=1, help="each n-th point (1)")
    parser.add_argument("--twice", type=int, default=5, help="a second crash at each n-th (5)")
    parser.add_argument("--seed", type=int, default=2024, help="of the second crashes (2024)")
    parser.add_argument("--jobs", type=int, default=2, help="points at the same time (2)")
    asked = parser.parse_args()
    logging.disable(logging.ERROR)  # each start tells that the last run was killed
    began = time.monotonic()
    month, verdict = crash_everywhere(
        DAYS, every=asked.every, twice=asked.twice, seed=asked.seed, jobs=asked.jobs,
        only=asked.point,
    )  # fmt: skip
    sys.stderr.writelines(f"{why}\n" for why in verdict.why)
    minutes = (time.monotonic() - began) / 60
    cells = {
        "points": month.points, "crashes": verdict.points,
        "messages": len(month.expected[-1].messages), "lost": verdict.lost,
        "sent twice, marked": verdict.twice, "sent once, marked": verdict.marked_once,
        "of them at most after one crash": verdict.most_marked,
        "answers": len(month.expected[-1].events), "answers lost": verdict.answers_lost,
    }  # fmt: skip
    rows = (cells, ["---"] * len(cells), [f"{number:,}" for number in cells.values()])
    sys.stdout.writelines(f"| {' | '.join(row)} |\n" for row in rows)
    sys.stdout.write(f"\nseed {asked.seed}, {minutes:.1f} minutes\n")
    return 1 if verdict.why else 0


if __name__ == "__main__":
    sys.exit(main())
