"""`reminder doctor`: mail there and back, and what is wrong in plain words."""

from __future__ import annotations

import asyncio
import sys
from pathlib import Path

import pytest
from aiosmtpd.smtp import SMTP, Envelope, Session
from typer.testing import CliRunner

from reminder.channels.email.reader import MailReader
from reminder.cli import app
from reminder.doctor.network import MailCheck
from reminder.files.settings import load_settings
from tests.channels.email.conftest import INBOX, PASSWORD, MailWorld
from tests.channels.email.replies import AUTHSERV_ID
from tests.channels.email.test_course import settings
from tests.channels.email.test_reader import DEADLY
from tests.services.world import at

TOKEN = 'trust = "token"'


def findings(config: Path, looks: int = 10) -> list[str]:
    async def main() -> list[str]:
        check = MailCheck(load_settings(config, {}), lambda: at("24/01"), looks=looks)
        return [str(finding) async for finding in check.findings()]

    return asyncio.run(main())


def changed(config: Path, old: str, new: str) -> Path:
    text = config.read_text(encoding="utf-8")
    assert old in text
    config.write_text(text.replace(old, new), encoding="utf-8")
    return config


def test_a_server_without_results_is_sound_with_token_trust(
    tmp_path: Path, post: MailWorld
) -> None:
    """Both servers, the probe, the plus-address; the risk is said; the probe is put away."""
    config = settings(tmp_path, post, inbox=TOKEN)
    result = CliRunner().invoke(app, ["doctor", "--config", str(config)])
    assert result.exit_code == 0
    lines = [line for line in result.stdout.splitlines() if line[2:].startswith("[")]
    assert [line[0] for line in lines] == ["✓"] * 4
    assert "mạo tên" in lines[3]
    assert post.mails(INBOX) == []
    assert len(post.mails(INBOX, "Da-xu-ly")) == 1


def test_missing_results_are_a_fault_where_they_are_asked_for(
    tmp_path: Path, post: MailWorld
) -> None:
    """Exit code 1, and what to do."""
    config = settings(tmp_path, post)
    result = CliRunner().invoke(app, ["doctor", "--config", str(config)])
    assert result.exit_code == 1
    assert "✗ [inbox] thư đến không có dòng Authentication-Results" in result.stdout


class Vouching:
    """A server that says who sent what, and hands it on after a stranger's mail."""

    stranger = b"X-Deadly: yes\r\n\r\nspam\r\n"

    def __init__(self, post: MailWorld, field: str) -> None:
        self._post, self._field = post, field

    async def handle_DATA(  # noqa: N802  aiosmtpd's name
        self, server: SMTP, session: Session, envelope: Envelope
    ) -> str:
        del server, session
        assert isinstance(envelope.content, bytes)
        mail = f"Authentication-Results: {self._field}\r\n".encode() + envelope.content
        for one in (self.stranger, mail):
            await asyncio.to_thread(self._post.hand_in, one, envelope.rcpt_tos[0])
        return "250 OK"


@pytest.mark.parametrize(
    ("field", "said"),
    [
        (f"{AUTHSERV_ID}; dmarc=pass header.from=example.vn", "✓ [inbox] máy chủ thư xác nhận"),
        ("mx2.example.vn; dmarc=pass", "thư đến ghi “mx2.example.vn”: sửa authserv_id"),
        (f"{AUTHSERV_ID}; dmarc=fail", "✗ [inbox] máy chủ thư không xác nhận được"),
    ],
)
def test_what_the_server_says_of_the_probe(
    tmp_path: Path, post: MailWorld, field: str, said: str
) -> None:
    """Vouched for, by another name, or not; a mail that nothing can read is passed over."""
    config = settings(tmp_path, post)
    reader = MailReader(command=(sys.executable, "-P", str(DEADLY)))

    async def main() -> list[str]:
        loop = asyncio.get_running_loop()
        smtp = await loop.create_server(lambda: SMTP(Vouching(post, field)), "127.0.0.1", 0)
        port = smtp.sockets[0].getsockname()[1]
        changed(config, f"port = {post.smtp_port}", f"port = {port}")
        check = MailCheck(load_settings(config, {}), lambda: at("24/01"), reader=reader)
        try:
            return [str(finding) async for finding in check.findings()]
        finally:
            smtp.close()

    assert said in asyncio.run(main())[-1]


def test_each_fault_is_said_and_no_secret_is(tmp_path: Path, post: MailWorld) -> None:
    """A password, a port, a name, a mailbox that takes no plus-addresses, another's address."""
    faults = {
        "✗ [inbox] máy chủ thư đến": (f'"{PASSWORD}"', '"sai"'),
        "✗ [inbox] máy chủ thư đến 127.0.0.1:1 không mở cổng": (str(post.imap_port), "1"),
        "✗ [email] máy chủ thư 127.0.0.1:1 không mở cổng": (str(post.smtp_port), "1"),
        "✗ [email] không tìm thấy máy chủ thư": (
            '[email]\nhost = "127.0.0.1"',
            '[email]\nhost = "khong-co.invalid"',
        ),
        "✗ [inbox] hộp thư không nhận địa chỉ cộng như an+abc@example.vn": (
            f'username = "{INBOX}"\npassword = "{PASSWORD}"\naddress = "{INBOX}"',
            f'username = "an@example.vn"\npassword = "{PASSWORD}"\naddress = "an@example.vn"',
        ),
        "✗ [inbox] máy chủ nhận thư thử mà hộp thư không thấy": (
            f'address = "{INBOX}"',
            'address = "binh@example.vn"',
        ),
    }
    for said, (old, new) in faults.items():
        config = changed(settings(tmp_path, post, inbox=TOKEN), old, new)
        lines = findings(config, looks=2)
        assert any(line.startswith(said) for line in lines), lines
        assert PASSWORD not in "".join(lines)


def test_without_mail_there_is_nothing_to_try(tmp_path: Path) -> None:
    """No [email]: said, and no fault."""
    config = tmp_path / "reminder.toml"
    config.write_text("", encoding="utf-8")
    assert findings(config) == ["✓ [email] chưa cài đặt: máy không gửi thư"]
