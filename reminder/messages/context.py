"""What every message is rendered from: the plans and states as they stand when it is sent.

Its phrases of time are true on the day of sending.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from functools import cached_property

from markupsafe import escape

from reminder.decisions import buttons
from reminder.domain.calendar import WorkCalendar, local, local_day, vn_date, vn_day, vn_weekday
from reminder.domain.ledger import Event, State
from reminder.domain.outbox import Action, AddressSource, Row
from reminder.domain.plan import Confirm, Key, Occurrence, Plan, Task, origin
from reminder.domain.schedule import Scheduler
from reminder.domain.text import one_line
from reminder.domain.weblinks import WebLinks
from reminder.services.history import NO_PAST, Past
from reminder.services.office import GROUP, Office

LONG_REST = 3  # days off in a row from which a message speaks of the holiday
LOOK_AHEAD = 7  # days before its start from which it does
_KINDS = {
    "nudge": "tin nhắc",
    "escalation": "báo quá hạn",
    "digest": "bản tổng hợp",
    "request": "tin xin gia hạn",
    "reply": "tin trả lời",
    "notice": "thông báo",
    "edit": "tin sửa",
}
HolidayName = Callable[[date, date], str]  # a run's first and last day → “Tết”; "" if it has none


_FRONTS = {"web": "trang theo dõi"}  # what records, and is no channel


@dataclass(frozen=True, kw_only=True)
class Context:
    """All that a message is made from, at the time of sending."""

    office: Office
    at: datetime
    row: Row | None = None  # of the outbox, which is being sent
    past: Past = NO_PAST
    holiday: HolidayName = lambda _first, _last: ""
    links: WebLinks | None = None  # of the page; None: it is off

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

    @cached_property
    def by_mail(self) -> bool:
        return self.row is not None and self.office.traits(self.row.draft.channel).mail

    @property
    def page(self) -> bool:
        """Whether a mail's page is made: a third of the work, which other channels do without."""
        return self.row is None or self.by_mail

    @property
    def in_short(self) -> bool:
        """Whether the short form of a digest is all that is read where it goes."""
        return self.row is not None and self.office.in_short(self.row.draft)

    @property
    def typing(self) -> bool:
        """Whether what the reader writes back arrives: a mailbox may be read by nobody."""
        return self.row is None or self.row.draft.channel not in self.office.one_way

    @property
    def open_links(self) -> WebLinks | None:
        """The page's links, where the reader's own browser opens them."""
        return None if self.links is None or self.links.here else self.links

    @property
    def tell(self) -> str:
        """Whom the reader tells where nothing arrives; it follows “xin” or a colon."""
        person = self.office.people.get(self.row.draft.recipient) if self.row else None
        if person is not None and self.office.offices.intersection(person.units):
            return "nhờ người trông máy nhắc việc ghi giúp"
        if self.open_links is not None and person is not None:
            return "bấm đường dẫn trong thư này"
        return f"báo {self.office_name}"

    @property
    def more(self) -> str:
        """Behind “và 3 việc nữa”: how the reader gets to see them."""
        return ": /viec" if self.typing else ""

    @property
    def groups(self) -> bool:
        """Whether a unit's group can be bound: not where no channel that is set up has groups."""
        return bool(self.office.group_channels) or not self.office.outside

    @property
    def files(self) -> str:
        """Where a file is that goes with the message.

        attached | mail: it comes by mail | page: it stands there | nowhere.
        """
        row = self.row
        if row is None or self.office.traits(row.draft.channel).files:
            return "attached"
        if self.office.has_mail(row.draft.recipient):
            return "mail"
        return "page" if self.open_links else "nowhere"

    @property
    def types_codes(self) -> bool:
        """Whether invitation codes are typed by hand where the reader is."""
        row = self.row
        return row is not None and self.office.traits(row.draft.channel).typed_codes

    @property
    def invites(self) -> bool:
        """Whether people can be invited: not where mail alone is set up."""
        channels = [self.office.traits(channel) for channel in self.office.outside]
        return not channels or any(t.addresses is AddressSource.INVITATION for t in channels)

    def channel(self, name: str) -> str:
        """“thư điện tử” of “email”; of what is no channel, itself."""
        return _FRONTS.get(name) or self.office.traits(name).title

    def channels(self, names: Iterable[str]) -> list[str]:
        return [self.channel(name) for name in names]

    @property
    def mornings(self) -> bool:
        """Whether messages go out in the morning."""
        return self.scheduler.policy.slot.hour < 12

    @property
    def office_name(self) -> str:
        """The office's short name; of several plans the first one's."""
        return next((self.unit(plan.office) for plan in self.plans.values()), "Văn phòng")

    def speaks(self, plan: str) -> bool:
        """Whether this plan has not fallen silent yet; of another the bare code means nothing."""
        found = self.plans.get(plan)
        return found is not None and self.today <= self.scheduler.policy.last_day(found)

    def is_current(self, state: State) -> bool:
        """Return whether its plan speaks, and the year of it that it belongs to."""
        return self.speaks(state.key.plan) and not self.is_past(state)

    def is_past(self, state: State) -> bool:
        """Return whether its year has fallen silent, though its plan may speak."""
        return self.scheduler.policy.is_over(state, self.today)

    def unit(self, unit: str) -> str:
        """Return the unit's short name, in whichever plan has it."""
        for plan in self.plans.values():
            if unit in plan.by_unit:
                return plan.by_unit[unit].label
        return unit

    def units(self, units: Sequence[str]) -> str:
        return ", ".join(self.unit(unit) for unit in units)

    def person(self, event: Event) -> str:
        """Return who did it: the person's name; the unit's where the program does not know it."""
        return self.office.files.names.get(event.by) or event.by or self.unit(event.unit)

    def who(self, by: str) -> str:
        """Return a person's name; the office's where it is not on record."""
        return self.office.files.names.get(by, by) or self.office_name

    def name(self, recipient: str) -> str:
        """Return a recipient as people know it: a person's name, or a unit's group."""
        if recipient.startswith(GROUP):
            return f"nhóm {self.unit(recipient.removeprefix(GROUP))}"
        return self.office.files.names.get(recipient, recipient)

    def day(self, day: date) -> str:
        """“Thứ Tư 31/01”."""
        return day_words(day, self.today)

    def moment(self, at: datetime) -> str:
        """“09:12 Thứ Ba 30/01”."""
        return moment_words(at, self.today)

    def work(self, key: Key | None) -> Work | None:
        """Return the work of `key`; None where no plan has it any more."""
        state = self.states.get(key) if key else None
        return Work(self, state) if state else None

    def works(self, keys: Iterable[Key]) -> list[Work]:
        """Return the work of `keys`; what no plan has any more is skipped."""
        return [Work(self, self.states[key]) for key in keys if key in self.states]

    def links_of(self, work: Work, *, reopens: bool = False) -> list[tuple[str, str]]:
        """Return the links of a mail that act on `work` for its reader alone: words and address.

        None elsewhere: a chat has buttons, and others read a group. `reopens`: of closed work, for
        those who may open it again.
        """
        row = self.row
        person = self.office.people.get(row.draft.recipient) if row and self.by_mail else None
        links = self.open_links
        if links is None or person is None or bool(work.state.closed) != reopens:
            return []
        url = links.task(person.id, work.state.key, self.today)
        sender = self.office.as_sender(person)
        if sender.only_reads:
            return []
        if reopens:
            return [("Mở lại", f"{url}?mo-lai")] if sender.office else []
        decisions = self._decisions(work, url) if sender.office else []
        if not set(work.task.lead) & set(person.units):
            return decisions or ([("Xem và quyết", url)] if sender.office else [])
        if work.occurrence.is_check_in:
            return [("Báo tình hình", url), *decisions]
        more = [] if sender.office else [("Cần thêm thời gian", f"{url}?gia-han")]
        return [("✅ Báo xong", url), *more, *decisions]

    def _decisions(self, work: Work, url: str) -> list[tuple[str, str]]:
        """Return what of `work` waits for the office's decision."""
        if work.asked and work.asked.until:
            agree = f"Đồng ý đến {vn_date(work.asked.until)}"
            return [(agree, url), ("Không đồng ý", f"{url}?khong-dong-y")]
        if work.state.due is None:
            return [("Đặt hạn", f"{url}?dat-han")]
        return [("Giữ hoặc đổi hạn dự kiến", url)] if work.state.assumed else []

    @property
    def decisions_url(self) -> str:
        """Where the office decides of everything; empty for others, and where the page is off."""
        row = self.row
        person = self.office.people.get(row.draft.recipient) if row and self.by_mail else None
        links = self.open_links
        if links is None or person is None or not self.office.as_sender(person).office:
            return ""
        return f"{links.base_url}/quyet"

    def begun(self) -> list[Work]:
        """Return what is open by now, done or not, in the plans that still speak."""
        return [
            Work(self, state)
            for state in self.states.values()
            if state.occurrence.opens <= self.today and self.is_current(state)
        ]


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


@dataclass(frozen=True)
class Work:
    """One occurrence as a template names it; by itself its code in bold, and its title."""

    context: Context
    state: State

    def __html__(self) -> str:
        return f"<b>{escape(self.code)}</b> {escape(one_line(self.title, 300))}"

    @property
    def occurrence(self) -> Occurrence:
        return self.state.occurrence

    @property
    def task(self) -> Task:
        return self.state.occurrence.task

    @property
    def plan(self) -> Plan:
        return self.context.plans[self.state.key.plan]

    @property
    def title(self) -> str:
        """The task's title, or the product if the task has several."""
        return self.state.occurrence.title

    @property
    def period(self) -> str:
        return self.state.occurrence.period_name

    @cached_property
    def code(self) -> str:
        """The task's code; with the plan's year where another plan that speaks has it open."""
        context, key = self.context, self.state.key
        if len(context.plans) == 1:
            return key.task
        rivals = {
            k.plan
            for k, other in context.states.items()
            if k.task == key.task and k.plan != key.plan and not other.closed
        }
        return f"{self.plan.year}/{key.task}" if any(map(context.speaks, rivals)) else key.task

    @cached_property
    def name(self) -> str:
        """What one types to name it: “1c”, “1d báo cáo”, “2c tháng 02”."""
        key, occurrence, today = self.state.key, self.occurrence, self.context.today
        if occurrence.deliverable.recurs:
            alone = occurrence.opens <= today and not any(
                other_key[:2] == key[:2]
                and other_key != key
                and not other.closed
                and other.occurrence.is_check_in == occurrence.is_check_in
                and other.occurrence.opens <= today
                and not self.context.is_past(other)
                for other_key, other in self.context.states.items()
            )
            return self.code if alone else f"{self.code} {self.period}"
        if occurrence.is_check_in or len(self.task.products) < 2:
            return self.code
        return f"{self.code} {short_name(self.task, key.deliverable)}"

    @property
    def title_after_name(self) -> str:
        """The title behind `name`, without a period that is in both: “Giao ban tuần”."""
        repeated = self.occurrence.deliverable.recurs and self.name.endswith(f" {self.period}")
        return self.task.title if repeated else self.title

    @property
    def due_name(self) -> str:
        return "hạn dự kiến" if self.state.assumed else "hạn"

    @property
    def due(self) -> str:
        """How its due day stands, with how long is left."""
        if self.state.due is None:
            return f"chưa có hạn: {self.event}" if self.event else "chưa có hạn"
        calendar = self.context.scheduler.calendar
        words = due_words(self.state.due, self.context.today, calendar, self.due_name)
        return f"{words}, {self.times}" if self.times else words

    @property
    def event(self) -> str:
        """“trong 05 ngày làm việc kể từ khi nhận văn bản”: what its date waits for; else empty."""
        event = self.occurrence.deliverable.event
        return event.words if event and self.state.due is None else ""

    @property
    def times(self) -> str:
        """“02 lần mỗi quý”; empty where the plan names no number."""
        return self.occurrence.deliverable.times_words

    @property
    def origin(self) -> str:
        """Where its date comes from: what the plan's text says, where, and how that is read."""
        deliverable = self.occurrence.deliverable
        place = origin(self.plan, self.task, deliverable)
        reading = deliverable.before.words if deliverable.before else ""
        if not place and not reading:
            return ""
        said = f"“{deliverable.phrase}”{f' ({place})' if place else ''}"
        return f"{said}; {reading}" if reading else said

    @property
    def due_day(self) -> str:
        """The same without how long is left."""
        if self.state.due is None:
            return "chưa có hạn"
        return f"{self.due_name} {self.context.day(self.state.due)}"

    @property
    def taken_until(self) -> str:
        """“hạn dự kiến Chủ Nhật 10/3, nhận đến hết Thứ Hai 11/3”; empty without a due day."""
        if self.state.due is None:
            return ""
        calendar = self.context.scheduler.calendar
        return taken_words(self.state.due, self.context.today, calendar, self.due_name)

    @property
    def days_late(self) -> int:
        """Working days since its due day."""
        return self.context.scheduler.days_late(self.state, self.context.today)

    @property
    def moved(self) -> str:
        """“gia hạn từ 31/01” where the office moved the plan's own day; else empty."""
        original, due = self.state.occurrence.due, self.state.due
        if original is None or due is None or original == due:
            return ""
        word = "gia hạn" if due > original else "dời"
        return f"{word} từ {self.context.day(original).rpartition(' ')[2]}"

    @property
    def moved_why(self) -> str:
        """The same with the reason: “gia hạn từ 31/01: chờ số liệu”."""
        why = self.state.why.rstrip(" .")
        return f"{self.moved}: {why}" if self.moved and why else self.moved

    @property
    def waiting(self) -> tuple[str, ...]:
        """The units with an open part; all lead units if any of them closes the whole."""
        return self.state.open_units if self.shared else self.task.lead

    @property
    def shared(self) -> bool:
        """Whether each unit does its part."""
        return self.task.confirm is Confirm.ALL

    @property
    def note(self) -> Event | None:
        """The latest word on why it is open."""
        return self.state.reasons[-1] if self.state.reasons else None

    @property
    def units(self) -> str:
        """Whom it waits for."""
        return self.context.units(self.waiting)

    @property
    def lead(self) -> str:
        return self.context.units(self.task.lead)

    @property
    def office(self) -> str:
        """The office of its plan."""
        return self.context.unit(self.plan.office)

    @property
    def asked(self) -> Event | None:
        """The request for more time that waits."""
        request = self.state.request
        return request if request and request.until else None

    @property
    def heard(self) -> str:
        """“chưa xong (09:12 Thứ Ba 30/01, An)”: the latest answer that changed nothing."""
        answer, asked = self.state.answer, self.context.past.asked.get(self.state.key)
        if asked and (answer is None or answer.at < asked.at):
            when = self.context.moment(asked.at)
            return f"“{one_line(asked.words, 100)}” ({when}), đã hỏi lại, chưa trả lời"
        if answer is None:
            return ""
        when = self.context.moment(answer.at)
        return f"{answer.note.rstrip(' .')} ({when}, {self.context.person(answer)})"

    @property
    def signing(self) -> str:
        """“chờ ký từ Thứ Ba 26/3”: the earliest submission that still waits; else empty."""
        at = min((event.at for event in self.state.submitted.values()), default=None)
        return f"chờ ký từ {self.context.day(local_day(at))}" if at else ""

    def closed(self, event: Event) -> str:
        """“lúc 09:12 Thứ Ba 30/01, trước hạn 1 ngày”: when `event` closed it."""
        calendar = self.context.scheduler.calendar
        return closed_words(event.at, self.state.due, self.context.today, calendar)

    @property
    def last_day(self) -> date:
        """The last day to which it may well be moved: that of its year of the plan."""
        year, until = self.occurrence.year, self.plan.movable_until(self.occurrence.due)
        return until if until > self.plan.last_day else year.last

    @property
    def later(self) -> str:
        """A day that a request or a date might name: a few working days on, within the plan."""
        calendar, today = self.context.scheduler.calendar, self.context.today
        after = max(self.state.due or today, today)
        near = calendar.count(after, self.last_day) < 3
        day = calendar.roll_back(self.last_day) if near else calendar.after(after, 3)
        return vn_date(day)

    def button(
        self,
        label: str,
        word: buttons.Word,
        typed: str,
        unit: str = "",
        day: date | None = None,
    ) -> Action:
        """Return a button about it, and `day` or the event of that time."""
        data = buttons.encode(word, self.state.key, unit, day)
        return Action(label=label, data=data, typed=typed)


def kind_words(kind: str) -> str:
    """Return what kind of message a row of the outbox is: “báo quá hạn” for “escalation”."""
    return _KINDS.get(kind, kind)


def day_words(day: date, today: date) -> str:
    """Return “Thứ Tư 31/01”; with the year where it is not the reader's own."""
    if day.year == today.year:
        return vn_day(day)
    return f"{vn_weekday(day)} {vn_date(day, year=True)}"


def moment_words(at: datetime, today: date) -> str:
    """Return “09:12 Thứ Ba 30/01”, or “08:40 hôm nay”."""
    here = local(at)
    day = "hôm nay" if here.date() == today else day_words(here.date(), today)
    return f"{here:%H:%M} {day}"


def left_words(due: date, today: date, calendar: WorkCalendar) -> str:
    """Return “còn 5 ngày (3 ngày làm việc)”; the working days only where they differ."""
    days, working = (due - today).days, calendar.count(today, due)
    if days == working:
        return f"còn {days} ngày"
    return f"còn {days} ngày ({working} ngày làm việc)"


def due_words(due: date, today: date, calendar: WorkCalendar, name: str = "hạn") -> str:
    """Return how a due day stands on `today`; never “hôm nay là hạn” on any other day."""
    late = calendar.count(calendar.roll_forward(due), today)
    written = f"{name} {day_words(due, today)}"
    if late:
        return f"quá hạn {late} ngày làm việc ({written})"
    if due == today:
        return f"hôm nay là {name}"
    if due < today:  # a day off: it counts until the end of the working day after it
        last = calendar.roll_forward(due)
        until = "hôm nay" if last == today else day_words(last, today)
        return f"{written}, nhận đến hết {until}"
    if calendar.roll_back(due) == today:
        return f"hôm nay là ngày làm việc cuối cùng trước {written}"
    return f"{written}, {left_words(due, today, calendar)}"


def taken_words(due: date, today: date, calendar: WorkCalendar, name: str) -> str:
    """Until when an answer due on `due` counts: “hạn Chủ Nhật 10/3, nhận đến hết Thứ Hai 11/3”."""
    last = calendar.roll_forward(due)
    written = f"{name} {day_words(due, today)}"
    if late := calendar.count(last, today):
        return f"{written}, quá hạn {late} ngày làm việc"
    if last == today:
        return f"{written}, nhận đến hết hôm nay"
    return written if last == due else f"{written}, nhận đến hết {day_words(last, today)}"


def closed_words(at: datetime, due: date | None, today: date, calendar: WorkCalendar) -> str:
    """Return “lúc 09:12 Thứ Ba 30/01, trước hạn 1 ngày”."""
    day = local_day(at)
    when = f"lúc {moment_words(at, today)}"
    if due is None:
        return when
    if day < due:
        return f"{when}, trước hạn {(due - day).days} ngày"
    late = calendar.count(calendar.roll_forward(due), day)
    return f"{when}, quá hạn {late} ngày làm việc" if late else f"{when}, đúng hạn"


def coming_rest(today: date, calendar: WorkCalendar) -> tuple[date, date] | None:
    """Return the first and last day of a long rest that starts within a week after `today`."""
    day = calendar.roll_back(today)
    while day < today + timedelta(days=LOOK_AHEAD):
        rest = calendar.days_off_after(day)
        if rest and (rest[1] - rest[0]).days + 1 >= LONG_REST and rest[0] > today:
            return rest
        day = calendar.after(day, 1)
    return None


def together(names: Sequence[str]) -> str:
    """Return “tháng 01, 02” for “tháng 01” and “tháng 02”: shared words are said once."""
    heads = {name.rpartition(" ")[0] for name in names}
    if len(names) > 1 and len(heads) == 1 and heads != {""}:
        head, _, first = names[0].rpartition(" ")
        return f"{head} " + ", ".join([first, *(n.rpartition(" ")[2] for n in names[1:])])
    return ", ".join(names)


def some(codes: Sequence[str], most: int = 12) -> list[str]:
    """Return the first of `codes`, and how many more there are."""
    left = len(codes) - most
    return [*codes[:most], f"và {left} việc nữa"] if left > 0 else list(codes)


def listed(names: Sequence[str]) -> str:
    """Return “Tư pháp và Văn phòng”, or “A, B và C”."""
    if len(names) < 2:
        return "".join(names)
    return f"{', '.join(names[:-1])} và {names[-1]}"
