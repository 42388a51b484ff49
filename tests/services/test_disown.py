"""By mail the domain is proved, not the person: what is confirmed can be disowned for a day."""

from __future__ import annotations

from datetime import datetime, timedelta

import pytest

from reminder.domain.plan import Plan
from reminder.domain.schedule import Scheduler
from reminder.services.deliver import Rendered
from tests.services.world import World, at, person, world

NOW = at("24/01", "09:00")
AN, CHI = "an@example.vn", "chi@example.vn"


@pytest.fixture(scope="module")
def begun(plan2024: Plan, scheduler: Scheduler) -> World:
    """An and the office's Chi have mail alone; the nudge of 24/01 has gone."""
    people = (
        person("an", "tu-phap", channels=("email",)),
        person("chi", "van-phong", channels=("email",)),
    )
    made = world(plan2024, scheduler, people=people, bound=())
    made.tick(at("24/01"))
    return made


@pytest.fixture
def office(begun: World) -> World:
    return begun.copy()


def mails(
    office: World,
    sender: str,
    text: str,
    now: datetime,
    *,
    proved: bool = False,
    reply_to: str = "",
) -> list[Rendered]:
    """`sender` mails `text`; what goes out then."""
    before = len(office.outgoing)
    office.says(
        sender, text, now, channel="email", sender=sender, chat=sender, proved=proved,
        reply_to=reply_to,
    )  # fmt: skip
    return office.outgoing[before:]


def receipt(office: World, sent: list[Rendered]) -> str:
    """The id of the answer among the messages that were sent."""
    return next(
        str(1001 + n)
        for n, p in enumerate(office.outgoing)
        if p in sent and p.row.draft.kind == "reply"
    )


def test_what_a_mail_records_is_confirmed_with_the_way_to_disown_it(office: World) -> None:
    """Not where the person is proved, nor where nothing was recorded."""
    assert [p.message.disowns for p in mails(office, AN, "xong 1c", NOW)][:1] == [True]
    assert [p.message.disowns for p in mails(office, AN, "/viec", NOW)] == [False]
    assert not any(p.message.disowns for p in mails(office, AN, "hoàn tác 1c", NOW, proved=True))


def test_a_close_that_is_disowned_is_open_again_and_the_office_hears(office: World) -> None:
    """Also after the hour of “hoàn tác”, and only what that receipt confirmed."""
    first = mails(office, AN, "xong 1c", NOW)
    mails(office, AN, "xong 1d báo cáo", NOW + timedelta(minutes=5))
    later = NOW + timedelta(hours=3)
    sent = mails(office, AN, "Không phải tôi", later, reply_to=receipt(office, first))
    assert office.events() == [
        "done 1c.1 2024 tu-phap an",
        "done 1d.1 2024 tu-phap an",
        "undone 1c.1 2024 tu-phap an",
    ]
    said = {p.address: p.message.text for p in sent}
    assert "Đã rút lại điều ghi theo thư không phải của anh/chị: 1c." in said[AN]
    assert "An báo rằng không gửi điều máy đã ghi qua thư điện tử" in said[CHI]
    assert "lúc 09:00 hôm nay.\nMáy đã rút lại: 1c." in said[CHI]


def test_a_request_for_time_that_is_disowned_is_withdrawn(office: World) -> None:
    """Without a receipt that is replied to: the newest of the last day."""
    mails(office, AN, "gia hạn 1c 05/02 chờ số liệu", NOW)
    mails(office, AN, "không phải tôi", NOW + timedelta(hours=20))
    assert [line.partition(" ")[0] for line in office.events()] == [
        "extension-asked",
        "extension-withdrawn",
    ]


def test_what_is_disowned_twice_is_taken_back_once(office: World) -> None:
    """The second time nothing is left, whether the receipt is replied to or not."""
    first = receipt(office, mails(office, AN, "xong 1c", NOW))
    mails(office, AN, "không phải tôi", NOW, reply_to=first)
    for reply_to in (first, ""):
        (answer,) = mails(office, AN, "không phải tôi", NOW, reply_to=reply_to)
        assert "máy không ghi điều gì của anh/chị" in answer.message.text
    assert [line.partition(" ")[0] for line in office.events()] == ["done", "undone"]


def test_an_undo_that_is_disowned_is_told_as_what_no_machine_can_mend(office: World) -> None:
    """Who had closed it has to say so again; the office hears."""
    mails(office, AN, "xong 1c", NOW, proved=True)
    forged = receipt(office, mails(office, AN, "hoàn tác 1c", NOW + timedelta(minutes=5)))
    sent = mails(office, AN, "không phải tôi", NOW + timedelta(minutes=9), reply_to=forged)
    said = {p.address: p.message.text for p in sent}
    assert "Máy không tự rút lại được điều ghi ở 1c" in said[AN]
    assert "Máy không tự rút lại được: 1c." in said[CHI]


def test_after_a_day_nothing_is_taken_back(office: World) -> None:
    """The answer says so."""
    first = mails(office, AN, "xong 1c", NOW)
    late = NOW + timedelta(hours=25)
    (answer,) = mails(office, AN, "không phải tôi", late, reply_to=receipt(office, first))
    assert "trong 24 giờ qua máy không ghi điều gì của anh/chị" in answer.message.text
    assert office.events() == ["done 1c.1 2024 tu-phap an"]


@pytest.mark.parametrize(
    ("text", "verb"),
    [
        ("/dathan 5a 15/9/2024 lý do", "setdue"),
        ("/molai 1c còn thiếu phụ lục", "reopen"),
        ("đồng ý 1c", "approve"),
        ("/khongdongy 1c cần trước Tết", "reject"),
        ("/xacnhan tất cả", "confirm"),
    ],
)
def test_the_offices_decisions_need_the_persons_proof(office: World, text: str, verb: str) -> None:
    """Nothing is recorded, and the way that is open is told."""
    mails(office, AN, "gia hạn 1c 05/02 chờ số liệu", NOW)
    before = office.events()
    sent = mails(office, CHI, text, NOW)
    answer = next(p for p in sent if p.row.draft.kind == "reply")
    assert office.events() == before
    assert "thư này chỉ cho biết tên miền người gửi" in answer.message.text
    assert f"reminder {verb} … --by MÃ-NGƯỜI" in answer.message.text


@pytest.mark.parametrize(
    ("text", "verb"),
    [
        ("xong 1c", "done"),
        ("trình ký 1c", "submit"),
        ("cập nhật 1a đã thẩm định 02 văn bản", "update"),
        ("/nghiphep an 25/01-26/01", "away"),
    ],
)
def test_the_office_acts_for_others_only_where_it_is_proved(
    office: World, text: str, verb: str
) -> None:
    """A colleague who writes as the office closes nobody's work and silences nobody's nudges."""
    (answer,) = mails(office, CHI, text, NOW)
    assert "thư này chỉ cho biết tên miền người gửi" in answer.message.text
    assert f"reminder {verb} … --by MÃ-NGƯỜI" in answer.message.text
    assert office.events() == []
    mails(office, CHI, text, NOW, proved=True)
    assert len(office.events()) == 1


def test_the_office_answers_for_itself_by_mail(office: World) -> None:
    """Its own work and its own absence are no others'."""
    mails(office, CHI, "xong 2c", NOW)
    mails(office, CHI, "/nghiphep 25/01-26/01", NOW)
    assert [line.partition(" ")[0] for line in office.events()] == ["done", "away"]


@pytest.mark.parametrize(
    "text",
    [
        "hoàn tác 1c không phải người này gửi",
        "cập nhật 1a không phải người này gửi",
        "trả lại 1c không phải người này gửi",
    ],
)
def test_no_words_hide_an_act_from_being_disowned(office: World, text: str) -> None:
    """Neither the words that the program itself notes of what was disowned."""
    mails(office, AN, "trình ký 1c" if "trả lại" in text else "xong 1c", NOW, proved=True)
    later = NOW + timedelta(minutes=5)
    forged = receipt(office, mails(office, AN, text, later))
    (answer, _) = mails(office, AN, "không phải tôi", later, reply_to=forged)
    assert "máy không ghi điều gì" not in answer.message.text


def test_the_office_decides_by_mail_where_it_is_proved(office: World) -> None:
    """The server says that she had logged in."""
    mails(office, AN, "gia hạn 1c 05/02 chờ số liệu", NOW)
    mails(office, CHI, "đồng ý 1c", NOW, proved=True)
    assert office.events()[-1].startswith("extension-granted 1c.1")
