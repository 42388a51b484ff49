"""An office with mail and no mailbox that is read: nobody is told to write what nobody reads."""

from __future__ import annotations

import re
from collections.abc import Iterator
from contextlib import closing
from datetime import UTC, datetime
from pathlib import Path

import pytest

from reminder.app import bootstrap
from reminder.app.channels import known_channels
from reminder.domain.ledger import by_key
from reminder.domain.outbox import Outbound
from reminder.domain.people import Person
from reminder.domain.plan import Plan
from reminder.domain.schedule import Scheduler
from reminder.files.calendar import holiday_name
from reminder.messages.rows import RowRenderer
from reminder.services.office import Files, Office
from reminder.services.service import Service
from reminder.store.store import open_store
from tests.fakes.blank import lay_blank

UNITS = ("van-phong", "tu-phap", "van-hoa-xa-hoi", "lanh-dao")  # the others have nobody
PEOPLE = tuple(
    Person(id=unit, name=unit.title(), units=(unit,), email=f"{unit}@x.vn", channels=("email",))
    for unit in UNITS
)
# What can only be done by writing to the program, or by a channel that is off.
IMPOSSIBLE = re.compile(r"(?i)nhắn|bấm|/[a-z]{3,}\b|telegram|mã mời|reminder invite|\bbot\b")


@pytest.fixture
def service(plan2024: Plan, scheduler: Scheduler, tmp_path: Path) -> Iterator[Service]:
    files = Files(plans=(plan2024,), people=PEOPLE, scheduler=scheduler)
    url = f"sqlite:///{tmp_path}/r.db"
    lay_blank(tmp_path / "r.db")
    with closing(open_store(url, exclusive=True, sleep=bootstrap.pause)) as store:
        yield Service(
            store=store,
            renderer=RowRenderer(holiday_name).render,
            office=Office(
                files=files,
                channels=("email",),
                one_way=frozenset({"email"}),
                known=known_channels(),
            ),
        )


def sent(service: Service, at: datetime) -> list[tuple[str, Outbound]]:
    """What goes out at `at`, with its recipient."""
    found = []
    service.tick(at)
    while rows := service.lease(at, 50):
        for row in rows:
            found.append((row.row.draft.recipient, row.message))
            service.sent(row, "1", at)
    return found


@pytest.mark.thorough
def test_months_without_a_word_that_leads_nowhere(service: Service) -> None:
    """Nudges, escalations, digests, requests for more time and notices, in all their forms."""
    at = datetime(2024, 1, 22, 0, 0, tzinfo=UTC)
    service.begin(at)
    messages = sent(service, at)
    person = service.office.people["tu-phap"]
    while at < datetime(2024, 4, 15, tzinfo=UTC):
        office = service.refresh()
        wake = office.scheduler.next_wake(office.plans, by_key(office.events), at)
        assert wake is not None
        at = wake
        messages += sent(service, at)
        if f"{at:%d/%m}" == "30/01":
            for said in ("gia hạn 1c 05/02 chờ số liệu", "xong 2c tháng 1"):
                service.handle(person, said, at, channel="terminal", update=f"{at}{said}")
    assert len(messages) > 100
    told = [
        (who, line)
        for who, message in messages
        for form in (message.text, re.sub("<[^>]*>", " ", message.mail_html))
        for line in form.splitlines()
        if IMPOSSIBLE.search(line)
    ]
    assert told == []


def test_whom_to_tell_instead(service: Service) -> None:
    """An officer tells the office, the office whoever keeps the program."""
    at = datetime(2024, 1, 30, 0, 0, tzinfo=UTC)
    service.begin(at)
    sent(service, at)
    found = sent(service, datetime(2024, 1, 31, 1, 0, tzinfo=UTC))
    texts = {who: message.text for who, message in found}
    assert texts["tu-phap"] == (
        "Chào anh/chị. Hôm nay, Thứ Tư 31/01, là hạn của 2 việc:\n"
        "• 1c Danh mục VBQPPL hết hiệu lực năm 2023\n"
        "• 2c Kết quả đánh giá chất lượng phục vụ tháng 01\n"
        "Xong việc nào xin báo Văn phòng."
    )
    assert texts["van-phong"] == (
        "Chào anh/chị. Hôm nay, Thứ Tư 31/01, là hạn của 2c Kết quả đánh giá chất lượng phục vụ "
        "tháng 01.\n"
        "Khi đã xong, xin nhờ người trông máy nhắc việc ghi giúp.\n"
        "Cần thêm thời gian, xin nhờ người trông máy nhắc việc ghi giúp, kèm lý do."
    )
