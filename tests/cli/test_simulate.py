"""`reminder simulate` and `reminder understand`, run as a user would from the checkout's root."""

from __future__ import annotations

import json
from datetime import date
from hashlib import sha256
from typing import Any

import pytest
from typer.testing import CliRunner

from reminder.cli import app
from tests.cli.test_plan import run
from tests.conftest import ROOT
from tests.domain import schedule_oracle as oracle

YEAR = ("--from", "2024-01-01", "--to", "2024-12-31")


@pytest.fixture(autouse=True)
def _at_the_root(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(ROOT)


def simulated(*arguments: str) -> list[dict[str, Any]]:
    return [json.loads(line) for line in run("simulate", *arguments, "--json").splitlines()]


def said(messages: list[dict[str, Any]]) -> oracle.Said:
    return {
        (m["at"], m["unit"], m["kind"]): {
            (i["task"], i["deliverable"], i["period"], i["due"], i["stage"]) for i in m["items"]
        }
        for m in messages
    }


def closed(**days: str) -> dict[tuple[str, int, str], date]:
    """`t1d_2=…`: the deliverable 2 of task 1d closed on that day, in the period 2024."""
    return {
        (name[1:].split("_")[0], int(name.split("_")[1]), "2024"): date.fromisoformat(day)
        for name, day in days.items()
    }


def test_the_year_in_json_equals_the_oracle() -> None:
    """With and without --done-on-due the whole year equals the oracle, item for item."""
    first, last = date(2024, 1, 1), date(2024, 12, 31)
    on_due = {p[:3]: p.due for p in oracle.all_parts()}
    assert said(simulated(*YEAR)) == oracle.schedule(first, last, {})
    assert said(simulated(*YEAR, "--done-on-due")) == oracle.schedule(first, last, on_due)


@pytest.mark.parametrize(
    ("arguments", "lines", "digest"),
    [
        ((), 638, "bcfde132eac51299f1293850fbbd2f95dbc2691129eec1e09bca6c829b549fac"),
        (
            ("--done-on-due",),
            211,
            "bf2ea82b599a3257b2c99543eb6ec7b1337a038dd5a510e96d6a82b41ae33cc1",
        ),
    ],
)
def test_the_year_does_not_change(arguments: tuple[str, ...], lines: int, digest: str) -> None:
    """The output for 2024 is the same, byte for byte, in every version (`sha256sum` of it)."""
    output = run("simulate", *YEAR, *arguments, "--json")
    assert output.count("\n") == lines
    assert sha256(output.encode()).hexdigest() == digest


def test_a_line_has_just_the_fields_that_are_promised() -> None:
    """One object a line: when, who is told, what kind, and the items with their stage."""
    assert simulated("--from", "2024-01-24", "--to", "2024-01-24", "--unit", "tu-phap") == [
        {
            "at": "2024-01-24T08:00:00+07:00",
            "unit": "tu-phap",
            "kind": "nudge",
            "items": [
                {
                    "plan": "cchc-2024",
                    "task": "1c",
                    "deliverable": 1,
                    "period": "2024",
                    "due": "2024-01-31",
                    "stage": "lead-7",
                }
            ],
        }
    ]


def test_what_is_done_falls_silent_at_four_in_the_afternoon() -> None:
    """--done takes what an officer may type after /done; that morning's nudge is still said."""
    done = closed(t1c_1="2024-01-30", t1d_2="2024-02-27", t2a_1="2024-03-05")
    done[("2c", 1, "2024-01")] = date(2024, 1, 31)
    done[("2c", 1, "2024-02")] = date(2024, 3, 4)
    found = simulated(
        *YEAR,
        *(
            "--done",
            "1c=2024-01-30",
            "--done",
            "1d quyết định=2024-02-27",
            "--done",
            "2a=05/03/2024",
        ),
        *("--done", "2c=2024-01-31", "--done", "2c tháng 2=2024-03-04"),
    )
    assert said(found) == oracle.schedule(date(2024, 1, 1), date(2024, 12, 31), done)


def test_one_unit_of_shared_work_is_done_alone() -> None:
    """`2c tư pháp` closes that unit's part: the other three are nudged on."""
    found = simulated(
        "--from", "2024-01-30", "--to", "2024-01-31", "--done", "2c tư pháp=2024-01-30"
    )
    told = {m["unit"] for m in found for i in m["items"] if i["task"] == "2c"}
    assert told == {"van-phong", "van-hoa-xa-hoi", "dia-chinh-xay-dung"}


@pytest.mark.parametrize(
    ("done", "told"),
    [
        (
            "1d=2024-01-30",
            "chưa đóng: 1d=2024-01-30: là việc nào? xin nêu tên: Báo cáo hệ thống hóa, ",
        ),
        (
            "2c=2024-03-04",
            "chưa đóng: 2c=2024-03-04: là việc nào? xin nêu kỳ: tháng 01, tháng 02, tháng 03",
        ),
        ("1c=2023-01-30", "chưa đóng: 1c=2023-01-30: ngoài những ngày được chạy thử"),
        (
            "6b=2024-01-30",
            "chưa đóng: 6b=2024-01-30: đến 2024-10-01 mới mở; muốn báo xong trước, xin nêu kỳ",
        ),
    ],
)
def test_a_close_that_comes_to_nothing_is_told(done: str, told: str) -> None:
    """The simulation goes on without it, and says why on the error stream."""
    result = CliRunner().invoke(app, ["simulate", *YEAR, "--done", done])
    assert (result.exit_code, result.stderr.startswith(told)) == (0, True), result.stderr


@pytest.mark.parametrize(
    ("arguments", "told"),
    [
        (["--done", "1c"], "xin ghi MÃ=NGÀY"),
        (["--done", "9z=2024-01-30"], "9z"),
        (["--done", "1c=30/02/2024"], "“30/02/2024” không phải ngày"),
        (["--unit", "tu-phat"], "có phải là “tu-phap”?"),
        (["--from", "2025-01-01"], "--to 2024-12-31 đứng trước --from 2025-01-01"),
    ],
)
def test_a_slip_on_the_command_line_is_one_clear_sentence(arguments: list[str], told: str) -> None:
    """What is wrong, and what to write instead; nothing is simulated."""
    result = CliRunner().invoke(app, ["simulate", *YEAR, *arguments])
    assert result.stdout == ""
    assert result.exit_code == 1
    assert told in str(result.exception)


def test_the_listing_reads_by_day() -> None:
    """For people: a heading a day, a line a message, the stages in words."""
    assert run("simulate", "--from", "2024-02-05", "--to", "2024-02-06", "--unit", "lanh-dao") == (
        "\nThứ Hai 05/02/2024\n"
        "  08:00  Lãnh đạo   báo quá hạn  1c (quá hạn 3 ngày); 2c 2024-01 (quá hạn 3 ngày)\n"
        "\n1 tin.\n"
    )
    assert run("simulate", "--from", "2024-02-08", "--to", "2024-02-14") == (
        "Không có tin nào trong những ngày này.\n"
    )


def test_understand_shows_what_a_message_means() -> None:
    """The parser's answer, for people and as JSON; nothing is done."""
    text = "Dạ em báo cáo, 1d quyết định đã xong ạ"
    told = run("understand", text, "--unit", "tu-phap").splitlines()
    assert told == ["lệnh: /done", "việc: 1d, phần 2, hay là 1đ"]
    assert json.loads(run("understand", "xong", "--reply-to", "1c", "--json")) == {
        "kind": "command",
        "verb": "done",
        "targets": [{"task": "1c"}],
    }
    assert json.loads(run("understand", "xong 9z", "--json"))["kind"] == "error"
