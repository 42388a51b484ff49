"""What was recorded, and what one can do about it; the words are in templates/answers.j2."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from itertools import groupby
from typing import Any

from reminder.domain import payloads
from reminder.domain.calendar import vn_date
from reminder.domain.ledger import Event, State
from reminder.domain.outbox import Action, Outbound
from reminder.domain.plan import Confirm, Key
from reminder.messages.compose import joined, message
from reminder.messages.context import Act, Context, Work, waiting_units
from reminder.messages.wording import closed_words, listed, one_line, some, together
from reminder.understanding.verbs import Verb, Who

REMAINING = 3  # tasks that an answer names as still open
BUTTONS = 8
LABEL = 42  # characters of what a button names
CONFIRMED = 12  # lines of confirmed dates


def works_of(context: Context, keys: Iterable[Key]) -> list[Work]:
    """The work of `keys`; what no plan has any more is skipped."""
    return [Work(context, context.states[key]) for key in keys if key in context.states]


def begun(context: Context) -> list[State]:
    """What is open by now, done or not, in the plans that still speak."""
    return [
        state
        for state in context.states.values()
        if state.occurrence.opens <= context.today and context.speaks(state.key.plan)
    ]


def still_open(context: Context, key: Key | None) -> Work | None:
    """The work of `key`; None where it has closed, or no plan has it any more."""
    state = context.states.get(key) if key else None
    return Work(context, state) if state and not state.closed else None


@dataclass(frozen=True, kw_only=True, slots=True)
class Closed:
    """One occurrence that an answer reports as done."""

    work: Work
    when: str  # “lúc 09:12 hôm nay, đúng hạn”
    by: str
    part: str  # whose part of shared work
    left: str  # who still has to act
    evidence: str


def done(context: Context, p: payloads.Done) -> Outbound | None:
    open_now = (s for s in begun(context) if not s.closed and p.unit in waiting_units(s))
    return done_beside(context, p, sorted(open_now, key=lambda s: s.due or date.max))


def done_beside(context: Context, p: payloads.Done, remaining: Sequence[State]) -> Outbound | None:
    """The answer that also tells what the unit has `remaining`."""
    by_key = {event.key: event for event in reversed(p.events) if event.key in context.states}
    closed = [(context.states[key], event) for key, event in reversed(by_key.items())]
    if not closed:
        return None
    lines = [_closed(context, state, event) for state, event in closed]
    instead = still_open(context, p.instead)
    undo = _undo(context, closed)
    actions = [(action,) for action in undo]
    if instead:
        actions.append((choice(instead, "Ý tôi là ", p.unit),))
    bare = next((s for s, e in closed if not e.evidence and not s.occurrence.is_check_in), None)
    once = bare is not None and not bare.occurrence.deliverable.recurs
    return message(
        "answers",
        p.view,
        actions=tuple(actions[:BUTTONS]),
        c=context,
        p=p,
        lines=lines,
        ask=Work(context, bare).name if bare and once else "",
        today=vn_date(context.today),
        remaining=[Work(context, state) for state in remaining],
        shown=REMAINING,
        undo=[action.typed for action in undo],
        instead=instead,
    )


def _closed(context: Context, state: State, event: Event) -> Closed:
    left = state.open_units if state.occurrence.task.confirm is Confirm.ALL else ()
    calendar = context.scheduler.calendar
    return Closed(
        work=Work(context, state),
        when=closed_words(event.at, state.due, context.today, calendar),
        by=context.person(event),
        part=context.unit(event.unit) if left else "",
        left=context.units(left),
        evidence=event.evidence,
    )


def _undo(context: Context, closed: Sequence[tuple[State, Event]]) -> list[Action]:
    """For each of these a button, and a form, that takes it back."""
    names = [Work(context, state).name for state, _ in closed]
    labels = ["↩️ Hoàn tác"] if len(closed) == 1 else [f"↩️ {name}" for name in names]
    return [
        context.button(label, Act.UNDO, state, f"hoàn tác {name}", event.unit)
        for label, name, (state, event) in zip(labels, names, closed, strict=True)
    ]


def updated(context: Context, p: payloads.Updated) -> Outbound | None:
    waiting = [
        s for s in begun(context) if s.occurrence.is_check_in and set(s.open_units) & set(p.units)
    ]
    return updated_beside(context, p, list({s.key[:3]: s for s in waiting[::-1]}.values())[::-1])


def updated_beside(
    context: Context, p: payloads.Updated, missing: Sequence[State]
) -> Outbound | None:
    """The answer that also tells which check-ins are `missing`."""
    by_key = {e.key: (context.states[e.key], e) for e in p.events if e.key in context.states}
    answered = list(by_key.values())
    if not answered:
        return None
    undo = _undo(context, answered)
    return message(
        "answers",
        p.view,
        actions=tuple(tuple(undo[n : n + 4]) for n in range(0, min(len(undo), BUTTONS), 4)),
        p=p,
        period=listed(list(dict.fromkeys(s.occurrence.period.name for s, _ in answered))),
        works=[Work(context, state) for state, _ in answered],
        missing=[Work(context, state) for state in missing],
        until=context.taken_until(missing[0]) if missing and missing[0].due else "",
        undo=[action.typed for action in undo],
    )


def already_done(context: Context, p: payloads.AlreadyDone) -> Outbound | None:
    """With what of it is open, and what a bare ASCII code may have meant."""
    state = context.states.get(p.key)
    if state is None:
        return None
    parts = [closed_before(Work(context, state), p.event)]
    following = still_open(context, p.following)
    if following and following.state.occurrence.opens <= context.today:
        parts.append(message("answers", "still-open", work=following))
    return joined([*parts, *_instead(context, p.instead)])


def closed_before(work: Work, event: Event) -> Outbound:
    """It was closed by `event`; nothing is recorded."""
    return message("answers", "already-done", c=work.context, work=work, event=event)


def _instead(context: Context, key: Key | None) -> list[Outbound]:
    """“Hay ý anh/chị là 1đ?”, with a button."""
    work = still_open(context, key)
    if work is None:
        return []
    typed = f"xong {work.name.replace('đ', 'dd', 1)}"
    button = context.button(f"Ý tôi là {work.name}", Act.DONE, work.state, typed)
    return [message("answers", "meant-instead", actions=((button,),), work=work, typed=typed)]


def not_your_unit(context: Context, p: payloads.NotYourUnit) -> Outbound | None:
    """Who can do what was asked for."""
    state = context.states.get(p.key)
    if state is None:
        return None
    office, units = context.plan(state).office, state.occurrence.task.lead
    lead = [context.unit(unit) for unit in units]
    led = Verb(p.verb).row.who is Who.LEAD or office in units
    helpers = lead if led else [*lead, context.unit(office)]
    refusal = message(
        "answers",
        p.view,
        p=p,
        work=Work(context, state),
        lead=listed(lead),
        helpers=" hoặc ".join(helpers),
    )
    return joined([refusal, *_instead(context, p.instead)])


def not_done(context: Context, p: payloads.NotDone) -> Outbound | None:
    state = context.states.get(p.key)
    if state is None:
        return None
    after = max(state.due or context.today, context.today)
    extend = vn_date(context.scheduler.calendar.after(after, 3))
    return message("answers", p.view, work=Work(context, state), extend=extend)


def seen(context: Context, p: payloads.Seen) -> Outbound:
    works = [work for work in works_of(context, p.keys) if not work.state.closed]
    if not works:
        return message("answers", "heard", still_open=False)
    return message("answers", p.view, works=works)


def heard(_context: Context, p: payloads.Heard) -> Outbound:
    return message("answers", p.view, still_open=p.still_open)


@dataclass(frozen=True, kw_only=True, slots=True)
class DateGroup:
    """Work with the same dates."""

    states: tuple[State, ...]  # of one deliverable, or of several
    codes: tuple[str, ...]
    name: str
    dates: str  # “10/3, 10/6, 10/9, 10/12”


def by_dates(context: Context, states: Sequence[State]) -> list[DateGroup]:
    """By deliverable; those with just the same dates share a group."""
    groups: list[tuple[str, str, list[State]]] = []
    for _, group in groupby(states, key=lambda s: s.key[:3]):
        of_one = list(group)
        dates = ", ".join(vn_date(s.due) for s in of_one if s.due)
        groups.append((_group_name(context, of_one), dates, of_one))
    groups.sort(key=lambda group: group[2][0].occurrence.is_check_in)
    found: dict[tuple[str, str], list[State]] = {}
    for name, dates, of_one in groups:
        found.setdefault((name, dates), []).extend(of_one)
    return [
        DateGroup(
            states=tuple(group),
            codes=tuple(dict.fromkeys(context.code(s) for s in group)),
            name=name,
            dates=dates,
        )
        for (name, dates), group in found.items()
    ]


def _group_name(context: Context, states: Sequence[State]) -> str:
    first = states[0].occurrence
    if first.is_check_in:
        return first.deliverable.name
    if first.deliverable.recurs:
        return f"{first.task.title} {together([s.occurrence.period.name for s in states])}"
    return Work(context, states[0]).title


def confirmed(context: Context, p: payloads.Confirmed) -> Outbound | None:
    works = works_of(context, p.keys)
    if not works:
        return None
    states = [work.state for work in works]
    held = [s for s in states if s.held_until and s.held_until > context.today]
    dated = [s for s in states if s.occurrence.deliverable.assumed or s not in held]
    names = list(dict.fromkeys(Work(context, s).name for s in held))
    return message(
        "answers",
        p.view,
        c=context,
        works=works,
        dated=len(dated),
        groups=by_dates(context, dated),
        shown=CONFIRMED,
        held=", ".join(some(names)),
        lasts=max((s.held_until for s in held if s.held_until), default=context.today),
    )


def choice(work: Work, before: str, unit: str, *, by_product: bool = False) -> Action:
    """The button that reports `work` done, typed as one can where no keyboard has đ."""
    typed, code, deliverable = work.name, work.state.key.task, work.state.occurrence.deliverable
    if code.endswith("đ"):
        typed = typed.replace(code, f"{code[:-1]}dd", 1)
    what = f"{work.name} – {work.title_after_name}"
    if by_product:
        what = work.title if deliverable.recurs else deliverable.name
    label = before + one_line(what, LABEL) + (f" – {work.due_day}" if by_product else "")
    return work.context.button(label, Act.DONE, work.state, f"xong {typed}", unit)


ANSWERS: Mapping[type[payloads.Payload], Callable[[Context, Any], Outbound | None]] = {
    payloads.Done: done,
    payloads.Updated: updated,
    payloads.AlreadyDone: already_done,
    payloads.NotYourUnit: not_your_unit,
    payloads.NotDone: not_done,
    payloads.Seen: seen,
    payloads.Heard: heard,
    payloads.Confirmed: confirmed,
}
