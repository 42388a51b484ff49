"""The scenes of the year 2024 from which the samples are rendered."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from datetime import date, timedelta

from reminder.app.channels import known_channels
from reminder.domain.channels import Outbound
from reminder.domain.ledger import Event, EventKind, State
from reminder.domain.occurrences import Key
from reminder.domain.payloads import Welcome
from reminder.domain.people import Person
from reminder.domain.schedule import MessageKind
from reminder.messages import answers, escalation, notices, settlement
from reminder.messages import answers as replies
from reminder.messages.context import Context
from reminder.messages.nudge import Off, nudge
from reminder.messages.registry import render
from reminder.services.history import Reminded
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
    message = escalation.to_office(context, told, reminded)
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
    message = escalation.to_leaders(context, told, {key("1c"): at("2024-02-01", "08:00")})
    assert message is not None
    return message


def closed_word(leaders: bool) -> Outbound:
    events = [done(at("2024-02-05", "10:20"), key("1c"), "tu-phap", evidence="12/QĐ-UBND")]
    context = scene("2024-02-05", events)
    message = escalation.closed_word(context, [context.states[key("1c")]], leaders=leaders)
    assert message is not None
    return message


def done_alone() -> Outbound:
    event = done(at("2024-01-30"), key("1c"), "tu-phap")
    context = scene("2024-01-30", [event])
    remaining = [context.states[k] for k in (key("2c", period="2024-01"), key("1d"))]
    return answers.done(
        context, [(context.states[key("1c")], event)], unit="tu-phap", remaining=remaining
    )


def done_shared() -> Outbound:
    event = done(at("2024-01-30"), key("2c", period="2024-01"), "tu-phap", evidence="07/BC-UBND")
    context = scene("2024-01-30", [event])
    return answers.done(context, [(context.states[event.key], event)], unit="tu-phap", remaining=[])


def done_or_1dd() -> Outbound:
    event = done(at("2024-02-26"), key("1d", 2), "tu-phap", evidence="31/QĐ-UBND")
    context = scene("2024-02-26", [done(at("2024-02-19"), key("1d", 1), "tu-phap"), event])
    return answers.done(
        context,
        [(context.states[event.key], event)],
        unit="tu-phap",
        remaining=[context.states[key("2c", period="2024-02")]],
        instead=context.states[key("1đ")],
    )


def already() -> Outbound:
    event = done(at("2024-01-30"), key("1c"), "tu-phap", evidence="12/QĐ-UBND")
    context = scene("2024-01-31", [event])
    return answers.already_done(context, context.states[key("1c")], event)


def which() -> Outbound:
    context = scene("2024-02-19")
    return answers.which(
        context,
        [context.states[key("1d", n)] for n in (1, 2)],
        unit="tu-phap",
        instead=context.states[key("1đ")],
    )


def which_left() -> Outbound:
    event = done(at("2024-02-19", "08:40"), key("1d", 1), "van-phong", by="binh")
    context = scene("2024-02-19", [event])
    return answers.which(
        context,
        [context.states[key("1d", 2)]],
        unit="tu-phap",
        closed=context.states[key("1d", 1)],
    )


def which_task() -> Outbound:
    context = scene("2024-01-26")
    states = [context.states[k] for k in (key("1c"), key("2c", period="2024-01"))]
    return answers.which(context, states, unit="tu-phap")


def updated() -> Outbound:
    context = scene("2024-03-07")
    return answers.updated(
        context,
        [answered(context, quarter(code)) for code in ("1a", "1e")],
        missing=[context.states[quarter(c)] for c in ("1đ", "2h")],
    )


def answered(context: Context, check_in: Key) -> tuple[State, Event]:
    """A check-in and the event that answers it, this morning."""
    when = at(context.today.isoformat())
    return context.states[check_in], said(EventKind.UPDATED, when, check_in, "tu-phap", by="an")


def submitted() -> Outbound:
    context = scene("2024-03-27")
    return answers.submitted(context, context.states[key("5c")], at("2024-03-27"))


def asking() -> list[Event]:
    return [
        said(
            EventKind.EXTENSION_ASKED, at("2024-01-31"), key("1c"), "tu-phap",
            note="chờ số liệu HĐND", until=date(2024, 2, 5),
        )
    ]  # fmt: skip


def extension() -> Outbound:
    context = scene("2024-01-31", asking())
    return notices.extension_asked(context, context.states[key("1c")])


def extension_waiting() -> Outbound:
    asked = said(
        EventKind.EXTENSION_ASKED, at("2024-01-29"), key("1c"), "tu-phap",
        note="chờ số liệu HĐND", until=date(2024, 2, 5),
    )  # fmt: skip
    context = scene("2024-01-30", [asked])
    message = notices.requests_waiting(context, [context.states[key("1c")]])
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
    message = settlement.requests(scene("2024-01-30", [asked, granted]), [key("1c")], asked.at)
    assert message is not None
    return message


def early_start() -> Outbound:
    """Begun with the year: nothing is late yet."""
    return settlement.plan_started(scene("2024-01-02", []), plan(), [], date(2024, 1, 9))


def plan_start() -> Outbound:
    context = scene("2024-02-19", february()[:1])
    late = [s for s in context.states.values() if context.scheduler.days_late(s, context.today)]
    late = [s for s in late if not s.closed]
    return settlement.plan_started(context, plan(), late, date(2024, 2, 26))


def which_day() -> Outbound:
    context = scene("2024-02-01")
    return settlement.which_day(context, context.states[key("1c")])


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
    return replies.extension_decided(context, context.states[key("1c")], granted=granted)


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


def reply(build: Callable[..., Outbound], day: str = "2024-01-30") -> Outbound:
    context = scene(day)
    return build(context, context.states[key("1c")])


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
    context = scene("2024-01-26")
    when = at("2024-01-26", "08:01")
    match name:
        case "address":
            return notices.address_dead(
                context, name="Lê Thị Cúc", person="cuc", channel="telegram",
                reason="người nhận đã chặn bot", fallback="email", at=when,
            )  # fmt: skip
        case "mailbox":
            return notices.address_dead(
                context, name="Trần Văn Bình", person="binh", channel="email",
                reason="máy chủ thư không nhận người nhận này: không có hộp thư này", at=when,
            )  # fmt: skip
        case "group":
            return notices.address_dead(
                context, name="nhóm Tư pháp", person="group:tu-phap", channel="telegram",
                reason="bot đã bị đưa ra khỏi nhóm", at=when,
            )  # fmt: skip
        case "unit":
            return notices.unit_empty(context, ["dia-chinh-xay-dung"], ["2c"])
        case "channel":
            return notices.channel_down(
                context, channel="telegram", reason="Telegram không nhận mã bot (telegram.token)",
                since=when,
            )  # fmt: skip
    return notices.dead_letter(
        context, row=41, name="Trần Văn Bình", kind="nudge", channel="email",
        reason="máy chủ thư không nhận người nhận này: hộp thư đã đầy",
        slot=when - timedelta(minutes=1),
    )  # fmt: skip
