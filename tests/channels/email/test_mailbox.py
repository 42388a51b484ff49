"""The mailbox itself: large mails in part, mails that vanish, and what is wrong in plain words."""

from __future__ import annotations

import asyncio
import contextlib
import socket
import threading
import time
from collections.abc import Callable, Iterator
from dataclasses import replace
from datetime import date
from email.message import EmailMessage
from pathlib import Path

import pytest

from reminder.channels.email.classify import own_words, read
from reminder.channels.email.mailbox import (
    READ_BYTES,
    ImapServer,
    Mailbox,
    MailboxError,
    utf7_quoted,
)
from tests.channels.email.conftest import INBOX, PASSWORD, MailWorld
from tests.channels.email.mailserver import Post, certificate, server_context, serving

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


def opened(post: MailWorld) -> Mailbox:
    box = Mailbox(server(post.imap_port))
    box.open()
    return box


def letter(text: str = "xong 1c") -> EmailMessage:
    mail = EmailMessage()
    mail["From"], mail["To"], mail["Message-ID"] = "an@example.vn", INBOX, "<a@b>"
    mail.set_content(text)
    return mail


@pytest.mark.thorough
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
    assert own_words(read(content))[1] == "xong 1c"
    box.shut()


def test_looking_leaves_a_mail_unread_and_putting_away_reads_it(post: MailWorld) -> None:
    """PEEK; then the folder of what is done, made where it is missing."""
    post.hand_in(letter(), INBOX)
    box = opened(post)
    (uid,) = box.newer(0, DAY)
    assert box.fetch(uid) is not None
    assert box.unread(DAY) == [uid]
    assert box.newer(uid, DAY) == []
    assert box.move_to_processed(uid)
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
    box.move_to_processed(uid)
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
            with pytest.raises(MailboxError, match=said) as caught:
                Mailbox(wrong).open()
            assert "sai-mat-khau" not in str(caught.value)


def test_a_certificate_that_is_not_trusted_is_said(tmp_path: Path) -> None:
    """The host's name and its certificate are checked, always."""

    async def main() -> str:
        context = server_context(certificate(tmp_path, "khac.example"))
        async with serving(Post(), tls=context) as port:
            wrong = replace(server(port), security="tls")
            with pytest.raises(MailboxError) as caught:
                await asyncio.to_thread(Mailbox(wrong).open)
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
        box = Mailbox(where)
        box.open()
        box.wait(1200)
        post.hand_in(letter(), INBOX)
        (uid,) = box.newer(0, DAY)
        assert box.move_to_processed(uid)
        box.shut()

    asyncio.run(relayed(post, tmp_path, work))


ANSWERS = {  # of a server that has a mail come at the worst moment
    "IDLE": "+ idling\r\n* 1 EXISTS\r\n",
    "DONE": "T OK IDLE\r\n",
    "MOVE": "T OK MOVE\r\n",
    "CAPABILITY": "* CAPABILITY IMAP4rev1 IDLE MOVE\r\nT OK done\r\n",
    "SELECT": "* 1 EXISTS\r\n* OK [UIDVALIDITY 1]\r\nT OK [READ-WRITE]\r\n",
    "SEARCH": "* SEARCH 5\r\nT OK done\r\n",
}


@contextlib.contextmanager
def scripted(answers: dict[str, str], heard: list[str]) -> Iterator[Mailbox]:
    """A box on a server that answers each command as told, in one packet each."""

    def serve(listening: socket.socket) -> None:
        line, _ = listening.accept()
        with line, line.makefile("rb") as words:
            line.sendall(b"* OK [CAPABILITY IMAP4rev1 IDLE] ready\r\n")
            tag = "T"
            for said in words:
                first, *rest = said.decode().split()
                name = rest[1] if rest[:1] == ["UID"] else (rest or [first])[0]
                tag = first if rest else tag
                heard.append(name)
                answer = answers.get(name, "T OK done\r\n").replace("T OK", f"{tag} OK")
                line.sendall(answer.encode())

    with socket.create_server(("127.0.0.1", 0)) as listening:
        thread = threading.Thread(target=serve, args=(listening,), daemon=True)
        thread.start()
        box = Mailbox(server(listening.getsockname()[1]))
        box.open()
        try:
            yield box
        finally:
            box.shut()
            thread.join(60)


def waited(box: Mailbox) -> bool:
    """Whether the wait of twenty minutes is over within one."""
    waiting = threading.Thread(target=box.wait, args=(1200,), daemon=True)
    waiting.start()
    waiting.join(60)
    return not waiting.is_alive()


def test_a_mail_told_of_in_one_packet_with_the_leave_to_idle_ends_the_wait() -> None:
    """It came between the look and IDLE; polling the socket alone would miss it for a minute."""
    heard: list[str] = []
    with scripted(ANSWERS, heard) as box:
        box.newer(0, DAY)
        assert waited(box)
    assert heard[-2:] == ["IDLE", "DONE"]


def test_a_mail_told_of_while_the_last_one_is_dealt_with_is_not_waited_for() -> None:
    """RFC 3501, 5.2: any answer may tell of it, and IDLE then says nothing."""
    heard: list[str] = []
    silent = ANSWERS | {"IDLE": "+ idling\r\n", "STORE": "* 2 EXISTS\r\nT OK done\r\n"}
    with scripted(silent, heard) as box:
        box.newer(4, DAY)
        box.move_to_processed(5)
        before = len(heard)
        assert waited(box)
        assert len(heard) == before


def test_a_server_that_tells_the_same_with_every_answer_is_waited_for() -> None:
    """Otherwise it would be asked without end: only the first time, then it idles."""
    heard: list[str] = []
    chatty = ANSWERS | {"SEARCH": "* SEARCH\r\n* 1 EXISTS\r\nT OK done\r\n"}
    with scripted(chatty, heard) as box:
        for _ in range(3):
            box.newer(5, DAY)
            assert waited(box)
    assert heard.count("IDLE") == 2


def test_a_certificates_file_that_is_none_is_named(post: MailWorld, tmp_path: Path) -> None:
    """The setting, the file and what is wrong with it; no traceback."""
    empty = tmp_path / "empty.pem"
    empty.write_text("no certificate")
    for file, why in ((tmp_path / "none.pem", "No such file"), (empty, "không có chứng thư")):
        wrong = replace(server(post.imap_port), security="tls", certificates=str(file))
        with pytest.raises(MailboxError, match=rf"ca_file.*{file}.*{why}"):
            Mailbox(wrong).open()


def test_a_wait_ends_when_the_box_is_shut(post: MailWorld) -> None:
    """The end of the program waits for no server."""

    ended: list[type[BaseException]] = []

    def waits() -> None:
        try:
            box.wait(1200)
        except MailboxError as error:
            ended.append(type(error))

    box = Mailbox(server(post.imap_port))
    box.open()
    waiting = threading.Thread(target=waits, daemon=True)  # which the test's end waits for not
    waiting.start()
    time.sleep(0.2)
    box.shut()
    waiting.join(60)
    assert ended == [MailboxError]
