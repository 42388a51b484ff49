"""What the pages show of the work: figures, filters, groups by urgency, what is to be decided."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass
from datetime import date, timedelta

from reminder.documents.workbook import Standing, standing, standing_words
from reminder.domain import digest
from reminder.domain.calendar import monday_of
from reminder.domain.ledger import State
from reminder.domain.plan import Plan, code_order
from reminder.domain.schedule import Scheduler
from reminder.domain.text import fold
from reminder.messages.context import Context, Work

# A figure's name in the address, its name in `digest.Figures`, and its words.
FIGURES = (
    ("xong", "in_time", Standing.DONE.value),
    ("xong-muon", "done_late", Standing.DONE_LATE.value),
    ("dang-mo", "open", Standing.OPEN.value),
    ("qua-han", "late", Standing.LATE.value),
    ("cho-ky", "signing", Standing.SIGNING.value),
    ("chua-co-han", "awaiting", Standing.AWAITING.value),
)
AHEAD = "chua-den"  # what counts in no figure, as it has not begun
STANDINGS = {**{name: said for name, _, said in FIGURES}, AHEAD: Standing.AHEAD.value}
_COUNTED = {name: field for name, field, _ in FIGURES}
DUE = {
    "da-qua": "Đã quá",
    "tuan-nay": "Tuần này",
    "hai-tuan": "Hai tuần tới",
    "thang-nay": "Tháng này",
}
ABOVE = "Trang này của Văn phòng và Lãnh đạo."
INCOMPLETE = "Biểu mẫu không đủ. Xin mở lại trang này."
PAGE = 80  # rows of a board; of all its groups together
LEAST = 5  # rows that each group shows, however long those before it are
SOON = 5  # working days
BUNCH = 3  # check-ins of one period and day that are folded
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


def figures(
    context: Context, states: Sequence[State], before: digest.Figures | None = None
) -> list[tuple[str, str, int, str]]:
    """Return the figures: name in the address, words, number, and how that has changed."""
    found = digest.figures(states, context.scheduler, context.today)
    return [
        (name, said, getattr(found, field), changed(field, found, before))
        for name, field, said in FIGURES
    ]


def changed(field: str, now: digest.Figures, before: digest.Figures | None) -> str:
    """Return “+2”, “−3”; empty where nothing changed, or is not known."""
    more = getattr(now, field) - getattr(before, field) if before else 0
    return f"+{more}" if more > 0 else f"−{-more}" if more else ""


def counts_in(name: str, state: State, scheduler: Scheduler, today: date) -> bool:
    """Return whether a state counts in the figure that the address calls `name`."""
    found = digest.figures_of(state, scheduler, today)
    return not found if name == AHEAD else _COUNTED[name] in found


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
            STANDINGS.get(self.standing, ""),
            self.due and f"hạn {DUE.get(self.due, '').lower()}",
            self.text and f"có “{self.text}”",
        ]
        return ", ".join(filter(None, said))


@dataclass(frozen=True)
class Group:
    """Rows under one heading."""

    title: str
    rows: tuple[Shown, ...]
    note: str = ""
    folded: bool = False
    more: int = 0  # rows that are left out
    link: str = ""  # where all of them are


def in_order(states: Iterable[State]) -> list[State]:
    """By due day, undated ones last; of one day in the order of the codes."""

    def place(state: State) -> tuple[object, ...]:
        return state.due or date.max, state.key.plan, code_order(state.key.task), state.key

    return sorted(states, key=place)


def groups(context: Context, states: Sequence[State], board: str, more: str = "") -> list[Group]:
    """Return the rows by urgency, what is late first; what has not begun is left out.

    Check-ins of one period and day are folded into one line. `board`: where all rows of a group
    are; `more`: what the links to them filter besides.
    """
    today, scheduler = context.today, context.scheduler
    sunday = monday_of(today) + timedelta(days=6)
    left = [s for s in states if not s.closed and digest.begun(s, scheduler, today)]

    def taken(test: Callable[[State], bool]) -> list[State]:
        nonlocal left
        found, left = [s for s in left if test(s)], [s for s in left if not test(s)]
        return in_order(found)

    parts = [
        ("Quá hạn", taken(lambda s: scheduler.days_late(s, today) > 0), "qua-han"),
        ("Tuần này", taken(lambda s: s.due is not None and s.due <= sunday), "dang-mo"),
        ("Hai tuần tới", taken(lambda s: s.due is not None and s.due <= sunday + digest.AHEAD),
         "dang-mo"),
        ("Sau đó", taken(lambda s: s.due is not None), "dang-mo"),
        ("Chưa có hạn", taken(lambda _: True), "chua-co-han"),
        ("Đã xong từ đầu năm", in_order(s for s in states if s.closed), "xong"),
    ]  # fmt: skip
    shown, room = [], PAGE
    for title, found, name in parts:
        if not found:
            continue
        link = f"{board}?tinh-trang={name}{'&' if more else ''}{more}"
        done = name == "xong"
        rest, bunches = (found, []) if done else _bunched(found)
        for head, note, few in [(title, "", rest), *_heads(context, bunches)]:
            if not few:
                continue
            kept = few[: max(LEAST, room - LEAST * len(parts))]
            room -= len(kept)
            shown.append(
                Group(
                    title=head,
                    rows=tuple(Shown(context, state) for state in kept),
                    note=note,
                    folded=done or few is not rest,
                    more=len(few) - len(kept),
                    link=link,
                )
            )
    return shown


def _bunched(states: Sequence[State]) -> tuple[list[State], list[list[State]]]:
    """Return what stands alone, and the check-ins that share period and day."""
    bunches: dict[object, list[State]] = {}
    for state in states:
        occurrence = state.occurrence
        alone = () if occurrence.is_check_in else state.key
        bunches.setdefault((state.key.plan, state.key.period, state.due, alone), []).append(state)
    many = [bunch for bunch in bunches.values() if len(bunch) >= BUNCH]
    return [s for bunch in bunches.values() if len(bunch) < BUNCH for s in bunch], many


def _heads(
    context: Context, bunches: Iterable[list[State]]
) -> Iterator[tuple[str, str, list[State]]]:
    """“14 cập nhật quý I”, when it is due and for whom it waits; and the check-ins."""
    for bunch in bunches:
        first = Shown(context, bunch[0])
        waiting = Counter(unit for s in bunch for unit in Shown(context, s).waiting)
        units = ", ".join(f"{context.unit(unit)} {count}" for unit, count in waiting.most_common())
        yield f"{len(bunch)} cập nhật {first.period}", f"{first.due}; còn chờ: {units}", bunch


def rows(context: Context, states: Iterable[State]) -> list[Shown]:
    """The rows of a filtered board, by due day."""
    return [Shown(context, state) for state in in_order(states)]


# ---- what waits for a decision of the office


@dataclass(frozen=True)
class ToDecide:
    """What the office has to decide, most urgent first."""

    requests: tuple[Shown, ...]
    late: tuple[Shown, ...]
    undated: tuple[Shown, ...]
    assumed: tuple[Shown, ...]  # one for each deliverable: its next occurrence
    signing: tuple[Shown, ...]

    @property
    def count(self) -> int:
        return len(self.requests) + len(self.late) + len(self.undated) + bool(self.assumed)


def to_decide(context: Context) -> ToDecide:
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

    return ToDecide(
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
