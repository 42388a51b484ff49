"""Escalations: late work told to the office and the leaders, and that it is done."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from datetime import date, datetime

from reminder.domain import payloads
from reminder.domain.calendar import vn_date
from reminder.domain.ledger import EventKind
from reminder.domain.outbox import Outbound
from reminder.domain.schedule import Item
from reminder.messages.compose import Actions, message
from reminder.messages.context import Context, Work
from reminder.services.history import Reminded

BUTTON_ROWS = 8


@dataclass(frozen=True, kw_only=True, slots=True)
class Fate:
    """Whether and when the leaders hear of late work: which sentence, and what it mentions."""

    kind: str  # told | never | now | silent | before | missed | coming
    leaders: str  # their short name
    why: str = ""  # of never: assumed | check-in | over
    at: datetime | None = None  # of told
    day: date | None = None  # of coming


@dataclass(frozen=True)
class Late(Work):
    """One late occurrence, as those above the work hear of it."""

    reminded: Reminded = field(default_factory=Reminded)
    fate: Fate | None = None  # told to the office only
    office_told: datetime | None = None  # since when the office knows

    @property
    def noted_by(self) -> str:
        """Who of the office wrote the note, which is not the unit's word then."""
        if self.note is None or self.state.request:
            return ""
        if self.note.kind is EventKind.REOPENED:
            return self.office
        return "" if self.note.unit in self.task.lead else self.context.unit(self.note.unit)


def to_office(context: Context, items: Sequence[Item]) -> Outbound | None:
    """Return what is newly late, to the office; None if it has all closed."""
    reminded = context.past.reminded
    late = [
        Late(context, w.state, reminded.get(w.state.key) or Reminded(), _fate(w))
        for w in _late(context, items)
    ]
    if not late:
        return None
    actions = _office_buttons(context, late)
    fates = {each.fate for each in late}
    return message(
        context,
        "office",
        actions=actions,
        late=late,
        fate=fates.pop() if len(fates) == 1 else None,
        typed=[action.typed for action in actions[0]],
    )


def to_leaders(context: Context, items: Sequence[Item]) -> Outbound | None:
    """Return what stays late, once, to the leaders; it needs no answer. None if all has closed."""
    late = [
        Late(context, work.state, office_told=context.past.told.get(work.state.key))
        for work in _late(context, items)
    ]
    if not late:
        return None
    plan = late[0].plan
    return message(context, "leaders", late=late, leaders=plan.by_unit[plan.leaders])


def closed_notice(context: Context, p: payloads.ClosedNotice) -> Outbound | None:
    """Say that it is done; None where nothing of it is closed."""
    works = [work for work in context.works(p.keys) if work.state.closed]
    return message(context, p, works=works) if works else None


def reopened_notice(context: Context, p: payloads.ReopenedNotice) -> Outbound | None:
    """Say that it is open again; None once it is done again."""
    return None if context.states[p.event.key].closed else message(context, p)


def _late(context: Context, items: Iterable[Item]) -> list[Work]:
    works = context.works(dict.fromkeys(item.key for item in items))
    live = [work for work in works if not work.state.closed and work.days_late]
    return sorted(live, key=lambda work: work.state.due or date.max)


def _fate(work: Work) -> Fate:
    """Return what the leaders were told, or whether they will be by the schedule."""
    context, state, plan = work.context, work.state, work.plan
    above = context.past
    label = plan.by_unit[plan.leaders].label
    if state.key in above.told:
        return Fate(kind="told", leaders=label, at=above.told[state.key])
    stage = context.scheduler.escalation_stages(state, plan).get(plan.leaders)
    if stage is None:
        why = "check-in" if state.occurrence.is_check_in else "over"
        return Fate(kind="never", leaders=label, why="assumed" if state.assumed else why)
    if state.key in above.leaving:
        return Fate(kind="now", leaders=label)
    if plan.leaders in above.silent:
        return Fate(kind="silent", leaders=label)
    if state.is_held(stage[0]):
        return Fate(kind="before", leaders=label)
    if stage[0] <= context.today:
        return Fate(kind="missed", leaders=label)
    return Fate(kind="coming", leaders=label, day=stage[0])


def _office_buttons(context: Context, late: Sequence[Work]) -> Actions:
    later = vn_date(context.scheduler.calendar.after(context.today, 2))
    rows = []
    for work in late[:BUTTON_ROWS]:
        name = work.name
        tag = f" {name}" if len(late) > 1 else ""
        rows.append(
            (
                work.button(f"Nhắc ngay{tag}", "remind", f"/nhacngay {name}"),
                work.button(f"Dời hạn{tag}", "set-due", f"/dathan {name} {later} lý do"),
                work.button(f"Ghi lý do{tag}", "note", f"/ghichu {name} lý do"),
            )
        )
    return tuple(rows)
