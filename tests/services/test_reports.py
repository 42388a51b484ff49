"""The report's draft on its way to the office: asked for, and with the last call for it."""

from __future__ import annotations

from collections.abc import Sequence

import pytest

from reminder.app.channels import known_channels
from reminder.domain.outbox import AddressSource, ChannelTraits
from reminder.domain.people import Person
from reminder.domain.plan import Plan
from reminder.domain.schedule import Scheduler
from reminder.domain.weblinks import WebLinks
from reminder.messages.rows import RowRenderer
from reminder.services.deliver import Rendered
from reminder.services.office import Files, Office
from tests.documents.docxreader import Docx
from tests.services.world import EMAIL, PEOPLE, TELEGRAM, World, at, person, world

FILE = "du-thao-bao-cao-2024-Q1.docx"


def opened(
    plan: Plan, scheduler: Scheduler, start: str = "14/3", people: Sequence[Person] = PEOPLE
) -> World:
    found = world(plan, scheduler, people=people, start=at(start, "07:00"))
    found.tick(at(start, "07:01"))
    return found


def by(name: str, *channels: str) -> tuple[Person, ...]:
    """The people, with the office's officer reached by `channels`."""
    others = [each for each in PEOPLE if each.id != "chi"]
    return (*others, person(name, "van-phong", channels=channels))


def drafts(found: World, day: str) -> list[tuple[str, str, str, list[str]]]:
    """What of a day's messages brings a file: channel, recipient, kind, the files."""
    found.outgoing.clear()
    found.tick(at(day))
    return [
        (p.row.draft.channel, p.row.draft.recipient, p.row.draft.kind, names(p))
        for p in found.outgoing
        if names(p)
    ]


def names(rendered: Rendered) -> list[str]:
    return [name for name, _, _ in rendered.message.attachments if name.endswith(".docx")]


def nudge(found: World, who: str) -> str:
    (text,) = [
        p.message.text
        for p in found.outgoing
        if (p.row.draft.recipient, p.row.draft.kind) == (who, "nudge")
    ]
    return text


def test_the_last_call_by_mail_brings_the_draft(plan2024: Plan, scheduler: Scheduler) -> None:
    """On 15/3, and on no other day of the week; filled from the ledger as it stands then."""
    found = opened(plan2024, scheduler, people=by("chi", EMAIL))
    found.says("an", "cập nhật 1a thẩm định 03 văn bản", at("14/3", "09:00"))
    assert drafts(found, "14/3") == []
    assert drafts(found, "15/3") == [(EMAIL, "chi", "nudge", [FILE])]
    assert "Dự thảo báo cáo quý I năm 2024 kèm theo thư này" in nudge(found, "chi")
    (content,) = [c for p in found.outgoing for name, _, c in p.message.attachments if name == FILE]
    assert any("thẩm định 03 văn bản" in line.text for line in Docx(content).lines)
    assert drafts(found, "18/3") == []


def test_who_hears_it_by_telegram_gets_the_draft_by_mail(
    plan2024: Plan, scheduler: Scheduler
) -> None:
    """A mail of its own; the nudge says so."""
    found = opened(plan2024, scheduler, people=by("chi", TELEGRAM, EMAIL))
    assert drafts(found, "15/3") == [(EMAIL, "chi", "notice", [FILE])]
    assert "được gửi qua thư" in nudge(found, "chi")
    assert drafts(found, "15/3") == []  # the next tick of the day says nothing twice


def test_a_nudge_by_telegram_stays_a_text(plan2024: Plan, scheduler: Scheduler) -> None:
    """No calendar file either: it will be edited, and a file's caption is no text to Telegram."""
    found = opened(plan2024, scheduler)
    drafts(found, "15/3")
    by_telegram = [p for p in found.outgoing if p.row.draft.channel == TELEGRAM]
    assert [p.row.draft.kind for p in by_telegram if p.row.draft.kind == "nudge"]
    assert not [p for p in by_telegram if p.message.attachments]


def test_who_has_no_mail_is_told_where_the_draft_is(plan2024: Plan, scheduler: Scheduler) -> None:
    """The line names the command."""
    found = opened(plan2024, scheduler, people=by("chi", TELEGRAM))
    assert drafts(found, "15/3") == []
    assert nudge(found, "chi").endswith("Dự thảo báo cáo quý I năm 2024 lấy tại đây, nhắn: /baocao")


def test_the_call_for_a_sunday_goes_on_the_friday_before(
    plan2024: Plan, scheduler: Scheduler
) -> None:
    """Quý III is due on Sunday 15/9: the last call is Friday 13/9."""
    found = opened(plan2024, scheduler, start="12/9", people=by("chi", EMAIL))
    assert drafts(found, "13/9") == [(EMAIL, "chi", "nudge", ["du-thao-bao-cao-2024-Q3.docx"])]


def test_a_report_handed_in_is_not_drafted_again(plan2024: Plan, scheduler: Scheduler) -> None:
    """Closed on the day before."""
    found = opened(plan2024, scheduler, people=by("chi", TELEGRAM, EMAIL))
    found.says("chi", "xong BC quý I", at("14/3", "15:00"))
    assert drafts(found, "15/3") == []


@pytest.mark.parametrize(
    ("text", "file"),
    [("/baocao", FILE), ("/report 2024-Q1", FILE), ("/baocao 6 tháng", FILE.replace("Q1", "H1"))],
)
def test_the_office_asks_for_a_draft(
    plan2024: Plan, scheduler: Scheduler, text: str, file: str
) -> None:
    """The answer brings the file and the figures at a glance."""
    found = opened(plan2024, scheduler)
    found.says("chi", text, at("14/3", "09:00"))
    rendered = found.outgoing[-1]
    assert (rendered.row.draft.kind, names(rendered)) == ("reply", [file])
    assert rendered.message.text.startswith("Dự thảo báo cáo ")
    assert "số liệu đến ngày 14/3/2024" in rendered.message.text
    assert found.events() == [line for line in found.events() if line.startswith("held")]


def test_the_answer_counts_as_the_paper_does(plan2024: Plan, scheduler: Scheduler) -> None:
    """The figures above the file are the file's own sentences: late, handed in, standing work."""
    found = opened(plan2024, scheduler)
    found.says("an", "xong 1c số 12/QĐ-UBND ngày 08/3", at("08/3", "09:00"))
    found.says("an", "trình ký 1d quyết định", at("08/3", "09:05"))
    found.says("an", "cập nhật 1a thẩm định 03 văn bản", at("11/3", "09:00"))
    found.says("chi", "/baocao quý I", at("13/3", "09:00"))
    message = found.outgoing[-1].message
    paper = [line.text for line in Docx(message.attachments[0][2]).lines]
    figures = [line for line in message.text.splitlines() if line.startswith("Số ")][:2]
    assert len(figures) == 2
    assert "chờ ký 01" in figures[0]
    assert "đã có số liệu 01" in figures[1]
    for sentence in figures:
        assert any(line.endswith(sentence) for line in paper)


@pytest.mark.parametrize(
    ("who", "text", "said"),
    [
        ("an", "/baocao", "Chưa ghi gì: chỉ Văn phòng lấy dự thảo báo cáo được."),
        ("lan", "/baocao", "Chưa ghi gì: chỉ Văn phòng lấy dự thảo báo cáo được."),
        ("chi", "/baocao quý III", "Kỳ quý III năm 2024 chưa bắt đầu nên chưa có gì để báo cáo"),
        ("chi", "/baocao quý II", "Kế hoạch năm 2024 không có báo cáo quý II năm 2024."),
        ("chi", "/report 2025-Q1", "Không có kế hoạch năm 2025"),
        ("chi", "/baocao lung tung", "Chưa rõ “lung tung” là kỳ báo cáo nào."),
    ],
)
def test_what_cannot_be_drafted_is_answered(
    plan2024: Plan, scheduler: Scheduler, who: str, text: str, said: str
) -> None:
    """Only the office, only a period of a plan that has begun."""
    found = opened(plan2024, scheduler)
    found.says(who, text, at("14/3", "09:00"))
    rendered = found.outgoing[-1]
    assert rendered.message.text.startswith(said)
    assert rendered.message.attachments == ()


CHAT = ChannelTraits(name="chat", title="Chat", addresses=AddressSource.INVITATION, files=False)


def in_chat(plan: Plan, scheduler: Scheduler, *channels: str, page: bool = False) -> World:
    """The office with Chi reached in a chat that takes no files, and by `channels`."""
    people = by("chi", "chat", *channels)
    found = world(plan, scheduler, people=people, bound=(), start=at("14/3", "07:00"))
    links = WebLinks(base_url="https://nv.example", secret=b"s") if page else None
    found.service.renderer = RowRenderer(links=links).render
    found.service.office = Office(
        files=Files(plans=(plan,), people=people, scheduler=scheduler),
        channels=("chat", EMAIL),
        known=(*known_channels(), CHAT),
    )
    found.service.begin(at("14/3", "07:00"))
    found.store.bind("chi", "chat", "103", at("14/3", "07:00"))
    found.tick(at("14/3", "07:01"))
    return found


@pytest.mark.parametrize(
    ("channels", "page", "called", "answered"),
    [
        (
            (EMAIL,),
            True,
            "được gửi qua thư. Gửi lại, nhắn: /baocao",
            f"Tệp {FILE} được gửi qua thư điện tử.",
        ),
        (
            (),
            True,
            "ở trên trang theo dõi. Lấy đường dẫn, nhắn: /baocao",
            f"Tệp {FILE} ở trên trang theo dõi: https://nv.example/bao-cao/cchc-2024/2024-Q1.docx",
        ),
        (
            (),
            False,
            "đã có. Xem số liệu, nhắn: /baocao",
            (
                "Ở đây không nhận được tệp. Nhờ người trông máy lấy tệp "
                f"{FILE}: reminder report --period 2024-Q1"
            ),
        ),
    ],
)
def test_where_no_file_can_be_sent_it_is_said_where_it_is(
    plan2024: Plan,
    scheduler: Scheduler,
    channels: tuple[str, ...],
    page: bool,
    called: str,
    answered: str,
) -> None:
    """By mail where that person has mail, and it comes; else on the page where there is one."""
    found = in_chat(plan2024, scheduler, *channels, page=page)
    mailed = [(EMAIL, "chi", "notice", [FILE])] if channels else []
    assert drafts(found, "15/3") == mailed
    assert nudge(found, "chi").endswith(f"Dự thảo báo cáo quý I năm 2024 {called}")
    found.outgoing.clear()
    found.says("chi", "/baocao", at("15/3", "09:00"), channel="chat")
    assert [(o.row.draft.channel, names(o)) for o in found.outgoing] == [
        ("chat", []),
        *((EMAIL, [FILE]) for _ in channels),
    ]
    assert answered in found.outgoing[0].message.text.split("\n")
