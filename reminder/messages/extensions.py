"""Requests for more time: asked, decided, withdrawn; the words are in templates/extensions.j2."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from datetime import date, datetime
from typing import Any

from reminder.domain import payloads
from reminder.domain.ledger import Event, EventKind, State, fold
from reminder.domain.outbox import Action, Outbound
from reminder.domain.plan import Key
from reminder.messages.compose import message
from reminder.messages.context import Act, Context, Work

BUTTONS = 8  # rows
IN_FULL = 10  # requests


def asked(context: Context, p: payloads.ExtensionAsked) -> Outbound | None:
    """To the office; None once it was decided, withdrawn, or the task closed."""
    state = context.states.get(p.key)
    if state is None or state.request is None or state.request.until is None:
        return None
    work = Work(context, state)
    return message(
        "extensions",
        p.view,
        actions=(buttons(work, state.request.until),),
        c=context,
        p=p,
        work=work,
        request=state.request,
    )


def buttons(work: Work, until: date, label: str = "") -> tuple[Action, Action]:
    """✅ and ❌ on the request for just this day: no older button decides a newer request."""
    context, state, name = work.context, work.state, work.name
    unit = state.request.unit if state.request else ""
    yes, no = f"✅ {label or 'Đồng ý'}", f"❌ {label or 'Không'}"
    return (
        context.button(yes, Act.APPROVE, state, f"/dongy {name}", unit, day=until),
        context.button(no, Act.REFUSE, state, f"/khongdongy {name}", unit, day=until),
    )


def waiting(context: Context, keys: Iterable[Key]) -> Outbound | None:
    """The requests that were not decided and whose due day comes; None once all are."""
    states = (context.states[key] for key in keys if key in context.states)
    asked = [(Work(context, s), s.request.until) for s in states if s.request and s.request.until]
    if not asked:
        return None
    several = len(asked) > 1
    rows = (buttons(work, until, work.name if several else "") for work, until in asked[:BUTTONS])
    works = [work for work, _ in asked]
    return message(
        "extensions", "request", actions=tuple(rows), c=context, works=works, shown=IN_FULL
    )


_CLOSES = (EventKind.DONE, EventKind.UPDATED)
_ENDS = (
    EventKind.EXTENSION_GRANTED,
    EventKind.EXTENSION_REFUSED,
    EventKind.EXTENSION_WITHDRAWN,
    EventKind.DUE_SET,
    EventKind.EXTENSION_ASKED,
    *_CLOSES,
)


@dataclass(frozen=True, kw_only=True, slots=True)
class Asked:
    """A request as it was made, and what became of it."""

    work: Work  # as it stood then
    asked: Event
    due: date | None
    ended: Event | None


def decided(context: Context, keys: Iterable[Key], sent: datetime) -> Outbound | None:
    """The requests for `keys` that stood when a message about them was `sent`; who decided what."""
    found = [each for key in dict.fromkeys(keys) if (each := _asked(context, key, sent))]
    if not found:
        return None
    rows = [
        buttons(Work(context, state), each.asked.until, context.code(state))
        for each in found
        if each.ended is None and each.asked.until
        if (state := context.states[each.asked.key])
    ]
    return message("extensions", "decided", actions=tuple(rows), c=context, requests=found)


def _asked(context: Context, key: Key, sent: datetime) -> Asked | None:
    if key not in context.states:
        return None
    events = [event for event in context.events if event.key == key]
    before = [e for e in events if e.kind is EventKind.EXTENSION_ASKED and e.at <= sent]
    if not before:
        return None
    asked, state = before[-1], context.states[key]
    then = fold([state.occurrence], context.events, until=asked.at)[key]
    ended = None if state.request == asked else _end(events, asked, state)
    return Asked(work=Work(context, then), asked=asked, due=then.due, ended=ended)


def _end(events: list[Event], asked: Event, state: State) -> Event | None:
    """What ended the request."""
    after = (e for e in events[events.index(asked) + 1 :] if e.kind in _ENDS)
    return next((e for e in after if e.kind not in _CLOSES or state.closed), None)


def day_set(context: Context, key: Key, sent: datetime) -> Outbound | None:
    """“Dời hạn … đến ngày nào?”, once a day is set: which, by whom; no button."""
    state = context.states.get(key)
    moved = [
        e for e in context.events if e.key == key and e.kind is EventKind.DUE_SET and e.at >= sent
    ]
    if state is None or not moved:
        return None
    work = Work(context, state)
    return message("extensions", "day-set", c=context, work=work, event=moved[-1])


EXTENSIONS: Mapping[type[payloads.Payload], Callable[[Context, Any], Outbound | None]] = {
    payloads.ExtensionAsked: asked,
}
