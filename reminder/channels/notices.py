"""Words to the office: a request to decide, and what went wrong with the messages themselves."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime

from reminder.channels.compose import compose
from reminder.channels.context import Act, Context, handle, title
from reminder.channels.escalation import CHANNELS
from reminder.channels.wording import day_words, listed, moment_words
from reminder.core.ledger import State
from reminder.ports import Outbound
from reminder.service.office import EMAIL, GROUP

KINDS = {
    "nudge": "tin nhắc",
    "escalation": "báo quá hạn",
    "digest": "bản tổng hợp",
    "reply": "tin trả lời",
    "notice": "thông báo",
    "edit": "tin sửa",
}


def extension_asked(context: Context, state: State) -> Outbound:
    """A unit asks for more time: the office decides with a button or a typed form."""
    request = state.request
    assert request is not None
    assert request.until is not None
    name = handle(context, state)
    yes = context.button("Đồng ý", Act.APPROVE, state, f"/dongy {name}", request.unit)
    no = context.button("Không", Act.REFUSE, state, f"/khongdongy {name}", request.unit)
    return compose(
        "extension_asked",
        subject=f"Xin gia hạn {context.code(state)} đến {day_words(request.until, context.today)}",
        actions=((yes, no),),
        unit=context.unit(request.unit),
        code=context.code(state),
        title=title(state),
        due=day_words(state.due, context.today) if state.due else "chưa có hạn",
        until=day_words(request.until, context.today),
        note=request.note.rstrip(" ."),
        typed=(yes.typed, no.typed),
    )


def address_dead(
    context: Context,
    *,
    name: str,
    person: str,
    channel: str,
    reason: str,
    fallback: str = "",
    at: datetime,
) -> Outbound:
    """Somebody, or a unit's group, can't be reached on a channel, and what mends it.

    `fallback`: the channel that takes over, if any.
    """
    unit = person.removeprefix(GROUP) if person.startswith(GROUP) else ""
    return compose(
        "address_dead",
        office=context.office,
        subject=f"Không liên lạc được: {name} ({unit or person})",
        name=name,
        person=person,
        unit=unit,
        mail=channel == EMAIL,
        channel=CHANNELS.get(channel, channel),
        reason=reason,
        when=moment_words(at, context.today),
        fallback=CHANNELS.get(fallback, fallback),
    )


def unit_empty(context: Context, units: Sequence[str], codes: Sequence[str]) -> Outbound:
    """Units that lead work and have nobody who could be told."""
    names = listed([context.unit(unit) for unit in units])
    return compose(
        "unit_empty",
        office=context.office,
        subject=f"Chưa có người nhận tin: {names}",
        names=names,
        codes=codes[:12],
        more=max(0, len(codes) - 12),
    )


def channel_down(context: Context, *, channel: str, reason: str, since: datetime) -> Outbound:
    """A channel refuses everything; what can goes by the others."""
    name = CHANNELS.get(channel, channel)
    return compose(
        "channel_down",
        office=context.office,
        subject=f"Kênh {name} đang không gửi được",
        name=name,
        reason=reason,
        since=moment_words(since, context.today),
    )


def dead_letter(
    context: Context, *, row: int, name: str, kind: str, channel: str, reason: str, slot: datetime
) -> Outbound:
    """A message that was given up, with nothing left to try."""
    return compose(
        "dead_letter",
        office=context.office,
        subject=f"Một tin không gửi được: {name}",
        row=row,
        name=name,
        kind=KINDS.get(kind, kind),
        channel=CHANNELS.get(channel, channel),
        reason=reason,
        slot=moment_words(slot, context.today),
    )


def help_text(
    context: Context, *, office: bool = False, leader: bool = False, reply_to: str = ""
) -> Outbound:
    """What one can type, for an officer, the office, or the leaders."""
    return compose(
        "help",
        subject="Cách dùng máy nhắc việc",
        reply_to=reply_to,
        office=office,
        leader=leader,
        office_name=context.office,
    )
