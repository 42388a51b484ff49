"""A simulated range of days: who is told what, if some work is done on given days."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime, time, timedelta

from reminder.decisions.targets import Already, Choice, Closes, NotOpen, Which, choose
from reminder.domain.calendar import instant, local_day, vn_date
from reminder.domain.ledger import Event, EventKind, State, by_key, fold
from reminder.domain.plan import Confirm, Key, Occurrence, Plan, occurrences
from reminder.domain.schedule import Message, MessageKind, Scheduler
from reminder.understanding.model import Target

SHOWN = 6  # days of nudges that are listed one by one
CLOSING_TIME = time(16, 0)  # local: what is done in a simulation is done at this hour


@dataclass(frozen=True, kw_only=True, slots=True)
class Simulation:
    """The messages, and the wished closes that were not possible, with reasons."""

    messages: list[Message]
    refused: list[str]


def simulate(
    plans: Sequence[Plan],
    scheduler: Scheduler,
    first: date,
    last: date,
    *,
    done: Iterable[tuple[date, str, Target]] = (),
    done_on_due: bool = False,
) -> Simulation:
    """The messages from `first` to `last`, inclusive.

    `done`: (day, plan id, target) closed at 16:00 of the day by all who must. `done_on_due` closes
    each occurrence on its due day. Before `first` nothing was done and nothing is caught up.
    """
    all_occurrences = [o for plan in plans for o in occurrences(plan)]
    wishes: dict[date, list[tuple[Plan, Target]]] = defaultdict(list)
    for day, plan_id, target in done:
        wishes[day].append((next(p for p in plans if p.id == plan_id), target))
    due: dict[date, list[Occurrence]] = defaultdict(list)
    for occurrence in all_occurrences if done_on_due else ():
        if occurrence.due:
            due[occurrence.due].append(occurrence)
    events: list[Event] = []
    refused = [
        f"{target.task}={day}: ngoài những ngày được chạy thử"
        for day, wished in wishes.items()
        for _, target in wished
        if not first <= day <= last
    ]
    for day in sorted(day for day in {*wishes, *due} if first <= day <= last):
        for plan, target in wishes.get(day, ()):
            states = fold(all_occurrences, events).values()
            mine = [s for s in states if s.key[:2] == (plan.id, target.task)]
            choice = choose(plan.by_code[target.task], mine, target, day)
            if isinstance(choice, Closes):
                events += [e for s in choice.states for e in closing_events(s, day, target.unit)]
            else:
                refused.append(f"{target.task}={day}: {_why(choice)}")
        for state in fold(due.get(day, ()), events).values():
            events += closing_events(state, day)
    since, until = instant(first, time()), instant(last + timedelta(days=1), time())
    messages = scheduler.messages(plans, by_key(events), since, until)
    return Simulation(messages=messages, refused=refused)


def closing_events(state: State, day: date, unit: str | None = None) -> list[Event]:
    """What closes `state` on `day`: the part of one unit, or of all who still must."""
    at: datetime = instant(day, CLOSING_TIME)
    units = (
        state.open_units if state.occurrence.task.confirm is Confirm.ALL else state.open_units[:1]
    )
    chosen = [u for u in units if unit in (None, "*", u)]
    kind = EventKind.UPDATED if state.occurrence.is_check_in else EventKind.DONE
    return [Event(at=at, kind=kind, key=state.key, unit=u, channel="simulation") for u in chosen]


def _why(choice: Choice) -> str:
    match choice:
        case Which(states):
            several = len({s.key.deliverable for s in states}) > 1
            names = (
                s.occurrence.deliverable.name if several else s.occurrence.period_name
                for s in states
            )
            named = ", ".join(dict.fromkeys(names))
            return f"là việc nào? xin nêu {'tên' if several else 'kỳ'}: {named}"
        case Already():
            return "đã xong từ trước"
        case NotOpen(following):
            return f"đến {following.occurrence.opens} mới mở; muốn báo xong trước, xin nêu kỳ"
        case _:
            return "nhiệm vụ không có gì mang tên hoặc kỳ ấy"


def changed_nudges(
    old: tuple[Plan | None, Scheduler],
    new: tuple[Plan | None, Scheduler],
    events: Mapping[Key, Sequence[Event]],
    now: datetime,
) -> list[str]:
    """Return which nudges until the due days come, go and move, a line a product and unit.

    `old` and `new` are versions of one plan with their schedulers. Then a line for each product
    whose due days are past in the new version alone: they are told as late at once.
    """
    (was, named), (will, renamed) = _nudges(old, events, now), _nudges(new, events, now)
    names = {**named, **renamed}
    lines = []
    for place in sorted({*was, *will}):
        before, after = was.get(place, {}), will.get(place, {})
        moved = [
            f"{vn_date(before[s])} → {vn_date(after[s])}"
            for s in sorted(before.keys() & after.keys())
            if before[s] != after[s]
        ]
        gone = {before[stage] for stage in before.keys() - after.keys()}
        come = {after[stage] for stage in after.keys() - before.keys()}
        told = [f"dời {_few(moved)}"] if moved else []
        for word, days in (("bỏ", gone - come), ("thêm", come - gone)):
            told += [f"{word} {_few(list(map(vn_date, sorted(days))))}"] if days else []
        if told:
            lines.append(f"{names[place]}: {'; '.join(told)}")
    passed, known = _passed(new[0], events, now), _passed(old[0], events, now)
    for product, days in passed.items():
        if late := sorted(days - known.get(product, set())):
            shown = _few(list(map(vn_date, late)))
            lines.append(f"{product}: hạn {shown} đã qua, máy báo quá hạn ngay nếu chưa báo xong")
    return lines


def _passed(
    plan: Plan | None, events: Mapping[Key, Sequence[Event]], now: datetime
) -> dict[str, set[date]]:
    """Return the past due days of what is open, by product."""
    found: dict[str, set[date]] = defaultdict(set)
    every = occurrences(plan) if plan else ()
    said = [event for occurrence in every for event in events.get(occurrence.key, ())]
    for state in fold(every, said).values():
        if state.closed is None and state.due and state.due < local_day(now):
            name = f"{state.key.task} {state.occurrence.deliverable.name}"
            found[name].add(state.due)
    return found


_Place = tuple[str, int, str]  # task, deliverable, unit


def _nudges(
    version: tuple[Plan | None, Scheduler], events: Mapping[Key, Sequence[Event]], now: datetime
) -> tuple[dict[_Place, dict[tuple[str, int], date]], dict[_Place, str]]:
    """Return the days of the nudges from `now` on, by period and stage; and each place's name."""
    plan, scheduler = version
    days: dict[_Place, dict[tuple[str, int], date]] = defaultdict(dict)
    if plan is None:
        return days, {}
    until = instant(scheduler.policy.last_day(plan) + timedelta(days=1), time())
    for message in scheduler.messages([plan], events, now, until):
        if message.kind is not MessageKind.NUDGE:
            continue
        for item in message.items:
            if item.stage.offset <= 0 and not item.stage.again:
                place = (item.key.task, item.key.deliverable, message.unit)
                days[place][item.key.period, item.stage.offset] = local_day(message.at)
    names = {
        place: f"{place[0]} {plan.by_code[place[0]].deliverable(place[1]).name}, "
        f"{plan.by_unit[place[2]].label}"
        for place in days
    }
    return days, names


def _few(words: Sequence[str]) -> str:
    if len(words) <= SHOWN:
        return ", ".join(words)
    return f"{len(words)} lần ({words[0]}, {words[1]}, …, {words[-1]})"
