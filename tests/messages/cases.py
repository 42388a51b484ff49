"""A payload of every kind, and the states of affairs that change how it reads."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from datetime import date
from typing import Any

from reminder.domain.ledger import Event, EventKind
from reminder.domain.payloads import (
    AddressDead,
    AlreadyDone,
    Anonymous,
    Away,
    AwayNotice,
    Back,
    BackNotice,
    BindByOffice,
    BindInGroup,
    BindUnknown,
    Bound,
    ChannelDown,
    ChannelUp,
    Claimed,
    ClosedNotice,
    Confirmed,
    CopiesOverdue,
    DateSet,
    DeadLetter,
    Digest,
    Disowned,
    DisownedNotice,
    Done,
    DueDates,
    EditedOrForwarded,
    EventNamed,
    EventWithdrawn,
    Evidence,
    ExtensionAsked,
    ExtensionDecided,
    ExtensionRequested,
    ExtensionWithdrawn,
    FilesRefused,
    Forged,
    Heard,
    Help,
    History,
    HowNo,
    HowNote,
    HowSetDue,
    InvitationFault,
    ListedBack,
    MailPutAside,
    MailReturned,
    NeedsProof,
    NoRequest,
    NotDone,
    Noted,
    NotOpenYet,
    NotTaken,
    NotUnderstood,
    NotYourUnit,
    OfficeEmpty,
    OfficeOnly,
    OldButton,
    OpenTasks,
    PageLink,
    Payload,
    PlanOver,
    PlanStarted,
    QuotaUsed,
    Refused,
    Reminded,
    ReopenAsked,
    Reopened,
    ReopenedNotice,
    ReopenRequested,
    ReportDraft,
    Returned,
    Seen,
    SetDueAsked,
    Several,
    SignIn,
    Snoozed,
    StatusAsked,
    Stranger,
    Submitted,
    TaskDetails,
    ToldTooOften,
    TooFast,
    Undone,
    Unhandled,
    UnitEmpty,
    Unreached,
    Unworded,
    Updated,
    Welcome,
    WhichOccurrence,
    WhichOffice,
    WhichOfNudge,
    WhichPart,
    WhichPlan,
    WhichUnit,
    Wordless,
    Zalo,
)
from reminder.domain.plan import Key
from tests.messages.office import at, key

MONTH, CHECK_IN, UNDATED = key("2c", period="2024-01"), key("1a", period="2024-Q1"), key("2g")
KEYS = (key("1c"), MONTH, CHECK_IN, UNDATED, key("1d", 2), key("4b"))
DAY, OFF = date(2024, 2, 5), date(2024, 2, 10)
WHEN = at("2024-01-29", "10:00")
_ABOUT_WORK = (  # reasons of refusals that name an occurrence
    "snooze-awaiting snooze-late snooze-last-day not-after-today not-after-due outside-year "
    "before-open no-event event-outside extend-awaiting office-extends needs-date not-assumed "
    "already-due remind-awaiting no-check-in no-signature not-submitted not-closed undo-late "
    "undo-others nothing-to-undo"
)
ABOUT_NONE = [
    "no-such",
    "needs-code",
    "needs-text",
    "needs-reason",
    "nothing-to-update",
    "nothing-to-disown",
    "nothing-assumed",
    "no-report",
    "reads-all-only",
    "not-in-public",
    "history-closed",
    "away-past",
    "away-long",
    "not-away",
    "no-person",
    "whose-absence",
]
OFFICE_VERBS = [
    "reopen",
    "setdue",
    "event",
    "confirm",
    "approve",
    "reject",
    "remind",
    "report",
    "away",
]


def event(kind: EventKind, of: Key, **more: Any) -> Event:
    return Event(at=WHEN, kind=kind, key=of, unit="tu-phap", by="an", channel="telegram", **more)


def _evidence(kind: EventKind) -> str:
    return DAY.isoformat() if kind is EventKind.EVENT_NAMED else "1/QĐ"


def about(of: Key) -> Iterator[Payload]:
    """What can be said about one occurrence."""
    kinds = EventKind
    for reason in _ABOUT_WORK.split():
        done = event(kinds.DONE, of)
        yield Refused(reason=reason, key=of, event=done, day=DAY, year=2024, text="chờ")
        yield Refused(
            reason=reason, key=of, event=done, day=DAY, year=2024, head="gia hạn", tail="05/02 x"
        )
    yield NotOpenYet(key=of)
    yield NotDone(key=of)
    yield StatusAsked(key=of)
    yield Seen(keys=(of,))
    yield Confirmed(keys=(of,))
    yield ClosedNotice(keys=(of,), leaders=True)
    yield Returned(key=of)
    for capped in (True, False):
        yield Snoozed(key=of, until=DAY, capped=capped)
    for units, before, nobody in (
        (("tu-phap",), (), ()),
        ((), (("tu-phap", WHEN, "binh"),), ()),
        (("tu-phap",), (), ("tu-phap",)),
    ):
        yield Reminded(key=of, units=units, before=before, nobody=nobody)
    yield WhichUnit(key=of, units=("tu-phap", "van-phong"))
    yield HowSetDue(key=of)
    yield HowNote(key=of)
    yield HowNo(key=of)
    yield NotYourUnit(key=of, instead=MONTH)
    yield NotYourUnit(key=of, verb="snooze")
    yield AlreadyDone(key=of, event=event(kinds.DONE, of), following=MONTH, instead=UNDATED)
    yield AlreadyDone(key=of, event=event(kinds.DONE, of), denied=True)
    yield Refused(reason="undo-late", key=of, event=event(kinds.SUBMITTED, of))
    yield NoRequest(key=of)
    for kind in (kinds.EXTENSION_GRANTED, kinds.HELD):
        yield NoRequest(key=of, event=event(kind, of))
    evidence = event(kinds.EVIDENCE, of, evidence="12/QĐ")
    yield from (Evidence(event=evidence, before=before) for before in ("", "11/QĐ"))
    note = event(kinds.NOTED, of, note="chờ. ")
    yield from (Noted(event=note, added=added) for added in (True, False))
    yield Submitted(event=event(kinds.SUBMITTED, of))
    for kind in (kinds.DONE, kinds.UPDATED, kinds.SUBMITTED, kinds.EXTENSION_ASKED):
        yield Undone(event=event(kind, of))
        for back, left in (((event(kind, of),), ()), ((), (event(kind, of),))):
            yield Disowned(events=back, left=left)
            yield DisownedNotice(person="an", channel="email", at=WHEN, events=back, left=left)
    for kind in (kinds.REOPENED, kinds.UNDONE):
        yield Reopened(event=event(kind, of, note="sai."))
        yield ReopenedNotice(event=event(kind, of, note="sai"), leaders=True)
        yield ReopenedNotice(event=event(kind, of), leaders=False)
    yield DateSet(event=event(kinds.DUE_SET, of, until=DAY, note="vì."), before=OFF)
    yield DateSet(event=event(kinds.DUE_SET, of, until=OFF), ask=True)
    named = event(kinds.EVENT_NAMED, of, until=DAY, evidence=OFF.isoformat(), note="công văn 5.")
    yield EventNamed(event=named, before=OFF)
    late = replace(named, until=OFF, note="")
    yield from (EventNamed(event=late, own=True, again=again) for again in (True, False))
    yield EventWithdrawn(event=named)
    yield Undone(event=named)
    asked = event(kinds.EXTENSION_ASKED, of, until=OFF)
    yield ExtensionRequested(event=asked, again=False)
    yield ExtensionRequested(event=asked, again=True)
    yield ExtensionRequested(event=asked, again=True, nobody=True, before=DAY)
    yield ExtensionAsked(key=of)
    yield ExtensionAsked(key=of, before=DAY)
    yield ExtensionWithdrawn(event=asked)
    yield ReopenRequested(event=event(kinds.DONE, of))
    yield ReopenAsked(event=event(kinds.UNDONE, of, note="em bấm nhầm"))
    yield ReopenAsked(event=event(kinds.UNDONE, of))
    for granted in (True, False):
        yield ExtensionDecided(key=of, granted=granted, note="theo lịch" if granted else "")
    yield Claimed(keys=(of,), unit="tu-phap", words="ok")
    yield SetDueAsked(key=of, until=OFF, words="chờ số liệu")


def about_none() -> Iterator[Payload]:
    """What can be said about several occurrences, or none."""
    for reason in ABOUT_NONE:
        for own in (True, False):
            yield Refused(
                reason=reason, code="1c", verb="digest", say="Chưa có.", until=DAY, who="An",
                own=own, typed="Ai đó", days="01/02/2024", known=("an", "binh"),
            )  # fmt: skip
    for verb in OFFICE_VERBS:
        yield OfficeOnly(verb=verb)
        yield NeedsProof(verb=verb)
        yield OfficeOnly(verb=verb, codes=("1c", "2c"))
    yield from (Unhandled(verb="bind", later=later) for later in (True, False))
    yield from (Heard(still_open=still_open) for still_open in (True, False))
    names = (("tu-phap", ()), ("van-phong", ("A", "B")), ("dia-chinh-xay-dung", tuple("ABCDE")))
    for own in (True, False):
        for until in (DAY, OFF):
            told = names if own else ()
            yield Away(
                person="an", name="An", own=own, since=DAY, until=until, others=names, again=own
            )
            yield AwayNotice(person="an", name="An", own=own, since=DAY, until=until, others=told)
        yield Back(person="an", name="An", own=own)
        yield BackNotice(person="an", name="An", own=own)
    yield from (
        Stranger(),
        TooFast(),
        NotTaken(),
        Unworded(),
        ToldTooOften(),
        EditedOrForwarded(),
        Wordless(),
    )
    yield from (Anonymous(), OldButton(), BindInGroup(), BindByOffice(), Bound(unit="tu-phap"))
    yield from (Welcome(person=who) for who in ("an", "binh", "chu", "ai"))
    yield SignIn(login="abc")
    yield PageLink(login="abc")
    yield PageLink(login="")
    yield from (
        InvitationFault(fault=fault) for fault in ("used", "expired", "unknown", "too-many")
    )
    known = (("tu-phap", "Tư pháp"), ("van-phong", "Văn phòng"))
    yield from (BindUnknown(unit=unit, known=known) for unit in ("", "x"))
    yield from (PlanStarted(plan=plan, late=KEYS, held=DAY) for plan in ("cchc-2024", "x"))
    yield PlanStarted(plan="cchc-2024", late=(), held=DAY)
    yield from (PlanOver(plan=plan) for plan in ("cchc-2024", "x"))
    yield PlanOver(plan="cchc-2024", year="2024")
    for unit in ("van-phong", "dia-chinh-xay-dung", "lanh-dao"):
        yield UnitEmpty(unit=unit)
        yield OfficeEmpty(unit=unit)
    for recipient in ("an", "group:tu-phap"):
        for channel, fallback in (("telegram", "email"), ("email", ""), ("zalo", "email")):
            yield AddressDead(
                recipient=recipient, channel=channel, reason="lý do", at=WHEN, fallback=fallback
            )
    returned = MailReturned(
        recipient="an",
        address="an@example.vn",
        channel="email",
        kind="nudge",
        reason="lý do",
        claimed_by="x@y.example",
        at=WHEN,
        hard=True,
        fallback="telegram",
    )
    yield from (returned, replace(returned, hard=False, fallback="", claimed_by=""))
    yield from (ChannelDown(channel=c, reason="lý do", since=WHEN) for c in ("telegram", "inbox"))
    yield from (ChannelUp(channel=c, since=WHEN, until=WHEN) for c in ("telegram", "inbox"))
    yield ChannelDown(channel="zalo", reason="lý do", since=WHEN, receiving=True)
    yield ChannelUp(channel="zalo", since=WHEN, until=WHEN, receiving=True)
    yield Forged(number=3)
    yield DeadLetter(
        row=3, recipient="an", kind="nudge", channel="email", reason="lý do", slot=WHEN
    )
    yield Unreached()
    yield from (MailPutAside(folder=folder) for folder in ("", "Thu-khong-doc-duoc"))
    yield FilesRefused(problems=("a", "b"))
    yield from (CopiesOverdue(away=away, since=WHEN, ever=away) for away in (True, False))
    yield from (Help(office=yes, leader=not yes) for yes in (True, False))
    two = KEYS[:2]
    yield WhichOccurrence(keys=two, unit="tu-phap", instead=UNDATED)
    yield WhichOccurrence(keys=(key("1d", 1), key("1d", 2)), unit="tu-phap")
    yield WhichOccurrence(keys=(key("1d", 2),), unit="tu-phap", closed=key("1d", 1))
    yield Claimed(keys=two, unit="tu-phap")
    for full in (False, True):
        yield QuotaUsed(channel="zalo", received=900, sent=1500, limit=3000, full=full, until=DAY)
    yield WhichOfNudge(keys=two, words="dạ xong rồi ạ")
    offices = (("an-khe", "UBND phường An Khê"), ("hoa-sen", "UBND phường Hoa Sen"))
    yield WhichOffice(offices=offices, words="xong 1c", update="bot:7")
    yield WhichPart(keys=two, head="trình ký", tail="x")
    yield WhichPart(keys=two, head="/chuaxong", tail="x", unit="tu-phap", words="vướng")
    yield WhichPlan(code="2c", typed=("xong 2024/2c", "xong 2025/2c"))
    yield from (ListedBack(keys=keys, typed="xong 1c") for keys in (two, ()))
    yield from (NotUnderstood(say="Máy chưa hiểu.", reason="x", keys=keys) for keys in (two, ()))
    yield from (Confirmed(keys=keys) for keys in (KEYS, ()))
    yield from (Seen(keys=keys) for keys in (two, ()))
    yield Done(events=tuple(event(EventKind.DONE, k) for k in two), unit="tu-phap", instead=UNDATED)
    yield Done(events=(event(EventKind.DONE, MONTH, evidence="1/QĐ"),), unit="khong-co")
    for steady in (True, False):
        yield Updated(
            events=(event(EventKind.UPDATED, CHECK_IN),), units=("tu-phap",), steady=steady
        )
    every_check_in = tuple(key(code, period="2024-Q1") for code in ("1a", "1e"))
    yield Updated(events=tuple(event(EventKind.UPDATED, k) for k in every_check_in), units=())
    for units, asked in ((("tu-phap",), "van-phong"), (("x",), ""), (("tu-phap", "van-phong"), "")):
        yield OpenTasks(units=units, every=False, asked=asked)
        yield DueDates(units=units)
    yield OpenTasks(units=(), every=True)
    yield DueDates(every=True)
    tasks = (("cchc-2024", "1c"), ("cchc-2024", "1d"))
    yield from (TaskDetails(tasks=named) for named in (tasks, (("cchc-2024", "2c"),)))
    yield TaskDetails(tasks=(("cchc-2024", "2g"),))
    yield DueDates(tasks=tasks)
    yield DueDates(tasks=tasks, others=tasks)
    history = tuple(
        event(kind, key("1c"), note="x", evidence=_evidence(kind), until=DAY) for kind in EventKind
    )
    befores = (DAY, *(None for _ in history[1:]))
    yield History(tasks=tasks, events=history, befores=befores, more=3)
    plain = Event(at=WHEN, kind=EventKind.DONE, key=MONTH, unit="tu-phap")
    yield History(tasks=(("cchc-2024", "2c"),), events=(plain,), befores=(None,))
    yield History(tasks=tasks, events=())
    yield from (Digest(), Zalo(), ReportDraft(plan="cchc-2024", period="2024-Q1"))
    yield Several(parts=(Zalo(), StatusAsked(key=key("1c"))))


def payloads() -> list[Payload]:
    return [*(payload for of in KEYS for payload in about(of)), *about_none()]
