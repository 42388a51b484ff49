"""The tick: queues what is due, digests too; begins and ends plans; reports who has nobody.

After an older copy was restored, ticks make up for the time since the copy as after a stop. What
may have been sent already is marked as a possible repeat, and so are answers to mails that are
read again.
"""

from __future__ import annotations

import logging
from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import replace
from datetime import datetime, time, timedelta
from typing import TYPE_CHECKING

from reminder.domain.calendar import instant, local, local_day
from reminder.domain.ledger import Event, EventKind, State
from reminder.domain.outbox import Draft, Row
from reminder.domain.payloads import (
    CopiesOverdue,
    Digest,
    Forged,
    OfficeEmpty,
    Payload,
    PlanOver,
    PlanStarted,
    ReportDraft,
    UnitEmpty,
)
from reminder.domain.plan import Plan
from reminder.domain.schedule import (
    DueMessages,
    Item,
    Message,
    MessageKind,
    due_now,
    speaking_hours,
)
from reminder.services.office import (
    Office,
    counted,
    drafts_of,
    minute,
    notice_drafts,
    to_offices,
)
from reminder.services.status import unreachable
from reminder.store.records import (
    BACKED_UP_AWAY,
    FORGED,
    RESTORED,
    Spoken,
    meta_moment,
    meta_number,
    place_of,
)
from reminder.store.records import Place as StagePlace

if TYPE_CHECKING:
    from reminder.store.ledger import Standing
    from reminder.store.store import Store


log = logging.getLogger(__name__)

SLOT_MARK, DIGEST_MARK = "tick:slot", "tick:digest"  # all up to here was said or skipped
HOLD_DAYS = 7  # what was late at a plan's first start waits so long for the office's answer
_SLOT_KINDS = (MessageKind.NUDGE, MessageKind.ESCALATION, MessageKind.REQUEST)
_INSTANT = timedelta(microseconds=1)


def next_time(office: Office, now: datetime) -> datetime:
    """Return the next time after `now` at which a tick may say something, if nothing happens.

    All is said at the hours of a working day, which may make up for earlier ones; what is told of a
    plan's end or a month's quota at the start of a day.
    """
    today, policy = local_day(now), office.scheduler.policy
    moments = [instant(today + timedelta(days=1), time())]
    if office.scheduler.calendar.is_working(today):
        moments += [instant(today, policy.slot), instant(today, policy.digest)]
    return min(moment for moment in moments if moment > now)


def ahead(kept: Mapping[str, str], now: datetime) -> datetime | None:
    """When the last tick was, if the clock has been set back before it; else None."""
    last = meta_moment("last_tick", kept.get("last_tick"))
    return last if last and last > now else None


def _since(metas: Mapping[str, str], mark: str, now: datetime) -> tuple[datetime, bool]:
    """The time up to which all was queued, and whether the clock was set back since.

    On the very first tick: the start of the day, so that this day's slot is not lost.
    """
    kept = metas.get(mark)
    if kept is None:
        return instant(local_day(now), time()) - _INSTANT, False
    since = meta_moment(mark, kept) or now
    if since <= now:
        return since, False
    # A clock that ran ahead must not silence the program until the true time has caught up.
    return instant(local_day(now), time()) - _INSTANT, True


def _without_said(due: DueMessages, before: Collection[StagePlace]) -> DueMessages:
    """`due` without stages that were queued before, at whatever time."""
    messages = [
        replace(
            m,
            items=tuple(
                i
                for i in m.items
                if i.stage.again  # a second snooze ends as the first did
                or place_of(m.unit, m.kind, i) not in before
            ),
        )
        for m in due.messages
    ]
    kept = (m for m in messages if m.items or m.kind is MessageKind.DIGEST)
    # A second digest of a slot is not looked for here: the outbox's unique key refuses it.
    return DueMessages(tuple(kept), due.skipped)


def _spoken(due: DueMessages, now: datetime) -> Iterable[Spoken]:
    said = [(m.unit, m.kind, i, False) for m in due.messages for i in m.items]
    skipped = [(*stage, True) for stage in due.skipped]
    for unit, kind, item, passed_over in (*said, *skipped):
        yield Spoken(
            key=item.key,
            unit=unit,
            kind=kind.value,
            stage=str(item.stage),
            due=item.due.isoformat(),
            at=now,
            skipped=passed_over,
        )


class Tick:
    """What one tick says: of plans that begin and end, of units without people, and what is due.

    `told`: messages that were queued before it, of other things.
    """

    def __init__(self, office: Office, standing: Standing, now: datetime, told: int = 0) -> None:
        self.office, self.now, self.today = office, now, local_day(now)
        self.kept = standing.metas  # the marks of earlier ticks
        self.meta = {"last_tick": now.isoformat()}
        self.events: list[Event] = []
        self.drafts: list[Draft] = []
        self._head, self._told = (standing.number, standing.hash), told
        self._due: list[DueMessages] = []
        self._maybe_said: set[Place] = set()
        self._start_plans()
        self._look()

    def _look(self) -> None:
        """Find what is due."""
        office, now = self.office, self.now
        after = office.after(self.events) if self.events else office
        plans = office.speaking(now)
        if not plans and local(now).time().minute == 0:  # not each minute, but never forgotten
            log.warning("no plan speaks any more: write next year's, see docs/plan-format.md")
        for mark, kinds in ((SLOT_MARK, _SLOT_KINDS), (DIGEST_MARK, (MessageKind.DIGEST,))):
            since, turned_back = _since(self.kept, mark, now)
            self._due.append(
                due_now(
                    office.files.stage_index, plans, after.by_key, after.states, since, now, kinds
                )
            )
            self._maybe_said |= possibly_said(after, self.kept, since)
            speaks = any(speaking_hours(office.scheduler, kind, now) for kind in kinds)
            self.meta[mark] = (now if turned_back or speaks else since).isoformat()

    @property
    def places(self) -> set[StagePlace]:
        """The stages that are due; what was said before is left out.

        The clock may have run ahead, or the slot's hour been changed.
        """
        return {
            place_of(message.unit, message.kind, item)
            for due in self._due
            for message in due.messages
            for item in message.items
        }

    @property
    def planned(self) -> list[Draft]:
        """The drafts of all that is due, whether or not it was said before."""
        said = [message for due in self._due for message in due.messages]
        return drafts_of(self.office, said, self.now)

    def queue(self, store: Store, before: Collection[StagePlace]) -> int:
        """Queue what is due but for the stages `before`; return the number of rows.

        All is one transaction: a crash leaves either everything or nothing to the next tick.
        """
        office, now = self.office, self.now
        due = [_without_said(each, before) for each in self._due]
        said = [message for each in due for message in each.messages]
        drafts = with_head(self._head, drafts_of(office, said, now))
        self.drafts += marked(drafts, self._maybe_said)
        self.drafts += mailed(office, said, now)
        self._tell_of_empty_units()
        self._tell_of_plans_over()
        store.record(
            self.events,
            unit_names=office.unit_names,
            drafts=self.drafts,
            spoken=[one for each in due for one in _spoken(each, now)],
            meta=self.meta,
            at=now,
        )
        digests = [m.unit for m in said if m.kind is MessageKind.DIGEST]
        for unit in empty_offices(office, digests):
            log.warning("the digest goes to nobody: %s has no one in people.toml", unit)
        if said or self.events:
            messages = counted(len(self.drafts), "message")
            whom = counted(len({draft.recipient for draft in self.drafts}), "recipient")
            log.info("tick %s: %s for %s queued", minute(now), messages, whom)
        return self._told + len(self.drafts)

    def _mark(self, name: str) -> None:
        self.meta[name] = self.now.isoformat()

    def _tell(self, to: str, payload: Payload, subject: str) -> list[Draft]:
        told = notice_drafts(self.office, to, payload, self.now, subject=subject)
        self.drafts += told
        return told

    def _start_plans(self) -> None:
        """Start plans seen for the first time: hold what is late until the office has answered."""
        scheduler = self.office.scheduler
        for plan in self.office.speaking(self.now):
            first = f"started:{plan.id}" not in self.kept
            if not first and self.kept.get(f"greeted:{plan.id}"):
                self._newly_with_buttons(plan)
                continue
            held = scheduler.calendar.roll_forward(self.today + timedelta(days=HOLD_DAYS))
            late = [
                s
                for s in self.office.of_plan(plan)
                if not s.closed
                and not scheduler.policy.is_over(s, self.today)
                and (scheduler.days_late(s, self.today) if first else s.held_until)
            ]
            if first:
                self._mark(f"started:{plan.id}")
                self.events += [
                    Event(at=self.now, kind=EventKind.HELD, key=s.key, unit=plan.office, until=held)
                    for s in late
                ]
            payload = PlanStarted(plan=plan.id, late=tuple(s.key for s in late), held=held)
            greeting = self._tell(f"unit:{plan.office}", payload, plan.id)
            if greeting:  # otherwise it is sent once somebody of the office has enrolled
                self._mark(f"greeted:{plan.id}")
            for draft in greeting:
                if self.office.traits(draft.channel).buttons:
                    self._mark(f"listed:{plan.id}:{draft.recipient}")

    def _newly_with_buttons(self, plan: Plan) -> None:
        """Send the list again, with buttons, to people of the office who enrolled since the start.

        Nobody can have enrolled before the program runs, so that the first list went by mail.
        """
        office, mark = self.office, f"greeted:{plan.id}"
        greeted = meta_moment(mark, self.kept[mark]) or self.now
        for person in office.members(plan.office):
            name = f"listed:{plan.id}:{person.id}"
            way = next(iter(office.ways(person.id)), "")
            address = office.address(person.id, way)
            if name in self.kept or address is None or address.bound_at <= greeted:
                continue
            if not office.traits(way).buttons:
                continue
            self._mark(name)
            live = [s for s in office.of_plan(plan) if not s.closed]
            late = [state for state in live if state.is_held(self.today)]
            if not late and all(s.due and not s.assumed for s in live):
                continue  # all is settled
            held = max((s.held_until for s in late if s.held_until), default=self.today)
            payload = PlanStarted(plan=plan.id, late=tuple(s.key for s in late), held=held)
            self._tell(person.id, payload, plan.id)

    def _tell_of_empty_units(self) -> None:
        """Report a unit without people to the offices, once; the digest repeats it.

        Of plans that are over nothing is told.
        """
        plans = self.office.speaking(self.now)
        empty = {one.unit for one in unreachable(self.office, plans) if one.person is None}
        offices = {plan.office for plan in plans}
        for unit in self.office.units:
            name = f"empty:{unit}"
            told = bool(self.kept.get(name))
            if unit in empty and not told:
                self._mark(name)
                leaders = {plan.leaders for plan in plans if plan.office == unit}
                payload = OfficeEmpty(unit=unit) if leaders else UnitEmpty(unit=unit)
                for above in sorted(leaders or offices):
                    self._tell(f"unit:{above}", payload, name)
            elif told and unit not in empty:
                self.meta[name] = ""

    def _tell_of_plans_over(self) -> None:
        """Tell the office once that a plan has ended, or a year of one that goes on."""
        policy = self.office.scheduler.policy
        for plan in self.office.plans:
            mark = f"started:{plan.id}"
            started = meta_moment(mark, self.kept.get(mark))
            for year in plan.years:
                whole = year == plan.years[-1]
                name = f"silent:{plan.id}" if whole else f"silent:{plan.id}:{year.id}"
                last = policy.last_day(plan) if whole else policy.last_day_of_year(year)
                if not started or name in self.kept or self.today <= last:
                    continue
                if whole or local_day(started) <= last:
                    self._mark(name)
                    payload = PlanOver(plan=plan.id, year="" if whole else year.id)
                    self._tell(f"unit:{plan.office}", payload, plan.id)


Place = tuple[object, ...]  # kind, then unit, key and stage of an item; a digest's kind alone


def possibly_said(office: Office, metas: Mapping[str, str], since: datetime) -> set[Place]:
    """What was due after `since` and before the restore; nothing where there was none since."""
    kept = metas.get(RESTORED)
    until = meta_moment(RESTORED, kept) or since
    if until <= since:
        return set()
    first, last = since + _INSTANT, until + _INSTANT
    found = office.scheduler.messages(office.plans, office.by_key, first, last)
    places: set[Place] = {
        (m.kind.value, m.unit, item.key, str(item.stage)) for m in found for item in m.items
    }
    return places | {(m.kind.value,) for m in found if m.kind is MessageKind.DIGEST}


def marked(drafts: Sequence[Draft], said: set[Place]) -> list[Draft]:
    """`drafts`, those that hold anything of `said` marked as possible repeats."""
    if not said:
        return list(drafts)
    return [draft.marked_again() if _holds(draft, said) else draft for draft in drafts]


def _holds(draft: Draft, said: set[Place]) -> bool:
    return (draft.kind,) in said or any(
        (draft.kind, unit, item.key, str(item.stage)) in said for unit, item in draft.items
    )


# ---- the weekly digest, the draft of a report, copies that were not made

BY_HAND = "by-hand"  # the subject of a digest sent by hand


def with_head(head: tuple[int, str], drafts: Iterable[Draft]) -> list[Draft]:
    """`drafts`, with the ledger's head, its number and hash, in each digest.

    Who can write the database can forge the whole chain, but not a digest that was sent;
    and its row says in full what the mail says in short.
    """
    return [
        replace(draft, payload=Digest(head=head)) if draft.kind == MessageKind.DIGEST else draft
        for draft in drafts
    ]


def empty_offices(office: Office, units: Iterable[str] | None = None) -> list[str]:
    """The offices without people, whose digest goes to nobody."""
    wanted = office.offices if units is None else office.offices & frozenset(units)
    return [unit for unit in office.units if unit in wanted and not office.members(unit)]


def send_by_hand(office: Office, store: Store, now: datetime) -> list[Row]:
    """Queue a digest for every office, once a day; return its rows, new or old."""
    slot = instant(local_day(now), office.scheduler.policy.digest)
    messages = [
        Message(at=slot, unit=unit, kind=MessageKind.DIGEST, items=())
        for unit in sorted(office.offices)
    ]
    drafts = [replace(d, subject=BY_HAND) for d in drafts_of(office, messages, now)]
    store.record([], unit_names={}, drafts=with_head(store.head(), drafts), at=now)
    rows = store.rows(kind=MessageKind.DIGEST.value, since=slot)
    return [row for row in rows if row.draft.slot == slot and row.draft.subject == BY_HAND]


def due_reports(office: Office, items: Mapping[str, Sequence[Item]]) -> list[State]:
    """The open reports that `items`, by unit, ask for the last time by their due day; each once."""
    found = {
        item.key: state
        for of_unit in items.values()
        for item in of_unit
        if (state := office.states.get(item.key)) is not None
        and not state.closed
        and office.scheduler.is_last_call(state, item.stage)
    }
    return list(found.values())


def mailed(office: Office, messages: Iterable[Message], now: datetime) -> list[Draft]:
    """A mail with the draft to each officer who hears the call by another channel and has mail.

    Who hears it by mail gets the draft with that mail.
    """
    return [
        Draft(
            slot=message.at,
            recipient=person.id,
            kind="notice",
            subject=f"report-draft:{state.key.plan}:{state.key.period}",
            channel=mail,
            payload=ReportDraft(plan=state.key.plan, period=state.key.period),
            due_at=now,
        )
        for message in messages
        if message.kind is MessageKind.NUDGE
        for state in due_reports(office, {message.unit: message.items})
        for person in office.members(message.unit)
        for mail in _mails_besides(office, person.id)
    ]


def _mails_besides(office: Office, person: str) -> list[str]:
    """The channel by which the person gets mail, where the first way is another."""
    mails = [office.traits(way).mail for way in office.ways(person)]
    if not any(mails) or mails[0]:
        return []
    return [office.ways(person)[mails.index(True)]]


OVERDUE = timedelta(days=3)


def say_overdue(office: Office, store: Store, marks: Sequence[str], now: datetime) -> None:
    """Tell once of each of `marks` (records.BACKED_UP …) that is overdue, until it is made again.

    It is told at an hour of nudges. What was never made counts from the first look for it.
    """
    for mark in marks:
        made, told = store.meta(mark), store.meta(f"overdue:{mark}")
        since = made or store.meta(f"wanted:{mark}")
        if since is None:
            store.set_meta(f"wanted:{mark}", now.isoformat())
            continue
        at = meta_moment(mark if made else f"wanted:{mark}", since) or now
        if now - at < OVERDUE:
            if told:
                store.set_meta(f"overdue:{mark}", "")
        elif not told and speaking_hours(office.scheduler, MessageKind.NUDGE, now):
            away = mark == BACKED_UP_AWAY
            payload = CopiesOverdue(away=away, since=at, ever=made is not None)
            drafts = to_offices(office, payload, now, subject=f"{mark}:{since}")
            meta = {f"overdue:{mark}": now.isoformat()}
            store.record([], unit_names={}, drafts=drafts, meta=meta, at=now)


def say_forged(office: Office, store: Store, now: datetime) -> bool:
    """Tell the office, once a day at an hour of nudges, how many mails pretended to be answers.

    False if there is nothing to tell now.
    """
    number, told = store.number(FORGED), store.meta("told:forged") or "0 "
    told_of, _, day = told.partition(" ")
    before = meta_number("told:forged", told_of)
    today = local_day(now).isoformat()
    if number <= before or day == today:
        return False
    if not speaking_hours(office.scheduler, MessageKind.NUDGE, now):
        return False
    payload = Forged(number=number - before)
    drafts = to_offices(office, payload, now, subject=f"forged:{today}")
    meta = {"told:forged": f"{number} {today}"}
    return store.record([], unit_names={}, drafts=drafts, meta=meta, at=now)
