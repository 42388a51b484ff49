"""Whoever sends whatever: it is answered or let be, and nobody does what they have no right to.

The law, for each message or press that comes in:

- of a stranger, of a leader, edited or forwarded: the ledger and the bindings stay as they were;
- of an officer: at most events of work that their own units lead, in their own name, and of the
  kinds that a unit may record: no dates set, nothing reopened or granted;
- of the office: any kind, in their own name;
- an answer goes to the chat that wrote, anything else to people of the office;
- nothing fails, in deciding or in rendering, and Telegram can parse every message.
"""

from __future__ import annotations

from datetime import date, timedelta
from itertools import product
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from reminder.decisions import buttons
from reminder.domain.context import Inbound
from reminder.domain.ledger import EventKind
from reminder.domain.outbox import RowState
from reminder.domain.plan import Plan, occurrences
from reminder.domain.schedule import Scheduler
from tests.conftest import examples
from tests.decisions.test_decide_laws import sentence
from tests.fakes.telegram.html import parse_html
from tests.services.world import CHATS, PEOPLE, TELEGRAM, World, at, world
from tests.understanding.commands_kit import PLAN

MIX = settings(
    max_examples=examples(15),
    deadline=None,
    suppress_health_check=[HealthCheck.function_scoped_fixture],
)
OF_THE_OFFICE_ALONE = {
    EventKind.REOPENED,
    EventKind.DUE_SET,
    EventKind.CONFIRMED,
    EventKind.EXTENSION_GRANTED,
    EventKind.EXTENSION_REFUSED,
    EventKind.HELD,
}
BY_CHAT = {chat: person for person in PEOPLE if (chat := CHATS.get(person.id))}
STRANGERS = ("666", "-1", "0", "an", "", "1' OR '1'='1", "101 ")
VERBS = [
    *("done", "undo", "remind", "approve", "refuse", "snooze", "both", "set-due", "note", "no"),
    *("bind", "start", "", "x"),
]
KEYS = [o.key for o in occurrences(PLAN)]

presses = st.one_of(
    st.builds(
        buttons.encode,
        st.sampled_from(VERBS),
        st.sampled_from(KEYS),
        st.sampled_from([unit.id for unit in PLAN.units]),
        st.sampled_from([None, at("24/01", "08:30"), at("24/01", "09:00"), date(2024, 2, 5)]),
    ),
    st.text(max_size=64),
)
texts = st.one_of(
    sentence,
    st.text(max_size=200),
    st.sampled_from(["/start", "/bind tu-phap", "/bind", "/start x", "/BIND@nhac_bot van-phong"]),
    st.text(max_size=80).map(lambda code: f"/start {code}"),
    st.text(max_size=40).map(lambda note: f"/done 1c {note}"),
    st.text(max_size=60).map(lambda note: f"ghi chú 1c <b>&{note}</a>"),
)
messages = st.fixed_dictionaries(
    {
        "sender": st.sampled_from([*BY_CHAT, *STRANGERS]),
        "group": st.sampled_from(["", "", "-500", "-600"]),
        "says": st.one_of(texts.map(lambda t: ("text", t)), presses.map(lambda p: ("press", p))),
        "reply_to": st.one_of(st.just(""), st.integers(1000, 1012).map(str), st.text(max_size=5)),
        "edited": st.sampled_from([False] * 5 + [True]),
        "forwarded": st.sampled_from([False] * 5 + [True]),
        "message": st.sampled_from(["9", "", "x"]),
    }
)


def inbound(number: int, said: dict[str, Any]) -> Inbound:
    kind, words = said["says"]
    return Inbound(
        channel=TELEGRAM,
        update=str(number),
        sender=said["sender"],
        chat=said["group"] or said["sender"],
        private=not said["group"],
        message=said["message"],
        reply_to=said["reply_to"],
        edited=said["edited"],
        forwarded=said["forwarded"],
        **{kind: words},
    )


def allowed(plan: Plan, came: Inbound, office: World, before: int) -> None:
    """Asserts the law of what was recorded."""
    new = [recorded.event for recorded in office.store.events()[before:]]
    person = BY_CHAT.get(came.sender)
    if person is None or came.edited or came.forwarded or "lanh-dao" in person.units:
        assert new == []
        return
    for event in new:
        assert (event.by, event.channel) == (person.id, TELEGRAM)
        if "van-phong" not in person.units:
            assert set(person.units) & set(plan.by_code[event.key.task].lead)
            assert event.unit in person.units
            assert event.kind not in OF_THE_OFFICE_ALONE


def bound(office: World) -> dict[tuple[str, str], str]:
    return {(a.recipient, a.channel): a.value for a in office.store.addresses()}


def may_bind(came: Inbound) -> bool:
    person = BY_CHAT.get(came.sender)
    new = not (came.edited or came.forwarded or came.press)
    return person is not None and "van-phong" in person.units and not came.private and new


@MIX
@given(st.lists(messages, min_size=1, max_size=6))
def test_nobody_does_what_they_have_no_right_to(
    plan2024: Plan, scheduler: Scheduler, said: list[dict[str, Any]]
) -> None:
    office = world(plan2024, scheduler)
    for day in ("24/01", "05/02"):
        office.tick(at(day))
    now = at("05/02", "09:00")
    for number, each in enumerate(said):
        came = inbound(number, each)
        events, addresses, rows = len(office.store.events()), bound(office), len(office.outgoing)
        office.service.receive(came, now + timedelta(minutes=number))
        office.deliver(now + timedelta(minutes=number))
        allowed(plan2024, came, office, events)
        if not may_bind(came):
            assert bound(office) == addresses
        for rendered in office.outgoing[rows:]:
            parse_html(rendered.message.html)
            home = rendered.row.draft.kind == "reply"
            assert rendered.address == came.chat if home else rendered.row.draft.recipient in CHATS
    unsaid = [row.error for row in office.store.rows(states=[RowState.DEAD])]
    assert "không soạn được tin này" not in unsaid


@pytest.mark.parametrize(("verb", "key"), [*product(["done", "undo", "snooze", "both"], KEYS[:6])])
def test_a_button_is_no_key(verb: str, key: Any, plan2024: Plan, scheduler: Scheduler) -> None:
    """Anybody can work out a button's data; pressed by a stranger or a leader it does nothing."""
    office = world(plan2024, scheduler)
    for sender in ("666", CHATS["lan"]):
        press = buttons.encode(verb, key, "tu-phap")
        office.says(sender, "", at("24/01", "09:00"), press=press)
    assert office.events() == []
