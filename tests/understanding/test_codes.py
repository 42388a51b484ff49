"""Codes of several pieces, as documents number their tasks: 1.1, 1.1.2, II.3, 3.1.a, A.5.

Only codes that the plan has count. Where a text reads both as a day and as a code it asks.
"""

from __future__ import annotations

from dataclasses import replace
from datetime import date

import pytest

from reminder.domain.plan import Plan
from reminder.understanding.model import Command, Meaning, Target
from reminder.understanding.parse import parse
from tests.understanding.commands_kit import PLAN

CODES = [
    *("1.1", "1.1.2", "1.2", "1.10", "2.3", "12.5", "II.3", "II.5", "IX.2"),
    *("3.1.a", "3.1.b", "3.1.d", "3.1.đ", "A.5", "1", "3b", "BC"),
]
DAY = date(2026, 3, 2)


def _plan() -> Plan:
    """A plan with `CODES`, each a one-off of Tư pháp."""
    like = PLAN.by_code["1c"]
    tasks = tuple(replace(like, code=code, title=f"Việc {n}") for n, code in enumerate(CODES))
    return replace(PLAN, id="ma-2026", year=2026, tasks=tasks)


OFFICER = Meaning(plans=(_plan(),), units=("tu-phap",))
OFFICE = Meaning(plans=(_plan(),), units=("van-phong",), office=True)


def read(text: str, meaning: Meaning = OFFICER) -> str:
    """What `text` means, in one line: “done 1.1, not-done 1.2”; “?” and the reason if it asks."""
    found = parse(text, DAY, meaning)
    if not isinstance(found, Command):
        return f"? {found.reason}"
    return ", ".join(_words(each) for each in (found, *found.also))


def _words(command: Command) -> str:
    codes = " ".join(target.task for target in command.targets)
    more = [f"{command.until:%d/%m}"] if command.until else []
    more += [f"+{command.days}"] if command.days else []
    more += [f"({command.evidence or command.note})"] if command.evidence or command.note else []
    listed = ["listed"] if command.listed_back else []
    return " ".join([str(command.verb), codes, *more, *listed])


@pytest.mark.parametrize(
    ("text", "meant"),
    [
        ("/done 1.1.2", "done 1.1.2"),
        ("xong II.3", "done II.3"),
        ("ii.3 xong", "done II.3"),
        ("xong II-3", "done II.3"),
        ("II/3 xong ạ", "done II.3"),
        ("IX.2. xong", "done IX.2"),
        ("xong a.5", "done A.5"),
        ("3.1.a xong rồi ạ", "done 3.1.a"),
        ("3.1a xong", "done 3.1.a"),
        ("xong 3.1.A.", "done 3.1.a"),
        ("3.1.dd xong", "done 3.1.đ"),
        ("mục 1.1 đã xong", "done 1.1"),
        ("việc 1.1.2 xong rồi", "done 1.1.2"),
        ("mục 3 phần II xong", "done II.3"),
        ("xong việc 3 mục II", "done II.3"),
        ("điểm a mục 3.1 xong", "done 3.1.a"),
        ("xong mục 3.1 điểm a", "done 3.1.a"),
        ("điểm 3.1.a xong", "done 3.1.a"),
        ("xong 2026/1.1", "done 1.1"),
        ("ma-2026/1.1.2 xong", "done 1.1.2"),
        ("1.1 rồi, 1.2 chưa", "done 1.1, not-done 1.2"),
        ("1.1 xong\n1.2 chưa xong", "done 1.1, not-done 1.2"),
        ("1.1 chưa, xong 1.2", "not-done 1.1, done 1.2"),
        ("xong 1.1, 1.2 và 3.1.a", "done 1.1 1.2 3.1.a"),
        ("xong 1.1,1.2", "done 1.1 1.2"),
        ("xong 1.1/1.2", "done 1.1 1.2"),
        ("xong 1.1+1.2", "done 1.1 1.2"),
        ("- 1.1: xong\n- 1.2 chưa", "done 1.1, not-done 1.2"),
        ("1.1; 1.2; 1.10 xong hết", "done 1.1 1.2 1.10"),
        ("xong 1.1 1.2 1.10", "done 1.1 1.2 1.10"),
        ("xong cả 1.1 và 1.2 rồi ạ", "done 1.1 1.2"),
        ("1.1-1.10 xong", "done 1.1 1.1.2 1.2 1.10 listed"),
        ("3.1.a-b xong", "done 3.1.a 3.1.b listed"),
        ("II.3-5 xong", "done II.3 II.5 listed"),
        ("trình ký 3.1.a", "submit 3.1.a"),
        ("hoàn tác II.3", "undo II.3"),
        ("/nhiemvu 1.1", "task 1.1"),
        ("việc ii.3", "task II.3"),
        ("/han 1.10", "due 1.10"),
        ("lịch sử 1.1.2", "history 1.1.2"),
        ("cập nhật 1.1 giải ngân 2.3 tỷ", "update 1.1"),
        ("suýt xong 1.1", "not-done 1.1"),
        ("nghe nói 1.1 xong rồi", "claim 1.1 (xong rồi)"),
    ],
)
def test_codes_in_pieces_are_read_as_people_type_them(text: str, meant: str) -> None:
    """In any letter case, however joined, several at once, behind every verb."""
    assert read(text) == meant


@pytest.mark.parametrize(
    ("text", "meant"),
    [
        ("xong 2.3", "done 2.3"),  # as a day it would name no work
        ("xong ngày 2.3", "? needs-code"),
        ("xong 1.2 ngày 2.3", "done 1.2 (ngày 2.3)"),
        ("1.1 xong hôm 1.2", "done 1.1 (hôm 1.2)"),
        ("hôm 2.3 em nộp 1.1 rồi", "done 1.1 (hôm 2.3)"),
        ("xong 1.1.2026", "? needs-code"),
        ("xong 1.1 ngày 1.1.2026", "done 1.1 (ngày 1.1.2026)"),
        ("xong 01.02", "? needs-code"),
        ("xong 1.1 số 15/QĐ-UBND ngày 2.3", "done 1.1 (số 15/QĐ-UBND ngày 2.3)"),
        ("xong 1.1 QĐ 15/QĐ-UBND 2.3", "done 1.1 (QĐ 15/QĐ-UBND 2.3)"),
        ("gia hạn 1.1 15.3 chờ số liệu", "extend 1.1 15/03 (chờ số liệu)"),
        ("gia hạn 1.1 đến 12.5", "extend 1.1 12/05"),
        ("gia hạn 1.1, 1.2 12.5", "extend 1.1 1.2 12/05"),
        ("lùi 1.1 tới 12.5 nhé", "extend 1.1 12/05"),
        ("xin thêm 3 ngày cho 1.1", "extend 1.1 +3 (cho)"),
        ("nhắc sau 2.3 3", "snooze 2.3 +3"),
        ("nghỉ phép 12.5", "away  12/05"),
        ("từ 1.1 đến 2.3 em xin nghỉ phép", "away  02/03"),
        ("1.1 xong 2.3", "? ambiguous-code"),
        ("1.1 xong, 2.3", "? ambiguous-code"),
        ("1.1 xong, 2.3 chưa", "done 1.1, not-done 2.3"),
        ("xong II.3 2.3", "? ambiguous-code"),
        ("xong 1.1 1.2", "? ambiguous-code"),
        ("xong 1.1 việc 2.3", "done 1.1 2.3"),
        ("xong 1,1", "? ambiguous-code"),
    ],
)
def test_a_code_is_no_day_and_a_day_no_code(text: str, meant: str) -> None:
    """What stands around “2.3” tells; where it may be both, the text asks and records nothing."""
    assert read(text) == meant


@pytest.mark.parametrize(
    ("text", "meant"),
    [
        ("/dathan 1.1 12.5 chờ 1.2", "setdue 1.1 12/05 (chờ 1.2)"),
        ("/dathan 2.3 12.5", "setdue 2.3 12/05"),
        ("đặt hạn 3.1.a ngày 15/9", "setdue 3.1.a 15/09"),
        ("đồng ý 1.1 12.5", "? ambiguous-code"),
        ("/dongy 1.1 ngày 12.5", "approve 1.1 12/05"),
        ("/molai 1.1 thiếu phụ lục 1.2", "reopen 1.1 (thiếu phụ lục 1.2)"),
    ],
)
def test_the_offices_verbs_tell_codes_and_days_apart(text: str, meant: str) -> None:
    """A day that the verb needs is the one that stands behind the code."""
    assert read(text, OFFICE) == meant


@pytest.mark.parametrize(
    ("text", "meant"),
    [
        ("xong 2.3", "? ambiguous-code"),  # done on 2 March, or 2.3 done
        ("2.3 xong rồi ạ", "? ambiguous-code"),
        ("xong ngày 2.3", "done II.5 (ngày 2.3)"),
        ("xong việc 2.3", "done 2.3"),
        ("gia hạn 12.5", "extend II.5 12/05"),
        ("xong II.3", "done II.3"),
    ],
)
def test_in_a_reply_a_day_may_be_of_the_work_replied_to(text: str, meant: str) -> None:
    """In an answer to II.5 a bare “2.3” is a day as well; in one to 2.3 itself it is not."""
    reply = replace(OFFICER, reply_to=(Target(task="II.5"),), is_reply=True)
    assert read(text, reply) == meant
    own = replace(OFFICER, reply_to=(Target(task="2.3"),), is_reply=True)
    assert read("xong 2.3", own) == "done 2.3"


@pytest.mark.parametrize(
    "text",
    [
        "gửi 1.2 triệu",
        "1.2 tỷ đồng đã giải ngân",
        "đạt 1.2% xong",
        "xong 1.2 km đường",
        "lúc 1.10 em gửi xong",
        "xong v2.3",
        "xong 1.1@ubnd.vn",
        "gọi 0912.1.1 xong",
        "http://x.vn/1.1 xong",
        "xong 15/1.1",
        "192.168.1.1 xong",
        "đã chi 1.200.000 xong",
        "xong khổ giấy A5",
        "xong 5.1",
        "xong 1.1.1.1.1.1.1.2",
    ],
)
def test_figures_are_no_codes(text: str) -> None:
    """Money, measures, hours, addresses and what the plan doesn't have: nothing is recorded."""
    assert read(text).startswith("?")


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("xong 9.9.9", "Kế hoạch không có việc 9.9.9"),
        ("xong II.9", "Kế hoạch không có việc II.9"),
        ("xong 3", "Mục 3 có nhiều việc (3.1.a, 3.1.b, 3.1.d, 3.1.đ, 3b)"),
        ("xong II.3 2.3", "“2.3” có thể là việc 2.3 hoặc ngày 02/3"),
    ],
)
def test_a_code_that_is_not_clear_is_told(text: str, said: str) -> None:
    """By the code as it was typed, with what to type instead."""
    found = parse(text, DAY, OFFICER)
    assert not isinstance(found, Command)
    assert found.say.startswith(said)


def test_an_unmarked_d_may_mean_a_stroked_one() -> None:
    """3.1.d is 3.1.d, and says that 3.1.đ may have been meant."""
    found = parse("xong 3.1.d", DAY, OFFICER)
    assert isinstance(found, Command)
    assert found.targets == (Target(task="3.1.d", also_meant="3.1.đ"),)
