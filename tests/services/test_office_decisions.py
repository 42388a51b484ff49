"""The office decides: dates, requests for more time, escalations; by button and typed."""

from __future__ import annotations

import logging
import re

import pytest

from reminder.app.channels import known_channels
from reminder.domain.outbox import SendError
from reminder.domain.payloads import ExtensionAsked
from reminder.domain.plan import Plan
from reminder.domain.schedule import Scheduler
from reminder.messages.compose import plain
from reminder.messages.notices import LATE_SHOWN
from reminder.services.deliver import Rendered
from reminder.services.office import Office
from reminder.services.service import Service
from tests.services.world import EMAIL, PEOPLE, TELEGRAM, World, at, person, world

HOA = person("hoa", "van-phong")


@pytest.fixture(scope="module")
def begun(plan2024: Plan, scheduler: Scheduler) -> World:
    """Two people in the office, chi (Telegram) and hoa (mail); the plan has started."""
    made = world(plan2024, scheduler, people=(*PEOPLE, HOA))
    made.tick(at("22/01", "07:00"))
    made.tick(at("22/01", "07:30"))
    return made


@pytest.fixture
def office(begun: World) -> World:
    return begun.copy()


def last_to(office: World, who: str) -> str:
    """The text of the newest message to `who`."""
    return newest(office, who).message.text


def newest(office: World, who: str) -> Rendered:
    """The newest message to `who`; an edit is none."""
    sent = (p for p in reversed(office.outgoing) if p.row.draft.kind != "edit")
    return next(p for p in sent if p.row.draft.recipient == who)


def labels(office: World, who: str) -> list[str]:
    """The buttons of the newest message to `who`."""
    return [action.label for row in newest(office, who).message.actions for action in row]


def button(office: World, who: str, label: str) -> str:
    """The data of the newest button of this label that was sent to `who`."""
    return next(
        action.data
        for p in reversed(office.outgoing)
        if p.row.draft.recipient == who
        for row in p.message.actions
        for action in row
        if action.label == label
    )


def press(office: World, who: str, label: str, day: str, clock: str = "09:00") -> str:
    """`who` presses the newest button of this label; the answer."""
    office.says(who, "", at(day, clock), press=button(office, who, label))
    return last_to(office, who)


def restarted(office: World) -> World:
    """The same store under a new process."""
    old = office.service
    files, channels = old.office.files, old.office.channels
    office.service = Service(
        store=office.store,
        renderer=old.renderer,
        office=Office(files=files, channels=channels, known=known_channels()),
        bot_names=old.bot_names,
    )
    office.service.begin(at("22/01", "07:40"))
    return office


# ---- dates to settle


def test_a_start_lists_what_is_to_be_settled(plan2024: Plan, scheduler: Scheduler) -> None:
    """Already late, without a date, assumed; all at once by one button, one each by others."""
    office = world(plan2024, scheduler, start=at("02/5", "07:00"))
    office.tick(at("02/5", "07:00"))
    started = next(p.message for p in office.outgoing if "Bắt đầu" in p.message.text)
    found = [action for row in started.actions for action in row]
    late = [
        line.removeprefix("• ")
        for line in started.text.split("📅")[0].splitlines()
        if line.startswith("• ")
    ]
    done, rest = found[1 : len(late) + 1], found[len(late) + 1 :]
    assert found[0].label == "Xác nhận tất cả"
    assert len(late) == LATE_SHOWN
    for line, action in zip(late, done, strict=True):
        assert line.startswith(action.label.removeprefix("✅ ") + " ")
    assert [a.label for a in rest] == ["📅 1đ", "📅 2g", "📅 5a", "Giữ hạn 4b", "Giữ hạn BC"]
    heads = [line for line in started.text.splitlines() if line[0] in "🔴📅🗓"]
    assert heads == [
        "🔴 27 việc đã quá hạn từ trước, máy chưa nhắc ai đến Thứ Năm 09/5:",
        "📅 Chưa có hạn:",
        "🗓 65 hạn dự kiến, kế hoạch không ghi ngày:",
    ]
    assert (
        "• 1a, 1b, 1đ, 1e, 2a, 2b, 2d, 2đ, 2e, 2h, 2i, 2k, 3, 5b, 6a Cập nhật quý" in started.text
    )


def test_all_dates_are_confirmed_by_one_button_even_after_a_restart(office: World) -> None:
    """Typed it does the same; a second press finds nothing to confirm."""
    restarted(office)
    answer = press(office, "chi", "Xác nhận tất cả hạn dự kiến", "22/01")
    assert answer.splitlines()[0] == "Đã xác nhận 65 hạn như đang ghi:"
    assert press(office, "chi", "Xác nhận tất cả hạn dự kiến", "22/01") == (
        "Không còn hạn dự kiến nào; không ghi thêm."
    )
    assert len(office.events()) == 65


def test_all_at_once_tells_dates_from_late_work(plan2024: Plan, scheduler: Scheduler) -> None:
    """A firm date late at the start has nothing to confirm: its work goes on, told apart."""
    office = world(plan2024, scheduler, start=at("05/3", "07:00"))
    office.tick(at("05/3", "07:00"))
    answer = press(office, "chi", "Xác nhận tất cả", "05/3").splitlines()
    assert answer[0] == "Đã xác nhận 65 hạn như đang ghi:"
    assert answer[-1] == (
        "Còn phải làm, máy nhắc từ Thứ Tư 06/3: 1c, 1d báo cáo, 1d quyết định, 2c tháng 01, "
        "2c tháng 02, 4b."
    )
    assert not any(line.startswith(("• 1c", "• 1d", "• 2c")) for line in answer)


def nudged(office: World, lines: list[str]) -> set[str]:
    """The codes of late work that these nudges told `an` and `dung` of."""
    told = office.outgoing[len(office.outgoing) - len(lines) :]
    nudges = [p.message.text for p in told if p.row.draft.kind == "nudge"]
    codes = "1a|1c|1d|1đ|2c|4b|5c"
    return {code for text in nudges for code in re.findall(rf"(?<!\w)({codes})(?=[ ,:])", text)}


@pytest.mark.parametrize("answered", [True, False])
def test_late_work_is_nudged_once_its_hold_ends(
    plan2024: Plan, scheduler: Scheduler, *, answered: bool
) -> None:
    """The working day after the office's answer, or after a week, whatever its stages are.

    In the middle of March no stage of 1c falls on either day, and of the check-ins none is left.
    """
    office = world(plan2024, scheduler, start=at("18/3", "07:00"))
    office.tick(at("18/3", "07:00"))
    if answered:
        press(office, "chi", "Xác nhận tất cả", "18/3")
    days = ["18/3", "19/3", "20/3", "21/3", "22/3", "25/3", "26/3"]
    heard = {day: nudged(office, office.tick(at(day))) for day in days}
    first = "19/3" if answered else "25/3"
    late = {"1a", "1c", "1d", "1đ", "4b", "2c"}
    assert [day for day in days if "1a" in heard[day]] == [first]
    assert heard[first] >= late
    assert [day for day in days[: days.index(first)] if heard[day] & late] == []


def test_of_closed_work_there_is_nothing_to_confirm(office: World) -> None:
    """It is said to be done, not late."""
    office.says("chi", "/done 4b", at("31/01", "09:00"))
    office.says("chi", "/xacnhan 4b", at("07/02", "09:00"))
    assert last_to(office, "chi") == (
        "Không ghi thêm. 4b Dự toán ngân sách nhà nước năm 2024 đã xong lúc 09:00 Thứ Tư 31/01."
    )


def test_the_office_s_note_is_not_the_unit_s_word(office: World) -> None:
    """What the office writes down itself is told as the office's."""
    office.says("chi", "/ghichu 1c chờ số liệu thuế", at("31/01", "09:00"))
    assert office.events() == ["noted 1c.1 2024 van-phong chi"]
    office.tick(at("01/02"))
    assert "Văn phòng ghi: chờ số liệu thuế." in last_to(office, "chi")
    office.says("an", "/ghichu 1c chờ chữ ký", at("01/02", "09:00"))
    office.tick(at("05/02"))
    kinh = next(p for p in reversed(office.outgoing) if "Kính báo cáo" in p.message.text)
    assert "Lý do bộ phận nêu: chờ chữ ký." in kinh.message.text


def test_who_closed_it_is_named(office: World) -> None:
    """The office may close another's work: the word of it does not say that the unit did."""
    office.tick(at("01/02"))
    office.says("chi", "/done 1c", at("01/02", "09:00"))
    office.deliver(at("01/02", "09:01"))
    told = next(p for p in office.outgoing if "đã xong lúc" in p.message.text)
    assert told.row.draft.recipient == "hoa"
    assert told.message.text.splitlines()[0].endswith(
        f"({office.service.office.people['chi'].name} báo)."
    )


def test_one_assumed_date_is_kept_by_its_button(office: World) -> None:
    """4b's, and no other's."""
    assert press(office, "chi", "Giữ hạn 4b", "22/01").startswith(
        "Đã xác nhận 4b Dự toán ngân sách nhà nước năm 2024: hạn Thứ Tư 31/01"
    )
    assert office.events() == ["confirmed 4b.1 2024 tai-chinh-ke-toan chi"]


def test_a_date_is_given_by_button_or_typed(office: World) -> None:
    """“Đặt hạn” asks to which day; the button carries the day, and the reason may follow."""
    asked = press(office, "chi", "📅 5a", "22/01")
    assert asked.splitlines() == [
        "Đặt hạn 5a Đánh giá chỉ số chuyển đổi số (chưa có hạn) đến ngày nào?",
        "Xin nhắn: /dathan 5a 31/01 lý do",
    ]
    assert labels(office, "chi") == ["Thứ Tư 31/01", "Chủ Nhật 31/3", "Thứ Ba 31/12"]
    answer = press(office, "chi", "Chủ Nhật 31/3", "22/01")
    assert answer.splitlines() == [
        "Văn phòng đặt hạn 5a Đánh giá chỉ số chuyển đổi số: hạn Chủ Nhật 31/3.",
        (
            "Chủ Nhật 31/3 là ngày nghỉ: xong trước hết Thứ Sáu 29/3 là tốt; "
            "quá Thứ Hai 01/4 mới là quá hạn."
        ),
        "Có lý do xin nhắn: /ghichu 5a lý do",
    ]
    assert last_to(office, "hoa").startswith("Văn phòng đặt hạn 5a")
    assert press(office, "chi", "Chủ Nhật 31/3", "22/01").startswith(
        "Không ghi thêm. 5a Đánh giá chỉ số chuyển đổi số đã có hạn Chủ Nhật 31/3"
    )
    assert office.events() == ["due-set 5a.1 2024 van-phong chi"]


def test_the_original_date_and_the_reason_are_kept_and_shown(office: World) -> None:
    """In the list, the nudge, the task's page, the history and the escalation."""
    office.says("chi", "/dathan 1c 05/02 chờ số liệu thuế", at("30/01", "10:00"))
    office.says("an", "/viec", at("30/01", "10:01"))
    assert "hạn Thứ Hai 05/02, còn 6 ngày (4 ngày làm việc), gia hạn từ 31/01" in last_to(
        office, "an"
    )
    office.says("an", "/nhiemvu 1c", at("30/01", "10:02"))
    assert "gia hạn từ 31/01: chờ số liệu thuế" in last_to(office, "an")
    office.says("an", "/lichsu 1c", at("30/01", "10:03"))
    assert (
        last_to(office, "an")
        .splitlines()[1]
        .endswith("đặt hạn Thứ Hai 05/02 (trước là Thứ Tư 31/01), chờ số liệu thuế")
    )
    office.tick(at("02/02"))
    assert "gia hạn từ 31/01" in last_to(office, "an")
    office.tick(at("06/02"))
    assert "hạn Thứ Hai 05/02, gia hạn từ 31/01: chờ số liệu thuế" in last_to(office, "chi")


BAD_DAYS = [
    ("/dathan 5a 15/01", "ngày Thứ Hai 15/01 không còn ở phía trước."),
    ("/dathan 5a 15/01/2025", "nằm ngoài năm 2024 của kế hoạch."),
    ("/dathan 5a 30/02", "Không có ngày “30/02” nên chưa ghi gì."),
    ("/dathan 2c tháng 3 15/02", "ở trước ngày việc này mở (Thứ Sáu 01/3)."),
    ("/dathan 5a", "Chưa rõ đến ngày nào nên chưa ghi gì. Anh/chị nhắn, ví dụ: /dathan 5a 15/9"),
]


@pytest.mark.parametrize(("typed", "why"), BAD_DAYS)
def test_a_date_that_can_not_be_is_refused_in_one_sentence(
    office: World, typed: str, why: str
) -> None:
    """Past, beyond the plan, no such day, before the work opens, none at all: nothing recorded."""
    office.says("chi", typed, at("22/01", "10:00"))
    assert (why in last_to(office, "chi"), office.events()) == (True, []), last_to(office, "chi")


# ---- requests for more time


def test_a_request_is_decided_by_button_and_the_unit_hears_it(office: World) -> None:
    """Everybody of the unit, and nudges follow the new date at once; the second decider is told."""
    told = office.says("an", "gia hạn 1c 05/02 chờ số liệu HĐND", at("30/01", "15:00"))
    assert [line.split(":")[0] for line in told] == [
        "telegram an reply",
        "telegram chi notice",
        "email hoa notice",
    ]
    assert labels(office, "chi") == ["✅ Đồng ý", "❌ Không"]
    answer = press(office, "chi", "✅ Đồng ý", "30/01", "16:00")
    heard = (
        "Văn phòng đồng ý gia hạn 1c Danh mục VBQPPL hết hiệu lực năm 2023 đến Thứ Hai 05/02 "
        "(hạn gốc Thứ Tư 31/01)."
    )
    assert (answer, last_to(office, "an"), last_to(office, "binh")) == (heard, heard, heard)
    office.says("hoa", "/khongdongy 1c", at("30/01", "16:01"), channel="email",
                sender="hoa@example.vn", chat="hoa@example.vn")  # fmt: skip
    assert last_to(office, "hoa").startswith(
        "Không ghi thêm. 1c Danh mục VBQPPL hết hiệu lực năm 2023 đã được đồng ý gia hạn lúc "
        "16:00 hôm nay, người ghi: Chi."
    )
    assert office.events() == [
        "extension-asked 1c.1 2024 tu-phap an",
        "extension-granted 1c.1 2024 tu-phap chi",
    ]
    assert "1c" not in "".join(office.tick(at("31/01")))


def edited(office: World, who: str) -> tuple[str, list[str]]:
    """The newest edit of a message to `who`, and the buttons that it leaves."""
    edits = (p for p in reversed(office.outgoing) if p.row.draft.kind == "edit")
    message = next(p.message for p in edits if p.row.draft.recipient == who)
    return plain(message.html), [action.label for row in message.actions for action in row]


TWO = (*PEOPLE, person("hoa", "van-phong"))
ASKS = (
    "1c Danh mục VBQPPL hết hiệu lực năm 2023 – Tư pháp xin gia hạn từ Thứ Tư 31/01 đến "
    "Thứ Hai 05/02. Lý do: chờ số liệu.\n"
)


@pytest.mark.parametrize(
    ("who", "text", "fate"),
    [
        ("chi", "/dongy 1c", "✅ Chi đã đồng ý, hạn mới Thứ Hai 05/02, lúc 09:00 hôm nay."),
        ("hoa", "/dongy 1c 02/02", "✅ Hoa đã đồng ý, hạn mới Thứ Sáu 02/02, lúc 09:00 hôm nay."),
        ("chi", "/khongdongy 1c đã đủ", "❌ Chi đã không đồng ý lúc 09:00 hôm nay."),
        ("an", "/undo 1c", "↩️ An đã rút lúc 09:00 hôm nay."),
        ("chi", "/dathan 1c 07/02 hẳn", "📅 Chi đã đặt hạn Thứ Tư 07/02 lúc 09:00 hôm nay."),
        ("an", "xong 1c", "✅ An đã báo xong lúc 09:00 hôm nay."),
    ],
)
def test_what_is_decided_loses_its_buttons_for_all_of_the_office(
    plan2024: Plan, scheduler: Scheduler, who: str, text: str, fate: str
) -> None:
    """By whomever and however: both messages tell who decided what and when, and ask no more."""
    office = world(plan2024, scheduler, people=TWO, bound=("an", "chi"))
    office.store.bind("hoa", TELEGRAM, "106", at("22/01", "07:00"))
    office.tick(at("22/01", "07:30"))
    office.says("an", "gia hạn 1c 05/02 chờ số liệu", at("30/01", "08:30"))
    sender = {"sender": "106", "chat": "106"} if who == "hoa" else {}
    office.says(who, text, at("30/01", "09:00"), **sender)
    assert [edited(office, each) for each in ("chi", "hoa")] == [(ASKS + fate, [])] * 2
    asked = {
        p.row.draft.recipient: p
        for p in office.outgoing
        if isinstance(p.row.draft.payload, ExtensionAsked)
    }
    assert {"chi", "hoa"} <= set(asked)


def test_what_came_back_before_the_due_day_is_edited_too(office: World) -> None:
    """Two requests in one message: the decided one is told, the other keeps its buttons."""
    office.says("an", "gia hạn 1c 05/02 chờ số liệu", at("26/01", "10:00"))
    office.says("dung", "gia hạn 4b 06/02 chờ tỉnh", at("26/01", "10:05"))
    office.tick(at("30/01"))
    press(office, "chi", "✅ 1c", "30/01", "09:00")
    text, left = edited(office, "chi")
    told = [edited(office, "chi")[0]] + [
        plain(p.message.html) for p in office.outgoing if p.row.draft.kind == "edit"
    ]
    both = next(each for each in told if "4b" in each)
    assert "✅ Chi đã đồng ý, hạn mới Thứ Hai 05/02, lúc 09:00 hôm nay." in both
    assert both.endswith("Chưa có quyết định.")
    assert (text, left) == (both, ["✅ 4b", "❌ 4b"]) or "4b" not in text


def test_a_settled_date_leaves_the_list_of_the_start(plan2024: Plan, scheduler: Scheduler) -> None:
    """For both of the office: what is settled, by whom and when, and the buttons of the rest."""
    office = world(plan2024, scheduler, people=TWO, bound=("an", "chi"))
    office.store.bind("hoa", TELEGRAM, "106", at("22/01", "07:00"))
    office.tick(at("22/01", "07:00"))
    press(office, "chi", "Giữ hạn 4b", "22/01", "09:00")
    for who in ("chi", "hoa"):
        text, left = edited(office, who)
        assert text.splitlines()[-2:] == ["Đã chốt:", "• Chi giữ hạn 4b, lúc 09:00 hôm nay"]
        assert "Giữ hạn 4b" not in left
        assert left[:3] == ["Xác nhận tất cả hạn dự kiến", "📅 1đ", "📅 2g"]
    office.says("chi", "/dathan 5a 15/9/2024", at("22/01", "09:10"))
    text, left = edited(office, "hoa")
    assert "• Chi đặt hạn 5a Chủ Nhật 15/9, lúc 09:10 hôm nay" in text
    assert "📅 5a" not in left
    press(office, "chi", "Xác nhận tất cả hạn dự kiến", "22/01", "09:20")
    text, left = edited(office, "hoa")
    assert "Chi giữ hạn 1a, 1b, 1đ, 1e và 12 việc nữa, lúc 09:20 hôm nay" in text
    assert left == ["📅 1đ", "📅 2g"]


def test_to_which_day_is_asked_no_more_once_it_is_set(office: World) -> None:
    """The question loses its days; it tells which was chosen."""
    press(office, "chi", "📅 5a", "22/01", "09:00")
    press(office, "chi", "Thứ Ba 31/12", "22/01", "09:01")
    edits = [p.message for p in office.outgoing if p.row.draft.kind == "edit"]
    question = next(m for m in edits if m.text.startswith("Hạn của"))
    assert question.text == (
        "Hạn của 5a Đánh giá chỉ số chuyển đổi số: "
        "📅 Chi đã đặt hạn Thứ Ba 31/12 lúc 09:01 hôm nay."
    )
    assert question.actions == ()


def test_a_request_that_waits_comes_back_before_the_due_day(office: World) -> None:
    """On the working day before it, once, to everybody of the office, with the same buttons."""
    office.says("an", "gia hạn 1c 05/02 chờ số liệu HĐND", at("26/01", "15:00"))
    office.tick(at("29/01"))
    told = [line for line in office.tick(at("30/01")) if " request:" in line]
    first = "Văn phòng lưu ý, Thứ Ba 30/01: 1 việc xin gia hạn chưa có quyết định."
    assert told == [f"telegram chi request: {first}", f"email hoa request: {first}"]
    restarted(office)
    assert [line for line in office.tick(at("30/01", "08:01")) if " request:" in line] == []
    assert press(office, "chi", "❌ Không", "30/01").startswith("Văn phòng không đồng ý gia hạn 1c")
    assert last_to(office, "an").startswith("Văn phòng không đồng ý gia hạn 1c")


@pytest.mark.parametrize(
    ("text", "event", "told"),
    [
        ("đồng ý", "extension-granted", ["Văn phòng đồng ý gia hạn 1c Danh mục"]),
        (
            "không, cần trước Tết",
            "extension-refused",
            ["Văn phòng không đồng ý", "Ý kiến: cần trước"],
        ),
        ("Không", "extension-refused", ["Văn phòng không đồng ý"]),
        ("ok em", "extension-asked", ["Tư pháp xin gia hạn 1c", "Xin nhắn: /dongy 1c"]),
    ],
)
def test_a_reply_to_the_request_decides_it(
    office: World, text: str, event: str, told: list[str]
) -> None:
    """“đồng ý”, “không” name no code, and need none; “ok” decides nothing, and is asked again."""
    office.says("an", "gia hạn 1c 05/02 chờ số liệu", at("30/01", "15:00"))
    row = next(p.row for p in office.outgoing[::-1] if p.row.draft.recipient == "chi")
    sent = next(r for r in office.store.rows(recipient="chi") if r.id == row.id)
    office.says("chi", text, at("30/01", "15:10"), reply_to=sent.provider_id)
    lines = last_to(office, "chi").splitlines()
    assert [line[: len(want)] for line, want in zip(lines, told, strict=False)] == told
    by = "an" if event == "extension-asked" else "chi"
    assert office.events()[-1] == f"{event} 1c.1 2024 tu-phap {by}"


def test_a_newer_request_is_not_decided_by_an_older_button(office: World) -> None:
    """The second replaces the first; the first one's button shows what is asked now."""
    office.says("an", "gia hạn 1c 05/02 chờ số liệu", at("30/01", "15:00"))
    older = button(office, "chi", "✅ Đồng ý")
    office.says("binh", "gia hạn 1c 16/02 chờ HĐND", at("30/01", "15:10"), channel="email",
                sender="binh@example.vn", chat="binh@example.vn")  # fmt: skip
    assert "đến Thứ Sáu 16/02, thay cho lần xin đến Thứ Hai 05/02." in last_to(office, "binh")
    assert "(thay cho lần xin đến Thứ Hai 05/02)" in last_to(office, "chi")
    office.says("chi", "", at("30/01", "15:20"), press=older)
    assert "đến Thứ Sáu 16/02" in last_to(office, "chi").splitlines()[0]
    assert [event.split()[0] for event in office.events()] == ["extension-asked"] * 2
    press(office, "chi", "✅ Đồng ý", "30/01", "15:21")
    state = next(s for k, s in office.service.office.states.items() if k.task == "1c")
    assert (str(state.due), state.why) == ("2024-02-16", "chờ HĐND")


def test_a_withdrawn_request_can_not_be_decided(office: World) -> None:
    """Withdrawn at any time while it waits; the office hears it, and a decision is told so."""
    office.says("an", "gia hạn 1c 05/02 chờ số liệu", at("29/01", "15:00"))
    office.says("an", "/undo 1c", at("30/01", "16:30"))
    assert last_to(office, "an") == (
        "Đã hoàn tác 1c Danh mục VBQPPL hết hiệu lực năm 2023: đã rút việc xin gia hạn "
        "(hạn Thứ Tư 31/01)."
    )
    assert last_to(office, "chi") == (
        "Tư pháp đã rút việc xin gia hạn 1c Danh mục VBQPPL hết hiệu lực năm 2023, "
        "không cần quyết nữa."
    )
    assert "đã được bộ phận rút việc xin gia hạn" in press(
        office, "chi", "✅ Đồng ý", "30/01", "16:40"
    )
    assert [e.split()[0] for e in office.events()] == ["extension-asked", "extension-withdrawn"]


BAD_REQUESTS = [
    ("gia hạn 1c 15/01 x", "không sau hạn đang có"),
    ("gia hạn 1c 31/01 x", "không sau hạn đang có"),
    ("gia hạn 1c 15/01/2025 x", "nằm ngoài năm 2024 của kế hoạch"),
    ("gia hạn 1c 30/02 x", "Không có ngày “30/02”"),
]


@pytest.mark.parametrize(("typed", "why"), BAD_REQUESTS)
def test_a_request_that_can_not_be_granted_is_not_taken(
    office: World, typed: str, why: str
) -> None:
    """Past, before the due day, beyond the plan: the officer is told at once."""
    office.says("an", typed, at("26/01", "10:00"))
    assert (why in last_to(office, "an"), office.events()) == (True, []), last_to(office, "an")


def test_a_request_to_an_office_of_nobody_gets_an_honest_answer(
    plan2024: Plan, scheduler: Scheduler, caplog: pytest.LogCaptureFixture
) -> None:
    """The log says it at start, the leaders hear it once, and the officer that nobody decides."""
    people = tuple(p for p in PEOPLE if p.id != "chi")
    office = world(plan2024, scheduler, people=people)
    with caplog.at_level(logging.WARNING):
        office.service.begin(at("22/01", "07:00"))
    assert "nobody of the office “van-phong” can be reached" in caplog.text
    told = office.tick(at("22/01", "07:00"))
    assert told == [
        "telegram lan notice: Kính báo cáo: Văn phòng chưa có ai trong danh sách nhận tin."
    ]
    office.says("an", "gia hạn 1c 05/02 chờ số liệu", at("26/01", "10:00"))
    assert last_to(office, "an").splitlines() == [
        "Đã ghi: xin gia hạn 1c Danh mục VBQPPL hết hiệu lực năm 2023 đến Thứ Hai 05/02.",
        "Văn phòng chưa có ai trong danh sách nên chưa có người quyết.",
        (
            "Máy vẫn nhắc như lịch (hạn Thứ Tư 31/01, còn 5 ngày (3 ngày làm việc)). "
            "Xin báo trực tiếp Văn phòng."
        ),
        "Muốn rút lại, xin nhắn: hoàn tác 1c",
    ]


# ---- escalations


def test_the_course_of_late_work(office: World) -> None:
    """Nudged, told to the office with reason and buttons, to the leaders once, and closed."""
    for day in ("24/01", "26/01", "30/01", "31/01"):
        office.tick(at(day))
    office.says("an", "chưa xong 1c, chờ số liệu của thuế", at("31/01", "15:00"))
    office.tick(at("01/02"))
    text = last_to(office, "chi").splitlines()
    start = next(n for n, line in enumerate(text) if line.startswith("• 1c"))
    assert text[start : start + 3] == [
        "• 1c Danh mục VBQPPL hết hiệu lực năm 2023 – Tư pháp, hạn Thứ Tư 31/01",
        (
            "Đã nhắc 5 lần qua thư điện tử và Telegram, gần nhất 08:00 hôm nay. "
            "Bộ phận nêu: chờ số liệu của thuế."
        ),
        "Chưa báo Lãnh đạo. Nếu chưa xong, sẽ báo sáng Thứ Hai 05/02.",
    ]
    assert "Nhắc ngay 1c" in labels(office, "chi")
    reminded = office.says(
        "chi", "", at("01/02", "10:00"), press=button(office, "chi", "Nhắc ngay 1c")
    )
    assert [line.split(":")[0] for line in reminded] == [
        "telegram chi reply",
        "telegram an nudge",
        "email binh nudge",
    ]
    asked = press(office, "chi", "Dời hạn 1c", "01/02", "10:01")
    assert asked.startswith("Dời hạn 1c Danh mục VBQPPL hết hiệu lực năm 2023 (hạn Thứ Tư 31/01)")
    assert labels(office, "chi") == ["Thứ Ba 06/02", "Thứ Năm 15/02"]
    assert "/ghichu 1c lý do" in press(office, "chi", "Ghi lý do 1c", "01/02", "10:02")
    office.tick(at("02/02"))
    told = [line for line in office.tick(at("05/02")) if " lan " in line]
    assert told == [
        "telegram lan escalation: Kính báo cáo Lãnh đạo UBND phường, sáng Thứ Hai 05/02:"
    ]
    assert "Lý do bộ phận nêu: chờ số liệu của thuế. Văn phòng đã được báo từ Thứ Năm 01/02." in (
        last_to(office, "lan")
    )
    assert "không cần trả lời" in last_to(office, "lan")
    closed = office.says("an", "xong 1c số 12/QĐ-UBND", at("05/02", "10:20"))
    assert sorted(line.split(":")[0] for line in closed if " notice" in line) == [
        "email hoa notice",
        "telegram chi notice",
        "telegram lan notice",
    ]
    assert last_to(office, "lan").startswith("Kính báo cáo: 1c")


@pytest.mark.parametrize(
    ("said", "reason"),
    [
        ("", "Văn phòng ghi: thiếu phụ lục."),
        ("/ghichu 1c đang in phụ lục", "Lý do bộ phận nêu: đang in phụ lục."),
    ],
)
def test_after_a_reopening_its_reason_is_told_and_no_older_one(
    office: World, said: str, reason: str
) -> None:
    """What the unit said before the work was done is true no more; what it says after is told."""
    office.tick(at("31/01"))
    office.says("an", "/ghichu 1c chờ anh Nam ký", at("31/01", "09:00"))
    office.tick(at("01/02"))
    office.says("an", "xong 1c số 12/QĐ-UBND", at("01/02", "09:00"))
    office.says("chi", "/molai 1c thiếu phụ lục", at("02/02", "09:00"))
    if said:
        office.says("an", said, at("02/02", "10:00"))
    office.tick(at("02/02", "10:00"))
    office.tick(at("05/02"))
    assert f"{reason} Văn phòng đã được báo từ Thứ Năm 01/02." in last_to(office, "lan")


def test_of_shared_work_only_those_who_are_late_give_the_reason(office: World) -> None:
    """Tư pháp was held up and is done; that the others are late has another reason."""
    office.says("an", "/ghichu 2c chờ phiếu", at("31/01", "09:00"))
    office.says("an", "xong 2c", at("31/01", "15:00"))
    for day in ("01/02", "02/02", "05/02"):
        office.tick(at(day))
    told = last_to(office, "lan")
    assert "2c" in told
    assert "chờ phiếu" not in told


def leaders_line(office: World, code: str) -> str:
    """What the newest escalation to chi says of the leaders, about the work `code`."""
    texts = (p.message.text for p in reversed(office.outgoing) if _is_escalation(p, "chi"))
    lines = next(texts).splitlines()
    start = next(n for n, line in enumerate(lines) if line.startswith(f"• {code} "))
    return next(line for line in lines[start:] if "báo" in line and "Lãnh đạo" in line)


def _is_escalation(rendered: Rendered, who: str) -> bool:
    return rendered.row.draft.kind == "escalation" and rendered.row.draft.recipient == who


def test_what_the_leaders_were_told_is_of_record(office: World) -> None:
    """The office's word comes late, after the leaders heard; or together with theirs."""
    office.tick(at("31/01"))
    office.refuse = lambda p: (
        SendError("mất mạng", retry=True) if _is_escalation(p, "chi") else None
    )
    office.tick(at("01/02"))
    office.says("chi", "/xacnhan 4b", at("01/02", "09:00"))
    office.tick(at("05/02"))
    office.refuse = lambda _: None
    office.tick(at("05/02", "10:00"))
    assert leaders_line(office, "1c") == "Đã báo Lãnh đạo lúc 08:00 hôm nay."


def test_after_a_stop_office_and_leaders_hear_together(office: World) -> None:
    """Started again on the third late day: no earlier day is made up for the leaders."""
    office.tick(at("31/01"))
    office.tick(at("05/02"))
    said = leaders_line(office, "1c")
    assert said in ("Lãnh đạo được báo cùng lúc này.", "Đã báo Lãnh đạo lúc 08:00 hôm nay.")
    assert leaders_line(office, "4b") == "Không báo Lãnh đạo (hạn dự kiến)."


def test_leaders_whom_nothing_reaches_are_not_said_to_be_told(
    plan2024: Plan, scheduler: Scheduler
) -> None:
    """Nobody of them is in the list: the office hears that, and no day."""
    office = world(plan2024, scheduler, people=[p for p in PEOPLE if p.id != "lan"])
    office.tick(at("31/01"))
    office.tick(at("01/02"))
    assert leaders_line(office, "1c") == "Chưa báo được Lãnh đạo: chưa có ai nhận được tin."


def test_remind_now_reminds_of_what_waits_for_a_signature(office: World) -> None:
    """The office wants it said, although the unit's own reminders rest."""
    office.tick(at("31/01"))
    office.says("an", "trình ký 1c", at("31/01", "10:00"))
    told = office.says("chi", "/nhacngay 1c", at("31/01", "15:00"))
    assert [line.split(":")[0] for line in told] == [
        "telegram chi reply",
        "telegram an nudge",
        "email binh nudge",
    ]


def test_remind_now_reminds_once_a_day(office: World) -> None:
    """A second press, by whomever of the office, and typed: says when, and sends nothing more."""
    office.tick(at("31/01"))
    office.tick(at("01/02"))
    first = press(office, "chi", "Nhắc ngay 1c", "01/02", "09:05")
    assert first == "Đang nhắc ngay 1c Danh mục VBQPPL hết hiệu lực năm 2023: Tư pháp."
    again = (
        "Không gửi thêm: 1c Danh mục VBQPPL hết hiệu lực năm 2023.\n"
        "Chi đã cho nhắc Tư pháp lúc 09:05 hôm nay.\n"
        "Xem bộ phận đã trả lời gì, xin nhắn: /lichsu 1c"
    )
    for who, text in (("chi", "nhắc ngay 1c"), ("hoa", "/nhacngay 1c")):
        sender = {} if who == "chi" else {"channel": EMAIL, "sender": "hoa@example.vn"}
        said = office.says(who, text, at("01/02", "09:06"), **sender)
        assert [line.split(":")[0].split()[1:] for line in said] == [[who, "reply"]]
        assert last_to(office, who) == again
    said = office.says("chi", "/nhacngay 1c", at("02/02", "09:00"))  # another day
    assert [line.split(":")[0] for line in said] == [
        "telegram chi reply",
        "telegram an nudge",
        "email binh nudge",
    ]


@pytest.mark.parametrize(
    "then", ["/molai 1c thiếu chữ ký", "/dathan 1c 06/02 chờ số liệu", "/tralai 1c"]
)
def test_what_has_changed_since_is_reminded_of_anew(office: World, then: str) -> None:
    """Done and opened again, moved, returned: the reminder of before was of something else."""
    office.tick(at("31/01"))
    office.says("chi", "/nhacngay 1c", at("31/01", "09:00"))
    office.says("an", "trình ký 1c", at("31/01", "10:00"))
    if then.startswith("/molai"):
        office.says("an", "xong 1c", at("31/01", "11:00"))
    office.says("chi", then, at("31/01", "14:00"))
    said = office.says("chi", "/nhacngay 1c", at("31/01", "15:00"))
    assert "telegram an nudge" in {line.split(":")[0] for line in said}


def test_of_shared_work_those_are_reminded_who_were_not(office: World) -> None:
    """2c: one unit was reminded already; the others are, and who has nobody is named."""
    office.says("chi", "/nhacngay 2c tư pháp", at("24/01", "09:00"))
    office.says("chi", "/nhacngay 2c", at("24/01", "09:30"))
    answer = next(p.message.text for p in reversed(office.outgoing) if p.row.draft.kind == "reply")
    assert answer == (
        "Đang nhắc ngay 2c Kết quả đánh giá chất lượng phục vụ tháng 01: Văn phòng, VHXH.\n"
        "Chi đã cho nhắc Tư pháp lúc 09:00 hôm nay.\n"
        "Địa chính chưa có ai trong danh sách nên chưa ai nhận được."
    )


def test_who_was_told_it_is_done_hears_that_it_is_not(office: World) -> None:
    """Opened again after the close: the leaders and the office hear it, and the next close too."""
    for day in ("31/01", "01/02", "05/02"):
        office.tick(at(day))
    office.says("an", "xong 1c", at("05/02", "10:00"))
    office.says("chi", "/molai 1c thiếu chữ ký", at("06/02", "09:00"))
    assert last_to(office, "lan") == (
        "Kính báo cáo: 1c Danh mục VBQPPL hết hiệu lực năm 2023 được mở lại, chưa xong "
        "(hạn Thứ Tư 31/01). Lý do: thiếu chữ ký."
    )
    assert [line for line in office.tick(at("07/02")) if " lan " in line] == []
    office.says("an", "xong 1c", at("07/02", "10:00"))
    assert last_to(office, "lan").startswith("Kính báo cáo: 1c")


def test_who_was_told_nothing_hears_nothing_of_the_close(office: World) -> None:
    """Late by two days: the office knew, the leaders did not."""
    for day in ("31/01", "01/02", "02/02"):
        office.tick(at(day))
    closed = office.says("an", "xong 1c", at("02/02", "10:00"))
    assert [line.split(":")[0] for line in closed if " notice" in line] == [
        "telegram chi notice",
        "email hoa notice",
    ]


def test_a_date_moved_after_an_escalation_starts_a_new_lateness(office: World) -> None:
    """The leaders hear of the second one, and since when the office knows of that one."""
    for day in ("31/01", "01/02", "05/02"):
        office.tick(at(day))
    office.says("chi", "/dathan 1c 15/02 chờ HĐND", at("05/02", "10:00"))
    for day in ("15/02", "16/02", "20/02"):
        office.tick(at(day))
    text = last_to(office, "lan")
    assert "hạn Thứ Năm 15/02 (gia hạn từ 31/01: chờ HĐND), quá hạn 3 ngày làm việc" in text
    assert "Văn phòng đã được báo từ Thứ Sáu 16/02." in text


def test_work_of_two_units_that_the_office_leads(office: World) -> None:
    """1d is Tư pháp's and the office's: not told to the office, and to the leaders of both."""
    for day in ("19/02", "20/02", "21/02"):
        office.tick(at(day))
    assert "1d" not in "".join(
        p.message.text
        for p in office.outgoing
        if p.row.draft.kind == "escalation" and p.row.draft.recipient == "chi"
    )
    office.tick(at("23/02"))
    line = next(line for line in last_to(office, "lan").splitlines() if "1d" in line)
    assert line.startswith(
        "• 1d Báo cáo hệ thống hóa VBQPPL 2019–2023 – Tư pháp, Văn phòng chủ trì, hạn Thứ Ba 20/02"
    )


def test_of_shared_work_only_those_are_named_who_are_waited_for(office: World) -> None:
    """Tư pháp has confirmed its part of 2c."""
    office.tick(at("31/01"))
    office.says("an", "xong 2c", at("31/01", "10:00"))
    office.tick(at("05/02"))
    line = next(line for line in last_to(office, "lan").splitlines() if line.startswith("• 2c"))
    assert "Văn phòng, VHXH, Địa chính chủ trì" in line


def test_who_takes_up_telegram_after_the_start_gets_the_list_with_its_buttons(
    office: World,
) -> None:
    """Once, and only while something is left to settle; whoever was reached then hears it once."""
    office.store.bind("hoa", "telegram", "9", at("23/01", "09:00"))
    for clock in ("09:01", "09:02"):
        office.tick(at("23/01", clock))
    lists = [
        p
        for p in office.outgoing
        if p.row.draft.recipient == "hoa" and p.message.subject.startswith("Bắt đầu")
    ]
    assert [p.row.draft.channel for p in lists] == ["email", "telegram"]
    assert labels(office, "hoa")[0] == "Xác nhận tất cả hạn dự kiến"
    mine = [p for p in office.outgoing if p.row.draft.recipient == "chi"]
    assert sum(p.message.subject.startswith("Bắt đầu") for p in mine) == 1
