"""Escalations: late work told to the office and the leaders, and that it is done."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime
from typing import Any

from reminder.domain import payloads
from reminder.domain.calendar import vn_date
from reminder.domain.ledger import Event, State
from reminder.domain.outbox import Outbound
from reminder.domain.plan import Key
from reminder.domain.schedule import Item
from reminder.messages.compose import Actions, message
from reminder.messages.context import (
    Act,
    Context,
    Work,
    heard_words,
    signing_words,
    waiting_units,
)
from reminder.services.history import NO_PAST, Past, Reminded

IN_FULL = 10
BUTTON_ROWS = 8


@dataclass(frozen=True, kw_only=True, slots=True)
class Fate:
    """Whether and when the leaders hear of late work: which sentence, and what it mentions."""

    kind: str  # told | never | now | silent | before | missed | coming
    leaders: str  # their short name
    why: str = ""  # of never: assumed | check-in | over
    at: datetime | None = None  # of told
    day: date | None = None  # of coming


@dataclass(frozen=True, kw_only=True, slots=True)
class Late:
    """One late occurrence, as those above the work hear of it."""

    work: Work
    units: str
    days: int  # working days late
    moved: str
    reminded: Reminded
    channels: tuple[str, ...]  # by which it was reminded
    note: Event | None  # the latest note; what of it is the office's own is not the unit's word
    heard: str  # without a note: its latest “chưa xong”, when and by whom
    signing: str
    fate: Fate
    office_told: datetime | None  # since when the office knows

    @property
    def asked(self) -> Event | None:
        """The extension that waits."""
        request = self.work.state.request
        return request if request and request.until else None

    @property
    def noted_by(self) -> str:
        """Who of the office wrote the note."""
        lead, asked = self.work.state.occurrence.task.lead, self.work.state.request
        if self.note is None or asked is not None or self.note.unit in lead:
            return ""
        return self.work.context.unit(self.note.unit)


def to_office(
    context: Context,
    items: Sequence[Item],
    reminded: Mapping[Key, Reminded],
    above: Past = NO_PAST,
) -> Outbound | None:
    """What is newly late, to the office; None if it has all closed.

    `above`: what the leaders were told.
    """
    late = _late(context, items, reminded, leaders=above)
    if not late:
        return None
    actions = _office_buttons(context, late)
    fates = {each.fate for each in late}
    return message(
        "escalation",
        "office",
        actions=actions,
        c=context,
        late=late,
        codes=_codes(late),
        shown=IN_FULL,
        fate=fates.pop() if len(fates) == 1 else None,
        morning=context.scheduler.policy.slot.hour < 12,
        typed=[action.typed for action in actions[0]],
    )


def to_leaders(
    context: Context,
    items: Sequence[Item],
    office_told: Mapping[Key, datetime] | None = None,
) -> Outbound | None:
    """What stays late, once, to the leaders; it needs no answer. None if all has closed."""
    late = _late(context, items, {}, office_told)
    if not late:
        return None
    plan = context.plan(late[0].work.state)
    return message(
        "escalation",
        "leaders",
        c=context,
        late=late,
        codes=_codes(late),
        shown=IN_FULL,
        leaders=plan.by_unit[plan.leaders],
        morning=context.scheduler.policy.slot.hour < 12,
    )


def closed_word(context: Context, p: payloads.ClosedWord) -> Outbound | None:
    """“Đã xong”; None where nothing of it is closed."""
    states = (context.states[key] for key in p.keys if key in context.states)
    works = [Work(context, state) for state in states if state.closed]
    if not works:
        return None
    codes = list(dict.fromkeys(work.code for work in works[:6]))
    return message("escalation", p.view, c=context, p=p, works=works, codes=codes, shown=IN_FULL)


def reopened_word(context: Context, p: payloads.ReopenedWord) -> Outbound | None:
    """None once it is done again."""
    state = context.states.get(p.event.key)
    if state is None or state.closed:
        return None
    return message("escalation", p.view, p=p, work=Work(context, state))


def _codes(late: Sequence[Late]) -> list[str]:
    return list(dict.fromkeys(each.work.code for each in late[:6]))


def _late(
    context: Context,
    items: Sequence[Item],
    reminded: Mapping[Key, Reminded],
    office_told: Mapping[Key, datetime] | None = None,
    *,
    leaders: Past = NO_PAST,
) -> list[Late]:
    states = [
        context.states[key] for key in dict.fromkeys(i.key for i in items) if key in context.states
    ]
    live = [s for s in states if not s.closed and context.scheduler.days_late(s, context.today)]
    live.sort(key=lambda s: s.due or date.max)
    told = office_told or {}
    return [
        _one(context, s, reminded.get(s.key) or Reminded(), told.get(s.key), leaders) for s in live
    ]


def _one(
    context: Context, state: State, reminded: Reminded, office_told: datetime | None, leaders: Past
) -> Late:
    return Late(
        work=Work(context, state),
        units=context.units(waiting_units(state)),
        days=context.scheduler.days_late(state, context.today),
        moved=context.moved(state, why=True),
        reminded=reminded,
        channels=tuple(context.channel(channel) for channel in reminded.channels),
        note=next((note for note in reversed(state.notes) if note.note), None),
        heard=heard_words(context, state),
        signing=signing_words(context, state),
        fate=_fate(context, state, leaders),
        office_told=office_told,
    )


def _fate(context: Context, state: State, above: Past) -> Fate:
    """What the leaders were told, by the record; else whether they will be, by the schedule."""
    plan = context.plan(state)
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
    if state.held_until is not None and stage[0] < state.held_until:
        return Fate(kind="before", leaders=label)
    if stage[0] <= context.today:
        return Fate(kind="missed", leaders=label)
    return Fate(kind="coming", leaders=label, day=stage[0])


def _office_buttons(context: Context, late: Sequence[Late]) -> Actions:
    several = len(late) > 1
    later = vn_date(context.scheduler.calendar.after(context.today, 2))
    rows = []
    for each in late[:BUTTON_ROWS]:
        name, state = each.work.name, each.work.state
        tag = f" {name}" if several else ""
        move = f"/dathan {name} {later} lý do"
        rows.append(
            (
                context.button(f"Nhắc ngay{tag}", Act.REMIND, state, f"/nhacngay {name}"),
                context.button(f"Dời hạn{tag}", Act.SET_DUE, state, move),
                context.button(f"Ghi lý do{tag}", Act.NOTE, state, f"/ghichu {name} lý do"),
            )
        )
    return tuple(rows)


WORDS: Mapping[type[payloads.Payload], Callable[[Context, Any], Outbound | None]] = {
    payloads.ClosedWord: closed_word,
    payloads.ReopenedWord: reopened_word,
}
