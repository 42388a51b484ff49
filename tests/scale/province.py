"""A province for `make scale`: its offices, people and accounts, put in a database, all due now.

The plan is that of 2024, moved to the year at hand, with a task due today for each unit: on its
very first tick an office says all that its day's slot had to say, and the slot is in the past. The
calendar has the day as a working one.
"""

from __future__ import annotations

import hashlib
import json
import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime, time, timedelta
from functools import cached_property
from pathlib import Path

from reminder.domain.calendar import local
from reminder.domain.outbox import Draft
from reminder.domain.payloads import Forged
from reminder.store.documents import Version
from reminder.store.offices import Account, OfficeRecord, Stores
from tests.conftest import ROOT
from tests.fakes.zalo import chat_of

UNITS = (
    *("van-phong", "tu-phap", "tai-chinh-ke-toan", "van-hoa-xa-hoi", "dia-chinh-xay-dung"),
    *("van-hoa-thong-tin", "lanh-dao"),
)
BIG_UNIT = "van-hoa-xa-hoi"  # where the big office has its many people
ANSWERS_OF = "tu-phap"  # whose first member answers
WORD = "van-phong-1"  # who has several messages, whose order shows
WORDS = 5
ZALO_PEOPLE = 50  # of a bot, at most
OWN_PLAN = 10  # each tenth office has a plan of its own; the others share one text
BIG = 1  # the number of the office with many more people
DOMAIN = "example.vn"
URL = f"https://nhacviec.{DOMAIN}"  # of the page: a proxy would be before it


@dataclass(frozen=True, slots=True)
class Bot:
    """An account at a provider, and the offices that use it."""

    id: str
    channel: str
    offices: tuple[int, ...]


@dataclass(frozen=True, slots=True)
class Reader:
    """A person of an office on their channel, and what must come there."""

    office: str
    person: str
    account: str
    chat: str
    due: tuple[str, ...]  # texts that a message to them must hold


@dataclass(frozen=True, slots=True)
class Answer:
    """What somebody writes once they have read their message; it closes a task of their office."""

    reader: Reader
    text: str
    task: str


@dataclass(frozen=True, kw_only=True)
class Province:
    """How many of what; the rest follows."""

    offices: int = 3321
    accounts: int = 68
    people: int = 1  # of each unit
    more: int = 500  # people of the big office
    answers: int = 200
    today: datetime  # when it is seeded

    @cached_property
    def bots(self) -> tuple[Bot, ...]:
        """The accounts: a few of Zalo and of mail, the rest of Telegram, each with its offices."""
        of_mail = max(1, self.accounts // 20)
        of_zalo = max(1, self.accounts // 14)
        a_bot = max(1, ZALO_PEOPLE // (len(UNITS) * self.people))  # offices of a bot of Zalo
        of_telegram = self.accounts - of_mail - of_zalo
        numbers = list(range(2, self.offices + 1))
        a_sender = max(1, min(len(numbers) // self.accounts, 40))
        found = []
        for n in range(of_mail):
            mine, numbers = numbers[:a_sender], numbers[a_sender:]
            found.append(Bot(f"mail-{n + 1}", "email", tuple(mine)))
        for n in range(of_zalo):
            mine, numbers = numbers[:a_bot], numbers[a_bot:]
            found.append(Bot(f"zalo-{n + 1}", "zalo", tuple(mine)))
        numbers.insert(0, BIG)
        found += [
            Bot(f"tele-{n + 1}", "telegram", tuple(numbers[n::of_telegram]))
            for n in range(of_telegram)
        ]
        return tuple(found)

    @cached_property
    def readers(self) -> tuple[Reader, ...]:
        """Everybody."""
        return tuple(
            Reader(office_id(number), person, bot.id, chat, (title(number, person),))
            for bot in self.bots
            for number in bot.offices
            for n, person in enumerate(self.people_of(number))
            for chat in (_chat(bot, number, n, person),)
        )

    @cached_property
    def asked(self) -> tuple[Answer, ...]:
        """Who answers, from offices all over the province; nobody by mail."""
        of_bots = [
            reader
            for reader in self.readers
            if reader.person == f"{ANSWERS_OF}-1" and not reader.account.startswith("mail")
        ]
        step = max(1, len(of_bots) // max(1, self.answers))
        code = code_of(ANSWERS_OF)
        return tuple(
            Answer(reader, f"xong {code}", code) for reader in of_bots[::step][: self.answers]
        )

    def people_of(self, number: int) -> list[str]:
        """The ids of an office's people, the same in every office."""
        more = self.more if number == BIG else 0
        return [
            f"{unit}-{n + 1}"
            for unit in UNITS
            for n in range(self.people + (more if unit == BIG_UNIT else 0))
        ]


def office_id(number: int) -> str:
    """The id of an office: five digits, as wards have them."""
    return f"{number:05}"


def code_of(unit: str) -> str:
    """The code of the task that is due today."""
    return f"9{'abcdefg'[UNITS.index(unit)]}"


def title(number: int, person: str) -> str:
    """The title of the task that is due today, for the unit of a person."""
    unit = person.rpartition("-")[0]
    whose = f" của phường {office_id(number)}" if has_own_plan(number) else ""
    return f"Việc hôm nay {code_of(unit)}{whose}"


def has_own_plan(number: int) -> bool:
    """Whether an office's plan is no copy of the others'."""
    return number % OWN_PLAN == 0


def _chat(bot: Bot, number: int, place: int, person: str) -> str:
    if bot.channel == "telegram":
        return str(number * 10_000 + place)
    if bot.channel == "zalo":
        return chat_of(f"{number} {person}")
    return f"{person}@p{office_id(number)}.{DOMAIN}"


def plan_text(number: int, today: datetime) -> str:
    """The plan of an office as TOML."""
    day = local(today).date()
    text = (ROOT / "data/plan2024.toml").read_text("utf-8").replace("2024", str(day.year))
    tasks = "".join(
        f'\n[[task]]\ncode = "{code_of(unit)}"\ntitle = "{title(number, f"{unit}-1")}"\n'
        f'section = "5"\nlead = ["{unit}"]\n'
        f'[[task.deliverable]]\nname = "Văn bản"\nproduct = "Văn bản của ngày"\n'
        f'phrase = "Hôm nay"\ndue = {day}\n'
        for unit in UNITS
    )
    return text + tasks


def people_text(province: Province, number: int, channel: str) -> str:
    """The people of an office as TOML."""

    def one(person: str) -> str:
        unit = person.rpartition("-")[0]
        mail = f'email = "{person}@p{office_id(number)}.{DOMAIN}"\n' if channel == "email" else ""
        return (
            f'[[person]]\nid = "{person}"\nname = "Công chức {person}"\nunit = "{unit}"\n'
            f'{mail}channels = ["{channel}"]\n'
        )

    return "".join(map(one, province.people_of(number)))


def settings_text(province: Province, folder: Path, url: str, port: str) -> str:
    """The settings of every process: the day's slot is just over, and is made up for."""
    today = local(province.today)
    start = datetime.combine(today.date(), time(), today.tzinfo)
    slot = f"{max(start, today - timedelta(minutes=1)):%H:%M}"
    return f'''
[store]
url = "{url}"
[plan]
calendar = "{calendar(folder, province.today)}"
[web]
listen = "127.0.0.1:{port}"
base_url = "{URL}"
behind = ["127.0.0.1"]
[schedule]
slot = "{slot}"
digest = "{slot}"
catch_up_until = "23:59"
'''


def calendar(folder: Path, today: datetime) -> Path:
    """Write a calendar that has the day as a working one."""
    day = local(today).date()
    text = (ROOT / "config/calendar.toml").read_text("utf-8")
    years = re.search(r"confirmed = \[(.*?)\]", text)
    assert years is not None
    known = {*map(int, years[1].split(",")), day.year - 1, day.year, day.year + 1}
    text = text.replace(years[0], f"confirmed = {sorted(known)}")
    how = "worked" if day.weekday() >= 5 else "remove"
    path = folder / "calendar.toml"
    path.write_text(f'{text}\n[[change]]\nnotice = "make scale"\n{how} = [{day}]\n', "utf-8")
    return path


def secrets(province: Province, folder: Path) -> None:
    """Write the accounts' secrets, one a file: a bot's token names the account."""
    folder.mkdir()
    for n, bot in enumerate(province.bots, start=1):
        (folder / bot.id).write_text(f"{1000 + n}:{bot.id}\n")


def seed(stores: Stores, province: Province, folder: Path, http: int, smtp: int) -> None:
    """Put offices, accounts and people into the database, each office in one transaction."""
    secrets(province, folder / "secrets")
    now = province.today
    where: dict[str, dict[str, object]] = {
        "telegram": {"base_url": f"http://127.0.0.1:{http}/telegram/bot"},
        "zalo": {"base_url": f"http://127.0.0.1:{http}/zalo/bot"},
        "email": {"host": "127.0.0.1", "port": smtp, "security": "none"},
    }
    shared = plan_text(0 if not has_own_plan(0) else 1, now)
    for bot in province.bots:
        settings = dict(where[bot.channel])
        secret = f"file:{folder / 'secrets' / bot.id}"
        if bot.channel == "email":
            settings["sender"], secret = f"{bot.id}@{DOMAIN}", ""
        account = Account(
            id=bot.id, kind=bot.channel, secret=secret, settings=json.dumps(settings), made_at=now
        )
        assert stores.add_account(account)
        alike = people_text(province, 0, bot.channel)
        for number in bot.offices:
            own = number == BIG or bot.channel == "email"
            people = people_text(province, number, bot.channel) if own else alike
            plan = plan_text(number, now) if has_own_plan(number) else shared
            _seed_office(stores, province, bot, number, (plan, people))


def _seed_office(
    stores: Stores, province: Province, bot: Bot, number: int, texts: tuple[str, str]
) -> None:
    now, mine = province.today, office_id(number)
    store = stores.of(mine)
    with stores.database.together():
        name = f"Phường {mine}"
        made = OfficeRecord(id=mine, name=name, province="Tỉnh Thử", made_at=now)
        assert stores.add_office(made)
        names = (f"cchc-{local(now).year}", "people")
        for document, text in zip(names, texts, strict=True):
            digest = hashlib.sha256(text.encode()).hexdigest()
            version = Version(
                name=document, version=1, text=text, sha256=digest, by="", at=now, why=""
            )
            assert store.add_version(version)
        stores.link(mine, bot.channel, bot.id)
        for n, person in enumerate(province.people_of(number)):
            if bot.channel != "email":
                store.bind(person, bot.channel, _chat(bot, number, n, person), now)
        store.record([], unit_names={}, drafts=_words(bot, now), at=now)


def _words(bot: Bot, now: datetime) -> Iterator[Draft]:
    """Several messages to one person, each for a later moment than the one before."""
    for n in range(1, WORDS + 1):
        slot = now - timedelta(seconds=60 - n)
        yield Draft(
            slot=slot,
            recipient=WORD,
            kind="notice",
            subject=f"scale:{n}",
            channel=bot.channel,
            payload=Forged(number=n),
            due_at=slot,
        )


def by_chat(readers: Sequence[Reader]) -> dict[tuple[str, str], list[Reader]]:
    """The readers of each chat of an account."""
    found: dict[tuple[str, str], list[Reader]] = {}
    for reader in readers:
        found.setdefault((reader.account, reader.chat), []).append(reader)
    return found
