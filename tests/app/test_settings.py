"""What a changed settings file changes while the daemon runs, and what has to wait for a start."""

from __future__ import annotations

import asyncio
import logging
from dataclasses import replace
from pathlib import Path

import pytest

from reminder.app import bootstrap
from reminder.app.channels import one_way
from reminder.cli.daemon import reload
from reminder.domain.plan import Plan
from reminder.domain.schedule import Scheduler
from reminder.files.settings import (
    EmailSection,
    InboxSection,
    Secret,
    Settings,
    TelegramSection,
)
from reminder.services.office import Files
from tests.app.kit import Mailbox, SetClock, logged, mail_server, quiet, runs, settings, wired_fast
from tests.fakes.telegram import FakeTelegram
from tests.services.world import at
from tests.waiting import until


@pytest.mark.asyncio
async def test_sends_in_flight_the_mail_server_and_the_log_change_at_once(
    tmp_path: Path, mailbox: Mailbox, root: logging.Logger
) -> None:
    """After the change mail goes to the new server, and no line more is chatty."""
    clock, moved = SetClock(at("23/01", "09:00")), Mailbox()
    async with mail_server(mailbox) as port, mail_server(moved) as new_port:
        config = settings(tmp_path, None, port)
        async with runs(wired_fast(config, clock)) as wired:
            await until(lambda: wired.store.meta("last_tick") is not None and quiet(wired))
            before = len(mailbox.mails)
            more = '[delivery]\nin_flight = 3\n[log]\nlevel = "error"'
            settings(tmp_path, None, new_port, more=more)
            await until(
                lambda: wired.daemon.dispatcher.in_flight == 3 and root.level == logging.ERROR
            )
            clock.moment = at("24/01", "08:00")
            await until(lambda: any("1c" in text for text in moved.to("binh")))
    assert len(mailbox.mails) == before


@pytest.mark.asyncio
async def test_what_waits_for_a_start_is_said_in_one_sentence(
    tmp_path: Path,
    mailbox: Mailbox,
    caplog: pytest.LogCaptureFixture,
    capsys: pytest.CaptureFixture[str],
) -> None:
    """In the log, and by `reminder reload` to who asks; the old values hold until then."""
    clock = SetClock(at("23/01", "09:00"))
    async with FakeTelegram() as telegram, mail_server(mailbox) as port:
        config = settings(tmp_path, None, port)
        async with runs(wired_fast(config, clock)) as wired:
            await until(lambda: wired.store.meta("last_tick") is not None)
            text = config.read_text(encoding="utf-8").replace("r.db", "s.db")
            token = f'[telegram]\ntoken = "{telegram.token}"\nbase_url = "{telegram.base_url}"\n'
            config.write_text(text + token, encoding="utf-8")
            await until(lambda: logged(caplog, "next start only") != [])
            config.write_text(text.replace("s.db", "r.db") + token, encoding="utf-8")
            await asyncio.to_thread(reload, config)
    assert logged(caplog, "next start only")[0] == (
        "[store], [telegram]: changed, but applied at the next start only"
    )
    assert capsys.readouterr().out == (
        "Đã nhận tệp mới: 0 thay đổi.\nCòn chờ khởi động lại chương trình: [telegram].\n"
    )


def test_an_office_has_the_id_of_its_settings_or_of_its_plan(
    tmp_path: Path, plan2024: Plan, scheduler: Scheduler
) -> None:
    """Without one it is the id that the newest plan gives its office; without plans none."""
    newer = replace(plan2024, id="cchc-2025", year=2025, office="van-phong-moi")
    config = tmp_path / "reminder.toml"
    found = []
    for text, plans in (
        ("[office]\nid = 'phuong-an-khe'", (plan2024,)),
        ("", (newer, plan2024)),
        ("", ()),
    ):
        config.write_text(text, encoding="utf-8")
        files = Files(plans=plans, people=(), scheduler=scheduler)
        found.append(bootstrap.office_of(bootstrap.load_settings(config), files).id)
    assert found == ["phuong-an-khe", "van-phong-moi", ""]


@pytest.mark.parametrize(
    ("inbox", "channels"), [(False, {"email"}), (True, set())], ids=["no inbox", "inbox"]
)
def test_where_answers_are_read(inbox: bool, channels: set[str]) -> None:
    """Mail is one way without an inbox; Telegram never is."""
    settings = Settings(
        telegram=TelegramSection(token=Secret("1:x")),
        email=EmailSection(host="h", sender="a@b.vn"),
        inbox=InboxSection(host="h" if inbox else ""),
    )
    assert one_way(settings) == channels
