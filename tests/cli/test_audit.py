"""`reminder log --verify` and `--export`: run as an operator would, on a database tampered with."""

from __future__ import annotations

import csv
import io
import sqlite3
import stat
from collections.abc import Mapping
from contextlib import closing
from datetime import date, timedelta
from pathlib import Path
from typing import Any

import pytest

from reminder.documents.workbook import BOM
from reminder.domain.ledger import Event, EventKind
from reminder.domain.outbox import Draft, RowState
from reminder.domain.payloads import Digest, Done, Envelope, Nudge
from reminder.domain.plan import Key
from reminder.domain.schedule import Item, Stage
from reminder.store.ledger import GENESIS, link
from tests.cli.test_people import NOW, Terminal

KEY = Key("cchc-2024", "1c", 1, "2024")
SOUND = "Sổ ghi nguyên vẹn: 5 mục, mã mục cuối "
TO_DO = (
    "Việc cần làm: dừng `reminder run`; giữ nguyên tệp cơ sở dữ liệu để đối chiếu; tìm bản sao lưu "
    "mới nhất còn nguyên vẹn rồi lấy lại bằng `reminder restore`; xem ai ghi được "
    "vào máy này."
)


def noted(number: int) -> Event:
    at = NOW + timedelta(hours=number)
    return Event(at=at, kind=EventKind.NOTED, key=KEY, unit="tu-phap", by="tp-1", note=str(number))


class Audited(Terminal):
    """A terminal on a ledger of five notes, 09:00 to 13:00; the digest after the third told it."""

    def __init__(self, folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
        super().__init__(folder, monkeypatch)
        with self.store() as store:
            for number in range(5):
                store.record([noted(number)], unit_names={}, at=NOW)
                if number == 2:
                    self.told = store.head()
                    store.record([], unit_names={}, drafts=[digest(self.told)], at=NOW)
            self.head = store.head()

    def tamper(self, *statements: str) -> None:
        """Changes the file as somebody with a hand on the machine would."""
        with closing(sqlite3.connect(self.folder / "reminder.db")) as raw, raw:
            for statement in statements:
                raw.execute(statement)

    def forge(self, change: str) -> None:
        """`change`, and every hash made right again."""
        with closing(sqlite3.connect(self.folder / "reminder.db")) as raw, raw:
            raw.row_factory = sqlite3.Row
            raw.execute(change)
            last = GENESIS
            for row in raw.execute("SELECT * FROM event ORDER BY number").fetchall():
                last = link(last, dict(row))
                raw.execute("UPDATE event SET hash = ? WHERE number = ?", (last, row["number"]))
            number = raw.execute("SELECT max(number) FROM event").fetchone()[0]
            raw.execute("UPDATE head SET number = ?, hash = ?", (number, last))

    def broken(self, *more: str) -> list[str]:
        """The lines of a verification that fails, without what to do, which is always said."""
        *lines, last = self.refused("log", "--verify", *more).splitlines()
        assert last == TO_DO
        return lines


def digest(head: tuple[int, str]) -> Draft:
    return Draft(
        slot=NOW,
        recipient="vp-1",
        kind="digest",
        channel="email",
        payload=Digest(head=head),
        due_at=NOW,
    )


@pytest.fixture
def terminal(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Audited:
    return Audited(tmp_path, monkeypatch)


def test_a_ledger_that_nobody_touched(terminal: Audited) -> None:
    """Its number and hash in the digest's own form, and what it was held against."""
    number, last = terminal.head
    third, hash3 = terminal.told
    assert terminal.run("log", "--verify") == (
        f"{SOUND}{last[:16]}.\nKhớp với 1 mã trong các bản tổng hợp đã soạn. "
        "Mã trong thư đã nhận còn chắc hơn: --head SỐ:MÃ.\n"
    )
    typed = (f"{third}:{hash3[:12]}", f" {number} = {last.upper()} ")
    assert terminal.run("log", "--head", typed[0], "--head", typed[1]) == (
        f"{SOUND}{last[:16]}.\nKhớp với 1 mã trong các bản tổng hợp đã soạn và "
        f"mã nhập tay 3:{hash3[:12]} và mã nhập tay 5:{last[:16]}.\n"
    )


def test_an_empty_ledger(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Whole, and nothing to hold it against; a digest told of it then says nothing."""
    terminal = Terminal(tmp_path, monkeypatch)
    with terminal.store():
        pass  # made, as the first start does
    said = (
        "Sổ ghi nguyên vẹn: chưa có mục nào.\nChưa có mã nào của bản tổng hợp tuần để đối chiếu; "
        "mã in trong thư thì nhập tay: --head SỐ:MÃ.\n"
    )
    assert terminal.run("log", "--verify") == said
    with terminal.store() as store:
        store.record([], unit_names={}, drafts=[digest(store.head())], at=NOW)
    assert terminal.run("log", "--verify") == said


def test_a_changed_row(terminal: Audited) -> None:
    """Which, what it and its neighbour say of the time, what is sound, which head differs."""
    terminal.tamper("UPDATE event SET person = 'khac' WHERE number = 2")
    assert terminal.broken() == [
        "Sổ ghi KHÔNG còn nguyên vẹn, từ mục 2: nội dung mục này đã bị sửa sau khi ghi.",
        "Mục 1 ngay trước ghi lúc 09:00 30/01/2024. Mục 2 nay đề 10:00 30/01/2024.",
        "Mục 1 còn nguyên.",
        f"Trái với mã 3:{terminal.told[1][:16]} trong bản tổng hợp 30/01/2024 (tin số 1).",
    ]


def test_a_row_that_this_program_cannot_read(terminal: Audited) -> None:
    """Rubbish in a row stops no verification, and its own words reach no terminal."""
    terminal.tamper("UPDATE event SET at = '\x1b[2Jhôm qua', kind = '?' WHERE number = 5")
    assert terminal.broken() == [
        "Sổ ghi KHÔNG còn nguyên vẹn, từ mục 5: nội dung mục này đã bị sửa sau khi ghi.",
        "Mục 4 ngay trước ghi lúc 12:00 30/01/2024. Mục 5 nay đề giờ không đọc được.",
        "Các mục 1–4 còn nguyên.",
    ]
    assert "see “reminder log --verify”" in terminal.refused("log")


def test_a_missing_row(terminal: Audited) -> None:
    """In the middle; at the end with the head moved back, only a head told elsewhere knows."""
    terminal.tamper("DELETE FROM event WHERE number = 4")
    assert terminal.broken() == [
        "Sổ ghi KHÔNG còn nguyên vẹn, từ mục 4: mục này đã bị xóa khỏi sổ.",
        "Mục 3 ngay trước ghi lúc 11:00 30/01/2024. Mục còn lại kế tiếp đề 13:00 30/01/2024.",
        "Các mục 1–3 còn nguyên.",
    ]
    terminal.tamper("DELETE FROM event WHERE number = 5")
    terminal.forge("SELECT 1")
    assert terminal.run("log", "--verify").startswith("Sổ ghi nguyên vẹn: 3 mục")
    typed = f"5:{terminal.head[1][:16]}"
    assert terminal.broken("--head", typed) == [
        "Sổ ghi KHÔNG còn nguyên vẹn, từ mục 4: mục này đã bị xóa khỏi sổ.",
        "Mục 3 ngay trước ghi lúc 11:00 30/01/2024.",
        "Các mục 1–3 còn nguyên.",
        f"Trái với mã nhập tay {typed}.",
    ]


def test_an_added_row(terminal: Audited) -> None:
    """Hashed as it should be, but never counted by the head."""
    terminal.tamper("UPDATE head SET number = 4")
    assert terminal.broken() == [
        (
            "Sổ ghi KHÔNG còn nguyên vẹn, từ mục 5: mục này không do chương trình ghi: "
            "nó được thêm vào sau."
        ),
        "Mục cuối của sổ nay đề 13:00 30/01/2024.",
        "Các mục 1–4 còn nguyên.",
    ]


def test_a_ledger_rewritten_with_all_its_hashes(terminal: Audited) -> None:
    """The digest's head knows; with that forged too, the paper does, and bounds the forgery."""
    second = terminal_hash(terminal, 2)
    terminal.forge("UPDATE event SET person = 'khac' WHERE number = 3")
    told = f"3:{terminal.told[1][:16]}"
    assert terminal.broken() == [
        (
            "Sổ ghi KHÔNG còn nguyên vẹn, từ mục 3: cả sổ đến mục này đã bị viết lại. "
            "Chỗ sai nằm trong các mục 1–3."
        ),
        "Mục 2 ngay trước ghi lúc 10:00 30/01/2024. Mục 3 nay đề 11:00 30/01/2024.",
        f"Trái với mã {told} trong bản tổng hợp 30/01/2024 (tin số 1).",
    ]
    assert terminal.broken("--head", f"2:{second[:8]}")[0].endswith("Chỗ sai nằm trong mục này.")
    terminal.tamper("DELETE FROM outbox")
    assert terminal.run("log", "--verify").startswith(SOUND)
    assert terminal.broken("--head", told)[2] == f"Trái với mã nhập tay {told}."


def terminal_hash(terminal: Terminal, number: int) -> str:
    with terminal.store() as store:
        return store.events()[number - 1].hash


@pytest.mark.parametrize(
    "forged", ["[3]", '["3", "x"]', "7", '[-1, "' + "f" * 64 + '"]', f'[3, "{"F" * 64}"]', '""']
)
def test_a_head_that_no_digest_writes(forged: str, terminal: Audited) -> None:
    """In the place of a digest's head: the outbox itself was changed."""
    terminal.tamper(f"UPDATE outbox SET payload = '{{\"head\": {forged}}}'")
    assert terminal.refused("log", "--verify") == (
        "tin số 1 trong hàng đợi ghi một mã sổ mà máy không bao giờ ghi: "
        "cơ sở dữ liệu đã bị sửa; xin lấy lại bản sao lưu"
    )


@pytest.mark.parametrize("rubbish", ["payload = '{'", "slot = 'x'", "state = '?'"])
def test_an_outbox_that_cannot_be_read(rubbish: str, terminal: Audited) -> None:
    """One sentence, from every command that looks at it."""
    terminal.tamper(f"UPDATE outbox SET {rubbish}")
    for command in (("log", "--verify"), ("log", "--export", "x.csv"), ("outbox", "list")):
        assert terminal.refused(*command).startswith("row 1 of the table outbox can't be read (")


@pytest.mark.parametrize(
    ("arguments", "told"),
    [
        (("--head", "3"), "“3” không phải mã sổ: ghi số mục, dấu hai chấm và mã mục cuối"),
        (("--head", "3:ab12"), "“3:ab12” không phải mã sổ"),
        (("--head", "3:xyzxyzxyz"), "“3:xyzxyzxyz” không phải mã sổ"),
        (("--verify", "--task", "1c"), "--verify xem cả sổ: xin dùng riêng"),
        (("--export", "x.csv", "--json"), "--export ghi các tin nhắc, --json in các mục"),
        (("--since", "2024-02-01", "--until", "2024-01-01"), "--until 2024-01-01 đứng trước"),
        (("--since", "hôm qua"), "“hôm qua” không phải ngày"),
        (("--export", "/dev/null/x.csv"), "không ghi được /dev/null/x.csv: "),
    ],
)
def test_what_cannot_be_asked(arguments: tuple[str, ...], told: str, terminal: Audited) -> None:
    assert terminal.refused("log", *arguments).startswith(told)


def nudge(recipient: str, day: int, *codes: str, **changes: Any) -> Draft:
    slot = NOW + timedelta(days=day, hours=-1)
    keys = (Key("cchc-2024", code, 1, "2024") for code in codes)
    items = tuple(("tu-phap", Item(key, date(2024, 1, 31), Stage(0))) for key in keys)
    values: dict[str, Any] = {
        "kind": "nudge",
        "channel": "telegram",
        "payload": Nudge(items=items),
    }
    return Draft(slot=slot, recipient=recipient, due_at=slot, **{**values, **changes})


def rows_of(path: Path) -> list[Mapping[str, str]]:
    """The file as another program reads it."""
    content = path.read_bytes()
    assert content.startswith(BOM.encode())
    assert content.count(b"\n") == content.count(b"\r\n")
    return list(csv.DictReader(io.StringIO(content.decode("utf-8-sig"), newline="")))


@pytest.fixture
def told(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Terminal:
    """Three nudges: sent, sent by mail after one task had closed, and given up; and an answer."""
    terminal = Terminal(tmp_path, monkeypatch)
    reply = Done(events=(), unit="tu-phap")
    drafts = [
        nudge("tp-1", 0, "1c"),
        nudge("tp-1", 1, "1c", "1d", channel="email"),
        nudge("da-nghi", 2, "9z"),
        Draft(slot=NOW + timedelta(days=3), recipient="tp-1", kind="reply", channel="telegram",
              subject="telegram:7:0", payload=reply, envelope=Envelope(chat="-10042", reply_to="5"),
              due_at=NOW),
    ]  # fmt: skip
    done = Event(at=NOW, kind=EventKind.DONE, key=KEY, unit="tu-phap", by="tp-1")
    with terminal.store() as store:
        store.bind("tp-1", "telegram", "42", NOW - timedelta(days=9))
        store.bind("tp-1", "email", "moi@xa.example", NOW + timedelta(days=2))
        store.record([done], unit_names={}, drafts=drafts, at=NOW)
        after, hold = NOW + timedelta(days=5), timedelta(minutes=5)
        store.lease(after, 9, hold, ["telegram", "email"])  # the answer goes first
        first, second, third = store.lease(after, 9, hold, ["telegram", "email"])
        store.mark_sent(first, "+9001", NOW - timedelta(hours=1))
        store.mark_sent(second, "<m1@xa.example>", NOW + timedelta(days=1, minutes=5))
        store.mark_ended(third, RowState.DEAD, "chưa có địa chỉ", at=NOW)
    return terminal


def test_the_proof_of_notice(told: Terminal, tmp_path: Path) -> None:
    """Each message with each of its tasks, as it stood when it was sent; nothing that is a formula.

    An address is told only where it has been the same since; the mail's was bound later.
    """
    path = tmp_path / "bang-chung.csv"
    assert told.run("log", "--export", str(path)) == f"Đã ghi {path}: 5 dòng của 4 tin.\n"
    rows = rows_of(path)
    assert rows[0] == {
        "Tin số": "1",
        "Lượt": "2024-01-30T08:00:00+07:00",
        "Gửi lúc": "2024-01-30T08:00:00+07:00",
        "Mã người nhận": "tp-1",
        "Người nhận": "Công chức Tư pháp",
        "Kênh": "telegram",
        "Địa chỉ": "42",
        "Loại tin": "tin nhắc",
        "Bộ phận": "Tư pháp",
        "Kế hoạch": "cchc-2024",
        "Mã việc": "1c",
        "Phần": "1",
        "Kỳ": "năm 2024",
        "Việc": "Danh mục VBQPPL hết hiệu lực năm 2023",
        "Sản phẩm": "Quyết định công bố Danh mục",
        "Hạn": "2024-01-31",
        "Mốc nhắc": "đúng hạn",
        "Quá hạn (ngày làm việc)": "0",
        "Tình trạng": "đã gửi",
        "Số lần gửi": "1",
        "Mã của nhà cung cấp": "'+9001",
        "Ghi chú": "",
    }
    facts = ("Gửi lúc", "Mã người nhận", "Kênh", "Địa chỉ", "Mã việc", "Mã của nhà cung cấp",
             "Tình trạng", "Ghi chú")  # fmt: skip
    assert [[row[fact] for fact in facts] for row in rows[1:]] == [
        ["2024-01-31T09:05:00+07:00", "tp-1", "email", "", "1c", "<m1@xa.example>", "đã gửi",
         "không có trong tin: việc đã xong trước khi gửi"],
        ["2024-01-31T09:05:00+07:00", "tp-1", "email", "", "1d", "<m1@xa.example>", "đã gửi", ""],
        ["", "da-nghi", "telegram", "", "9z", "", "không gửi được", "chưa có địa chỉ"],
        ["", "tp-1", "telegram", "'-10042", "", "", "đang gửi", ""],
    ]  # fmt: skip
    assert rows[4]["Loại tin"] == "tin trả lời done"
    assert stat.S_IMODE(path.stat().st_mode) == 0o600


def test_a_part_of_the_proof(told: Terminal, tmp_path: Path) -> None:
    """By task and by days, both ends included; the plain log takes the days too."""
    path = tmp_path / "x.csv"

    def days(*arguments: str) -> list[str]:
        told.run("log", "--export", str(path), *arguments)
        return [f"{row['Lượt'][8:10]} {row['Mã việc']}".strip() for row in rows_of(path)]

    assert days("--task", "1c") == ["30 1c", "31 1c"]
    assert days("--since", "31/01/2024", "--until", "2024-02-01") == ["31 1c", "31 1d", "01 9z"]
    assert days("--task", "1d", "--until", "2024-01-30") == []
    assert told.run("log", "--since", "2024-01-31") == "Chưa ghi nhận việc gì.\n"
    assert "xong" in told.run("log", "--since", "2024-01-30", "--until", "2024-01-30")


@pytest.mark.parametrize("arguments", [["--verify"], ["--export", "x.csv"]])
def test_no_ledger_is_no_whole_ledger(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, arguments: list[str]
) -> None:
    """Typed in the wrong folder, neither calls an empty ledger sound, nor makes one."""
    terminal = Terminal(tmp_path, monkeypatch, started=False)
    said = terminal.refused("log", *arguments)
    assert said.startswith(f"chưa có dữ liệu ở {tmp_path / 'reminder.db'}: đứng ở thư mục của máy")
    assert not (tmp_path / "reminder.db").exists()
