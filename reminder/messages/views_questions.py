"""Questions: nothing was recorded, and each answer is a button or a typed form."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from datetime import date

from reminder.domain import payloads
from reminder.domain.channels import Outbound
from reminder.domain.ledger import State
from reminder.messages import answers
from reminder.messages.context import Act, Context, handle, title
from reminder.messages.views_kit import (
    Data,
    known_state,
    known_states,
    listing,
    speak,
    spoken_of,
    still_open,
)

ROWS = 8  # of buttons


def _which(context: Context, data: Data) -> Outbound | None:
    states = [state for state in known_states(context, data.keys) if not state.closed]
    if not states:
        return _closed_since(context, data)
    return answers.which(
        context,
        states,
        unit=data.unit,
        instead=still_open(context, data.instead),
        closed=closed if (closed := known_state(context, data.closed)) and closed.closed else None,
    )


def _claimed(context: Context, data: Data) -> Outbound | None:
    """Whether it is done: one tap, or “đúng” or “chưa”; of several, which."""
    states = [state for state in known_states(context, data.keys) if not state.closed][:ROWS]
    if not states:
        return _closed_since(context, data)
    return answers.claimed(context, states, unit=data.unit, words=data.words)


def _closed_since(context: Context, data: Data) -> Outbound | None:
    """The question waited, and all that it offered is done: that is the answer."""
    closed = [(state, state.closed) for state in known_states(context, data.keys) if state.closed]
    return answers.already_done(context, *closed[-1]) if closed else None


def _which_part(context: Context, data: Data) -> Outbound | None:
    """The question of any other verb: typed forms alone, since a ✅ would close."""
    states = known_states(context, data.keys)
    forms = [f"{data.head} {handle(context, s)} {data.tail}".strip() for s in states]
    if not states:
        return None
    code = context.code(states[0])
    return listing(
        subject=f"Chưa ghi gì: {code} có {len(states)} phần",
        head=f"Chưa ghi gì. {code} có {len(states)} phần, anh/chị nói về phần nào?",
        rows=[("item", handle(context, s), title(s), context.due(s, ahead=False)) for s in states],
        typed=forms,
    )


def _which_plan(context: Context, data: Data) -> Outbound | None:
    """Two plans have it open: the year says which is meant."""
    code = data.code
    first: dict[str, State] = {}
    for s in sorted(spoken_of(context), key=lambda s: s.due or date.max):
        if s.key.task == code and not s.closed:
            first.setdefault(s.key.plan, s)
    rows = [("item", context.code(s), title(s), context.due(s)) for s in first.values()]
    return listing(
        subject=f"Chưa ghi gì: {code} của năm nào?",
        head=f"Chưa ghi gì. {code} đang mở trong {len(rows)} kế hoạch, anh/chị nói về năm nào?",
        rows=rows,
        typed=data.typed,
    )


def _which_unit(context: Context, data: Data) -> Outbound | None:
    state = context.states.get(data.key)
    if state is None:
        return None
    name = handle(context, state)
    forms = [f"xong {name} {context.unit(unit)}" for unit in data.units]
    return speak(
        context,
        "Chưa ghi gì.",
        state,
        ": mỗi bộ phận báo phần mình, anh/chị báo cho bộ phận nào?",
        typed=[*forms, f"xong {name} tất cả"],
    )


def _listed_back(context: Context, data: Data) -> Outbound | None:
    states = known_states(context, data.keys)
    head = f"Chưa ghi gì. Khoảng mã ấy gồm {len(states)} việc đang mở của anh/chị:"
    return listing(
        subject="Chưa ghi gì: xin xem lại danh sách",
        head=head if states else "Chưa ghi gì. Khoảng mã ấy không có việc nào đang mở.",
        rows=[("item", handle(context, s), title(s), context.due(s)) for s in states],
        typed=[data.typed] if states else [],
        ask="Đúng như thế xin nhắn",
    )


def _error(context: Context, data: Data) -> Outbound:
    states = [state for state in known_states(context, data.keys) if not state.closed]
    buttons = [
        context.button(f"✅ {handle(context, s)}", Act.DONE, s, f"xong {handle(context, s)}")
        for s in states[:ROWS]
    ]
    message = answers.answer([data.say], subject="Máy chưa ghi gì")
    return replace(message, actions=tuple((button,) for button in buttons))


QUESTIONS: dict[type[payloads.Payload], Callable[[Context, Data], Outbound | None]] = {
    payloads.WhichOccurrence: _which,
    payloads.Claimed: _claimed,
    payloads.WhichPart: _which_part,
    payloads.WhichPlan: _which_plan,
    payloads.WhichUnit: _which_unit,
    payloads.ListedBack: _listed_back,
    payloads.NotUnderstood: _error,
}
