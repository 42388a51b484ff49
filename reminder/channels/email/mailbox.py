"""A mailbox over IMAP: list, fetch and move mails by UID. Synchronous; runs in a thread.

Fetching does not mark a mail as read (BODY.PEEK), and transfers only the first part of a large one.
People may read the same mailbox, so new mails are known by their UID, not by \\Seen.
"""

from __future__ import annotations

import imaplib
import re
import socket
import threading
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from datetime import date
from typing import Any, Literal

from imap_tools import AND, BaseMailBox, MailBox, MailBoxUnencrypted, U
from imap_tools.errors import ImapToolsError
from imap_tools.imap_utf7 import utf7_encode

from reminder.channels.email.errors import Server, certificate_fault, connection_fault
from reminder.domain.errors import ReminderError

READ_BYTES = 512_000  # of one mail: its head, and the text before any attachment
TRIES = 3  # IDLEs that may fail
SLICE = 25.0 * 60  # seconds: RFC 2177 has IDLE begun anew within 29 minutes
# Errors of a connection; the last four are what imaplib raises on a reply it can't parse.
_LATER = re.compile(r"(?i)\[(?:UNAVAILABLE|INUSE|LIMIT|SERVERBUG)\]")  # RFC 5530
IMAP_ERRORS = (
    *(OSError, EOFError, imaplib.IMAP4.error, ImapToolsError),
    *(ValueError, LookupError, TypeError, AttributeError),
)


@dataclass(frozen=True, kw_only=True, slots=True)
class ImapServer(Server):
    """The IMAP server and its folders."""

    security: Literal["starttls", "tls", "none"] = "tls"
    folder: str = "INBOX"
    processed: str = "Da-xu-ly"

    @property
    def account(self) -> str:
        """Name the folder whose UIDs are tracked."""
        return f"{self.host}/{self.username}/{self.folder}"


class MailboxError(ReminderError):
    """The mailbox can't be read now; the message tells the operator why."""


class UnreadableMailError(MailboxError):
    """The server refuses to return this one mail."""


class Mailbox:
    """One connection at a time; only `shut` may be called from another thread."""

    def __init__(self, server: ImapServer) -> None:
        self.server = server
        self.validity = 0  # UIDVALIDITY: UIDs hold only while it stays the same (RFC 3501)
        self._mailbox: BaseMailBox | None = None
        self._shut = threading.Event()
        self._busy = threading.RLock()  # held while a command is under way
        self._folders: dict[str, str] = {}  # where the folder of a name is
        self._idle_faults = 0
        self._hurried = False  # the last wait was skipped, and nothing new was found since

    def open(self) -> None:
        """Connect, log in and select the folder; MailboxError says which of these failed."""
        self.shut()
        self._shut.clear()
        server = self.server
        try:
            with self._translating(f"không kết nối được với {self._place}"):
                self._connect()
            if self._shut.is_set():  # meanwhile
                raise MailboxError("việc đọc thư đã dừng")
            with self._translating(f"{self._place} không nhận tên hoặc mật khẩu"):
                plain = f"{server.username}{server.password}".isascii()
                login = self._open.login if plain else self._open.login_utf8
                login(server.username, server.password, initial_folder=None)
                self._learn_abilities()
            with self._translating(f"hộp thư không có thư mục “{server.folder}”"):
                self._open.folder.set(server.folder)
        except MailboxError:
            self.shut()
            raise
        _, found = self._client.response("UIDVALIDITY")
        text = found[0] if found else None
        self.validity = int(text) if isinstance(text, bytes) and text.isdigit() else 0
        self._was_told()  # discard the EXISTS of SELECT
        self._hurried = False
        self._folders.clear()

    @property
    def _place(self) -> str:
        return f"máy chủ thư đến {self.server.host}:{self.server.port}"

    def _connect(self) -> None:
        server = self.server
        common: dict[str, Any] = {"port": server.port, "timeout": server.seconds}
        if server.security == "tls":
            self._mailbox = MailBox(server.host, ssl_context=server.tls_context(), **common)
            return
        self._mailbox = MailBoxUnencrypted(server.host, **common)
        if server.security == "starttls":
            self._client.starttls(server.tls_context())

    def _learn_abilities(self) -> None:
        """Ask for capabilities again: many servers name MOVE and IDLE only after the login."""
        kind, data = self._client.capability()
        if kind == "OK" and data and isinstance(data[0], bytes):
            self._client.capabilities = tuple(data[0].decode("ascii", "replace").upper().split())

    @property
    def _open(self) -> BaseMailBox:
        if self._mailbox is None:
            raise MailboxError("hộp thư chưa mở")
        return self._mailbox

    @property
    def _client(self) -> imaplib.IMAP4:
        client: imaplib.IMAP4 = self._open.client
        return client

    def newer(self, uid: int, since: date) -> list[int]:
        """Return the UIDs above `uid` of mails received on `since` or later, in order."""
        with self._translating("không xem được thư mới"):
            self._client.noop()  # some servers report new mail only on a command
            self._was_told()
            found = self._search(AND(uid=U(str(uid + 1), "*"), date_gte=since))
        new = sorted(n for n in found if n > uid)  # “n:*” has the last mail, however low
        self._hurried = self._hurried and not new
        return new

    def _was_told(self) -> bool:
        """Return whether a reply to another command reported new mail, which IDLE won't repeat."""
        _, told = self._client.response("EXISTS")
        return any(told)

    def unread(self, since: date) -> list[int]:
        """Return the UIDs of unread mails."""
        with self._translating("không đếm được thư chưa đọc"):
            return self._search(AND(seen=False, date_gte=since))

    def _search(self, criteria: AND) -> list[int]:
        kind, data = self._client.uid("SEARCH", str(criteria))
        if kind != "OK":
            raise MailboxError(f"máy chủ thư không tìm được ({kind})")
        return [int(n) for part in data if isinstance(part, bytes) for n in part.split()]

    def fetch(self, uid: int, longest: int = READ_BYTES) -> bytes | None:
        """Return the first `longest` octets of a mail; None if it is gone."""
        with self._translating("đang đọc thư thì mất kết nối"):
            kind, data = self._client.uid("FETCH", str(uid), f"(UID BODY.PEEK[]<0.{longest}>)")
        if kind != "OK":
            raise UnreadableMailError(f"máy chủ không cho đọc thư {uid} ({kind})")
        for part in data or []:
            if isinstance(part, tuple) and re.search(rb"BODY\[\]", part[0]):
                content: bytes = part[1]
                return content[:longest]
        return None

    def move_to_processed(self, uid: int) -> bool:
        """Mark a mail as read and move it to the processed folder; False if the move fails."""
        with self._translating("đang chuyển thư đã xử lý thì mất kết nối"):
            self._client.uid("STORE", str(uid), "+FLAGS", r"(\Seen)")
        return self.move(uid, self.server.processed)

    def move(self, uid: int, folder: str) -> bool:
        """Move a mail to `folder`, made if missing; False if that fails."""
        with self._translating("đang chuyển thư đã xử lý thì mất kết nối"):
            try:
                self._open.move(str(uid), self._target(folder))
            except ImapToolsError:
                return False
        return True

    def _target(self, name: str) -> str:
        """Return where the folder is, made if missing; below INBOX where the server wants it."""
        if name not in self._folders:
            found = self._existing(name)
            for one in self._names(name) if not found else ():
                kind, _ = self._client.create(utf7_quoted(one))
                if kind == "OK":
                    found = one
                    break
            self._folders[name] = found or name
        return self._folders[name]

    def select_processed(self) -> bool:
        """Select the processed folder read-only, until the next `open`; False if there is none."""
        with self._translating(f"không mở được thư mục “{self.server.processed}”"):
            found = self._existing(self.server.processed)
            if found:
                self._open.folder.set(found, readonly=True)
        return bool(found)

    def _existing(self, name: str) -> str:
        existing = {info.name for info in self._open.folder.list()}
        return next((one for one in self._names(name) if one in existing), "")

    def _names(self, name: str) -> tuple[str, str]:
        folder = self.server.folder
        found = list(self._open.folder.list("", folder))
        delimiter = (found[0].delim if found else "") or "/"
        return name, f"{folder}{delimiter}{name}"

    def wait(self, seconds: float) -> None:
        """Block until the folder changes, `seconds` pass, or `shut` is called.

        Return at once if a mail came while the last ones were handled: IDLE reports only what the
        server has not yet reported (RFC 3501, 5.2). Once: some repeat EXISTS with every reply.
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
            raise MailboxError("máy chủ thư đến đã đóng kết nối khi đang chờ") from error
        except (ImapToolsError, imaplib.IMAP4.error):
            self._idle_faults += 1  # poll a server whose IDLE fails
            raise MailboxError("máy chủ thư đến không giữ được chế độ chờ (IDLE)") from None

    def shut(self) -> None:
        """Close the connection, also while another thread waits on it."""
        self._shut.set()
        mailbox, self._mailbox = self._mailbox, None
        if mailbox is None:
            return
        client = mailbox.client
        with suppress(OSError, AttributeError):  # it may be closed already
            client.sock.shutdown(socket.SHUT_RDWR)
        free = self._busy.acquire(timeout=2.0)
        with suppress(OSError, AttributeError, ValueError):
            client.shutdown()
        if free:
            self._busy.release()

    @contextmanager
    def _translating(self, otherwise: str) -> Iterator[None]:
        """Raise a connection's errors as MailboxError; `otherwise` if nothing tells why."""
        try:
            with self._busy:
                yield
        except MailboxError:
            raise
        except IMAP_ERRORS as error:
            raise MailboxError(_reason(error, self._place) or otherwise) from None


def _reason(error: Exception, place: str) -> str:
    """Return why the mailbox at `place` can't be read; empty if the error does not tell."""
    if why := certificate_fault(error, place) or connection_fault(error, place):
        return why
    if isinstance(error, imaplib.IMAP4.error | ImapToolsError) and _LATER.search(str(error)):
        return f"{place} tạm thời không cho vào"
    if isinstance(error, imaplib.IMAP4.error) and "TLS" in str(error):
        return f"{place} không có STARTTLS: xem lại security và port"
    if isinstance(error, imaplib.IMAP4.abort | ConnectionError | EOFError):
        return f"{place} đã đóng kết nối"
    return f"{place} không trả lời" if isinstance(error, TimeoutError) else ""


def _has_read_more(client: imaplib.IMAP4) -> bool:
    """Return whether a reply is already buffered, where polling the socket can't see it.

    News of a mail may come in one packet with the “+ idling” (RFC 2177).
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
    """Encode a folder's name for IMAP (RFC 3501, 5.1.3)."""
    return '"' + utf7_encode(name).decode("ascii").replace("\\", "\\\\").replace('"', '\\"') + '"'
