"""Dates that the office has to settle: the list at a plan's start, and “to which day?”."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import date
from html import escape
from itertools import groupby

from reminder.channels.compose import Actions, compose
from reminder.channels.context import Act, Context, handle, title
from reminder.channels.limits import Line, clip
from reminder.channels.views_kit import speak
from reminder.channels.wording import day_words, one_line, together
from reminder.core.ledger import State
from reminder.core.periods import Period, last_of_month, vn_date
from reminder.core.plan import Plan
from reminder.ports import Action, Outbound

LATE_SHOWN = 12
LINES = 20  # of the awaiting and of the assumed
BUTTONS = 40  # one for each line shown; a keyboard takes a hundred
LATER = (3, 5)  # working days on, as a new date is mostly asked


@dataclass(frozen=True, kw_only=True, slots=True)
class Assumed:
    """Work whose dates all stand in for what the plan leaves open."""

    states: tuple[State, ...]  # of one deliverable, or of several with the same dates
    codes: tuple[str, ...]
    name: str
    dates: str  # “10/3, 10/6, 10/9, 10/12”


def plan_started(context: Context, plan: Plan, late: Sequence[State], held: date) -> Outbound:
    """What a plan starts with: already late, without a date, with an assumed one; and a way out."""
    states = [s for s in context.states.values() if s.key.plan == plan.id and not s.closed]
    awaiting = [s for s in states if s.due is None]
    assumed = by_dates(context, [s for s in states if s.assumed])
    late = sorted(late, key=lambda s: (s.occurrence.is_check_in, s.due or date.max))
    actions = _actions(context, plan, late, awaiting, assumed)
    return compose(
        "plan_started",
        subject=f"Bắt đầu theo dõi {plan.title}",
        actions=actions,
        plan=plan.title,
        held=day_words(held, context.today),
        count=len(late),
        late=[_late(context, state) for state in late[:LATE_SHOWN]],
        late_more=max(0, len(late) - LATE_SHOWN),
        example=handle(context, late[0]) if late else "",
        awaiting=[_awaiting(context, state) for state in awaiting[:LINES]],
        awaiting_more=max(0, len(awaiting) - LINES),
        waits=handle(context, awaiting[0]) if awaiting else "",
        day=vn_date(date(plan.year, 12, 31), year=True),
        soon=vn_date(
            min(context.scheduler.calendar.after(context.today, 5), date(plan.year, 12, 31))
        ),
        assumed=assumed[:LINES],
        assumed_more=max(0, len(assumed) - LINES),
        assumed_count=sum(len(group.states) for group in assumed),
        keeps=assumed[0].codes[0] if assumed else "",
    )


def with_settled(shown: Outbound, lines: Sequence[str]) -> Outbound:
    """The list of a start with what was settled since it was sent, a line each."""
    more = [Line("item", escape(one_line(line), quote=False)) for line in lines]
    html = "\n".join([shown.html, *(["Đã chốt:"] if more else []), *(m.shown for m in more)])
    return replace(shown, html=clip(html))


def _late(context: Context, state: State) -> tuple[str, str, str, str]:
    days = context.scheduler.days_late(state, context.today)
    tail = f"{context.due(state, ahead=False)}, quá hạn {days} ngày làm việc"
    units = context.units(state.open_units)
    return handle(context, state), title(state), units, tail


def _awaiting(context: Context, state: State) -> tuple[str, str, str]:
    return handle(context, state), title(state), context.units(state.open_units)


def by_dates(context: Context, states: Sequence[State]) -> list[Assumed]:
    """By deliverable; those with just the same dates share a line."""
    lines: list[tuple[str, str, list[State]]] = []
    for _, group in groupby(states, key=lambda s: s.key[:3]):
        of_one = list(group)
        first = of_one[0].occurrence
        name = first.deliverable.name if first.is_check_in else title(of_one[0])
        if not first.is_check_in and first.deliverable.recurs:
            periods = together([s.occurrence.period.name for s in of_one])
            name = f"{first.task.title} {periods}"
        dates = ", ".join(vn_date(s.due) for s in of_one if s.due)
        lines.append((name, dates, of_one))
    lines.sort(key=lambda line: line[2][0].occurrence.is_check_in)
    found: dict[tuple[str, str], list[State]] = {}
    for name, dates, of_one in lines:
        found.setdefault((name, dates), []).extend(of_one)
    return [
        Assumed(
            states=tuple(group),
            codes=tuple(dict.fromkeys(context.code(s) for s in group)),
            name=name,
            dates=dates,
        )
        for (name, dates), group in found.items()
    ]


def _actions(
    context: Context,
    plan: Plan,
    late: Sequence[State],
    awaiting: Sequence[State],
    assumed: Sequence[Assumed],
) -> Actions:
    """All at once first; then what is late, what has no date, what is assumed."""
    rows: list[tuple[Action, ...]] = []
    waiting = [*(s for group in assumed for s in group.states), *late]
    if waiting:
        label = "Xác nhận tất cả" if late else "Xác nhận tất cả hạn dự kiến"
        every = context.button(label, Act.CONFIRM_ALL, waiting[0], "/xacnhan tất cả", plan.office)
        rows.append((every,))
    done = [_button(context, "✅", Act.DONE, s, "xong {}", s.open_units[0]) for s in late]
    dated = [_button(context, "📅", Act.SET_DUE, s, "/dathan {} 15/9 lý do") for s in awaiting]
    kept = [
        _button(context, "Giữ hạn", Act.CONFIRM, group.states[0], "/xacnhan {}")
        for group in assumed
        if len(group.codes) == 1
    ]
    kept = list({action.label: action for action in kept}.values())
    shown = [*done[:LATE_SHOWN], *dated[:LINES], *kept][: BUTTONS - len(rows)]
    rows += [tuple(shown[n : n + 2]) for n in range(0, len(shown), 2)]
    return tuple(rows)


def _button(
    context: Context, mark: str, act: Act, state: State, form: str, unit: str = ""
) -> Action:
    name = context.code(state) if act is Act.CONFIRM else handle(context, state)
    return context.button(f"{mark} {name}", act, state, form.format(name), unit)


def which_day(context: Context, state: State) -> Outbound:
    """“Dời hạn … đến ngày nào?”: the likely days as buttons, any other typed."""
    name = handle(context, state)
    days = _likely(context, state)
    head = "Đặt hạn" if state.due is None else "Dời hạn"
    end = f" ({context.due(state, ahead=False)}) đến ngày nào?"
    actions = tuple(
        (
            context.button(
                day_words(day, context.today), Act.MOVE, state, f"/dathan {name} {vn_date(day)}",
                day=day,
            ),
        )
        for day in days
    )  # fmt: skip
    example = vn_date(days[0]) if days else vn_date(date(context.plan(state).year, 12, 31))
    return speak(
        context,
        head,
        state,
        end,
        typed=[f"/dathan {name} {example} lý do"],
        actions=actions,
    )


def _likely(context: Context, state: State) -> list[date]:
    """A few working days after the due day; of what has none, the ends of month, quarter, year."""
    year, today = context.plan(state).year, context.today
    last = date(year, 12, 31)
    if state.due is not None:
        start = max(state.due, today)
        days = [context.scheduler.calendar.after(start, count) for count in LATER]
    else:
        first = max(today, state.occurrence.opens)
        quarter = Period.parse(f"{first.year}-Q{(first.month + 2) // 3}")
        days = [last_of_month(first.year, first.month), quarter.last, last]
    return sorted({day for day in days if today < day <= last})
