"""The figures of each office, reckoned when something of it has changed, and kept for the list."""

from __future__ import annotations

import json
from dataclasses import dataclass, field
from datetime import date, datetime
from weakref import ref

from reminder.domain import digest
from reminder.domain.calendar import local_day
from reminder.domain.errors import ReminderError
from reminder.messages.context import Context
from reminder.province.cache import OfficeCache
from reminder.services.office import Files, Office
from reminder.services.status import unreachable
from reminder.store.figures import FiguresTable, OfficeFigures
from reminder.web.words import Shown, states_of

LONG = 10  # working days of being late, from which on it is for long
SHOWN = 10  # of the late, the latest


@dataclass(frozen=True, kw_only=True, slots=True)
class Late:
    """A late piece of work, as the list of all offices has it."""

    code: str
    title: str
    unit: str
    days: int
    place: str  # its page, in the office


def late_work(kept: str) -> list[Late]:
    """Return what `figures_of` wrote."""
    return [Late(**each) for each in json.loads(kept)]


def figures_of(office: Office, now: datetime) -> OfficeFigures:
    """Return the figures of an office."""
    context = Context(office=office, at=now)
    states, scheduler, today = states_of(context), office.scheduler, context.today
    found = digest.figures(states, scheduler, today)
    days = {s.key: scheduler.days_late(s, today) for s in states if not s.closed}
    late = sorted(
        (s for s in states if days.get(s.key)), key=lambda s: (-days[s.key], s.key)
    )  # fmt: skip
    cut_off = {one.person.id for one in unreachable(office, office.speaking(now)) if one.person}
    told = [
        {"code": work.code, "title": work.title, "unit": work.lead, "days": days[work.state.key],
         "place": work.place}
        for work in (Shown(context, state) for state in late[:SHOWN])
    ]  # fmt: skip
    return OfficeFigures(
        at=now,
        open=found.open,
        late=found.late,
        long_late=sum(days[s.key] > LONG for s in late),
        undated=found.awaiting,
        people=len(office.people),
        reached=len(office.people.keys() - cut_off),
        late_work=json.dumps(told, ensure_ascii=False),
    )


@dataclass
class FiguresKeeper:
    """Reckons the figures of offices again where these have changed; in the store's thread."""

    cache: OfficeCache
    table: FiguresTable
    # Of which ledger, addresses, files and day those are that are kept, as far as is known here.
    _of: dict[str, tuple[ref[Files], int, int, date]] = field(default_factory=dict)

    def keep(self, office_id: str, now: datetime) -> bool:
        """Keep the figures of an office; False where those that are kept still hold.

        And where the office can't be read, of which its tick tells.
        """
        try:
            office = self.cache.service(office_id).office
        except ReminderError:
            return False
        found = (
            ref(office.files), office.last_number, hash(office.addresses), local_day(now),
        )  # fmt: skip
        if self._of.get(office_id) == found:
            return False
        self.table.keep(office_id, figures_of(office, now))
        self._of[office_id] = found
        return True
