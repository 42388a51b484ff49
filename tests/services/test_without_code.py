"""Answers without a code on a channel that does not say which message an answer answers."""

from __future__ import annotations

import pytest

from reminder.app.channels import known_channels
from reminder.domain.outbox import AddressSource, ChannelTraits
from reminder.domain.plan import Plan
from reminder.domain.schedule import Scheduler
from reminder.services.office import Files, Office
from tests.services.world import World, at, person, world

CHAT = ChannelTraits(name="chat", title="Chat", addresses=AddressSource.INVITATION, replies=False)
PEOPLE = (person("an", "tu-phap", channels=("chat",)), person("chi", "van-phong"))


@pytest.fixture(scope="module")
def begun(plan2024: Plan, scheduler: Scheduler) -> World:
    """An is nudged about 1c alone on 24/01, and about 1c and 2c on its due day, 31/01."""
    made = world(plan2024, scheduler, people=PEOPLE, bound=("chi",))
    made.service.office = Office(
        files=Files(plans=(plan2024,), people=PEOPLE, scheduler=scheduler),
        channels=("chat", "telegram", "email"),
        known=(*known_channels(), CHAT),
    )
    made.store.bind("an", "chat", "101", at("22/01", "07:00"))
    for day in ("22/01", "24/01"):
        made.tick(at(day))
    return made


@pytest.fixture
def one(begun: World) -> World:
    """The last nudge named 1c alone."""
    return begun.copy()


@pytest.fixture(scope="module")
def later(begun: World) -> World:
    made = begun.copy()
    for day in ("29/01", "31/01"):
        made.tick(at(day))
    return made


@pytest.fixture
def several(later: World) -> World:
    """The last nudge named 1c and 2c."""
    return later.copy()


def says(office: World, text: str, day: str = "31/01", clock: str = "09:00") -> str:
    """What An is told."""
    office.says("an", text, at(day, clock), channel="chat")
    heard = [sent for sent in office.outgoing if sent.row.draft.recipient == "an"]
    return heard[-1].message.text


@pytest.mark.parametrize("text", ["dạ xong rồi ạ", "em nộp rồi"])
def test_one_work_is_answered_like_a_reply(one: World, text: str) -> None:
    """“dạ xong rồi ạ” closes the one work that the last nudge named, and is receipted."""
    assert says(one, text, "24/01").startswith("✅ Đã ghi 1c")
    assert one.events() == ["done 1c.1 2024 tu-phap an"]


@pytest.mark.parametrize(
    ("text", "event"),
    [
        ("xin gia hạn đến 05/02 chờ số liệu", "extension-asked"),
        ("trình ký rồi ạ", "submitted"),
        ("đang chờ số liệu của phòng tài chính", "noted"),
    ],
)
def test_whatever_a_reply_can_say_is_taken(one: World, text: str, event: str) -> None:
    """Requests for time, signatures and notes go to that work as well."""
    says(one, text, "24/01")
    assert one.events() == [f"{event} 1c.1 2024 tu-phap an"]


def test_a_code_or_a_title_outweighs_the_last_nudge(one: World) -> None:
    """What names its work means that; a command keeps its own meaning."""
    says(one, "xong 2c", "24/01")
    assert one.events() == ["done 2c.1 2024-01 tu-phap an"]
    assert "1c" in says(one, "/viec", "24/01")
    assert len(one.events()) == 1


def test_several_works_are_asked_by_number(several: World) -> None:
    """Nothing is recorded; each line has the number that answers it."""
    asked = says(several, "dạ xong rồi ạ")
    assert asked.split("\n") == [
        "Anh/chị nhắn: “dạ xong rồi ạ”.",
        "Chưa ghi gì. Tin nhắc gần nhất có 2 việc, anh/chị nói về việc nào?",
        "1. 1c Danh mục VBQPPL hết hiệu lực năm 2023 – hạn Thứ Tư 31/01",
        "2. 2c Kết quả đánh giá chất lượng phục vụ tháng 01 – hạn Thứ Tư 31/01",
        "Xin nhắn: 1 · 2 · tất cả",
    ]
    assert several.events() == []


@pytest.mark.parametrize(
    ("answer", "closed"),
    [
        ("1", ["1c"]),
        ("số 2 ạ", ["2c"]),
        ("việc 2", ["2c"]),
        ("1 và 2", ["1c", "2c"]),
        ("tất cả", ["1c", "2c"]),
        ("dạ cả hai ạ", ["1c", "2c"]),
        ("xong 1c", ["1c"]),
    ],
)
def test_the_numbers_answer_it(several: World, answer: str, closed: list[str]) -> None:
    """What the words said is done to the work that is chosen; a code answers as well."""
    says(several, "dạ xong rồi ạ")
    told = says(several, answer)
    assert [line.split()[1].split(".")[0] for line in several.events()] == closed
    assert told.startswith("✅ Đã ghi")


def test_the_words_keep_their_meaning(several: World) -> None:
    """A number chooses the work; whether it is done, the words before had said."""
    says(several, "xin gia hạn đến 05/02 chờ số liệu")
    says(several, "2")
    assert several.events() == ["extension-asked 2c.1 2024-01 tu-phap an"]


@pytest.mark.parametrize("answer", ["3", "0", "1 2 3"])
def test_a_number_that_was_not_offered_changes_nothing(several: World, answer: str) -> None:
    """It is asked again, or told what to type."""
    says(several, "dạ xong rồi ạ")
    says(several, answer)
    assert several.events() == []


def test_what_is_left_of_several_is_asked_by_yes_and_no(several: World) -> None:
    """After “xong 1c” a second “xong rồi” may speak of the same: it is asked, then recorded."""
    says(several, "xong 1c")
    assert "Anh/chị báo 2c" in says(several, "dạ xong rồi ạ")
    assert len(several.events()) == 1
    says(several, "đúng")
    assert [line.split()[1] for line in several.events()] == ["1c.1", "2c.1"]


def test_all_at_once(several: World) -> None:
    """“xong hết rồi ạ” is said of all that the nudge named, as in a reply."""
    says(several, "xong hết rồi ạ")
    assert [line.split()[1] for line in several.events()] == ["1c.1", "2c.1"]


def test_no_nudge_means_nothing(one: World) -> None:
    """A week after the last nudge a text without a code is asked for one."""
    assert "kèm mã" in says(one, "dạ xong rồi ạ", "31/01", "08:01")
    assert one.events() == []


def test_where_replies_are_told_nothing_is_guessed(plan2024: Plan, scheduler: Scheduler) -> None:
    """On a channel that tells what is answered, a text that answers nothing needs a code."""
    made = world(plan2024, scheduler)
    for day in ("22/01", "24/01"):
        made.tick(at(day))
    made.says("an", "dạ xong rồi ạ", at("24/01", "09:00"))
    assert "kèm mã" in made.outgoing[-1].message.text
    assert made.events() == []
