"""Answers that change nothing in the ledger: to “chưa xong”, “vâng”, a question, a stranger."""

from __future__ import annotations

from typing import Any

from reminder.channels.answers import SUBJECT
from reminder.channels.compose import compose
from reminder.channels.context import Context, handle, title
from reminder.channels.wording import day_words, listed
from reminder.core.commands import Verb
from reminder.core.ledger import State
from reminder.core.periods import vn_date
from reminder.ports import Outbound

_ACTS = {  # what only the unit that leads may do, as a verb
    Verb.DONE: "báo xong",
    Verb.UPDATE: "cập nhật",
    Verb.DOING: "cập nhật",
    Verb.NOT_DONE: "báo tình hình",
    Verb.SUBMIT: "báo trình ký",
    Verb.RETURN: "báo bị trả lại",
    Verb.NOTE: "ghi chú",
    Verb.SNOOZE: "hoãn nhắc",
    Verb.EXTEND: "xin gia hạn",
}
_OWN = frozenset({Verb.SNOOZE, Verb.EXTEND})  # what the office does for nobody else


def _of_state(
    template: str, context: Context, state: State, subject: str, /, **more: Any
) -> Outbound:
    """An answer about one occurrence; `subject` takes its code."""
    code = context.code(state)
    return compose(
        template, subject=subject.format(code=code), code=code, title=title(state), **more
    )


def not_done(context: Context, state: State) -> Outbound:
    """To “chưa xong”: it stays open, and the reminders go on."""
    calendar = context.scheduler.calendar
    after = max(state.due or context.today, context.today)
    return _of_state(
        "not_done",
        context,
        state,
        "Đã ghi: {code} chưa xong",
        due=context.due(state),
        extend=f"gia hạn {handle(context, state)} {vn_date(calendar.after(after, 3))}",
        ask=state.due is not None and not state.occurrence.is_check_in,
    )


def seen(context: Context, state: State) -> Outbound:
    """To “đang làm”, “vâng”, “ok”: understood, and it stays open."""
    due = context.due(state, ahead=False)
    return _of_state("seen", context, state, "Đã rõ: {code} vẫn để mở", due=due)


def asked(context: Context, state: State) -> Outbound:
    """To the question “xong chưa?”."""
    return _of_state(
        "asked",
        context,
        state,
        "{code} chưa ai báo xong",
        due=context.due(state),
        waiting=context.units(state.open_units) if state.parts else "",
        signing=bool(state.submitted),
    )


def stranger() -> Outbound:
    """To an account that nobody enrolled: one polite line that says nothing."""
    return compose("stranger", subject=SUBJECT)


def not_your_unit(context: Context, state: State, verb: Verb = Verb.DONE) -> Outbound:
    """To an officer of a unit that does not lead the task: who can do what `verb` asked for."""
    plan = context.plan(state)
    lead = [context.unit(unit) for unit in state.occurrence.task.lead]
    led = verb in _OWN or plan.office in state.occurrence.task.lead
    return _of_state(
        "not_your_unit",
        context,
        state,
        "{code} chưa được ghi",
        lead=listed(lead),
        helpers=" hoặc ".join(lead if led else [*lead, context.unit(plan.office)]),
        act=_ACTS.get(verb, _ACTS[Verb.DONE]),
    )


def extension_decided(context: Context, state: State, *, granted: bool, note: str = "") -> Outbound:
    """To the unit: what the office decided; `state` is as it stands after the decision."""
    original = state.original_due
    moved = granted and original is not None and original != state.due
    return _of_state(
        "extension_decided",
        context,
        state,
        f"Gia hạn {{code}}: {'đồng ý' if granted else 'không đồng ý'}",
        office=context.unit(context.plan(state).office),
        granted=granted,
        due=day_words(state.due, context.today) if state.due else "",
        original=day_words(original, context.today) if moved and original else "",
        note=note,
    )
