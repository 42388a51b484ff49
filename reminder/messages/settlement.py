"""Questions to the office and their edits once they are decided: who decided what."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import date, datetime
from html import escape
from itertools import groupby

from reminder.domain.channels import Action, Outbound
from reminder.domain.ledger import Event, EventKind, State, fold, to_settle
from reminder.domain.occurrences import Key
from reminder.domain.payloads import PlanStarted
from reminder.domain.periods import Period, last_of_month, vn_date
from reminder.domain.plan import Plan
from reminder.messages.compose import Actions, compose
from reminder.messages.context import Act, Context, handle, named, title
from reminder.messages.limits import Line, clip
from reminder.messages.notices import decision_buttons
from reminder.messages.views_kit import speak
from reminder.messages.wording import day_words, moment_words, one_line, together

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
    return *named(context, state), units, tail


def _awaiting(context: Context, state: State) -> tuple[str, str, str]:
    return *named(context, state), context.units(state.open_units)


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
    context: Context, payload: PlanStarted, shown: Outbound | None, sent: datetime
) -> Outbound | None:
    """The list of a plan's start as it is `shown` now, with what was settled since it was sent."""
    if shown is None:
        return None
    by_act: dict[tuple[EventKind, str, str, datetime], list[Event]] = {}
    late = frozenset(payload.late)
    for event in context.events:
        ours = event.key.plan == payload.plan and event.by and event.at >= sent
        state = context.states.get(event.key)
        listed = state is not None and (event.key in late or to_settle(state.occurrence))
        if ours and listed and event.kind in _SETTLES:
            day = event.until.isoformat() if event.until else ""
            by_act.setdefault((event.kind, event.by, day, event.at), []).append(event)
    lines = [
        _told(context, events[0], _SETTLES[events[0].kind], _codes(context, events))
        for events in by_act.values()
    ]
    return with_settled(shown, lines[-MOST:])


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
