"""A ward whose daemon has run for a week goes on in a province as if nothing had happened."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass
from datetime import UTC, date, timedelta
from pathlib import Path

import pytest

from reminder.app import bootstrap
from reminder.channels.telegram import pacer
from reminder.channels.telegram.pacer import Pacer
from reminder.cli.transfer import import_office
from reminder.domain.calendar import local_day
from reminder.domain.context import Inbound
from reminder.domain.outbox import RowState
from reminder.files.settings import load_settings
from reminder.province.roles import Process
from reminder.province.ticking import SHARDS
from reminder.services.history import sent_as
from reminder.services.proof import verify
from reminder.store.offices import Stores, shard_of
from reminder.store.store import open_store
from tests.e2e.town import AN, CUC, Town, data_of, labels, town
from tests.province.kit import province_of
from tests.services.world import at
from tests.store.samples import set_next
from tests.waiting import LONGEST, within

pytestmark = [pytest.mark.asyncio, pytest.mark.usefixtures("timedelta_retry")]
WARD = "00123"
Said = list[tuple[str, str]]


@pytest.fixture
def timedelta_retry(monkeypatch: pytest.MonkeyPatch) -> None:
    """What the library and the sender ask of a test that shows their clocks by itself."""
    monkeypatch.setenv("PTB_TIMEDELTA", "true")


def days(first: date, last: date) -> list[str]:
    """The working days, as the office writes them."""
    span = (first + timedelta(days=n) for n in range((last - first).days + 1))
    return [f"{day:%d/%m}" for day in span if day.weekday() < 5]


def hours(day: str) -> list[str]:
    """When something may be said on a working day: the digest on Mondays."""
    return ["07:30", "08:00"] if at(day).weekday() == 0 else ["08:00"]


BEFORE = days(date(2024, 1, 24), date(2024, 1, 31))
AFTER = days(date(2024, 2, 1), date(2024, 3, 1))


async def week(place: Town) -> None:
    """What a ward does before it moves; its morning is queued, and not sent, when it stops."""
    await place.enrol("an", "cuc", "chi", "dung")
    for day in BEFORE:
        for clock in hours(day):
            await place.hour(day, clock)
    await place.says(CUC, "ghi chú 1c chờ ký")
    place.clock.moment = at("01/02", "08:00")
    tick = place.wired.daemon.service.tick
    rows = await place.wired.daemon.do(lambda: tick(place.clock.moment))
    assert rows
    await place.end()
    await place.time.skip(5)  # the next one's pacer does not know what this one's has sent


async def month(place: Town, hour: Callable[[str, str], Awaitable[None]]) -> None:
    """What happens after: an old button is pressed, and a month goes by."""
    await hour("01/02", "08:01")
    nudge = place.newest(AN, "1c")
    old = next(m for m in place.telegram.sent_to(AN) if "✅ 1c" in labels(m))
    data = data_of(old, "✅ 1c")
    assert old.message_id <= nudge.message_id
    place.telegram.user_presses(AN, old.message_id, AN, data)
    await hour("01/02", "09:00")
    for day in AFTER[1:]:
        for clock in hours(day):
            await hour(day, clock)


def said(place: Town) -> Said:
    """All that anybody was told, and what became of it where it was edited: how each begins.

    Further down a message says how often was nudged before it was rendered, which is a race of the
    channels, and a digest when the ward itself last asked Telegram.
    """
    chats = [(str(m.chat_id), text) for m in place.telegram.sent for text in (*m.history, m.text)]
    return sorted((to, text.splitlines()[0]) for to, text in (*chats, *place.mailbox.mails))


async def alone(folder: Path) -> Said:
    async with town(folder) as place:
        await week(place)
        await place.begin()

        async def hour(day: str, clock: str) -> None:
            await place.hour(day, clock)

        await month(place, hour)
        return said(place)


@dataclass
class Moved:
    """A ward that has become an office of a province, and the process that serves it."""

    place: Town
    process: Process

    @property
    def stores(self) -> Stores:
        return self.process.province.stores

    async def hour(self, day: str, clock: str) -> None:
        """The province's clock moves on; what is due is done."""
        province = self.process.province
        self.place.clock.moment = at(day, clock)
        await province.worker.do(lambda: set_next(self.stores, WARD))
        await province.engine.wake("tick", str(shard_of(WARD, SHARDS)))
        await self.quiet()

    async def quiet(self) -> None:
        """Until nothing is due or under way."""
        end = asyncio.get_running_loop().time() + LONGEST
        while self.place.telegram.pending or await self._moving():
            if asyncio.get_running_loop().time() > end:
                raise TimeoutError(f"never quiet: {self.stores.of(WARD).counts()}")
            await self.process.province.engine.wake("due", "")
            await asyncio.sleep(0.005)

    async def _moving(self) -> bool:
        store = self.stores.of(WARD)

        def look() -> bool:
            now, due = self.place.clock.moment, store.next_due()
            ticked = store.meta("last_tick") == now.astimezone(UTC).isoformat()
            return not ticked or bool(store.counts()["leased"]) or (due is not None and due <= now)

        return await self.process.province.worker.do(look)


@asynccontextmanager
async def moved(place: Town, url: str, monkeypatch: pytest.MonkeyPatch) -> AsyncIterator[Moved]:
    """Imports the ward by the command, and serves it by a process with all roles but the page."""
    config = place.folder / "tinh.toml"
    config.write_text(f'[store]\nurl = "{url}"\n', encoding="utf-8")
    open_store(url, exclusive=False, sleep=bootstrap.pause).close()
    import_office(
        place.folder / "r.db", office=WARD, settings=place.config, config=config,
        secrets=place.folder / "secrets",
    )  # fmt: skip
    settings = load_settings(config, {})
    stores = Stores(open_store(url, exclusive=False, sleep=bootstrap.pause))

    def paced(*_: object, **__: object) -> Pacer:  # on the clock of the server's limits
        return Pacer(place.time.clock, place.time.skip)

    monkeypatch.setattr(pacer, "Pacer", paced)
    province = province_of(stores, place.clock, settings)
    process = Process(province, ("worker", "tick"))
    task = asyncio.create_task(process.run())
    try:
        yield Moved(place, process)
    finally:
        process.stop.set()
        await within(task, "the process's end")


@pytest.fixture(params=["sqlite", pytest.param("postgres", marks=pytest.mark.thorough)])
def url(request: pytest.FixtureRequest, tmp_path: Path) -> str:
    if request.param == "postgres":
        found: str = request.getfixturevalue("lent_postgres_url")
        return found
    return f"sqlite:///{(tmp_path / 'tinh.db').as_posix()}"


async def test_a_ward_goes_on_in_a_province_where_it_stopped(
    tmp_path: Path, url: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Over a month nothing is lost and nothing said twice: it is what the ward alone would say."""
    (tmp_path / "alone").mkdir()
    (tmp_path / "ward").mkdir()
    expected = await alone(tmp_path / "alone")
    async with town(tmp_path / "ward") as place:
        await week(place)
        async with moved(place, url, monkeypatch) as here:
            store = here.stores.of(WARD)
            assert store.counts()["pending"]
            await month(place, here.hour)
            assert verify(store).broken is None
            assert not [row for row in store.rows(limit=9999) if row.repeat]
            assert said(place) == expected
            answered_by_mail(here)


def answered_by_mail(here: Moved) -> None:
    """An answer to a mail that the ward had sent before it moved counts."""
    service, now = here.process.province.cache.service(WARD), here.place.clock.moment
    store = here.stores.of(WARD)
    mails = store.rows(recipient="binh", kind="nudge", states=[RowState.SENT], limit=9999)
    old = next(row for row in reversed(mails) if row.provider_id)
    assert local_day(old.draft.slot) <= date(2024, 1, 31)
    assert sent_as(store, "binh", "email", old.provider_id, "")
    answer = Inbound(
        channel="email", update="<a@x> 1", sender="binh@example.vn", chat="binh@example.vn",
        private=True, text="ghi chú 1d quyết định chờ ký", message="<a@x>",
        reply_to=old.provider_id,
    )  # fmt: skip
    outcome = service.receive(answer, now)
    assert [(e.kind.value, e.key.task, e.by) for e in outcome.events] == [("noted", "1d", "binh")]
