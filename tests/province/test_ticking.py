"""The tick of many offices: due ones alone, each by itself, and none too late."""

from __future__ import annotations

import asyncio
import logging
import sqlite3
from collections.abc import Callable
from concurrent.futures import Future
from contextlib import closing
from dataclasses import dataclass, field
from datetime import datetime, time, timedelta
from itertools import count, islice
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from reminder.app import bootstrap
from reminder.domain.calendar import local
from reminder.domain.ledger import Event, EventKind
from reminder.domain.outbox import Row
from reminder.domain.plan import Key
from reminder.files.documents import PEOPLE
from reminder.province.ticking import SHARDS, Ticker, tick_all
from reminder.store.offices import Due, Stores, shard_of
from reminder.store.records import StoreBusyError
from reminder.store.store import Store, open_store
from tests.fakes.blank import memory_store
from tests.province.kit import (
    BEGUN,
    PEOPLE_TEXT,
    PLAN,
    Clock,
    add_account,
    add_office,
    cache_of,
    plan_id,
    province_of,
    put,
    tick_shard,
)
from tests.services.world import at
from tests.store.samples import set_next
from tests.waiting import within


def ticker_of(stores: Stores, clock: Clock) -> Ticker:
    return Ticker(cache_of(stores, clock), clock.now)


def tick(ticker: Ticker, *offices: str) -> set[str]:
    """Tick the shards of these offices."""
    woken: set[str] = set()
    for shard in {shard_of(office, SHARDS) for office in offices}:
        woken |= tick_shard(ticker, shard)
    return woken


def tick_alone(ticker: Ticker, office: str) -> set[str]:
    """Tick the offices of a shard that are due, each in a transaction of its own."""
    claimed, until = ticker.claim(shard_of(office, SHARDS))
    return {account for each in claimed for account in ticker.tick(each, until)}


def neighbours(number: int) -> list[str]:
    """So many offices of one shard."""
    ids = (f"w{n}" for n in count())
    return list(islice((one for one in ids if shard_of(one, SHARDS) == 0), number))


def due(stores: Stores, clock: Clock, *offices: str) -> list[str]:
    """Those of the offices that are due."""
    shards = {shard_of(office, SHARDS) for office in offices}
    return sorted(o for s in shards for o in stores.due_offices(clock.moment, s, SHARDS))


def said(stores: Stores, office: str) -> list[Row]:
    return stores.of(office).rows(limit=100_000)


def test_an_office_is_ticked_when_its_time_has_come_and_not_before(
    stores: Stores, clock: Clock
) -> None:
    """At its hours and at the start of a day; the accounts that got messages are to be woken."""
    add_office(stores, "a", chats="1")
    ticker = ticker_of(stores, clock)
    assert tick(ticker, "a") == {"bot"}, "the plan begins"
    times = []
    for _ in range(4):
        found = stores.office("a")
        assert found is not None
        assert found.next_at is not None
        clock.moment = found.next_at - timedelta(seconds=1)
        assert due(stores, clock, "a") == []
        clock.moment = found.next_at
        assert due(stores, clock, "a") == ["a"]
        times.append(found.next_at)
        tick(ticker, "a")
    assert times == [at("31/01", "07:30"), at("31/01"), at("01/02", "00:00"), at("01/02", "07:30")]
    kinds = {row.draft.kind for row in said(stores, "a")}
    assert kinds == {"notice", "nudge"}


@pytest.mark.parametrize(
    "change",
    [
        lambda s: s.record([done()], unit_names={}, at=BEGUN),
        lambda s: s.bind("an", "telegram", "9", BEGUN),
        lambda s: s.unbind("an"),
        lambda s: s.mark_address_dead("telegram", "1101", "gone", BEGUN),
        lambda s: put(s, PEOPLE, PEOPLE_TEXT + "\n"),
        lambda s: s.count("quota:zalo:2024-01:in"),
    ],
    ids=["answer", "bind", "unbind", "dead", "people", "count"],
)
def test_whatever_happens_to_an_office_has_it_looked_at(
    stores: Stores, clock: Clock, change: object
) -> None:
    assert callable(change)
    add_office(stores, "a", chats="1")
    add_office(stores, "b", chats="2")
    ticker = ticker_of(stores, clock)
    tick(ticker, "a", "b")
    assert due(stores, clock, "a", "b") == []
    change(stores.of("a"))
    assert due(stores, clock, "a", "b") == ["a"]


def done() -> Event:
    key = Key(plan_id(PLAN), "1c", 1, "2024")
    return Event(at=BEGUN, kind=EventKind.DONE, key=key, unit="tu-phap", by="an")


@pytest.mark.parametrize("together", [True, False])
def test_an_answer_during_the_tick_is_not_lost(
    stores: Stores, clock: Clock, together: bool
) -> None:
    """It comes after the office was claimed, and before the transaction of the tick ends."""
    add_office(stores, "a", chats="1")
    ticker = ticker_of(stores, clock)
    claimed, until = ticker.claim(shard_of("a", SHARDS))
    assert due(stores, clock, "a") == [], "no other process takes it meanwhile"
    stores.of("a").bind("an", "telegram", "9", BEGUN)
    if together:
        assert ticker.tick_together(claimed, until) == {"bot"}
    else:
        assert [ticker.tick(each, until) for each in claimed] == [{"bot"}]
    assert due(stores, clock, "a") == ["a"]
    tick(ticker, "a")
    assert due(stores, clock, "a") == []


def test_a_tick_that_was_cut_off_is_done_a_minute_later(stores: Stores, clock: Clock) -> None:
    add_office(stores, "a", chats="1")
    ticker_of(stores, clock).claim(shard_of("a", SHARDS))
    clock.moment += timedelta(minutes=1)
    assert due(stores, clock, "a") == ["a"]


def test_a_time_set_by_a_clock_that_ran_ahead_holds_nobody_up(stores: Stores, clock: Clock) -> None:
    add_office(stores, "a", chats="1")
    set_next(stores, "a", clock.moment + timedelta(days=400))
    assert due(stores, clock, "a") == ["a"]


def test_a_retired_office_is_not_ticked(stores: Stores, clock: Clock) -> None:
    add_office(stores, "a", chats="1")
    stores.retire_office("a", BEGUN)
    assert due(stores, clock, "a") == []


def test_clocks_that_differ_by_minutes_say_nothing_twice(
    stores: Stores, caplog: pytest.LogCaptureFixture
) -> None:
    """One machine's clock is two minutes ahead: an office goes on where the other has ticked it."""
    add_office(stores, "a", chats="1")
    ahead, behind = Clock(at("31/01", "08:01")), Clock(at("31/01", "07:59"))
    tick(ticker_of(stores, ahead), "a")
    before = [row.id for row in said(stores, "a")]
    set_next(stores, "a")
    tick(ticker_of(stores, behind), "a")
    assert [row.id for row in said(stores, "a")] == before
    assert "clock" not in caplog.text


# ---- several offices in one transaction


def state_of(stores: Stores, office: str) -> list[object]:
    """All that a tick leaves of an office."""
    store, found = stores.of(office), stores.office(office)
    assert found is not None
    rows = [(r.draft, r.state) for r in sorted(said(stores, office), key=lambda r: r.id)]
    keys = sorted({key for draft, _ in rows for key in draft.payload.occurrences()})
    named = [len(store.rows(naming=[key], limit=1000)) for key in keys]
    spoken = sorted(store.spoken_of(keys), key=repr)
    kept = {n: v for n, v in store.metas().items() if n.startswith(("tick", "last", "started"))}
    return [rows, named, spoken, kept, store.head(), found.next_at, found.fault]


def test_offices_ticked_together_say_what_each_says_alone(stores: Stores, clock: Clock) -> None:
    """Events, messages, what they name, stages and marks; and each chain is whole."""
    offices = neighbours(6)
    alone, together = offices[:3], offices[3:]
    for number, office in enumerate(offices, start=1):
        add_office(stores, office, chats=str(number))
    ticker = ticker_of(stores, clock)
    for moment in (at("22/01", "07:00"), at("31/01"), at("05/02")):
        clock.moment = moment
        claimed, until = ticker.claim(0)
        for each in claimed:
            if each.id in alone:
                ticker.tick(each, until)
        assert ticker.tick_together([c for c in claimed if c.id in together], until) == {"bot"}
        for office in (alone[0], together[0]):
            service = ticker.cache.service(office)
            service.handle(service.office.people["an"], "xong 2c", moment, channel="cli")
    assert [state_of(stores, office) for office in together] == [
        state_of(stores, office) for office in alone
    ]
    assert {row.draft.kind for row in said(stores, together[1])} == {
        *("notice", "nudge", "escalation", "digest"),
    }
    assert [stores.of(office).verify() for office in offices] == [None] * 6


# ---- one faulty office


def refuse(store: Store) -> None:
    """Have the database take no more messages of this office."""
    with store.database.writing() as connection:
        connection.exec_driver_sql(
            f"CREATE TRIGGER refuse BEFORE INSERT ON outbox WHEN NEW.office = '{store.office}' "
            "BEGIN SELECT RAISE(ABORT, 'refused'); END"
            if store.database.is_sqlite
            else "ALTER TABLE outbox ADD CONSTRAINT refuse "
            f"CHECK (office <> '{store.office}') NOT VALID"
        )


FAULTS: dict[str, Callable[[Store], None]] = {
    "plan": lambda s: put(s, plan_id(PLAN), "tasks = "),
    "people": lambda s: put(s, PEOPLE, "[[person"),
    "row": lambda s: s.set_meta("last_tick", "yesterday"),
    "head": lambda s: s.set_meta("started:cchc-2024", "x"),
    "refused": refuse,
}


@pytest.mark.parametrize("fault", FAULTS)
def test_a_faulty_office_costs_itself_alone_and_is_told_once(
    stores: Stores, clock: Clock, caplog: pytest.LogCaptureFixture, fault: str
) -> None:
    """The others, some of its shard, hear what they are to hear; the log names it once."""
    caplog.set_level(logging.INFO)
    a, b, c = offices = neighbours(3)
    for number, office in enumerate(offices, start=1):
        add_office(stores, office, chats=str(number))
    ticker = ticker_of(stores, clock)
    tick(ticker, *offices)
    clock.moment = at("31/01")
    FAULTS[fault](stores.of(b))
    begun = len(said(stores, b))
    for _ in range(5):
        tick(ticker, *offices)
        clock.moment += timedelta(minutes=1)
    found = stores.office(b)
    assert found is not None
    assert found.fault
    assert found.fault_since == at("31/01")
    assert stores.faulty() == 1
    assert [sum(r.draft.kind == "nudge" for r in said(stores, o)) > 0 for o in offices] == [
        True,
        False,
        True,
    ]
    assert len(said(stores, b)) == begun, "of a transaction that failed nothing is kept"
    assert caplog.text.count(f"office {b} is left out") == 1
    assert [f"office {other}" in caplog.text for other in (a, c)] == [False, False]


def test_a_faulty_office_is_tried_again_at_growing_intervals(stores: Stores, clock: Clock) -> None:
    add_office(stores, "a", chats="1")
    put(stores.of("a"), PEOPLE, "[[person")
    ticker = ticker_of(stores, clock)
    waits = []
    for _ in range(8):
        tick(ticker, "a")
        found = stores.office("a")
        assert found is not None
        assert found.next_at is not None
        waits.append((found.next_at - clock.moment) // timedelta(minutes=1))
        clock.moment = found.next_at
    assert waits == [1, 1, 2, 4, 8, 16, 30, 30]


def test_a_mended_office_goes_on_at_once_with_what_it_missed(
    stores: Stores, clock: Clock, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.INFO)
    add_office(stores, "a", chats="1")
    ticker = ticker_of(stores, clock)
    tick(ticker, "a")
    put(stores.of("a"), PEOPLE, "[[person")
    clock.moment = at("31/01")
    tick(ticker, "a")
    clock.moment = at("31/01", "09:10")
    put(stores.of("a"), PEOPLE, PEOPLE_TEXT)
    tick(ticker, "a")
    found = stores.office("a")
    assert found is not None
    assert (found.fault, found.fault_since) == ("", None)
    assert any(row.draft.kind == "nudge" for row in said(stores, "a"))
    assert "office a works again" in caplog.text


def test_an_office_without_an_account_says_nothing_and_loses_nothing(
    stores: Stores, clock: Clock
) -> None:
    """What it would have said goes out once it has one."""
    add_office(stores, "a", account="", chats="1")
    ticker = ticker_of(stores, clock)
    clock.moment = at("31/01")
    tick(ticker, "a")
    found = stores.office("a")
    assert found is not None
    assert "reminder office account link" in found.fault
    assert said(stores, "a") == []
    stores.link("a", "telegram", "bot")
    clock.moment = at("31/01", "09:00")
    assert tick(ticker, "a") == {"bot"}
    assert any(row.draft.kind == "nudge" for row in said(stores, "a"))


# ---- none too late

MINUTE = timedelta(minutes=1)
WORDS = ("xong 1c", "chưa xong 2c", "/done 4a", "hoãn 2c 3 ngày", "/undo 1c", "đang làm 1c")


CHANGES = st.lists(
    st.tuples(st.floats(0, 1), st.sampled_from(WORDS), st.sampled_from(["an", "chi"])), max_size=8
)


@settings(max_examples=2)
@given(said=CHANGES)
@pytest.mark.thorough
def test_ticking_when_an_office_is_due_says_what_ticking_each_minute_says(
    said: list[tuple[float, str, str]],
) -> None:
    """Ten days with answers and another list of people: the same messages, at the same times."""
    _compare(said, at("15/01", "06:00"), days=10, minutes=10)


@pytest.mark.thorough
@pytest.mark.no_cover
@pytest.mark.parametrize(("day", "days"), [("25/03", 20), ("20/12", 45)], ids=["quarter", "year"])
@settings(max_examples=1)
@given(said=CHANGES)
def test_ticking_when_due_says_the_same_where_a_period_turns(
    day: str, days: int, said: list[tuple[float, str, str]]
) -> None:
    """A quarter ends, or the year, until its plan is over."""
    _compare(said, at(day, "06:00"), days=days, minutes=30)


def _compare(
    said: list[tuple[float, str, str]], first: datetime, *, days: int, minutes: int
) -> None:
    last = first + timedelta(days=days)
    changes = [(first + part * timedelta(days=days), words, who) for part, words, who in said]
    changes.append((first + timedelta(days=days / 2), "", ""))
    rows = []
    for step in (minutes, 0):
        with closing(Stores(memory_store())) as stores:
            rows.append(_played(stores, first, last, sorted(changes), step))
    assert rows[0] == rows[1]


def _played(
    stores: Stores,
    first: datetime,
    last: datetime,
    changes: list[tuple[datetime, str, str]],
    step: int,
) -> list[tuple[object, ...]]:
    """Ticks from the first to the last day; what was queued, and when.

    `step`: minutes between two ticks of a morning; 0: it is ticked when it is due.
    """
    add_account(stores, "bot")
    add_office(stores, "a", chats="1")
    clock = Clock(first)
    ticker = ticker_of(stores, clock)
    waiting = list(changes)
    while clock.moment < last:
        while waiting and waiting[0][0] <= clock.moment:
            moment, words, who = waiting.pop(0)
            if words:
                person = ticker.cache.service("a").office.people[who]
                ticker.cache.service("a").handle(person, words, moment, channel="cli")
            else:
                put(stores.of("a"), PEOPLE, PEOPLE_TEXT.replace('"An"', '"An Bình"'))
        if step:
            set_next(stores, "a")
        tick_alone(ticker, "a") if step else tick(ticker, "a")
        found = stores.office("a")
        assert found is not None
        assert not found.fault
        change = waiting[0][0] if waiting else last
        if step:
            clock.moment = min(_next_step(clock.moment, step), _up(change))
        else:
            assert found.next_at is not None
            clock.moment = min(found.next_at, _up(change))
    return sorted(
        (
            r.draft.slot,
            r.draft.due_at,
            r.draft.recipient,
            r.draft.kind,
            r.draft.subject,
            repr(r.draft.payload),
        )
        for r in said(stores, "a")
    )


def _up(moment: datetime) -> datetime:
    """The next whole minute."""
    whole = moment.replace(second=0, microsecond=0)
    return whole if whole == moment else whole + MINUTE


def _next_step(now: datetime, step: int) -> datetime:
    """The next tick of the other side: so many minutes on in a morning, each hour of the rest."""
    if time(7) <= local(now).time() < time(9):
        return now.replace(second=0, microsecond=0) + timedelta(minutes=step - now.minute % step)
    return now.replace(minute=0, second=0, microsecond=0) + timedelta(hours=1)


# ---- the job of a shard


def test_a_tick_goes_on_once_the_database_can_be_written(tmp_path: Path, clock: Clock) -> None:
    """It was locked after the offices were claimed: none waits for its claim to end."""
    asyncio.run(_locked(tmp_path, clock))


async def _locked(tmp_path: Path, clock: Clock) -> None:
    path = tmp_path / "r.db"
    store = open_store(f"sqlite:///{path}", exclusive=False, sleep=bootstrap.pause, busy=0)
    lock = sqlite3.connect(path, check_same_thread=False, isolation_level=None)
    with closing(Stores(store)) as stores, closing(lock):
        add_account(stores, "bot")
        add_office(stores, "a", chats="1")
        province = province_of(stores, clock)
        ticker = Locked(province.cache, clock.now, lock=lock)
        doing = asyncio.ensure_future(tick_all(ticker, province, shard_of("a", SHARDS), 0.3))
        await within(asyncio.wrap_future(ticker.met), "the offices' claim")
        lock.execute("ROLLBACK")
        assert await within(doing, "the tick") == ["a"]
        assert said(stores, "a") != []
        province.worker.end()


@dataclass
class Locked(Ticker):
    """A ticker whose database is locked by another program after the first claim."""

    lock: sqlite3.Connection = field(kw_only=True)
    met: Future[None] = field(default_factory=Future)  # done once a tick has met the lock

    def claim(self, shard: int) -> tuple[list[Due], datetime]:
        found = super().claim(shard)
        self.lock.execute("BEGIN IMMEDIATE")
        return found

    def tick(self, due: Due, claimed: datetime) -> set[str]:
        try:
            return super().tick(due, claimed)
        except StoreBusyError:
            if not self.met.done():
                self.met.set_result(None)
            raise
