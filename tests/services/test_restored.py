"""A restored copy goes on where it stopped; what may come twice says so, and nothing is lost."""

from __future__ import annotations

from collections.abc import Callable
from contextlib import closing
from datetime import datetime, timedelta
from pathlib import Path

import pytest

from reminder.domain.plan import Plan
from reminder.domain.schedule import Scheduler
from reminder.store.restore import restore
from reminder.store.store import open_store
from tests.fakes.blank import lay_blank
from tests.services.world import World, at, world
from tests.store.conftest import no_sleep

REPEAT = "(có thể là tin gửi lại)"
Told = list[tuple[str, str]]  # who, and the whole text


@pytest.fixture
def office(tmp_path: Path, plan2024: Plan, scheduler: Scheduler) -> Office:
    return Office(tmp_path, plan2024, scheduler)


class Office:
    """One office's days on a real database, with a copy taken and put back among them."""

    def __init__(self, folder: Path, plan: Plan, scheduler: Scheduler) -> None:
        self.folder, self._plan, self._scheduler = folder, plan, scheduler
        self.url = f"sqlite:///{folder}/var/r.db"
        self.copy = folder / "copy.db"

    def run(
        self,
        first: datetime,
        last: datetime,
        *,
        backup_at: datetime | None = None,
        meanwhile: Callable[[World, datetime], None] = lambda _, __: None,
    ) -> Told:
        """The program from `first` to `last`, a tick each half hour; what it said."""
        lay_blank(self.folder / "var/r.db")
        with closing(open_store(self.url, exclusive=True, sleep=no_sleep)) as store:
            program = world(self._plan, self._scheduler, store=store, start=first)
            now = first
            while now <= last:
                program.tick(now)
                meanwhile(program, now)
                if now == backup_at:
                    store.backup(str(self.copy))
                now += timedelta(minutes=30)
            program.service.end(last)
            if backup_at is None:
                store.backup(str(self.copy))
        return [(p.row.draft.recipient, p.message.text) for p in program.outgoing]

    def known_as_sent(self) -> int:
        """How many messages the copy knows to be sent."""
        address = f"sqlite:///{self.copy}"
        with closing(open_store(address, exclusive=False, sleep=no_sleep)) as copy:
            return copy.counts()["sent"]

    def restore(self, now: datetime) -> None:
        restore(self.copy, self.url, now, sleep=no_sleep)


def test_a_stopped_programs_copy_loses_and_repeats_nothing(
    office: Office, tmp_path: Path, plan2024: Plan, scheduler: Scheduler
) -> None:
    """Stop, copy, lose the disk, restore, go on: word for word what an unbroken run says."""
    unbroken = Office(tmp_path / "unbroken", plan2024, scheduler)
    whole = unbroken.run(at("22/01", "07:00"), at("30/01", "12:00"))
    before = office.run(at("22/01", "07:00"), at("26/01", "09:00"))
    for file in (tmp_path / "var").iterdir():
        file.unlink()
    office.restore(at("26/01", "09:20"))
    after = office.run(at("26/01", "09:30"), at("30/01", "12:00"))
    assert before + after == whole
    assert not any(REPEAT in text for _, text in whole)


def test_an_older_copy_says_what_may_come_twice_and_loses_nothing(office: Office) -> None:
    """Copied at 02:30 by the running program, restored on the 2nd day after: what was said since
    comes once more, merged and marked; what comes after the restore is as ever."""
    spoken = office.run(at("22/01", "07:00"), at("25/01", "09:00"), backup_at=at("23/01", "02:30"))
    known = office.known_as_sent()
    missed = {who for who, _ in spoken[known:]}
    assert known
    assert missed
    office.restore(at("25/01", "09:20"))
    again = office.run(at("25/01", "09:30"), at("25/01", "17:00"))
    assert {who for who, _ in again} == missed
    assert len(again) == len({who for who, _ in again})
    assert all(REPEAT in text for _, text in again)
    later = office.run(at("26/01", "07:00"), at("26/01", "12:00"))
    assert later
    assert not any(REPEAT in text for _, text in later)


def test_restored_before_the_slot_the_slot_is_no_repeat(office: Office) -> None:
    """Copied and restored in one night: nothing was said between, so nothing is marked."""
    office.run(at("23/01", "07:00"), at("24/01", "06:00"), backup_at=at("24/01", "02:30"))
    office.restore(at("24/01", "07:00"))
    told = office.run(at("24/01", "07:30"), at("24/01", "09:00"))
    assert told
    assert not any(REPEAT in text for _, text in told)
