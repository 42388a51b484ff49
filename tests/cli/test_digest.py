"""`reminder digest`: shown, written and sent, of any week, on a real database."""

from __future__ import annotations

from datetime import date, datetime, time
from pathlib import Path

import pytest
from openpyxl import load_workbook

from reminder.domain.calendar import instant
from reminder.domain.ledger import Event, EventKind
from reminder.domain.outbox import RowState
from reminder.domain.payloads import Digest
from reminder.domain.plan import Key
from tests.cli.test_people import PEOPLE, Terminal

CHANNELS = """
[telegram]
token = "123456789:AAF-secret_of_the_bot"
[email]
host = "smtp.xa.example"
sender = "nhac@xa.example"
"""


def moment(day: str, clock: str = "09:00") -> datetime:
    return instant(date.fromisoformat(day), time.fromisoformat(clock))


def done(day: str, task: str, unit: str) -> Event:
    key = Key("cchc-2024", task, 1, "2024")
    return Event(at=moment(day), kind=EventKind.DONE, key=key, unit=unit, by="tp-1", channel="cli")


@pytest.fixture
def terminal(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Terminal:
    """Tuesday 20/02, 1c done in time, 4b late, and the report of 1d yesterday."""
    made = Terminal(tmp_path, monkeypatch, CHANNELS)
    with made.store() as store:
        for event in (
            done("2024-01-31", "1c", "tu-phap"),
            done("2024-02-02", "4b", "tai-chinh-ke-toan"),
            done("2024-02-19", "1d", "tu-phap"),
        ):
            store.record([event], unit_names={}, at=event.at)
        for channel, value in (("telegram", "5"), ("email", "vp@xa.example")):
            store.bind("vp-1", channel, value, moment("2024-01-22"))
    made.at(moment("2024-02-20"))
    return made


def test_it_is_printed_in_full(terminal: Terminal) -> None:
    """Now: figures, parts, and the chain's head, as the ledger has them."""
    text = terminal.run("digest")
    assert text.startswith("Tổng hợp tuần – Thứ Ba 20/02\n")
    assert "Xong đúng hạn: 2 (+1) · Xong quá hạn: 1 (±0)" in text
    with terminal.store() as store:
        assert f"Sổ ghi: 3 mục, mã mục cuối {store.head()[1][:16]} " in text
    assert terminal.run("digest", "--text") == text


def test_a_week_that_has_passed_shows_what_was_known_then(terminal: Terminal) -> None:
    """Any day of the week will do; the head is that of the ledger then."""
    text = terminal.run("digest", "--week", "2024-02-03")
    assert text.startswith("Tổng hợp tuần – Thứ Hai 29/01\n")
    assert "Xong đúng hạn: 0" in text
    assert "Sổ ghi: chưa có mục nào." in text
    assert terminal.run("digest", "--week", "29/01/2024") == text
    tet = terminal.run("digest", "--week", "2024-02-12")
    assert tet.startswith("Tổng hợp tuần – Thứ Năm 15/02\n")
    with terminal.store() as store:
        assert f"Sổ ghi: 2 mục, mã mục cuối {store.events()[1].hash[:16]} " in tet


@pytest.mark.parametrize(
    ("week", "sentence"),
    [
        (
            "2023-12-20",
            (
                "ngày 20/12/2023: Kế hoạch cải cách hành chính năm 2024 bắt đầu từ 01/01/2024, "
                "trước đó chưa có gì để tổng hợp"
            ),
        ),
        ("1999-01-01", "bắt đầu từ 01/01/2024"),
        ("2025-02-03", "được theo dõi đến hết 31/01/2025"),
        ("9999-12-31", "được theo dõi đến hết 31/01/2025"),
        ("2025-01-29", "không có ngày làm việc nào"),
        ("tuần sau", "“tuần sau” không phải ngày: xin ghi 2024-01-31 (hoặc 31/01/2024)"),
    ],
)
def test_a_week_of_which_there_is_nothing_to_tell(
    terminal: Terminal, week: str, sentence: str
) -> None:
    """One sentence: why, and from when or until when there is."""
    said = terminal.refused("digest", "--week", week)
    assert sentence in said
    assert "\n" not in said


def test_a_week_to_come_is_shown_as_the_ledger_stands(terminal: Terminal) -> None:
    """What would be late by then, if nothing more were said."""
    text = terminal.run("digest", "--week", "2024-03-04")
    assert text.startswith("Tổng hợp tuần – Thứ Hai 04/3\n")
    assert "QUÁ HẠN: " in text


def test_the_page_and_the_workbook_are_written(terminal: Terminal, tmp_path: Path) -> None:
    """Each alone prints only what was written; nothing of the mail's slots is left over."""
    page, book = tmp_path / "tong-hop.html", tmp_path / "ke-hoach.xlsx"
    assert terminal.run("digest", "--html", str(page), "--xlsx", str(book)) == (
        f"Đã ghi {book}\nĐã ghi {page}\n"
    )
    source = page.read_text(encoding="utf-8")
    assert "số liệu lúc 09:00 Thứ Ba 20/02/2024" in source
    assert "<!--footer-->" not in source
    sheet = load_workbook(book).worksheets[0]
    codes = {row[1].value for row in sheet.iter_rows()}
    assert {"1c", "1đ", "BC"} <= codes
    gone = tmp_path / "none" / "x.html"
    assert terminal.refused("digest", "--html", str(gone)).startswith(f"không ghi được {gone}: ")


def test_it_is_sent_once_a_day(terminal: Terminal) -> None:
    """Two rows for the office's one person, by each way; the second call adds nothing."""
    said = terminal.run("digest", "--send")
    assert said.splitlines() == [
        "Bản tổng hợp gửi tay ngày 20/02/2024:",
        "  vp-1 (telegram): chờ gửi",
        "  vp-1 (email): chờ gửi",
        "`reminder run` đang chạy sẽ gửi trong vòng một phút.",
    ]
    with terminal.store() as store:
        rows = store.rows(kind="digest")
        assert [row.state for row in rows] == [RowState.PENDING] * 2
        assert all(row.due_at == moment("2024-02-20") for row in rows)
        assert {row.draft.payload for row in rows} == {Digest(head=store.head())}
    terminal.at(moment("2024-02-20", "16:00"))
    assert terminal.run("digest", "--send") == said
    with terminal.store() as store:
        assert len(store.rows(kind="digest")) == 2
    terminal.at(moment("2024-02-21"))
    terminal.run("digest", "--send")
    with terminal.store() as store:
        assert len(store.rows(kind="digest")) == 4


def test_only_the_present_is_sent(terminal: Terminal) -> None:
    """A row is rendered when it is sent, so a past week can't be."""
    assert terminal.refused("digest", "--send", "--week", "2024-02-05") == (
        "--send gửi bản tổng hợp lúc này: xin bỏ --week"
    )


def test_an_office_with_nobody_is_told(terminal: Terminal) -> None:
    """Shown all the same, with a note; sending is refused."""
    others = PEOPLE[PEOPLE.index('[[person]]\nid = "tp-1"') :]
    (terminal.folder / "people.toml").write_text(others, encoding="utf-8")
    sentence = "bản tổng hợp không tới ai: Văn phòng (van-phong) chưa có người trong people.toml"
    assert "Tổng hợp tuần" in terminal.run("digest")
    assert terminal.refused("digest", "--send") == sentence
    with terminal.store() as store:
        assert store.rows(kind="digest") == []
