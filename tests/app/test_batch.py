"""`reminder understand --batch`: each row on a fresh office, by the daemon's own way."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
from typer.testing import CliRunner

from reminder.app.batch import Row, answers, read_rows
from reminder.cli import app
from reminder.domain.errors import ReminderError

HEAD = "text\tsender\treply_to\tmoment\tbefore\twhere\tclass"


DONE = Row(sender="tu-phap", text="dạ 1c xong rồi ạ")
SEVERAL = Row(sender="tu-phap", text="xong 1d")
NAMED = Row(sender="tu-phap", text="xong rồi ạ", reply_to=("1d#1",))
UNDONE = Row(sender="tu-phap", text="hoàn tác 1c", before=("xong 1c",))
PLAIN = Row(sender="tu-phap", text="xong 1c")
OUTCOMES = (
    (Row(sender="tu-phap", text="/viec"), "answered"),
    (Row(sender="tu-phap", text="/trogiup"), "answered"),
    (Row(sender="tu-phap", text="xong 9z"), "refused"),
    (Row(sender="tu-phap", text="trưa nay ăn gì", group=True), "ignored"),
    (Row(sender="tu-phap", text="/xong 1c", group=True), "recorded"),
    (Row(sender="tu-phap", text="xong rồi", reply_to=("1c",)), "recorded"),
    (Row(sender="tu-phap", text="xong rồi", reply_to=("1c",), group=True), "recorded"),
    (UNDONE, "recorded"),
    (Row(sender="nobody", text="xong 1c"), "ignored"),
)


@pytest.fixture(scope="module")
def lines() -> dict[Row, dict[str, Any]]:
    """What comes of each of these, each on a fresh office."""
    rows = [DONE, SEVERAL, NAMED, PLAIN, *(row for row, _ in OUTCOMES)]
    return dict(zip(rows, answers(rows), strict=True))


def table(path: Path, *rows: str) -> Path:
    file = path / "rows.tsv"
    file.write_text("\n".join([HEAD, *rows, ""]), "utf-8")
    return file


def test_a_done_is_recorded_and_its_line_says_all(lines: dict[Row, dict[str, Any]]) -> None:
    """Text, outcome, events by the names of the log, no question, the reply."""
    line = lines[DONE]
    reply = line["reply"]
    assert line == {
        "reply": reply,
        "text": "dạ 1c xong rồi ạ",
        "outcome": "recorded",
        "events": [
            {
                "event": "done",
                "task": "1c",
                "deliverable": 1,
                "period": "2024",
                "until": None,
                "note": "",
                "evidence": "",
            }
        ],
        "question": None,
    }
    assert reply.startswith("✅ Đã ghi 1c Danh mục VBQPPL hết hiệu lực năm 2023: xong lúc 08:30")


def test_what_could_be_several_asks_and_a_tap_would_record_one(
    lines: dict[Row, dict[str, Any]],
) -> None:
    """1d has two products: nothing stands, and each button's record is a candidate, in order."""
    line = lines[SEVERAL]
    assert (line["outcome"], line["events"]) == ("asked", [])
    assert line["question"] == {
        "candidates": [
            {"event": "done", "task": "1d", "deliverable": 1, "period": "2024"},
            {"event": "done", "task": "1d", "deliverable": 2, "period": "2024"},
            {"event": "done", "task": "1đ", "deliverable": 1, "period": "2024"},
        ]
    }


def test_outcomes(lines: dict[Row, dict[str, Any]]) -> None:
    """Recorded, asked, refused, answered or ignored: the first that holds."""
    assert [(row, lines[row]["outcome"]) for row, _ in OUTCOMES] == list(OUTCOMES)


def test_a_reply_is_to_just_the_named_product(lines: dict[Row, dict[str, Any]]) -> None:
    """“1d#1” is a reminder of the report alone."""
    assert [(e["task"], e["deliverable"]) for e in lines[NAMED]["events"]] == [("1d", 1)]


def test_events_are_those_of_this_message_alone(lines: dict[Row, dict[str, Any]]) -> None:
    """What was said two minutes before stands on the ledger, and not in the line."""
    assert [e["event"] for e in lines[UNDONE]["events"]] == ["undone"]


def test_rows_do_not_see_each_other_and_keep_their_order(tmp_path: Path) -> None:
    """The same words twice do the same twice, at whichever moments; a broken row has its line."""
    file = table(
        tmp_path,
        "xong 1c\ttu-phap\t\t2024-03-08T10:00",
        "xong 1c\ttu-phap\t\t",
        "xong 1c\ttu-phap\t\tno day",
        "xong 1c\\nxong 1c\ttu-phap\t\t2024-01-26T09:00",
        "xong 1c\ttu-phap\t\t2024-03-08T10:00",
    )
    found = answers(read_rows(file))
    assert [line["outcome"] for line in found] == [
        *("recorded", "recorded", "ignored", "recorded", "recorded")
    ]
    assert found[0] == found[4]
    assert found[2]["error"].startswith("ValueError")
    assert found[3]["text"] == "xong 1c\nxong 1c"


def test_only_a_file_that_cannot_be_read_fails(tmp_path: Path) -> None:
    """Exit code 2 then; else 0, with a JSON object a line."""
    for content in (b"\xff\xfe", b"a\tb\nc\td\n"):
        (tmp_path / "bad.tsv").write_bytes(content)
        with pytest.raises(ReminderError):
            read_rows(tmp_path / "bad.tsv")
    run = CliRunner()
    assert run.invoke(app, ["understand", "--batch", str(tmp_path / "bad.tsv")]).exit_code == 2
    assert run.invoke(app, ["understand", "--batch", str(tmp_path / "no.tsv")]).exit_code == 2
    assert run.invoke(app, ["understand", "--mail", str(tmp_path / "no.eml")]).exit_code == 2
    file = table(tmp_path, "xong 1c\ttu-phap", "\x00\t")
    told = run.invoke(app, ["understand", "--batch", str(file), "--json"])
    assert told.exit_code == 0
    assert [json.loads(line)["outcome"] for line in told.stdout.splitlines()] == [
        *("recorded", "ignored")
    ]


def test_nothing_of_this_machine_is_read_or_written(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, lines: dict[Row, dict[str, Any]]
) -> None:
    """Another plan, calendar and settings in the folder change nothing; no file is made."""
    for name in ("data/plan2024.toml", "config/calendar.toml", "config/reminder.toml"):
        file = tmp_path / name
        file.parent.mkdir(exist_ok=True)
        file.write_text("no TOML", "utf-8")
    files = sorted(tmp_path.rglob("*"))
    monkeypatch.chdir(tmp_path)
    assert answers([PLAIN]) == [lines[PLAIN]]
    assert sorted(tmp_path.rglob("*")) == files


def test_a_mail_is_judged_and_an_answer_is_taken(tmp_path: Path) -> None:
    """The placeholders are the reminder's own marks; another officer's answer is forged."""
    mail = (
        "Authentication-Results: mx.phuong.example.vn; dmarc=pass header.from=phuong.example.vn\r\n"
        "From: {}@phuong.example.vn\r\nTo: nhacviec+reply@phuong.example.vn\r\n"
        "Message-ID: <1@client.example>\r\nIn-Reply-To: <reply@phuong.example.vn>\r\n"
        "Subject: Re: x\r\n\r\nxong 1c\r\n"
    )
    (tmp_path / "an.eml").write_text(mail.format("an"), "utf-8")
    (tmp_path / "dung.eml").write_text(mail.format("dung"), "utf-8")
    file = tmp_path / "mails.tsv"
    file.write_text(
        "mail\tsender\treply_to\nan.eml\ttu-phap\t1c\ndung.eml\ttu-phap\t1c\nno.eml\ttu-phap\t1c\n",
        "utf-8",
    )
    found = answers(read_rows(file))
    assert [(line["judged"], line["text"], line["outcome"]) for line in found] == [
        ("answer", "xong 1c", "recorded"),
        ("forged", "", "ignored"),
        ("other", "", "ignored"),
    ]
    told = CliRunner().invoke(
        app, ["understand", "--mail", str(tmp_path / "an.eml"), "--reply-to", "1c", "--json"]
    )
    assert json.loads(told.stdout) == found[0]
