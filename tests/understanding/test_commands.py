"""What an officer types is understood as meant; what is not done never closes anything."""

from __future__ import annotations

import re
import unicodedata
from datetime import date, timedelta

import pytest

from reminder.understanding.model import Command, CommandError, Meaning, Reason, Target
from reminder.understanding.parse import parse
from reminder.understanding.verbs import Verb
from tests.understanding.commands_kit import (
    OFFICE,
    OFFICER,
    PLAN,
    TODAY,
    answer,
    closes,
    command,
    done,
    not_done,
    refused,
    replying,
    t,
    understood,
)

SPELT_1DD = [
    "xong 1đ", "xong 1Đ", "XONG 1Đ", "xong 1dd", "xong 1DD", "xong 1d9", "xong 1.đ", "xong 1 đ",
    "xong 1đ)", "xong 1ð", "xong 1Ð", "mục 1 điểm đ xong", "muc 1 diem dd da xong",
    "điểm đ mục 1 đã xong", "nv 1đ xong", "nhiệm vụ 1đ đã xong", "việc 1đ xong rồi ạ",
    "/done 1dd", "/xong@reminder_bot 1d9", "/DONE 1Đ", "khoản 1 điểm đ đã hoàn thành", "xong 1-đ",
    "xong 1đ.",
]  # fmt: skip


@pytest.mark.parametrize("text", SPELT_1DD)
@pytest.mark.parametrize("form", ["NFC", "NFD"])
def test_every_spelling_of_1dd_is_1dd(text: str, form: str) -> None:
    """1đ is understood with and without a Vietnamese keyboard, composed or decomposed."""
    typed = unicodedata.normalize(form, text)  # type: ignore[arg-type]
    assert understood(typed) == done("1đ")


SAY_DONE = [
    "xong 1c", "1c xong", "1c đã xong", "1c xong rồi", "1C XONG RỒI", "1c xong roi", "da xong 1c",
    "hoàn thành 1c", "1c đã hoàn thành", "hoan thanh 1c", "đã gửi 1c", "1c da gui",
    "1c đã nộp rồi ạ", "đã ban hành 1c", "1c đã báo cáo", "Dạ em báo cáo, 1c đã xong ạ",
    "dạ em bc, 1c xong rồi ạ", "Vâng, 1c xong rồi nhé", "ok xong 1c",
    "em làm xong 1c rồi nhé anh", "1c xong rồi sếp ơi", "done 1c", "✅ 1c", "1c ✅",
    "việc 1c đã xong", "1c hoàn tất", "/done 1c", "/xong 1c", "/ done 1c", "/xong1c", "xong1c",
    "/Done@Reminder_Bot 1c", "@reminder_bot xong 1c", "xong 1c @reminder_bot", "1c: xong",
    "1c - xong", "• 1c xong", "da gui 1c cho van phong roi a", "1c xong 100%", "/1c xong",
    "đã ký ban hành 1c", "Xong 1c.", "xong   1c!!!", "xong\n1c", "1c xong đúng hạn ạ",
    "1c xong hết rồi", "Chào anh chị, 1c xong rồi ạ. Em cảm ơn", "xong 01c",
    "1c vừa xong chiều nay", "đã trình ký và đã ban hành 1c",
]  # fmt: skip


@pytest.mark.parametrize("text", SAY_DONE)
def test_done_is_understood(text: str) -> None:
    """All ways of “Words” to say done, politeness around them, with and without marks."""
    assert understood(text) == done("1c")


CLOSE_NOTHING = [
    "1c chưa xong", "chua xong 1c", "1c chưa", "1c ko xong", "1c không kịp", "gần xong 1c",
    "1c sắp xong", "1c cơ bản xong", "1c co ban xong roi", "1c xong 80%", "xong 1c 80 %",
    "xong 80% 1c", "1c xong một phần", "1c xong mot phan", "1c xong 1 phần",
    "1c xong một nửa rồi", "mai xong 1c", "1c mai xong ạ", "ngày mai em xong 1c",
    "để em làm xong 1c rồi báo", "để em làm 1c xong rồi báo", "1c thứ 6 xong", "tuần sau xong 1c",
    "3 ngày nữa xong 1c", "1c xong chưa", "xong 1c chưa?", "1c xong chua a",
    "1c đã xong chưa vậy em", "nhắc 1c đã xong chưa", "1c xong chưa hả", "1c xong?",
    "bao giờ xong 1c", "khi nào xong 1c em báo", "nếu xong 1c em báo", "phải xong 1c trước thứ 6",
    "yêu cầu hoàn thành 1c", "hoàn thành 1c trước 15/2", "đã trình ký 1c", "1c đang chờ ký",
    "1c xong rồi, đang chờ ký", "mai trình ký 1c", "chưa trình ký 1c", "1c đang làm",
    "đang hoàn thành 1c", "1c ok", "ok 1c", "vâng 1c", "1c đã nhận", "1c tưởng xong mà chưa",
    "1c coi như xong", "1c xong dự thảo", "dự thảo 1c xong rồi", "1c đã gửi lấy ý kiến",
    "1c chờ duyệt xong mới gửi", "1c đâu đã xong", "1c xong đâu mà xong", "1c ai bảo xong",
    "1c khó xong", "cố gắng xong 1c", "1c bị trả lại", "1c sếp không ký", "hoàn tác 1c",
    "1c báo nhầm", "gia hạn 1c 05/02 chờ xong số liệu", "ghi chú 1c đã xong phần rà soát",
    "/note 1c phòng bên báo 2c đã xong", "/done 1c chưa xong", "/done 1c?", "/done 1c đang làm",
    "/xong 1c mai gửi", "đã xong 1c nhưng chưa gửi", "1c chắc xong rồi", "hình như 1c xong",
    "em sẽ xong 1c", "chiều nay xong 1c", "1c cuối giờ xong", "xong 1c 2", "1c 2", "xong 2",
    "xong 9z", "xong", "rồi", "✅", "đã xong hết", "xong tất cả", "xong 3 việc",
    "đã xong 3 văn bản", "2", "1c", "1c?", "xong 1c ngày 30/02", "1c xong 2/3",
    "xong 1d kế hoạch", "xong 2c quý I", "xong 1c tháng 3", "/done@other_bot 1c", "/don 1c",
    "xong 1c, 9z", "1c 1d xong nhưng chưa gửi", "1c bao giờ mới xong", "mong anh xong 1c sớm",
    "chưa xong đâu 1c", "đang chờ số liệu để xong 1c", "1c hẹn 15/2 xong", "1c em định xong sớm",
    "1c vẫn chưa xong", "chưa hoàn thành 1c", "1c chua hoan thanh", "1c hk xong? k xong",
    "hạn 1c", "14h chiều nay họp xong", "2h chiều nay họp xong", "từ chối 1c", "/cancel 1c xong",
    "1c xong sao được", "1c xong được chưa", "1c có xong không", "liệu 1c xong kịp không",
    "không xong 1c",
]  # fmt: skip


@pytest.mark.parametrize("text", CLOSE_NOTHING)
@pytest.mark.parametrize("meaning", [OFFICER, OFFICE, replying("1c"), replying("1c", "2c")])
def test_what_is_not_done_closes_nothing(text: str, meaning: Meaning) -> None:
    """“Not”, “in part”, a plan, a question and what can be read two ways win over “done”.

    A bare “xong”, “rồi” or ✅ closes in a reply to a message about one task only.
    """
    bare = text in {"xong", "rồi", "✅", "đã xong hết", "xong tất cả"} and meaning.reply_to
    if not bare:
        assert not closes(parse(text, TODAY, meaning))


NOT_DONE = [
    ("1c chưa xong", not_done("1c")),
    ("1c chưa", not_done("1c")),
    ("chưa xong 1c vì chờ số liệu", not_done("1c", note="vì chờ số liệu")),
    ("1c vướng số liệu của HĐND", not_done("1c", note="vướng số liệu của HĐND")),
    ("1c xong chưa?", command(Verb.ASK, "1c")),
    ("xong 1c chua", command(Verb.ASK, "1c")),
    ("1c đến đâu rồi", command(Verb.ASK, "1c")),
    ("1c đang làm", command(Verb.DOING, "1c")),
    ("ok", command(Verb.SEEN)),
    ("vang", command(Verb.SEEN)),
    ("dạ vâng ạ", command(Verb.SEEN)),
    ("đã nhận", command(Verb.SEEN)),
    ("đồng ý ạ", command(Verb.SEEN)),
    ("👍", command(Verb.SEEN)),
    ("1c đã rõ", command(Verb.SEEN, "1c")),
    ("chưa", not_done()),
    ("đang làm", command(Verb.DOING)),
    ("đã trình ký 5c", command(Verb.SUBMIT, "5c")),
    ("trình ký 5c", command(Verb.SUBMIT, "5c")),
    ("/submit 5c", command(Verb.SUBMIT, "5c")),
    ("/trình ký 5c", command(Verb.SUBMIT, "5c")),
    ("1c đang chờ ký", command(Verb.SUBMIT, "1c")),
    ("1c trình rồi mà chưa ký", command(Verb.SUBMIT, "1c")),
    ("1c bị trả lại", command(Verb.RETURN, "1c")),
    ("/tralai 1c sai thể thức", command(Verb.RETURN, "1c", note="sai thể thức")),
    ("hoàn tác 1c", command(Verb.UNDO, "1c")),
    ("em bấm nhầm 1c ạ", command(Verb.UNDO, "1c")),
]


@pytest.mark.parametrize(("text", "expected"), NOT_DONE)
def test_states_of_their_own(text: str, expected: Command) -> None:
    """Not done, asked, under way, read, awaiting signature, returned: each is told apart."""
    assert understood(text) == expected


SEVERAL = [
    ("xong 1đ, 2a và 2b", done("1đ", "2a", "2b")),
    ("xong 1c 2c", done("1c", "2c")),
    ("1c; 2c xong", done("1c", "2c")),
    ("xong:\n1c\n2c", done("1c", "2c")),
    ("1c xong\n2c xong", done("1c", "2c")),
    ("/done 1c, 2c", done("1c", "2c")),
    ("/done 1c\n/done 2c", done("1c", "2c")),
    ("xong 1c và 3", done("1c", "3")),
    ("1c xong, 1d chưa xong", done("1c", also=(not_done("1d"),))),
    ("xong 1c; còn 2c đang làm", done("1c", also=(command(Verb.DOING, "2c"),))),
    ("1c đã trình ký, 2c xong", command(Verb.SUBMIT, "1c", also=(done("2c"),))),
    (
        "xong 1c QĐ 12/QĐ-UBND, 5c KH 13/KH-UBND",
        done("1c", evidence="QĐ 12/QĐ-UBND", also=(done("5c", evidence="KH 13/KH-UBND"),)),
    ),
    (
        "1a-1e xong",
        done(*(t(c, sure=True) for c in ("1a", "1c", "1d", "1đ", "1e")), listed_back=True),
    ),
    (
        "1a-e xong",
        done(*(t(c, sure=True) for c in ("1a", "1c", "1d", "1đ", "1e")), listed_back=True),
    ),
    ("/done 2a đến 2e", done("2c", listed_back=True)),
    ("từ 1a đến 1c đã xong", done("1a", "1c", listed_back=True)),
]


@pytest.mark.parametrize(("text", "expected"), SEVERAL)
def test_several_tasks_in_one_text(text: str, expected: Command) -> None:
    """Lists close all they name; a range only the sender's unit's work, and is listed back."""
    assert understood(text) == expected


PARTS = [
    ("xong 1d", done("1d")),
    ("xong 1d báo cáo", done(t("1d", 1))),
    ("xong 1d bc", done(t("1d", 1))),
    ("xong báo cáo 1d", done(t("1d", 1))),
    ("xong phần báo cáo 1d", done(t("1d", 1))),
    ("xong 1d quyết định", done(t("1d", 2))),
    ("xong 1d quyet dinh", done(t("1d", 2))),
    ("xong 1d qd", done(t("1d", 2))),
    ("đã ban hành quyết định công bố 1d", done(t("1d", 2))),
    ("/done 1d 2", done(t("1d", 2))),
    ("1d 2 xong", done(t("1d", 2))),
    ("xong 1d phần 1", done(t("1d", 1))),
    ("xong 1d 1 và 2", done(t("1d", 1, 2))),
    ("xong 1d 1, 2", done(t("1d", 1, 2))),
    ("xong 1d cả hai", done(t("1d", every=True))),
    ("xong cả 2 phần 1d", done(t("1d", every=True))),
    ("1d xong hết rồi ạ", done(t("1d", every=True))),
    ("xong báo cáo và quyết định 1d", done(t("1d", 1, 2))),
    ("xong 1d báo cáo, 1c", done(t("1d", 1), "1c")),
    ("1d báo cáo xong, 1d quyết định chưa", done(t("1d", 1), also=(not_done(t("1d", 2)),))),
    ("xong 2a kế hoạch", done(t("2a", 1))),
    ("đã gửi báo cáo 2a", done(t("2a", 2))),
    ("xong 1đ kế hoạch theo dõi", done(t("1đ", 1))),
    ("/done 2c tháng 3", done(t("2c", period="2024-03"))),
    ("2c 2024-03 xong", done(t("2c", period="2024-03"))),
    ("xong 2c 03/2024", done(t("2c", period="2024-03"))),
    ("xong tháng 2 2c", done(t("2c", period="2024-02"))),
    ("xong 2c tháng này", done(t("2c", period="2024-01"))),
    ("2c tháng 1, 2 xong", done(t("2c", period="2024-01"), t("2c", period="2024-02"))),
    ("xong BC", done("BC")),
    ("xong bc quy 1", done(t("BC", 1, period="2024-Q1"))),
    ("BC quí III xong", done(t("BC", 1, period="2024-Q3"))),
    ("xong BC 6 tháng đầu năm", done(t("BC", 2, period="2024-H1"))),
    ("xong BC năm", done(t("BC", 3, period="2024"))),
    ("xong 1c quý I", done("1c")),
    ("xong 5c quý I", done("5c")),
    ("xong 2a quý I", done(t("2a", 1))),
    ("xong 1d tháng 2", done(t("1d", 1))),
    ("/done 2c tư pháp", done(t("2c", unit="tu-phap"))),
    ("/done 2c văn hoá xã hội", done(t("2c", unit="van-hoa-xa-hoi"))),
    ("Tư pháp đã xong 2c", done(t("2c", unit="tu-phap"))),
    ("/done 2c tất cả", done(t("2c", unit="*"))),
    ("2024/1c xong", done(t("1c", plan="cchc-2024"))),
    ("xong 2024/3", done(t("3", plan="cchc-2024"))),
]


@pytest.mark.parametrize(("text", "expected"), PARTS)
def test_parts_periods_and_units(text: str, expected: Command) -> None:
    """A deliverable by name or number, a period, a unit of shared work, and the plan."""
    assert understood(text) == expected


EVIDENCE = [
    ("/done 1c QĐ 12/QĐ-UBND 30/01/2024", done("1c", evidence="QĐ 12/QĐ-UBND 30/01/2024")),
    ("1c số 12/QĐ-UBND ngày 30/01", done("1c", evidence="số 12/QĐ-UBND ngày 30/01")),
    ("1c so 12/qd-ubnd ngay 30/01", done("1c", evidence="so 12/qd-ubnd ngay 30/01")),
    ("1c đã xong, số 12/QĐ-UBND nhé", done("1c", evidence="số 12/QĐ-UBND")),
    ("5c số 05/KH-UBND ngày 27/3", done("5c", evidence="số 05/KH-UBND ngày 27/3")),
    ("/done 1d QĐ 15/QĐ-UBND", done(t("1d", 2), evidence="QĐ 15/QĐ-UBND")),
    ("1d số 05/BC-UBND", done(t("1d", 1), evidence="số 05/BC-UBND")),
    ("2a số 20/KH-UBND ngày 15/3", done(t("2a", 1), evidence="số 20/KH-UBND ngày 15/3")),
    ("xong 1c ngày 30/01", done("1c", note="ngày 30/01")),
    ("1c đã xong từ 25/01", done("1c", note="25/01")),
    ("1c QĐ số 12/2024/QĐ-UBND", done("1c", evidence="QĐ số 12/2024/QĐ-UBND")),
    ("xong 1c hôm qua", done("1c", note="hôm qua")),
]


@pytest.mark.parametrize(("text", "expected"), EVIDENCE)
def test_evidence_is_kept_as_typed(text: str, expected: Command) -> None:
    """Number and date of the product stay as typed, and choose the product they belong to.

    A day without a paper's number is when the work was done, and a note.
    """
    assert understood(text) == expected


UPDATES = [
    ("/update 1a thẩm định 03 văn bản", answer(_1a="thẩm định 03 văn bản")),
    ("cập nhật 1a thẩm định 03 văn bản", answer(_1a="thẩm định 03 văn bản")),
    ("1a thẩm định 03 văn bản", answer(_1a="thẩm định 03 văn bản")),
    (
        "1a thẩm định 03 văn bản; 1e tuyên truyền 02 buổi",
        answer(_1a="thẩm định 03 văn bản", _1e="tuyên truyền 02 buổi"),
    ),
    (
        "1a: 03 văn bản\r\n1dd: không phát sinh\r\n1e: 02 buổi, 120 người dự",
        answer(_1a="03 văn bản", _1dd="không phát sinh", _1e="02 buổi, 120 người dự"),
    ),
    ("3 tự kiểm tra 01 lần", answer(_3="tự kiểm tra 01 lần")),
    ("2h đạt 65% hồ sơ", answer(_2h="đạt 65% hồ sơ")),
    ("1a vẫn làm thường xuyên", answer(_1a="vẫn làm thường xuyên")),
    ("1a đang làm", answer(_1a="đang làm")),
    ("1a không có gì phát sinh ạ", answer(_1a="không có gì phát sinh")),
    ("1e đã xong 02 buổi", answer(_1e="đã xong 02 buổi")),
    ("2a rà soát 10 thủ tục", answer(_2a="rà soát 10 thủ tục")),
    ("2a đã hoàn thành rà soát 10 thủ tục", answer(_2a="đã hoàn thành rà soát 10 thủ tục")),
    ("/capnhat 1a phối hợp làm 1c đã xong", answer(_1a="phối hợp làm 1c đã xong")),
    ("1a: 03; 1e: 2", answer(_1a="03", _1e="2")),
    (
        "1a thẩm định 03 văn bản, còn 02 văn bản chưa xong",
        answer(_1a="thẩm định 03 văn bản, còn 02 văn bản chưa xong"),
    ),
    ("cập nhật tất cả bình thường", command(Verb.UPDATE, everything=True, note="bình thường")),
    ("cap nhat tat ca binh thuong", command(Verb.UPDATE, everything=True, note="binh thuong")),
    ("tất cả vẫn bình thường ạ", command(Verb.UPDATE, everything=True, note="vẫn bình thường")),
    ("1a chưa xong", not_done("1a")),
    ("1a mai em gửi", not_done("1a", note="mai em gửi")),
    ("/update 1a chưa xong", not_done("1a")),
    ("1a xong", done("1a")),
]


@pytest.mark.parametrize(("text", "expected"), UPDATES)
def test_check_ins_are_answered_in_words(text: str, expected: Command) -> None:
    """Any true answer counts as one; its text is kept, and never closes another task."""
    assert understood(text) == expected


def test_the_rest_is_answered_at_once() -> None:
    """“còn lại bình thường” answers what was not named."""
    expected = answer(_1a="thẩm định 03 văn bản")
    text = "1a thẩm định 03 văn bản, còn lại bình thường"
    assert understood(text) == Command(
        verb=Verb.UPDATE,
        targets=expected.targets,
        answers=expected.answers,
        everything=True,
        note="bình thường",
    )


REQUESTS = [
    ("/extend 1c 15/3 chờ số liệu", "extend", {"until": date(2024, 3, 15), "note": "chờ số liệu"}),
    (
        "gia hạn 1c 05/02 kèm lý do chờ HĐND",
        "extend",
        {"until": date(2024, 2, 5), "note": "chờ HĐND"},
    ),
    ("gia hạn 1c 05/02", "extend", {"until": date(2024, 2, 5)}),
    ("1c xin thêm 3 ngày", "extend", {"days": 3}),
    ("xin thêm một tuần 1c ạ", "extend", {"days": 7}),
    ("xin lùi 1c đến hết tháng 2", "extend", {"until": date(2024, 2, 29)}),
    ("1c chưa xong, xin gia hạn đến 05/02", "extend", {"until": date(2024, 2, 5)}),
    ("xin gia hạn 1c đến thứ 6 tuần sau", "extend", {"until": date(2024, 2, 9)}),
    ("gia hạn 1c 31 tháng 3", "extend", {"until": date(2024, 3, 31)}),
    ("gia hạn 1c 15-3-2024", "extend", {"until": date(2024, 3, 15)}),
    ("gia hạn 1c 15.3", "extend", {"until": date(2024, 3, 15)}),
    ("gia hạn 1c 2024-03-15", "extend", {"until": date(2024, 3, 15)}),
    ("/snooze 1c 3", "snooze", {"days": 3}),
    ("nhắc sau 1c 3", "snooze", {"days": 3}),
    ("/nhacsau 1c 15/3", "snooze", {"until": date(2024, 3, 15)}),
    ("mai nhắc lại em 1c", "snooze", {"until": date(2024, 1, 31)}),
    ("nhắc lại 1c sau 3 ngày", "snooze", {"days": 3}),
    ("/note 1c chờ thành phố", "note", {"note": "chờ thành phố"}),
    ("/ghichu 1c: 2", "note", {"note": "2"}),
    ("/task 1c", "task", {}),
    ("việc 1c", "task", {}),
    ("1c", "task", {}),
    ("/han 1c", "due", {}),
    ("/history 1c", "history", {}),
    ("lich su 1c", "history", {}),
    ("/undo 1c", "undo", {}),
    ("/setdue 1c 15/9/2024 lý do khác", "setdue", {"until": date(2024, 9, 15), "note": "khác"}),
    ("/dathan 1c 05/02 chờ HĐND", "setdue", {"until": date(2024, 2, 5), "note": "chờ HĐND"}),
    ("/confirm 1c", "confirm", {}),
    ("xác nhận 1c", "confirm", {}),
    ("/dongy 1c", "approve", {}),
    ("đồng ý 1c", "approve", {}),
    ("đồng ý gia hạn 1c đến 05/02", "approve", {"until": date(2024, 2, 5)}),
    ("/khongdongy 1c không đủ lý do", "reject", {"note": "không đủ lý do"}),
    ("/reopen 1c báo nhầm", "reopen", {"note": "báo nhầm"}),
    ("mở lại 1c vì chưa đủ", "reopen", {"note": "chưa đủ"}),
    ("/nhacngay 1c", "remind", {}),
    ("nhắc ngay 1c", "remind", {}),
]  # fmt: skip


@pytest.mark.parametrize(("text", "verb", "more"), REQUESTS)
def test_requests_about_one_task(text: str, verb: str, more: dict[str, object]) -> None:
    """Each command, its Vietnamese twin, and the forms that messages offer."""
    assert understood(text, OFFICE) == command(Verb(verb), "1c", **more)


WITHOUT_TASK = [
    ("/tasks", command(Verb.TASKS)),
    ("việc", command(Verb.TASKS)),
    ("/viec tư pháp", command(Verb.TASKS, unit="tu-phap")),
    ("/due", command(Verb.DUE)),
    ("hạn", command(Verb.DUE)),
    ("/help", command(Verb.HELP)),
    ("trợ giúp", command(Verb.HELP)),
    ("/digest", command(Verb.DIGEST)),
    ("tổng hợp", command(Verb.DIGEST)),
    ("/zalo", command(Verb.ZALO)),
    ("/start aB3_x-9Kd1", command(Verb.START, code="aB3_x-9Kd1")),
    ("/bind tu-phap", command(Verb.BIND, unit="tu-phap")),
    ("/bind Tư pháp", command(Verb.BIND, unit="tu-phap")),
    ("/report 2024-Q1", command(Verb.REPORT, period="2024-Q1")),
    ("/baocao quý I", command(Verb.REPORT, period="2024-Q1")),
    ("/report", command(Verb.REPORT)),
    ("/confirm tất cả", command(Verb.CONFIRM, everything=True)),
    ("/away 01/02-10/02", command(Verb.AWAY, since=date(2024, 2, 1), until=date(2024, 2, 10))),
    (
        "em xin nghỉ phép từ 01/02 đến 10/02",
        command(Verb.AWAY, since=date(2024, 2, 1), until=date(2024, 2, 10)),
    ),
    ("/nghiphep 05/02", command(Verb.AWAY, since=date(2024, 2, 5), until=date(2024, 2, 5))),
    ("/nghiphep 05-10/02", command(Verb.AWAY, since=date(2024, 2, 5), until=date(2024, 2, 10))),
    (
        "/away tu-phap-1 05/02",
        command(Verb.AWAY, since=date(2024, 2, 5), until=date(2024, 2, 5), person="tu-phap-1"),
    ),
    (
        "nghỉ phép 3 ngày từ 05/02",
        command(Verb.AWAY, since=date(2024, 2, 5), until=date(2024, 2, 7)),
    ),
    ("/nghiphep hủy", command(Verb.AWAY)),
    ("/away an huỷ", command(Verb.AWAY, person="an")),
    ("/xacnhan tất cả 2024", command(Verb.CONFIRM, everything=True, period="2024")),
]


@pytest.mark.parametrize(("text", "expected"), WITHOUT_TASK)
def test_commands_without_a_task(text: str, expected: Command) -> None:
    """Lists, enrolment, absence and the office's reports."""
    assert understood(text, OFFICE) == expected


NUMBERED = [
    ("xong BC số 15/BC-UBND", done("BC", evidence="số 15/BC-UBND")),
    ("xong BC số 15/BC-UBND ngày 12/3", done("BC", evidence="số 15/BC-UBND ngày 12/3")),
    ("BC số 15/BC-UBND ngày 12/3", done("BC", evidence="số 15/BC-UBND ngày 12/3")),
    ("bc 15/BC-UBND", done("BC", evidence="15/BC-UBND")),
    ("dạ đã gửi BC số 15/BC-UBND ạ", done("BC", evidence="số 15/BC-UBND")),
    ("trình ký BC số 15/BC-UBND", command(Verb.SUBMIT, "BC", evidence="số 15/BC-UBND")),
    ("xong BC số 15/BC-UBND chưa?", command(Verb.ASK, "BC")),
    ("xong 1d BC số 5/BC-UBND", done(t("1d", 1), evidence="số 5/BC-UBND")),
]


@pytest.mark.parametrize(("text", "expected"), NUMBERED)
def test_a_code_that_is_a_word_may_be_told_with_its_paper(text: str, expected: Command) -> None:
    """“BC” before a number is the task, to who leads it and where no other code stands."""
    assert understood(text, OFFICE) == expected


@pytest.mark.parametrize(
    "text",
    ["xin BC số 15/BC-UBND", "gửi các bộ phận BC số 15/BC-UBND", "BC số 15/BC-UBND của Tư pháp"],
)
def test_a_paper_that_is_only_spoken_of_closes_nothing(text: str) -> None:
    """Asked for, handed on, somebody else's: not the office's own report."""
    assert not closes(parse(text, TODAY, OFFICE))


def test_of_anybody_else_bc_is_a_kind_of_paper() -> None:
    """Tư pháp's report is told with its own code, or in reply to its reminder."""
    assert refused("xong BC số 15/BC-UBND") is Reason.NEEDS_CODE
    expected = done(t("1d", 1, sure=True), evidence="số 15/BC-UBND")
    assert understood("xong BC số 15/BC-UBND", replying("1d")) == expected


REPLIES = [
    ("xong", ("1c",), done("1c")),
    ("rồi ạ", ("1c",), done("1c")),
    ("✅", ("1c",), done("1c")),
    ("vâng em xong rồi ạ", ("1c",), done("1c")),
    ("số 12/QĐ-UBND ngày 30/01", ("1c",), done("1c", evidence="số 12/QĐ-UBND ngày 30/01")),
    ("chưa xong", ("1c",), not_done("1c")),
    ("đã nhận rồi ạ", ("1c",), command(Verb.SEEN, "1c")),
    ("ok rồi", ("1c",), command(Verb.SEEN, "1c")),
    ("đã trình ký", ("1c",), command(Verb.SUBMIT, "1c")),
    ("xin thêm 3 ngày", ("1c",), command(Verb.EXTEND, "1c", days=3)),
    ("hoàn tác", ("1c",), command(Verb.UNDO, "1c")),
    ("phòng đang họp", ("1c",), command(Verb.DOING, "1c", note="phòng đang họp")),
    ("xong quyết định", ("1d",), done(t("1d", 2, sure=True))),
    ("xong cả hai", ("1d",), done(t("1d", sure=True, every=True))),
    ("xong tháng 2 rồi", ("2c",), done(t("2c", period="2024-02"))),
    ("thẩm định 3 văn bản", ("1a",), answer(_1a="thẩm định 3 văn bản")),
    ("đang làm", ("1a",), answer(_1a="đang làm")),
    ("xong 1c", ("2c",), done("1c")),
    ("xong cả hai", ("1c", "2c"), done("1c", "2c", everything=True)),
    ("xong hết rồi", ("1c", "2c"), done("1c", "2c", everything=True)),
    ("chưa xong", ("1c", "2c"), not_done("1c", "2c")),
    ("vâng", ("1c", "2c"), command(Verb.SEEN, "1c", "2c")),
    (
        "không có gì phát sinh",
        ("1a", "1e"),
        command(Verb.UPDATE, "1a", "1e", everything=True, note="không có gì phát sinh"),
    ),
]


@pytest.mark.parametrize(("text", "tasks", "expected"), REPLIES)
def test_a_reply_needs_no_code(text: str, tasks: tuple[str, ...], expected: Command) -> None:
    """A reply means the one task of its message; of several, only if it says all."""
    assert understood(text, replying(*tasks)) == expected


ERRORS = [
    ("", Reason.EMPTY),
    (" \u200b\n", Reason.EMPTY),
    ("x" * 4097, Reason.TOO_LONG),
    ("abc xyz", Reason.NOT_UNDERSTOOD),
    ("xong", Reason.NEEDS_CODE),
    ("/done", Reason.NEEDS_CODE),
    ("/extend", Reason.NEEDS_CODE),
    ("trình ký", Reason.NEEDS_CODE),
    ("xong 9z", Reason.UNKNOWN_CODE),
    ("xong 1c, 9z", Reason.UNKNOWN_CODE),
    ("/done 7", Reason.UNKNOWN_CODE),
    ("2025/1c xong", Reason.UNKNOWN_CODE),
    ("xong 4a-4b", Reason.UNKNOWN_CODE),
    ("2", Reason.AMBIGUOUS_CODE),
    ("xong 2", Reason.AMBIGUOUS_CODE),
    ("việc 2", Reason.AMBIGUOUS_CODE),
    ("xong 1c 2", Reason.BARE_NUMBER),
    ("1c 2", Reason.BARE_NUMBER),
    ("xong 1d 5", Reason.BARE_NUMBER),
    ("/extend 1c 3", Reason.BARE_NUMBER),
    ("xong 1d kế hoạch", Reason.UNKNOWN_DELIVERABLE),
    ("gia hạn 1c 30/2", Reason.BAD_DATE),
    ("xong 1c ngày 30/02", Reason.BAD_DATE),
    ("/snooze 1c 0", Reason.BAD_DATE),
    ("/snooze 1c 500", Reason.BAD_DATE),
    ("/away 10/02-01/02", Reason.BAD_DATE),
    ("/away 31-05/02", Reason.BAD_DATE),
    ("xong 2c quý I", Reason.BAD_PERIOD),
    ("xong 2c tháng 13", Reason.BAD_PERIOD),
    ("xong BC quý II", Reason.BAD_PERIOD),
    ("xong 1c tháng 3", Reason.BAD_PERIOD),
    ("gia hạn 1c", Reason.NEEDS_DATE),
    ("/nhacsau 1c", Reason.NEEDS_DATE),
    ("/away", Reason.NEEDS_DATE),
    ("/reopen 1c", Reason.NEEDS_REASON),
    ("/note 1c", Reason.NEEDS_TEXT),
    ("cập nhật 1a", Reason.NEEDS_TEXT),
    ("cập nhật tất cả", Reason.NEEDS_TEXT),
    ("/bind xyz", Reason.UNKNOWN_UNIT),
    ("/xyzxyz 1c", Reason.UNKNOWN_COMMAND),
    ("/done@other_bot 1c", Reason.NOT_FOR_US),
]


@pytest.mark.parametrize(("text", "reason"), ERRORS)
def test_what_is_not_understood_says_why(text: str, reason: Reason) -> None:
    """Each refusal has its reason, and a sentence that says what to type instead."""
    assert refused(text) == reason


def test_several_tasks_in_the_message_ask_which() -> None:
    """A bare “xong” to a message about two tasks closes neither and names both."""
    result = parse("xong", TODAY, replying("1c", "2c"))
    assert not isinstance(result, Command)
    assert result.reason is Reason.WHICH_CODE
    assert result.targets == (Target(task="1c"), Target(task="2c"))
    assert "xong 1c" in result.say
    assert "xong 2c" in result.say


def test_an_unknown_command_names_the_nearest() -> None:
    """A slip in a command's name is answered with the command meant."""
    result = parse("/xnog 1c", TODAY, OFFICER)
    assert not isinstance(result, Command)
    assert "/xong" in result.say


def test_a_missing_reason_is_asked_for_once() -> None:
    """The form that is offered has one place for the reason."""
    result = parse("/molai 1c", TODAY, OFFICE)
    assert not isinstance(result, Command)
    assert result.say == "Cần một dòng lý do. Anh/chị nhắn: /molai 1c lý do"


@pytest.mark.parametrize("verb", [verb for verb in Verb if verb.row.example])
def test_the_form_that_a_verb_is_told_with_is_understood(verb: Verb) -> None:
    """As a command of this verb, once the reason is filled in."""
    form = verb.row.typed("1a" if verb is Verb.UPDATE else "1c")
    assert understood(form.replace("lý do", "thiếu chữ ký")).verb is verb


def test_bare_ascii_1d_may_be_1dd() -> None:
    """`1d` is 1d, and the command says that 1đ may have been meant; 1đ is sure."""
    assert understood("xong 1d").targets == (Target(task="1d", also_meant="1đ"),)
    assert understood("xong 1đ").targets == (Target(task="1đ"),)


@pytest.mark.parametrize("unit", [unit.id for unit in PLAN.units])
def test_a_range_never_leaves_the_senders_unit(unit: str) -> None:
    """Whatever the unit, a range over the whole plan names only work that it leads."""
    meaning = Meaning(plans=(PLAN,), units=(unit,))
    result = parse("xong 1a-6b", TODAY, meaning)
    own = [task.code for task in PLAN.tasks[:-1] if unit in task.lead]
    if not own:
        assert not isinstance(result, Command)
    else:
        assert isinstance(result, Command)
        assert [target.task for target in result.targets] == own
        assert result.listed_back


def test_a_day_without_a_year_is_the_near_one() -> None:
    """31/01 said in December is next year's; a day just past stays in this year."""
    said = understood("gia hạn 6b 10/01 chờ", OFFICE, date(2024, 12, 20))
    assert said.until == date(2025, 1, 10)
    assert understood("gia hạn 1c 28/01", OFFICER, TODAY).until == TODAY - timedelta(days=2)


@pytest.mark.parametrize(
    ("text", "sentence"),
    [
        (
            "/dathan",
            "Chưa rõ việc nào nên chưa ghi gì. Anh/chị nhắn kèm mã, ví dụ: /dathan 5a 15/9 lý do",
        ),
        (
            "/dathan 9z 15/9/2024 chờ",
            (
                "Kế hoạch không có việc 9z nên chưa ghi gì. Xem mã các việc: /viec. "
                "Ví dụ: /dathan 5a 15/9 lý do"
            ),
        ),
        (
            "/xacnhan",
            (
                "Chưa rõ việc nào nên chưa ghi gì. Anh/chị nhắn kèm mã, ví dụ: /xacnhan 4b; "
                "nhận tất cả, nhắn: /xacnhan tất cả"
            ),
        ),
        (
            "/giahan",
            (
                "Chưa rõ việc nào nên chưa ghi gì. Anh/chị nhắn kèm mã, ví dụ: "
                "gia hạn 2c 15/3 kèm lý do"
            ),
        ),
        (
            "/giahan 9z 15/3 chờ số liệu",
            (
                "Kế hoạch không có việc 9z nên chưa ghi gì. Xem mã các việc: /viec. "
                "Ví dụ: gia hạn 2c 15/3 kèm lý do"
            ),
        ),
        (
            "/nghiphep",
            (
                "Chưa rõ nghỉ từ ngày nào đến ngày nào nên chưa ghi gì. Anh/chị nhắn, ví dụ: "
                "/nghiphep 01/02-10/02; về sớm, nhắn: /nghiphep hủy"
            ),
        ),
    ],
)
def test_a_command_without_its_matter_gets_an_example_that_can_be_typed(
    text: str, sentence: str
) -> None:
    """One sentence, with the code of work that the command is about."""
    found = parse(text, TODAY, OFFICE)
    assert isinstance(found, CommandError)
    assert found.say == sentence
    example = re.search(r"[vV]í dụ: ([^;]+)", sentence)
    assert example is not None
    assert isinstance(parse(example[1], TODAY, OFFICE), Command)
