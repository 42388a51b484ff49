"""To add a channel takes a folder, a section of the settings and a line of wiring."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

import pytest

from bench.trace import naming_a_channel
from reminder.app import channels, wiring
from reminder.app.channels import CHANNELS, ChannelWiring
from reminder.app.logs import secrets_of
from reminder.files import settings
from reminder.files.settings import Secret, Section, Settings, key, secret, text
from tests.app.kit import SetClock, invited, quiet, runs, wired_fast
from tests.conftest import ROOT
from tests.fakes.blank import lay_blank
from tests.fakes.sms import TRAITS, Gateway, SmsChannel, SmsListener
from tests.services.world import at
from tests.waiting import until

PHONE = "+84900000001"
PEOPLE = """
[[person]]
id = "an"
name = "An"
unit = "tu-phap"
channels = ["sms"]
"""
CONFIG = f"""
[plan]
files = ["{(ROOT / "data/plan2024.toml").as_posix()}"]
calendar = "{(ROOT / "config/calendar.toml").as_posix()}"
[sms]
operator = "sms.example.vn"
"""


@dataclass(frozen=True)
class SmsSection(Section):
    """[sms]"""

    operator: str = key("", text(), "tên máy chủ của nhà mạng")
    password: Secret = secret("khóa của nhà mạng")

    @property
    def is_on(self) -> bool:
        return bool(self.operator)


@dataclass(frozen=True)
class SettingsWithSms(Settings):
    """All that an administrator decides, with [sms]."""

    sms: SmsSection = SmsSection()


@pytest.fixture
def gateway(monkeypatch: pytest.MonkeyPatch) -> Gateway:
    """The program with one channel more."""
    gateway = Gateway()
    line = ChannelWiring(
        traits=TRAITS,
        connect=lambda *_: SmsChannel(gateway),
        listen=lambda *_: (SmsListener(gateway),),
    )
    monkeypatch.setattr(settings, "Settings", SettingsWithSms)
    for module in (channels, wiring):
        monkeypatch.setattr(module, "CHANNELS", (*CHANNELS, line))
    return gateway


@pytest.mark.asyncio
async def test_a_new_channel_carries_nudges_and_answers(tmp_path: Path, gateway: Gateway) -> None:
    """An officer enrols by it, is nudged, answers, and hears that it was recorded."""
    lay_blank(tmp_path / "r.db")
    (tmp_path / "people.toml").write_text(PEOPLE, encoding="utf-8")
    config = tmp_path / "reminder.toml"
    url = f"sqlite:///{(tmp_path / 'r.db').as_posix()}"
    config.write_text(f'{CONFIG}[store]\nurl = "{url}"\n', encoding="utf-8")
    clock = SetClock(at("24/01", "07:00"))

    async def settled() -> None:
        await gateway.received.join()
        await until(lambda: quiet(wired))

    async with runs(wired_fast(config, clock)) as wired:
        await gateway.received.put((PHONE, f"/start {await invited(wired, clock, 'an')}"))
        await settled()
        clock.moment = at("24/01", "08:00")
        await until(lambda: len(gateway.sent) == 2)
        await gateway.received.put((PHONE, "xong 1c"))
        await settled()
        events = [recorded.event for recorded in wired.store.events()]
    assert [to for to, _ in gateway.sent] == [PHONE] * 3
    welcome, nudge, answer = (text for _, text in gateway.sent)
    assert welcome.startswith("Chào An")
    assert "1c Danh mục VBQPPL hết hiệu lực năm 2023" in nudge
    assert "Xong việc nào xin nhắn: xong 1c" in nudge
    assert answer.startswith("✅ Đã ghi 1c")
    done = [event for event in events if event.by]
    assert [(e.kind.value, e.key.task, e.by, e.channel) for e in done] == [
        ("done", "1c", "an", "sms")
    ]


def test_the_secret_of_a_new_channel_reaches_no_log() -> None:
    """Whatever section a secret is in, the log leaves it out."""
    assert "t0p-secret" in secrets_of(
        SettingsWithSms(sms=SmsSection(password=Secret("t0p-secret")))
    )


def test_who_names_a_channel() -> None:
    """The wiring, settings, set-up, the doctor, and who knows mail and mailboxes; nobody else."""
    assert naming_a_channel() == [
        "app/batch.py",
        "app/channels.py",
        "app/logs.py",
        "app/setup.py",
        "cli/init.py",
        "cli/offices.py",
        "doctor/network.py",
        "files/documents.py",
        "files/people.py",
        "files/settings.py",
        "importing/people.py",
        "province/incoming.py",
        "province/joining.py",
        "province/mailbox.py",
        "web/plan_forms.py",
    ]
