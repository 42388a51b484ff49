"""Laws of decisions: nobody acts on work that is not theirs, and no part closes twice."""

from __future__ import annotations

import json
from collections.abc import Iterable

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from reminder.decisions.outcome import typed
from reminder.domain.ledger import Event, EventKind
from reminder.domain.payloads import Envelope, decode, encode
from reminder.domain.plan import Plan
from reminder.understanding.model import Command
from reminder.understanding.parse import parse
from tests.conftest import examples
from tests.decisions.decide_kit import CLOSING, PEOPLE, Room, next_plan
from tests.understanding.commands_kit import OFFICE, PLAN

CODES = ["1a", "1c", "1d", "1dd", "2a", "2c", "2đ", "2g", "4b", "5a", "6a", "BC", "2024/2c"]
HEADS = [
    "xong", "cập nhật", "trình ký", "hoàn tác", "gia hạn", "nhắc sau", "ghi chú", "/molai",
    "/dathan", "/xacnhan", "/dongy", "/khongdongy", "/nhacngay", "chưa xong", "đang làm", "/lichsu",
    "/viec", "/han", "bị trả lại", "",
]  # fmt: skip
TAILS = [
    "", "tất cả", "báo cáo", "cả hai", "2", "05/02", "15/3 vì chờ số liệu", "số 12/QĐ-UBND",
    "tư pháp", "tháng 4", "bình thường", "3 ngày", "xong", "chưa", "30/01/2025 lý do", "quý I",
    "năm 2024", "?",
]  # fmt: skip
ALONE = ["cập nhật tất cả bình thường", "/xacnhan tất cả", "ok", "chưa", "/viec", "1a-2c xong"]
DAYS = ["2024-01-05 08:30", "2024-01-30 09:12", "2024-01-30 09:12", "2024-02-01 10:00",
        "2024-03-10 11:00", "2024-04-02 09:00", "2024-12-31 16:00"]  # fmt: skip

sentence = st.one_of(
    st.sampled_from(ALONE),
    st.text(max_size=30),
    st.tuples(
        st.sampled_from(HEADS),
        st.lists(st.sampled_from(CODES), min_size=1, max_size=3).map(", ".join),
        st.sampled_from(TAILS),
    ).map(lambda words: " ".join(words).strip()),
)
speeches = st.lists(
    st.tuples(st.sampled_from(sorted(PEOPLE)), st.sampled_from(DAYS), sentence),
    min_size=1,
    max_size=6,
).map(lambda said: sorted(said, key=lambda each: each[1]))
plans = st.sampled_from([(PLAN,), (PLAN, next_plan())])


def theirs(who: str, event: Event) -> bool:
    units = PEOPLE[who].units
    return "van-phong" in units or bool(set(units) & set(PLAN.by_code[event.key.task].lead))


@settings(max_examples=examples(50), deadline=None)
@given(speeches, plans)
def test_nobody_acts_on_work_that_is_not_theirs(
    said: list[tuple[str, str, str]], of: tuple[Plan, ...]
) -> None:
    """Whatever is typed: leaders record nothing, officers only on work that their units lead."""
    room = Room(*of)
    for who, when, text in said:
        events = room.say(who, when, text).events
        assert who != "chu" or events == ()
        assert all(theirs(who, event) and event.by == who for event in events)


def closed_twice(events: Iterable[Event]) -> bool:
    """Whether a part is closed while it is closed."""
    closed: set[tuple[object, str]] = set()
    for event in events:
        part = (event.key, event.unit)
        if event.kind in CLOSING:
            if part in closed:
                return True
            closed.add(part)
        elif event.kind is EventKind.UNDONE:
            closed.discard(part)
        elif event.kind is EventKind.REOPENED:
            closed = {each for each in closed if each[0] != event.key}
    return False


@settings(max_examples=examples(50), deadline=None)
@given(speeches, plans)
def test_no_part_is_closed_twice(said: list[tuple[str, str, str]], of: tuple[Plan, ...]) -> None:
    """By anybody, by any words; where one unit's word closes the whole, once for all of them."""
    room = Room(*of)
    for who, when, text in said:
        room.say(who, when, text)
    assert not closed_twice(room.events)
    for state in room.context("an", DAYS[-1]).states.values():
        if state.occurrence.task.confirm.value == "any":
            assert len(state.parts) <= 1


@settings(max_examples=examples(50), deadline=None)
@given(speeches)
def test_payloads_survive_json_and_the_answer_is_one(said: list[tuple[str, str, str]]) -> None:
    """A payload waits in the outbox as JSON; exactly one goes to the sender."""
    room = Room()
    for who, when, text in said:
        made = room.say(who, when, text)
        assert len(made.answers) == 1
        for payload in (*made.answers, *(notice.payload for notice in made.notices)):
            raw = json.loads(json.dumps(encode(payload)))
            assert decode("reply", raw) == (payload, Envelope())


@pytest.mark.parametrize(
    "text",
    [
        "xong 1a, 1c, 1d", "xong 1d 2", "xong 2c tất cả", "xong 2c 2024-04", "trình ký 1d báo cáo",
        "gia hạn 1c 05/02 chờ số liệu", "gia hạn 1c 3 ngày", "nhắc sau 1d 2 5 ngày", "ghi chú 1c x",
        "/dathan 5a 15/9/2024 lý do", "/xacnhan tất cả", "xong 1c số 12/QĐ-UBND", "/molai 1c sai",
        "1a 03 văn bản; 1e 02 buổi", "cập nhật tất cả bình thường", "hoàn tác 1c", "lịch sử 1c",
    ],
)  # fmt: skip
def test_what_is_offered_to_type_means_the_same(text: str) -> None:
    """The typed form of a command is parsed to that command again."""
    today = Room().context("binh", "2024-01-30 09:00").today
    command = parse(text, today, OFFICE)
    assert isinstance(command, Command)
    assert parse(typed(command), today, OFFICE) == command
