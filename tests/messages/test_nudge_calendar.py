"""The due days of a nudge go along as a calendar file, where a channel takes files."""

from __future__ import annotations

import email
from email.policy import default

from reminder.channels.email.content import mail_bytes
from reminder.documents.ics import uid, unit_calendar
from reminder.domain.ledger import Event
from reminder.domain.outbox import Outbound
from reminder.domain.schedule import AGAIN, Item
from reminder.messages.nudge import nudge
from tests.documents.rfc5545 import Component, read
from tests.messages.office import at, done, key, nudged, scene

DAY = "2024-01-26"
MONTH = key("2c", period="2024-01")


def rendered(*events: Event, edit: str = "") -> Outbound:
    context = scene(DAY, events)
    message = nudge(context, nudged(context, "tu-phap", events=events), edit=edit)
    assert message is not None
    return message


def file_of(message: Outbound) -> Component:
    ((name, kind, content),) = message.attachments
    assert (name, kind) == ("viec-den-han.ics", "text/calendar; charset=utf-8; method=PUBLISH")
    return read(content)


def test_the_file_holds_what_the_nudge_is_about() -> None:
    """Its open work and nothing else, as the same events that the unit's own calendar has."""
    context = scene(DAY)
    year = unit_calendar(
        list(context.plans.values()), context.states, context.scheduler, "tu-phap", at(DAY, "08:00")
    )
    known = {one["UID"]: one for one in read(year).inside}
    wanted = [uid(what, "tu-phap") for what in (key("1c"), MONTH)]
    assert file_of(rendered()).inside == [known[name] for name in wanted]


def test_what_has_closed_is_not_in_it() -> None:
    """Closed between the slot and the sending: the file says no more than the message."""
    context = scene(DAY, [done(at(DAY, "08:01"), key("1c"), "tu-phap")])
    message = nudge(context, nudged(scene(DAY), "tu-phap"))
    assert message is not None
    assert [one["UID"] for one in file_of(message).inside] == [uid(MONTH, "tu-phap")]


def test_shared_work_is_in_it_once() -> None:
    """Who belongs to two units gets one event of work that both lead: of a part still open."""
    context = scene(DAY, [done(at(DAY, "08:01"), MONTH, "tu-phap")])
    item = Item(MONTH, context.states[MONTH].due or context.today, AGAIN)
    message = nudge(context, {"tu-phap": [item], "van-phong": [item]})
    assert message is not None
    assert [one["UID"] for one in file_of(message).inside] == [uid(MONTH, "van-phong")]


def test_each_attempt_has_the_same_file() -> None:
    """A mail that is sent again is the same mail; an edit replaces a message without files."""
    assert rendered() == rendered()
    assert rendered(edit="17").attachments == ()


def test_a_mail_carries_it_as_a_calendar() -> None:
    """RFC 6047: text/calendar with the method of the file itself, and its bytes untouched."""
    message = rendered()
    mail = mail_bytes(
        message,
        sender="nhac@phuong.example",
        sender_name="Nhắc việc",
        recipient="an@phuong.example",
        identity="<a@b>",
        reply_to="",
        at=at(DAY),
    )
    parsed = email.message_from_bytes(mail, policy=default)
    (file,) = parsed.iter_attachments()
    assert file.get_content_type() == "text/calendar"
    assert (file.get_param("method"), file.get_param("charset")) == ("PUBLISH", "utf-8")
    assert (file.get_filename(), file.get_content_disposition()) == (
        "viec-den-han.ics",
        "attachment",
    )
    assert file.get_payload(decode=True) == message.attachments[0][2]
