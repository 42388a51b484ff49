"""What answers share: states by key, and the two shapes of an answer."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from datetime import date
from typing import Any

from reminder.domain.channels import Outbound
from reminder.domain.ledger import Event, State
from reminder.domain.occurrences import Key
from reminder.domain.plan import Task
from reminder.messages.compose import Actions, compose
from reminder.messages.context import Context, title
from reminder.messages.wording import day_words

Data = Any
Row = tuple[str, str, str, str]  # kind of line, code, title, what stands behind the dash
TellsEvent = Callable[[Context, State, Event, Data], Outbound | None]
LISTED = 40  # rows of a list; more would not be read


def known_state(context: Context, key: Key | None) -> State | None:
    """The state of `key`; None where no plan has it any more."""
    return context.states.get(key) if key else None


def still_open(context: Context, key: Key | None) -> State | None:
    """The same; None also where it has closed."""
    state = known_state(context, key)
    return None if state is None or state.closed else state


def known_states(context: Context, keys: Iterable[Key]) -> list[State]:
    """The states of `keys`; those that no plan has any more are skipped."""
    return [context.states[key] for key in keys if key in context.states]


def spoken_of(context: Context) -> list[State]:
    """What is open by now, done or not, in the plans that still speak."""
    return [
        state
        for state in context.states.values()
        if state.occurrence.opens <= context.today and context.speaks(state.key.plan)
    ]


def known(context: Context, plan: str, code: str) -> Task | None:
    """The task of this code, if a plan still has it."""
    return context.plans[plan].by_code.get(code) if plan in context.plans else None


def day_of(context: Context, day: date) -> str:
    """“Thứ Tư 31/01”."""
    return day_words(day, context.today)


def speak(
    context: Context,
    before: str,
    state: State | None,
    after: str,
    *,
    lines: Sequence[str] = (),
    typed: Sequence[str] = (),
    actions: Actions = (),
    ask: str = "Xin nhắn",
) -> Outbound:
    """A sentence about one task, lines below it, and what one can type."""
    code = context.code(state) if state else ""
    return compose(
        "said",
        subject=f"{before.rstrip(' :.')} {code}".strip(),
        actions=actions,
        before=before,
        code=code,
        title=title(state) if state else "",
        after=after,
        apart=after.startswith(" "),
        lines=list(lines),
        typed=list(typed),
        ask=ask,
    )


def listing(
    *,
    subject: str,
    head: str,
    rows: Iterable[Row],
    lines: Sequence[str] = (),
    typed: Sequence[str] = (),
    more: int = 0,
    ask: str = "Xin nhắn",
) -> Outbound:
    """A list below its head, bounded: what is left out is a number."""
    every = list(rows)
    left = more + max(0, len(every) - LISTED)
    return compose(
        "listing",
        subject=subject,
        head=head,
        rows=every[:LISTED],
        more=f"và {left} dòng nữa" if left else "",
        lines=list(lines),
        typed=list(typed),
        ask=ask,
    )


def of_event(build: TellsEvent) -> Callable[[Context, Data], Outbound | None]:
    """A view of the one event that its data hold."""

    def show(context: Context, data: Data) -> Outbound | None:
        event = data.event
        state = context.states.get(event.key)
        return build(context, state, event, data) if state else None

    return show
