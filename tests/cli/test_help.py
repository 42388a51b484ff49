"""Help pages and usage errors: one language, in every command."""

from __future__ import annotations

import re

import pytest
from typer.testing import CliRunner

from reminder.cli import app
from reminder.domain.outbox import STATE_WORDS
from tests.test_docs import commands

ENGLISH = re.compile(
    r"\b(the|an?|of|and|or|to|is|are|be|this|that|with|for|from|only|may|print|write|what|who|"
    r"all|each|one|line|options?|usage|commands?|arguments?|args|required|default|message|exit|"
    r"examples?|invalid|value|missing|such|requires?|got|unexpected|extra|try|error|did|you|mean|"
    r"input|should|valid|possible|does|not|take|as|its?|by|which|will)\b",
    re.IGNORECASE,
)
GROUPS = [(), ("plan",), ("outbox",)]


def english(text: str) -> list[str]:
    """The English words of a text; names of commands, options and files are none."""
    bare = re.sub(r"(?m)^  [a-z]+  +|--[a-z-]+|`[^`]*`|\S*[./_:]\S*\b|\bas BỘ-PHẬN\b", " ", text)
    return [found[0] for found in ENGLISH.finditer(bare)]


@pytest.mark.parametrize("command", [*GROUPS, *commands(app)], ids=" ".join)
def test_help_is_vietnamese(command: tuple[str, ...]) -> None:
    """No English word is left on a help page."""
    page = CliRunner().invoke(app, [*command, "--help"], prog_name="reminder")
    assert page.exit_code == 0
    text = page.stdout.split("Ví dụ:")[0]
    if command == ("understand",):
        text = text.replace("text hoặc mail, sender, reply_to", "")
    assert english(text) == []
    assert text.startswith(f"Cách dùng: {' '.join(('reminder', *command))} ")


@pytest.mark.parametrize(
    ("typed", "told"),
    [
        ("nope", "không có lệnh “nope”. Có lẽ là: note, snooze, reopen?"),
        ("plan nope", "không có lệnh “nope”."),
        ("-x", "không có tùy chọn -x."),
        ("status --conf", "không có tùy chọn --conf. Có lẽ là: --config, --json?"),
        ("status --config", "--config cần một giá trị đi kèm"),
        ("status --json=3", "--json không nhận giá trị nào"),
        ("status x y", "thừa: x y"),
        ("done 1c", "thiếu --by"),
        ("invite", "thiếu NGƯỜI"),
        ("outbox retry x", "SỐ: phải là một số"),
        ("outbox list --limit 0", "--limit: phải từ 1 trở lên"),
        ("revive an --channel sms", "--channel: giá trị phải là một trong telegram, zalo, email"),
        ("outbox list --state x", f"--state: giá trị phải là một trong {', '.join(STATE_WORDS)}"),
    ],
)
def test_usage_errors_are_vietnamese(typed: str, told: str) -> None:
    """Exit code 2; the usage where it is known, then one sentence."""
    result = CliRunner().invoke(app, typed.split(), prog_name="reminder")
    *before, last = result.stderr.splitlines()
    assert (result.exit_code, result.stdout, last) == (2, "", f"Lỗi: {told}")
    assert english("\n".join(before)) == []


@pytest.mark.parametrize("group", GROUPS, ids=" ".join)
def test_a_group_alone_shows_its_help(group: tuple[str, ...]) -> None:
    result = CliRunner().invoke(app, group, prog_name="reminder")
    assert (result.exit_code, result.stderr.split("\n", 1)[0]) == (
        2, f"Cách dùng: {' '.join(('reminder', *group))} [TÙY CHỌN] LỆNH [THAM SỐ]...",
    )  # fmt: skip


@pytest.mark.parametrize("group", [*GROUPS, ("people",), ("office",)], ids=" ".join)
def test_the_list_of_commands_cuts_no_sentence(group: tuple[str, ...]) -> None:
    """A long first sentence is wrapped."""
    page = CliRunner().invoke(app, [*group, "--help"], prog_name="reminder")
    listed = page.stdout.partition("\nLệnh:\n")[2].split("\n\n")[0]
    assert (bool(listed), [line for line in listed.splitlines() if line.endswith("...")]) == (
        True,
        [],
    )
