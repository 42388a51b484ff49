"""Laws of typed commands: any text has one meaning, and a command's own text means that command."""

from __future__ import annotations

import unicodedata

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from reminder.understanding.model import Command, CommandError, format_command
from reminder.understanding.parse import parse
from reminder.understanding.verbs import Verb
from tests.conftest import examples
from tests.understanding.commands_kit import OFFICE, OFFICER, PLAN, TODAY, closes, replying

CODES = [task.code for task in PLAN.tasks]
WORDS = """
    xong rồi chưa đã không ko mai sẽ gần trình ký chờ đang làm gửi báo cáo quyết định kế
    hoạch dạ ạ em nhé ok vâng cả hai tất còn lại bình thường cập nhật gia hạn nhắc sau
    hoàn tác ghi chú lý do vì đến tháng quý I 1 2 3 12 03 % ? , ; : . - / và nhưng số
    12/QĐ-UBND 15/BC-UBND 30/01 31/02 15/3/2024 2024-03 2024-Q1 ngày tuần nữa phần thứ sáu
    tư pháp văn phòng 1d9 1dd 1.đ 9z 2h bc năm /done /update /extend /note /snooze /setdue
    ✅ @reminder_bot đâu thẩm định văn bản buổi
"""
WORD = st.one_of(st.sampled_from([*WORDS.split(), "\n"]), st.sampled_from(CODES))
SPOKEN = st.lists(WORD, min_size=1, max_size=14).map(" ".join)
SENDERS = st.sampled_from([OFFICER, OFFICE, replying("1c"), replying("1d", "1a")])
NEGATIONS = ["chưa", "chua", "không", "ko", "chưa xong", "gần xong", "80%", "sắp", "?", "mai"]

steady = settings(deadline=None, derandomize=True, suppress_health_check=[HealthCheck.too_slow])


@steady
@given(st.text(max_size=300), SENDERS)
def test_any_text_has_a_meaning(text: str, sender: object) -> None:
    """Any text at all gives a Command or a CommandError with something to say."""
    result = parse(text, TODAY, sender)  # type: ignore[arg-type]
    assert isinstance(result, Command) or (isinstance(result, CommandError) and result.say)


@settings(steady, max_examples=examples(250))
@given(SPOKEN, SENDERS)
def test_any_words_have_a_meaning(text: str, sender: object) -> None:
    """The vocabulary in any order never fails."""
    assert parse(text, TODAY, sender)  # type: ignore[arg-type]


@settings(steady, max_examples=examples(400))
@given(SPOKEN, st.sampled_from([OFFICER, OFFICE]))
def test_a_commands_text_means_the_command(text: str, sender: object) -> None:
    """`parse(format_command(c)) == c` for every command that a text can mean."""
    command = parse(text, TODAY, sender)  # type: ignore[arg-type]
    if isinstance(command, Command):
        written = format_command(command)
        assert parse(written, TODAY, sender) == command, written  # type: ignore[arg-type]


@steady
@given(SPOKEN)
def test_marks_composed_or_not_mean_the_same(text: str) -> None:
    """NFC and NFD are one text."""
    decomposed = unicodedata.normalize("NFD", text)
    assert parse(decomposed, TODAY, OFFICER) == parse(text, TODAY, OFFICER)


@pytest.mark.parametrize("code", CODES)
@pytest.mark.parametrize("negation", NEGATIONS)
@pytest.mark.parametrize("form", ["{code} xong {negation}", "{negation} xong {code}"])
def test_not_done_wins_for_every_task(code: str, negation: str, form: str) -> None:
    """No task of the plan is closed by a text that also says no, in part, later, or asks."""
    text = form.format(code=code, negation=negation)
    assert not closes(parse(text, TODAY, OFFICE)), text


@pytest.mark.parametrize("verb", list(Verb))
def test_each_verb_can_be_written(verb: Verb) -> None:
    """Every verb has a name with a slash."""
    assert format_command(Command(verb=verb)).startswith("/")


@pytest.mark.parametrize(
    "piece",
    [
        "xong 1c ",
        "1",
        "1c, ",
        "1a-",
        "/",
        "\n",
        "12/QĐ-",
        "?",
        "(",
        "đ",
        "tháng ",
        "0/0/",
        "à\u0300",
    ],
)
def test_long_texts_are_read_once(piece: str) -> None:
    """The longest text allowed is read, in linear time; a longer one is refused unread."""
    assert parse((piece * 5000)[:4096], TODAY, OFFICER)
    longer = parse((piece * 10_000)[:10_000], TODAY, OFFICER)
    assert isinstance(longer, CommandError)
