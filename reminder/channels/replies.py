"""Answers that change nothing in the ledger: to “chưa xong”, “vâng”, a question, a stranger."""

from __future__ import annotations

from reminder.channels.answers import SUBJECT
from reminder.channels.compose import compose
from reminder.channels.context import Context, handle, title
from reminder.channels.wording import day_words, listed
from reminder.core.ledger import State
from reminder.core.periods import vn_date
from reminder.ports import Outbound


def not_done(context: Context, state: State, *, reply_to: str = "") -> Outbound:
    """To “chưa xong”: it stays open, and the reminders go on."""
    calendar = context.scheduler.calendar
    after = max(state.due or context.today, context.today)
    return compose(
        "not_done",
        subject=f"Đã ghi: {context.code(state)} chưa xong",
        reply_to=reply_to,
        code=context.code(state),
        title=title(state),
        due=context.due(state),
        extend=f"gia hạn {handle(context, state)} {vn_date(calendar.after(after, 3))}",
        ask=state.due is not None and not state.occurrence.is_check_in,
    )


def seen(context: Context, state: State, *, reply_to: str = "") -> Outbound:
    """To “đang làm”, “vâng”, “ok”: understood, and it stays open."""
    return compose(
        "seen",
        subject=f"Đã rõ: {context.code(state)} vẫn để mở",
        reply_to=reply_to,
        code=context.code(state),
        title=title(state),
        due=context.due(state, ahead=False),
    )


def asked(context: Context, state: State, *, reply_to: str = "") -> Outbound:
    """To the question “xong chưa?”."""
    return compose(
        "asked",
        subject=f"{context.code(state)} chưa ai báo xong",
        reply_to=reply_to,
        code=context.code(state),
        title=title(state),
        due=context.due(state),
        waiting=context.units(state.open_units) if state.parts else "",
        signing=bool(state.submitted),
    )


def stranger() -> Outbound:
    """To an account that nobody enrolled: one polite line that says nothing."""
    return compose("stranger", subject=SUBJECT)


def not_your_unit(context: Context, state: State, *, reply_to: str = "") -> Outbound:
    """To an officer of a unit that does not lead the task."""
    plan = context.plan(state)
    lead = [context.unit(unit) for unit in state.occurrence.task.lead]
    office = context.unit(plan.office)
    helpers = lead if plan.office in state.occurrence.task.lead else [*lead, office]
    return compose(
        "not_your_unit",
        subject=f"{context.code(state)} chưa được ghi",
        reply_to=reply_to,
        code=context.code(state),
        title=title(state),
        lead=listed(lead),
        helpers=" hoặc ".join(helpers),
    )


def extension_decided(
    context: Context, state: State, *, granted: bool, note: str = "", reply_to: str = ""
) -> Outbound:
    """To the unit: what the office decided; `state` is as it stands after the decision."""
    original = state.original_due
    moved = granted and original is not None and original != state.due
    return compose(
        "extension_decided",
        subject=f"Gia hạn {context.code(state)}: {'đồng ý' if granted else 'không đồng ý'}",
        reply_to=reply_to,
        office=context.unit(context.plan(state).office),
        granted=granted,
        code=context.code(state),
        title=title(state),
        due=day_words(state.due, context.today) if state.due else "",
        original=day_words(original, context.today) if moved and original else "",
        note=note,
    )
