"""The workers of a province through real HTTP: their rate, and their accounts' limits.

The peer is one ward's daemon on SQLite (bench.dispatch) with the same nudges, a text each. The
wards share accounts that may send as fast as the server answers, as the daemon may; each has had a
message before, so that a worker knows it, as on each morning but its first. What waits is found by
the workers' own sweep, and the rate is that from the first arrival to the last.

The accounts' limits are tried by accounts of their own, each at a server that counts as Telegram
does, with 300 messages instead of 100,000. A worker's death is part of `make scale`.
"""

from __future__ import annotations

import json
import os
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator, Mapping, Sequence
from contextlib import AbstractContextManager, ExitStack, closing
from dataclasses import dataclass, field
from datetime import UTC, date, datetime, timedelta
from hashlib import sha256
from pathlib import Path
from typing import TYPE_CHECKING

from bench.dispatch import daemon_rate
from bench.ours import ROOT
from bench.rows import Row, at_least, at_most, row
from bench.sides import killed_group, server, stats, until
from reminder.domain.outbox import Draft
from reminder.domain.payloads import Forged, Nudge
from reminder.domain.plan import Key
from reminder.domain.schedule import Item, Stage
from reminder.store.documents import Version
from reminder.store.offices import Account, OfficeRecord, Stores
from reminder.store.store import open_store

if TYPE_CHECKING:
    from tests.postgres import Server

WARDS, ACCOUNTS, OFFICERS = 40, 8, 25
FAST = 1000  # messages a second that an account may send where its limit is not what is tried
PACED, PACED_WARDS, PACED_OFFICERS = 3, 4, 75  # accounts; wards of each; officers of each
ENOUGH = 5  # cores from which on three workers have one each
LOOK = 0.2  # seconds
WORKER = "from reminder.cli import main; main()"


@dataclass
class Wards:
    """The wards of some accounts, whose messages arrive at some servers."""

    stores: Stores
    now: datetime
    servers: Sequence[str]
    officers: int
    ids: list[str] = field(default_factory=list)

    @property
    def arrivals(self) -> list[list[float]]:
        """When the messages so far have arrived at each server."""
        return [sorted(stats(url)["arrivals"]) for url in self.servers]

    def add(self, account: str, url: str, rate: int, wards: int, texts: Mapping[str, str]) -> None:
        """Add an account and the wards that share it."""
        settings = json.dumps({"base_url": url})
        made_at, secret = self.now, "env:BOT"
        self.stores.add_account(
            Account(
                id=account,
                kind="telegram",
                secret=secret,
                settings=settings,
                rate=rate,
                made_at=made_at,
            )
        )
        for n in range(wards):
            ward = f"{account}-{n}"
            self.ids.append(ward)
            made = OfficeRecord(id=ward, name=ward, province="", made_at=self.now)
            self.stores.add_office(made)
            self.stores.link(ward, "telegram", account)
            store = self.stores.of(ward)
            for name, text in texts.items():
                digest = sha256(text.encode()).hexdigest()
                store.add_version(
                    Version(
                        name=name, version=1, text=text, sha256=digest, by="", at=self.now, why=""
                    )
                )
            for officer in range(self.officers):
                chat = str(1000 * len(self.ids) + officer + 1)
                store.bind(f"p{officer}", "telegram", chat, self.now)

    def greet(self) -> None:
        """Queue a message to somebody of each ward, and wait until all have arrived."""
        for ward in self.ids:
            self._queue(ward, [self._draft("p0", "notice", Forged(number=1))])
        self._wait(len(self.ids))

    def nudge(self) -> list[float]:
        """Queue a nudge to everybody, no two alike; return the rate of each server."""
        before = [len(each) for each in self.arrivals]
        key, due = Key(f"cchc-{self.now.year}", "1c", 1, str(self.now.year)), date(2024, 1, 31)
        with self.stores.database.together():  # all at once, as a tick writes them
            for ward in self.ids:
                drafts = [
                    self._draft(
                        f"p{n}",
                        "nudge",
                        Nudge(items=(("tu-phap", Item(key, due + timedelta(n), Stage(-5))),)),
                    )
                    for n in range(self.officers)
                ]
                self._queue(ward, drafts)
        self._wait(sum(before) + len(self.ids) * self.officers)
        new = (each[count:] for each, count in zip(self.arrivals, before, strict=True))
        return [(len(each) - 1) / (each[-1] - each[0]) for each in new]

    def _draft(self, who: str, kind: str, payload: Forged | Nudge) -> Draft:
        self.now += timedelta(microseconds=1)  # the newest nudge to somebody is the one that counts
        return Draft(
            slot=self.now,
            recipient=who,
            kind=kind,
            subject="",
            channel="telegram",
            payload=payload,
            due_at=self.now,
        )

    def _queue(self, ward: str, drafts: Sequence[Draft]) -> None:
        self.stores.of(ward).record([], unit_names={}, drafts=drafts, at=self.now)

    def _wait(self, messages: int) -> None:
        until(lambda: sum(map(len, self.arrivals)) >= messages, pause=LOOK)


def run() -> Iterator[Row]:
    """The rows, one after the other."""
    from tests.postgres import WHY_NOT, programs
    from tests.postgres import server as postgres

    if programs() is None:
        yield row("the workers of a province", WHY_NOT)
        return
    with tempfile.TemporaryDirectory() as name, postgres() as running:
        yield from _rows(Path(name), running)


def _rows(folder: Path, postgres: Server) -> Iterator[Row]:
    embedded = daemon_rate(WARDS * OFFICERS, 8, "--apart")
    cores = os.cpu_count() or 1
    url = postgres.url(postgres.make())
    with ExitStack() as stack:
        store = open_store(url, exclusive=False, sleep=time.sleep)
        stores = stack.enter_context(closing(Stores(store)))
        fast_server = stack.enter_context(server())
        limited = [stack.enter_context(server("--limits")) for _ in range(PACED)]
        config, now = folder / "reminder.toml", datetime.now(UTC)
        config.write_text(f'[store]\nurl = "{url}"\n', "utf-8")
        fast = Wards(stores, now, [fast_server], OFFICERS)
        paced = Wards(stores, now, limited, PACED_OFFICERS)
        texts = {f"cchc-{now.year}": _plan(now.year), "people": _people(PACED_OFFICERS)}
        for n in range(ACCOUNTS):
            fast.add(f"fast-{n}", fast_server, FAST, WARDS // ACCOUNTS, texts)
        for n, limits in enumerate(limited):
            paced.add(f"paced-{n}", limits, 0, PACED_WARDS, texts)
        stack.enter_context(_worker(config))
        fast.greet()
        (one,) = fast.nudge()
        yield row(
            "messages a second of one worker of a province, of one ward's daemon",
            f"{one:.0f}", f"{embedded:.0f}", figure=one / embedded, goal=at_least(0.8),
        )  # fmt: skip
        paced.greet()
        slowest = min(paced.nudge())
        refused = sum(stats(each)["refused"] for each in limited)
        for _ in range(2):
            stack.enter_context(_worker(config))
        fast.nudge()  # they know the wards, too
        (three,) = fast.nudge()
    yield row(
        f"three workers against one, {cores} cores",
        f"{three:.0f}", f"{one:.0f}", figure=three / one,
        goal=at_least(2) if cores >= ENOUGH else None,
    )  # fmt: skip
    yield row(
        "slowest account of Telegram beside its limit of 30 a second",
        f"{slowest:.1f}", "30", figure=slowest / 30, goal=at_least(0.95),
    )  # fmt: skip
    yield row("429s", f"{refused}", figure=refused, goal=at_most(0))


def _worker(config: Path) -> AbstractContextManager[subprocess.Popen[str]]:
    words = [sys.executable, "-c", WORKER, "run", "--role", "worker", "--config", str(config)]
    return killed_group(words, {**os.environ, "BOT": "4242:bench"})


def _plan(year: int) -> str:
    return (ROOT / "data/plan2024.toml").read_text("utf-8").replace("2024", str(year))


def _people(officers: int) -> str:
    return "".join(
        f'[[person]]\nid = "p{n}"\nname = "Công chức {n}"\nunit = "tu-phap"\n'
        for n in range(officers)
    )
