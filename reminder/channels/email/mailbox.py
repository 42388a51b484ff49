"""The mailbox over IMAP, and its errors in words for the administrator."""

from __future__ import annotations

import imaplib
import re
import socket
import ssl
import threading
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from datetime import date
from typing import Any, Literal

from imap_tools import BaseMailBox, MailBox, MailBoxUnencrypted
from imap_tools.errors import ImapToolsError
from imap_tools.imap_utf7 import utf7_encode

from reminder.domain.errors import ReminderError

Security = Literal["starttls", "tls", "none"]

READ_BYTES = 512_000  # of one mail: its head, and the text before any attachment
TRIES = 3  # IDLEs that may fail
SLICE = 25.0 * 60  # seconds: RFC 2177 has IDLE begun anew within 29 minutes
_MONTHS = ["Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec"]


@dataclass(frozen=True, kw_only=True, slots=True)
class ImapServer:
    """The mailbox's server and its login."""

    host: str
    port: int
    security: Security = "tls"
    username: str = ""
    password: str = ""
    folder: str = "INBOX"
    processed: str = "Da-xu-ly"
    seconds: float = 30.0  # for any one answer of the server
    certificates: str = ""

    def __repr__(self) -> str:
        return f"ImapServer({self.host}:{self.port}, {self.security}, {self.username})"

    @property
    def account(self) -> str:
        """What the UIDs are counted for."""
        return f"{self.host}/{self.username}/{self.folder}"


class BoxError(ReminderError):
    """The mailbox can't be read now, and why, in words for whoever runs the program."""


class UnreadableError(BoxError):
    """The server would not give this one mail; the others may be read."""


class Box:
    """One connection at a time; `shut` alone may be called from another thread."""

    def __init__(self, server: ImapServer) -> None:
        self.server = server
        self.validity = 0  # UIDs are this folder's only as long as it stays the same (RFC 3501)
        self._mailbox: BaseMailBox | None = None
        self._shut = threading.Event()
        self._busy = threading.RLock()  # held by the thread that is on the line
        self._processed = ""
        self._idle_faults = 0
        self._hurried = False  # the last wait was cut short, and nothing new was found since

    def open(self) -> None:
        """Connects, logs in and selects the folder; BoxError says which of these failed."""
        self.shut()
        self._shut.clear()
        try:
            self._open_all(f"{self.server.host}:{self.server.port}")
        except BoxError:
            self.shut()
            raise

    def _open_all(self, where: str) -> None:
        with self._told(f"không kết nối được với máy chủ thư đến {where}", where):
            self._connect()
        if self._shut.is_set():  # meanwhile
            raise BoxError("việc đọc thư đã dừng")
        with self._told(f"máy chủ thư đến {where} không nhận tên hoặc mật khẩu", where):
            name, password = self.server.username, self.server.password
            plain = f"{name}{password}".isascii()
            login = self._open.login if plain else self._open.login_utf8
            login(name, password, initial_folder=None)
            self._learn_abilities()
        with self._told(f"hộp thư không có thư mục “{self.server.folder}”", where):
            self._open.folder.set(self.server.folder)
        self.validity = self._number("UIDVALIDITY")
        self._was_told()  # what the folder had when it was opened
        self._hurried = False
        self._processed = ""

    def _learn_abilities(self) -> None:
        """Asks again: many servers name MOVE and IDLE only to who has logged in."""
        kind, data = self._client.capability()
        if kind == "OK" and data and isinstance(data[0], bytes):
            self._client.capabilities = tuple(data[0].decode("ascii", "replace").upper().split())

    def _connect(self) -> None:
        server = self.server
        common: dict[str, Any] = {"port": server.port, "timeout": server.seconds}
        if server.security == "tls":
            self._mailbox = MailBox(server.host, ssl_context=self._trust(), **common)
            return
        self._mailbox = MailBoxUnencrypted(server.host, **common)
        if server.security == "starttls":
            self._client.starttls(self._trust())

    def _trust(self) -> ssl.SSLContext:
        """The TLS context; certificates and host names are always checked."""
        file = self.server.certificates
        try:
            return ssl.create_default_context(cafile=file or None)
        except OSError as error:
            why = "tệp không có chứng thư" if isinstance(error, ssl.SSLError) else error.strerror
            raise BoxError(f"ca_file: không đọc được chứng thư ở {file}: {why}") from None

    def _number(self, name: str) -> int:
        _, found = self._client.response(name)
        text = found[0] if found else None
        return int(text) if isinstance(text, bytes) and text.isdigit() else 0

    @property
    def _open(self) -> BaseMailBox:
        if self._mailbox is None:
            raise BoxError("hộp thư chưa mở")
        return self._mailbox

    @property
    def _client(self) -> imaplib.IMAP4:
        client: imaplib.IMAP4 = self._open.client
        return client

    def newer(self, uid: int, since: date) -> list[int]:
        """The UIDs above `uid` of mails that came on `since` or later, in order."""
        with self._told("không xem được thư mới", self.server.host):
            self._client.noop()  # a server may tell of new mail only then
            self._was_told()
            found = self._search(f"UID {uid + 1}:* SINCE {_day(since)}")
        new = sorted(n for n in found if n > uid)  # “n:*” has the last mail, however low
        self._hurried = self._hurried and not new
        return new

    def _was_told(self) -> bool:
        """Whether an answer to another command told of new mail, as IDLE then will not."""
        _, told = self._client.response("EXISTS")
        return any(told)

    def unread(self, since: date) -> list[int]:
        """The UIDs of mails that nobody has read."""
        with self._told("không đếm được thư chưa đọc", self.server.host):
            return self._search(f"UNSEEN SINCE {_day(since)}")

    def _search(self, criteria: str) -> list[int]:
        kind, data = self._client.uid("SEARCH", criteria)
        if kind != "OK":
            raise BoxError(f"máy chủ thư không tìm được ({kind})")
        return [int(n) for part in data if isinstance(part, bytes) for n in part.split()]

    def fetch(self, uid: int, longest: int = READ_BYTES) -> bytes | None:
        """The first `longest` octets of a mail; None if it is gone. UnreadableError: only this."""
        with self._told("đang đọc thư thì mất kết nối", self.server.host):
            kind, data = self._client.uid("FETCH", str(uid), f"(UID BODY.PEEK[]<0.{longest}>)")
        if kind != "OK":
            raise UnreadableError(f"máy chủ không cho đọc thư {uid} ({kind})")
        for part in data or []:
            if isinstance(part, tuple) and re.search(rb"BODY\[\]", part[0]):
                content: bytes = part[1]
                return content[:longest]
        return None

    def put_away(self, uid: int) -> bool:
        """Moves a mail to the folder of what is done; False if the server would not have it so.

        It is marked as read in any case, so that nobody takes it for one that waits.
        """
        with self._told("đang chuyển thư đã xử lý thì mất kết nối", self.server.host):
            self._client.uid("STORE", str(uid), "+FLAGS", r"(\Seen)")
            try:
                self._open.move(str(uid), self._target())
            except ImapToolsError:
                return False
        return True

    def _target(self) -> str:
        """The folder of what is done, made if it is missing; below INBOX where it must be."""
        if not self._processed:
            found = self._existing()
            for one in self._names() if not found else ():
                kind, _ = self._client.create(utf7_quoted(one))
                if kind == "OK":
                    found = one
                    break
            self._processed = found or self.server.processed
        return self._processed

    def turn_to_processed(self) -> bool:
        """Turns to the folder of what is done, until the next `open`; False if there is none.

        Nothing in it is changed, nor marked as read.
        """
        with self._told(f"không mở được thư mục “{self.server.processed}”", self.server.host):
            found = self._existing()
            if found:
                self._open.folder.set(found, readonly=True)
        return bool(found)

    def _existing(self) -> str:
        existing = {info.name for info in self._open.folder.list()}
        return next((one for one in self._names() if one in existing), "")

    def _names(self) -> tuple[str, str]:
        name = self.server.processed
        return name, f"{self.server.folder}{self._delimiter()}{name}"

    def _delimiter(self) -> str:
        found = list(self._open.folder.list("", self.server.folder))
        return (found[0].delim if found else "") or "/"

    def wait(self, seconds: float) -> None:
        """Until something happens in the folder, or so long; at once when shut.

        Nor does it wait if a mail came while the last ones were dealt with: IDLE tells only what
        the server has not said yet (RFC 3501, 5.2). Once: some repeat EXISTS with every answer.
        """
        with self._busy:
            if self._was_told() and not self._hurried:
                self._hurried = True
                return
            idles = self._idle_faults < TRIES and "IDLE" in self._open.client.capabilities
            if idles:
                self._idle(min(seconds, SLICE))
        if not idles:
            self._shut.wait(seconds)

    def _idle(self, seconds: float) -> None:
        try:
            with self._open.idle as idle:
                if not _has_read_more(self._client):
                    idle.poll(timeout=seconds)
        except (OSError, AttributeError, ValueError, imaplib.IMAP4.abort) as error:
            raise BoxError("máy chủ thư đến đã đóng kết nối khi đang chờ") from error
        except (ImapToolsError, imaplib.IMAP4.error):
            self._idle_faults += 1  # one that says it can, and can't, is asked now and then instead
            raise BoxError("máy chủ thư đến không giữ được chế độ chờ (IDLE)") from None

    def shut(self) -> None:
        """Ends the connection, whatever another thread is waiting for on it."""
        self._shut.set()
        mailbox, self._mailbox = self._mailbox, None
        if mailbox is None:
            return
        client = mailbox.client
        with suppress(OSError, AttributeError):  # whatever it is in the middle of
            client.sock.shutdown(socket.SHUT_RDWR)
        free = self._busy.acquire(timeout=2.0)
        with suppress(OSError, AttributeError, ValueError):
            client.shutdown()
        if free:
            self._busy.release()

    @contextmanager
    def _told(self, otherwise: str, where: str) -> Iterator[None]:
        """Whatever goes wrong within is a BoxError; `otherwise`: what it is if it can't be told."""
        try:
            with self._busy:
                yield
        except BoxError:
            raise
        except TROUBLES as error:
            raise BoxError(reason(error, otherwise, where)) from None


def _has_read_more(client: imaplib.IMAP4) -> bool:
    """Whether the server's word lies read in a buffer, where polling the socket can't see it.

    A mail that came just before is told of in one packet with the “+ idling” (RFC 2177).
    """
    kept = getattr(client, "_readbuf", None)  # Python 3.14 has its own buffer
    if kept is not None:
        pending = getattr(client.sock, "pending", int)  # of TLS
        return bool(kept) or pending() > 0
    timeout = client.sock.gettimeout()
    client.sock.settimeout(0)
    try:
        reader: Any = getattr(client, "_file", None) or client.file  # its name, by version
        return bool(reader.peek(1))
    except OSError:  # nothing has come
        return False
    finally:
        client.sock.settimeout(timeout)


def utf7_quoted(name: str) -> str:
    """A folder's name as IMAP has it (RFC 3501, 5.1.3)."""
    return '"' + utf7_encode(name).decode("ascii").replace("\\", "\\\\").replace('"', '\\"') + '"'


def _day(day: date) -> str:
    return f"{day.day}-{_MONTHS[day.month - 1]}-{day.year}"


# What goes wrong on a line; the last four are imaplib's own, at an answer that it can't parse.
TROUBLES = (
    *(OSError, EOFError, imaplib.IMAP4.error, ImapToolsError),
    *(ValueError, LookupError, TypeError, AttributeError),
)


def reason(error: Exception, otherwise: str, where: str) -> str:
    """Why the mailbox at `where` can't be read; `otherwise`: what it is if it can't be told."""
    if isinstance(error, ssl.SSLCertVerificationError):
        why = error.verify_message or "không kiểm tra được"
        return f"chứng thư của máy chủ thư đến {where} không hợp lệ: {why}"
    if isinstance(error, socket.gaierror):
        return f"không tìm thấy máy chủ thư đến {where}: xem lại tên máy và mạng"
    if isinstance(error, ConnectionRefusedError):
        return f"máy chủ thư đến {where} không mở cổng ấy"
    if isinstance(error, ssl.SSLError):
        return (
            f"không lập được kết nối mã hóa với máy chủ thư đến {where}: xem lại security và port"
        )
    if isinstance(error, imaplib.IMAP4.error) and "TLS" in str(error):
        return f"máy chủ thư đến {where} không có STARTTLS: xem lại security và port"
    if isinstance(error, imaplib.IMAP4.abort | ConnectionError | EOFError):
        return f"máy chủ thư đến {where} đã đóng kết nối"
    if isinstance(error, TimeoutError):
        return f"máy chủ thư đến {where} không trả lời"
    return otherwise
