"""How an answer is read: each rule in a sentence, with the examples that led to it."""

from __future__ import annotations

from dataclasses import replace
from datetime import date

import pytest

from reminder.understanding.model import Command, CommandError, Meaning, Target
from reminder.understanding.parse import parse, yes_or_no
from reminder.understanding.titles import by_title
from reminder.understanding.verbs import Verb
from tests.understanding.commands_kit import OFFICER, PLAN, closes, done, replying, t

DAY = date(2024, 3, 6)


def said(text: str, meaning: Meaning = OFFICER, day: date = DAY) -> Command:
    found = parse(text, day, meaning)
    assert isinstance(found, Command), f"{text!r}: {found}"
    return found


NOT_UNDERSTOOD = [
    "suýt xong 1c", "1c sếp ký là xong", "nghe nói 1c xong rồi", "lm j có 1c nào xong",
    "1c ch xong", "chwa xong 1c", "1c kh xong", "1c hong xong nổi", "họp xong e làm 1c",
    "xong 1c đi em", "1c tối xong", "1c xong bản word", "giá mà 1c xong rồi",
    "1c xong flibber", "1c quăng xong", "đã gửi 1c cho ông hàng xóm", "1c in xong rồi",
]  # fmt: skip


@pytest.mark.parametrize("text", NOT_UNDERSTOOD)
@pytest.mark.parametrize("meaning", [OFFICER, replying("1c")], ids=["new", "reply"])
def test_a_statement_closes_only_if_every_word_is_understood(text: str, meaning: Meaning) -> None:
    """Rule 1: an unknown word beside “xong” makes a question of it, or less."""
    assert not closes(parse(text, DAY, meaning))


UNDERSTOOD = [
    "1c xong rồi nhé chị Mai", "1c xong rồi, không còn gì vướng", "1c xong trễ 3 ngày",
    "1c đã nộp, chờ phản hồi", "1c xong rồi a Hải ơi", "1c xong rồi, có gì anh nhắn em nhé",
    "1c xong rồi sao máy cứ nhắc", "đã gửi 1c cho VP rồi ạ", "1c hoàn thành đúng hạn ạ",
]  # fmt: skip


@pytest.mark.parametrize("text", UNDERSTOOD)
def test_harmless_words_take_nothing_from_a_statement(text: str) -> None:
    """Rule 1: politeness, names, remarks, how and how late: it still closes at once."""
    assert replace(said(text), note="") == done("1c")


PLAIN = [
    "1c xong hết trơn rồi", "1c xong sớm hơn hạn", "1c xong, tuy hơi trễ", "mệt quá, 1c xong rồi",
    "1c cuối cùng cũng xong", "1c đã gửi bản cứng lên UBND", "1c xong rồi, có vướng gì anh cứ gọi",
    "bên tư pháp đã xong 1c", "1c hthành rồi", "em up 1c lên hệ thống rồi",
]  # fmt: skip


@pytest.mark.parametrize("text", PLAIN)
def test_everyday_talk_around_a_done_closes_at_once(text: str) -> None:
    """Rule 1: moods, hand-ins on paper, the own unit's name."""
    assert closes(parse(text, DAY, OFFICER))


@pytest.mark.parametrize(
    "text",
    [
        "1c xong bản cứng",
        "bên kia đã xong 1c",
        "1c xong ta mừng",
        "xong " * 800 + "1c",
        "gửi " * 800 + "1c",
    ],
)
def test_a_piece_another_or_too_much_of_it_is_no_statement(text: str) -> None:
    """Rule 1: a piece of the work, others' work, the same word a hundred times."""
    assert not closes(parse(text, DAY, OFFICER))


@pytest.mark.parametrize(("text", "is_done"), [("em làm rồi ạ", True), ("chị làm rồi", False)])
def test_i_have_done_it_is_done_only_of_oneself(text: str, is_done: bool) -> None:
    """Rule 5: in a reply, and said of nobody else."""
    assert closes(parse(text, DAY, replying("1c"))) == is_done


@pytest.mark.parametrize(
    ("text", "verb"),
    [
        ("sao 1c chưa xong", Verb.ASK),
        ("đã xong 1c chưa ta", Verb.ASK),
        ("1c làm theo mẫu nào", Verb.ASK),
        ("khi nào xong 1c", Verb.ASK),
        ("1c bữa nào xong em báo", Verb.NOT_DONE),
        ("1c xong mà chưa ai ký", Verb.NOT_DONE),
    ],
)
def test_a_question_is_answered_and_a_condition_is_not_done(text: str, verb: Verb) -> None:
    """Rule 11: nothing is noted of a question; a promise or a hindrance is kept."""
    assert said(text).verb is verb


def test_two_codes_may_have_a_verdict_each() -> None:
    """Rule 3: “xong 1c” stands, whatever is said of the next code."""
    assert said("xong 1c, 1d đang làm") == replace(
        done("1c"), also=(Command(verb=Verb.DOING, targets=(t("1d"),)),)
    )
    assert said("chưa xong 1c, 1d đang làm").verb is Verb.NOT_DONE


@pytest.mark.parametrize(
    "text",
    [
        "1c xin khất tới 20/3 ạ",
        "cho em khất 1c đến 20/3",
        "1c dời tới 20/3 được không anh",
        "1c em xin phép nộp trễ tới 20/3",
    ],
)
def test_putting_off_in_peoples_words_asks_for_an_extension(text: str) -> None:
    """Rule 10: a request, also where it is put as a question."""
    command = said(text)
    assert (command.verb, command.until, command.note) == (Verb.EXTEND, date(2024, 3, 20), "")


def test_the_officers_own_words_are_kept() -> None:
    """Rule 2: as the note of what is done, or of the question."""
    assert said("1c xong trễ 3 ngày").note == "trễ 3 ngày"
    assert said("1c xong phần bìa lá").note == "xong phần bìa lá"
    asked = said("1c quăng xong")
    assert (asked.verb, asked.note) == (Verb.CLAIM, "quăng xong")


def test_each_clause_has_its_own_verdict() -> None:
    """Rule 3: “1d xong báo cáo, còn qđ” closes the report and leaves the decision open."""
    assert said("1d xong báo cáo, còn qđ") == done(t("1d", 1))
    both = said("bc 1d xong, qđ thì chưa")
    assert (both.verb, both.targets) == (Verb.DONE, (t("1d", 1),))
    assert [(each.verb, each.targets) for each in both.also] == [(Verb.NOT_DONE, (t("1d", 2),))]
    assert said("1c xong rồi nhưng chưa gửi").verb is Verb.NOT_DONE
    assert said("1c xong rồi, mai gửi bản cứng") == done("1c", note="mai gửi bản cứng")
    assert said("1c mai gửi bản cứng").verb is Verb.NOT_DONE


SPELT = [
    "xong 1c roif aj", "ddax xong 1c", "d9a4 xong 1c ro62i a5", "1c xongg rồi", "1c xooong rồiii",
    "e xog 1c rùi c ơi", "hòan thành 1c", "1c đả xong", "xong1c", "1c xong zồi nha",
    "1c dc ban hành r",
]  # fmt: skip


@pytest.mark.parametrize("text", SPELT)
def test_one_spelling_stage_stands_before_everything(text: str) -> None:
    """Rule 4: Telex and VNI left undone, short forms, doubled letters, wrong tones."""
    assert said(text) == done("1c")


@pytest.mark.parametrize(
    "text", ["chuwa xong 1c", "1c chu7a xong", "1c chưaxong", "1c k0 xong", "1c khg xong đâu"]
)
def test_no_is_understood_however_it_is_spelt(text: str) -> None:
    """Rule 4: the same stage for “chưa” and “không”."""
    assert said(text).verb is Verb.NOT_DONE


@pytest.mark.parametrize(
    "text",
    [
        "làm xong 1c giúp chị nhé", "xong 1c đi em", "@Bình xong 1c nhé",
        "các em hoàn thành 1c đúng hạn",
        "nộp 1c cho chị nhé em", "sếp ký 1c rồi", "anh Tú bảo 1c xong rồi",
        "VP xong 2c tháng 2 rồi",
    ],
)  # fmt: skip
def test_an_order_hearsay_or_anothers_work_is_no_report(text: str) -> None:
    """Rule 5: to whom, and by whom."""
    assert not closes(parse(text, DAY, OFFICER))


def test_a_day_gone_by_is_done_and_one_to_come_a_promise() -> None:
    """Rule 6: also a day more than half a year back."""
    assert said("xong 1c hôm qua").note == "hôm qua"
    assert said("1c xong ngày 14/4", day=date(2024, 11, 20)) == done("1c", note="ngày 14/4")
    assert not closes(parse("1c xong ngày 14/4", DAY, OFFICER))
    assert not closes(parse("1c xong trước 15/3", DAY, OFFICER))


@pytest.mark.parametrize(
    "text",
    [
        "gọi em số 0912345678 xong 1c nhé", "mail em an1c@example.vn gửi rồi",
        "http://example.vn/1c xong",
        "phòng 2c hỏng điều hòa, thợ sửa xong rồi", "lớp 1c xong tiết rồi",
        "xe 2c chở xong hàng rồi",
    ],
)  # fmt: skip
def test_a_code_inside_something_else_is_no_code(text: str) -> None:
    """Rule 7: addresses, telephones, rooms, classes and cars."""
    assert not closes(parse(text, DAY, OFFICER))


WORK = [
    (
        Target(task=task.code, deliverables=(part.number,)),
        task.title,
        f"{task.title} {part.name} {part.product}",
    )
    for task in PLAN.tasks
    for part in task.deliverables
    if "tu-phap" in task.lead
]


@pytest.mark.parametrize(
    ("text", "first"),
    [
        ("danh mục vbqppl xong rồi", Target(task="1c", deliverables=(1,))),
        ("báo cáo hệ thống hóa đã gửi", Target(task="1d", deliverables=(1,))),
        ("tuyên truyền pháp luật được 3 buổi, 120 người", Target(task="1e", deliverables=(1,))),
    ],
)
def test_a_title_without_a_code_is_asked_about(text: str, first: Target) -> None:
    """Rule 8: never a close; the work that is meant is the first that is offered."""
    found = by_title(text, DAY, OFFICER, WORK)
    assert isinstance(found, Command)
    assert (found.verb, found.targets[0]) == (Verb.CLAIM, first)
    assert by_title("trưa nay ăn gì", DAY, OFFICER, WORK) is None


@pytest.mark.parametrize(
    "text", ["hủy cái vừa rồi", "e nhắn nhầm", "thu hồi 1c giúp em", "rút lại 1c"]
)
def test_a_correction_takes_back(text: str) -> None:
    """Rule 9: what was said last, or of the work that is named."""
    assert said(text).verb is Verb.UNDO


@pytest.mark.parametrize(
    ("text", "more"),
    [
        ("xin thêm 3 ngày cho 1c", {"days": 3}),
        ("1c ko kịp đâu, cho e đến 15/3", {"until": date(2024, 3, 15)}),
        ("xin GH 1c tới 20/3 do chưa có sl", {"until": date(2024, 3, 20)}),
        ("lùi 1c đến 10/4", {"until": date(2024, 4, 10)}),
    ],
)
def test_more_time_is_asked_for_in_peoples_words(text: str, more: dict[str, object]) -> None:
    """Rule 10: a request, with its day or its days."""
    found = said(text)
    assert found.verb is Verb.EXTEND
    assert {name: getattr(found, name) for name in more} == more


@pytest.mark.parametrize(
    ("text", "answer"),
    [
        ("đúng", True), ("đúng rồi ạ", True), ("vâng", True), ("phải", True), ("xong rồi", True),
        ("chưa", False), ("chưa ạ", False), ("dạ chưa xong", False), ("không phải", False),
        ("đúng không?", None), ("mai em gửi", None), ("đúng rồi, số 12/QĐ-UBND", None), ("", None),
    ],
)  # fmt: skip
def test_a_bare_answer_to_a_question(text: str, answer: bool | None) -> None:
    """“đúng”, “chưa”, politeness aside; anything else is read as any message."""
    assert yes_or_no(text) is answer


@pytest.mark.parametrize(
    "piece",
    [
        "xong ",
        "1c ",
        "xong 1c ",
        "\u202e1c xong ",
        "1̷c̸ ̶x̵o̴n̶g̷ ",
        "😀",
        "rồi ",
        "đã xong 1c đi ",
        "ch",
        "xongg",
        "1.1.2 ",
    ],
)
def test_whatever_is_sent_closes_nothing_by_length(piece: str) -> None:
    """4,096 characters of anything: read or refused, and never more than it says."""
    found = parse((piece * 4096)[:4096], DAY, OFFICER)
    assert isinstance(found, Command | CommandError)
    if isinstance(found, Command):
        assert {target.task for target in found.targets} <= {"1c"}
