"""What the office was asked, once it is decided: the same message, who decided what, no button."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import replace
from datetime import datetime
from typing import Any

from reminder.channels import settling
from reminder.channels.compose import compose
from reminder.channels.context import Context, title
from reminder.channels.notices import decision_buttons
from reminder.channels.views_kit import speak
from reminder.channels.wording import day_words, moment_words
from reminder.core.ledger import Event, EventKind, State, fold, to_settle
from reminder.core.occurrences import Key
from reminder.ports import Outbound

MOST = 6  # lines of what was settled: the newest
_CLOSES = (EventKind.DONE, EventKind.UPDATED)
_ENDS: Mapping[EventKind, str] = {
    EventKind.EXTENSION_GRANTED: "✅ {who} đã đồng ý, hạn mới {day}, lúc {when}.",
    EventKind.EXTENSION_REFUSED: "❌ {who} đã không đồng ý lúc {when}.",
    EventKind.EXTENSION_WITHDRAWN: "↩️ {who} đã rút lúc {when}.",
    EventKind.DUE_SET: "📅 {who} đã đặt hạn {day} lúc {when}.",
    EventKind.EXTENSION_ASKED: "↩️ {who} đã xin lại đến {day} lúc {when}, ở tin sau.",
    EventKind.DONE: "✅ {who} đã báo xong lúc {when}.",
    EventKind.UPDATED: "✅ {who} đã cập nhật lúc {when}.",
}
_SETTLES: Mapping[EventKind, str] = {
    EventKind.CONFIRMED: "{who} giữ hạn {codes}, lúc {when}",
    EventKind.HELD: "{who} cho nhắc tiếp {codes}, lúc {when}",
    EventKind.DUE_SET: "{who} đặt hạn {codes} {day}, lúc {when}",
    EventKind.EXTENSION_GRANTED: "{who} gia hạn {codes} đến {day}, lúc {when}",
}


def requests(context: Context, keys: Iterable[Key], sent: datetime) -> Outbound | None:
    """The requests for more time of `keys` that stood when a message of them was `sent`."""
    lines, rows = [], []
    for key in dict.fromkeys(keys):
        asked = _asked(context, key, sent)
        if asked is None:
            continue
        ended = _end(context, asked)
        lines.append(_request(context, asked, ended))
        state = context.states[key]
        if ended is None and asked.until:
            rows.append(decision_buttons(context, state, asked.until, context.code(state)))
    if not lines:
        return None
    return compose("settled", subject="Xin gia hạn", actions=tuple(rows), lines=lines)


def _asked(context: Context, key: Key, sent: datetime) -> Event | None:
    if key not in context.states:
        return None
    asked = (
        e
        for e in reversed(context.events)
        if e.key == key and e.kind is EventKind.EXTENSION_ASKED and e.at <= sent
    )
    return next(asked, None)


def _end(context: Context, asked: Event) -> Event | None:
    """What ended the request; None while it stands."""
    state = context.states[asked.key]
    if state.request == asked:
        return None
    after = context.events[context.events.index(asked) + 1 :]
    of_it = (e for e in after if e.key == asked.key and e.kind in _ENDS)
    return next((e for e in of_it if e.kind not in _CLOSES or state.closed), None)


def _request(context: Context, asked: Event, ended: Event | None) -> tuple[str, str, str, str]:
    """Code, title, the request as it was made, and what became of it."""
    occurrence = context.states[asked.key].occurrence
    then = fold([occurrence], context.events, until=asked.at)[asked.key]
    was = day_words(then.due, context.today) if then.due else "chưa có hạn"
    until = day_words(asked.until, context.today) if asked.until else ""
    words = f"xin gia hạn từ {was} đến {until}. Lý do: {asked.note.rstrip(' .') or 'chưa nêu'}."
    fate = "Chưa có quyết định." if ended is None else _told(context, ended, _ENDS[ended.kind])
    name = f"{context.code(then)} {title(then)}"
    return name, context.unit(asked.unit), words, fate


def _told(context: Context, event: Event, form: str, codes: str = "") -> str:
    return form.format(
        who=context.person(event),
        day=day_words(event.until, context.today) if event.until else "",
        when=moment_words(event.at, context.today),
        codes=codes,
    )


def start(
    context: Context, data: Mapping[str, Any], shown: Outbound | None, sent: datetime
) -> Outbound | None:
    """The list of a plan's start as it is `shown` now, with what was settled since it was sent."""
    if shown is None:
        return None
    by_act: dict[tuple[EventKind, str, str, datetime], list[Event]] = {}
    late = {Key(*key) for key in data["late"]}
    for event in context.events:
        ours = event.key.plan == data["plan"] and event.by and event.at >= sent
        state = context.states.get(event.key)
        listed = state is not None and (event.key in late or to_settle(state.occurrence))
        if ours and listed and event.kind in _SETTLES:
            day = event.until.isoformat() if event.until else ""
            by_act.setdefault((event.kind, event.by, day, event.at), []).append(event)
    lines = [
        _told(context, events[0], _SETTLES[events[0].kind], _codes(context, events))
        for events in by_act.values()
    ]
    return settling.with_settled(shown, lines[-MOST:])


def _codes(context: Context, events: Sequence[Event]) -> str:
    codes = list(dict.fromkeys(context.code(context.states[e.key]) for e in events))
    few = ", ".join(codes[:4])
    return few if len(codes) <= 4 else f"{few} và {len(codes) - 4} việc nữa"


def asked_day(context: Context, state: State | None, sent: datetime) -> Outbound | None:
    """“Dời hạn … đến ngày nào?”, once a day is set: which, by whom; no button."""
    if state is None:
        return None
    moved = (
        e
        for e in reversed(context.events)
        if e.key == state.key and e.kind is EventKind.DUE_SET and e.at >= sent
    )
    event = next(moved, None)
    if event is None:
        return None
    end = f": {_told(context, event, _ENDS[event.kind])}"
    return replace(speak(context, "Hạn của", state, end), actions=())
