"""Due days as an iCalendar file (RFC 5545), for Google Calendar, Outlook and Thunderbird.

Each due day is an all-day event, so no time zone is needed. Its UID never changes, and its SEQUENCE
is the revision of the state, so that importing a newer file updates the events (RFC 5546, 2.1.5).
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from datetime import UTC, datetime, time, timedelta
from typing import TYPE_CHECKING
from uuid import NAMESPACE_URL, uuid5

from reminder.documents.workbook import about_due, unit_names
from reminder.domain.calendar import instant, local_day, vn_day
from reminder.domain.ledger import State
from reminder.domain.plan import Confirm, Key, Plan, origin
from reminder.domain.schedule import Scheduler
from reminder.domain.text import one_line

if TYPE_CHECKING:
    from icalendar import Alarm, Calendar, Event

FILE_NAME = "viec-den-han.ics"  # of the attachment of a mail
MEDIA_TYPE = "text/calendar; charset=utf-8; method=PUBLISH"  # METHOD as in the file (RFC 6047)
PRODUCT = "-//reminder//Nhac viec ke hoach//VI"
DOMAIN = "nhac-viec.invalid"  # makes UIDs unique; a reserved name (RFC 2606)
ALARM = time(8, 0)  # local time, on the working day before the due day


def unit_calendar(
    plans: Sequence[Plan],
    states: Mapping[Key, State],
    scheduler: Scheduler,
    unit: str,
    now: datetime,
) -> bytes:
    """Return the due days of what `unit` leads, open or closed; a closed one is marked ✓.

    Open work that does not wait for a signature has an alarm, unless its time is past. ValueError
    if there is no due day, since a calendar must contain a component (RFC 5545, 3.6).
    """
    names = [p.by_unit[unit].name for p in plans if unit in p.by_unit]
    mine = [(state, unit) for state in unit_dues(plans, states, unit)]
    return _calendar(plans, mine, scheduler, now, f"Hạn công việc – {names[-1] if names else unit}")


def unit_dues(plans: Sequence[Plan], states: Mapping[Key, State], unit: str) -> list[State]:
    """Return what `unit` leads in `plans` and has a due day, in the order of due days."""
    ids = {plan.id for plan in plans}
    found = (
        (state.due, state)
        for key, state in states.items()
        if key.plan in ids and state.due is not None and unit in state.occurrence.task.lead
    )
    return [state for _, state in sorted(found, key=lambda pair: pair[0])]


def due_days(
    plans: Sequence[Plan], parts: Iterable[tuple[State, str]], scheduler: Scheduler, now: datetime
) -> bytes:
    """Return the due days of `parts`, each a state and a unit; raise ValueError without any."""
    dated = [(state, unit) for state, unit in parts if state.due is not None]
    return _calendar(plans, dated, scheduler, now, "Hạn công việc")


def uid(key: Key, unit: str) -> str:
    """Return the UID of the event, the same in every file."""
    words = "\0".join((key.plan, key.task, str(key.deliverable), key.period, unit))
    return f"{uuid5(NAMESPACE_URL, f'https://{DOMAIN}/{words}')}@{DOMAIN}"


def _calendar(
    plans: Sequence[Plan],
    parts: Sequence[tuple[State, str]],
    scheduler: Scheduler,
    now: datetime,
    name: str,
) -> bytes:
    # Importing icalendar takes 0.1 s.
    from icalendar import Calendar

    if not parts:
        raise ValueError("a calendar must hold an event")
    calendar: Calendar = Calendar()
    for field, value in (
        ("prodid", PRODUCT),
        ("version", "2.0"),
        ("calscale", "GREGORIAN"),
        ("method", "PUBLISH"),
        ("x-wr-calname", one_line(name)),
    ):
        calendar.add(field, value)
    by_id = {plan.id: plan for plan in plans}
    for state, unit in parts:
        calendar.add_component(_event(by_id[state.key.plan], state, scheduler, unit, now))
    return bytes(calendar.to_ical(sorted=False))


def _event(plan: Plan, state: State, scheduler: Scheduler, unit: str, now: datetime) -> Event:
    from icalendar import Alarm, Event

    assert state.due is not None
    closed = state.closed_by(unit)
    event: Event = Event()
    event.add("uid", uid(state.key, unit))
    event.add("dtstamp", now.astimezone(UTC))
    event.add("dtstart", state.due)
    event.add("dtend", state.due + timedelta(days=1))  # exclusive
    event.add("summary", _summary(state, done=closed is not None))
    event.add("description", _description(plan, state, scheduler, unit))
    event.add("categories", [one_line(plan.by_unit[unit].name), one_line(plan.title)])
    event.add("status", "TENTATIVE" if state.assumed and closed is None else "CONFIRMED")
    event.add("transp", "TRANSPARENT")  # a due day takes nobody's time
    event.add("sequence", state.revision)
    if state.changed is not None:
        event.add("last-modified", state.changed.astimezone(UTC))
    day = scheduler.calendar.before(state.due)
    silent = closed is not None or state.awaits_signature(unit) is not None
    if not silent and instant(day, ALARM) > now:  # a past one would go off at once
        # One alarm, before the start and as a duration: Outlook takes one, and reads any duration
        # as before the start (MS-OXCICAL, 2.1.3.1.1.20.62).
        alarm: Alarm = Alarm()
        alarm.add("action", "DISPLAY")
        alarm.add("description", str(event["summary"]))
        alarm.add("trigger", day - state.due + timedelta(hours=ALARM.hour))
        event.add_component(alarm)
    return event


def _summary(state: State, *, done: bool) -> str:
    name = one_line(f"{state.key.task} {state.occurrence.title}")
    if done:
        return f"✓ {name} – đã xong"
    return f"{name} – {'hạn dự kiến' if state.assumed else 'hạn'}"


def _description(plan: Plan, state: State, scheduler: Scheduler, unit: str) -> str:
    occurrence = state.occurrence
    task = occurrence.task
    lines = [
        f"Sản phẩm: {occurrence.deliverable.product}",
        f"Chủ trì: {unit_names(plan, task.lead)}",
    ]
    if task.support:
        lines.append(f"Phối hợp: {unit_names(plan, task.support)}")
    place = origin(plan, task, occurrence.deliverable)
    lines.append(f"Kế hoạch ghi: {occurrence.deliverable.phrase}{f' ({place})' if place else ''}")
    if about := about_due(state):
        lines.append(f"Về hạn: {about}")
    closed = state.closed_by(unit)
    if closed is not None:
        lines.append(f"Đã báo xong: {vn_day(local_day(closed.at))}")
        shared = task.confirm is Confirm.ALL
        evidence = closed.evidence if shared else state.evidence
        lines += [f"Số, ký hiệu: {evidence}"] if evidence else []
    else:
        assert state.due is not None
        if not scheduler.calendar.is_working(state.due):
            last = vn_day(scheduler.calendar.roll_back(state.due))
            lines.append(f"Hạn rơi vào ngày nghỉ: làm xong trong {last}")
        if submitted := state.awaits_signature(unit):
            lines.append(f"Chờ ký từ {vn_day(local_day(submitted.at))}")
        told = f"cập nhật {task.code}: …" if occurrence.is_check_in else f"xong {task.code}"
        lines.append(f"Làm xong xin nhắn máy nhắc việc: {told}")
    return "\n".join(one_line(line) for line in lines)
