"""The mailbox itself: large mails in part, mails that vanish, and what is wrong in plain words."""

from __future__ import annotations

import asyncio
import socket
from collections.abc import Callable
from dataclasses import replace
from datetime import date
from email.message import EmailMessage
from pathlib import Path

import pytest

from reminder.inbox.box import READ_BYTES, Box, BoxError, ImapServer, utf7_quoted
from reminder.inbox.reading import read
from tests.channels.mailserver import Post, certificate, server_context, serving
from tests.inbox.conftest import INBOX, PASSWORD, MailWorld

DAY = date(2024, 1, 1)


def server(port: int) -> ImapServer:
    return ImapServer(
        host="127.0.0.1",
        port=port,
        security="none",
        username=INBOX,
        password=PASSWORD,
        seconds=5.0,
    )


def opened(post: MailWorld) -> Box:
    box = Box(server(post.imap_port))
    box.open()
    return box


def letter(text: str = "xong 1c") -> EmailMessage:
    mail = EmailMessage()
    mail["From"], mail["To"], mail["Message-ID"] = "an@example.vn", INBOX, "<a@b>"
    mail.set_content(text)
    return mail


def test_of_30_megabytes_only_the_beginning_is_read(post: MailWorld) -> None:
    """The answer stands before the scan that is attached."""
    mail = letter()
    mail.add_attachment(b"\0" * 22_000_000, maintype="application", subtype="pdf", filename="a.pdf")
    assert len(mail.as_bytes()) > 29_000_000
    with post.mailbox(INBOX) as client:
        client.append("INBOX", "", "", mail.as_bytes())
    box = opened(post)
    (uid,) = box.newer(0, DAY)
    content = box.fetch(uid)
    assert content is not None
    assert len(content) <= READ_BYTES
    assert read(content).text == "xong 1c"
    box.shut()


def test_looking_leaves_a_mail_unread_and_putting_away_reads_it(post: MailWorld) -> None:
    """PEEK; then the folder of what is done, made where it is missing."""
    post.hand_in(letter(), INBOX)
    box = opened(post)
    (uid,) = box.newer(0, DAY)
    assert box.fetch(uid) is not None
    assert box.unread(DAY) == [uid]
    assert box.newer(uid, DAY) == []
    assert box.put_away(uid)
    assert (box.unread(DAY), len(post.mails(INBOX, "Da-xu-ly", "SEEN"))) == ([], 1)
    box.shut()


def test_a_mail_that_is_deleted_meanwhile_is_nothing(post: MailWorld) -> None:
    """Neither reading nor putting away what is gone is an error."""
    post.hand_in(letter(), INBOX)
    box = opened(post)
    (uid,) = box.newer(0, DAY)
    with post.mailbox(INBOX) as client:
        client.store("1", "+FLAGS", r"(\Deleted)")
        client.expunge()
    assert box.newer(0, DAY) == []
    assert box.fetch(uid) is None
    box.put_away(uid)
    box.shut()


def test_a_wrong_password_a_missing_folder_and_a_closed_port_are_told_apart(
    post: MailWorld,
) -> None:
    """Each in one sentence that names the setting to look at, none with the password."""
    good = server(post.imap_port)
    with socket.socket() as closed:
        closed.bind(("127.0.0.1", 0))
        words = {
            "mật khẩu": replace(good, password="sai-mat-khau"),
            "không mở cổng": replace(good, port=closed.getsockname()[1]),
            "không tìm thấy máy chủ": replace(good, host="khong-co.invalid"),
            "không có STARTTLS": replace(good, security="starttls"),
            "mã hóa": replace(good, security="tls"),
        }
        for said, wrong in words.items():
            with pytest.raises(BoxError, match=said) as caught:
                Box(wrong).open()
            assert "sai-mat-khau" not in str(caught.value)


def test_a_certificate_that_is_not_trusted_is_said(tmp_path: Path) -> None:
    """The host's name and its certificate are checked, always."""

    async def main() -> str:
        context = server_context(certificate(tmp_path, "khac.example"))
        async with serving(Post(), tls=context) as port:
            wrong = replace(server(port), security="tls")
            with pytest.raises(BoxError) as caught:
                await asyncio.to_thread(Box(wrong).open)
            return str(caught.value)

    assert "chứng thư" in asyncio.run(main())


def test_a_folder_may_have_a_vietnamese_name() -> None:
    """RFC 3501, 5.1.3: IMAP's own UTF-7."""
    assert utf7_quoted("Đã xử lý") == '"&ARAA4w- x&Hu0- l&AP0-"'


async def relayed(post: MailWorld, folder: Path, work: Callable[[ImapServer], object]) -> None:
    """`work` on the server behind a line in TLS that tells whoever idles of a new mail."""
    pair = certificate(folder, "127.0.0.1")

    async def up(reader: asyncio.StreamReader, back: asyncio.StreamWriter) -> None:
        while data := await reader.read(4096):
            back.write(data)
        back.write_eof()

    async def serve(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        there, back = await asyncio.open_connection("127.0.0.1", post.imap_port)
        sending = asyncio.create_task(up(reader, back))
        try:
            while data := await there.read(4096):
                writer.write(data)
                if data.startswith(b"+ "):  # it idles now
                    writer.write(b"* 7 EXISTS\r\n")
        finally:
            sending.cancel()
            back.close()
            writer.close()
            gone.set()

    gone = asyncio.Event()
    listening = await asyncio.start_server(serve, "127.0.0.1", 0, ssl=server_context(pair))
    port = listening.sockets[0].getsockname()[1]
    where = replace(server(port), security="tls", certificates=str(pair[0]))
    async with asyncio.timeout(60):
        await asyncio.to_thread(work, where)
        await gone.wait()
    listening.close()
    await listening.wait_closed()


def test_over_tls_a_server_that_idles_ends_the_wait_by_itself(
    post: MailWorld, tmp_path: Path
) -> None:
    """A trusted certificate; the wait of twenty minutes is over when a mail is told of."""

    def work(where: ImapServer) -> None:
        box = Box(where)
        box.open()
        box.wait(1200)
        post.hand_in(letter(), INBOX)
        (uid,) = box.newer(0, DAY)
        assert box.put_away(uid)
        box.shut()

    asyncio.run(relayed(post, tmp_path, work))


def test_a_wait_ends_when_the_box_is_shut(post: MailWorld) -> None:
    """The end of the program waits for no server."""

    async def main() -> None:
        box = Box(server(post.imap_port))
        await asyncio.to_thread(box.open)
        waiting = asyncio.create_task(asyncio.to_thread(box.wait, 1200))
        await asyncio.sleep(0.2)
        box.shut()
        async with asyncio.timeout(60):
            with pytest.raises(BoxError):
                await waiting

    asyncio.run(main())
