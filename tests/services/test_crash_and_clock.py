"""What the service does with rows that a crash or a false clock has left behind."""

from __future__ import annotations

import logging
import sqlite3
from contextlib import closing
from datetime import timedelta
from pathlib import Path

import pytest
from sqlalchemy import event

from reminder.domain.context import Inbound
from reminder.domain.outbox import LOST_AGAIN, RowState, SendError
from reminder.domain.plan import Plan
from reminder.domain.schedule import Scheduler
from reminder.services.deliver import LIVES
from reminder.store.records import StoreBusyError
from reminder.store.store import Store, open_store
from tests.services.world import CHATS, TELEGRAM, World, at, person, world


@pytest.fixture
def office(plan2024: Plan, scheduler: Scheduler) -> World:
    return world(plan2024, scheduler)


def test_a_retry_of_a_false_hour_does_not_wait_for_it(
    office: World, caplog: pytest.LogCaptureFixture
) -> None:
    """Refused while the clock ran two days ahead; sent at the first tick of the true time.

    One line says so; the tick after it is as any other.
    """
    office.refuse = lambda _: SendError("mất mạng", retry=True)
    assert office.tick(at("26/01")) == []
    office.refuse = lambda _: None
    waiting = office.states()["pending"]
    with caplog.at_level(logging.WARNING):
        sent = office.tick(at("24/01", "10:00"))
        office.tick(at("24/01", "10:01"))
    assert len(sent) >= waiting > 3
    assert "pending" not in office.states()
    (line,) = (r.getMessage() for r in caplog.records if "clock" in r.getMessage())
    assert line == (
        "the clock was set back, before the last tick (2024-01-26T08:00+07:00): nothing is said "
        f"twice, {waiting} waiting messages brought forward"
    )


def test_a_lease_of_a_false_hour_ends_in_the_true_one(office: World) -> None:
    """Leased a day ahead, and never recorded: swept minutes after the clock was set right."""
    office.service.tick(at("25/01"))
    held = len(office.service.lease(at("25/01"), 3))
    right = at("24/01", "10:00")
    office.service.tick(right)
    assert office.service.sweep(right + timedelta(minutes=4)) == 0
    assert office.service.sweep(right + timedelta(minutes=5)) == held


def test_twenty_kills_lose_no_message_and_a_loop_ends(plan2024: Plan, scheduler: Scheduler) -> None:
    """A message that each life dies of is given up at last, and the office is told by mail."""
    people = (person("an", "tu-phap", channels=(TELEGRAM,)), person("chi", "van-phong"))
    office = world(plan2024, scheduler, people=people, bound=("an", "chi"))
    office.tick(at("22/01"))
    office.service.tick(at("24/01"))
    lives = 0
    while any(p.row.draft.recipient == "an" for p in office.service.lease(at("24/01"), 10)):
        lives += 1
        office.service.begin(at("24/01"))
    assert lives == LIVES > 20
    assert f"an nudge: {LOST_AGAIN}" in office.ended(RowState.DEAD)
    (dead,) = (r for r in office.store.rows(states=[RowState.DEAD]) if r.error == LOST_AGAIN)
    office.store.revive(dead.id, at("24/01"))  # what the operator asks for is sent once more
    assert [p.row.id for p in office.service.lease(at("24/01"), 10) if p.row.id == dead.id]
    told = office.store.rows(kind="notice")
    assert [r.draft.recipient for r in told if r.draft.subject == "dead-letter:an"] == ["chi"]


def test_a_run_that_was_killed_is_told_at_the_next_start(
    office: World, caplog: pytest.LogCaptureFixture
) -> None:
    """One line after a run without an end; none at the first start, nor after a good end."""
    assert "good order" not in caplog.text
    caplog.set_level(logging.WARNING)
    caplog.clear()
    office.service.begin(at("23/01"))
    (line,) = caplog.messages
    assert line == (
        "the last run did not end cleanly (killed, power cut, or this is a copy of a running "
        "one): what it has not recorded is done now"
    )
    office.service.end(at("23/01"))
    caplog.clear()
    office.service.begin(at("24/01"))
    assert caplog.messages == []


def test_a_send_that_is_tried_again_says_so_once(
    office: World, caplog: pytest.LogCaptureFixture
) -> None:
    """The first failure of a row, and one for another reason; not each try of an outage."""
    office.tick(at("24/01", "07:59"))
    office.refuse = lambda rendered: (
        SendError(next(reasons), retry=True) if rendered.row.draft.recipient == "an" else None
    )
    reasons = iter(("mất mạng", "mất mạng", "máy chủ bận"))
    caplog.clear()
    with caplog.at_level(logging.WARNING):
        office.service.tick(at("24/01"))
        for minute in range(3):
            office.deliver(at("24/01", f"08:{minute:02}"))
    lines = [line.partition(" ")[2].partition(" ")[2] for line in caplog.messages]
    assert lines == [
        "(nudge to an by telegram) is tried again: mất mạng",
        "(nudge to an by telegram) is tried again: máy chủ bận",
    ]


def test_what_a_day_has_left_over_rings_at_no_odd_hour(office: World) -> None:
    """The line is back on Friday night and at the weekend: Monday's nudge says it, once, alone."""
    office.tick(at("22/01", "07:00"))
    office.refuse = lambda _: SendError("mất mạng", retry=True)
    office.tick(at("26/01"))  # lead-3 of 2c, and lead-7 of 1c
    office.refuse = lambda _: None
    assert [line for line in office.tick(at("27/01", "00:30")) if "nudge" in line] == []
    assert [line for line in office.tick(at("28/01", "10:00")) if "nudge" in line] == []
    assert [line for line in office.tick(at("29/01")) if "an nudge" in line] == []  # no stage
    said = [line for line in office.tick(at("29/01", "08:01")) if "an nudge" in line]
    assert said == [
        "telegram an nudge: Chào anh/chị. Thứ Hai 29/01, Tư pháp có 2 việc sắp đến hạn:"
    ]
    assert [line for line in office.tick(at("29/01", "08:02")) if "an nudge" in line] == []


def test_a_clock_years_ahead_loses_nothing(office: World) -> None:
    """Beyond the calendar no message can be made: what was leased there goes in the true hour."""
    office.service.tick(at("24/01"))
    waiting = office.states()["pending"]
    far = at("24/01") + timedelta(days=4 * 366)
    assert office.service.lease(far, 2) == []
    right = at("24/01", "08:01")
    office.service.set_back(right)
    office.service.sweep(right + timedelta(minutes=5))
    assert len(office.deliver(right + timedelta(minutes=6))) == waiting


def opened(path: Path) -> Store:
    return open_store(f"sqlite:///{path.as_posix()}", exclusive=False, sleep=lambda _: None)


def test_a_row_that_can_not_be_read_costs_no_answer(
    plan2024: Plan, scheduler: Scheduler, tmp_path: Path
) -> None:
    """What an officer wrote is on record, though nothing can be leased with it."""
    office = world(plan2024, scheduler, store=opened(tmp_path / "r.db"))
    office.service.tick(at("24/01"))
    with closing(sqlite3.connect(tmp_path / "r.db")) as other, other:
        other.execute("UPDATE outbox SET payload = '{', kind = 'reply' WHERE state = 'pending'")
    said = Inbound(
        channel=TELEGRAM, update="1", sender=CHATS["an"], chat=CHATS["an"], private=True,
        text="/done 1c", message="1",
    )  # fmt: skip
    outcome, outgoing = office.service.take(said, at("24/01", "08:01"), 2)
    assert (outcome.taken, outgoing) == (True, [])
    assert office.events() == ["done 1c.1 2024 tu-phap an"]


def test_an_answer_that_could_not_be_committed_has_not_happened(
    plan2024: Plan, scheduler: Scheduler, tmp_path: Path
) -> None:
    """The disk is full at the commit: neither on record nor in memory; tried again, it is both."""
    office = world(plan2024, scheduler, store=opened(tmp_path / "r.db"))
    service = office.service
    said = Inbound(
        channel=TELEGRAM, update="1", sender=CHATS["an"], chat=CHATS["an"], private=True,
        text="/done 1c", message="1",
    )  # fmt: skip
    full = sqlite3.OperationalError("the disk is full")
    full.sqlite_errorcode = sqlite3.SQLITE_FULL

    def refuse(_: object) -> None:
        raise full

    before = service.refresh()
    writer = office.store.database._writer
    event.listen(writer, "commit", refuse)
    with pytest.raises(StoreBusyError):
        service.take(said, at("24/01"), 2)
    event.remove(writer, "commit", refuse)
    assert (office.events(), service.office.events, service.refresh()) == ([], (), before)
    outcome, _ = service.take(said, at("24/01"), 2)
    assert office.events() == ["done 1c.1 2024 tu-phap an"]
    assert service.office.events == tuple(one.event for one in office.store.events())
    assert service.office.states == before.after(outcome.events).states


def test_what_is_tried_again_uses_up_no_allowance(office: World) -> None:
    """A disk that stays full for hours: the request is recorded at last, and not refused."""
    office.tick(at("24/01"))
    asked = Inbound(
        channel=TELEGRAM, update="1", sender=CHATS["an"], chat=CHATS["an"], private=True,
        text="gia hạn 1c 15/02 chờ số liệu", message="1",
    )  # fmt: skip
    record = office.store.record

    def full(*_: object, **__: object) -> bool:
        raise StoreBusyError("the disk is full")

    office.store.record = full  # type: ignore[method-assign]
    for second in range(0, 500, 5):
        with pytest.raises(StoreBusyError):
            office.service.take(asked, at("24/01", "09:00") + timedelta(seconds=second), 2)
    office.store.record = record  # type: ignore[method-assign]
    assert office.service.receive(asked, at("24/01", "09:10")).taken
    assert office.events() == ["extension-asked 1c.1 2024 tu-phap an"]
