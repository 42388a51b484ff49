"""Map mail servers' errors to what they mean for the message, its address and the channel."""

from __future__ import annotations

import errno
import re
import socket
import ssl
from dataclasses import dataclass, field
from enum import Enum, auto
from pathlib import Path
from typing import Literal

from aiosmtplib import SMTPException, SMTPResponseException

from reminder.domain.errors import scrub
from reminder.domain.outbox import SendError
from reminder.domain.text import one_line

GREYLISTED_SECONDS = 300.0  # what most greylists ask for at least
ENHANCED_CODE = re.compile(r"\b([245])\.(\d{1,3})\.(\d{1,3})\b")  # RFC 3463
UNKNOWN_USER = r"user unknown|unknown user|no such (?:user|mailbox|recipient)|invalid recipient"
_WANT_TLS = (530, 538)  # to a login without encryption (RFC 3207, 4954)
_UNKNOWN_USER = re.compile(rf"(?i){UNKNOWN_USER}")
_PLAIN_CODES = {  # the detail of an enhanced code (RFC 3463, 7505) → what the office reads
    ("1", "1"): "không có hộp thư này",
    ("1", "2"): "không có tên miền này",
    ("1", "3"): "địa chỉ viết sai",
    ("1", "6"): "hộp thư đã chuyển đi nơi khác",
    ("1", "10"): "tên miền này không nhận thư",
    ("2", "1"): "hộp thư đã bị khóa",
    ("2", "2"): "hộp thư đã đầy",
    ("2", "3"): "thư quá lớn",
    ("3", "1"): "máy chủ thư hết chỗ chứa",
    ("3", "2"): "máy chủ thư đang ngừng nhận",
    ("3", "4"): "thư quá lớn",
    ("7", "8"): "sai tên hoặc mật khẩu",
    ("7", "23"): "thư không qua được kiểm tra nơi gửi (SPF)",
    ("7", "26"): "thư không qua được kiểm tra nơi gửi (SPF, DKIM)",
}
_PLAIN_SIGNS = (  # what servers write, with a general code or with none → what the office reads
    (_UNKNOWN_USER, "không có hộp thư này"),
    (re.compile(r"(?i)mailbox (is )?full|over ?quota|quota exceeded"), "hộp thư đã đầy"),
    (re.compile(r"(?i)gr[ea]y-?list"), "máy chủ bên nhận bảo chờ ít phút"),
    (re.compile(r"(?i)relay"), "máy chủ này không chuyển thư tới địa chỉ ấy"),
    (re.compile(r"(?i)\bspam\b|\bjunk\b"), "thư bị coi là thư rác"),
    (re.compile(r"(?i)too (large|big)|exceeds.*size"), "thư quá lớn"),
)
# RFC 3463: message length, message too big; RFC 5321: 552 without a code that says it is the box.
_TOO_LARGE = re.compile(
    r"(?i)\b5\.2\.3\b|\b5\.3\.4\b|^552 (?!5\.\d)|too (?:large|big|much)|exceeds.{0,30}size"
)
# Too many mails or connections for now: 4.7.x and 4.3.2 of Postfix, Exchange and Gmail.
_SLOWER = re.compile(r"(?i)\b4\.(?:7\.\d+|3\.2)\b|too (?:many|much|fast)|\brate\b|throttl")
_GREYLISTED = re.compile(r"(?i)gr[ea]y")
_SENDER_FAULTS = {("1", "7"), ("1", "8")}  # of the 5.1.x, those that blame who sends


class CaFileError(OSError):
    """The file of certificates can't be read."""


@dataclass(frozen=True, kw_only=True, slots=True)
class Server:
    """A mail server and an account on it."""

    host: str
    port: int
    security: Literal["starttls", "tls", "none"] = "starttls"
    username: str = ""
    password: str = field(default="", repr=False)
    seconds: float = 30.0  # time-out of any one command
    certificates: str = ""  # a file of certificates to trust instead of the system's

    def tls_context(self) -> ssl.SSLContext:
        """Return a context that checks certificates and host names."""
        path = self.certificates
        try:
            if path and Path(path).is_fifo():  # OpenSSL would wait for its writer
                raise OSError(errno.EINVAL, "không phải tệp mà là ống dẫn")
            return ssl.create_default_context(cafile=path or None)
        except OSError as error:
            why = "tệp không có chứng thư" if isinstance(error, ssl.SSLError) else error.strerror
            raise CaFileError(f"ca_file: không đọc được chứng thư ở {path}: {why}") from None


class TooLargeError(SendError):
    """The server takes no mail of this size."""

    def __init__(self, said: str) -> None:
        super().__init__("máy chủ thư không nhận thư lớn như vậy", retry=False, said=said)


class Step(Enum):
    """The step of an SMTP session."""

    CONNECT = auto()
    TLS = auto()
    LOGIN = auto()
    SENDER = auto()
    RECIPIENT = auto()
    DATA = auto()


def send_error(error: Exception, step: Step, server: Server) -> SendError:
    """Return the SendError of a failed step; without the password."""
    place, secrets = f"máy chủ thư {server.host}:{server.port}", [server.password]
    if isinstance(error, SMTPResponseException):
        said = one_line(scrub(f"{error.code} {error.message}", secrets), 200)
        return _refusal(error.code, said, step, place)
    if step is Step.DATA:
        reason = f"mất kết nối với {place} khi đang gửi; có thể thư đã được nhận"
        return SendError(reason, retry=True, unknown=True, unreachable=True)
    if why := certificate_fault(error, place):
        return SendError(why, retry=True, channel_down=True)
    words = f" ({one_line(scrub(str(error), secrets), 200)})"
    reason = connection_fault(error.__cause__ or error, place, words)
    if step is Step.TLS and not reason:
        reason = _unencrypted(place, words)
    elif step is Step.LOGIN and type(error) is SMTPException:
        reason = f"{place} không có cách đăng nhập nào dùng được{words}"
    reason = reason or f"không kết nối được với {place}{words}"
    # A line that is cut comes back; a refused login does not.
    down = step is not Step.CONNECT
    return SendError(reason, retry=True, channel_down=down, unreachable=not down)


def certificate_fault(error: BaseException | None, place: str) -> str:
    """Return why a certificate can't be checked, or that of `place` is refused; else ""."""
    if isinstance(error, CaFileError):
        return str(error)
    while error is not None:
        if isinstance(error, ssl.SSLCertVerificationError):
            why = error.verify_message or "không kiểm tra được"
            return f"chứng thư của {place} không hợp lệ: {why}"
        error = error.__cause__ or error.__context__
    return ""


def connection_fault(error: BaseException, place: str, words: str = "") -> str:
    """Return why there is no connection to `place`; empty if the error does not tell."""
    if isinstance(error, socket.gaierror):
        return f"không tìm thấy {place}: xem lại tên máy và mạng"
    if isinstance(error, ConnectionRefusedError):
        return f"{place} không mở cổng ấy"
    return _unencrypted(place, words) if isinstance(error, ssl.SSLError) else ""


def _unencrypted(place: str, words: str) -> str:
    return f"không lập được kết nối mã hóa với {place}: xem lại security và port{words}"


def _refusal(code: int, said: str, step: Step, place: str) -> SendError:
    """Return the SendError of a negative reply."""
    if step is Step.LOGIN and code >= 500 and code not in _WANT_TLS:
        reason = f"{place} không nhận tên hoặc mật khẩu"
        return SendError(reason, retry=True, said=said, channel_down=True)
    if code >= 500 and _TOO_LARGE.search(said):
        return TooLargeError(said)
    plain = _plain(said)
    why = f": {plain}" if plain else f" ({said})"
    if code < 500:
        later = step is Step.RECIPIENT and _GREYLISTED.search(said)
        wait = GREYLISTED_SECONDS if later else None
        return SendError(
            f"{place} hẹn gửi lại sau{why}",
            retry=True,
            said=said,
            retry_after=wait,
            unreachable=step not in (Step.RECIPIENT, Step.DATA),
        )
    if step is Step.RECIPIENT:
        reason = f"máy chủ thư không nhận người nhận này{why}"
        return SendError(reason, retry=False, said=said, address_dead=_nobody_there(said))
    if step is Step.DATA:
        return SendError(f"máy chủ thư không nhận thư này{why}", retry=False, said=said)
    return SendError(f"{place} không cho gửi{why}", retry=True, said=said, channel_down=True)


def wants_slower(error: SendError) -> bool:
    """Return whether the server took no mail because there were too many at once."""
    later = error.said.startswith("4") and not _GREYLISTED.search(error.said)
    return later and bool(_SLOWER.search(error.said))


def _plain(said: str) -> str:
    """Return the refusal in Vietnamese; empty if it is not a known one."""
    enhanced = ENHANCED_CODE.search(said)
    by_code = _PLAIN_CODES.get((enhanced[2], enhanced[3]), "") if enhanced else ""
    return by_code or next((plain for sign, plain in _PLAIN_SIGNS if sign.search(said)), "")


def plain_reason(said: str) -> str:
    """Return why a mail came back, for the office, with the code (RFC 3463) if there is one."""
    code = ENHANCED_CODE.search(said)
    plain = _plain(said) or "máy chủ thư bên nhận không nhận thư"
    return f"{plain} ({code[0]})" if code else plain


def _nobody_there(said: str) -> bool:
    """Return whether the address does not exist: not a full mailbox, nor a sender's fault."""
    if _UNKNOWN_USER.search(said):
        return True
    if (enhanced := ENHANCED_CODE.search(said)) is not None:
        detail = (enhanced[2], enhanced[3])
        return detail == ("2", "1") or (detail[0] == "1" and detail not in _SENDER_FAULTS)
    return said[:3] in ("550", "551", "553") and "relay" not in said.lower()
