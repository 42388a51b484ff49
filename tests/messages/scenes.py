"""The scenes of the year 2024 from which the samples are rendered."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from datetime import date, timedelta

from reminder.app.channels import known_channels
from reminder.domain.ledger import Event, EventKind
from reminder.domain.outbox import Outbound
from reminder.domain.payloads import (
    AddressDead,
    AlreadyDone,
    ChannelDown,
    ClosedNotice,
    DeadLetter,
    Done,
    ExtensionAsked,
    ExtensionDecided,
    HowSetDue,
    OfficeEmpty,
    Payload,
    PlanStarted,
    Submitted,
    UnitEmpty,
    Updated,
    Welcome,
    WhichOccurrence,
)
from reminder.domain.people import Person
from reminder.domain.plan import Key
from reminder.domain.schedule import MessageKind
from reminder.messages import answers, escalation, questions
from reminder.messages.context import Context
from reminder.messages.nudge import Off, nudge
from reminder.messages.rows import render
from reminder.services.history import Past, Reminded
from reminder.services.office import Files, Office
from tests.messages.office import at, done, items, key, nudged, plan, said, scene

JANUARY = [done(at("2024-01-24"), key("2c", period="2024-01"), "tu-phap")]
OFFICE_LATE = MessageKind.ESCALATION


def morning(day: str, *units: str, events: list[Event] | None = None, edit: str = "") -> Outbound:
    context = scene(day, events or [])
    message = nudge(context, nudged(context, *units, events=events or []), edit=edit)
    assert message is not None
    return message


def quarter(code: str) -> Key:
    return key(code, 2 if code == "1đ" else 1, "2024-Q1")


def february() -> list[Event]:
    """1c and the first month of 2c are done: what is left is the day's own."""
    month = key("2c", period="2024-01")
    return [
        done(at("2024-01-30"), key("1c"), "tu-phap"),
        done(at("2024-01-30"), month, "tu-phap"),
        done(at("2024-01-30"), month, "van-phong"),
    ]


def spring(unit: str = "van-phong") -> list[Event]:
    """All of the office's work before 29/3, but 5c and 2b."""
    when = at("2024-03-08")
    keys = [key("1d", 1), key("1d", 2), key("2a", 1)]
    keys += [key("2c", period=f"2024-0{n}") for n in (1, 2, 3)]
    keys += [key("BC", 1, "2024-Q1")]
    keys += [key(c, 2, "2024-Q1") for c in ("2a", "2b")]
    keys += [key(c, 1, "2024-Q1") for c in ("1b", "2d", "2đ", "2e", "2i", "2k", "3", "5b")]
    return [done(when, k, unit, by="binh") for k in keys]


def edited() -> Outbound:
    context = scene("2024-01-26")
    closed = [done(at("2024-01-26", "09:12"), key("1c"), "tu-phap", evidence="12/QĐ-UBND")]
    message = nudge(scene("2024-01-26", closed), nudged(context, "tu-phap"), edit="17")
    assert message is not None
    return message


def office_escalation() -> Outbound:
    context = scene("2024-02-01", JANUARY)
    told = items(context, "van-phong", OFFICE_LATE, JANUARY)
    reminded = {
        item.key: Reminded(count=6, channels=("telegram",), last=at("2024-02-01", "08:00"))
        for item in told
    }
    context = replace(context, past=Past(reminded=reminded))
    message = escalation.to_office(context, told)
    assert message is not None
    return message


def leaders_escalation() -> Outbound:
    events = [
        *JANUARY,
        said(
            EventKind.NOTED,
            at("2024-02-02"),
            key("1c"),
            "tu-phap",
            note="chờ số liệu của thành phố",
        ),
    ]
    context = scene("2024-02-05", events)
    told = items(context, "lanh-dao", OFFICE_LATE, events)
    told = tuple(item for item in told if item.key.task == "1c")
    context = replace(context, past=Past(told={key("1c"): at("2024-02-01", "08:00")}))
    message = escalation.to_leaders(context, told)
    assert message is not None
    return message


def told(context: Context, payload: Payload) -> Outbound:
    """The message of `payload`, which says something."""
    message = render(context, payload)
    assert message is not None
    return message


def closed_word(leaders: bool) -> Outbound:
    events = [done(at("2024-02-05", "10:20"), key("1c"), "tu-phap", evidence="12/QĐ-UBND")]
    return told(scene("2024-02-05", events), ClosedNotice(keys=(key("1c"),), leaders=leaders))


def done_beside(
    context: Context, events: Sequence[Event], *remaining: Key, instead: Key | None = None
) -> Outbound:
    """“Đã ghi”, with what of the unit's work `remaining` is told."""
    payload = Done(events=tuple(events), unit="tu-phap", instead=instead)
    message = answers.done(context, payload, context.works(remaining))
    assert message is not None
    return message


def done_alone() -> Outbound:
    event = done(at("2024-01-30"), key("1c"), "tu-phap")
    context = scene("2024-01-30", [event])
    return done_beside(context, [event], key("2c", period="2024-01"), key("1d"))


def done_shared() -> Outbound:
    event = done(at("2024-01-30"), key("2c", period="2024-01"), "tu-phap", evidence="07/BC-UBND")
    return done_beside(scene("2024-01-30", [event]), [event])


def done_or_1dd() -> Outbound:
    event = done(at("2024-02-26"), key("1d", 2), "tu-phap", evidence="31/QĐ-UBND")
    context = scene("2024-02-26", [done(at("2024-02-19"), key("1d", 1), "tu-phap"), event])
    return done_beside(context, [event], key("2c", period="2024-02"), instead=key("1đ"))


def already() -> Outbound:
    event = done(at("2024-01-30"), key("1c"), "tu-phap", evidence="12/QĐ-UBND")
    return told(scene("2024-01-31", [event]), AlreadyDone(key=key("1c"), event=event))


def which() -> Outbound:
    keys = (key("1d", 1), key("1d", 2))
    question = WhichOccurrence(keys=keys, unit="tu-phap", instead=key("1đ"))
    return told(scene("2024-02-19"), question)


def which_left() -> Outbound:
    event = done(at("2024-02-19", "08:40"), key("1d", 1), "van-phong", by="binh")
    question = WhichOccurrence(keys=(key("1d", 2),), unit="tu-phap", closed=key("1d", 1))
    return told(scene("2024-02-19", [event]), question)


def which_task() -> Outbound:
    keys = (key("1c"), key("2c", period="2024-01"))
    return told(scene("2024-01-26"), WhichOccurrence(keys=keys, unit="tu-phap"))


def updated() -> Outbound:
    context = scene("2024-03-07")
    events = [answered(context, quarter(code)) for code in ("1a", "1e")]
    return updated_beside(context, events, quarter("1đ"), quarter("2h"))


def updated_beside(
    context: Context, events: Sequence[Event], *missing: Key, steady: bool = False
) -> Outbound:
    """“Đã ghi cập nhật”, with which check-ins are still `missing`."""
    payload = Updated(events=tuple(events), units=("tu-phap",), steady=steady)
    message = answers.updated(context, payload, context.works(missing))
    assert message is not None
    return message


def answered(context: Context, check_in: Key) -> Event:
    """What answers a check-in this morning."""
    when = at(context.today.isoformat())
    return said(EventKind.UPDATED, when, check_in, "tu-phap", by="an")


def submitted() -> Outbound:
    event = said(EventKind.SUBMITTED, at("2024-03-27"), key("5c"), "van-phong")
    return told(scene("2024-03-27"), Submitted(event=event))


def asking() -> list[Event]:
    return [
        said(
            EventKind.EXTENSION_ASKED, at("2024-01-31"), key("1c"), "tu-phap",
            note="chờ số liệu HĐND", until=date(2024, 2, 5),
        )
    ]  # fmt: skip


def extension() -> Outbound:
    return told(scene("2024-01-31", asking()), ExtensionAsked(key=key("1c")))


def extension_waiting() -> Outbound:
    asked = said(
        EventKind.EXTENSION_ASKED, at("2024-01-29"), key("1c"), "tu-phap",
        note="chờ số liệu HĐND", until=date(2024, 2, 5),
    )  # fmt: skip
    context = scene("2024-01-30", [asked])
    message = questions.waiting(context, [key("1c")])
    assert message is not None
    return message


def extension_decided_message() -> Outbound:
    """The request as both of the office see it once one of them has decided."""
    asked = said(
        EventKind.EXTENSION_ASKED, at("2024-01-29"), key("1c"), "tu-phap",
        note="chờ số liệu HĐND", until=date(2024, 2, 5),
    )  # fmt: skip
    granted = said(
        EventKind.EXTENSION_GRANTED, at("2024-01-30"), key("1c"), "tu-phap",
        by="cuc", until=date(2024, 2, 5),
    )  # fmt: skip
    message = questions.decided(scene("2024-01-30", [asked, granted]), [key("1c")], asked.at)
    assert message is not None
    return message


def early_start() -> Outbound:
    """Begun with the year: nothing is late yet."""
    started = PlanStarted(plan=plan().id, late=(), held=date(2024, 1, 9))
    return told(scene("2024-01-02"), started)


def plan_start() -> Outbound:
    context, held = scene("2024-02-19", february()[:1]), date(2024, 2, 26)
    late = [s for s in context.states.values() if context.scheduler.days_late(s, context.today)]
    keys = tuple(state.key for state in late if not state.closed)
    holds = [said(EventKind.HELD, at("2024-02-19"), k, "van-phong", until=held) for k in keys]
    events = [*february()[:1], *holds]
    return told(scene("2024-02-19", events), PlanStarted(plan=plan().id, late=keys, held=held))


def which_day() -> Outbound:
    return told(scene("2024-02-01"), HowSetDue(key=key("1c")))


def standing_in() -> Outbound:
    context = scene("2024-01-26")
    away = {"tu-phap": [("Nguyễn Thị An", date(2024, 2, 2))]}
    off = Off(away=away, stands_in=frozenset({"tu-phap"}))
    message = nudge(context, nudged(context, "tu-phap"), off=off)
    assert message is not None
    return message


def decided(granted: bool) -> Outbound:
    kind = EventKind.EXTENSION_GRANTED if granted else EventKind.EXTENSION_REFUSED
    events = [
        *asking(),
        said(kind, at("2024-01-31", "10:00"), key("1c"), "van-phong", until=date(2024, 2, 5)),
    ]
    context = scene("2024-01-31", events)
    return told(context, ExtensionDecided(key=key("1c"), granted=granted))


def granted_nudge() -> Outbound:
    events = [
        *JANUARY,
        *asking(),
        said(
            EventKind.EXTENSION_GRANTED, at("2024-01-31", "10:00"), key("1c"), "van-phong",
            until=date(2024, 2, 5),
        ),
    ]  # fmt: skip
    return morning("2024-02-02", "tu-phap", events=events)


def months_late() -> Outbound:
    events = spring()
    events = [e for e in events if e.key.task != "2c"]
    context = scene("2024-03-05", events)
    chosen = {"van-phong": [*nudged(context, "van-phong", events=events)["van-phong"]]}
    first = chosen["van-phong"][0]
    chosen["van-phong"].append(
        first._replace(key=key("2c", period="2024-01"), due=date(2024, 1, 31))
    )
    message = nudge(context, chosen)
    assert message is not None
    return message


def reply(payload: Payload, day: str = "2024-01-30") -> Outbound:
    return told(scene(day), payload)


def welcome(unit: str) -> Outbound:
    """To somebody of `unit` who has just pressed Start."""
    context = scene("2024-01-26")
    person = Person(id="an", name="Nguyễn Thị An", units=(unit,), channels=("telegram",))
    files = Files(plans=(plan(),), people=(person,), scheduler=context.scheduler)
    message = render(
        replace(context, office=Office(files, known=known_channels())), Welcome(person="an")
    )
    assert message is not None
    return message


def notice(name: str) -> Outbound:
    when = at("2024-01-26", "08:01")
    full = "máy chủ thư không nhận người nhận này: hộp thư đã đầy"
    payloads: dict[str, Payload] = {
        "address": AddressDead(
            recipient="cuc", channel="telegram", reason="người nhận đã chặn bot",
            fallback="email", at=when,
        ),
        "mailbox": AddressDead(
            recipient="binh", channel="email",
            reason="máy chủ thư không nhận người nhận này: không có hộp thư này", at=when,
        ),
        "group": AddressDead(
            recipient="group:tu-phap", channel="telegram", reason="bot đã bị đưa ra khỏi nhóm",
            at=when,
        ),
        "unit": UnitEmpty(unit="dia-chinh-xay-dung"),
        "office": OfficeEmpty(unit="van-phong"),
        "channel": ChannelDown(
            channel="telegram", reason="Telegram không nhận mã bot (telegram.token)", since=when
        ),
        "letter": DeadLetter(
            row=41, recipient="binh", kind="nudge", channel="email", reason=full,
            slot=when - timedelta(minutes=1),
        ),
    }  # fmt: skip
    return told(scene("2024-01-26"), payloads[name])
