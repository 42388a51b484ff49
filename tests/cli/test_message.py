"""`reminder test` and `doctor --send`: messages that really go out, and what came of each."""

from __future__ import annotations

import asyncio
import json
from contextlib import closing
from email import message_from_bytes, policy
from pathlib import Path
from typing import Any

import pytest
from typer.testing import CliRunner

from reminder.app import bootstrap
from reminder.cli import app
from reminder.domain.errors import ReminderError
from reminder.store.store import open_store
from tests.channels.email.mailserver import Post, serving
from tests.cli.test_people import NOW, PEOPLE, Terminal
from tests.fakes.telegram import FakeTelegram


@pytest.fixture(autouse=True)
def no_proxy(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("NO_PROXY", "*")


def settings(smtp: int, telegram: FakeTelegram | None = None) -> str:
    section = f'[email]\nhost = "127.0.0.1"\nport = {smtp}\nsecurity = "none"\n'
    section += 'sender = "nhac@xa.example"\n'
    if telegram:
        section += f'[telegram]\ntoken = "{telegram.token}"\nbase_url = "{telegram.base_url}"\n'
    return section


async def typed(*arguments: str) -> tuple[int, str]:
    """The exit code and what is printed, while the servers run in this loop."""
    result = await asyncio.to_thread(CliRunner().invoke, app, list(arguments))
    if isinstance(result.exception, Exception):
        raise result.exception
    return result.exit_code, result.stdout


def read(post: Post) -> list[tuple[list[str], str, str]]:
    """Recipient, subject and text of each mail, to the line above the footer."""
    found = []
    for envelope in post.received:
        assert isinstance(envelope.content, bytes)
        mail = message_from_bytes(envelope.content, policy=policy.default)
        body = mail.get_body(("plain",))
        assert body is not None
        text = body.get_content().replace("\r\n", "\n").partition("\n\n-- ")[0]
        found.append((envelope.rcpt_tos, str(mail["Subject"]), text))
    return found


def said(name: str, channel: str) -> str:
    return (
        f"Chào {name}. Đây là tin thử của máy nhắc việc, gửi lúc 09:00 hôm nay: anh/chị đọc được "
        f"tin này thì kênh {channel} dùng được.\nAnh/chị không cần làm gì."
    )


@pytest.mark.asyncio
async def test_a_message_by_each_channel(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Each of the person's channels is tried at once; an unbound one says how to invite."""
    post = Post()
    async with FakeTelegram() as telegram, serving(post) as port:
        terminal = Terminal(tmp_path, monkeypatch, settings(port, telegram))
        call = ("test", "tp-1", "--config", str(terminal.config))
        code, output = await typed(*call)
        assert (code, output) == (
            0,
            (
                "! Công chức Tư pháp (tp-1), Telegram: chưa gắn, chưa gửi được.\n"
                "    → mời người ấy: reminder invite tp-1\n"
                "✓ Công chức Tư pháp (tp-1), thư điện tử: đã gửi tin thử tp@xa.example.\n"
            ),
        )
        telegram.start(42)
        with terminal.store() as store:
            store.bind("tp-1", "telegram", "42", NOW)
        code, output = await typed(*call)
        assert (code, output) == (
            0,
            (
                "✓ Công chức Tư pháp (tp-1), Telegram: đã gửi tin thử.\n"
                "✓ Công chức Tư pháp (tp-1), thư điện tử: đã gửi tin thử tp@xa.example.\n"
            ),
        )
        assert [message.text for message in telegram.sent_to(42)] == [
            said("Công chức Tư pháp", "Telegram")
        ]
    text = said("Công chức Tư pháp", "thư điện tử")
    assert read(post) == [(["tp@xa.example"], "Tin thử của máy nhắc việc", text)] * 2


@pytest.mark.asyncio
async def test_a_message_is_no_proof_of_notice(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Neither the outbox nor the ledger has it."""
    async with serving(Post()) as port:
        terminal = Terminal(tmp_path, monkeypatch, settings(port))
        await typed("test", "ld-1", "--config", str(terminal.config))
    with closing(open_store(terminal.url, exclusive=False, sleep=bootstrap.pause)) as store:
        assert (store.rows(), store.head()[0]) == ([], 0)


@pytest.mark.asyncio
async def test_what_is_refused_is_told(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A box that is not there, a chat that blocks the bot: why, and the remedy; exit code 1."""
    post = Post(rcpt="550 5.1.1 no such user")
    async with FakeTelegram() as telegram, serving(post) as port:
        terminal = Terminal(tmp_path, monkeypatch, settings(port, telegram))
        telegram.start(42)
        telegram.block(42)
        with terminal.store() as store:
            store.bind("tp-1", "telegram", "42", NOW)
        code, output = await typed("test", "tp-1", "--config", str(terminal.config))
    assert code == 1
    assert output == (
        "✗ Công chức Tư pháp (tp-1), Telegram: không gửi được, người nhận đã chặn bot.\n"
        "    → mời lại: reminder invite tp-1\n"
        "✗ Công chức Tư pháp (tp-1), thư điện tử tp@xa.example: không gửi được, máy chủ thư không "
        "nhận người nhận này: không có hộp thư này.\n"
        "    → sửa địa chỉ thư của người ấy trong people.toml\n"
    )


@pytest.mark.asyncio
async def test_an_address_that_was_given_up(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """It is tried all the same, and how to use it again is told."""
    async with serving(Post()) as port:
        terminal = Terminal(tmp_path, monkeypatch, settings(port))
        with terminal.store() as store:
            store.bind("ld-1", "email", "ld@xa.example", NOW)
            store.mark_address_dead("email", "ld@xa.example", "không có hộp thư này", NOW)
        code, output = await typed("test", "ld-1", "--config", str(terminal.config))
    assert (code, output) == (
        0,
        (
            "✓ Lãnh đạo (ld-1), thư điện tử: đã gửi tin thử ld@xa.example. Máy đang coi địa chỉ "
            "này là hỏng, từ 09:00 30/01.\n"
            "    → người ấy nhận được tin thử thì dùng lại: reminder revive ld-1\n"
        ),
    )


def test_nobody_can_be_told(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A channel that is not set up is a warning, and a person reached by none a failure."""
    terminal = Terminal(tmp_path, monkeypatch)
    result = CliRunner().invoke(app, ["test", "ld-1", "--config", str(terminal.config)])
    assert (result.exit_code, result.stdout) == (
        1,
        (
            "! Lãnh đạo (ld-1), thư điện tử: kênh này chưa cài đặt.\n"
            "    → điền [email] trong tệp cài đặt\n"
        ),
    )
    result = CliRunner().invoke(app, ["test", "ld", "--config", str(terminal.config)])
    assert isinstance(result.exception, ReminderError)
    assert str(result.exception).startswith("people.toml không có người nào mã “ld”")


@pytest.mark.asyncio
async def test_doctor_sends_to_everybody(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """--send: after the checks one message to each person; without it nobody gets one."""
    post = Post()
    async with serving(post) as port:
        terminal = Terminal(tmp_path, monkeypatch, settings(port))
        call = ("doctor", "--json", "--config", str(terminal.config))
        await typed(*call)
        assert read(post) == []
        _, output = await typed(*call, "--send")
    lines: list[dict[str, Any]] = [json.loads(line) for line in output.splitlines()]
    assert [one["verdict"] for one in lines if one["name"] == "message"] == [
        "ok", "ok", "ok",
    ]  # fmt: skip
    assert [to for to, _, _ in read(post)] == [
        ["vp@xa.example"], ["tp@xa.example"], ["ld@xa.example"],
    ]  # fmt: skip
    assert len(PEOPLE.split("[[person]]")) == 4


def test_doctor_without_a_network_sends_nothing(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    terminal = Terminal(tmp_path, monkeypatch)
    call = ["doctor", "--local", "--send", "--config", str(terminal.config)]
    result = CliRunner().invoke(app, call)
    assert str(result.exception) == "--local không dùng mạng nên không đi cùng --send"
