"""Whatever a plan or a person writes, Telegram takes the message."""

from __future__ import annotations

from dataclasses import replace
from functools import cache

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from markupsafe import escape

from reminder.domain.ledger import EventKind
from reminder.domain.outbox import Outbound
from reminder.domain.payloads import Done, ExtensionAsked, NotYourUnit, WhichOccurrence
from reminder.domain.plan import Plan
from reminder.domain.schedule import MessageKind
from reminder.domain.text import clip_plain, units
from reminder.messages import escalation
from reminder.messages.compose import (
    BUTTON_BYTES,
    TELEGRAM_LONGEST,
    chat_parts,
    clip,
    plain,
)
from reminder.messages.nudge import nudge
from reminder.messages.rows import render
from tests.conftest import examples
from tests.fakes.telegram.html import parse_html
from tests.messages.office import answer, at, done, items, key, plan, said, scene

NASTY = st.one_of(
    st.text(max_size=80),
    st.sampled_from(
        ["<b>", "</b></b>", "&lt;", "a & b", "=1+1", "{{ 7*7 }}", "\u202eđảo", "🙂" * 9]
    ),
    st.sampled_from(["x" * 10_000, "<" * 10_000, "🙂" * 5_000, "@late x\n@gap", "e\u0301" * 400]),
)


def takes(message: Outbound) -> str:
    """The text that Telegram shows of `message`; fails where it would refuse it."""
    formatted = parse_html(message.html)
    assert 0 < len(formatted.text.encode("utf-16-le")) // 2 <= TELEGRAM_LONGEST
    assert len(message.html.encode()) <= 32_768
    for row in message.actions:
        assert all(0 < len(action.data.encode()) <= BUTTON_BYTES for action in row)
    return formatted.text


def titled(base: Plan, title: str, unit: str = "") -> Plan:
    tasks = tuple(replace(task, title=title) for task in base.tasks)
    units = tuple(replace(u, name=unit or u.name, short="") for u in base.units)
    return replace(base, tasks=tasks, units=units)


@settings(max_examples=examples(20), deadline=None)
@given(title=NASTY, unit=NASTY, note=NASTY)
def test_no_words_of_a_plan_or_a_person_break_a_message(title: str, unit: str, note: str) -> None:
    """Titles, names and notes are shown as text: valid HTML, within the limit, on their line."""
    noted = said(EventKind.NOTED, at("2024-02-01"), key("1c"), "tu-phap", note=note)
    asked = said(
        EventKind.EXTENSION_ASKED, at("2024-01-31"), key("1c"), "tu-phap", note=note,
        until=at("2024-02-09").date(),
    )  # fmt: skip
    context = scene("2024-02-05", [noted, asked], [titled(plan(), title, unit)])
    told = items(context, "lanh-dao", MessageKind.ESCALATION, [noted, asked])
    event = done(at("2024-02-05"), key("1c"), "tu-phap", by=note, evidence=note)
    messages = [
        nudge(context, {"tu-phap": items(context, "tu-phap")}),
        escalation.to_leaders(context, told),
        escalation.to_office(context, told),
        answer([note, title, unit]),
        *(
            render(context, payload)
            for payload in (
                Done(events=(event,), unit="tu-phap"),
                WhichOccurrence(keys=(key("1c"),), unit="tu-phap", instead=key("1đ")),
                NotYourUnit(key=key("1c")),
                ExtensionAsked(key=key("1c")),
            )
        ),
    ]
    for message in messages:
        assert message is not None
        takes(message)
        assert "<script" not in message.mail_html.lower()
        assert "\n" not in message.subject


@cache
def crowded(count: int) -> Plan:
    """The plan with `count` tasks of one unit, all due on 31/01."""
    base = plan()
    task = base.by_code["1c"]
    title = "Việc có tên dài cho vừa đúng sáu mươi chữ & dấu <ngoặc> nhọn"
    tasks = tuple(replace(task, code=f"{n}c", title=title) for n in range(1, count + 1))
    return replace(base, tasks=tasks)


@pytest.mark.parametrize("day", ["2024-01-31", "2024-02-01", "2024-01-26"])
def test_five_hundred_tasks_are_ten_in_full_and_a_number(day: str) -> None:
    """The ten most urgent, eight of them with buttons, then how many more there are."""
    context = scene(day, (), [crowded(500)])
    message = nudge(context, {"tu-phap": items(context, "tu-phap")})
    assert message is not None
    lines = takes(message).splitlines()
    assert sum(line.startswith("• ") for line in lines) == 10
    assert "và 490 việc nữa: /viec" in lines
    each = 2 if day == "2024-01-26" else 1  # on the due day and after it nothing is put off
    assert [len(row) for row in message.actions] == [each] * 8


def test_a_listing_is_cut_between_lines_and_says_how_many_are_missing() -> None:
    """The last listed lines go; what stands below them stays."""
    rows = [f"việc {n} " + "x" * 190 for n in range(40)]
    message = answer([*rows], subject="Danh sách")
    lines = takes(message).splitlines()
    kept = len(lines) - 1
    assert lines == [*rows[:kept], f"và {40 - kept} dòng nữa: /viec"]


@given(st.text(alphabet="ab<>&🙂 \n", max_size=30), st.integers(1, 400))
def test_a_finished_message_is_cut_without_breaking_a_tag(piece: str, times: int) -> None:
    """Even HTML that did not come from the templates stays valid and short enough."""
    markup = "\n".join([f"<b>{escape(piece)}</b> {escape(piece * 10)}"] * times)
    shown = plain(clip(markup))
    assert len(shown.encode("utf-16-le")) // 2 <= TELEGRAM_LONGEST
    parse_html(clip(markup) + ".")


@given(st.text(alphabet="a🙂", max_size=300), st.integers(1, 200))
def test_plain_text_is_cut_to_its_length(text: str, longest: int) -> None:
    """No more than allowed, and the beginning is kept."""
    cut = clip_plain(text, longest)
    assert text.startswith(cut)
    assert len(cut.encode("utf-16-le")) // 2 <= longest


WORDS = st.text(st.sampled_from("aăđ🙂 "), max_size=40)


@settings(max_examples=examples(100), deadline=None)
@given(lines=st.lists(WORDS, max_size=12), longest=st.integers(2, 30))
def test_a_long_message_is_divided_between_lines(lines: list[str], longest: int) -> None:
    """Each part fits; no letter is lost; a line that fits by itself is in one part whole."""
    text = "\n".join(lines)
    parts = chat_parts(Outbound(subject="", html="", text=text), longest)
    assert all(0 < units(part) <= longest for part in parts)
    assert "".join("".join(parts).split()) == "".join(text.split())
    told = [line for part in parts for line in part.split("\n")]
    assert {line for line in lines if line.strip() and units(line) <= longest} <= set(told)


def test_what_has_a_short_form_goes_in_that() -> None:
    """A digest goes into a chat in its few lines; words are divided between blanks."""
    digest = Outbound(subject="", html="", text="dài", short="một hai ba bốn\nnăm")
    assert chat_parts(digest, 8) == ["một hai", "ba bốn", "năm"]
    assert chat_parts(Outbound(subject="", html="", text="🙂🙂🙂"), 5) == ["🙂🙂", "🙂"]
