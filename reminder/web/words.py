"""What the pages show of the work: figures, filters, groups by urgency, what is to be decided."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from datetime import date, timedelta

from reminder.documents.workbook import Standing, standing, standing_words
from reminder.domain import digest
from reminder.domain.calendar import monday_of
from reminder.domain.ledger import State
from reminder.domain.plan import Plan
from reminder.domain.schedule import Scheduler
from reminder.domain.text import fold
from reminder.messages.context import Context, Work

# In the address → how it is called; what it counts is as in `digest.figures`.
FIGURES = {
    "xong": "Xong đúng hạn",
    "xong-muon": "Xong quá hạn",
    "dang-mo": "Đang mở",
    "qua-han": "Quá hạn",
    "cho-ky": "Chờ ký",
    "chua-co-han": "Chưa có hạn",
}
AHEAD = ("chua-den", "Chưa đến kỳ")
_COUNTS = dict(
    zip(FIGURES, ("in_time", "done_late", "open", "late", "signing", "awaiting"), strict=True)
)
DUE = {
    "da-qua": "Đã quá",
    "tuan-nay": "Tuần này",
    "hai-tuan": "Hai tuần tới",
    "thang-nay": "Tháng này",
}
PAGE = 80  # rows of a board; of all its groups together
LEAST = 5  # rows that each group shows, however long those before it are
SOON = 5  # working days
_CLASSES = {
    Standing.DONE: "done",
    Standing.DONE_LATE: "dlate",
    Standing.SIGNING: "sign",
    Standing.LATE: "late",
    Standing.OPEN: "open",
    Standing.AHEAD: "ahead",
    Standing.AWAITING: "none",
}


@dataclass(frozen=True)
class Shown(Work):
    """One occurrence, as a page shows it."""

    @property
    def standing(self) -> str:
        """“Quá hạn 3 ngày làm việc”."""
        return standing_words(self.state, self.context.scheduler, self.context.today)

    @property
    def look(self) -> str:
        """The class of its colours."""
        found = standing(self.state, self.context.scheduler, self.context.today)
        return "soon" if found is Standing.OPEN and self.is_soon else _CLASSES[found]

    @property
    def is_soon(self) -> bool:
        due, calendar = self.state.due, self.context.scheduler.calendar
        return due is not None and calendar.count(self.context.today, due) <= SOON

    @property
    def place(self) -> str:
        """Its task's page."""
        return f"/viec/{self.state.key.plan}/{self.state.key.task}"


def states_of(context: Context) -> list[State]:
    """All occurrences of the plans that speak."""
    office = context.office
    return [s for plan in office.speaking(context.at) for s in office.of_plan(plan)]


def figures(context: Context, states: Sequence[State]) -> list[tuple[str, str, int]]:
    """The figures: name in the address, words, number."""
    found = digest.figures(states, context.scheduler, context.today)
    return [(name, words, getattr(found, _COUNTS[name])) for name, words in FIGURES.items()]


def counts_in(name: str, state: State, scheduler: Scheduler, today: date) -> bool:
    """Return whether a state is one of a figure's number."""
    if name in ("xong", "xong-muon"):
        in_time = state.closed and digest.closed_in_time(state, scheduler)
        return bool(state.closed) and bool(in_time) == (name == "xong")
    if state.closed:
        return False
    begun = digest.begun(state, scheduler, today)
    match name:
        case "dang-mo":
            return begun
        case "qua-han":
            return begun and scheduler.days_late(state, today) > 0
        case "cho-ky":
            return begun and bool(state.submitted)
        case "chua-co-han":
            return begun and state.due is None
        case "chua-den":
            return not begun
    return True


@dataclass(frozen=True)
class Filter:
    """What the board shows; empty: all."""

    unit: str = ""
    standing: str = ""
    due: str = ""
    text: str = ""

    @property
    def is_on(self) -> bool:
        return bool(self.unit or self.standing or self.due or self.text)

    def takes(self, context: Context, state: State) -> bool:
        """Return whether the filter lets `state` through."""
        task, today = state.occurrence.task, context.today
        if self.unit and self.unit not in (*task.lead, *task.support):
            return False
        if self.standing and not counts_in(self.standing, state, context.scheduler, today):
            return False
        if self.due and not (state.due and self._in_time(state.due, today)):
            return False
        wanted = fold(self.text)
        return not wanted or wanted in fold(f"{task.code} {state.occurrence.title} {task.title}")

    def _in_time(self, due: date, today: date) -> bool:
        sunday = monday_of(today) + timedelta(days=6)
        match self.due:
            case "da-qua":
                return due < today
            case "tuan-nay":
                return monday_of(today) <= due <= sunday
            case "hai-tuan":
                return sunday < due <= sunday + digest.AHEAD
            case "thang-nay":
                return (due.year, due.month) == (today.year, today.month)
        return True

    def words(self, context: Context) -> str:
        """What is shown, in words: a filter is never hidden."""
        said = [
            self.unit and context.unit(self.unit),
            {**FIGURES, **dict([AHEAD])}.get(self.standing, ""),
            self.due and f"hạn {DUE.get(self.due, '').lower()}",
            self.text and f"có “{self.text}”",
        ]
        return ", ".join(filter(None, said))


@dataclass(frozen=True)
class Group:
    """Rows under one heading."""

    title: str
    rows: tuple[Shown, ...]
    folded: bool = False
    more: int = 0  # rows that are left out
    link: str = ""  # where all of them are


def in_order(states: Iterable[State]) -> list[State]:
    """By due day, undated ones last."""
    return sorted(states, key=lambda state: (state.due or date.max, state.key))


def groups(context: Context, states: Sequence[State]) -> list[Group]:
    """The rows by urgency, what is late first; what has not begun is left out."""
    today, scheduler = context.today, context.scheduler
    sunday = monday_of(today) + timedelta(days=6)
    left = [s for s in states if not s.closed and digest.begun(s, scheduler, today)]

    def taken(test: Callable[[State], bool]) -> list[State]:
        nonlocal left
        found, left = [s for s in left if test(s)], [s for s in left if not test(s)]
        return in_order(found)

    parts = [
        ("Quá hạn", taken(lambda s: scheduler.days_late(s, today) > 0), False, "qua-han"),
        ("Tuần này", taken(lambda s: s.due is not None and s.due <= sunday), False, "dang-mo"),
        ("Hai tuần tới", taken(lambda s: s.due is not None and s.due <= sunday + digest.AHEAD),
         False, "dang-mo"),
        ("Sau đó", taken(lambda s: s.due is not None), False, "dang-mo"),
        ("Chưa có hạn", taken(lambda _: True), False, "chua-co-han"),
        ("Đã xong từ đầu năm", in_order(s for s in states if s.closed), True, "xong"),
    ]  # fmt: skip
    shown, room = [], PAGE
    for title, found, folded, name in parts:
        if not found:
            continue
        few = found[: max(LEAST, room - LEAST * len(parts))]
        room -= len(few)
        shown.append(
            Group(
                title=title,
                rows=tuple(Shown(context, state) for state in few),
                folded=folded,
                more=len(found) - len(few),
                link=f"/bang?tinh-trang={name}",
            )
        )
    return shown


def rows(context: Context, states: Iterable[State]) -> list[Shown]:
    """The rows of a filtered board, by due day."""
    return [Shown(context, state) for state in in_order(states)]


# ---- what waits for a decision of the office


@dataclass(frozen=True)
class Desk:
    """What the office has to decide, most urgent first."""

    requests: tuple[Shown, ...]
    late: tuple[Shown, ...]
    undated: tuple[Shown, ...]
    assumed: tuple[Shown, ...]  # one for each deliverable: its next occurrence
    signing: tuple[Shown, ...]

    @property
    def count(self) -> int:
        return len(self.requests) + len(self.late) + len(self.undated) + bool(self.assumed)


def desk(context: Context) -> Desk:
    """What the office has to decide now."""
    states, today, scheduler = states_of(context), context.today, context.scheduler
    alive = [s for s in in_order(states) if not s.closed]
    begun = [s for s in alive if digest.begun(s, scheduler, today)]
    first: dict[tuple[object, ...], State] = {}
    for state in alive:
        if state.assumed:
            first.setdefault(state.key[:3], state)

    def shown(found: Iterable[State]) -> tuple[Shown, ...]:
        return tuple(Shown(context, state) for state in found)

    return Desk(
        requests=shown(s for s in alive if s.request and s.request.until),
        late=shown(s for s in begun if scheduler.days_late(s, today) and not s.request),
        undated=shown(s for s in begun if s.due is None),
        assumed=shown(first.values()),
        signing=shown(s for s in begun if s.submitted),
    )


def units(context: Context) -> list[tuple[str, str]]:
    """The units that lead work, for a filter."""
    plans: Sequence[Plan] = context.office.speaking(context.at)
    found = dict.fromkeys(u for plan in plans for task in plan.tasks for u in task.lead)
    return sorted(((unit, context.unit(unit)) for unit in found), key=lambda pair: fold(pair[1]))
