"""The sandbox tells its story, and obeys who types at it."""

from __future__ import annotations

import io
import re
import sys
from collections.abc import Callable
from dataclasses import replace
from datetime import date
from pathlib import Path

import httpx
import pytest
from lxml import html as lxml_html
from rich.cells import cell_len

from reminder.app.sandbox import Trial, converse, open_sandbox, play
from reminder.domain.errors import FileError
from reminder.store.records import StoreRefusedError
from tests.cli.pty_kit import AtTerminal
from tests.conftest import ROOT

HEADING = re.compile(r"(?m)^╭─ (.+?) ─+╮$")


def test_the_story_runs_from_the_first_nudge_to_the_digest(tmp_path: Path) -> None:
    """Each unit hears of its own work in the order of the days; the digest ends it, in full."""
    seen = io.StringIO()
    play(seen, tmp_path / "sandbox.db")
    text = seen.getvalue()
    officers = [h for h in HEADING.findall(text) if "Tư pháp" in h]
    assert officers == [
        "→ Công chức Tư pháp · 08:00 Thứ Tư 24/01",
        "→ Công chức Tư pháp · 08:00 Thứ Sáu 26/01",
        "→ Công chức Tư pháp · 08:20 Thứ Sáu 26/01",
        "→ Công chức Tư pháp · 08:00 Thứ Ba 30/01",
        "→ Công chức Tư pháp · 09:12 Thứ Ba 30/01",
        "→ Công chức Tư pháp · 09:14 Thứ Ba 30/01",
        "→ Công chức Tư pháp · 08:00 Thứ Tư 31/01",
        "→ Công chức Tư pháp · 10:04 Thứ Tư 31/01",
        "→ Công chức Tư pháp · 10:05 Thứ Tư 31/01",
        "→ Công chức Tư pháp · 09:40 Thứ Sáu 02/02",
    ]
    asked = "Chưa ghi gì. Xin nhắn: đúng · chưa"  # once, of a word that the program does not know
    assert text.count(asked) == 1
    assert HEADING.findall(text)[-2:] == [
        "→ Công chức Văn phòng · 07:30 Thứ Hai 05/02",
        "Bản tổng hợp ấy, đầy đủ như trong thư",
    ]
    short, full = text.split("Tổng hợp tuần – Thứ Hai 05/02")[1:]
    assert ("CÁC BỘ PHẬN" in short, "CÁC BỘ PHẬN" in full) == (False, True)
    assert "Xong đúng hạn: 3 (+3) · Xong quá hạn: 1 (+1)" in full


def test_a_second_sandbox_takes_nothing_from_the_first(tmp_path: Path) -> None:
    """It is refused while the first is open, and its database stays; later it begins anew."""
    place = tmp_path / "sandbox.db"
    first = open_sandbox(io.StringIO(), place)
    first.say("tu-phap", "/done 1c")
    with pytest.raises(StoreRefusedError, match="another reminder daemon"):
        open_sandbox(io.StringIO(), place)
    assert len(first.service.store.events()) == 1
    assert place.exists()
    first.service.store.close()
    second = open_sandbox(io.StringIO(), place)
    assert second.service.store.events() == []
    second.service.store.close()


def typing(lines: list[str], seen: io.StringIO) -> Callable[[str], str | None]:
    """A reader that types the lines; what it is asked is shown, as a terminal does."""
    left = iter(lines)

    def read(prompt: str) -> str | None:
        seen.write(f"{prompt}\n")
        return next(left, None)

    return read


def prompts(text: str) -> list[tuple[str, str]]:
    return re.findall(r"(?m)^(\d\d:\d\d .+?)  (\S*)> ", text)


@pytest.mark.parametrize(
    ("on", "role", "week"), [("next", "as", "next week"), ("tiếp", "vai", "Tuần sau")]
)
def test_who_types_is_the_unit_that_was_named(
    tmp_path: Path, on: str, role: str, week: str
) -> None:
    """`as`, `next` and `next week`, also in Vietnamese; all else is what an officer says."""
    seen = io.StringIO()
    lines = [on, "/done 1c", f"{role} nowhere", f"{role} Văn phòng", "/done 4b", "", week, "thoát"]
    converse(typing([*lines, "x"], seen), seen, tmp_path / "sandbox.db")
    text = seen.getvalue()
    assert prompts(text) == [
        ("07:00 Thứ Hai 22/01", "tu-phap"),
        ("07:30 Thứ Hai 22/01", "tu-phap"),
        ("07:30 Thứ Hai 22/01", "tu-phap"),
        ("07:30 Thứ Hai 22/01", "tu-phap"),
        ("07:30 Thứ Hai 22/01", "van-phong"),
        ("07:30 Thứ Hai 22/01", "van-phong"),
        ("07:30 Thứ Hai 22/01", "van-phong"),
        ("07:30 Thứ Hai 29/01", "van-phong"),
    ]
    assert "Không có bộ phận hay người “nowhere”" in text
    assert "Đã ghi 1c" in text
    assert "Đã ghi 4b" in text


def test_the_help_lists_each_word_and_fits_80_columns(tmp_path: Path) -> None:
    """In both languages; no line is longer than a terminal, so that no word is broken."""
    seen = io.StringIO()
    converse(typing(["giúp"], seen), seen, tmp_path / "sandbox.db")
    first, _, page = seen.getvalue().partition("\n╭─")[0].partition("\nTrang theo dõi")
    assert re.match(r" của văn phòng, mở bằng trình duyệt: http://127.0.0.1:\d+\n", page + "\n")
    assert first == (
        "Chạy thử: Kế hoạch cải cách hành chính năm 2024, đồng hồ ảo từ Thứ Hai\n"
        "22/01/2024. Không gửi gì đi thật.\n"
        "  tiếp       (next)        tới lúc máy nói tiếp\n"
        "  tuần sau   (next week)   qua bảy ngày\n"
        "  vai AI     (as AI)       gõ thay bộ phận hoặc người khác\n"
        "  giúp       (help)        hiện lại phần này\n"
        "  thoát      (quit)        thôi\n"
        "Vai: van-phong, tu-phap, tai-chinh-ke-toan, van-hoa-xa-hoi, dia-chinh-xay-dung,\n"
        "van-hoa-thong-tin, lanh-dao.\n"
        "Còn lại gõ như công chức: /viec, /done 1c, 1c xong chưa?, gia hạn 1c 05/02 …"
    )
    assert seen.getvalue().count(first) == 2


PEOPLE = """\
[[person]]
id = "an"
name = "Nguyễn Văn An"
unit = "tu-phap"

[[person]]
id = "binh"
name = "Trần Bình"
unit = "van-phong"
"""


def own(folder: Path) -> Trial:
    """The plan of 2024 as if it were an office's own, with two people."""
    plan = folder / "plan.toml"
    plan.write_text((ROOT / "data/plan2024.toml").read_text("utf-8"), "utf-8")
    (folder / "people.toml").write_text(PEOPLE, "utf-8")
    return Trial(plan=plan, people=folder / "people.toml")


def test_ones_own_plan_and_people(tmp_path: Path) -> None:
    """A role is a person's id or name, or a unit; the clock begins on the day that is given."""
    seen = io.StringIO()
    trial = replace(own(tmp_path), start=date(2024, 1, 30))
    lines = ["tiếp", "vai tran binh", "vai Tư pháp", "vai Địa chính", "xong 1c", "thoát"]
    converse(typing(lines, seen), seen, tmp_path / "s.db", trial, date(2024, 3, 1))
    text = seen.getvalue()
    assert prompts(text) == [
        ("07:00 Thứ Ba 30/01", "an"),
        ("08:00 Thứ Ba 30/01", "an"),
        ("08:00 Thứ Ba 30/01", "binh"),
        ("08:00 Thứ Ba 30/01", "an"),
        ("08:00 Thứ Ba 30/01", "an"),
        ("08:00 Thứ Ba 30/01", "an"),
    ]
    assert "→ Nguyễn Văn An · 08:00 Thứ Ba 30/01" in HEADING.findall(text)
    assert "Người báo: Nguyễn Văn An" in " ".join(text.replace("│", " ").split())


def test_next_goes_on_until_something_is_said(tmp_path: Path) -> None:
    """A digest to an office of nobody shows nothing; “tiếp” does not stop there."""
    seen = io.StringIO()
    trial = replace(own(tmp_path), start=date(2024, 2, 5))
    (tmp_path / "people.toml").write_text(PEOPLE.partition("\n\n")[0], "utf-8")
    converse(typing(["tiếp"], seen), seen, tmp_path / "s.db", trial)
    assert prompts(seen.getvalue()) == [("07:00 Thứ Hai 05/02", "an"), ("08:00 Thứ Ba 06/02", "an")]


@pytest.mark.parametrize(
    ("today", "first"),
    [(date(2024, 3, 1), "Thứ Sáu 01/3/2024"), (date(2026, 3, 1), "Thứ Hai 01/01/2024")],
)
def test_where_ones_own_plan_begins(tmp_path: Path, today: date, first: str) -> None:
    """Today, or with its year where that is another."""
    seen = io.StringIO()
    converse(typing([], seen), seen, tmp_path / "s.db", own(tmp_path), today)
    assert f"đồng hồ ảo từ {first}." in " ".join(seen.getvalue().split())


@pytest.mark.thorough
def test_three_weeks_of_ones_own_plan(tmp_path: Path) -> None:
    """Played where nobody types: nothing of the story of 2024."""
    seen = io.StringIO()
    trial = replace(own(tmp_path), start=date(2024, 2, 19))
    play(seen, tmp_path / "s.db", trial)
    text = seen.getvalue()
    assert text.endswith("Hết ba tuần, đến 07:00 Thứ Hai 11/3. Tự gõ thử ở cửa sổ lệnh.\n")
    assert "tu-phap>" not in text
    assert "→ Nguyễn Văn An · 08:00 Thứ Hai 19/02" in HEADING.findall(text)


def test_a_faulty_plan_leaves_the_older_sandbox(tmp_path: Path) -> None:
    """Its faults are told before anything is removed."""
    (tmp_path / "s.db").write_bytes(b"older")
    (tmp_path / "plan.toml").write_text("[plan]\n", "utf-8")
    with pytest.raises(FileError):
        open_sandbox(io.StringIO(), tmp_path / "s.db", Trial(plan=tmp_path / "plan.toml"))
    assert (tmp_path / "s.db").read_bytes() == b"older"


@pytest.mark.skipif(sys.platform == "win32", reason="Windows has no pseudo-terminals")
@pytest.mark.thorough
def test_arrow_keys_edit_and_recall(tmp_path: Path) -> None:
    """At a terminal the line before comes again with the arrow key, and nothing of it is shown."""
    with AtTerminal(tmp_path, "sandbox") as at:
        at.expect("tu-phap> ")
        at.type("vai Văn phòng")
        at.expect("van-phong> ")
        at.type("vai tu-phap")
        at.expect("tu-phap> ")
        at.press(b"\x1b[A\x1b[A\n")
        at.expect("van-phong> ")
        at.type("thoát")
        code, said = at.end()
    assert (code, said.strip()) == (0, "thoát")
    assert "^[[A" not in at.seen


@pytest.mark.thorough
@pytest.mark.skipif(sys.platform == "win32", reason="Windows has no pseudo-terminals")
def test_no_word_is_broken_at_80_columns(tmp_path: Path) -> None:
    """Each line that a terminal of 80 columns shows is one that the program wrote."""
    with AtTerminal(tmp_path, "sandbox") as at:
        at.expect("tu-phap> ")
        at.type("tuần sau")
        at.expect("tu-phap> ")
        at.type("vai x")
        at.expect("tu-phap> ")
        at.press(b"\x04")
        code, _ = at.end()
    assert code == 0
    assert [line for line in at.seen.split("\n") if cell_len(line) > 80] == []


def test_the_page_stands_beside_the_terminal_on_the_same_clock(tmp_path: Path) -> None:
    """Whoever opens its address reads and acts as the office; the terminal shows what follows."""
    seen, found = io.StringIO(), {}

    def read(_: str) -> str | None:
        address = re.search(r"http://127\.0\.0\.1:\d+", seen.getvalue())
        assert address
        if "page" not in found:
            with httpx.Client(base_url=address[0], follow_redirects=True) as client:
                found["page"] = client.get("/").text
                form = lxml_html.fromstring(client.get("/viec/cchc-2024/2g").text).xpath(
                    "//form[contains(@action, 'dat-han')]"
                )[0]
                fields = {i.get("name"): i.get("value", "") for i in form.xpath(".//input")}
                answer = client.post(
                    form.get("action"),
                    data=fields | {"ngay": "2024-03-29"},
                    headers={"origin": address[0]},
                )
                found["answer"] = answer.text
            return "việc 2g"
        return None

    converse(read, seen, tmp_path / "s.db")
    assert "điều Văn phòng cần quyết" in found["page"]
    assert "Đã ghi." in found["answer"]
    assert "hạn Thứ Sáu 29/3" in seen.getvalue()
