"""The digest on its way: to each by every way, once; with its head, its file and its health."""

from __future__ import annotations

import logging
import re
from dataclasses import replace
from email import message_from_bytes
from email.message import EmailMessage
from email.policy import default
from io import BytesIO

import pytest
from openpyxl import load_workbook

from reminder.domain.outbox import RowState, SendError
from reminder.domain.payloads import Digest
from reminder.domain.plan import Plan
from reminder.domain.schedule import Scheduler
from reminder.services import proof, tick
from reminder.services.deliver import Rendered
from reminder.services.status import Health, Slot, health
from tests.channels.email.mailline import sent as sent_by_mail
from tests.channels.email.mailserver import Post
from tests.services.world import EMAIL, PEOPLE, TELEGRAM, World, at, person, world


@pytest.fixture(scope="module")
def begun(plan2024: Plan, scheduler: Scheduler) -> World:
    made = world(plan2024, scheduler)
    made.tick(at("22/01", "07:00"))
    return made


@pytest.fixture
def office(begun: World) -> World:
    return begun.copy()


def digest_parcels(office: World) -> list[Rendered]:
    return [p for p in office.outgoing if p.row.draft.kind == "digest"]


def test_short_by_telegram_and_in_full_by_mail(office: World) -> None:
    """Chi of the office gets both at 07:30 on Monday; nobody else, and once."""
    assert [line.split(":")[0] for line in office.tick(at("22/01", "07:30"))] == [
        "telegram chi digest",
        "email chi digest",
    ]
    assert office.tick(at("22/01", "07:31")) == []
    phone, mail = digest_parcels(office)
    assert phone.message.html.endswith("Bản đầy đủ gửi qua thư.")
    assert phone.message.attachments == ()
    assert "Bản đầy đủ" not in mail.message.text
    assert "và N việc nữa" not in mail.message.mail_html
    assert mail.message.subject == "Tổng hợp tuần – Thứ Hai 22/01: 0 việc quá hạn"


def test_the_mail_has_the_plan_as_a_workbook(office: World) -> None:
    """Another library opens it: all occurrences of the plan, on a sheet named as a person would."""
    office.tick(at("22/01", "07:30"))
    [(name, kind, content)] = digest_parcels(office)[1].message.attachments
    assert name == "theo-doi-ke-hoach-2024_2024-01-22.xlsx"
    assert kind == "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet"
    book = load_workbook(BytesIO(content))
    cells = {str(cell.value) for row in book.worksheets[0].iter_rows() for cell in row}
    assert "1c" in cells
    assert "Danh mục VBQPPL hết hiệu lực năm 2023" in cells


def test_the_first_digest_is_compared_with_none(office: World) -> None:
    """First started on 22/01: no digest of 15/01 was sent; that of 29/01 tells what has changed."""
    compared = []
    for day in ("22/01", "29/01"):
        office.tick(at(day, "07:30"))
        compared.append("so với tổng hợp" in digest_parcels(office)[-1].message.text)
    assert compared == [False, True]


def test_a_mail_server_takes_it_whole(office: World) -> None:
    """Over SMTP: plain part, page and workbook arrive as they were made, of a sane size."""
    office.tick(at("22/01", "07:30"))
    message = digest_parcels(office)[1].message
    post = Post()
    sent_by_mail(post, message)
    [received] = post.received
    assert isinstance(received.content, bytes)
    mail = message_from_bytes(received.content, policy=default)
    assert isinstance(mail, EmailMessage)
    assert mail["Subject"] == "Tổng hợp tuần – Thứ Hai 22/01: 0 việc quá hạn"
    plain, page = mail.get_body(("plain",)), mail.get_body(("html",))
    assert plain is not None
    assert page is not None
    assert message.text in plain.get_content().replace("\r\n", "\n")
    assert "<!--footer-->" not in page.get_content()
    [book] = mail.iter_attachments()
    assert book.get_payload(decode=True) == message.attachments[0][2]
    assert len(received.content) < 200_000


def test_who_has_one_way_gets_it_that_way(plan2024: Plan, scheduler: Scheduler) -> None:
    """Without a mail address the short form does not speak of a mail."""
    chi = replace(person("chi", "van-phong"), email="")
    office = world(plan2024, scheduler, people=(chi,), bound=("chi",))
    office.tick(at("22/01", "07:30"))
    [rendered] = digest_parcels(office)
    assert rendered.row.draft.channel == TELEGRAM
    assert "qua thư" not in rendered.message.html


def test_a_way_that_fails_costs_nobody_a_second_copy(office: World) -> None:
    """Telegram refuses Chi: the mail that goes anyway is the only one."""
    office.refuse = lambda rendered: (
        SendError("bot bị chặn", retry=False, address_dead=True)
        if rendered.row.draft.channel == TELEGRAM
        else None
    )
    office.tick(at("22/01", "07:30"))
    assert [p.row.draft.channel for p in digest_parcels(office)] == [EMAIL]


def test_the_full_form_waits_for_its_own_way(office: World) -> None:
    """A mail server that is down for a day: Telegram is no substitute, so the mail goes later."""
    office.refuse = lambda rendered: (
        SendError("máy chủ thư không trả lời", retry=True, channel_down=True)
        if rendered.row.draft.channel == EMAIL
        else None
    )
    office.tick(at("22/01", "07:30"))
    office.deliver(at("22/01", "15:00"))
    office.refuse = lambda _: None
    assert office.deliver(at("23/01", "15:00")) == [
        "email chi digest: Tổng hợp tuần – Thứ Ba 23/01"
    ]
    assert len(digest_parcels(office)) == 2


def test_a_newer_digest_takes_the_place_of_one_that_waits(office: World) -> None:
    """Mail was out for a week: one full digest comes, not two that say the same."""
    office.refuse = lambda rendered: (
        SendError("máy chủ thư không trả lời", retry=True)
        if rendered.row.draft.channel == EMAIL
        else None
    )
    office.tick(at("22/01", "07:30"))
    office.refuse = lambda _: None
    told = office.tick(at("29/01", "07:30"))
    assert [line for line in told if "email chi digest" in line] == [
        "email chi digest: Tổng hợp tuần – Thứ Hai 29/01"
    ]
    assert office.ended(RowState.SUPERSEDED) == [
        "chi digest: mọi việc đã xong, hoặc tin mới hơn đã nói"
    ]


def test_its_row_keeps_the_head_that_it_tells(office: World) -> None:
    """What the mail says in short stands in the row in full, and the ledger answers to it."""
    office.says("an", "xong 1c", at("23/01", "09:00"))
    office.tick(at("29/01", "07:30"))
    rows = [r for r in office.store.rows(kind="digest") if r.draft.slot == at("29/01", "07:30")]
    assert {row.draft.payload for row in rows} == {Digest(head=office.store.head())}
    number, last = office.store.head()
    mail = digest_parcels(office)[-1].message
    for form in (mail.text, mail.mail_html):
        assert f"Sổ ghi: {number} mục, mã mục cuối {last[:16]} " in form
    assert office.store.verify([(number, last)]) is None
    assert office.store.verify([(number, "f" * 64)]) is not None


def test_what_the_mail_prints_can_be_typed_to_verify_the_ledger(office: World) -> None:
    """Number and hash as they stand in the mail are a head, and so is what the row carries."""
    office.says("an", "xong 1c", at("23/01", "09:00"))
    office.tick(at("29/01", "07:30"))
    mail = digest_parcels(office)[-1].message.text
    printed = re.search(r"Sổ ghi: (\d+) mục, mã mục cuối (\w+) ", mail)
    assert printed
    typed = proof.typed(f"{printed[1]}:{printed[2]}")
    verdict = proof.verify(office.store, [typed])
    assert verdict.broken is None
    carried = {(told.number, told.hash) for told in verdict.told if told.row}
    assert (typed in verdict.told, office.store.head() in carried) == (True, True)


def test_a_late_sending_tells_the_head_of_its_row(office: World) -> None:
    """What was recorded between the tick and the sending does not change what the row says."""
    office.refuse = lambda _: SendError("mất mạng", retry=True)
    office.tick(at("22/01", "07:30"))
    office.says("an", "xong 1c", at("22/01", "07:31"))
    office.refuse = lambda _: None
    office.deliver(at("22/01", "07:50"))
    text = digest_parcels(office)[1].message.text
    assert office.store.head()[0] == 1
    assert "Sổ ghi: chưa có mục nào." in text
    assert "1c Danh mục" in text.partition("ĐÃ XONG")[2]  # the work itself is as of the sending


def test_an_office_without_people_is_said_in_the_log(
    plan2024: Plan, scheduler: Scheduler, caplog: pytest.LogCaptureFixture
) -> None:
    """The digest goes to nobody: nothing is written, a warning names the unit."""
    office = world(plan2024, scheduler, people=(PEOPLE[0],), bound=("an",))
    with caplog.at_level(logging.WARNING):
        office.tick(at("22/01", "07:30"))
    assert office.store.rows(kind="digest") == []
    assert "the digest goes to nobody: van-phong has no one in people.toml" in caplog.messages


def test_the_office_and_the_leaders_can_ask_for_it_at_any_time(office: World) -> None:
    """By the channel asked, with the health; officers are told what they can ask for."""
    told = office.says("chi", "/digest", at("24/01", "15:00"))
    assert told == ["telegram chi reply: Tổng hợp tuần – Thứ Tư 24/01"]
    assert "Sổ ghi: " in office.outgoing[-1].message.text
    assert "qua thư" not in office.outgoing[-1].message.html
    assert office.says("lan", "/tonghop", at("24/01", "15:01")) == [
        "telegram lan reply: Tổng hợp tuần – Thứ Tư 24/01"
    ]
    assert office.says("an", "/digest", at("24/01", "15:02")) == [
        (
            "telegram an reply: Lệnh /tonghop dành cho Văn phòng và Lãnh đạo. "
            "Anh/chị muốn xem việc của bộ phận mình?"
        )
    ]
    assert office.outgoing[-1].message.text.endswith("Xin nhắn: /viec")


def test_beside_another_answer_it_is_the_same(plan2024: Plan, scheduler: Scheduler) -> None:
    """`/digest` and `/han 1c` in one message: with its health, and who is not enrolled."""
    people = tuple(replace(each, email="") for each in PEOPLE)
    office = world(plan2024, scheduler, people=people, bound=("chi",))
    office.says("chi", "/digest", at("24/01", "15:00"))
    alone = office.outgoing[-1].message
    office.says("chi", "/digest\n/han 1c", at("24/01", "15:01"))
    both = office.outgoing[-1].message
    assert "Không liên lạc được: " in alone.html
    assert both.html.startswith(f"{alone.html}\n\n• <b>1c</b> ")
    unreached = "\nCHƯA LIÊN LẠC ĐƯỢC: "
    assert unreached in alone.text
    assert both.text.partition(unreached)[0] == alone.text.partition(unreached)[0]
    assert "Sổ ghi: " in both.text


def test_asked_by_mail_it_comes_with_the_plan(office: World) -> None:
    """The answer to a mail is the full form and its workbook."""
    mail = {"channel": EMAIL, "sender": "chi@example.vn", "chat": "chi@example.vn"}
    told = office.says("chi", "/digest", at("24/01", "15:00"), **mail)
    assert told == ["email chi reply: Tổng hợp tuần – Thứ Tư 24/01"]
    assert [name for name, _, _ in office.outgoing[-1].message.attachments] == [
        "theo-doi-ke-hoach-2024_2024-01-24.xlsx"
    ]


def test_the_lines_for_a_group(office: World) -> None:
    """`/zalo`: plain words, nothing that has to be taken out before pasting."""
    assert office.says("chi", "/zalo", at("29/01", "09:00")) == [
        (
            "telegram chi reply: Nhắc việc tuần 29/01–02/02: "
            "1c Danh mục VBQPPL hết hiệu lực năm 2023 (Tư pháp) hạn Thứ Tư 31/01; "
            "2c Kết quả đánh giá chất lượng phục vụ tháng 01 (Văn phòng, Tư pháp, VHXH, Địa chính) "
            "hạn Thứ Tư 31/01; 4b Dự toán ngân sách nhà nước năm 2024 (TCKT) "
            "hạn dự kiến Thứ Tư 31/01. Xong xin nhắn Văn phòng."
        )
    ]
    assert "<" not in office.outgoing[-1].message.html


def at_monday(office: World) -> Health:
    return health(office.service.refresh(), office.store, at("29/01", "07:30"))


def test_a_week_whose_slots_were_kept(office: World) -> None:
    """1c and 4b spoke on 24/01, and 2c with them on 26/01; the outbox tells the last contacts."""
    for day in ("22/01", "23/01", "24/01", "25/01", "26/01"):
        office.tick(at(day, "08:00"))
    found = at_monday(office)
    assert (found.slots, found.kept, found.broken) == (2, 2, ())
    assert (found.waiting, found.lost, found.unknown) == (0, 0, 0)
    assert found.sent == {TELEGRAM: at("26/01"), EMAIL: at("26/01")}
    assert found.head == office.store.head()


def test_a_slot_that_came_a_day_late_and_one_that_was_lost(office: World) -> None:
    """Stopped from Tuesday to Thursday, and again from Friday on."""
    office.tick(at("23/01", "08:00"))
    office.tick(at("25/01", "08:00"))
    found = at_monday(office)
    assert (found.slots, found.kept) == (2, 0)
    assert found.broken == (
        Slot(at=at("24/01", "08:00"), said=at("25/01", "08:00")),
        Slot(at=at("26/01", "08:00"), said=None),
    )


def test_what_did_not_arrive_is_counted(office: World) -> None:
    """A message of unknown outcome, one given up by its last way, one that still waits."""

    def refuse(rendered: Rendered) -> SendError | None:
        who = rendered.row.draft.recipient
        if who == "an":
            return SendError("đứt giữa chừng", retry=True, unknown=True)
        if who == "binh":
            return SendError("552 đầy hộp thư", retry=False)
        return None

    for day in ("22/01", "23/01"):
        office.tick(at(day, "08:00"))
    office.refuse = refuse
    office.tick(at("24/01", "08:00"))
    found = health(office.service.refresh(), office.store, at("24/01", "15:00"))
    assert (found.waiting, found.lost, found.unknown) == (1, 1, 1)


def test_before_its_first_start_nothing_was_missed(plan2024: Plan, scheduler: Scheduler) -> None:
    """A program that has just been set up owes no slot of the weeks before."""
    office = world(plan2024, scheduler, start=at("18/3", "07:00"))
    assert health(office.service.refresh(), office.store, at("18/3", "07:30")).slots == 0
    office.tick(at("18/3", "07:00"))
    found = health(office.service.refresh(), office.store, at("18/3", "07:30"))
    assert (found.slots, found.broken) == (0, ())


def test_sent_by_hand_once_a_day(office: World) -> None:
    """A second call on one day adds nothing, and tells how the rows stand."""
    now = at("24/01", "15:00")
    rows = tick.send_by_hand(office.service.refresh(), office.store, now)
    assert [(r.draft.recipient, r.state) for r in rows] == [("chi", RowState.PENDING)] * 2
    assert len(office.deliver(now)) == 2
    again = tick.send_by_hand(office.service.refresh(), office.store, at("24/01", "16:00"))
    assert {r.state for r in again} == {RowState.SENT}
    assert office.deliver(at("24/01", "16:00")) == []
    assert len(tick.send_by_hand(office.service.refresh(), office.store, at("25/01"))) == 2


def test_check_ins_of_one_day_are_one_line(office: World) -> None:
    """Fifteen check-ins due on one day hide nothing else; the count stays theirs."""
    office.says("chi", "/digest", at("26/02", "09:00"))
    text = next(
        p for p in reversed(office.outgoing) if p.row.draft.recipient == "chi"
    ).message.short
    codes = "1a, 1b, 1đ, 1e, 2a, 2b, 2d, 2đ, 2e, 2h, 2i, 2k, 3, 5b, 6a"
    assert [line for line in text.splitlines() if "Hai tuần tới" in line] == ["🟡 Hai tuần tới 16"]
    assert f"• {codes} Cập nhật quý I – Tư pháp, Văn phòng, VHTT, hạn dự kiến Chủ Nhật 10/3" in text


def test_a_request_stands_in_the_short_form_with_its_day_and_its_answers(office: World) -> None:
    """What waits for the office can be decided from the phone."""
    office.says("an", "/extend 1c 05/02 chờ thuế", at("26/01", "09:00"))
    office.says("chi", "/digest", at("29/01", "09:00"))
    text = next(
        p for p in reversed(office.outgoing) if p.row.draft.recipient == "chi"
    ).message.short
    assert (
        "• 1c Danh mục VBQPPL hết hiệu lực năm 2023 (Tư pháp), xin đến Thứ Hai 05/02: "
        "/dongy 1c · /khongdongy 1c"
    ) in text
