"""What was recorded, and what one can do about it; the words are in templates/answers.j2."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date
from itertools import groupby

from reminder.domain import payloads
from reminder.domain.calendar import vn_date
from reminder.domain.ledger import Event
from reminder.domain.outbox import Action, Outbound
from reminder.domain.plan import Key
from reminder.domain.text import one_line
from reminder.messages.compose import joined, message
from reminder.messages.context import Context, Work, together
from reminder.understanding.verbs import Verb, Who

BUTTONS = 8
LABEL = 42  # characters of what a button names


def still_open(context: Context, key: Key | None) -> Work | None:
    """Return the work of `key`; None where it has closed, or no plan has it any more."""
    work = context.work(key)
    return work if work and not work.state.closed else None


def done(
    context: Context, p: payloads.Done, remaining: Sequence[Work] | None = None
) -> Outbound | None:
    """Say what was closed; `remaining`: what the unit has still to do, None: all that is open."""
    if remaining is None:
        mine = [w for w in context.begun() if not w.state.closed and p.unit in w.waiting]
        remaining = sorted(mine, key=lambda work: work.state.due or date.max)
    by_key = {event.key: event for event in reversed(p.events) if event.key in context.states}
    lines = [(Work(context, context.states[k]), e) for k, e in reversed(by_key.items())]
    if not lines:
        return None
    undo = _undo(lines)
    actions = [(action,) for action in undo]
    if instead := still_open(context, p.instead):
        actions.append((choice(instead, "Ý tôi là ", p.unit),))
    bare = next((w for w, e in lines if not e.evidence and not w.occurrence.is_check_in), None)
    return message(
        context,
        p,
        actions=tuple(actions[:BUTTONS]),
        lines=lines,
        ask=bare.name if bare and not bare.occurrence.deliverable.recurs else "",
        remaining=remaining,
        undo=[action.typed for action in undo],
        instead=instead,
    )


def _undo(closed: Sequence[tuple[Work, Event]]) -> list[Action]:
    """Return a button and a typed form for each of these that takes it back."""
    return [
        work.button(
            f"↩️ {work.name}" if len(closed) > 1 else "↩️ Hoàn tác",
            "undo",
            f"hoàn tác {work.name}",
            event.unit,
            event.at,
        )
        for work, event in closed
    ]


def updated(
    context: Context, p: payloads.Updated, missing: Sequence[Work] | None = None
) -> Outbound | None:
    """Say what was answered; `missing`: the check-ins that still wait, None: the units' own."""
    if missing is None:
        waiting = [
            work
            for work in context.begun()
            if work.occurrence.is_check_in and set(work.state.open_units) & set(p.units)
        ]
        missing = list({w.state.key[:3]: w for w in waiting[::-1]}.values())[::-1]
    events = {e.key: e for e in p.events if e.key in context.states}
    answered = [(Work(context, context.states[key]), event) for key, event in events.items()]
    if not answered:
        return None
    undo = _undo(answered)
    return message(
        context,
        p,
        actions=tuple(tuple(undo[n : n + 4]) for n in range(0, min(len(undo), BUTTONS), 4)),
        works=[work for work, _ in answered],
        missing=missing,
        undo=[action.typed for action in undo],
    )


def already_done(context: Context, p: payloads.AlreadyDone) -> Outbound | None:
    """Say that it is done, what of it is open, and what a bare ASCII code may have meant."""
    parts = [message(context, p)]
    following = still_open(context, p.following)
    if following and following.occurrence.opens <= context.today:
        parts.append(message(context, "still-open", work=following))
    return joined([*parts, *_instead(context, p.instead)])


def _instead(context: Context, key: Key | None) -> list[Outbound]:
    """Return “Hay ý anh/chị là 1đ?”, with a button."""
    work = still_open(context, key)
    if work is None:
        return []
    typed = f"xong {work.name.replace('đ', 'dd', 1)}"
    button = work.button(f"Ý tôi là {work.name}", "done", typed)
    return [message(context, "meant-instead", actions=((button,),), work=work, typed=typed)]


def not_your_unit(context: Context, p: payloads.NotYourUnit) -> Outbound | None:
    """Return who can do what was asked for."""
    work = Work(context, context.states[p.key])
    lead = [context.unit(unit) for unit in work.task.lead]
    led = Verb(p.verb).row.who is Who.LEAD or work.plan.office in work.task.lead
    helpers = lead if led else [*lead, work.office]
    return joined([message(context, p, lead=lead, helpers=helpers), *_instead(context, p.instead)])


def seen(context: Context, p: payloads.Seen) -> Outbound:
    works = [work for work in context.works(p.keys) if not work.state.closed]
    if not works:
        return message(context, payloads.Heard(still_open=False))
    return message(context, p, works=works)


@dataclass(frozen=True, kw_only=True, slots=True)
class DateGroup:
    """Work with the same dates."""

    works: tuple[Work, ...]  # of one deliverable, or of several
    codes: tuple[str, ...]
    name: str
    dates: str  # “10/3, 10/6, 10/9, 10/12”


def by_dates(works: Sequence[Work]) -> list[DateGroup]:
    """Return the dates by deliverable; those with just the same dates share a group."""
    groups = [list(group) for _, group in groupby(works, key=lambda work: work.state.key[:3])]
    groups.sort(key=lambda group: group[0].occurrence.is_check_in)
    found: dict[tuple[str, str], list[Work]] = {}
    for group in groups:
        dates = ", ".join(vn_date(work.state.due) for work in group if work.state.due)
        found.setdefault((_group_name(group), dates), []).extend(group)
    return [
        DateGroup(
            works=tuple(group),
            codes=tuple(dict.fromkeys(work.code for work in group)),
            name=name,
            dates=dates,
        )
        for (name, dates), group in found.items()
    ]


def _group_name(works: Sequence[Work]) -> str:
    first = works[0]
    if first.occurrence.is_check_in:
        return first.occurrence.deliverable.name
    if first.occurrence.deliverable.recurs:
        return f"{first.task.title} {together([work.period for work in works])}"
    return first.title


def confirmed(context: Context, p: payloads.Confirmed) -> Outbound | None:
    works = context.works(p.keys)
    if not works:
        return None
    held = [work for work in works if work.state.is_held(context.today)]
    dated = [w for w in works if w.occurrence.deliverable.assumed or w not in held]
    lasts = max((w.state.held_until for w in held if w.state.held_until), default=context.today)
    return message(
        context, p, works=works, dated=len(dated), groups=by_dates(dated), held=held, lasts=lasts
    )


def choice(work: Work, before: str, unit: str, *, by_product: bool = False) -> Action:
    """Return the button that reports `work` done, typed as one can where no keyboard has đ."""
    typed, code, deliverable = work.name, work.state.key.task, work.occurrence.deliverable
    if code.endswith("đ"):
        typed = typed.replace(code, f"{code[:-1]}dd", 1)
    what = f"{work.name} – {work.title_after_name}"
    if by_product:
        what = work.title if deliverable.recurs else deliverable.name
        if deliverable.recurs and len(what) > LABEL:  # its end tells the periods apart
            what = work.name
    label = before + one_line(what, LABEL) + (f" – {work.due_day}" if by_product else "")
    return work.button(label, "done", f"xong {typed}", unit)
