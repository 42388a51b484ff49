"""Nudges: what is due, late and coming, for one recipient in one or several units."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import date
from itertools import groupby

from reminder.documents.ics import FILE_NAME, MEDIA_TYPE, due_days
from reminder.domain.calendar import instant
from reminder.domain.ledger import Event, State
from reminder.domain.outbox import Outbound
from reminder.domain.plan import Key
from reminder.domain.report import full_name
from reminder.domain.schedule import Item
from reminder.messages.compose import Actions, message
from reminder.messages.context import Context, Work, coming_rest, listed, together
from reminder.services.office import Office

IN_FULL = 10  # lines; the rest is a number
BUTTON_ROWS = 8


@dataclass(frozen=True)
class Entry(Work):
    """One line of a nudge: one occurrence, or the late ones of one task, the earliest first."""

    states: tuple[State, ...] = ()
    stands: str = ""  # how it stands: its due day
    part: str = ""  # whose part it is, where that isn't plain
    resting: bool = False  # it needs no nudge any more
    by: Event | None = None  # what closed it

    @property
    def kind(self) -> str:
        if self.by:
            return "done"
        return "late" if self.days_late and not self.resting else "item"

    @property
    def title(self) -> str:
        """The title, with all of the periods."""
        if len(self.states) < 2:
            return super().title
        return f"{self.task.title} {together([s.occurrence.period_name for s in self.states])}"


@dataclass(frozen=True, kw_only=True, slots=True)
class Off:
    """Who is away today, as far as a nudge's recipient is concerned."""

    away: Mapping[str, Sequence[tuple[str, date]]] = field(
        default_factory=dict
    )  # by unit: name, until
    stands_in: frozenset[str] = frozenset()  # units of which the recipient is not


NOBODY = Off()


@dataclass(frozen=True, kw_only=True, slots=True)
class Drafts:
    """The drafts of the reports that a nudge is about, and where the reader finds them."""

    names: tuple[str, ...]  # of the reports
    place: str  # attached | mail | chat; where no file goes along: mailed | page | nowhere


def announced(
    office: Office, due: Sequence[State], recipient: str, channel: str, *, page: bool = False
) -> Drafts | None:
    """Return where the reader of a nudge on `channel` finds the drafts of the reports `due`."""
    if not due:
        return None
    traits, mail = office.traits(channel), office.has_mail(recipient)
    if traits.mail:
        place = "attached"
    elif traits.files:
        place = "mail" if mail else "chat"
    else:
        place = "mailed" if mail else "page" if page else "nowhere"
    return Drafts(names=tuple(full_name(state.occurrence.period) for state in due), place=place)


def nudge(
    context: Context,
    items: Mapping[str, Sequence[Item]],
    *,
    edit: str = "",
    insist: bool = False,
    drafts: Drafts | None = None,
    off: Off = NOBODY,
    files: bool = True,
) -> Outbound | None:
    """Return the nudge of `items`, by unit; None if nothing of it is left to nudge about.

    With `edit` it takes the place of an older one: what has closed since is shown as done.
    `insist`: the office reminds again now, whatever was snoozed or waits for a signature.
    `drafts`: of the reports that it is about.
    `off`: who is away, and for which units the recipient stands in.
    `files`: with the due days as a calendar file.
    """
    chosen = _chosen(context, items)
    live = {k: units for k, units in chosen.items() if _live(context, k, units, insist=insist)}
    if not live and not edit:
        return None
    works = context.works(live)
    lines = _lines([work for work in works if not work.occurrence.is_check_in])
    rested = {k: units for k, units in chosen.items() if edit and k not in live}
    today, calendar = context.today, context.scheduler.calendar
    rest = coming_rest(today, calendar) if lines else None
    eve = rest is not None and calendar.roll_back(rest[0]) == today
    style = _style(context, lines, eve=eve, resting=bool(rested))
    entries = _entries(context, lines[:IN_FULL], tuple(items), style)
    entries += [_resting(context, context.states[key], units) for key, units in rested.items()]
    dues = [work.state.due for line in lines for work in line if work.state.due]
    holiday = context.holiday(*rest) if rest else ""
    told = rest is not None and (eve or any(due >= rest[0] for due in dues))
    first = lines[0][0] if lines else None
    past = sum(1 for due in (line[0].state.due for line in lines) if due and due <= today)
    late = sum(1 for line in lines if line[0].days_late)
    made = message(
        context,
        "nudge",
        actions=_buttons(lines, live, off),
        style=style,  # one_due | one_late | due | last | rest | list | resting | ask
        first=first,
        who=[context.unit(unit) for unit in items],
        codes=list(dict.fromkeys(line[0].code for line in lines)),
        late=late,  # lines of it
        today=past - late,
        ahead=len(lines) - past,
        example=first.name + _part_of(first, off) if first else "",
        entries=entries,
        more=max(0, len(lines) - IN_FULL),
        asked=_asked(works),
        rest=rest if told else None,
        after=sorted({due for due in dues if rest and due > rest[1]}),
        holiday=holiday,
        eve=eve,  # today is the last working day before it
        warnings=_warnings(context, lines),
        drafts=drafts,
        instead=[(u, away) for u, away in off.away.items() if away and u in off.stands_in],
        absent=[(u, away) for u, away in off.away.items() if away and u not in off.stands_in],
    )
    if edit:
        return replace(made, edit=edit)
    return replace(made, attachments=(_due_days(context, live),)) if files else made


def _chosen(context: Context, items: Mapping[str, Sequence[Item]]) -> dict[Key, tuple[str, ...]]:
    chosen: dict[Key, tuple[str, ...]] = {}
    for unit, said in items.items():
        for item in said:
            state = context.states.get(item.key)
            if state is not None and state.due is not None:
                chosen[item.key] = (*chosen.get(item.key, ()), unit)
    return chosen


def _live(context: Context, key: Key, units: tuple[str, ...], *, insist: bool) -> bool:
    """Return whether any of `units` still has to act, and may be told so today."""
    state, today = context.states[key], context.today
    return any(
        unit in state.open_units if insist else state.may_be_nudged(unit, today) for unit in units
    )


def _lines(works: Iterable[Work]) -> list[list[Work]]:
    """Return a list a line, the earliest due first; the late cycles of one task share theirs."""
    lines: dict[tuple[object, ...], list[Work]] = {}
    for work in sorted(works, key=lambda work: work.state.due or date.max):
        key = work.state.key
        cycle = work.occurrence.deliverable.recurs and work.days_late
        lines.setdefault(key[:3] if cycle else key, []).append(work)
    return list(lines.values())


def _style(context: Context, lines: list[list[Work]], *, eve: bool, resting: bool) -> str:
    """Return how the message opens: the plainest sentence that is true of all its lines."""
    dues = {work.state.due for line in lines for work in line}
    if not dues:
        return "resting" if resting else "ask"
    today, calendar = context.today, context.scheduler.calendar
    if not resting and dues == {today}:
        return "one_due" if len(lines) == 1 else "due"
    if len(lines) == 1 and not resting and lines[0][0].days_late:
        return "one_late"
    ahead = {due and calendar.roll_back(due) for due in dues}
    if len(dues) == 1 and ahead == {today} and dues != {today}:
        return "last"
    return "rest" if eve and all(day and day > today for day in ahead) else "list"


def _entries(
    context: Context, lines: list[list[Work]], units: tuple[str, ...], style: str
) -> list[Entry]:
    """Return the lines in full; how long is left is said once of several with one due day."""
    entries: list[Entry] = []
    for line in lines:
        first = line[0]
        due = entries[-1].state.due if entries else None
        if style in ("one_due", "due", "last"):  # which say it themselves
            stands = first.due_name if first.state.assumed else ""
        elif not first.days_late and due == first.state.due != context.today:
            stands = first.due_day
        else:
            stands = first.due
        shared = first.shared and len(units) > 1
        mine = [context.unit(unit) for unit in units if shared and unit in first.state.open_units]
        states = tuple(work.state for work in line)
        entries.append(Entry(context, first.state, states, stands, listed(mine)))
    return entries


def _resting(context: Context, state: State, units: tuple[str, ...]) -> Entry:
    """Return what an edited message shows of work that needs no nudge any more."""
    parts = [state.parts[unit] for unit in units if unit in state.parts]
    by = state.closed or (parts[-1] if len(parts) == len(units) else None)
    return Entry(context, state, (state,), resting=True, by=by)


def _warnings(context: Context, lines: list[list[Work]]) -> list[tuple[date, str, list[str]]]:
    """Return the days on which the leaders will hear of what is late, and the codes."""
    told: list[tuple[date, str, str]] = []
    for work in (work for line in lines for work in line if work.days_late):
        state, plan = work.state, work.plan
        for day, unit, _ in context.scheduler.escalates(state, plan):
            if unit == plan.leaders and day > context.today:
                told.append((day, plan.by_unit[unit].name, work.code))
    return [
        (day, leaders, list(dict.fromkeys(code for *_, code in group)))
        for (day, leaders), group in groupby(sorted(told), key=lambda t: t[:2])
    ]


def _asked(works: Iterable[Work]) -> list[list[Work]]:
    """Return the check-ins, by due day and period, the earliest first."""
    blocks: dict[tuple[date, str], list[Work]] = {}
    for work in works:
        if work.occurrence.is_check_in and work.state.due:
            blocks.setdefault((work.state.due, work.state.key.period), []).append(work)
    return [blocks[key] for key in sorted(blocks)]


def _acting_unit(state: State, units: tuple[str, ...]) -> str:
    """Return the reader's unit that is asked: one that still has to act."""
    return next((unit for unit in units if unit in state.open_units), units[0])


def _part_of(work: Work, off: Off) -> str:
    """Behind what a stand-in types of shared work: whose part is meant, since it is not the own."""
    units = [unit for unit in work.state.open_units if unit in off.stands_in]
    return f" {work.context.unit(units[0])}" if work.shared and units else ""


def _buttons(lines: list[list[Work]], live: Mapping[Key, tuple[str, ...]], off: Off) -> Actions:
    """Return ✅ and ⏰ for each of the first lines; of several late ones the earliest.

    Who stands in for a unit may close its work, but not put it off; nobody may on the last day.
    """
    rows = []
    for work in (line[0] for line in lines[:BUTTON_ROWS]):
        name, unit = work.name, _acting_unit(work.state, live[work.state.key])
        done = work.button(f"✅ {name}", "done", f"xong {name}{_part_of(work, off)}", unit)
        later = work.button(f"⏰ {name}", "snooze", f"/nhacsau {work.code} 1", unit)
        rows.append((done,) if unit in off.stands_in or not _may_wait(work) else (done, later))
    return tuple(rows)


def _may_wait(work: Work) -> bool:
    """Return whether a working day is left on which it could speak again."""
    due, today = work.state.due, work.context.today
    if due is None or work.days_late:
        return False
    return work.context.scheduler.calendar.roll_back(due) > today


def _due_days(context: Context, live: Mapping[Key, tuple[str, ...]]) -> tuple[str, str, bytes]:
    """Return the due days of `live` as a file for the reader's calendar; it goes by mail only.

    Dated by the day's slot, so that the file is the same at each attempt to send the message.
    """
    states = context.states
    parts = [(states[key], _acting_unit(states[key], units)) for key, units in live.items()]
    at = instant(context.today, context.scheduler.policy.slot)
    made = due_days(list(context.plans.values()), parts, context.scheduler, at)
    return FILE_NAME, MEDIA_TYPE, made
