"""What an administrator decides, as frozen models; config/reminder.toml shows each key."""

from __future__ import annotations

from datetime import timedelta
from typing import Annotated

from pydantic import Field, SecretStr, model_validator
from pydantic_core import PydanticCustomError
from pydantic_settings import BaseSettings, PydanticBaseSettingsSource, SettingsConfigDict

from reminder.core.letterhead import Letterhead
from reminder.core.schedule import Policy, Timing
from reminder.files.settings.base import Section, fault
from reminder.files.settings.mail import EmailSection, InboxSection
from reminder.files.settings.operating import BackupSection, LogSection, WatchSection
from reminder.files.settings.values import (
    After,
    BaseUrl,
    BotName,
    Clock,
    DayMonth,
    File,
    Files,
    Late,
    Leads,
    Line,
    Names,
    Token,
    Whole,
)

PREFIX = "REMINDER_"


class PlanSection(Section):
    """[plan]: what people write by hand. Empty: what lies beside this file, or what ships."""

    files: Files = Field(
        default=(), description='danh sách tệp kế hoạch, ví dụ ["../data/plan2024.toml"]'
    )
    people: File | None = Field(default=None, description='tên tệp, ví dụ "people.toml"')
    calendar: File | None = Field(default=None, description='tên tệp, ví dụ "calendar.toml"')


class StoreSection(Section):
    """[store]: the database. Not shown anywhere: it may hold a password."""

    url: str = Field(
        default="sqlite:///var/reminder.db",
        repr=False,
        pattern=r"^[a-z0-9+]+:",
        description='địa chỉ cơ sở dữ liệu, ví dụ "sqlite:///var/reminder.db"',
    )


class TelegramSection(Section):
    """[telegram]: without a token it is off."""

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


class TimingSection(Section):
    """[schedule.once] and the like: what is left out stays as the program has it."""

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

    def over(self, base: Timing) -> Timing:
        every = base.late_every if self.late_every is None else self.late_every or None
        return Timing(
            leads=base.leads if self.leads is None else self.leads,
            late=base.late if self.late is None else self.late,
            late_every=every,
        )


_USUAL = Policy()
_CLOCK = 'giờ:phút trong dấu nháy kép, ví dụ "08:00"'
_DAYS = "số ngày làm việc, từ 1 đến 250"


class ScheduleSection(Section):
    """[schedule]: the office's habits; the defaults are core.schedule.Policy's."""

    slot: Clock = Field(default=_USUAL.slot, description=_CLOCK)
    digest: Clock = Field(default=_USUAL.digest, description=_CLOCK)
    catch_up_until: Clock = Field(default=_USUAL.catch_up_until, description=_CLOCK)
    office_after: After = Field(default=_USUAL.office_after, description=_DAYS)
    leaders_after: After = Field(default=_USUAL.leaders_after, description=_DAYS)
    speaks_until: DayMonth = Field(
        default=_USUAL.speaks_until, description='ngày/tháng của năm sau, ví dụ "31/01"'
    )
    once: TimingSection = TimingSection()
    recurring: TimingSection = TimingSection()
    check_in: TimingSection = TimingSection()
    report: TimingSection = TimingSection()

    @model_validator(mode="after")
    def _in_order(self) -> ScheduleSection:
        for key in ("slot", "digest"):
            if getattr(self, key) >= self.catch_up_until:
                raise fault(
                    key, f"`{key}` phải trước `catch_up_until` ({self.catch_up_until:%H:%M})"
                )
        return self

    def policy(self) -> Policy:
        return Policy(
            once=self.once.over(_USUAL.once),
            recurring=self.recurring.over(_USUAL.recurring),
            check_in=self.check_in.over(_USUAL.check_in),
            report=self.report.over(_USUAL.report),
            office_after=self.office_after,
            leaders_after=self.leaders_after,
            slot=self.slot,
            digest=self.digest,
            catch_up_until=self.catch_up_until,
            speaks_until=self.speaks_until,
        )


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
    """[report]: the names on the office's report; empty ones come from the plan, or are dots."""

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


class Settings(BaseSettings):
    """All that an administrator decides."""

    model_config = SettingsConfigDict(
        frozen=True,
        extra="forbid",
        hide_input_in_errors=True,
        env_prefix=PREFIX,
        env_nested_delimiter="__",
    )

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
    def _answerable(self) -> Settings:
        """Answers come to what [email] has sent."""
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
        """Only what load_settings lays together: the environment is its argument."""
        del settings_cls, env_settings, dotenv_settings, file_secret_settings
        return (init_settings,)

    def policy(self) -> Policy:
        return self.schedule.policy()
