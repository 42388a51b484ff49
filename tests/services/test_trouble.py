"""What is broken is told to the office: once, by another way, and once when it works again."""

from __future__ import annotations

from datetime import datetime, timedelta

import pytest

from reminder.domain.outbox import SendError
from reminder.domain.plan import Plan
from reminder.domain.schedule import Scheduler
from reminder.services.deliver import MAILBOX
from reminder.store.records import FORGED, StoreBusyError
from tests.services.world import World, at, person, world

NOW = at("24/01", "09:00")
REFUSED = SendError("mật khẩu sai", retry=True, channel_down=True)
CUT = SendError("máy chủ thư không mở cổng ấy", retry=True, unreachable=True)
GREYLISTED = SendError("hẹn gửi lại sau", retry=True, retry_after=300.0)


@pytest.fixture(scope="module")
def begun(plan2024: Plan, scheduler: Scheduler) -> World:
    """An has mail alone, the office's Chi has Telegram; what the start says has gone."""
    people = (person("an", "tu-phap", channels=("email",)), person("chi", "van-phong"))
    made = world(plan2024, scheduler, people=people)
    made.tick(at("23/01"))
    return made


@pytest.fixture
def office(begun: World) -> World:
    return begun.copy()


def notices(office: World, now: datetime) -> list[str]:
    """What the office is told at a tick."""
    before = len(office.outgoing)
    office.tick(now)
    told = (p for p in office.outgoing[before:] if p.row.draft.kind == "notice")
    return [p.message.subject for p in told if p.row.draft.recipient == "chi"]


@pytest.mark.parametrize("error", [REFUSED, CUT], ids=["refused", "unreachable"])
def test_a_channel_that_fails_for_a_quarter_of_an_hour_is_told_once(
    office: World, error: SendError
) -> None:
    """By the way that works; and once more when a message was accepted again."""
    office.refuse = lambda p: error if p.row.draft.channel == "email" else None
    assert notices(office, at("24/01")) == []
    assert notices(office, at("24/01", "08:14")) == []
    assert notices(office, at("24/01", "08:16")) == ["Kênh thư điện tử đang không gửi được"]
    assert notices(office, at("24/01", "08:30")) == []
    office.refuse = lambda _: None
    assert notices(office, at("24/01", "08:40")) == ["Kênh thư điện tử đã gửi lại được"]
    assert notices(office, at("24/01", "08:41")) == []


def test_a_failure_that_passes_is_not_told(office: World) -> None:
    """Nor that it is over."""
    office.refuse = lambda p: CUT if p.row.draft.channel == "email" else None
    assert notices(office, at("24/01")) == []
    office.refuse = lambda _: None
    assert notices(office, at("24/01", "08:10")) == []
    assert notices(office, at("24/01", "09:00")) == []


def test_one_recipients_server_is_not_the_channel(office: World) -> None:
    """Greylisting of one address."""
    office.refuse = lambda p: GREYLISTED if p.row.draft.channel == "email" else None
    for minute in range(0, 60, 5):
        assert notices(office, at("24/01", f"08:{minute:02}")) == []


def test_a_mailbox_that_cannot_be_read_is_told_and_told_again_when_it_can(office: World) -> None:
    """In the words of the fault; in the speaking hours alone."""
    night = at("24/01", "03:00")
    office.service.in_trouble(MAILBOX, "không có thư mục INBOX", night)
    assert notices(office, at("24/01", "03:30")) == []
    assert notices(office, at("24/01")) == ["Hộp thư trả lời đang không đọc được"]
    text = next(p.message.text for p in office.outgoing if "hộp thư trả lời" in p.message.text)
    assert "từ 03:00 hôm nay" in text
    assert "không có thư mục INBOX" in text
    office.service.accepted(NOW, MAILBOX)
    assert notices(office, NOW) == ["Hộp thư trả lời đã đọc lại được"]


def test_an_end_that_cannot_be_recorded_is_told_with_the_next_message(office: World) -> None:
    """The database is read-only when the channel works again."""
    office.service.in_trouble(MAILBOX, "sai mật khẩu", at("24/01"))
    assert len(notices(office, at("24/01", "08:20"))) == 1
    database = office.store.database
    if not database.is_sqlite:
        pytest.skip("tests/store/test_postgres.py has a read-only server")
    cursor = database.kept(database._writer).connection.cursor()
    cursor.execute("PRAGMA query_only=ON")
    with pytest.raises(StoreBusyError):
        office.service.accepted(at("24/01", "08:30"), MAILBOX)
    cursor.execute("PRAGMA query_only=OFF")
    office.service.accepted(NOW, MAILBOX)
    assert notices(office, NOW) == ["Hộp thư trả lời đã đọc lại được"]


def test_who_was_told_before_a_restart_hears_the_end(office: World) -> None:
    """The mark is in the store; the trouble itself is seen anew."""
    office.service.in_trouble(MAILBOX, "sai mật khẩu", at("24/01"))
    assert len(notices(office, at("24/01", "08:20"))) == 1
    later = office.copy()
    later.service.in_trouble(MAILBOX, "sai mật khẩu", at("24/01", "08:25"))
    assert notices(later, at("24/01", "08:45")) == []
    later.service.accepted(NOW, MAILBOX)
    assert notices(later, NOW) == ["Hộp thư trả lời đã đọc lại được"]


def test_forged_answers_are_told_once_a_day_with_their_number(office: World) -> None:
    """On the next day only what is new."""
    office.store.set_meta(FORGED, "2")
    office.service.tell_forged(NOW)
    assert notices(office, NOW) == ["2 thư mạo danh đã bị bỏ qua"]
    office.store.set_meta(FORGED, "5")
    office.service.tell_forged(NOW + timedelta(hours=1))
    assert notices(office, NOW + timedelta(hours=1)) == []
    office.service.tell_forged(at("25/01"))
    assert notices(office, at("25/01")) == ["3 thư mạo danh đã bị bỏ qua"]
    office.service.tell_forged(at("26/01"))
    assert notices(office, at("26/01")) == []


def test_a_digest_that_no_server_takes_is_told_by_the_way_that_there_is(
    plan2024: Plan, scheduler: Scheduler
) -> None:
    """The office that has mail alone reads it in a lighter mail."""
    people = (person("chi", "van-phong", channels=("email",)),)
    office = world(plan2024, scheduler, people=people, bound=())
    office.tick(at("26/01"))
    too_large = SendError("máy chủ thư không nhận thư lớn như vậy", retry=False)
    office.refuse = lambda p: too_large if p.row.draft.kind == "digest" else None
    (told,) = notices(office, at("29/01", "07:30"))
    assert told == "Một tin không gửi được: Chi"
