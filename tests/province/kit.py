"""A small province: wards with copies of the plan of 2024, people, and accounts."""

from __future__ import annotations

from datetime import datetime

from reminder.app.channels import mail_secret
from reminder.engine.embedded import Embedded
from reminder.files.documents import OWN, PEOPLE
from reminder.files.settings import Settings, WebSection
from reminder.ops.supervisor import Clock as ProcessClock
from reminder.province.cache import OfficeCache
from reminder.province.process import Province
from reminder.province.ticking import Ticker, parts_of
from reminder.store.documents import Version
from reminder.store.offices import Account, OfficeRecord, Stores
from reminder.store.store import Store
from tests.conftest import ROOT
from tests.people import officer
from tests.services.world import at

PLAN = (ROOT / "data/plan2024.toml").read_text(encoding="utf-8")
PEOPLE_TEXT = "".join(officer(who, "telegram", mail=False) for who in ("an", "chi", "lan"))
CHATS = {"an": "101", "chi": "103", "lan": "105"}
SETTINGS = Settings(web=WebSection(listen="127.0.0.1:0", base_url="https://nhacviec.example.vn"))
BEGUN = at("31/01", "07:00")


class Clock:
    """A clock that shows what the test sets."""

    def __init__(self, moment: datetime = BEGUN) -> None:
        self.moment = moment

    def now(self) -> datetime:
        return self.moment


def province_of(stores: Stores, clock: ProcessClock, settings: Settings = SETTINGS) -> Province:
    """What the parts of a process share, without its engine running."""
    return Province(
        settings=settings,
        stores=stores,
        cache=OfficeCache(stores, settings, clock.now),
        engine=Embedded(clock),
        clock=clock,
    )


def tick_shard(ticker: Ticker, shard: int) -> set[str]:
    """Tick all of a shard that are due; return the accounts that got messages."""
    due, claimed = ticker.claim(shard)
    together, alone = parts_of(due)
    woken: set[str] = set()
    for some in together:
        found = ticker.tick_together(some, claimed)
        if found is None:
            alone += some
        else:
            woken |= found
    return woken.union(*(ticker.tick(each, claimed) for each in alone))


def put(store: Store, name: str, text: str, at: datetime = BEGUN) -> None:
    """Keep a text of an office as its newest version, without any check."""
    newest = next(iter(store.versions(name, limit=1)), None)
    number = newest.version + 1 if newest else 1
    kept = Version(name=name, version=number, text=text, sha256="", by="", at=at, why="")
    assert store.add_version(kept)


def add_account(stores: Stores, name: str, kind: str = "telegram", settings: str = "{}") -> None:
    made = Account(
        id=name, kind=kind, secret=f"env:{name.upper()}", settings=settings, made_at=BEGUN
    )
    assert stores.add_account(made)


def add_office(
    stores: Stores,
    office: str,
    *,
    plan: str = PLAN,
    people: str = PEOPLE_TEXT,
    own: str = "",
    account: str = "bot",
    chats: str = "",
) -> None:
    """Add an office with its texts, an account, and its people's chats, which begin with `chats`.

    Without `chats` nobody is enrolled.
    """
    record = OfficeRecord(id=office, name=f"Phường {office}", province="Hoa Sen", made_at=BEGUN)
    assert stores.add_office(record)
    store = stores.of(office)
    mail_secret(store)
    put(store, plan_id(plan), plan)
    put(store, PEOPLE, people)
    if own:
        put(store, OWN, own)
    if account:
        stores.link(office, "telegram", account)
    for person, chat in CHATS.items() if chats else ():
        store.bind(person, "telegram", f"{chats}{chat}", BEGUN)


def plan_id(text: str) -> str:
    return next(line.split('"')[1] for line in text.splitlines() if line.startswith("id = "))


def cache_of(stores: Stores, clock: Clock, **limits: int) -> OfficeCache:
    return OfficeCache(stores, SETTINGS, clock.now, **limits)
