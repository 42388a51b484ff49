"""What the digest says in each form: whole, escaped, bounded, and fit for every mail client."""

from __future__ import annotations

import re
from dataclasses import replace
from datetime import date
from html.parser import HTMLParser

import pytest

from reminder.domain.digest import Figures, UnitFigures
from reminder.domain.ledger import Event, EventKind
from reminder.domain.outbox import Outbound
from reminder.domain.plan import Deliverable, Key, OnDay, Plan
from reminder.domain.text import units
from reminder.messages import compose
from reminder.messages.context import Context
from reminder.messages.digest import MOST, bars, digest_of, weekly, zalo
from tests.messages import digest_scenes as scenes
from tests.messages.office import at, plan, said, scene

CLIPPED = 102_000  # bytes of a page beyond which Gmail cuts it off
VOID = {"meta", "br"}


class Page(HTMLParser):
    """Reads a page strictly: each tag is closed by its own, and the text is kept."""

    def __init__(self, source: str) -> None:
        super().__init__()
        self.stack: list[str] = []
        self.tags: set[str] = set()
        self.words: list[str] = []
        self.feed(source)
        self.close()
        assert self.stack == []

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags.add(tag)
        assert not any(name.startswith("on") or name in ("src", "href") for name, _ in attrs)
        if tag not in VOID:
            self.stack.append(tag)

    def handle_endtag(self, tag: str) -> None:
        assert self.stack.pop() == tag

    def handle_data(self, data: str) -> None:
        self.words.append(data)

    @property
    def text(self) -> str:
        return " ".join(" ".join(self.words).split())


FORMS = {"march": scenes.march, "february": scenes.february, "quiet": scenes.quiet}


@pytest.mark.parametrize("name", FORMS)
def test_a_mail_is_tables_and_words_alone(name: str) -> None:
    """Well nested; no image, link, script, style sheet or form; nothing is loaded."""
    page = Page(FORMS[name]().mail_html)
    assert page.tags <= {
        "html", "head", "meta", "title", "body", "table", "tr", "td", "p", "b", "br", "span",
    }  # fmt: skip


PARTS = [
    "Quá hạn: 11", "Tuần này", "Hai tuần tới: 5", "Đã nộp, đã xong từ Thứ Hai 11/3: 2",
    "Cập nhật quý I: 6", "Chờ ký: 1", "Xin gia hạn, chờ quyết: 1", "Hạn cần chốt: 6",
    "Chưa liên lạc được: 2", "Máy nhắc việc",
]  # fmt: skip


def test_the_parts_stand_in_the_offices_order() -> None:
    """Figures, bars, late, coming, handed in, check-ins, decisions, people, health: both forms."""
    message = scenes.march()
    headings = re.findall(r"<p style[^>]*border-bottom[^>]*><b>(.*?)</b>", message.mail_html)
    assert headings == ["Các bộ phận", *PARTS]
    found = [line for line in message.text.splitlines() if line.partition(" (")[0].isupper()]
    assert found == ["CÁC BỘ PHẬN (█ xong, ░ chưa quá hạn, ▓ quá hạn)", *map(str.upper, PARTS)]
    assert message.text.index("Xong đúng hạn: 10 (+2)") < message.text.index(found[0])


def test_each_part_says_what_the_office_has_to_know() -> None:
    """Who is waited for, the reason, the moved date, the evidence, the answers, the forms."""
    text = scenes.march().text.splitlines()
    for line in (
        (
            "• 2c Kết quả đánh giá chất lượng phục vụ tháng 02 – VHXH, Địa chính "
            "(đã xong phần mình: "
            "Văn phòng, Tư pháp); quá hạn 12 ngày làm việc (hạn Thứ Năm 29/02); "
            "lý do: chờ số liệu tháng 02 của Bộ phận Một cửa"
        ),
        (
            "• 1d Quyết định công bố kết quả hệ thống hóa VBQPPL – Tư pháp, Văn phòng; "
            "quá hạn 1 ngày làm việc (hạn Thứ Sáu 15/3); gia hạn từ 01/3; "
            "xin gia hạn đến Thứ Sáu 22/3"
        ),
        (
            "• BC Báo cáo kết quả cải cách hành chính quý I – Văn phòng; "
            "lúc 09:12 Thứ Năm 14/3, trước hạn 1 ngày; số 35/BC-UBND"
        ),
        "Đã có 6 trong 15 cập nhật.",
        "Chưa có – Tư pháp: 1đ, 2h",
        (
            "• 1e Tuyên truyền, phổ biến, giáo dục pháp luật quý I – Tư pháp; "
            "“tuyên truyền 02 buổi, 120 lượt người”"
        ),
        (
            "• 5c Kế hoạch chuyển đổi số năm 2024 – Văn phòng; hạn Chủ Nhật 31/3, "
            "còn 13 ngày (9 ngày làm việc); chờ ký từ Thứ Ba 12/3"
        ),
        "Xin nhắn: /dongy 1d quyết định · /khongdongy 1d quyết định",
        "Xin nhắn: /dathan 5a 01/4/2024",
        "• BC Báo cáo kết quả cải cách hành chính – hạn dự kiến 15/6, 15/9, 15/12",
        (
            "• Lê Thị Cúc (TCKT) – Telegram chưa kết nối; thư điện tử không nhận tin từ "
            "Thứ Sáu 01/3 (hộp thư không tồn tại)"
        ),
        "• VHTT – chưa có ai nhận tin",
        ("Lượt 08:00 Thứ Ba 12/3 muộn, nói lúc 09:40 Thứ Tư 13/3."),
        "Tin: 1 tin có thể đã tới hai lần.",
        (
            "Liên lạc gần nhất: thư điện tử 08:01 Thứ Sáu 15/3, Telegram 08:00 Thứ Sáu 15/3, "
            "hỏi tin Telegram 07:29 hôm nay."
        ),
        "Sổ ghi: 17 mục, mã mục cuối f5fdf858f3b527cd (giữ lại để đối chiếu).",
    ):
        assert line in text


def test_the_mail_says_what_the_plain_part_says() -> None:
    """Every line of the plain part stands in the page, but for punctuation and marks."""

    def words(text: str) -> list[str]:
        return re.findall(r"\w+", text.lower())

    message = scenes.march()
    page = words(Page(message.mail_html).text)
    for line in message.text.splitlines()[1:]:
        said_in_both = line.startswith(("•", "Xin nhắn", "Lượt", "Tin:", "Sổ", "Chưa có –"))
        if said_in_both:
            mine = words(line)
            assert any(page[n : n + len(mine)] == mine for n in range(len(page))), line


def test_a_change_has_its_sign() -> None:
    """A true minus; ±0 says that it was compared; nothing where there was no digest before."""
    now, before = Figures(in_time=3, open=5, late=1), Figures(in_time=1, open=7, late=1)
    context = scene("2024-03-18")
    found = digest_of(context)
    compared, first = (
        weekly(context, replace(found, figures=now, before=each)).text.splitlines()[3]
        for each in (before, None)
    )
    assert compared == (
        "Xong đúng hạn: 3 (+2) · Xong quá hạn: 0 (±0) · Đang mở: 5 (−2) · Quá hạn: 1 (±0) · "
        "Chờ ký: 0 (±0) · Chưa có hạn: 0 (±0)"
    )
    assert "(" not in first


@pytest.mark.parametrize("counts", [(1, 0, 0), (0, 0, 1), (400, 1, 1), (1, 400, 1), (33, 33, 34)])
def test_a_bar_shows_every_part_and_no_more_than_the_whole(counts: tuple[int, int, int]) -> None:
    """A single late task is to be seen beside four hundred done ones."""
    done, still, late = counts
    found = UnitFigures(unit="tu-phap", done=done, open=still, late=late)
    [bar] = bars([found])
    widths = (bar.done, bar.open, bar.late)
    assert [w > 0 for w in widths] == [n > 0 for n in counts]
    assert 98 <= sum(widths) <= 100
    assert [mark in bar.blocks for mark in "█░▓"] == [n > 0 for n in counts]


def crowded(count: int, title: str) -> tuple[Plan, list[Event]]:
    """`count` tasks, due in January, this week and the next, each with all that can be said."""
    days = (date(2024, 1, 31), date(2024, 3, 20), date(2024, 3, 29))
    only = Deliverable(number=1, name="báo cáo", product="Báo cáo", phrase="", rule=OnDay(days[0]))
    first = plan().by_code["1c"]
    tasks = tuple(
        replace(
            first,
            code=f"{n // 22 + 7}{'abcdđeghiklmnopqrstuvx'[n % 22]}",
            title=title,
            deliverables=(replace(only, rule=OnDay(days[n % 3])),),
        )
        for n in range(count)
    )
    made = replace(plan(), tasks=tasks)
    events = []
    for n, task in enumerate(tasks):
        key = Key(made.id, task.code, 1, "2024")
        more = {"note": f"{title} " * 20, "evidence": f"{title} " * 5}
        kinds = {0: EventKind.NOTED, 1: EventKind.EXTENSION_ASKED, 2: EventKind.SUBMITTED}
        kind = EventKind.DONE if n % 4 == 3 else kinds[n % 3]
        events.append(said(kind, at("2024-03-13"), key, "tu-phap", until=date(2024, 4, 2), **more))
    return made, events


HOSTILE = "<script>alert('x')</script> & \"<b>\" {{ 7*7 }} ]]> <!-- --> ạ"


def crowd(count: int, title: str) -> tuple[Context, Outbound]:
    made, events = crowded(count, title)
    context = scene("2024-03-18", events, plans=(made,))
    message = weekly(
        context,
        digest_of(context),
        health=scenes.health("2024-03-18"),
        cut_off=scenes.cut_off() * 40,
        attached=True,
    )
    return context, message


@pytest.mark.parametrize("title", ["Danh mục văn bản hết hiệu lực " * 2, HOSTILE])
def test_five_hundred_tasks_stay_within_bounds(title: str) -> None:
    """Telegram's limit; a page that Gmail does not clip; each part says how many it leaves out."""
    context, message = crowd(500, title[:60])
    assert units(compose.plain(message.html)) <= compose.TELEGRAM_LONGEST
    assert len(message.mail_html.encode()) <= CLIPPED
    assert len(message.text.encode()) <= CLIPPED
    found = digest_of(context)
    page = Page(message.mail_html).text
    for states in (found.late, found.this_week, found.next_weeks, found.done, found.requests):
        assert len(states) > MOST
        assert f"và {len(states) - MOST} việc nữa, xem tệp Excel kèm theo" in page
        assert f"và {len(states) - MOST} việc nữa, xem tệp Excel kèm theo" in message.text


def test_the_lines_for_a_group_are_bounded() -> None:
    """Ten tasks, a line each, then a number; none is cut within."""
    made, events = crowded(200, "Danh mục văn bản hết hiệu lực")
    context = scene("2024-03-18", events, plans=(made,))
    message = zalo(context)
    lines = message.text.splitlines()
    assert sum(line.startswith("- ") for line in lines) == 20
    assert sum(bool(re.fullmatch(r"và \d+ việc nữa", line)) for line in lines) == 2
    assert "…" not in message.text
    assert lines[-1] == "Xong xin nhắn Văn phòng."
    assert len(message.text) < 3000


def test_titles_and_notes_can_not_break_the_page() -> None:
    """HTML in a title, a reason, an evidence, a template's braces: read as they were typed."""
    _, message = crowd(30, HOSTILE)
    page = Page(message.mail_html)
    assert "script" not in page.tags
    assert "<script>alert('x')</script> & \"<b>\" {{ 7*7 }} ]]>" in page.text
    assert "<script>" not in message.html
    assert "<script>alert('x')</script>" in message.text
    assert message.mail_html.count("<!--repeat-->") == 1
    assert message.mail_html.count("<!--footer-->") == 1


def test_a_week_without_anything_due_looks_ahead() -> None:
    """`/zalo` on 22/01: nothing is due by Friday, so the two weeks after stand there."""
    context = scene("2024-01-22")
    first, second, last = zalo(context).text.splitlines()
    assert first == "Nhắc việc tuần 22/01–26/01: không việc nào đến hạn trong tuần."
    assert second.startswith("Hai tuần tới: 1c ")
    assert last == "Xong xin nhắn Văn phòng."


def test_what_is_late_is_asked_for_kindly() -> None:
    """`/zalo` on 05/02: 1c is late, Tết is near."""
    context = scene("2024-02-05", scenes.january())
    lines = zalo(context).text.splitlines()
    assert lines[0] == "Nhắc việc tuần 05/02–07/02: không việc nào đến hạn trong tuần."
    assert lines[-2:] == [
        (
            "Đã quá hạn, mong các bộ phận sớm hoàn thành: 1c Danh mục VBQPPL hết hiệu lực năm 2023 "
            "(Tư pháp) hạn Thứ Tư 31/01."
        ),
        "Xong xin nhắn Văn phòng.",
    ]


def test_before_the_plan_one_sentence_says_so() -> None:
    """In both forms of the digest."""
    sentence = (
        "Kế hoạch cải cách hành chính năm 2024 bắt đầu từ Thứ Hai 01/01/2024: "
        "chưa có gì để tổng hợp."
    )
    context = scene("2023-12-25")
    assert scenes.too_early().text == sentence
    assert zalo(context).text == sentence


def test_sections_count_what_they_do_not_show() -> None:
    """The number in a heading is that of the list, not of the lines."""
    made, events = crowded(90, "Danh mục")
    context = scene("2024-03-18", events, plans=(made,))
    found = digest_of(context)
    lines = weekly(context, found).text.splitlines()
    start = lines.index(f"QUÁ HẠN: {len(found.late)}") + 1
    late = lines[start : lines.index("", start)]
    assert sum(line.startswith("• ") for line in late) == MOST
    assert late[-1] == f"và {len(found.late) - MOST} việc nữa"
