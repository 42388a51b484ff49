"""Messages to the office: requests to decide, help, and messages that failed."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import date, datetime

from reminder.domain.calendar import local
from reminder.domain.channels import Action, Outbound
from reminder.domain.ledger import State
from reminder.domain.periods import vn_day
from reminder.messages.compose import compose
from reminder.messages.context import Act, Context, handle, title
from reminder.messages.wording import day_words, kind_words, listed, moment_words
from reminder.services.office import GROUP

ROWS = 8  # of buttons
IN_FULL = 10  # requests


def extension_asked(context: Context, state: State, *, before: date | None = None) -> Outbound:
    """A unit asks for more time: the office decides with a button or a typed form.

    `before`: the day that the request asked for which this one replaces.
    """
    request = state.request
    assert request is not None
    assert request.until is not None
    yes, no = decision_buttons(context, state, request.until)
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
        before=day_words(before, context.today) if before else "",
        typed=(yes.typed, no.typed),
    )


def decision_buttons(
    context: Context, state: State, until: date, tag: str = ""
) -> tuple[Action, Action]:
    """✅ and ❌ on the request for just this day: no older button decides a newer request."""
    name, unit = handle(context, state), state.request.unit if state.request else ""
    yes = context.button(
        f"✅ {tag or 'Đồng ý'}", Act.APPROVE, state, f"/dongy {name}", unit, day=until
    )
    no = context.button(
        f"❌ {tag or 'Không'}", Act.REFUSE, state, f"/khongdongy {name}", unit, day=until
    )
    return yes, no


def requests_waiting(context: Context, states: Sequence[State]) -> Outbound | None:
    """The requests that were not decided and whose due day comes; None once all are."""
    waiting = [(s, s.request, s.request.until) for s in states if s.request and s.request.until]
    if not waiting:
        return None
    actions = tuple(
        decision_buttons(context, state, until, handle(context, state) if len(waiting) > 1 else "")
        for state, _, until in waiting[:ROWS]
    )
    return compose(
        "requests_waiting",
        subject=f"Xin gia hạn chờ quyết: {', '.join(context.code(s) for s, *_ in waiting[:6])}",
        actions=actions,
        office=context.office_name,
        day=vn_day(context.today),
        count=len(waiting),
        rows=[
            {
                "code": context.code(state),
                "title": title(state),
                "unit": context.unit(request.unit),
                "due": context.due(state),
                "until": day_words(until, context.today),
                "asked": day_words(local(request.at).date(), context.today),
                "note": request.note.rstrip(" ."),
            }
            for state, request, until in waiting[:IN_FULL]
        ],
        more=max(0, len(waiting) - IN_FULL),
        typed=[action.typed for action in actions[0]],
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
        office=context.office_name,
        subject=f"Không liên lạc được: {name} ({unit or person})",
        name=name,
        person=person,
        unit=unit,
        mail=context.office.traits(channel).mail,
        channel=context.channel(channel),
        reason=reason,
        when=moment_words(at, context.today),
        fallback=context.channel(fallback),
    )


def unit_empty(context: Context, units: Sequence[str], codes: Sequence[str]) -> Outbound:
    """Units that lead work and have nobody who could be told."""
    names = listed([context.unit(unit) for unit in units])
    return compose(
        "unit_empty",
        office=context.office_name,
        subject=f"Chưa có người nhận tin: {names}",
        names=names,
        codes=codes[:12],
        more=max(0, len(codes) - 12),
    )


def office_empty(context: Context, unit: str) -> Outbound:
    """To the leaders: the office itself has nobody, so that what it should hear reaches nobody."""
    name = context.unit(unit)
    return compose(
        "office_empty", subject=f"Kính báo cáo: {name} chưa có người nhận tin", name=name
    )


def channel_down(context: Context, *, channel: str, reason: str, since: datetime) -> Outbound:
    """A channel refuses everything; what can goes by the others."""
    name = context.channel(channel)
    return compose(
        "channel_down",
        office=context.office_name,
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
        office=context.office_name,
        subject=f"Một tin không gửi được: {name}",
        row=row,
        name=name,
        kind=kind_words(kind),
        channel=context.channel(channel),
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
        office_name=context.office_name,
    )
