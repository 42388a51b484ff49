"""Acknowledgements: what was recorded, and how to take it back."""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime

from reminder.domain import payloads
from reminder.domain.channels import Outbound
from reminder.domain.ledger import Event, EventKind, State
from reminder.domain.payloads import Heard
from reminder.messages import answers
from reminder.messages import answers as replies
from reminder.messages.context import Context, evidence_words, handle, title
from reminder.messages.digest_sections import some
from reminder.messages.settlement import by_dates
from reminder.messages.views_dates import rest_lines
from reminder.messages.views_kit import Data, day_of, known_states, listing, of_event, speak
from reminder.messages.wording import day_words, moment_words

NAMED = 12  # codes in a sentence

_UNDONE = {
    EventKind.DONE: ": lại để mở, chưa xong",
    EventKind.UPDATED: ": lại chờ cập nhật",
    EventKind.SUBMITTED: ": không còn chờ ký, máy nhắc lại như lịch",
    EventKind.EXTENSION_ASKED: ": đã rút việc xin gia hạn",
}


def _evidence(context: Context, state: State, event: Event, data: Data) -> Outbound:
    before = data.before
    instead = f", thay cho {evidence_words(before)}" if before else ""
    end = f": {evidence_words(event.evidence)}{instead}."
    return speak(context, "Đã ghi văn bản của", state, end)


def _noted(context: Context, state: State, event: Event, data: Data) -> Outbound:
    if data.added:
        return speak(context, "Đã ghi thêm vào", state, f": {event.note}")
    after = "." if state.closed else f". Việc vẫn để mở, {context.due(state)}."
    return speak(context, "Đã ghi chú", state, f": {event.note.rstrip(' .')}{after}")


def _submitted(context: Context, state: State, event: Event, data: Data) -> Outbound:
    del data
    return answers.submitted(context, state, event.at)


def _undone(context: Context, state: State, event: Event, data: Data) -> Outbound:
    del data
    end = f"{_UNDONE[event.kind]} ({context.due(state, ahead=False)})."
    return speak(context, "Đã hoàn tác", state, end)


def _reopened(context: Context, state: State, event: Event, data: Data) -> Outbound:
    del data
    part = f" (phần của {context.unit(event.unit)})" if event.kind is EventKind.UNDONE else ""
    end = f"{part}, {context.due(state)}. Lý do: {event.note.rstrip(' .')}."
    return speak(context, f"{context.unit(context.plan(state).office)} mở lại", state, end)


def _reopened_word(context: Context, state: State, event: Event, data: Data) -> Outbound | None:
    """To who was told that it is done; None once it is again."""
    if state.closed:
        return None
    why = f" Lý do: {event.note.rstrip(' .')}." if event.note else ""
    end = f" được mở lại, chưa xong ({context.due(state, ahead=False)}).{why}"
    head = "Kính báo cáo:" if data.leaders else f"{context.unit(context.plan(state).office)} lưu ý:"
    return speak(context, head, state, end)


def _date_set(context: Context, state: State, event: Event, data: Data) -> Outbound:
    assert event.until is not None
    before = f" (trước là {day_of(context, data.before)})" if data.before else ""
    lines = [f"Lý do: {event.note.rstrip(' .')}."] if event.note else []
    lines += rest_lines(context, event.until)
    typed = [f"/ghichu {handle(context, state)} lý do"] if data.ask else []
    end = f": hạn {day_words(event.until, context.today)}{before}."
    office = context.unit(context.plan(state).office)
    return speak(
        context,
        f"{office} đặt hạn",
        state,
        end,
        lines=lines,
        typed=typed,
        ask="Có lý do xin nhắn",
    )


def _snoozed(context: Context, data: Data) -> Outbound | None:
    state = context.states.get(data.key)
    if state is None:
        return None
    why = ", vì không hoãn quá hạn" if data.capped else ""
    end = f" vào {day_of(context, data.until)}{why} ({context.due(state, ahead=False)})."
    return speak(context, "Đã ghi: sẽ nhắc lại", state, end)


def _returned(context: Context, data: Data) -> Outbound | None:
    state = context.states.get(data.key)
    if state is None:
        return None
    end = f" bị trả lại. Máy nhắc lại như lịch, {context.due(state)}."
    return speak(context, "Đã ghi:", state, end)


def _reminded(context: Context, data: Data) -> Outbound | None:
    state = context.states.get(data.key)
    if state is None:
        return None
    lines = [_reminded_before(context, *before) for before in data.before]
    nobody = data.nobody
    if nobody:
        lines.append(f"{context.units(nobody)} chưa có ai trong danh sách nên chưa ai nhận được.")
    now = [unit for unit in data.units if unit not in nobody]
    if now:
        return speak(context, "Đang nhắc ngay", state, f": {context.units(now)}.", lines=lines)
    typed = [] if nobody else [f"/lichsu {context.code(state)}"]
    ask = "Xem bộ phận đã trả lời gì, xin nhắn"
    return speak(context, "Không gửi thêm:", state, ".", lines=lines, typed=typed, ask=ask)


def _reminded_before(context: Context, unit: str, at: datetime, by: str) -> str:
    """“Chi đã cho nhắc Tư pháp lúc 09:12 hôm nay.”"""
    when = moment_words(at, context.today)
    who = context.office.files.names.get(by, by) or context.office_name
    return f"{who} đã cho nhắc {context.unit(unit)} lúc {when}."


def _confirmed(context: Context, data: Data) -> Outbound | None:
    states = known_states(context, data.keys)
    if not states:
        return None
    if len(states) == 1:
        return speak(context, "Đã xác nhận", states[0], f": {context.due(states[0])}.")
    held = [s for s in states if s.held_until and s.held_until > context.today]
    dated = [s for s in states if s.occurrence.deliverable.assumed or s not in held]
    groups = by_dates(context, dated)
    rows = [("item", ", ".join(group.codes), group.name, group.dates) for group in groups]
    still = ", ".join(some(list(dict.fromkeys(handle(context, s) for s in held)), NAMED))
    lasts = max((s.held_until for s in held if s.held_until), default=context.today)
    goes_on = f"Còn phải làm, máy nhắc từ {day_words(lasts, context.today)}: {still}."
    kept = f"Đã xác nhận {len(dated)} hạn như đang ghi:"
    return listing(
        subject=f"Đã xác nhận {len(dated)} hạn" if dated else "Việc còn phải làm",
        head=kept if dated else goes_on,
        rows=rows[:NAMED],
        more=max(0, len(rows) - NAMED),
        lines=[goes_on] if dated and held else [],
    )


def _seen(context: Context, data: Data) -> Outbound | None:
    states = [state for state in known_states(context, data.keys) if not state.closed]
    if not states:
        return _heard(context, Heard(still_open=False))
    if len(states) == 1:
        return replies.seen(context, states[0])
    return listing(
        subject="Đã rõ",
        head="Cảm ơn anh/chị, đã rõ. Vẫn để mở đến khi anh/chị báo xong:",
        rows=[("item", context.code(s), title(s), context.due(s, ahead=False)) for s in states],
    )


def _heard(context: Context, data: Data) -> Outbound:
    after = (
        " Việc vẫn để mở. Vướng việc nào, xin nhắn mã việc rồi một dòng." if data.still_open else ""
    )
    return speak(context, f"Cảm ơn anh/chị, đã rõ.{after}", None, "")


ACTS: dict[type[payloads.Payload], Callable[[Context, Data], Outbound | None]] = {
    payloads.Evidence: of_event(_evidence),
    payloads.Noted: of_event(_noted),
    payloads.Submitted: of_event(_submitted),
    payloads.Undone: of_event(_undone),
    payloads.Reopened: of_event(_reopened),
    payloads.ReopenedWord: of_event(_reopened_word),
    payloads.DateSet: of_event(_date_set),
    payloads.Snoozed: _snoozed,
    payloads.Returned: _returned,
    payloads.Reminded: _reminded,
    payloads.Confirmed: _confirmed,
    payloads.Seen: _seen,
    payloads.Heard: _heard,
}
