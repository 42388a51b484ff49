"""What stands beside a verdict: questions, steps, citations, denials, counts, politeness."""

from __future__ import annotations

from dataclasses import replace
from datetime import date

import pytest

from reminder.understanding.model import Command, CommandError, Meaning, Reason
from reminder.understanding.parse import parse
from reminder.understanding.verbs import Verb
from tests.understanding.commands_kit import (
    OFFICE,
    OFFICER,
    TODAY,
    answer,
    closes,
    command,
    done,
    not_done,
    replying,
    t,
    understood,
)

ASKED = [
    "1c đã gửi cho ai vậy chị", "1c ai đã nộp", "1c đã xong hồi nào", "1c xong rồi à",
    "1c xong rồi hử", "1c xong hong", "1c xong hông", "1c xong k", "1c xong ko chi",
    "1c xong rồi đúng ko", "1c đã nộp ở đâu vậy", "xong 1c thì phải nộp cho ai ạ",
    "1c nop o dau", "1c là việc gì vậy", "1c xong r phải hông", "1c xong không", "1c xong khong",
    "1c đã gửi bản nào", "1c xong rồi sao",
]  # fmt: skip


@pytest.mark.parametrize("text", ASKED)
def test_a_question_word_beside_done_asks(text: str) -> None:
    """Who, where, when, which, and “à”, “hử”, “không” at the end make a question of “done”."""
    assert understood(text) == command(Verb.ASK, "1c")


@pytest.mark.parametrize(
    "text",
    [
        "1c xong roi a", "1c xong rồi ạ", "À, 1c xong rồi", "à 1c xong", "1c xong rồi à nha",
        "hi, 1c xong", "1c xong, ai cũng nhận được rồi",
    ],
)  # fmt: skip
def test_politeness_is_no_question(text: str) -> None:
    """A toneless “a” is “ạ”; “à” at the beginning only calls."""
    assert replace(understood(text), note="") == done("1c")


STEPS = [
    "1c xong bước 1", "1c xong bước rà soát", "1c xong phần rà soát", "1c xong khâu rà soát",
    "xong bước 1 1c", "1c đã xong giai đoạn 1", "1c xong đợt 2", "/done 1c bước 1",
    "xong phần rà soát của 1c", "1d xong phần in ấn", "1c bước 1 số 12/QĐ-UBND",
]  # fmt: skip


@pytest.mark.parametrize("text", STEPS)
@pytest.mark.parametrize("meaning", [OFFICER, OFFICE, replying("1c")])
def test_a_step_is_not_the_whole(text: str, meaning: Meaning) -> None:
    """“bước”, “khâu”, “giai đoạn”, “phần …” beside done: not done, or a question."""
    assert understood(text, meaning).verb in (Verb.NOT_DONE, Verb.CLAIM)


def test_a_part_of_the_plan_is_no_step() -> None:
    """“phần” and a name or number that the plan has is that part."""
    assert understood("1d xong phần báo cáo") == done(t("1d", 1))
    assert understood("1d xong phần 2") == done(t("1d", 2))


CITED = [
    "1c làm theo KH số 232/KH-UBND ngày 28/12/2023", "1c căn cứ QĐ 766/QĐ-TTg ngày 23/6/2023",
    "1c thực hiện theo CV 123/UBND-NV ngày 15/01/2024", "1c dựa vào CV 123/UBND-NV",
    "1c theo kế hoạch số 232/KH-UBND", "1c theo QĐ 15",
]  # fmt: skip


@pytest.mark.parametrize("text", CITED)
def test_a_paper_that_is_merely_cited_is_no_evidence(text: str) -> None:
    """A number behind “theo”, “căn cứ”, “dựa vào” is another paper's: a note."""
    assert understood(text) == command(Verb.NOTE, "1c", note=text.removeprefix("1c "))


def test_a_cited_paper_chooses_no_part() -> None:
    """Done by clear words, a citation is a remark; its day is the paper's unless still to come."""
    assert understood("1d xong theo QĐ 12/QĐ-UBND").targets == (t("1d"),)
    assert understood("1c đã xong theo KH số 232/KH-UBND").note == "theo KH số 232/KH-UBND"
    assert understood("1c xong theo KH 232/KH-UBND ngày mai").verb is Verb.NOT_DONE
    own = understood("1c đã xong theo KH 232/KH-UBND, số 12/QĐ-UBND")
    assert "12/QĐ-UBND" in own.evidence


DENIED = [
    ("xong 2a k phải 2b", done("2a")),
    ("xong 2a k phai 2b", done("2a")),
    ("xong 2a, không phải 2b", done("2a")),
    ("xong 1c ko phai 2c nha", done("1c")),
    ("xong 2a chứ không phải 2b", done("2a")),
    ("không phải 2b, xong 2a", done("2a")),
    ("xong 1c chứ chưa xong 2c", done("1c", also=(not_done("2c"),))),
    ("phải 2b, xong 2a", not_done("2b", also=(done("2a"),))),
    ("xong 1c, 1d chưa xong", done("1c", also=(not_done("1d"),))),
    ("không phải 1e, 1c mới xong ạ", done("1c")),
]


@pytest.mark.parametrize(("text", "expected"), DENIED)
def test_a_code_that_is_denied_is_not_closed(text: str, expected: Command) -> None:
    """“không phải 2b” says only that 2b is not meant; “chứ chưa” begins a clause of its own."""
    assert understood(text, OFFICE) == expected


CORRECTED = [
    ("nhầm, 1đ chứ không phải 1d", ("hoàn tác 1d", "xong 1dd")),
    ("nham, 1dd chu k phai 1d", ("hoàn tác 1d", "xong 1dd")),
    ("nhầm, 1c chứ ko phải 2c", ("hoàn tác 2c", "xong 1c")),
    ("nhầm, không phải 2c mà là 1c", ("hoàn tác 2c", "xong 1c")),
    ("nhầm, ý tôi là 1đ", ("hoàn tác", "xong 1dd")),
]


@pytest.mark.parametrize(("text", "typed"), CORRECTED)
def test_one_code_said_for_another_is_asked_about(text: str, typed: tuple[str, ...]) -> None:
    """A correction does nothing by itself and says what to type, one behind the other."""
    result = parse(text, TODAY, OFFICER)
    assert isinstance(result, CommandError)
    assert result.reason is Reason.NOT_UNDERSTOOD
    assert all(form in result.say for form in typed)


@pytest.mark.parametrize("text", ["ý tôi là 1đ", "ý em là 1đ", "e nói 1đ", "y toi la 1dd"])
@pytest.mark.parametrize("meaning", [OFFICER, replying("1d")])
def test_what_is_meant_is_no_answer(text: str, meaning: Meaning) -> None:
    """“Ý tôi là 1đ” (samples, 4) names the task; it closes nothing without “xong”."""
    assert understood(text, meaning) == command(Verb.TASK, "1đ")


def test_what_is_meant_may_be_done() -> None:
    """With clear words it is done; words before a code alone answer no check-in."""
    assert understood("ý tôi là xong 1dd") == done("1đ")
    assert understood("ý em là 1d xong") == done("1d")
    assert understood("ý tôi là chưa xong 1c") == not_done("1c")
    assert not closes(parse("chị xem 1a", TODAY, OFFICER))
    assert not closes(parse("1a là việc gì vậy", TODAY, OFFICER))


REPORTED = [
    ("bc cho chi: 2a xong", "2a"), ("bc anh Dũng 2a xong", "2a"), ("bc a 1d xong", "1d"),
    ("em xin báo cáo kết quả 1d đã xong", "1d"), ("báo cáo chị Hoa 1d xong ạ", "1d"),
    ("Dạ vâng, em xin bc anh Dũng kết quả 1d xong", "1d"), ("e bc 1d xong", "1d"),
]  # fmt: skip


@pytest.mark.parametrize(("text", "code"), REPORTED)
def test_reporting_politely_names_no_part(text: str, code: str) -> None:
    """“em xin báo cáo (cho) anh …”, “báo cáo kết quả” before a code are politeness."""
    assert understood(text) == done(code)


def test_a_report_that_was_sent_is_a_part() -> None:
    """A report is the part where it is what is done."""
    assert understood("đã gửi báo cáo 2a") == done(t("2a", 2))
    assert understood("xong báo cáo và quyết định 1d") == done(t("1d", 1, 2))


LISTED = [
    ("xong 2a, 2b vs 5c", done("2a", "2b", "5c")),
    ("báo xong 3 việc: 2a, 2b, 5c", done("2a", "2b", "5c")),
    ("da xong 2 viec 1c va 2c", done("1c", "2c")),
    ("xong 2 việc sau: 1c, 2c", done("1c", "2c")),
    ("sáng nay gửi 1c r nha c", done("1c")),
    ("đã nộp 1c r", done("1c")),
    ("2c t2 xong r", done(t("2c", period="2024-02"))),
    ("xong 2c t2", done(t("2c", period="2024-02"))),
    ("2c thg 2 xong", done(t("2c", period="2024-02"))),
]


@pytest.mark.parametrize(("text", "expected"), LISTED)
def test_short_words_of_chats(text: str, expected: Command) -> None:
    """“vs” is với, “r” is rồi, t2 behind monthly work a month; a count may precede its codes."""
    assert understood(text) == expected


def test_a_count_that_does_not_fit_closes_nothing() -> None:
    """Three said and two named is a doubt; t2 of other work is Monday."""
    assert not closes(parse("xong 3 việc: 1c, 2c", TODAY, OFFICER))
    assert not closes(parse("1c t2 xong", TODAY, OFFICER))


@pytest.mark.parametrize("text", ["gui r", "nộp r nhé", "r", "vừa nộp xong"])
def test_a_short_reply_is_done(text: str) -> None:
    """“r” behind what was done, in a reply."""
    assert understood(text, replying("1c")) == done("1c")


APART = [
    "1d báo cáo xong, quyết định chưa",
    "1d báo cáo xong. Quyết định chưa xong.",
    "1d báo cáo rồi, quyết định chưa",
    "bc 1d xong, qđ thì chưa",
    "báo cáo 1d đã gửi, quyết định chưa xong",
]


@pytest.mark.parametrize("text", APART)
def test_parts_of_one_task_are_told_apart(text: str) -> None:
    """Each part that is named with a verdict of its own has it."""
    said = understood(text)
    assert (said.verb, said.targets) == (Verb.DONE, (t("1d", 1),))
    assert [(each.verb, each.targets) for each in said.also] == [(Verb.NOT_DONE, (t("1d", 2),))]


LEFT = [
    ("1d xong báo cáo, còn qđ", ""),
    ("1d báo cáo xong rồi, còn quyết định mai nộp", "quyết định mai nộp"),
    ("1d bao cao r con quyet dinh mai nop", "quyet dinh mai nop"),
]


@pytest.mark.parametrize(("text", "note"), LEFT)
def test_a_part_that_is_left_stays_open(text: str, note: str) -> None:
    """What is only still to come is kept in words with the part that is done."""
    assert understood(text) == done(t("1d", 1), note=note)


def test_a_report_that_was_made_is_the_part_only_beside_another_part() -> None:
    """“báo cáo rồi” alone says that it was told; of work without a report it names nothing."""
    assert understood("1d báo cáo rồi") == done("1d")
    assert understood("1d quyết định chưa, báo cáo rồi").also == (done(t("1d", 1)),)
    assert not closes(parse("2a báo cáo rồi, kế hoạch chưa", TODAY, OFFICER))
    assert not closes(parse("1c báo cáo rồi, còn số liệu chưa có", TODAY, OFFICER))


HOURS = ["16h", "16g", "16h30", "16 giờ", "lúc 16h", "khoảng 4 giờ chiều", "lúc 2h"]


@pytest.mark.parametrize("hour", HOURS)
@pytest.mark.parametrize("form", ["1c {} xong", "1c xong {}", "{} xong 1c", "xong 1c {}"])
def test_an_hour_without_a_word_of_the_past_closes_nothing(hour: str, form: str) -> None:
    """It may be still to come, and nothing here knows what hour it is."""
    assert not closes(parse(form.format(hour), TODAY, OFFICER))


@pytest.mark.parametrize(
    "text",
    [
        "1c đã xong lúc 16h", "1c xong lúc 16h rồi", "1c xong rồi, lúc 16h30",
        "1c 16h hôm qua xong", "1c vừa xong lúc 9h", "1c lúc 16:30 đã xong",
        "1c xong 16h ngày 29/01",
        "/done 1c lúc 16h", "1c đã nộp số 12/QĐ-UBND lúc 16h", "1c xong số 12/QĐ-UBND lúc 16h",
    ],
)  # fmt: skip
def test_an_hour_that_has_gone_by_is_told(text: str) -> None:
    """“đã”, “rồi”, “vừa”, a past day, a paper's number and the command itself say so."""
    said = understood(text)
    assert (said.verb, said.targets) == (Verb.DONE, (t("1c"),))


@pytest.mark.parametrize(
    "text",
    [
        "tuyên truyền cho ai cần biết 2 buổi", "3 văn bản, ai cần thì hỏi",
        "bao nhiêu cũng giải quyết, 3 hồ sơ", "họp 3 cuộc lúc 14h", "tổ chức xong 2 buổi lúc 14h",
    ],
)  # fmt: skip
def test_anybody_and_any_hour_in_an_answer_ask_nothing(text: str) -> None:
    """“ai cần”, “bao nhiêu cũng” name everybody and everything; an hour is when it was."""
    assert understood(f"1a {text}") == answer(_1a=text)
    assert understood("1a ai làm").verb is Verb.ASK
    assert understood("1a bao nhiêu hồ sơ rồi").verb is Verb.ASK


@pytest.mark.parametrize(
    "text", ["1d báo cáo xong, quyết định chưa, vì thiếu số liệu", "1d báo cáo, quyết định chưa"]
)
def test_parts_not_told_apart_close_nothing(text: str) -> None:
    """What does not fall into one verdict a part stays not done as a whole."""
    assert not closes(parse(text, TODAY, OFFICER))


UPDATED = [
    (
        "/update 1a đã xong 3 văn bản, chưa xong 1",
        answer(_1a="đã xong 3 văn bản, chưa xong 1"),
    ),
    ("/update 1a 3 văn bản, 1c xong", answer(_1a="3 văn bản, 1c xong")),
    ("/update 1e tuyên truyền cho ai cần", answer(_1e="tuyên truyền cho ai cần")),
    ("/update 1a 03 văn bản; 1e 2 buổi", answer(_1a="03 văn bản", _1e="2 buổi")),
    ("/update 1a 03 văn bản\n1e 2 buổi", answer(_1a="03 văn bản", _1e="2 buổi")),
    ("cập nhật 1a: 3 văn bản, 1e: 2 buổi", answer(_1a="3 văn bản", _1e="2 buổi")),
    ("/update 1e xong chưa?", command(Verb.ASK, "1e")),
]


@pytest.mark.parametrize(("text", "expected"), UPDATED)
def test_behind_update_all_is_text(text: str, expected: Command) -> None:
    """Up to “;” or a line's end, and up to a code with a colon of its own."""
    assert understood(text) == expected


def test_a_bot_without_a_known_name_is_meant() -> None:
    """Only where the bot's name is known can a command be for another."""
    nameless = Meaning(plans=OFFICER.plans, units=OFFICER.units)
    assert understood("/done@bot 5c", nameless) == done("5c")
    assert isinstance(parse("/done@bot 5c", TODAY, OFFICER), CommandError)


def test_a_room_is_no_code() -> None:
    """“phòng 2c” is where they met."""
    assert not closes(parse("phòng 2c họp xong rồi", TODAY, OFFICER))


@pytest.mark.parametrize("piece", ["em ", "anh ", "theo ", "không phải ", "báo cáo cho chị "])
def test_long_asides_are_read_once(piece: str) -> None:
    """Repeated politeness, citations and denials take no longer than other words."""
    assert parse((piece * 2000)[:4096], date(2024, 1, 30), OFFICER)


@pytest.mark.parametrize(
    ("text", "verb"),
    [
        ("2c phần em xong rồi nha chị", Verb.CLAIM),
        ("2c em xong phần mình rồi ạ", Verb.CLAIM),
        ("2c phần em chưa xong", Verb.NOT_DONE),
        ("2c cơ bản xong phần em", Verb.NOT_DONE),
        ("1c em xong phần em", Verb.NOT_DONE),
    ],
)
def test_the_own_part_of_shared_work_may_be_the_unit_s(text: str, verb: Verb) -> None:
    """Of work whose units each confirm theirs it is asked; of other work it is but a piece."""
    assert understood(text).verb is verb


@pytest.mark.parametrize(
    "text",
    [
        "1c em xin thêm 10 ngày nữa ạ, số liệu chưa về", "1c xin thêm 10 ngày, số liệu chưa về",
    ],
)  # fmt: skip
def test_a_reason_begins_behind_the_days(text: str) -> None:
    """“nữa ạ” belongs to the days."""
    assert understood(text) == command(Verb.EXTEND, "1c", days=10, note="số liệu chưa về")


@pytest.mark.parametrize(
    ("text", "evidence"),
    [
        ("xong 6a ke hoach, so 05/KH-UBND ngày 02/01", "so 05/KH-UBND ngày 02/01"),
        ("đã ký 1d quyết định, số 41/QĐ-UBND", "số 41/QĐ-UBND"),
        ("xong 1d quyết định số 41/QĐ-UBND", "quyết định số 41/QĐ-UBND"),
    ],
)
def test_the_product_s_name_is_no_part_of_its_paper(text: str, evidence: str) -> None:
    """Where a sign stands between the two; “quyết định số 41” is how papers are cited."""
    assert understood(text, OFFICE).evidence == evidence


@pytest.mark.parametrize(
    "text", ["1a cập nhật: thẩm định 03 văn bản", "1a cap nhat: thẩm định 03 văn bản"]
)
def test_the_word_for_an_update_is_no_part_of_it(text: str) -> None:
    assert understood(text) == answer(_1a="thẩm định 03 văn bản")
