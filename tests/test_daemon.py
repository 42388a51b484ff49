"""The daemon as wired by its settings, against a Telegram and a mail server that speak for real."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from datetime import datetime
from pathlib import Path

import pytest
from aiosmtpd.smtp import SMTP, Envelope, Session

from reminder.core.errors import ReminderError
from reminder.core.invitations import HOLDS, hash_code, make_code
from reminder.ports import Store
from reminder.wiring import Program, program
from tests.conftest import ROOT
from tests.fakes.telegram import FakeTelegram
from tests.service.world import at

PEOPLE = """
[[person]]
id = "an"
name = "An"
unit = "tu-phap"
email = "an@example.vn"
[[person]]
id = "binh"
name = "Bình"
unit = "tu-phap"
email = "binh@example.vn"
channels = ["email"]
[[person]]
id = "chi"
name = "Chi"
unit = "van-phong"
email = "chi@example.vn"
"""


class SetClock:
    """A clock that shows what the test sets."""

    def __init__(self, moment: datetime) -> None:
        self.moment = moment

    def now(self) -> datetime:
        return self.moment


class Mailbox:
    """Takes every mail; `mails` holds (recipient, text)."""

    def __init__(self) -> None:
        self.mails: list[tuple[str, str]] = []

    async def handle_DATA(  # noqa: N802  aiosmtpd's name
        self, server: SMTP, session: Session, envelope: Envelope
    ) -> str:
        del server, session
        content = envelope.content
        assert isinstance(content, bytes)
        import email
        from email import policy

        body = email.message_from_bytes(content, policy=policy.default).get_body(("plain",))
        assert body is not None
        self.mails.append((envelope.rcpt_tos[0], body.get_content()))
        return "250 OK"


@pytest.fixture
def mailbox() -> Mailbox:
    return Mailbox()


def settings(folder: Path, telegram: FakeTelegram, smtp_port: int, token: str = "") -> Path:
    (folder / "people.toml").write_text(PEOPLE, encoding="utf-8")
    path = folder / "reminder.toml"
    path.write_text(
        f"""
[plan]
files = ["{(ROOT / "data/plan2024.toml").as_posix()}"]
people = "people.toml"
calendar = "{(ROOT / "config/calendar.toml").as_posix()}"
[store]
url = "sqlite:///{(folder / "r.db").as_posix()}"
[telegram]
token = "{token or telegram.token}"
base_url = "{telegram.base_url}"
[email]
host = "127.0.0.1"
port = {smtp_port}
security = "none"
sender = "nhac@example.vn"
""",
        encoding="utf-8",
    )
    return path


@asynccontextmanager
async def running(
    folder: Path, clock: SetClock, telegram: FakeTelegram, mailbox: Mailbox
) -> AsyncIterator[Program]:
    """The daemon, on the fakes, until the test is through with it."""
    loop = asyncio.get_running_loop()
    smtp = await loop.create_server(lambda: SMTP(mailbox, hostname="mail"), "127.0.0.1", 0)
    try:
        port = smtp.sockets[0].getsockname()[1]
        wired = program(settings(folder, telegram, port), clock, tick_seconds=0.05)
        task = asyncio.create_task(wired.run())
        try:
            yield wired
        finally:
            wired.daemon.stop()
            await task
    finally:
        smtp.close()


async def invited(wired: Program, clock: SetClock, person: str) -> str:
    code = make_code(person.encode().ljust(16, b"."))
    store: Store = wired.store
    expires = clock.now() + HOLDS
    await wired.daemon.do(lambda: store.invite(person, hash_code(code), expires))
    return code


@pytest.mark.asyncio
async def test_from_invitation_to_the_closed_task(
    tmp_path: Path, mailbox: Mailbox, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Invite, /start, the nudge at 08:00, /done 1c, the confirmation; then silence about 1c."""
    monkeypatch.setenv("PTB_TIMEDELTA", "true")
    clock = SetClock(at("24/01", "07:58"))
    async with FakeTelegram() as telegram, running(tmp_path, clock, telegram, mailbox) as wired:
        code = await invited(wired, clock, "an")
        telegram.start(11)
        telegram.user_sends(11, f"/start {code}")
        await telegram.until(lambda: len(telegram.sent_to(11)) == 1)
        assert "Chào An" in telegram.sent_to(11)[0].text

        clock.moment = at("24/01", "08:00")
        await telegram.until(lambda: len(telegram.sent_to(11)) == 2)
        assert "1c Danh mục VBQPPL hết hiệu lực năm 2023" in telegram.sent_to(11)[1].text
        await telegram.until(lambda: any(to == "binh@example.vn" for to, _ in mailbox.mails))

        clock.moment = at("24/01", "09:12")
        telegram.user_sends(11, "/done 1c")
        await telegram.until(lambda: len(telegram.sent_to(11)) == 3)
        assert "Đã ghi" in telegram.sent_to(11)[2].text
        assert [e.event.kind.value for e in await wired.daemon.do(wired.store.events)] == ["done"]

        clock.moment = at("26/01", "08:00")
        await telegram.until(lambda: len(telegram.sent_to(11)) == 4)
        assert "1c" not in telegram.sent_to(11)[3].text
        assert telegram.too_many == 0


@pytest.mark.asyncio
async def test_a_stranger_changes_and_learns_nothing(
    tmp_path: Path, mailbox: Mailbox, monkeypatch: pytest.MonkeyPatch
) -> None:
    """One polite line in private, nothing in a group, no event; a second try hears nothing."""
    monkeypatch.setenv("PTB_TIMEDELTA", "true")
    clock = SetClock(at("24/01", "10:00"))
    async with FakeTelegram() as telegram, running(tmp_path, clock, telegram, mailbox) as wired:
        telegram.start(66)
        telegram.add_group(-7, "Nhóm")
        for text in ("/done 1c", "/viec", "/start khong-phai-ma"):
            telegram.user_sends(66, text)
        telegram.user_sends(66, "/done 1c", -7)
        await telegram.until(lambda: not telegram.pending and len(telegram.sent_to(66)) == 2)
        assert [m.text.split(",")[0].split(".")[0] for m in telegram.sent_to(66)] == [
            "Xin lỗi",
            "Mã mời này không đúng",
        ]
        assert telegram.sent_to(-7) == []
        assert await wired.daemon.do(wired.store.events) == []


@pytest.mark.asyncio
async def test_who_blocks_the_bot_gets_mail_and_the_office_hears(
    tmp_path: Path, mailbox: Mailbox, monkeypatch: pytest.MonkeyPatch
) -> None:
    """403: the mail comes instead, and the office is told; who writes again is nudged there."""
    monkeypatch.setenv("PTB_TIMEDELTA", "true")
    clock = SetClock(at("24/01", "07:58"))
    async with FakeTelegram() as telegram, running(tmp_path, clock, telegram, mailbox) as wired:
        code = await invited(wired, clock, "an")
        telegram.start(11)
        telegram.user_sends(11, f"/start {code}")
        await telegram.until(lambda: len(telegram.sent_to(11)) == 1)
        telegram.block(11)
        clock.moment = at("24/01", "08:00")

        def told() -> bool:
            an = any(to == "an@example.vn" and "1c" in text for to, text in mailbox.mails)
            office = any(to == "chi@example.vn" and "(an)" in text for to, text in mailbox.mails)
            return an and office

        await telegram.until(told)

        telegram.unblock(11)
        clock.moment = at("25/01", "09:00")
        telegram.user_sends(11, "ok")
        await telegram.until(lambda: len(telegram.sent_to(11)) == 2)
        clock.moment = at("26/01", "08:00")
        await telegram.until(lambda: len(telegram.sent_to(11)) == 3)
        assert "2c Kết quả đánh giá" in telegram.sent_to(11)[2].text


@pytest.mark.asyncio
async def test_a_wrong_token_stops_the_start_with_one_sentence(
    tmp_path: Path, mailbox: Mailbox
) -> None:
    """It names the setting, and not the token."""
    clock = SetClock(at("24/01", "07:58"))
    async with FakeTelegram() as telegram:
        path = settings(tmp_path, telegram, 1, token="999:" + "falsch" * 6)
        wired = program(path, clock)
        with pytest.raises(ReminderError) as caught:
            await wired.run()
        assert str(caught.value).startswith("[telegram] token: Telegram does not accept it")
        assert "falsch" not in str(caught.value)
    assert mailbox.mails == []


@pytest.mark.asyncio
async def test_no_network_at_the_start_is_waited_out(
    tmp_path: Path, mailbox: Mailbox, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Telegram out of reach: the daemon starts all the same, and mail goes out."""
    monkeypatch.setenv("PTB_TIMEDELTA", "true")
    clock = SetClock(at("24/01", "08:00"))
    async with FakeTelegram() as telegram:
        telegram.go_offline()
        async with running(tmp_path, clock, telegram, mailbox):
            await telegram.until(lambda: any(to == "binh@example.vn" for to, _ in mailbox.mails))
        telegram.go_online()
