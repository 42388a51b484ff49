"""The tick of many offices: due ones alone, each by itself, and none too late."""

from __future__ import annotations

import logging
from collections.abc import Callable, Iterator
from datetime import timedelta

import pytest

from reminder.domain.ledger import Event, EventKind
from reminder.domain.outbox import Row
from reminder.domain.plan import Key
from reminder.files.documents import PEOPLE
from reminder.province.ticking import SHARDS, Ticker
from reminder.store.offices import Stores, shard_of
from reminder.store.store import Store
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
    put,
)
from tests.services.world import at


@pytest.fixture
def stores() -> Iterator[Stores]:
    stores = Stores(memory_store())
    add_account(stores, "bot")
    yield stores
    stores.close()


@pytest.fixture
def clock() -> Clock:
    return Clock()


def ticker_of(stores: Stores, clock: Clock) -> Ticker:
    return Ticker(cache_of(stores, clock), clock.now)


def tick(ticker: Ticker, *offices: str) -> set[str]:
    """Tick the shards of these offices."""
    woken: set[str] = set()
    for shard in {shard_of(office, SHARDS) for office in offices}:
        woken |= ticker.tick_shard(shard)
    return woken


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


def test_an_answer_during_the_tick_is_not_lost(stores: Stores, clock: Clock) -> None:
    """It comes after the office was claimed, and before that office's own transaction ends."""
    add_office(stores, "a", chats="1")
    ticker = ticker_of(stores, clock)
    claimed, until = ticker.claim(shard_of("a", SHARDS))
    assert due(stores, clock, "a") == [], "no other process takes it meanwhile"
    stores.of("a").bind("an", "telegram", "9", BEGUN)
    ticker.tick(claimed, until)
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
    stores.set_next("a", clock.moment + timedelta(days=400))
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
    stores.hurry("a")
    tick(ticker_of(stores, behind), "a")
    assert [row.id for row in said(stores, "a")] == before
    assert "clock" not in caplog.text


# ---- one faulty office

FAULTS: dict[str, Callable[[Store], None]] = {
    "plan": lambda s: put(s, plan_id(PLAN), "tasks = "),
    "people": lambda s: put(s, PEOPLE, "[[person"),
    "row": lambda s: s.set_meta("last_tick", "yesterday"),
    "head": lambda s: s.set_meta("started:cchc-2024", "x"),
}


@pytest.mark.parametrize("fault", FAULTS)
def test_a_faulty_office_costs_itself_alone_and_is_told_once(
    stores: Stores, clock: Clock, caplog: pytest.LogCaptureFixture, fault: str
) -> None:
    """The others hear what they are to hear; the log names the office once, not each minute."""
    caplog.set_level(logging.INFO)
    for office in ("a", "b", "c"):
        add_office(stores, office, chats=office)
    ticker = ticker_of(stores, clock)
    tick(ticker, "a", "b", "c")
    clock.moment = at("31/01")
    FAULTS[fault](stores.of("b"))
    begun = len(said(stores, "b"))
    for _ in range(5):
        tick(ticker, "a", "b", "c")
        clock.moment += timedelta(minutes=1)
    found = stores.office("b")
    assert found is not None
    assert found.fault
    assert found.fault_since == at("31/01")
    assert stores.faulty() == 1
    assert [sum(r.draft.kind == "nudge" for r in said(stores, o)) > 0 for o in "abc"] == [
        True,
        False,
        True,
    ]
    assert len(said(stores, "b")) == begun, "of a transaction that failed nothing is kept"
    assert caplog.text.count("office b is left out") == 1
    assert "office a" not in caplog.text


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
