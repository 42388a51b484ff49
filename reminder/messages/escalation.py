"""Escalations: late work told to the office and the leaders, and that it is done."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime
from typing import Any

from reminder.domain import payloads
from reminder.domain.calendar import local
from reminder.domain.channels import Outbound
from reminder.domain.ledger import State
from reminder.domain.occurrences import Key
from reminder.domain.periods import vn_date, vn_day
from reminder.domain.schedule import Item
from reminder.messages.compose import Actions, compose, message
from reminder.messages.context import (
    Act,
    Context,
    Work,
    handle,
    heard_words,
    signing_words,
    title,
    waiting_units,
)
from reminder.messages.wording import day_words, listed, moment_words
from reminder.services.history import NO_PAST, Past, Reminded

IN_FULL = 10
BUTTON_ROWS = 8


@dataclass(frozen=True, kw_only=True, slots=True)
class Late:
    """One late occurrence, as those above the work hear of it."""

    state: State
    code: str
    title: str
    units: str
    due: str
    days: int  # working days late
    moved: str
    reminded: str
    answer: str  # what was said: a reason, a request, “chờ ký từ …”
    teller: str  # whose words these are: “Bộ phận nêu”, or the office's own note
    heard: str  # without either: its latest “chưa xong”, when and by whom
    signing: str
    leaders: str  # when the leaders hear of it, or that they never do
    office: str  # since when the office knows


def to_office(
    context: Context,
    items: Sequence[Item],
    reminded: Mapping[Key, Reminded],
    above: Past = NO_PAST,
) -> Outbound | None:
    """The office's word of what is newly late; None if it has all closed.

    `above`: what the leaders were told.
    """
    late = _views(context, items, reminded, leaders=above)
    if not late:
        return None
    actions = _office_buttons(context, late)
    fates = {view.leaders for view in late}
    return compose(
        "escalation_office",
        subject=f"Quá hạn, {vn_day(context.today)}: {_codes(late)}",
        actions=actions,
        office=context.office_name,
        day=vn_day(context.today),
        views=late[:IN_FULL],
        count=len(late),
        more=max(0, len(late) - IN_FULL),
        new=all(view.days <= 1 for view in late),
        fate=fates.pop() if len(fates) == 1 else "",
        typed=[action.typed for action in actions[0]],
    )


def to_leaders(
    context: Context,
    items: Sequence[Item],
    office_told: Mapping[Key, datetime] | None = None,
) -> Outbound | None:
    """The leaders' one word of what stays late; it needs no answer. None if all has closed."""
    late = _views(context, items, {}, office_told)
    if not late:
        return None
    plan = context.plan(late[0].state)
    part = "sáng " if context.scheduler.policy.slot.hour < 12 else ""
    return compose(
        "escalation_leaders",
        subject=f"Kính báo cáo, {vn_day(context.today)}: việc quá hạn {_codes(late)}",
        leaders=plan.by_unit[plan.leaders].name,
        label=plan.by_unit[plan.leaders].label,
        day=f"{part}{vn_day(context.today)}",
        views=late[:IN_FULL],
        more=max(0, len(late) - IN_FULL),
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


def _codes(late: Sequence[Late]) -> str:
    return ", ".join(dict.fromkeys(view.code for view in late[:6]))


def _views(
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
    return [_view(context, s, reminded.get(s.key), told.get(s.key), leaders) for s in live]


def _view(
    context: Context,
    state: State,
    reminded: Reminded | None,
    office_told: datetime | None,
    leaders: Past,
) -> Late:
    office = ""
    if office_told is not None:
        plan, day = context.plan(state), local(office_told).date()
        office = f"{context.unit(plan.office)} đã được báo từ {day_words(day, context.today)}"
    return Late(
        state=state,
        code=context.code(state),
        title=title(state),
        units=context.units(waiting_units(state)),
        due=context.due(state, ahead=False),
        days=context.scheduler.days_late(state, context.today),
        moved=context.moved(state, why=True),
        reminded=_reminded(context, reminded or Reminded()),
        answer=_answer(context, state),
        teller=_teller(context, state),
        heard=heard_words(context, state),
        signing=signing_words(context, state),
        leaders=_leaders(context, state, leaders),
        office=office,
    )


def _reminded(context: Context, reminded: Reminded) -> str:
    if not reminded.count:
        return "Chưa nhắc được lần nào"
    names = [context.channel(channel) for channel in reminded.channels]
    through = f" qua {listed(names)}" if names else ""
    last = f", gần nhất {moment_words(reminded.last, context.today)}" if reminded.last else ""
    return f"Đã nhắc {reminded.count} lần{through}{last}"


def _answer(context: Context, state: State) -> str:
    """The unit's own words: an extension that waits, else the latest note."""
    if state.request is not None and state.request.until is not None:
        asked = day_words(state.request.until, context.today)
        why = f", lý do: {state.request.note.rstrip(' .')}" if state.request.note else ""
        return f"xin gia hạn đến {asked}{why} (chưa có quyết định)"
    notes = [note.note for note in state.notes if note.note]
    return notes[-1].rstrip(" .") if notes else ""


def _teller(context: Context, state: State) -> str:
    """The office's own note is not the unit's word."""
    notes = [note for note in state.notes if note.note]
    if state.request is None and notes and notes[-1].unit not in state.occurrence.task.lead:
        return f"{context.unit(notes[-1].unit)} ghi"
    return "Bộ phận nêu"


def _leaders(context: Context, state: State, above: Past) -> str:
    """What the leaders were told, by the record; else whether they will be, by the schedule."""
    plan = context.plan(state)
    label = plan.by_unit[plan.leaders].label
    if state.key in above.told:
        return f"Đã báo {label} lúc {moment_words(above.told[state.key], context.today)}."
    stage = context.scheduler.escalation_stages(state, plan).get(plan.leaders)
    if stage is None:
        why = "kế hoạch thôi nhắc trước ngày ấy"
        why = "hạn dự kiến" if state.assumed else why
        why = "việc cập nhật" if state.occurrence.is_check_in and not state.assumed else why
        return f"Không báo {label} ({why})."
    if state.key in above.leaving:
        return f"{label} được báo cùng lúc này."
    if plan.leaders in above.silent:
        return f"Chưa báo được {label}: chưa có ai nhận được tin."
    if state.held_until is not None and stage[0] < state.held_until:
        return f"Không báo {label} (quá hạn từ trước khi máy theo dõi)."
    if stage[0] <= context.today:
        return f"Chưa báo được {label}."
    part = "sáng" if context.scheduler.policy.slot.hour < 12 else "chiều"
    return f"Chưa báo {label}. Nếu chưa xong, sẽ báo {part} {vn_day(stage[0])}."


def _office_buttons(context: Context, late: Sequence[Late]) -> Actions:
    several = len(late) > 1
    later = vn_date(context.scheduler.calendar.after(context.today, 2))
    rows = []
    for view in late[:BUTTON_ROWS]:
        name, state = handle(context, view.state), view.state
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
