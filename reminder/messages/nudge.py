"""Nudges: what is due, late and coming, for one recipient in one or several units."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import date
from itertools import groupby

from reminder.documents.ics import FILE_NAME, MEDIA_TYPE, due_days
from reminder.domain.calendar import instant, vn_date, vn_day
from reminder.domain.ledger import Event, State
from reminder.domain.outbox import Outbound
from reminder.domain.plan import Confirm, Key
from reminder.domain.schedule import Item
from reminder.messages.compose import Actions, message
from reminder.messages.context import Act, Context, handle, signing_words, title
from reminder.messages.wording import (
    closed_words,
    coming_rest,
    day_words,
    listed,
    rest_words,
    together,
)

IN_FULL = 10  # lines; the rest is a number


@dataclass(frozen=True, kw_only=True, slots=True)
class Entry:
    """One line of a nudge: one occurrence, or the late ones of one task."""

    states: tuple[State, ...]  # the earliest first
    kind: str  # late | item | done
    code: str
    title: str
    stands: str  # how it stands: its due day, or when it was closed
    moved: str = ""  # from which day
    dues: tuple[str, ...] = ()  # of several late ones, instead of `stands`
    days_late: int = 0  # of the latest of them
    by: str = ""  # who closed it
    later: bool = False  # whether it is put off
    part: str = ""  # whose part it is, where that isn't plain


def merged(context: Context, live: Iterable[State]) -> list[list[State]]:
    """A list a line, the earliest due first; the late cycles of one task share theirs."""
    products = sorted(
        (s for s in live if not s.occurrence.is_check_in), key=lambda s: s.due or date.max
    )
    lines: dict[tuple[object, ...], list[State]] = {}
    for state in products:
        late = context.scheduler.days_late(state, context.today) > 0
        cycle = late and state.occurrence.deliverable.recurs
        lines.setdefault(state.key[:3] if cycle else state.key, []).append(state)
    return list(lines.values())


def _entry(context: Context, states: list[State], *, tail: bool = True) -> Entry:
    first, today, several = states[0], context.today, len(states) > 1
    late = context.scheduler.days_late(first, today)
    names = together([s.occurrence.period.name for s in states])
    assumed = context.due_name(first) if first.assumed else ""
    return Entry(
        states=tuple(states),
        kind="late" if late else "item",
        code=context.code(first),
        title=f"{first.occurrence.task.title} {names}" if several else title(first),
        stands=context.due(first) if tail else assumed,
        moved=context.moved(first),
        dues=tuple(day_words(s.due, today) for s in states[:3] if s.due) if several else (),
        days_late=late,
    )


def resting_entries(
    context: Context, resting: Iterable[tuple[State, tuple[str, ...]]]
) -> list[Entry]:
    """What an edited message shows of work that needs no nudge any more, by whom and since when."""
    return [_resting(context, state, units) for state, units in resting]


def _resting(context: Context, state: State, units: tuple[str, ...]) -> Entry:
    event, signing = _closing(state, units), signing_words(context, state)
    if event:
        stands = closed_words(event.at, None, context.today, context.scheduler.calendar)
    else:
        stands = signing or context.due(state, ahead=False)
    return Entry(
        states=(state,),
        kind="done" if event else "item",
        code=context.code(state),
        title=title(state),
        stands=stands,
        by=context.person(event) if event else "",
        later=not event and not signing,
    )


def _closing(state: State, units: tuple[str, ...]) -> Event | None:
    """What closed it, for all or for the last of `units`."""
    parts = [state.parts[unit] for unit in units if unit in state.parts]
    return state.closed or (parts[-1] if len(parts) == len(units) else None)


def shown_entries(
    context: Context, lines: list[list[State]], units: tuple[str, ...], *, tailless: bool
) -> list[Entry]:
    """The lines in full; how long is left is said once of several with one due day."""
    entries: list[Entry] = []
    for line in lines:
        entry = _entry(context, line, tail=not tailless)
        before = entries[-1].states[0] if entries else None
        if (
            entry.kind == "item"
            and before
            and not tailless
            and before.due == line[0].due != context.today
        ):
            entry = replace(entry, stands=context.due(line[0], ahead=False))
        task = line[0].occurrence.task
        mine = [unit for unit in units if unit in line[0].open_units]
        if task.confirm is Confirm.ALL and len(units) > 1:
            entry = replace(entry, part=listed([context.unit(unit) for unit in mine]))
        entries.append(entry)
    return entries


@dataclass(frozen=True, kw_only=True, slots=True)
class LeadersHear:
    """When the leaders hear of late work unless it is done."""

    last: str  # the last day
    day: str
    morning: bool
    leaders: str
    codes: tuple[str, ...]  # empty where the message is about one task


def warnings(context: Context, lines: list[list[State]]) -> tuple[LeadersHear, ...]:
    """When the leaders will hear of what is late and of which they have not heard."""
    told: list[tuple[date, str, str]] = []
    for state in (state for line in lines for state in line):
        plan = context.plan(state)
        stage = context.scheduler.escalation_stages(state, plan).get(plan.leaders)
        held = state.held_until is not None and stage is not None and stage[0] < state.held_until
        if (
            stage
            and not held
            and stage[0] > context.today
            and context.scheduler.days_late(state, context.today)
        ):
            told.append(
                (stage[0], context.plan(state).by_unit[plan.leaders].name, context.code(state))
            )
    found = []
    for (day, leaders), group in groupby(sorted(told), key=lambda t: t[:2]):
        codes = list(dict.fromkeys(code for *_, code in group))
        found.append(
            LeadersHear(
                last=vn_day(context.scheduler.calendar.before(day)),
                day=vn_day(day),
                morning=context.scheduler.policy.slot.hour < 12,
                leaders=leaders,
                codes=() if len(lines) == 1 else tuple(codes[:IN_FULL]),
            )
        )
    return tuple(found)


ROWS = 10  # check-ins of a block that are named; the rest is a number


@dataclass(frozen=True, kw_only=True, slots=True)
class Asked:
    """The check-ins of one period and due day."""

    period: str  # “quý I”
    count: int
    due: str  # “hạn dự kiến Chủ Nhật 10/3, nhận đến hết Thứ Hai 11/3”
    rows: tuple[tuple[str, str], ...]  # code and title
    more: int


def asked_views(context: Context, states: Sequence[State]) -> tuple[Asked, ...]:
    """A block for each period and due day among the check-ins of `states`, the earliest first."""
    blocks: dict[tuple[date, str], list[State]] = {}
    for state in states:
        if state.occurrence.is_check_in and state.due:
            blocks.setdefault((state.due, state.key.period), []).append(state)
    return tuple(_asked(context, blocks[key]) for key in sorted(blocks))


def _asked(context: Context, states: list[State]) -> Asked:
    shown = states[:ROWS]
    codes = [context.code(state) for state in shown]
    return Asked(
        period=states[0].occurrence.period.name,
        count=len(states),
        due=context.taken_until(states[0]),
        rows=tuple((c, s.occurrence.task.title) for c, s in zip(codes, shown, strict=True)),
        more=len(states) - len(shown),
    )


BUTTON_ROWS = 8


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
    place: str  # attached | mail | chat


@dataclass(frozen=True, kw_only=True, slots=True)
class NudgeView:
    """What a nudge says."""

    style: str  # one_due | one_late | due | last | rest | list | resting | ask
    day: str
    who: str
    codes: str  # those in the subject
    late: int  # lines of late work
    today: int  # lines that are due today
    ahead: int  # lines that are due later
    due: str  # the first's due day
    product: str  # its name; empty if it recurs
    name: str  # what one types to name it
    example: str  # the same, with whose part a stand-in types
    later: str  # an example of a day to extend it to
    entries: tuple[Entry, ...]
    more: int
    asked: tuple[Asked, ...]
    rest: str  # the sentence on the coming holiday
    holiday: str  # its name
    eve: bool  # whether today is the last working day before it
    warnings: tuple[LeadersHear, ...]
    office: str
    drafts: Drafts | None
    instead: tuple[Away, ...]  # in whose place the recipient gets it
    absent: tuple[Away, ...]  # which colleagues do not


Away = tuple[str, list[tuple[str, str]]]  # a unit; of each who is away, the name and the last day


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
    """The nudge of `items`, by unit; None if nothing of it is left to nudge about.

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
    shown = merged(context, [context.states[k] for k in live])
    resting = (
        resting_entries(
            context, [(context.states[k], units) for k, units in chosen.items() if k not in live]
        )
        if edit
        else []
    )
    asked = asked_views(context, [context.states[k] for k in live])
    view = _view(context, tuple(items), shown, resting, asked, off, drafts)
    actions = _buttons(context, shown, live, off)
    made = message("nudge", "nudge", actions=actions, v=view)
    if edit:
        return replace(made, edit=edit)
    if not files:
        return made
    return replace(made, attachments=(_due_days(context, live),))


def _due_days(context: Context, live: Mapping[Key, tuple[str, ...]]) -> tuple[str, str, bytes]:
    """The due days of `live` as a file for the reader's calendar; it goes by mail only.

    Dated by the day's slot, so that the file is the same at each attempt to send the message.
    """
    parts = []
    for key, units in live.items():
        state = context.states[key]
        parts.append((state, _acting_unit(state, units)))
    at = instant(context.today, context.scheduler.policy.slot)
    made = due_days(list(context.plans.values()), parts, context.scheduler, at)
    return FILE_NAME, MEDIA_TYPE, made


def _acting_unit(state: State, units: tuple[str, ...]) -> str:
    """The reader's unit that is asked: one that still has to act."""
    return next((unit for unit in units if unit in state.open_units), units[0])


def _chosen(context: Context, items: Mapping[str, Sequence[Item]]) -> dict[Key, tuple[str, ...]]:
    chosen: dict[Key, tuple[str, ...]] = {}
    for unit, said in items.items():
        for item in said:
            state = context.states.get(item.key)
            if state is not None and state.due is not None:
                chosen[item.key] = (*chosen.get(item.key, ()), unit)
    return chosen


def _live(context: Context, key: Key, units: tuple[str, ...], *, insist: bool) -> bool:
    """Whether any of `units` still has to act, and may be told so today."""
    state, today = context.states[key], context.today
    return any(
        insist or not (state.awaits_signature(unit) or state.snoozed.get(unit, today) > today)
        for unit in units
        if unit in state.open_units
    )


def _view(
    context: Context,
    units: tuple[str, ...],
    lines: list[list[State]],
    resting: list[Entry],
    asked: tuple[Asked, ...],
    off: Off,
    drafts: Drafts | None,
) -> NudgeView:
    today, calendar = context.today, context.scheduler.calendar
    rest = coming_rest(today, calendar) if lines else None
    eve = rest is not None and calendar.roll_back(rest[0]) == today
    style = _style(context, lines, eve=eve, resting=bool(resting))
    entries = shown_entries(
        context, lines[:IN_FULL], units, tailless=style in ("one_due", "due", "last")
    )
    first = lines[0][0] if lines else None
    dues = [s.due for line in lines for s in line if s.due]
    name = context.holiday(*rest) if rest else ""
    told = rest is not None and (eve or any(due >= rest[0] for due in dues))
    late, due_today, ahead = _counts(context, lines)
    typed = handle(context, first) if first else ""
    return NudgeView(
        style=style,
        day=vn_day(today),
        who=listed([context.unit(unit) for unit in units]),
        codes=", ".join(list(dict.fromkeys(context.code(line[0]) for line in lines))[:6]),
        late=late,
        today=due_today,
        ahead=ahead,
        due=day_words(first.due, today) if first and first.due else "",
        product=_product(first) if first else "",
        name=typed,
        example=typed + _part_of(context, first, off) if first else "",
        later=vn_date(calendar.after(dues[0], 3)) if style == "one_due" else "",
        entries=(*entries, *resting),
        more=max(0, len(lines) - IN_FULL),
        asked=asked,
        rest=rest_words(rest, dues, calendar, name) if rest and told else "",
        holiday=name,
        eve=eve,
        warnings=warnings(context, lines),
        office=context.office_name,
        drafts=drafts,
        instead=_away(context, off, stands_in=True),
        absent=_away(context, off, stands_in=False),
    )


def _part_of(context: Context, state: State, off: Off) -> str:
    """Behind what a stand-in types of shared work: whose part is meant, since it is not the own."""
    units = [unit for unit in state.open_units if unit in off.stands_in]
    shared = state.occurrence.task.confirm is Confirm.ALL
    return f" {context.unit(units[0])}" if shared and units else ""


def _away(context: Context, off: Off, *, stands_in: bool) -> tuple[Away, ...]:
    """The units with somebody away: those the recipient stands in for, or the others."""
    return tuple(
        (context.unit(unit), [(name, context.day(day)) for name, day in away])
        for unit, away in off.away.items()
        if away and (unit in off.stands_in) is stands_in
    )


def _style(context: Context, lines: list[list[State]], *, eve: bool, resting: bool) -> str:
    """How the message opens: the plainest sentence that is true of all its lines."""
    states = [state for line in lines for state in line]
    if not states:
        return "resting" if resting else "ask"
    today, calendar = context.today, context.scheduler.calendar
    dues = {state.due for state in states}
    if not resting and dues == {today}:
        return "one_due" if len(lines) == 1 else "due"
    if len(lines) == 1 and not resting and context.scheduler.days_late(states[0], today):
        return "one_late"
    due = states[0].due
    if len(dues) == 1 and due and due > today and calendar.roll_back(due) == today:
        return "last"
    ahead = all(state.due and calendar.roll_back(state.due) > today for state in states)
    return "rest" if eve and ahead else "list"


def _counts(context: Context, lines: list[list[State]]) -> tuple[int, int, int]:
    """How many lines are late, due today, and due later."""
    late = sum(1 for line in lines if context.scheduler.days_late(line[0], context.today))
    past = sum(1 for line in lines if line[0].due and line[0].due <= context.today)
    return late, past - late, len(lines) - past


def _product(state: State) -> str:
    deliverable = state.occurrence.deliverable
    return "" if deliverable.recurs else deliverable.name


def _buttons(
    context: Context, lines: list[list[State]], live: Mapping[Key, tuple[str, ...]], off: Off
) -> Actions:
    """✅ and ⏰ for each of the first lines; of several late ones the earliest.

    Who stands in for a unit may close its work, but not put it off; nobody may on the last day.
    """
    rows = []
    for line in lines[:BUTTON_ROWS]:
        state = line[0]
        name, units = handle(context, state), live[state.key]
        code = context.code(state)
        unit = _acting_unit(state, units)
        part = _part_of(context, state, off)
        done = context.button(f"✅ {name}", Act.DONE, state, f"xong {name}{part}", unit)
        later = context.button(f"⏰ {name}", Act.SNOOZE, state, f"/nhacsau {code} 1", unit)
        fixed = unit in off.stands_in or not _may_wait(context, state)
        rows.append((done,) if fixed else (done, later))
    return tuple(rows)


def _may_wait(context: Context, state: State) -> bool:
    """Whether a working day is left on which it could speak again: that of decide's snooze."""
    due, today = state.due, context.today
    late = context.scheduler.days_late(state, today)
    return due is not None and not late and context.scheduler.calendar.roll_back(due) > today
