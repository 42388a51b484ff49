"""The contract of the ledger, on the fake store and on the real one."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime, timedelta, timezone

from reminder.domain.ledger import EventKind
from reminder.store.ledger import GENESIS
from reminder.store.records import Broken
from reminder.store.store import Store
from tests.store.samples import CHANNELS, HOLD, NOW, UNITS, draft, event, said, spoken


def test_an_event_comes_back_as_it_was_said(store: Store) -> None:
    """Every field is kept, with the unit's name as it stood; numbers have no gaps."""
    first = event(note="đã ký\n<b>xong</b> 🎉")
    second = event(kind=EventKind.UNDONE, until=None, by="", evidence="")
    assert store.record([first], unit_names=UNITS, at=NOW)
    assert store.record([second], unit_names={"tu-phap": "Tư pháp"}, at=NOW)
    kept = store.events()
    assert [(one.number, one.event, one.unit_name) for one in kept] == [
        (1, first, UNITS["tu-phap"]),
        (2, second, "Tư pháp"),
    ]
    assert store.head() == (2, kept[-1].hash)
    assert store.events(after=1) == kept[1:]


def test_a_unit_without_a_name_is_kept_by_its_id(store: Store) -> None:
    store.record([event()], unit_names={}, at=NOW)
    assert [one.unit_name for one in store.events()] == ["tu-phap"]


def test_times_come_back_in_utc(store: Store) -> None:
    """An event told in the office's time is the same instant, and the same link of the chain."""
    hanoi = timezone(timedelta(hours=7))
    store.record([event(at=datetime(2024, 1, 24, 8, 0, tzinfo=hanoi))], unit_names=UNITS, at=NOW)
    assert store.events()[0].event.at == datetime(2024, 1, 24, 1, 0, tzinfo=UTC)
    assert store.verify() is None


def test_all_that_belongs_together_is_written_together(store: Store) -> None:
    """An answer: its event, its reply, what was spoken, the update's mark and a setting."""
    reply = draft(kind="reply", subject="77")
    assert store.record(
        [event()],
        unit_names=UNITS,
        drafts=[reply],
        spoken=[said()],
        seen=("telegram", "77"),
        meta={"offset": "78"},
        at=NOW,
    )
    assert [one.event for one in store.events()] == [event()]
    assert [row.draft for row in store.rows()] == [reply]
    assert spoken(store) == [said()]
    assert store.meta("offset") == "78"


def test_an_update_seen_twice_changes_nothing(store: Store) -> None:
    """Not even the outbox; the same number on another channel is another update."""
    assert store.record([event()], unit_names=UNITS, seen=("telegram", "77"), at=NOW)
    assert not store.record(
        [event()],
        unit_names=UNITS,
        drafts=[draft()],
        spoken=[said()],
        seen=("telegram", "77"),
        meta={"offset": "78"},
        at=NOW,
    )
    assert (len(store.events()), store.rows(), spoken(store)) == (1, [], [])
    assert store.meta("offset") is None
    assert store.record([], unit_names={}, seen=("email", "77"), at=NOW)


def test_what_was_spoken_is_noted_once(store: Store) -> None:
    """The first word stands; a moved date, another stage or another unit speaks anew."""
    first = said()
    others = [
        said(due="2024-02-15"),
        said(stage="lead-3"),
        said(unit="van-phong"),
        said(kind="escalation", skipped=True),
    ]
    store.record([], unit_names={}, spoken=[first], at=NOW)
    again = replace(first, at=NOW + timedelta(days=1), skipped=True)
    store.record([], unit_names={}, spoken=[again, *others], at=NOW)
    assert set(spoken(store)) == {first, *others}
    assert spoken(store, "cchc-2025") == []


def test_the_chain_of_an_untouched_ledger_is_whole(store: Store) -> None:
    """Empty, or of many events in one record; a head told elsewhere agrees."""
    assert (store.head(), store.verify()) == ((0, GENESIS), None)
    store.record([event(note=str(n)) for n in range(20)], unit_names=UNITS, at=NOW)
    kept = store.events()
    assert len({one.hash for one in kept}) == 20
    assert store.verify([(kept[4].number, kept[4].hash), (3, kept[2].hash[:12])]) is None


def test_a_head_told_elsewhere_finds_another_ledger(store: Store) -> None:
    """A chain that is whole but not the one of the digest, or shorter than it was then."""
    store.record([event(), event()], unit_names=UNITS, at=NOW)
    assert store.verify([(2, "f" * 64)]) == Broken(number=2, what="rewritten")
    assert store.verify([(3, "f" * 64)]) == Broken(number=3, what="missing")


def test_a_setting_is_overwritten(store: Store) -> None:
    store.set_meta("last tick", "một")
    store.record([], unit_names={}, meta={"last tick": "hai", "poll": "ba"}, at=NOW)
    assert [store.meta(name) for name in ("last tick", "poll", "none")] == ["hai", "ba", None]


def test_nothing_to_record_is_no_fault(store: Store) -> None:
    assert store.record([], unit_names={}, at=NOW)
    assert (store.events(), store.lease(NOW, 9, HOLD, CHANNELS)) == ([], [])
