"""What a mail server refuses, and what the service then knows: no password in any of it."""

from __future__ import annotations

import asyncio
import os
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from aiosmtplib import SMTPResponseException
from imap_tools.errors import MailboxLoginError

from reminder.channels.email.errors import Step, send_error
from reminder.channels.email.mailbox import _reason
from reminder.channels.email.send import MailChannel, MailServer
from reminder.domain.outbox import SendError
from tests.channels.email.mailline import AT, HELLO, IDENTITY, SENDER, channel, known, refusal, sent
from tests.channels.email.mailserver import Post, certificate, server_context


@pytest.fixture(scope="module")
def pairs(tmp_path_factory: pytest.TempPathFactory) -> dict[str, tuple[Path, Path]]:
    """A certificate for the server's address, and one for another name."""
    folder = tmp_path_factory.mktemp("certificates")
    return {name: certificate(folder, name) for name in ("127.0.0.1", "khac.example")}


@pytest.mark.parametrize(
    ("said", "meaning"),
    [
        ({"rcpt": "550 5.1.1 user unknown"}, {"retry": False, "address_dead": True}),
        ({"rcpt": "550 No such user here"}, {"retry": False, "address_dead": True}),
        ({"rcpt": "552 5.2.2 mailbox full"}, {"retry": False}),
        ({"rcpt": "554 5.7.1 relay access denied"}, {"retry": False}),
        ({"rcpt": "550 relaying denied"}, {"retry": False}),
        ({"rcpt": "450 4.2.0 greylisted"}, {"retry": True, "retry_after": 300.0}),
        ({"rcpt": "452 4.3.1 disk full"}, {"retry": True}),
        ({"mail": "550 5.7.1 sender not allowed"}, {"retry": True, "channel_down": True}),
        ({"mail": "421 4.3.2 shutting down"}, {"retry": True}),
        ({"data": "554 5.7.1 looks like spam"}, {"retry": False}),
        ({"data": "451 4.3.0 try later"}, {"retry": True}),
        ({"drop_after_data": True}, {"retry": True, "unknown": True}),
    ],
)
def test_what_a_refusal_means(said: dict[str, Any], meaning: dict[str, object]) -> None:
    """4xx again later; 5xx of the person, the message or the sender; a lost answer is unknown."""
    assert known(refusal(Post(**said))) == meaning


@pytest.mark.parametrize(
    ("said", "reason"),
    [
        ({"rcpt": "550 5.1.1 <an@x.vn>: Recipient address rejected"},
         "máy chủ thư không nhận người nhận này: không có hộp thư này"),
        ({"rcpt": "550 No such user here"},
         "máy chủ thư không nhận người nhận này: không có hộp thư này"),
        ({"rcpt": "552 5.2.2 over quota"}, "máy chủ thư không nhận người nhận này: hộp thư đã đầy"),
        ({"rcpt": "550 5.7.1 relaying denied"},
         "máy chủ thư không nhận người nhận này: máy chủ này không chuyển thư tới địa chỉ ấy"),
        ({"rcpt": "550 5.9.9 rule 17"},
         "máy chủ thư không nhận người nhận này (550 5.9.9 rule 17)"),
        ({"data": "554 5.7.1 looks like spam"},
         "máy chủ thư không nhận thư này: thư bị coi là thư rác"),
        ({"data": "550 5.7.26 unauthenticated mail"},
         "máy chủ thư không nhận thư này: thư không qua được kiểm tra nơi gửi (SPF, DKIM)"),
    ],
)  # fmt: skip
def test_what_servers_are_known_to_say_is_said_in_vietnamese(
    said: dict[str, Any], reason: str
) -> None:
    """The server's own words stand in brackets only where nothing else tells; the log has them."""
    error = refusal(Post(**said))
    assert error.reason == reason
    assert error.said == next(iter(said.values()))


@pytest.mark.parametrize("address", ["", "an", "an@", "a n@x.vn", "an@x.vn\r\nDATA", "<an@x.vn>"])
def test_what_is_no_address_is_dead_before_any_server_is_asked(address: str) -> None:
    """Nothing that a person typed into the list reaches the wire unread."""
    with pytest.raises(SendError) as caught:
        asyncio.run(channel(1).send(address, HELLO, "a"))
    assert known(caught.value) == {"retry": False, "address_dead": True}


@pytest.mark.parametrize("security", ["tls", "starttls"])
def test_certificates_are_checked(pairs: dict[str, tuple[Path, Path]], security: str) -> None:
    """A trusted one: sent, encrypted. An untrusted one, or of another name: said, nothing sent."""
    good, other = pairs["127.0.0.1"], pairs["khac.example"]
    option = "tls" if security == "tls" else "starttls"
    post = Post()
    trust: dict[str, Any] = {"security": security, "certificates": str(good[0])}
    sent(post, server={option: server_context(good)}, **trust)
    assert post.secure == [True]

    untrusted = refusal(Post(), server={option: server_context(good)}, security=security)
    misnamed = refusal(
        Post(),
        server={option: server_context(other)},
        security=security,
        certificates=str(other[0]),
    )
    for error in (untrusted, misnamed):
        assert known(error) == {"retry": True, "channel_down": True}
        assert error.reason.startswith("chứng thư của máy chủ thư 127.0.0.1:")


def test_a_server_without_starttls_gets_neither_mail_nor_password() -> None:
    """Encryption that was asked for is never given up silently."""
    post = Post()
    error = refusal(post, security="starttls", username="nhac", password="dung-mat-khau")
    assert known(error) == {"retry": True, "channel_down": True}
    assert (post.received, post.logins) == ([], [])


@pytest.mark.parametrize(
    ("code", "words", "reason"),
    [
        (535, "5.7.8 bad", "máy chủ thư h:587 không nhận tên hoặc mật khẩu"),
        (454, "4.7.0 try later", "máy chủ thư h:587 hẹn gửi lại sau (454 4.7.0 try later)"),
        (538, "5.7.11 TLS", "máy chủ thư h:587 không cho gửi (538 5.7.11 TLS)"),
    ],
)
def test_only_a_refused_password_is_blamed(code: int, words: str, reason: str) -> None:
    """Not a server that is busy, nor one that wants encryption first (RFC 4954)."""
    server = MailServer(host="h", port=587, sender=SENDER)
    error = send_error(SMTPResponseException(code, words), Step.LOGIN, server)
    assert error.reason == reason
    refused = MailboxLoginError(("NO", [b"[UNAVAILABLE] down"]), "OK")
    assert _reason(refused, "máy chủ") == "máy chủ tạm thời không cho vào"


def test_a_login_is_made_where_a_name_is_given(pairs: dict[str, tuple[Path, Path]]) -> None:
    """And a wrong password is said without it."""
    good = pairs["127.0.0.1"]
    server = {"login": True, "starttls": server_context(good)}
    trust: dict[str, Any] = {
        "security": "starttls",
        "certificates": str(good[0]),
        "username": "nhac",
    }
    post = Post()
    sent(post, server=server, password="dung-mat-khau", **trust)
    assert (post.logins, len(post.received)) == (["nhac"], 1)
    error = refusal(Post(), server=server, password="sai-mat-khau", **trust)
    assert known(error) == {"retry": True, "channel_down": True}
    assert "không nhận tên hoặc mật khẩu" in error.reason


def check(make: Callable[[], MailChannel]) -> SendError:
    with pytest.raises(SendError) as caught:
        asyncio.run(make().check())
    return caught.value


def test_a_server_that_is_not_there_is_said_in_plain_words() -> None:
    """A closed port and an unknown name: both later again, nothing sent."""
    closed = check(lambda: channel(1))
    nameless = check(
        lambda: MailChannel(
            MailServer(host="khong-co.invalid", port=25, security="none", sender=SENDER),
            IDENTITY,
            lambda: AT,
        )
    )
    assert [known(error) for error in (closed, nameless)] == [{"retry": True}] * 2
    assert closed.reason == "máy chủ thư 127.0.0.1:1 không mở cổng ấy"
    assert nameless.reason.startswith("không tìm thấy máy chủ thư khong-co.invalid:25")


def test_a_certificates_file_that_is_none_is_named(tmp_path: Path) -> None:
    """The setting, the file and what is wrong with it; the mail waits until that is mended."""
    empty = tmp_path / "empty.pem"
    empty.write_text("no certificate")
    pipe = tmp_path / "pipe.pem"
    os.mkfifo(pipe)
    for file, why in (
        (tmp_path / "none.pem", "No such file"),
        (empty, "không có chứng thư"),
        (pipe, "ống dẫn"),
        (Path("/dev/zero"), "không có chứng thư"),
    ):
        error = refusal(Post(), security="starttls", certificates=str(file))
        assert known(error) == {"retry": True, "channel_down": True}
        assert error.reason.startswith(f"ca_file: không đọc được chứng thư ở {file}: ")
        assert why in error.reason


def test_the_settings_never_show_the_password() -> None:
    """Not even in a traceback that prints its values."""
    server = MailServer(host="h", port=25, username="nhac", password="mat-khau", sender=SENDER)
    assert "mat-khau" not in repr(server)
