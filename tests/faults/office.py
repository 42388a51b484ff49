"""The office of the fault suite: its people, what they answer and when, and who has no right to."""

from __future__ import annotations

from datetime import datetime
from pathlib import Path
from typing import NamedTuple

from reminder.store.store import open_store
from tests.channels.email.conftest import INBOX, PASSWORD
from tests.channels.email.replies import AUTHSERV_ID
from tests.conftest import ROOT
from tests.fakes.telegram import FakeTelegram
from tests.fakes.zalo import FakeZalo, chat_of

STRANGER, GROUP = 66, -70
UNITS = {
    "tu-phap": ("an", "binh", "cuc"),
    "van-phong": ("chi", "giang", "thu"),
    "tai-chinh-ke-toan": ("ha", "hue"),
    "van-hoa-xa-hoi": ("dung", "diep"),
    "dia-chinh-xay-dung": ("khoa", "kim"),
    "van-hoa-thong-tin": ("minh",),
    "lanh-dao": ("lan", "nam"),
}
BY_MAIL = ("binh", "thu", "nam", "hue")  # who has no Telegram at all
BY_ZALO = ("minh", "dung", "cuc")
IN_GROUP = "dia-chinh-xay-dung"  # hears its nudges in a group
UNIT_OF = {person: unit for unit, people in UNITS.items() for person in people}
CHATS = {person: 11 + n for n, person in enumerate(UNIT_OF) if person not in (*BY_MAIL, *BY_ZALO)}


class Answer(NamedTuple):
    """What an officer writes; it closes `task` for their unit."""

    day: str
    hour: str
    who: str
    task: str
    text: str


ANSWERS = tuple(
    Answer(*line.strip().split(" ", 4))
    for line in """23/01 09:30 giang 3 /done 3
        24/01 15:00 minh 2đ /done 2đ
        25/01 09:30 binh 1a Dạ em xong 1a rồi ạ
        26/01 15:00 chi 2e /done 2e
        29/01 09:30 dung 2c xong 2c
        30/01 15:00 chi 2c /done 2c
        31/01 15:00 an 1c dạ 1c xong rồi ạ
        01/02 09:30 khoa 2c /done 2c tháng 01
        01/02 15:00 binh 2h xong 2h
        02/02 09:30 hue 4b 4b đã xong
        05/02 15:00 cuc 1e /done 1e
        06/02 09:30 cuc 2c /done 2c tháng 01
        07/02 15:00 chi 1b /done 1b
        16/02 09:30 giang 2k /done 2k
        19/02 15:00 thu 2i Đã xong 2i""".splitlines()
)
# What they write once more by mail whenever the mailbox is to fail: each is an event of its own.
NOTES = {"binh": "1d quyết định", "thu": "1d quyết định", "hue": "4a"}
FORGED = f"{AUTHSERV_ID}; dmarc=fail"
# Officers of other units, and somebody whom nobody knows.
INTRUDERS = (
    *(("lan", "/done 1c"), ("dung", "/done 4b"), ("minh", "/done 1c")),
    *(("", "/done 1c"), ("", "/done 2c"), ("", "dạ 4b xong rồi ạ"), ("", "/start abcdefgh")),
)
DAYS = tuple(f"{n}/01" for n in range(22, 32)) + tuple(f"{n:02}/02" for n in range(1, 21))
PLAN = (ROOT / "data/plan2024.toml").read_text(encoding="utf-8")


def recipients(unit: str, kind: str) -> set[str]:
    """Who must hear what `unit` is told."""
    if unit == IN_GROUP and kind == "nudge":
        return {f"group:{unit}", *(p for p in UNITS[unit] if p in BY_MAIL)}
    return set(UNITS[unit])


def people_file(leave_out: int = 0) -> str:
    """config/people.toml, without its last `leave_out` people."""
    people = list(UNIT_OF)[: len(UNIT_OF) - leave_out]
    channels = {
        p: '["email"]' if p in BY_MAIL else f'["{"zalo" if p in BY_ZALO else "telegram"}", "email"]'
        for p in people
    }
    return "".join(
        f'[[person]]\nid = "{p}"\nname = "{p.capitalize()}"\nunit = "{UNIT_OF[p]}"\n'
        f'email = "{p}@example.vn"\nchannels = {channels[p]}\n'
        for p in people
    )


def prepared(
    folder: Path, telegram: FakeTelegram, zalo: FakeZalo, smtp_port: int, imap_port: int
) -> Path:
    """The settings and the files; no database yet. The path of the settings."""
    (folder / "people.toml").write_text(people_file(), encoding="utf-8")
    (folder / "plan2024.toml").write_text(PLAN, encoding="utf-8")
    config = folder / "reminder.toml"
    config.write_text(
        f"""
[plan]
files = ["plan2024.toml"]
people = "people.toml"
calendar = "{(ROOT / "config/calendar.toml").as_posix()}"
[store]
url = "sqlite:///{(folder / "r.db").as_posix()}"
[telegram]
token = "{telegram.token}"
base_url = "{telegram.base_url}"
[zalo]
token = "{zalo.token}"
base_url = "{zalo.base_url}"
[email]
host = "127.0.0.1"
port = {smtp_port}
security = "none"
sender = "{INBOX}"
[inbox]
host = "127.0.0.1"
port = {imap_port}
security = "none"
username = "{INBOX}"
password = "{PASSWORD}"
address = "{INBOX}"
authserv_id = "{AUTHSERV_ID}"
poll_seconds = 1
""",
        encoding="utf-8",
    )
    return config


def enrolled(folder: Path, telegram: FakeTelegram, zalo: FakeZalo, now: datetime) -> None:
    """Everybody with Telegram or Zalo has followed an invitation, and one unit has a group."""
    url = f"sqlite:///{(folder / 'r.db').as_posix()}"
    store = open_store(url, exclusive=False, sleep=lambda _: None)
    for person, chat in CHATS.items():
        telegram.start(chat)
        store.bind(person, "telegram", str(chat), now)
    zalo.wrote(*BY_ZALO)
    for person in BY_ZALO:
        store.bind(person, "zalo", chat_of(person), now)
    telegram.add_group(GROUP)
    store.bind(f"group:{IN_GROUP}", "telegram", str(GROUP), now)
    store.close()
