"""`reminder ics`: the file that it writes, and what it says of bad input."""

from __future__ import annotations

from datetime import date
from pathlib import Path

import pytest

from reminder.documents.ics import uid
from reminder.domain.ledger import Event, EventKind
from reminder.domain.plan import Key
from tests.cli.test_people import NOW, Terminal
from tests.documents.rfc5545 import read

LIST = Key("cchc-2024", "1c", 1, "2024")


@pytest.fixture
def terminal(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Terminal:
    return Terminal(tmp_path, monkeypatch)


def test_a_units_file_follows_the_ledger(terminal: Terminal) -> None:
    """The unit's dated work with the office's own dates; what has none is counted, not hidden."""
    moved = Event(
        at=NOW, kind=EventKind.DUE_SET, key=LIST, unit="van-phong", until=date(2024, 2, 5)
    )
    with terminal.store() as store:
        store.record([moved], unit_names={}, at=NOW)
    target = terminal.folder / "lịch tư pháp.ics"
    assert terminal.run("ics", "--unit", "tu-phap", "-o", str(target)) == (
        f"Đã ghi {target}: 31 hạn của Tư pháp; 2 việc chưa có hạn nên không có trong lịch.\n"
    )
    events = {one["UID"]: one for one in read(target.read_bytes()).inside}
    assert (len(events), events[uid(LIST, "tu-phap")]["DTSTART;VALUE=DATE"]) == (31, "20240205")


def test_a_unit_that_no_plan_has(terminal: Terminal) -> None:
    """The sentence names the units there are."""
    said = terminal.refused("ics", "--unit", "tu-phat", "-o", str(terminal.folder / "a.ics"))
    assert "không có bộ phận “tu-phat”" in said
    assert "dia-chinh-xay-dung, lanh-dao, tai-chinh-ke-toan, tu-phap" in said


def test_a_unit_without_dates(terminal: Terminal) -> None:
    """Nothing is written, since an empty calendar is none."""
    target = terminal.folder / "a.ics"
    assert terminal.refused("ics", "--unit", "lanh-dao", "-o", str(target)) == (
        "Lãnh đạo UBND phường (lanh-dao) không chủ trì việc nào có hạn: không có gì để ghi"
    )
    assert not target.exists()


def test_a_file_that_cannot_be_written(terminal: Terminal) -> None:
    """One sentence with the file's name, for a folder that is not there or is in its place."""
    for target in (terminal.folder / "không có" / "a.ics", terminal.folder):
        said = terminal.refused("ics", "--unit", "tu-phap", "-o", str(target))
        assert said.startswith(f"không ghi được {target}: ")
