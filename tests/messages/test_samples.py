"""The samples in docs/ are what the code renders."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from reminder.messages import compose
from reminder.understanding.verbs import Verb
from tests.messages import samples

MESSAGES = samples.messages()


def test_the_samples_in_the_docs_are_the_codes_own() -> None:
    """Run `python -m tests.messages.samples` after a change of wording, and read the difference."""
    kept = {
        path: path.read_bytes().decode()
        for pattern in samples.PATTERNS
        for path in samples.FOLDER.glob(pattern)
    }
    assert kept == samples.files()


@pytest.mark.parametrize("name", MESSAGES)
def test_every_message_speaks_as_careful_colleagues_do(name: str) -> None:
    """“Quá hạn”, never “trễ” or “vi phạm”; no “em”; no raw markup; no half-filled place."""
    message = MESSAGES[name]
    for text in (message.text, message.subject):
        words = re.findall(r"\w+", text.lower())
        assert not {"trễ", "em", "none", "undefined"} & set(words)
        assert "vi phạm" not in text.lower()
        assert "<" not in text
        assert not re.search(r"\s[.,;:!]|\(\)|  |\.\.", text.replace("\n", "¶"))


_ENGLISH = frozenset(verb.row.name for verb in Verb if verb.row.names[1:])


@pytest.mark.parametrize("name", MESSAGES)
def test_commands_are_told_by_their_vietnamese_names(name: str) -> None:
    """/viec, not /tasks: what takes a name in both languages is never told in English."""
    message = MESSAGES[name]
    told = re.findall(r"(?<![\w/])/([a-z]+)", message.text + message.html)
    assert not _ENGLISH & set(told)


def test_no_template_holds_an_english_command() -> None:
    """Nor do the lines that no sample happens to show: “và 490 việc nữa: …”."""
    folder = Path(compose.__file__).parent
    told = {
        (path.name, word)
        for path in (*folder.glob("*.py"), *folder.glob("templates/*.j2"))
        for word in re.findall(r"(?<![\w/<])/([a-z]+)\b", path.read_text(encoding="utf-8"))
        if word in _ENGLISH
    }
    assert told == set()


@pytest.mark.parametrize("name", MESSAGES)
def test_every_button_can_be_typed(name: str) -> None:
    """The plain form offers in words what the buttons do; a nudge by an example."""
    message = MESSAGES[name]
    if message.actions and not name.startswith("nhac-"):
        first = message.actions[0][0].typed
        assert first.split()[0] in message.text


@pytest.mark.parametrize("name", MESSAGES)
def test_a_mail_loads_nothing(name: str) -> None:
    """No picture, no style sheet, no script, no link: only what stands in it."""
    page = MESSAGES[name].mail_html
    assert not re.search(r"<(img|link|script|style)|url\(|https?:", page)


@pytest.mark.parametrize("name", MESSAGES)
def test_dates_are_written_as_official_papers_do(name: str) -> None:
    """31/01 and 20/02, but 01/3: a zero before the months 1 and 2 only."""
    text = MESSAGES[name].text
    assert not re.search(
        r"\b\d{1,2}/0[3-9]\b|(?<![\d/])\d/\d|/[12]\b(?!\d)", re.sub(r"\d+/[A-ZĐ]", "", text)
    )
