"""The settings' sections, in the order of config/reminder.toml, which explains each key.

A validator raises a bare ValueError for a bad value: the message to the administrator is made from
the description of the field.
"""

from __future__ import annotations

import re
from datetime import date, time, timedelta
from pathlib import Path
from typing import Annotated, Any, Literal

from pydantic import (
    AfterValidator,
    BaseModel,
    BeforeValidator,
    ConfigDict,
    Field,
    SecretStr,
    model_validator,
)
from pydantic_core import PydanticCustomError
from pydantic_settings import (
    BaseSettings,
    NoDecode,
    PydanticBaseSettingsSource,
    SettingsConfigDict,
)

from reminder.domain.people import MAIL_ADDRESS
from reminder.domain.report import Letterhead
from reminder.domain.schedule import Policy, Timing
from reminder.domain.tokens import MAX_BASE_LOCAL_PART

PREFIX = "REMINDER_"  # of the environment variables


def _clock(value: object) -> time:
    """“08:00”, “8h30”, or a time of TOML; pydantic would read a number as seconds."""
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
    day, month = int(found[1]), int(found[2])
    date(2023, month, day)  # not a leap year; ValueError if there is no such day
    return month, day


def _listed(value: object) -> object:
    """A list; from the environment as “14,7,3” or “[14,7,3]”."""
    if not isinstance(value, str):
        return value
    parts = (part.strip(" \t\"'") for part in value.strip(" \t[]").split(","))
    return [part for part in parts if part]


def _number(value: object) -> object:
    if isinstance(value, bool):  # an int to Python
        raise ValueError
    return value


def _descending(values: tuple[int, ...]) -> tuple[int, ...]:
    return tuple(sorted(set(values), reverse=True))


def _ascending(values: tuple[int, ...]) -> tuple[int, ...]:
    return tuple(sorted(set(values)))


def _like(pattern: str) -> AfterValidator:
    def check(value: str) -> str:
        if not re.fullmatch(pattern, value):
            raise ValueError
        return value

    return AfterValidator(check)


def _secret_like(pattern: str) -> AfterValidator:
    def check(value: SecretStr) -> SecretStr:
        text = value.get_secret_value().strip()
        if not re.fullmatch(pattern, text):
            raise ValueError
        return SecretStr(text)

    return AfterValidator(check)


def _listen(value: str) -> str:
    found = re.fullmatch(r"(\[[0-9a-fA-F:.]+\]|[A-Za-z0-9.-]+):(\d{1,5})", value)
    if value and (found is None or not 0 <= int(found[2]) <= 65535):
        raise ValueError
    return value


def _names(value: object) -> object:
    """A list of names; from one text separated by semicolons, since a name may contain commas."""
    if not isinstance(value, str):
        return value
    return [part.strip() for part in value.split(";") if part.strip()]


def _lower(value: object) -> object:
    return value.strip().lower() if isinstance(value, str) else value


def _filled(value: Path) -> Path:
    if not value.name or "\0" in str(value):
        raise ValueError
    return value


File = Annotated[Path, AfterValidator(_filled)]
Files = Annotated[tuple[File, ...], NoDecode, BeforeValidator(_listed)]
Line = Annotated[str, _like(r"[^\x00-\x1f]{0,100}")]
Names = Annotated[tuple[Line, ...], NoDecode, BeforeValidator(_names)]
Clock = Annotated[time, BeforeValidator(_clock)]
DayMonth = Annotated[tuple[int, int], NoDecode, BeforeValidator(_day_month)]
Whole = Annotated[int, BeforeValidator(_number)]
Before = Annotated[Whole, Field(ge=0, le=365)]
After = Annotated[Whole, Field(ge=1, le=250)]
Leads = Annotated[
    tuple[Before, ...], NoDecode, BeforeValidator(_listed), AfterValidator(_descending)
]
Late = Annotated[tuple[After, ...], NoDecode, BeforeValidator(_listed), AfterValidator(_ascending)]
Host = Annotated[str, Field(pattern=r"^[^\s/@:]*$|^[0-9a-fA-F:]+$")]
Port = Annotated[Whole, Field(ge=1, le=65535)]
Security = Annotated[Literal["starttls", "tls", "none"], BeforeValidator(_lower)]
Listen = Annotated[str, AfterValidator(_listen)]
MailAddress = Annotated[str, _like(rf"({MAIL_ADDRESS.pattern})?")]
OfficeId = Annotated[str, Field(max_length=64, pattern=r"^([a-z0-9][a-z0-9-]*)?$")]
Token = Annotated[SecretStr, _secret_like(r"[^\s/]*")]
Url = Annotated[SecretStr, _secret_like(r"(https?://[^\s/?#@]+([/?#]\S*)?)?")]
BaseUrl = Annotated[
    str, AfterValidator(lambda url: url.rstrip("/")), _like(r"https?://[^\s/]+(/\S*)?/bot")
]
BotName = Annotated[
    str, AfterValidator(lambda name: name.removeprefix("@")), _like(r"([A-Za-z0-9_]{3,32})?")
]
Trust = Annotated[Literal["auth-results", "token"], BeforeValidator(_lower)]
AuthservId = Annotated[str, Field(pattern=r'^[^\s;="()]*$')]
Format = Annotated[Literal["text", "json"], BeforeValidator(_lower)]
Level = Annotated[Literal["debug", "info", "warning", "error"], BeforeValidator(_lower)]


def fault(key: str, message: str) -> PydanticCustomError:
    """A fault that involves several keys, reported at `key`."""
    return PydanticCustomError("at", "{message}", {"key": key, "message": message})


class Section(BaseModel):
    """A table of the file; a field's description tells what to write, and is part of its faults."""

    model_config = ConfigDict(
        frozen=True, extra="forbid", hide_input_in_errors=True, str_strip_whitespace=True
    )


class OfficeSection(Section):
    """[office]: which office this is, where several share a database or a report."""

    id: OfficeId = Field(
        default="",
        description='mã cơ quan: chữ thường không dấu, số và dấu gạch nối, ví dụ "phuong-an-khe"',
    )


class PlanSection(Section):
    """[plan]: the files that people write; by default those beside this file, or those shipped."""

    files: Files = Field(
        default=(), description='danh sách tệp kế hoạch, ví dụ ["../data/plan2024.toml"]'
    )
    people: File | None = Field(default=None, description='tên tệp, ví dụ "people.toml"')
    calendar: File | None = Field(default=None, description='tên tệp, ví dụ "calendar.toml"')


class StoreSection(Section):
    """[store]: the database; its address may hold a password, so it is never shown."""

    url: str = Field(
        default="sqlite:///var/reminder.db",
        repr=False,
        pattern=r"^[a-z0-9+]+:",
        description='địa chỉ cơ sở dữ liệu, ví dụ "sqlite:///var/reminder.db"',
    )


class TelegramSection(Section):
    """[telegram]: the bot; off without a token."""

    token: Token = Field(
        default=SecretStr(""), description="mã do @BotFather cấp, liền một mạch, trong dấu nháy kép"
    )
    base_url: BaseUrl = Field(
        default="https://api.telegram.org/bot",
        description='địa chỉ kết thúc bằng /bot, ví dụ "https://api.telegram.org/bot"',
    )
    bot_name: BotName = Field(
        default="", description='tên người dùng của bot, ví dụ "nhacviec_bot"'
    )

    @property
    def is_on(self) -> bool:
        return bool(self.token.get_secret_value())


_PORTS = {"starttls": 587, "tls": 465, "none": 25}
_INBOX_PORTS = {"starttls": 143, "tls": 993, "none": 143}
_NAMED = re.compile(r"\s*(.*?)\s*<([^<>]*)>\s*")


class EmailSection(Section):
    """[email]: the mail server that sends; off without a host."""

    host: Host = Field(default="", description='tên máy chủ thư, ví dụ "smtp.example.vn"')
    port: Port = Field(default=587, description="số cổng: 587 (starttls), 465 (tls) hoặc 25 (none)")
    security: Security = Field(default="starttls", description='"starttls", "tls" hoặc "none"')
    username: Line = Field(default="", description="tên đăng nhập máy chủ thư")
    password: SecretStr = Field(default=SecretStr(""), description="mật khẩu, trong dấu nháy kép")
    sender: MailAddress = Field(
        default="", description='địa chỉ thư gửi đi, ví dụ "nhacviec@example.vn"'
    )
    sender_name: Line = Field(default="Nhắc việc", description="tên người gửi, trên một dòng")
    ca_file: File | None = Field(
        default=None, description="tên tệp chứng thư (PEM) của máy chủ thư"
    )

    @property
    def is_on(self) -> bool:
        return bool(self.host)

    @model_validator(mode="before")
    @classmethod
    def _fill(cls, data: Any) -> Any:
        """Fill in the port that goes with `security`; split “Nhắc việc <a@b.vn>”."""
        if not isinstance(data, dict):
            return data
        data = dict(data)
        security = str(data.get("security", "starttls")).strip().lower()
        if security in _PORTS:
            data.setdefault("port", _PORTS[security])
        sender = data.get("sender")
        if isinstance(sender, str) and (found := _NAMED.fullmatch(sender)):
            data["sender"] = found[2].strip()
            data.setdefault("sender_name", found[1].strip('" ') or "Nhắc việc")
        return data

    @model_validator(mode="after")
    def _check(self) -> EmailSection:
        if self.host and not self.sender:
            raise fault("sender", 'thiếu `sender`: thư gửi từ địa chỉ nào? Ví dụ "a@example.vn"')
        if self.sender and "host" not in self.model_fields_set:
            raise fault("host", 'thiếu `host`: tên máy chủ thư, ví dụ "smtp.example.vn"')
        password = bool(self.password.get_secret_value())
        if self.host and bool(self.username) != password:
            has, lacks = ("password", "username") if password else ("username", "password")
            raise fault(lacks, f"có `{has}` mà thiếu `{lacks}`")
        return self


class InboxSection(Section):
    """[inbox]: the mailbox of answers; off without a host."""

    host: Host = Field(default="", description='tên máy chủ thư đến, ví dụ "imap.example.vn"')
    port: Port = Field(default=993, description="số cổng: 993 (tls), 143 (starttls, none)")
    security: Security = Field(default="tls", description='"tls", "starttls" hoặc "none"')
    username: Line = Field(default="", description="tên đăng nhập hộp thư")
    password: SecretStr = Field(default=SecretStr(""), description="mật khẩu, trong dấu nháy kép")
    folder: Line = Field(
        default="INBOX", min_length=1, description='tên thư mục thư đến, ví dụ "INBOX"'
    )
    processed: Line = Field(
        default="Da-xu-ly",
        min_length=1,
        description='tên thư mục chứa thư đã xử lý, ví dụ "Da-xu-ly"',
    )
    address: MailAddress = Field(
        default="", description='địa chỉ của hộp thư ấy, ví dụ "nhacviec@example.vn"'
    )
    trust: Trust = Field(default="auth-results", description='"auth-results" hoặc "token"')
    authserv_id: AuthservId = Field(
        default="",
        description="tên mà máy chủ thư ghi ở đầu dòng Authentication-Results, "
        'ví dụ "mx.example.vn"',
    )
    poll_seconds: Annotated[Whole, Field(ge=1, le=1500)] = Field(
        default=60, description="số giây giữa hai lần xem hộp thư, từ 1 đến 1500"
    )
    ca_file: File | None = Field(
        default=None, description="tên tệp chứng thư (PEM) của máy chủ thư đến"
    )

    @property
    def is_on(self) -> bool:
        return bool(self.host)

    @model_validator(mode="before")
    @classmethod
    def _fill(cls, data: Any) -> Any:
        """Fill in the port that goes with `security`."""
        if not isinstance(data, dict):
            return data
        security = str(data.get("security", "tls")).strip().lower()
        return {"port": _INBOX_PORTS[security], **data} if security in _INBOX_PORTS else data

    @model_validator(mode="after")
    def _check(self) -> InboxSection:
        if not self.host:
            if self.address and "host" not in self.model_fields_set:
                raise fault("host", 'thiếu `host`: tên máy chủ thư đến, ví dụ "imap.example.vn"')
            return self
        if not self.username:
            raise fault("username", "thiếu `username`: đăng nhập hộp thư bằng tên nào?")
        if not self.password.get_secret_value():
            raise fault("password", "thiếu `password`: mật khẩu của hộp thư")
        if not self.address:
            words = "thiếu `address`: thư trả lời về địa chỉ nào? Ví dụ"
            raise fault("address", f'{words} "nhacviec@example.vn"')
        if len(self.address.partition("@")[0]) > MAX_BASE_LOCAL_PART:
            raise fault(
                "address",
                f"phần trước @ của `address` dài quá {MAX_BASE_LOCAL_PART} ký tự: "
                "máy còn phải thêm mã nhận thư trả lời vào sau đó",
            )
        if self.trust == "auth-results" and not self.authserv_id:
            raise fault(
                "authserv_id",
                'thiếu `authserv_id`: trust = "auth-results" cần biết máy chủ thư tự xưng là gì '
                "trong dòng Authentication-Results; máy chủ không ghi dòng ấy thì đặt "
                'trust = "token"',
            )
        if self.folder == self.processed:
            raise fault("processed", "`processed` phải khác `folder`")
        return self


class TimingSection(Section):
    """[schedule.once], .recurring, .check_in, .report: values that replace the defaults."""

    leads: Leads | None = Field(
        default=None, description="danh sách số ngày trước hạn, từ 0 đến 365, ví dụ [7, 3, 0]"
    )
    late: Late | None = Field(
        default=None,
        description="danh sách số ngày làm việc sau hạn, từ 1 đến 250, ví dụ [1, 3, 5]",
    )
    late_every: Annotated[Whole, Field(ge=0, le=250)] | None = Field(
        default=None, description="số ngày làm việc, từ 0 (không nhắc nữa) đến 250"
    )

    def applied_to(self, base: Timing) -> Timing:
        every = base.late_every if self.late_every is None else self.late_every or None
        return Timing(
            leads=base.leads if self.leads is None else self.leads,
            late=base.late if self.late is None else self.late,
            late_every=every,
        )


_DEFAULTS = Policy()
_CLOCK = 'giờ:phút trong dấu nháy kép, ví dụ "08:00"'
_DAYS = "số ngày làm việc, từ 1 đến 250"


class ScheduleSection(Section):
    """[schedule]: when messages are sent; the defaults are those of domain.schedule.Policy."""

    slot: Clock = Field(default=_DEFAULTS.slot, description=_CLOCK)
    digest: Clock = Field(default=_DEFAULTS.digest, description=_CLOCK)
    catch_up_until: Clock = Field(default=_DEFAULTS.catch_up_until, description=_CLOCK)
    office_after: After = Field(default=_DEFAULTS.office_after, description=_DAYS)
    leaders_after: After = Field(default=_DEFAULTS.leaders_after, description=_DAYS)
    speaks_until: DayMonth = Field(
        default=_DEFAULTS.speaks_until, description='ngày/tháng của năm sau, ví dụ "31/01"'
    )
    once: TimingSection = TimingSection()
    recurring: TimingSection = TimingSection()
    check_in: TimingSection = TimingSection()
    report: TimingSection = TimingSection()

    @model_validator(mode="after")
    def _check(self) -> ScheduleSection:
        for key in ("slot", "digest"):
            if getattr(self, key) >= self.catch_up_until:
                raise fault(
                    key, f"`{key}` phải trước `catch_up_until` ({self.catch_up_until:%H:%M})"
                )
        return self

    def policy(self) -> Policy:
        timings = {
            name: value.applied_to(getattr(_DEFAULTS, name))
            for name, value in self
            if isinstance(value, TimingSection)
        }
        return Policy(**{**dict(self), **timings})


class DeliverySection(Section):
    """[delivery]: how messages are sent."""

    in_flight: Annotated[Whole, Field(ge=1, le=64)] = Field(
        default=8, description="số tin gửi cùng lúc, từ 1 đến 64"
    )
    fall_through_after: Annotated[Whole, Field(ge=1, le=10_080)] = Field(
        default=120, description="số phút chờ trước khi chuyển sang kênh kế tiếp, từ 1 đến 10080"
    )

    @property
    def patience(self) -> timedelta:
        return timedelta(minutes=self.fall_through_after)


class ReportSection(Section):
    """[report]: the names on the office's report; see domain.report.Letterhead."""

    parent: Line = Field(default="", description="tên cơ quan chủ quản, trên một dòng")
    authority: Line = Field(
        default="", description='tên cơ quan ra báo cáo, ví dụ "Ủy ban nhân dân phường Hoa Sen"'
    )
    symbol: Line = Field(default="", description='chữ viết tắt cơ quan, ví dụ "UBND"')
    place: Line = Field(default="", description='địa danh, ví dụ "Hoa Sen"')
    addressees: Names = Field(
        default=(), description='danh sách nơi kính gửi, ví dụ ["Ủy ban nhân dân thành phố"]'
    )
    recipients: Names = Field(
        default=(), description='danh sách nơi nhận, ví dụ ["Thường trực HĐND phường"]'
    )
    archive: Line = Field(default="VT", description='nơi lưu, ví dụ "VT, VP"')
    on_behalf: Line = Field(default="", description='thay mặt ai, ví dụ "TM. Ủy ban nhân dân"')
    signer: Line = Field(default="Chủ tịch", description="chức vụ của người ký, không ghi tên")
    subject: Line = Field(default="", description="trích yếu, không kèm kỳ báo cáo")

    def letterhead(self) -> Letterhead:
        return Letterhead(**self.model_dump())


class BackupSection(Section):
    """[backup]: the daily copy of a SQLite database."""

    folder: File | None = Field(
        default=None, description='tên thư mục, ví dụ "backups"; không ghi: backups cạnh dữ liệu'
    )
    second_folder: File | None = Field(
        default=None, description='tên thư mục có sẵn trên ổ đĩa khác, ví dụ "/mnt/usb/nhac-viec"'
    )
    keep: Annotated[Whole, Field(ge=1, le=400)] = Field(
        default=14, description="số bản sao được giữ, từ 1 đến 400"
    )
    hour: Clock = Field(
        default=time(2, 30), description='giờ:phút trong dấu nháy kép, ví dụ "02:30"'
    )

    @model_validator(mode="after")
    def _check(self) -> BackupSection:
        if self.second_folder is not None and self.second_folder == self.folder:
            raise fault("second_folder", "`second_folder` phải khác `folder`: nên ở ổ đĩa khác")
        return self


class WatchSection(Section):
    """[watch]: what others monitor the program by; off without values."""

    listen: Listen = Field(
        default="", description='địa chỉ:cổng trên máy này, ví dụ "127.0.0.1:9464"'
    )
    heartbeat_url: Url = Field(
        default=SecretStr(""),
        description='địa chỉ http(s) liền một mạch, ví dụ "https://hc.example/ping/..."',
    )

    @property
    def place(self) -> tuple[str, int] | None:
        """Host and port of /healthz and /metrics; None: off."""
        host, _, port = self.listen.rpartition(":")
        return (host.strip("[]"), int(port)) if self.listen else None


class LogSection(Section):
    """[log]: the log on stderr."""

    format: Format = Field(default="text", description='"text" hoặc "json"')
    level: Level = Field(default="info", description='"debug", "info", "warning" hoặc "error"')


class Settings(BaseSettings):
    """All settings."""

    model_config = SettingsConfigDict(
        frozen=True,
        extra="forbid",
        hide_input_in_errors=True,
        env_prefix=PREFIX,
        env_nested_delimiter="__",
    )

    office: OfficeSection = OfficeSection()
    plan: PlanSection = PlanSection()
    store: StoreSection = StoreSection()
    telegram: TelegramSection = TelegramSection()
    email: EmailSection = EmailSection()
    inbox: InboxSection = InboxSection()
    schedule: ScheduleSection = ScheduleSection()
    delivery: DeliverySection = DeliverySection()
    report: ReportSection = ReportSection()
    backup: BackupSection = BackupSection()
    watch: WatchSection = WatchSection()
    log: LogSection = LogSection()

    @model_validator(mode="after")
    def _check(self) -> Settings:
        """Refuse an inbox without [email]: answers are replies to mail that was sent."""
        if self.inbox.is_on and not self.email.is_on:
            words = "[inbox] cần [email]: thư trả lời là trả lời thư máy đã gửi"
            raise PydanticCustomError(
                "at", "{message}", {"key": "host", "section": ("email",), "message": words}
            )
        return self

    @classmethod
    def settings_customise_sources(
        cls,
        settings_cls: type[BaseSettings],
        init_settings: PydanticBaseSettingsSource,
        env_settings: PydanticBaseSettingsSource,
        dotenv_settings: PydanticBaseSettingsSource,
        file_secret_settings: PydanticBaseSettingsSource,
    ) -> tuple[PydanticBaseSettingsSource, ...]:
        """Take the values from load_settings alone, which gets the environment as an argument."""
        del settings_cls, env_settings, dotenv_settings, file_secret_settings
        return (init_settings,)

    def secrets(self) -> list[str]:
        """Return the values of all secret keys."""
        values = (value for _, section in self for _, value in section)
        return [value.get_secret_value() for value in values if isinstance(value, SecretStr)]

    def policy(self) -> Policy:
        return self.schedule.policy()
