"""What every message is rendered from: the plans and states as they stand when it is sent."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime
from enum import StrEnum
from functools import cached_property

from markupsafe import escape

from reminder.decisions import buttons
from reminder.domain.calendar import local_day, vn_date
from reminder.domain.ledger import Event, State
from reminder.domain.outbox import Action, Row
from reminder.domain.plan import Confirm, Key, Plan, Task
from reminder.domain.schedule import Scheduler
from reminder.domain.text import evidence_words as evidence_words  # noqa: PLC0414 - handed on
from reminder.messages.limits import BUTTON_BYTES
from reminder.messages.wording import (
    HolidayName,
    day_words,
    due_words,
    moment_words,
    one_line,
    taken_words,
)
from reminder.services.history import NO_PAST, Past
from reminder.services.office import GROUP, Office


class Act(StrEnum):
    """What a button does to an occurrence, or about it."""

    DONE = "done"
    SNOOZE = "snooze"
    UNDO = "undo"
    BOTH = "both"  # all open products of the task
    NOT_YET = "not-yet"
    NO = "no"  # nothing: “tôi chỉ báo lại”
    REMIND = "remind"
    SET_DUE = "set-due"  # asks to which day
    MOVE = "move"  # to the day that the button names
    CONFIRM = "confirm"
    CONFIRM_ALL = "confirm-all"  # all dates of the plan
    NOTE = "note"
    APPROVE = "approve"
    REFUSE = "refuse"


def _no_holiday(_first: date, _last: date) -> str:
    return ""


@dataclass(frozen=True, kw_only=True)
class Context:
    """All that a message is made from, at the time of sending."""

    office: Office
    at: datetime
    row: Row | None = None  # of the outbox, which is being sent
    past: Past = NO_PAST
    holiday: HolidayName = _no_holiday

    @cached_property
    def today(self) -> date:
        return local_day(self.at)

    @property
    def scheduler(self) -> Scheduler:
        return self.office.scheduler

    @property
    def plans(self) -> Mapping[str, Plan]:
        return self.office.by_plan

    @property
    def states(self) -> Mapping[Key, State]:
        return self.office.states

    @property
    def events(self) -> Sequence[Event]:
        return self.office.events

    @property
    def by_mail(self) -> bool:
        return self.row is not None and self.office.traits(self.row.draft.channel).mail

    def channel(self, name: str) -> str:
        """“thư điện tử” of “email”; of what is no channel, itself."""
        return self.office.traits(name).title

    def plan(self, state: State) -> Plan:
        return self.plans[state.key.plan]

    @property
    def office_name(self) -> str:
        """The office's short name; of several plans the first one's."""
        return next((self.unit(plan.office) for plan in self.plans.values()), "Văn phòng")

    def speaks(self, plan: str) -> bool:
        """Whether this plan has not fallen silent yet; of another the bare code means nothing."""
        found = self.plans.get(plan)
        return found is not None and self.today <= self.scheduler.policy.last_day(found.year)

    def code(self, state: State) -> str:
        """The task's code; with the plan's year where another plan that speaks has it open."""
        key = state.key
        if len(self.plans) == 1:
            return key.task
        rivals = {
            k.plan
            for k, other in self.states.items()
            if k.task == key.task and k.plan != key.plan and not other.closed
        }
        return f"{self.plan(state).year}/{key.task}" if any(map(self.speaks, rivals)) else key.task

    def unit(self, unit: str) -> str:
        """The unit's short name, in whichever plan has it."""
        for plan in self.plans.values():
            if unit in plan.by_unit:
                return plan.by_unit[unit].label
        return unit

    def units(self, units: Sequence[str]) -> str:
        return ", ".join(self.unit(unit) for unit in units)

    def person(self, event: Event) -> str:
        """Who did it: the person's name; the unit's where the program does not know it."""
        return self.office.files.names.get(event.by) or event.by or self.unit(event.unit)

    def who(self, by: str) -> str:
        """A person's name; the office's where it is not on record."""
        return self.office.files.names.get(by, by) or self.office_name

    def name(self, recipient: str) -> str:
        """A recipient as people know it: a person's name, or a unit's group."""
        if recipient.startswith(GROUP):
            return f"nhóm {self.unit(recipient.removeprefix(GROUP))}"
        return self.office.files.names.get(recipient, recipient)

    def due_name(self, state: State) -> str:
        return "hạn dự kiến" if state.assumed else "hạn"

    def due(self, state: State, *, ahead: bool = True) -> str:
        """How the due day stands today; `ahead`: with how long is left."""
        if state.due is None:
            return "chưa có hạn"
        if not ahead:
            return f"{self.due_name(state)} {day_words(state.due, self.today)}"
        name = self.due_name(state)
        return due_words(state.due, self.today, self.scheduler.calendar, name)

    def taken_until(self, state: State) -> str:
        """“hạn dự kiến Chủ Nhật 10/3, nhận đến hết Thứ Hai 11/3”."""
        assert state.due is not None
        name = self.due_name(state)
        return taken_words(state.due, self.today, self.scheduler.calendar, name)

    def day(self, day: date) -> str:
        """“Thứ Tư 31/01”."""
        return day_words(day, self.today)

    def moment(self, at: datetime) -> str:
        """“09:12 Thứ Ba 30/01”."""
        return moment_words(at, self.today)

    def moved(self, state: State, *, why: bool = False) -> str:
        """“gia hạn từ 31/01” where the office moved the plan's own day; else empty.

        `why`: with the reason, “gia hạn từ 31/01: chờ số liệu”.
        """
        original, due = state.original_due, state.due
        if original is None or due is None or original == due:
            return ""
        word = "gia hạn" if due > original else "dời"
        told = f": {state.why.rstrip(' .')}" if why and state.why else ""
        return f"{word} từ {day_words(original, self.today).rpartition(' ')[2]}{told}"

    def button(
        self,
        label: str,
        verb: Act,
        state: State,
        typed: str,
        unit: str = "",
        *,
        day: date | None = None,
    ) -> Action:
        """A button about `state`, and `day`; ValueError where its id is too long for Telegram."""
        data = buttons.encode(verb.value, state.key, unit)
        data = buttons.dated(data, day) if day else data
        if not 0 < len(data.encode()) <= BUTTON_BYTES:
            raise ValueError(f"a button's data takes 1 to {BUTTON_BYTES} bytes: {data!r}")
        return Action(label=label, data=data, typed=typed)


def title(state: State) -> str:
    """The occurrence's title, or its product if the task has several."""
    return state.occurrence.title


def short_name(task: Task, number: int) -> str:
    """The deliverable's name as one types it: two words, or as many as are unique in the task."""
    name = task.deliverable(number).name.lower()
    others = [d.name.lower() for d in task.deliverables if d.number != number]
    words = name.split()
    for count in range(min(2, len(words)), len(words)):
        start = " ".join(words[:count])
        if not any(other.startswith(start) for other in others):
            return start
    return name


def handle(context: Context, state: State) -> str:
    """What one types to name this occurrence: “1c”, “1d báo cáo”, “2c tháng 02”."""
    code, occurrence = context.code(state), state.occurrence
    if occurrence.deliverable.recurs:
        alone = occurrence.opens <= context.today and not any(
            key[:2] == state.key[:2]
            and key != state.key
            and not other.closed
            and other.occurrence.is_check_in == occurrence.is_check_in
            and other.occurrence.opens <= context.today
            for key, other in context.states.items()
        )
        return code if alone else f"{code} {occurrence.period.name}"
    if occurrence.is_check_in:
        return code
    if len(occurrence.task.products) > 1:
        return f"{code} {short_name(occurrence.task, state.key.deliverable)}"
    return code


def waiting_units(state: State) -> tuple[str, ...]:
    """The units with an open part; all lead units if any of them closes the whole."""
    if state.occurrence.task.confirm is Confirm.ALL:
        return state.open_units
    return state.occurrence.task.lead


def heard_words(context: Context, state: State) -> str:
    """“chưa xong (09:12 Thứ Ba 30/01, An)”: the latest answer that changed nothing; else empty."""
    answer, asked = state.answer, context.past.asked.get(state.key)
    if asked and (answer is None or answer.at < asked.at):
        when = moment_words(asked.at, context.today)
        return f"“{one_line(asked.words, 100)}” ({when}), đã hỏi lại, chưa trả lời"
    if answer is None:
        return ""
    when = moment_words(answer.at, context.today)
    return f"{answer.note.rstrip(' .')} ({when}, {context.person(answer)})"


def signing_words(context: Context, state: State) -> str:
    """“chờ ký từ Thứ Ba 26/3”: the earliest submission that still waits."""
    events = sorted(state.submitted.values(), key=lambda event: event.at)
    if not events:
        return ""
    return f"chờ ký từ {day_words(local_day(events[0].at), context.today)}"


@dataclass(frozen=True, slots=True)
class Work:
    """One occurrence as a template names it; by itself its code in bold, and its title."""

    context: Context
    state: State

    def __html__(self) -> str:
        return f"<b>{escape(self.code)}</b> {escape(one_line(self.title))}"

    @property
    def code(self) -> str:
        return self.context.code(self.state)

    @property
    def title(self) -> str:
        return title(self.state)

    @property
    def title_after_name(self) -> str:
        """The title behind `name`, without a period that is in both: “Giao ban tuần”."""
        occurrence, name = self.state.occurrence, self.name
        repeated = occurrence.deliverable.recurs and name.endswith(f" {occurrence.period.name}")
        return occurrence.task.title if repeated else self.title

    @property
    def name(self) -> str:
        """What one types to name it."""
        return handle(self.context, self.state)

    @property
    def due(self) -> str:
        """How its due day stands, with how long is left."""
        return self.context.due(self.state)

    @property
    def due_day(self) -> str:
        """The same without how long is left."""
        return self.context.due(self.state, ahead=False)

    @property
    def office(self) -> str:
        """The office of its plan."""
        return self.context.unit(self.context.plan(self.state).office)

    @property
    def later(self) -> str:
        """A day that a request or a date might name: a few working days on, within the plan."""
        calendar, today = self.context.scheduler.calendar, self.context.today
        after = max(self.state.due or today, today)
        last = date(self.context.plan(self.state).year, 12, 31)
        near = calendar.count(after, last) < 3
        return vn_date(calendar.roll_back(last) if near else calendar.after(after, 3))
