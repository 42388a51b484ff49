"""config/reminder.toml, overridden by environment variables → Settings, or all faults of both.

Each key is also REMINDER_SECTION__KEY, a secret also REMINDER_SECTION__KEY_FILE. Paths are relative
to the settings file; those from the environment, and the store's, to the current directory. Only
this module reads os.environ. The sections stand in the order of config/reminder.toml, which
explains each key.
"""

from __future__ import annotations

import os
import re
from collections.abc import Callable, Container, Iterator, Mapping
from contextlib import suppress
from dataclasses import dataclass, field, fields, replace
from datetime import date, time, timedelta
from ipaddress import ip_address
from pathlib import Path
from typing import Any, Literal, Self
from urllib.parse import urlsplit

from reminder.domain.errors import FileError, Problem, ReminderError
from reminder.domain.people import MAIL_ADDRESS
from reminder.domain.report import Letterhead
from reminder.domain.schedule import Policy
from reminder.domain.text import has_controls, one_line
from reminder.domain.tokens import MAX_BASE_LOCAL_PART
from reminder.files.toml import Document, Source, as_toml, nearest, read_text, replace_key

DEFAULT_PATH = Path("config/reminder.toml")
PREFIX = "REMINDER_"  # of the environment variables

Security = Literal["starttls", "tls", "none"]
Where = tuple[str, ...]  # the names that lead to a key, such as ("log", "level")
Read = Callable[[Any], Any]  # a value of TOML or a variable's text → what it means, or ValueError


@dataclass(frozen=True)
class Secret:
    """A text that no repr shows."""

    value: str = field(default="", repr=False)


@dataclass(frozen=True)
class Key:
    """How a value is read, and what to write for it, as a fault says."""

    read: Read
    wanted: str
    choices: tuple[str, ...] = ()
    is_path: bool = False
    is_secret: bool = False


@dataclass(frozen=True)
class Table:
    """The keys of a table, and what fills in or refuses values that depend on several keys."""

    keys: Mapping[str, Key | Table]
    complete: Callable[[Any, Container[str]], Any] = lambda section, _: section


class Section:
    """A table of the file: a dataclass whose fields are keys."""

    def complete(self, given: Container[str]) -> Self:
        """Return the section with its values that depend on others; `given` keys are written."""
        del given
        return self


class FaultError(Exception):
    """A fault that involves several keys, told at the key `where`."""

    def __init__(self, message: str, *where: str) -> None:
        super().__init__(message)
        self.where = where


class _ElementError(ValueError):
    """An element of a list, its argument, can't be read."""


def text(like: str = ".{0,100}", clean: Read = str.strip) -> Read:
    """Return a text on one line that matches `like` when it is cleaned."""

    def read(value: object) -> str:
        if not isinstance(value, str) or has_controls(value.strip()):
            raise ValueError
        cleaned: str = clean(value)
        if not re.fullmatch(like, cleaned):
            raise ValueError
        return cleaned

    return read


def _number(least: int, most: int) -> Read:
    def read(value: object) -> int:
        if isinstance(value, bool) or not isinstance(value, int | float | str):
            raise ValueError  # a bool is an int to Python
        number = int(value)
        if not least <= number <= most or (number != value and not isinstance(value, str)):
            raise ValueError
        return number

    return read


def _listed(element: Read, order: Read = tuple, *, split: str = ",", around: str = "[]\"'") -> Read:
    """Return the reader of a list, also as one text separated by `split`."""

    def read(value: object) -> tuple[Any, ...]:
        if isinstance(value, Path):
            value = [value]
        if isinstance(value, str):
            parts = (part.strip(" \t" + around) for part in value.split(split))
            value = [part for part in parts if part]
        if not isinstance(value, list):
            raise ValueError
        found = []
        for each in value:
            try:
                found.append(element(each))
            except ValueError:
                raise _ElementError(each) from None
        return tuple(order(found))

    return read


def _file(value: object) -> Path:
    path = Path(value.strip()) if isinstance(value, str) else value
    if not isinstance(path, Path) or not path.name or "\0" in str(path):
        raise ValueError
    return path


def _clock(value: object) -> time:
    """Return the time of “08:00”, “8h30”, or of a time of TOML."""
    if isinstance(value, time):
        return value
    found = re.fullmatch(r"\s*(\d{1,2})[:hg](\d{2})\s*", value) if isinstance(value, str) else None
    if found is None:
        raise ValueError
    return time(int(found[1]), int(found[2]))


def _day_month(value: object) -> tuple[int, int]:
    """31/01 → (1, 31); 29/02 is refused."""
    found = re.fullmatch(r"\s*(\d{1,2})/(\d{1,2})\s*", value) if isinstance(value, str) else None
    if found is None:
        raise ValueError
    day = date(2023, int(found[2]), int(found[1]))  # not a leap year
    return day.month, day.day


def _listen(value: object) -> str:
    listen: str = text(r"((\[[0-9a-fA-F:.]+\]|[A-Za-z0-9.-]+):\d{1,5})?")(value)
    if listen and int(listen.rpartition(":")[2]) > 65535:
        raise ValueError
    return listen


def _need_both(**values: str) -> None:
    """Raise FaultError if one of two values is empty and the other is not."""
    given = [name for name, value in values.items() if value]
    if len(given) == 1:
        lacking = next(name for name in values if name not in given)
        raise FaultError(f"có `{given[0]}` mà thiếu `{lacking}`", lacking)


def _host_and_port(listen: str) -> tuple[str, int] | None:
    host, _, port = listen.rpartition(":")
    return (host.strip("[]"), int(port)) if listen else None


def key(default: object, read: Read, wanted: str, **more: Any) -> Any:
    """Return a field of a section; `wanted` tells what to write."""
    made = Key(read, wanted, **more)
    return field(default=default, repr=not made.is_secret, metadata={"key": made})


def secret(wanted: str, like: str = ".*") -> Any:
    """Return a field whose value no message shows."""

    def read(value: object) -> Secret:
        if not isinstance(value, str) or not re.fullmatch(like, value.strip(), re.DOTALL):
            raise ValueError
        return Secret(value.strip())

    return key(Secret(), read, wanted, is_secret=True)


def _file_key(wanted: str) -> Any:
    return key(None, _file, wanted, is_path=True)


def _choice(default: str, *words: str) -> Any:
    *others, last = (f'"{word}"' for word in words)
    read = text("|".join(words), lambda value: value.strip().lower())
    return key(default, read, f"{', '.join(others)} hoặc {last}", choices=words)


_LINE = text(clean=one_line)
_HOST = text(r"[^\s/@:]*|[0-9a-fA-F:]+")
_FOLDER = text(".{1,100}")
_PORT = _number(1, 65535)
EMAIL_PORTS = {"starttls": 587, "tls": 465, "none": 25}
INBOX_PORTS = {"starttls": 143, "tls": 993, "none": 143}
_ADDRESS = MAIL_ADDRESS.pattern
_IN_PATH = r"[^\s/]*"  # a bot's token, which stands in the path
_BOT_URL = text(r"https?://[^\s/]+(/\S*)?/bot", lambda url: url.strip().rstrip("/"))
TELEGRAM_PORTS = (443, 80, 88, 8443)  # of a webhook


def _webhook_key(path: str) -> Any:
    return key(
        "",
        text(r"(https?://[^\s/?#@]+/[A-Za-z0-9/_.~-]+)?"),
        "địa chỉ https của trang theo dõi, có đường dẫn, ví dụ "
        f'"https://nhacviec.example.vn/{path}"',
    )


_CLOCK = 'giờ:phút trong dấu nháy kép, ví dụ "08:00"'


@dataclass(frozen=True)
class OfficeSection(Section):
    """[office]: which office this is, where several share a database or a report."""

    id: str = key(
        "",
        text(r"([a-z0-9][a-z0-9-]{0,63})?"),
        'mã cơ quan: chữ thường không dấu, số và dấu gạch nối, ví dụ "phuong-an-khe"',
    )


@dataclass(frozen=True)
class PlanSection(Section):
    """[plan]: the files that people write; by default those beside this file, or those shipped.

    With `source = "database"` plans and people are kept there, and the files are read once.
    """

    files: tuple[Path, ...] = key(
        (),
        _listed(_file),
        'danh sách tệp kế hoạch, ví dụ ["../data/plan2024.toml"]',
        is_path=True,
    )
    people: Path | None = _file_key('tên tệp, ví dụ "people.toml"')
    calendar: Path | None = _file_key('tên tệp, ví dụ "calendar.toml"')
    source: str = _choice("files", "files", "database")


@dataclass(frozen=True)
class StoreSection(Section):
    """[store]: the database; its address may hold a password, so it is never shown."""

    url: str = key(
        "sqlite:///var/reminder.db",
        text(r"[a-z0-9+]+:.*"),
        'địa chỉ cơ sở dữ liệu, ví dụ "sqlite:///var/reminder.db"',
        is_secret=True,
    )


@dataclass(frozen=True)
class TelegramSection(Section):
    """[telegram]: the bot; off without a token."""

    token: Secret = secret("mã do @BotFather cấp, liền một mạch, trong dấu nháy kép", _IN_PATH)
    base_url: str = key(
        "https://api.telegram.org/bot",
        _BOT_URL,
        'địa chỉ kết thúc bằng /bot, ví dụ "https://api.telegram.org/bot"',
    )
    bot_name: str = key(
        "",
        text(r"([A-Za-z0-9_]{3,32})?", lambda name: name.strip().removeprefix("@")),
        'tên người dùng của bot, ví dụ "nhacviec_bot"',
    )
    webhook_url: str = _webhook_key("telegram")
    webhook_secret: Secret = secret(
        "từ 16 đến 256 chữ A-Z, a-z, số, - và _", r"([A-Za-z0-9_-]{16,256})?"
    )
    webhook_certificate: Path | None = _file_key("tên tệp chứng thư tự ký (PEM) của máy chủ trang")

    @property
    def is_on(self) -> bool:
        return bool(self.token.value)

    def complete(self, given: Container[str]) -> Self:
        """Refuse a webhook without its secret, and one that Telegram would refuse."""
        del given
        _need_both(webhook_url=self.webhook_url, webhook_secret=self.webhook_secret.value)
        url = urlsplit(self.webhook_url)
        with suppress(ValueError):  # a port that is no number
            theirs = self.base_url == TelegramSection.base_url
            good = url.scheme == "https" and (url.port or 443) in TELEGRAM_PORTS
            if not self.webhook_url or good or not theirs:
                return self
        words = "Telegram chỉ chuyển tin tới địa chỉ https, cổng 443, 80, 88 hoặc 8443"
        raise FaultError(words, "webhook_url")


@dataclass(frozen=True)
class ZaloSection(Section):
    """[zalo]: the bot; off without a token."""

    token: Secret = secret(
        "mã do Zalo Bot Manager cấp, liền một mạch, trong dấu nháy kép", _IN_PATH
    )
    base_url: str = key(
        "https://bot-api.zaloplatforms.com/bot",
        _BOT_URL,
        'địa chỉ kết thúc bằng /bot, ví dụ "https://bot-api.zaloplatforms.com/bot"',
    )
    monthly_quota: int = key(3000, _number(1, 10_000_000), "số tin mỗi tháng mà Zalo cho bot")
    poll_seconds: int = key(30, _number(1, 60), "số giây, từ 1 đến 60")
    webhook_url: str = _webhook_key("zalo")
    webhook_secret: Secret = secret("từ 8 đến 256 ký tự không dấu", r"([!-~]{8,256})?")

    @property
    def is_on(self) -> bool:
        return bool(self.token.value)

    def complete(self, given: Container[str]) -> Self:
        """Refuse a webhook without its secret, and the other way round."""
        del given
        _need_both(webhook_url=self.webhook_url, webhook_secret=self.webhook_secret.value)
        return self


@dataclass(frozen=True)
class EmailSection(Section):
    """[email]: the mail server that sends; off without a host."""

    host: str = key("", _HOST, 'tên máy chủ thư, ví dụ "smtp.example.vn"')
    port: int = key(587, _PORT, "số cổng: 587 (starttls), 465 (tls) hoặc 25 (none)")
    security: Security = _choice("starttls", "starttls", "tls", "none")
    username: str = key("", text(), "tên đăng nhập máy chủ thư")
    password: Secret = secret("mật khẩu, trong dấu nháy kép")
    sender: str = key(
        "",
        text(rf"({_ADDRESS}|[^<>]{{0,100}}<\s*{_ADDRESS}\s*>)?", one_line),
        'địa chỉ thư gửi đi, ví dụ "nhacviec@example.vn"',
    )
    sender_name: str = key("Nhắc việc", _LINE, "tên người gửi, trên một dòng")
    ca_file: Path | None = _file_key("tên tệp chứng thư (PEM) của máy chủ thư")
    per_minute: int = key(
        0, _number(0, 100_000), "số thư gửi nhiều nhất mỗi phút, từ 0 (không giới hạn) đến 100000"
    )

    @property
    def is_on(self) -> bool:
        return bool(self.host)

    def complete(self, given: Container[str]) -> Self:
        """Fill in the port that goes with `security`; split “Nhắc việc <a@b.vn>”."""
        if self.host and not self.sender:
            words = 'thiếu `sender`: thư gửi từ địa chỉ nào? Ví dụ "a@example.vn"'
            raise FaultError(words, "sender")
        if self.sender and "host" not in given:
            raise FaultError('thiếu `host`: tên máy chủ thư, ví dụ "smtp.example.vn"', "host")
        if self.host:
            _need_both(username=self.username, password=self.password.value)
        made = self
        if "port" not in given:
            made = replace(made, port=EMAIL_PORTS[self.security])
        name, bracket, address = self.sender.partition("<")
        if bracket:
            made = replace(made, sender=address.strip(" >"))
            if "sender_name" not in given:
                made = replace(made, sender_name=name.strip('" ') or self.sender_name)
        return made


@dataclass(frozen=True)
class InboxSection(Section):
    """[inbox]: the mailbox of answers; off without a host."""

    host: str = key("", _HOST, 'tên máy chủ thư đến, ví dụ "imap.example.vn"')
    port: int = key(993, _PORT, "số cổng: 993 (tls), 143 (starttls, none)")
    security: Security = _choice("tls", "tls", "starttls", "none")
    username: str = key("", text(), "tên đăng nhập hộp thư")
    password: Secret = secret("mật khẩu, trong dấu nháy kép")
    folder: str = key("INBOX", _FOLDER, 'tên thư mục thư đến, ví dụ "INBOX"')
    processed: str = key("Da-xu-ly", _FOLDER, 'tên thư mục chứa thư đã xử lý, ví dụ "Da-xu-ly"')
    address: str = key(
        "", text(f"({_ADDRESS})?"), 'địa chỉ của hộp thư ấy, ví dụ "nhacviec@example.vn"'
    )
    trust: Literal["auth-results", "token"] = _choice("auth-results", "auth-results", "token")
    authserv_id: str = key(
        "",
        text(r'[^\s;="()]*'),
        'tên mà máy chủ thư ghi ở đầu dòng Authentication-Results, ví dụ "mx.example.vn"',
    )
    login_header: str = key(
        "",
        text(r"([Xx]-[A-Za-z0-9-]{1,60})?"),
        'tên dòng mà máy chủ thư ghi người đã đăng nhập gửi thư, ví dụ "X-Authenticated-User"',
    )
    poll_seconds: int = key(60, _number(1, 1500), "số giây giữa hai lần xem hộp thư, từ 1 đến 1500")
    ca_file: Path | None = _file_key("tên tệp chứng thư (PEM) của máy chủ thư đến")

    @property
    def is_on(self) -> bool:
        return bool(self.host)

    def complete(self, given: Container[str]) -> Self:
        """Fill in the port that goes with `security`."""
        if self.host:
            self._check()
        elif self.address and "host" not in given:
            raise FaultError('thiếu `host`: tên máy chủ thư đến, ví dụ "imap.example.vn"', "host")
        return self if "port" in given else replace(self, port=INBOX_PORTS[self.security])

    def _check(self) -> None:
        if not self.username:
            raise FaultError("thiếu `username`: đăng nhập hộp thư bằng tên nào?", "username")
        if not self.password.value:
            raise FaultError("thiếu `password`: mật khẩu của hộp thư", "password")
        if not self.address:
            words = "thiếu `address`: thư trả lời về địa chỉ nào? Ví dụ"
            raise FaultError(f'{words} "nhacviec@example.vn"', "address")
        if len(self.address.partition("@")[0]) > MAX_BASE_LOCAL_PART:
            raise FaultError(
                f"phần trước @ của `address` dài quá {MAX_BASE_LOCAL_PART} ký tự: "
                "máy còn phải thêm mã nhận thư trả lời vào sau đó",
                "address",
            )
        if self.trust == "auth-results" and not self.authserv_id:
            raise FaultError(
                'thiếu `authserv_id`: trust = "auth-results" cần biết máy chủ thư tự xưng là gì '
                "trong dòng Authentication-Results; máy chủ không ghi dòng ấy thì đặt "
                'trust = "token"',
                "authserv_id",
            )
        if self.folder == self.processed:
            raise FaultError("`processed` phải khác `folder`", "processed")


_TIMING = Table(
    {
        "leads": Key(
            _listed(_number(0, 365), lambda days: sorted(set(days), reverse=True)),
            "danh sách số ngày trước hạn, từ 0 đến 365, ví dụ [7, 3, 0]",
        ),
        "late": Key(
            _listed(_number(1, 250), lambda days: sorted(set(days))),
            "danh sách số ngày làm việc sau hạn, từ 1 đến 250, ví dụ [1, 3, 5]",
        ),
        "late_every": Key(_number(0, 250), "số ngày làm việc, từ 0 (không nhắc nữa) đến 250"),
    },
    lambda timing, _: replace(timing, late_every=timing.late_every or None),
)
_DAYS = Key(_number(1, 250), "số ngày làm việc, từ 1 đến 250")


def _complete_schedule(policy: Policy, _: Container[str]) -> Policy:
    for name in ("slot", "digest"):
        if getattr(policy, name) >= policy.catch_up_until:
            until = f"{policy.catch_up_until:%H:%M}"
            raise FaultError(f"`{name}` phải trước `catch_up_until` ({until})", name)
    return policy


_SCHEDULE = Table(
    {
        **dict.fromkeys(("slot", "digest", "catch_up_until"), Key(_clock, _CLOCK)),
        **dict.fromkeys(("office_after", "leaders_after"), _DAYS),
        "speaks_until": Key(_day_month, 'ngày/tháng của năm sau, ví dụ "31/01"'),
        **dict.fromkeys(("once", "recurring", "check_in", "report"), _TIMING),
    },
    _complete_schedule,
)


@dataclass(frozen=True)
class DeliverySection(Section):
    """[delivery]: how messages are sent."""

    in_flight: int = key(8, _number(1, 64), "số tin gửi cùng lúc trên mỗi kênh, từ 1 đến 64")
    fall_through_after: int = key(
        120,
        _number(1, 10_080),
        "số phút chờ trước khi chuyển sang kênh kế tiếp, từ 1 đến 10080",
    )

    tell_down_after: int = key(
        15,
        _number(1, 10_080),
        "số phút một kênh hay hộp thư hỏng trước khi báo văn phòng, từ 1 đến 10080",
    )

    @property
    def patience(self) -> timedelta:
        return timedelta(minutes=self.fall_through_after)

    @property
    def tell_after(self) -> timedelta:
        return timedelta(minutes=self.tell_down_after)


_NAMES = _listed(_LINE, split=";", around="")  # a name may contain commas
_REPORT = Table(
    {
        "parent": Key(_LINE, "tên cơ quan chủ quản, trên một dòng"),
        "authority": Key(_LINE, 'tên cơ quan ra báo cáo, ví dụ "Ủy ban nhân dân phường Hoa Sen"'),
        "symbol": Key(_LINE, 'chữ viết tắt cơ quan, ví dụ "UBND"'),
        "place": Key(_LINE, 'địa danh, ví dụ "Hoa Sen"'),
        "addressees": Key(_NAMES, 'danh sách nơi kính gửi, ví dụ ["Ủy ban nhân dân thành phố"]'),
        "recipients": Key(_NAMES, 'danh sách nơi nhận, ví dụ ["Thường trực HĐND phường"]'),
        "archive": Key(_LINE, 'nơi lưu, ví dụ "VT, VP"'),
        "on_behalf": Key(_LINE, 'thay mặt ai, ví dụ "TM. Ủy ban nhân dân"'),
        "signer": Key(_LINE, "chức vụ của người ký, không ghi tên"),
        "subject": Key(_LINE, "trích yếu, không kèm kỳ báo cáo"),
    }
)


def _yes_or_no(value: object) -> bool:
    words = {"true": True, "false": False}
    if isinstance(value, str):
        value = words.get(value.strip().lower())
    if not isinstance(value, bool):
        raise ValueError
    return value


@dataclass(frozen=True)
class BackupSection(Section):
    """[backup]: the daily copy of the database."""

    daily: bool = key(True, _yes_or_no, "true hoặc false: máy chủ PostgreSQL tự lo bản sao")
    folder: Path | None = _file_key('tên thư mục, ví dụ "backups"; không ghi: backups cạnh dữ liệu')
    second_folder: Path | None = _file_key(
        'tên thư mục có sẵn trên ổ đĩa khác, ví dụ "/mnt/usb/nhac-viec"'
    )
    keep: int = key(14, _number(1, 400), "số bản sao được giữ, từ 1 đến 400")
    hour: time = key(time(2, 30), _clock, 'giờ:phút trong dấu nháy kép, ví dụ "02:30"')

    def complete(self, given: Container[str]) -> Self:
        """Refuse two folders that are one."""
        del given
        if self.second_folder is not None and self.second_folder == self.folder:
            words = "`second_folder` phải khác `folder`: nên ở ổ đĩa khác"
            raise FaultError(words, "second_folder")
        return self


@dataclass(frozen=True)
class WatchSection(Section):
    """[watch]: what others monitor the program by; off without values."""

    listen: str = key("", _listen, 'địa chỉ:cổng trên máy này, ví dụ "127.0.0.1:9464"')
    heartbeat_url: Secret = secret(
        'địa chỉ http(s) liền một mạch, ví dụ "https://hc.example/ping/..."',
        r"(https?://[^\s/?#@]+([/?#]\S*)?)?",
    )

    @property
    def place(self) -> tuple[str, int] | None:
        """Host and port of /healthz and /metrics; None: off."""
        return _host_and_port(self.listen)


def _plain_url(url: str) -> str:
    """Return an address in the form in which browsers send it: its host in small letters."""
    scheme, slashes, rest = url.strip().rstrip("/").partition("://")
    host, slash, path = rest.partition("/")
    return f"{scheme.lower()}{slashes}{host.lower()}{slash}{path}"


@dataclass(frozen=True)
class WebSection(Section):
    """[web]: the office's page; off without an address to listen on."""

    listen: str = key("", _listen, 'địa chỉ:cổng, ví dụ "127.0.0.1:8080"')
    base_url: str = key(
        "",
        text(r"(https?://[^\s/?#@]+(/[A-Za-z0-9_~-][A-Za-z0-9_.~-]*)*)?", _plain_url),
        'địa chỉ mà trình duyệt gõ, ví dụ "https://nhacviec.example.vn"',
    )
    insecure: bool = key(False, _yes_or_no, "true hoặc false: cho phép http trong mạng nội bộ")
    behind: tuple[str, ...] = key(
        (),
        _listed(text(r"[0-9a-fA-F:.]+")),
        'danh sách địa chỉ IP của máy chủ trung gian (proxy), ví dụ ["127.0.0.1"]',
    )
    editors: tuple[str, ...] = key(
        (), _listed(text(".{1,60}")), 'danh sách mã người trong people.toml, ví dụ ["lan"]'
    )

    @property
    def place(self) -> tuple[str, int] | None:
        """Host and port; None: off."""
        return _host_and_port(self.listen)

    @property
    def is_on(self) -> bool:
        return bool(self.listen)

    @property
    def url(self) -> str:
        """What the page's links begin with."""
        return self.base_url or f"http://{self.listen}"

    @property
    def is_here(self) -> bool:
        """Whether the page opens on this machine alone; a proxy's address is a `base_url`."""
        return not self.base_url and self._loops_back

    @property
    def is_heard(self) -> bool:
        """Whether others can hear what goes over the line: http beyond this machine."""
        return self.url.startswith("http:") and not self._loops_back

    @property
    def _loops_back(self) -> bool:
        host = urlsplit(self.url).hostname or ""
        return host in ("localhost", "::1") or host.startswith("127.")

    def complete(self, given: Container[str]) -> Self:
        """Refuse plain http beyond this machine, unless it is allowed."""
        del given
        if not self.listen:
            return self
        if self.is_heard and not self.insecure:
            words = "http chỉ dùng trên máy này; trong mạng nội bộ thì đặt insecure = true, "
            raise FaultError(f"{words}còn không thì dùng địa chỉ https", "base_url")
        with suppress(ValueError):  # a name: of which network it is can't be seen
            if self.is_heard and ip_address(urlsplit(self.url).hostname or "").is_global:
                raise FaultError("địa chỉ công cộng thì phải dùng https", "base_url")
        return self


@dataclass(frozen=True)
class ProvinceSection(Section):
    """[province]: what is told of many offices together, and to whom."""

    name: str = key("", _LINE, "tên tỉnh hoặc thành phố, trên một dòng")
    operators: tuple[str, ...] = key(
        (),
        _listed(text(_ADDRESS, lambda address: address.strip().lower())),
        'danh sách địa chỉ thư, ví dụ ["quan-tri@tinh.example.vn"]',
    )


@dataclass(frozen=True)
class LogSection(Section):
    """[log]: the log on stderr."""

    format: str = _choice("text", "text", "json")
    level: str = _choice("info", "debug", "info", "warning", "error")


@dataclass(frozen=True)
class Settings(Section):
    """All settings."""

    office: OfficeSection = OfficeSection()
    plan: PlanSection = PlanSection()
    store: StoreSection = StoreSection()
    telegram: TelegramSection = TelegramSection()
    zalo: ZaloSection = ZaloSection()
    email: EmailSection = EmailSection()
    inbox: InboxSection = InboxSection()
    schedule: Policy = field(default=Policy(), metadata={"key": _SCHEDULE})
    delivery: DeliverySection = DeliverySection()
    report: Letterhead = field(default=Letterhead(), metadata={"key": _REPORT})
    backup: BackupSection = BackupSection()
    watch: WatchSection = WatchSection()
    web: WebSection = WebSection()
    province: ProvinceSection = ProvinceSection()
    log: LogSection = LogSection()

    def complete(self, given: Container[str]) -> Self:
        """Refuse an inbox without [email]: answers are replies to mail that was sent."""
        del given
        if self.inbox.is_on and not self.email.is_on:
            words = "[inbox] cần [email]: thư trả lời là trả lời thư máy đã gửi"
            raise FaultError(words, "email", "host")
        for name, section in (("telegram", self.telegram), ("zalo", self.zalo)):
            if section.webhook_url and not self.web.is_on:
                whose = f"tin {name.title()} chuyển tới"
                words = f"[{name}] webhook_url cần [web] listen: trang theo dõi nhận {whose}"
                raise FaultError(words, "web", "listen")
        paths = [urlsplit(each.webhook_url).path for each in (self.telegram, self.zalo)]
        if paths[0] and paths[0] == paths[1]:
            words = "[telegram] và [zalo] phải có hai đường dẫn webhook khác nhau"
            raise FaultError(words, "zalo", "webhook_url")
        return self

    def secrets(self) -> list[str]:
        """Return the values of all secret keys but the store's address."""
        sections = (getattr(self, section.name) for section in fields(self))
        values = (getattr(section, f.name) for section in sections for f in fields(section))
        return [value.value for value in values if isinstance(value, Secret)]


def _table(section: type[Section]) -> Table:
    """Return the table of a section, or of all of them."""
    keys = {
        f.name: f.metadata.get("key") or _table(type(f.default))  # type: ignore[arg-type]
        for f in fields(section)  # type: ignore[arg-type]
    }
    return Table(keys, section.complete)


def _keys(table: Table, before: Where = ()) -> Iterator[tuple[Where, Key]]:
    """Yield each key with its path."""
    for name, key in table.keys.items():
        if isinstance(key, Table):
            yield from _keys(key, (*before, name))
        else:
            yield (*before, name), key


def environment() -> dict[str, str]:
    """Return the environment of this process."""
    return dict(os.environ)


def settings_path(path: Path | None, environ: Mapping[str, str]) -> Path | None:
    """Return `path`, $REMINDER_CONFIG or config/reminder.toml; None if there is no file."""
    if path is not None:
        return path
    if environ.get(f"{PREFIX}CONFIG"):
        return Path(environ[f"{PREFIX}CONFIG"])
    return DEFAULT_PATH if DEFAULT_PATH.is_file() else None


def load_settings(path: Path | None, environ: Mapping[str, str]) -> Settings:
    """Return the settings, overridden by the environment; raise FileError with all faults."""
    path = settings_path(path, environ)
    folder = path.parent if path else DEFAULT_PATH.parent
    reader = _Reader(_document(path) if path else None, folder, environ)
    found = reader.settings()
    if reader.problems:
        raise FileError(reader.problems)
    people, calendar = (
        getattr(found.plan, name) or (file if (file := folder / f"{name}.toml").is_file() else None)
        for name in ("people", "calendar")
    )
    return replace(found, plan=replace(found.plan, people=people, calendar=calendar))


def _document(path: Path) -> Document:
    sections = [name for name, key in _table(Settings).keys.items() if isinstance(key, Table)]
    return Document(path, tables=sections, quote=False)


def read_section(document: Document, name: str, data: Mapping[str, Any]) -> Any:
    """Return the section `name` as `data` has it; its faults are noted in `document`."""
    table = _table(Settings).keys[name]
    assert isinstance(table, Table)
    reader = _Reader(document, document.folder, {})
    return reader.section(getattr(Settings(), name), table, (name,), data)


# The sections of accounts at providers, each with the key of its secret.
ACCOUNT_SECRETS = {"telegram": "token", "zalo": "token", "email": "password", "inbox": "password"}
_OWN = ("schedule", "report", "delivery")  # sections that an office of many may have of its own


def account_section(kind: str, values: Mapping[str, Any], secret: str, where: str) -> Any:
    """Return the settings section of an account at a provider; FileError with all faults.

    `where`: what the faults name.
    """
    table = _table(Settings).keys[kind]
    assert isinstance(table, Table)
    secrets = [name for name, key in table.keys.items() if isinstance(key, Key) and key.is_secret]
    if held := sorted(set(values) & set(secrets)):
        words = "bí mật không ghi ở đây: dùng --secret env:TÊN hoặc --secret file:/TỆP"
        raise FileError([Problem(where, None, f"`{held[0]}`: {words}")])
    reader = _Reader(None, Path(), {})
    given = dict(values) | ({ACCOUNT_SECRETS[kind]: secret} if secret else {})
    found = reader.section(getattr(Settings(), kind), table, (kind,), given)
    if not reader.problems and not found.is_on:
        what = "thiếu `host`" if "host" in table.keys else "thiếu bí mật (--secret)"
        raise FileError([Problem(where, None, what)])
    if reader.problems:
        raise FileError([Problem(where, None, each.message) for each in reader.problems])
    return found


def secret_of(reference: str, environ: Mapping[str, str]) -> str:
    """Return the secret that “env:NAME” or “file:/PATH” names; ReminderError where there is none.

    An empty reference is of an account without a secret.
    """
    kind, _, name = reference.partition(":")
    if not reference:
        return ""
    if kind == "env" and re.fullmatch(r"[A-Za-z_][A-Za-z0-9_]*", name):
        if not (value := environ.get(name, "").strip()):
            raise ReminderError(f"bí mật {reference}: tiến trình này không có biến môi trường ấy")
        return value
    if kind == "file" and name.startswith("/"):
        if not (value := read_text(Path(name)).strip()):
            raise ReminderError(f"bí mật {reference}: tệp rỗng")
        return value
    raise ReminderError("bí mật phải ghi env:TÊN_BIẾN hoặc file:/đường/dẫn/tới/tệp")


def own_settings(source: Source, base: Settings) -> Settings:
    """Return `base` with the sections that an office has of its own; FileError with all faults.

    [schedule], [report], [delivery], and of [web] who may edit plans: `editors`.
    """
    whole = _table(Settings)
    editors = _table(WebSection).keys["editors"]
    tables = {name: whole.keys[name] for name in _OWN} | {"web": Table({"editors": editors})}
    document = Document(source, tables=list(tables), quote=False)
    reader = _Reader(document, document.folder, {})
    found: Settings = reader.section(base, Table(tables), (), document.data)
    if reader.problems:
        raise FileError(reader.problems)
    return found


def own_text(path: Path) -> str:
    """Return the sections of a settings file that an office of many has of its own, as TOML.

    The file is one that `load_settings` reads.
    """
    data = _document(path).data
    found = {name: data[name] for name in _OWN if data.get(name)}
    if editors := data.get("web", {}).get("editors"):
        found["web"] = {"editors": editors}
    lines = []
    for name, values in found.items():
        lines += [f"[{name}]", *(f"{key} = {as_toml(value)}" for key, value in values.items())]
    return "".join(f"{line}\n" for line in lines)


_HEADING = re.compile(r"\s*\[([\w.-]+)\]")
_SETTING = re.compile(r"\s*(?:#\s?)?(\w+)\s*=")


def edited_settings(text: str, values: Mapping[str, Mapping[str, object]]) -> str:
    """Return the text of a settings file with `values`, by section and key, written in it.

    A key stands in its own line, or in the one that shows its default behind a “#”; comments stay.
    """
    lines = text.splitlines()
    for section, keys in values.items():
        for name, value in keys.items():
            _set(lines, section, name, as_toml(value))
    return "\n".join(lines).strip("\n") + "\n"


def _set(lines: list[str], section: str, name: str, value: str) -> None:
    """Write one key into its section, which is added where there is none."""
    headings = [(n, m[1]) for n, line in enumerate(lines) if (m := _HEADING.match(line))]
    places = [n for n, heading in headings if heading == section]
    if not places:
        lines += ["", f"[{section}]", f"{name} = {value}"]
        return
    first = places[0] + 1
    last = next((n for n, _ in headings if n >= first), len(lines))
    found = [n for n in range(first, last) if (m := _SETTING.match(lines[n])) and m[1] == name]
    written = [n for n in found if not lines[n].lstrip().startswith("#")]
    if not found:
        lines.insert(first, f"{name} = {value}")
        return
    place = (written or found)[0]
    shown = [lines[place].lstrip().removeprefix("#").strip()]  # a default behind a “#”
    try:
        if written:
            replace_key(lines, place, name, value)
        else:
            replace_key(shown, 0, name, value)
            lines[place] = shown[0]
    except ValueError:  # a line that only looks like a key
        lines.insert(first, f"{name} = {value}")


def secret_files(path: Path | None, environ: Mapping[str, str]) -> list[Path]:
    """Return the files that hold a secret; raise FileError if the settings can't be read."""
    path = settings_path(path, environ)
    data: dict[str, Any] = {}
    if path:
        document = _document(path)
        document.check()
        data = document.data
    secrets = [where for where, key in _keys(_table(Settings)) if key.is_secret]
    tables = ((data.get(section), key) for section, key in secrets)
    held = any(isinstance(table, dict) and _is_secret(table.get(key)) for table, key in tables)
    named = [environ.get(f"{_variable(where)}_FILE", "") for where in secrets]
    return [*([path] if path and held else []), *(Path(name) for name in named if name)]


def _is_secret(value: object) -> bool:
    """Return whether `value` is a secret; the address of a SQLite file is none."""
    return isinstance(value, str) and bool(value) and not value.startswith("sqlite:")


def _variable(where: Where) -> str:
    return PREFIX + "__".join(where).upper()


def _tidy(path: Path) -> Path:
    """Return `path` without “..”, unless a link to a folder would make that another place."""
    short = Path(os.path.normpath(path))
    with suppress(OSError):
        if ".." in path.parts and short.parent.samefile(path.parent):
            return short
    return path


class _Reader:
    """Reads the settings; each fault names the line or the variable that has to be corrected."""

    def __init__(self, document: Document | None, folder: Path, environ: Mapping[str, str]) -> None:
        self._document, self._folder, self._environ = document, folder, environ
        self._variables: dict[Where, str] = {}  # key → the variable that set it
        self._others: list[Problem] = []

    @property
    def problems(self) -> list[Problem]:
        of_file = self._document.problems if self._document else []
        return [*sorted(of_file, key=lambda p: p.line or 0), *self._others]

    def settings(self) -> Settings:
        """Return the settings; if there are problems, some have their defaults."""
        table = _table(Settings)
        self._refuse_unknown_variables(table)
        found: Settings = self.section(
            Settings(), table, (), self._document.data if self._document else {}
        )
        return found

    def _refuse_unknown_variables(self, table: Table) -> None:
        """Note each variable that is meant as a key, if with a slip: REMINDER_TELEGRAM_TOKEN."""
        known = {}
        for where, key in _keys(table):
            known[_variable(where)] = where
            if key.is_secret:
                known[f"{_variable(where)}_FILE"] = where
        sections = tuple(f"{PREFIX}{section.upper()}_" for section in table.keys)
        for name in sorted(self._environ):
            ours = name.startswith(sections) or (name.startswith(PREFIX) and "__" in name)
            if ours and name not in known:
                words = f"không có khóa này{nearest(name, known)}"
                self._others.append(Problem(name, None, words))

    def section(self, section: Any, table: Table, where: Where, data: object) -> Any:
        """Return `section` with the values that file and environment have for it."""
        before = len(self.problems)
        if not isinstance(data, dict):
            self._complain(where, f"`{where[-1]}` phải là một bảng [{'.'.join(where)}]")
            data = {}
        for name in data:
            if name not in table.keys:
                what = "khóa" if where else "bảng"
                words = f"không có {what} “{name}”{nearest(name, table.keys)}"
                self._complain((*where, name), words)
        found = {}
        for name, key in table.keys.items():
            path = (*where, name)
            if isinstance(key, Table):
                below = data.get(name, {})
                found[name] = self.section(getattr(section, name), key, path, below)
            elif (value := self._value(path, key, data)) is not None:
                try:
                    found[name] = key.read(self._placed(path, key, value))
                except (ValueError, OverflowError) as error:
                    self._complain(path, _refusal(name, key, value, error))
        unread = self._document is not None and self._document.is_incomplete(where)
        if unread or len(self.problems) > before:
            return section
        try:
            return table.complete(replace(section, **found), found)
        except FaultError as fault:
            self._complain((*where, *fault.where), str(fault))
            return section

    def _value(self, where: Where, key: Key, data: Mapping[str, Any]) -> Any:
        """Return the value as it is written; None if it is not."""
        variable = _variable(where)
        file = f"{variable}_FILE" if key.is_secret else ""
        if self._environ.get(file):
            return self._from_file(where, file, variable)
        if variable in self._environ:
            self._variables[where] = variable
            return self._environ[variable]
        return data.get(where[-1])

    def _from_file(self, where: Where, name: str, plain: str) -> str | None:
        """Return the secret in the file that the variable `name` names; None for a fault."""
        self._variables[where] = name
        file, words, secret = self._environ[name], "", ""
        if plain in self._environ:
            words = f"chỉ đặt một trong hai: {plain} hoặc {name}"
        else:
            try:
                secret = read_text(Path(file)).strip()
                words = "" if secret else f"{file}: tệp rỗng"
            except FileError as error:
                words = str(error)
        if words:
            self._complain(where, words)
        return secret or None

    def _placed(self, where: Where, key: Key, value: Any) -> Any:
        """Return `value`, with paths of the file made relative to the file's folder."""
        if isinstance(value, list):
            return [self._placed(where, key, part) for part in value]
        if not key.is_path or where in self._variables or not isinstance(value, str):
            return value
        return _tidy(self._folder / value.strip()) if value.strip() else value

    def _complain(self, where: Where, message: str) -> None:
        variable = self._variables.get(where)
        if variable is None and self._document is not None:
            self._document.complain(where, message)
        else:
            self._others.append(Problem(variable or ".".join(where), None, message))


def _refusal(name: str, key: Key, value: object, error: Exception) -> str:
    """Return what is wrong and what to write; never the value of a secret."""
    words = f"`{name}` phải là {key.wanted}"
    if key.is_secret:
        return words
    if isinstance(error, _ElementError):
        value = error.args[0]
    near = nearest(value, key.choices) if isinstance(value, str) else ""
    return f"{words}, không phải {value!r:.60}{near}"
