"""A mail server that this project did not write (mail-devel): SMTP and IMAP, in a process."""

from __future__ import annotations

import contextlib
import imaplib
import os
import smtplib
import subprocess
import sys
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from email import message_from_bytes
from email.message import EmailMessage, Message
from email.policy import default

import pytest

from tests.conftest import ROOT
from tests.waiting import LONGEST, until

PASSWORD = "mat-khau"
INBOX = "nhac@example.vn"
PEOPLE = ("an@example.vn", "binh@example.vn", "chi@example.vn")


A_LINE = 100  # mails handed in over one connection


@dataclass
class MailWorld:
    """The server, and what the test does on it as everybody but the program."""

    smtp_port: int
    imap_port: int

    def hand_in(
        self, mail: bytes | Message, to: str, sender: str = "ai-do@example.vn", times: int = 1
    ) -> None:
        content = mail if isinstance(mail, bytes) else mail.as_bytes()
        for first in range(0, times, A_LINE):
            with smtplib.SMTP("127.0.0.1", self.smtp_port) as client:
                for _ in range(min(A_LINE, times - first)):
                    client.sendmail(sender, [to], content)

    @contextlib.contextmanager
    def mailbox(self, user: str, folder: str = "INBOX") -> Iterator[imaplib.IMAP4]:
        client = imaplib.IMAP4("127.0.0.1", self.imap_port)
        client.login(user, PASSWORD)
        if client.select(folder)[0] != "OK":
            client.create(folder)
            client.select(folder)
        try:
            yield client
        finally:
            client.logout()

    async def until(self, holds: Callable[[], bool]) -> None:
        """Until `holds`, which asks this server, is true."""
        await until(holds, pause=0.1, apart=True)

    def mails(self, user: str, folder: str = "INBOX", which: str = "ALL") -> list[EmailMessage]:
        """What lies in a folder, in order; looked at, not read."""
        with self.mailbox(user, folder) as client:
            _, found = client.search(None, which)
            mails = []
            for number in found[0].split():
                _, data = client.fetch(number.decode(), "(BODY.PEEK[])")
                for part in data:
                    if isinstance(part, tuple):  # not the flags that the daemon sets meanwhile
                        parsed = message_from_bytes(part[1], policy=default)
                        assert isinstance(parsed, EmailMessage)
                        mails.append(parsed)
            return mails

    def empty(self) -> None:
        for user in (INBOX, *PEOPLE):
            with self.mailbox(user) as client:
                for folder in ("INBOX", "Da-xu-ly"):
                    if client.select(folder)[0] == "OK":
                        client.store("1:*", "+FLAGS", r"(\Deleted)")
                        client.expunge()


def text_in(mail: EmailMessage) -> str:
    body = mail.get_body(("plain",))
    assert body is not None
    return str(body.get_content()).replace("\r\n", "\n")


@pytest.fixture(scope="session")
def mail_devel(tmp_path_factory: pytest.TempPathFactory) -> Iterator[MailWorld]:
    """One process for all tests of a worker."""
    log = (tmp_path_factory.mktemp("mail-devel") / "log").open("wb")
    process = subprocess.Popen(
        [
            *(sys.executable, "-m", "tests.fakes.mail_devel"),
            *("--user", INBOX, "--password", PASSWORD, "--multi-user", "--no-http"),
            *("--alias", f"nhac+*@example.vn:{INBOX}"),
        ],
        stdout=subprocess.PIPE,
        stderr=log,
        cwd=ROOT,
        env={**os.environ, "PYTHONWARNINGS": "ignore"},
    )
    assert process.stdout is not None
    with log, process.stdout as ports:
        try:
            imap_port, smtp_port = map(int, ports.readline().split())
            yield MailWorld(smtp_port, imap_port)
        finally:
            process.terminate()
            process.wait(timeout=LONGEST)


@pytest.fixture
def post(mail_devel: MailWorld) -> MailWorld:
    """The server with empty mailboxes."""
    mail_devel.empty()
    return mail_devel
