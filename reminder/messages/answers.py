"""Answers to officers: closed, updated, submitted, not done, seen, questions, strangers."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import date, datetime
from typing import Any

from reminder.domain.calendar import local
from reminder.domain.channels import Action, Outbound
from reminder.domain.ledger import Event, State
from reminder.domain.periods import vn_date
from reminder.domain.plan import Confirm
from reminder.messages.compose import Actions, compose
from reminder.messages.context import (
    Act,
    Context,
    evidence_words,
    handle,
    named,
    title,
    waiting_units,
)
from reminder.messages.nudge import taken_until
from reminder.messages.wording import closed_words, day_words, listed, moment_words, one_line
from reminder.understanding import Verb

REMAINING = 3  # tasks that an answer names as still open
LISTED = 100  # lines of a listing; more would not be read
SUBJECT = "Trả lời của máy nhắc việc"


def answer(
    lines: Sequence[str], actions: Actions = (), *, subject: str = SUBJECT, reply_to: str = ""
) -> Outbound:
    """Any answer that has no template of its own: plain lines, and a typed form for each button."""
    typed = [action.typed for row in actions for action in row if action.typed]
    return compose(
        "answer",
        subject=subject,
        actions=actions,
        reply_to=reply_to,
        lines=lines[:LISTED],
        more=max(0, len(lines) - LISTED),
        typed=typed,
    )


def done(
    context: Context,
    closed: Sequence[tuple[State, Event]],
    *,
    unit: str,
    remaining: Sequence[State],
    instead: State | None = None,
    reply_to: str = "",
) -> Outbound:
    """These are closed now, by these events; `remaining` is all that `unit` has open.

    `instead`: what a bare ASCII code may have meant (1đ, where “1d” was typed).
    """
    # Parts of shared work that were closed together are one line.
    closed = list({state.key: (state, event) for state, event in closed}.values())
    lines = [_done_line(context, state, event) for state, event in closed]
    takes_back = _undo(context, closed)
    actions = [(action,) for action in takes_back]
    if instead is not None:
        actions.append((_choice(context, instead, "Ý tôi là ", unit),))
    bare = next((s for s, e in closed if not e.evidence and not s.occurrence.is_check_in), None)
    return compose(
        "done",
        subject=f"Đã ghi: {', '.join(line['code'] for line in lines[:6])} xong",
        actions=tuple(actions[:8]),
        reply_to=reply_to,
        lines=lines,
        ask=handle(context, bare) if bare and not bare.occurrence.deliverable.recurs else "",
        today=vn_date(context.today),
        rest=_remaining(context, unit, remaining),
        undo=[action.typed for action in takes_back],
        instead=named(context, instead) if instead else None,
    )


def _done_line(context: Context, state: State, event: Event) -> dict[str, str]:
    left = state.open_units if state.occurrence.task.confirm is Confirm.ALL else ()
    calendar = context.scheduler.calendar
    return {
        "code": context.code(state),
        "title": title(state),
        "when": closed_words(event.at, state.due, context.today, calendar),
        "by": context.person(event),
        "part": context.unit(event.unit) if left else "",
        "left": context.units(left),
        "evidence": evidence_words(event.evidence),
    }


def _undo(context: Context, closed: Sequence[tuple[State, Event]]) -> list[Action]:
    """For each of these a button, and a form, that takes it back."""
    names = [handle(context, state) for state, _ in closed]
    labels = ["↩️ Hoàn tác"] if len(closed) == 1 else [f"↩️ {name}" for name in names]
    return [
        context.button(label, Act.UNDO, state, f"hoàn tác {name}", event.unit)
        for label, name, (state, event) in zip(labels, names, closed, strict=True)
    ]


def already_done(context: Context, state: State, event: Event, *, reply_to: str = "") -> Outbound:
    """It was closed before by `event`; nothing is written."""
    return compose(
        "already_done",
        subject=f"{context.code(state)} đã xong từ trước",
        reply_to=reply_to,
        code=context.code(state),
        title=title(state),
        when=moment_words(event.at, context.today),
        by=context.person(event),
        evidence=evidence_words(state.evidence),
    )


def which(
    context: Context,
    states: Sequence[State],
    *,
    unit: str,
    instead: State | None = None,
    closed: State | None = None,
    reply_to: str = "",
) -> Outbound:
    """Nothing was written: which of `states`? Of one task's products “both” is offered too.

    `closed`: the other product of the task, already done, when only one of `states` is left.
    """
    one_task = len({state.key[:2] for state in states}) == 1
    rows = [(_choice(context, state, "", unit, by_product=one_task),) for state in states[:8]]
    if closed is not None and len(states) == 1:
        return _is_it_the_other(context, states[0], closed, unit, reply_to)
    if one_task and len(states) > 1:
        code = context.code(states[0])
        word = "cả hai" if len(states) == 2 else "tất cả"
        both = context.button(word.capitalize(), Act.BOTH, states[0], f"xong {code} {word}", unit)
        rows.append((both,))
    if instead is not None:
        rows.append((_choice(context, instead, "Ý tôi là ", unit),))
    return compose(
        "which",
        subject="Chưa ghi gì: anh/chị nói về việc nào?",
        actions=tuple(rows),
        reply_to=reply_to,
        code=context.code(states[0]) if one_task else "",
        count=len(states),
        offers=[(*named(context, s), context.due(s, ahead=False)) for s in states[:8]],
        typed=[action.typed for row in rows for action in row],
    )


def claimed(context: Context, states: Sequence[State], *, unit: str, words: str) -> Outbound:
    """Nothing was written yet: is it done, as `words` may say?"""
    first = states[0]
    if len(states) > 1:
        rows = [(_choice(context, state, "✅ ", unit),) for state in states]
        no = context.button("⏳ Chưa xong việc nào", Act.NO, first, "", unit)
    else:
        yes = context.button(
            "✅ Đúng, xong", Act.DONE, first, f"xong {handle(context, first)}", unit
        )
        rows = [(yes,)]
        no = context.button("⏳ Chưa", Act.NOT_YET, first, "chưa", unit)
    return compose(
        "claimed",
        subject=f"{context.code(first)}: đã xong phải không?",
        actions=(*rows, (no,)) if len(states) > 1 else ((*rows[0], no),),
        several=len(states) > 1,
        words=one_line(words, 200),
        offers=[(*named(context, s), context.due(s, ahead=False)) for s in states],
        typed=[action.typed for row in rows for action in row],
    )


def _is_it_the_other(
    context: Context, left: State, closed: State, unit: str, reply_to: str
) -> Outbound:
    event = closed.closed
    assert event is not None
    name = left.occurrence.deliverable.name
    yes = context.button(
        f"Đúng, xong {name}", Act.DONE, left, f"xong {handle(context, left)}", unit
    )
    no = context.button("Không, tôi chỉ báo lại", Act.NO, left, "", unit)
    return compose(
        "which_left",
        subject=f"{context.code(left)}: đã xong {name} rồi phải không?",
        actions=((yes,), (no,)),
        reply_to=reply_to,
        closed=closed.occurrence.deliverable.name,
        code=context.code(left),
        who=context.unit(event.unit),
        when=moment_words(event.at, context.today),
        left=name,
        due=context.due(left, ahead=False),
        typed=yes.typed,
    )


def _choice(
    context: Context, state: State, before: str, unit: str, *, by_product: bool = False
) -> Action:
    name = handle(context, state)
    what = state.occurrence.deliverable.name if by_product else " – ".join(named(context, state))
    if by_product and state.occurrence.deliverable.recurs:
        what = title(state)
    label = before + one_line(what, 42)
    if by_product:
        label += f" – {context.due(state, ahead=False)}"
    typed = f"xong {name}"
    if state.key.task.endswith("đ"):  # as one types it where there is no Vietnamese keyboard
        typed = f"xong {name.replace(state.key.task, state.key.task[:-1] + 'dd', 1)}"
    return context.button(label, Act.DONE, state, typed, unit)


def _remaining(context: Context, unit: str, states: Sequence[State]) -> dict[str, object]:
    """What the unit still has open: the nearest by name, the rest as a number."""
    waiting = sorted(
        (s for s in states if not s.closed and unit in waiting_units(s)),
        key=lambda s: s.due or date.max,
    )
    shown = [(handle(context, s), context.due(s, ahead=False)) for s in waiting[:REMAINING]]
    return {"unit": context.unit(unit), "shown": shown, "more": len(waiting) - len(shown)}


def updated(
    context: Context,
    answered: Sequence[tuple[State, Event]],
    *,
    missing: Sequence[State],
    steady: bool = False,
    reply_to: str = "",
) -> Outbound:
    """These check-ins are answered, by these events; `missing` of the same unit are not yet.

    `steady`: the answer was that the work goes on as always.
    """
    answered = list({state.key: (state, event) for state, event in answered}.values())
    states = [state for state, _ in answered]
    undo = _undo(context, answered)
    periods = listed(list(dict.fromkeys(s.occurrence.period.name for s in states)))
    return compose(
        "updated",
        subject=f"Đã ghi cập nhật {periods}",
        actions=tuple(tuple(undo[start : start + 4]) for start in range(0, min(len(undo), 8), 4)),
        undo=[action.typed for action in undo],
        reply_to=reply_to,
        period=periods,
        codes=[context.code(state) for state in states],
        title=title_of_work(states[0]) if len(states) == 1 else "",
        steady=steady,
        missing=[context.code(state) for state in missing[:12]],
        count=len(missing),
        until=taken_until(context, missing[0]) if missing and missing[0].due else "",
    )


def title_of_work(state: State) -> str:
    """The standing work's own title, without the period."""
    return state.occurrence.task.title


def submitted(context: Context, state: State, at: datetime, *, reply_to: str = "") -> Outbound:
    """Đã trình ký: the unit's nudges rest, the office follows the signature."""
    return compose(
        "submitted",
        subject=f"Đã ghi: {context.code(state)} đã trình ký",
        reply_to=reply_to,
        code=context.code(state),
        title=title(state),
        day=day_words(local(at).date(), context.today),
        name=handle(context, state),
        office=context.office_name,
    )


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
