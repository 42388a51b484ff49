"""The sends of a province, by the real client on a Telegram of the tests' own."""

from __future__ import annotations

import asyncio
import json
import logging
from collections import Counter
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager
from dataclasses import replace
from datetime import timedelta
from email import message_from_bytes
from email.policy import default

import pytest

from reminder.channels.email.content import ANSWERABLE, ONE_WAY_HERE
from reminder.channels.email.send import ON_THE_PAGE, WITHOUT_FILES
from reminder.domain.outbox import LOST, Draft, Outbound, RowState
from reminder.domain.payloads import Forged
from reminder.files.documents import PEOPLE
from reminder.province import sending
from reminder.province.cache import OfficeCache
from reminder.province.sending import AT_A_TIME, PUT_OFF, AccountRows, Sender
from reminder.province.ticking import SHARDS, Ticker
from reminder.services.deliver import Rendered
from reminder.services.service import Service
from reminder.store.accounts import Accounts
from reminder.store.offices import Account, Stores, shard_of
from reminder.store.records import StoreBusyError
from tests.app.kit import REPEAT, logged
from tests.channels.email.mailserver import Post, serving
from tests.fakes.blank import memory_store
from tests.fakes.telegram import FakeTelegram
from tests.province.kit import (
    BEGUN,
    CHATS,
    PEOPLE_TEXT,
    SETTINGS,
    Clock,
    add_account,
    add_office,
    province_of,
    put,
    tick_shard,
)
from tests.services.world import at
from tests.waiting import within

pytestmark = pytest.mark.asyncio

MORNING = at("31/01", "08:00")
OFFICES = ("a", "b")
WITH_MAIL = PEOPLE_TEXT.replace(
    'unit = "van-phong"\nchannels = ["telegram"]',
    'unit = "van-phong"\nemail = "chi@example.vn"\nchannels = ["telegram", "email"]',
)


@pytest.fixture
def stores() -> Iterator[Stores]:
    stores = Stores(memory_store())
    yield stores
    stores.close()


def office_chat(office: str, person: str = "an") -> int:
    """The chat of a person of an office."""
    return int(f"{OFFICES.index(office) + 1}{CHATS[person]}")


@asynccontextmanager
async def served(
    stores: Stores, monkeypatch: pytest.MonkeyPatch, *offices: str
) -> AsyncIterator[FakeTelegram]:
    """Offices that share the account “bot”, all of whose people have begun a chat with it."""
    async with FakeTelegram() as telegram:
        monkeypatch.setenv("BOT", telegram.token)
        settings = json.dumps({"base_url": telegram.base_url})
        add_account(stores, "bot", settings=settings)
        for office in offices:
            add_office(stores, office, chats=str(OFFICES.index(office) + 1))
            for person in CHATS:
                telegram.start(office_chat(office, person))
        yield telegram


@asynccontextmanager
async def sender_of(stores: Stores, clock: Clock) -> AsyncIterator[Sender]:
    """What a process sends by, until the test is through with it."""
    province = province_of(stores, clock)
    sender = Sender(province)
    try:
        yield sender
    finally:
        await sender.end()
        province.worker.end()


async def sent(sender: Sender, account: str = "bot") -> None:
    await within(sender.send(account), "a stint")


def tick(stores: Stores, clock: Clock, *offices: str) -> None:
    ticker = Ticker(OfficeCache(stores, SETTINGS, clock.now), clock.now)
    for office in offices:
        tick_shard(ticker, shard_of(office, SHARDS))


def said(stores: Stores, office: str, number: int, *to: str) -> None:
    """Messages to some people in turns, each for a moment later than the one before."""
    people = to or tuple(CHATS)
    drafts = [
        Draft(
            slot=BEGUN + timedelta(seconds=n),
            recipient=people[n % len(people)],
            kind="notice",
            subject=f"{n}",
            channel="telegram",
            payload=Forged(number=n),
            due_at=BEGUN,
        )
        for n in range(1, number + 1)
    ]
    stores.of(office).record([], unit_names={}, drafts=drafts, at=BEGUN)


def counts(stores: Stores, office: str) -> dict[str, int]:
    return {state: n for state, n in stores.of(office).counts().items() if n}


async def test_each_office_has_its_own_messages_sent_by_the_account_they_share(
    stores: Stores, monkeypatch: pytest.MonkeyPatch
) -> None:
    clock = Clock(MORNING)
    async with served(stores, monkeypatch, *OFFICES) as telegram:
        async with sender_of(stores, clock) as sender:
            tick(stores, clock, *OFFICES)
            waiting = {office: stores.of(office).counts()["pending"] for office in OFFICES}
            assert all(waiting.values())
            await sent(sender)
        for office in OFFICES:
            assert counts(stores, office) == {"sent": waiting[office]}
            (nudge,) = telegram.sent_to(office_chat(office))
            assert "1c" in nudge.text
        assert (telegram.too_many, REPEAT in "".join(each.text for each in telegram.sent)) == (
            0,
            False,
        )


async def test_a_mail_has_its_own_offices_way_to_answer_and_page(stores: Stores) -> None:
    """Not those of the first office of the account; here a mail is too large with its file."""
    post, clock = Post(limit=5000), Clock(MORNING)
    add_account(stores, "bot")
    reads = {"host": "x", "username": "x", "address": "nhac@t.vn", "authserv_id": "x"}
    add_account(stores, "box", "inbox", json.dumps(reads))
    for office, account in zip(OFFICES, ("", "bot"), strict=True):
        add_office(stores, office, people=WITH_MAIL, account=account)
    stores.link("a", "inbox", "box")
    async with serving(post) as port:
        values = {"host": "127.0.0.1", "port": port, "security": "none", "sender": "m@t.vn"}
        stores.add_account(
            Account(id="mail", kind="email", secret="", settings=json.dumps(values), made_at=BEGUN)
        )
        for office in OFFICES:
            stores.link(office, "email", "mail")
        tick(stores, clock, *OFFICES)
        async with sender_of(stores, clock) as sender:
            await sent(sender, "mail")
    found = set()
    for each in post.received:
        assert isinstance(each.content, bytes)
        mail = message_from_bytes(each.content, policy=default)
        body = mail.get_body(("plain",))
        assert body is not None
        text = body.get_content()
        if WITHOUT_FILES in text:
            address = str(mail["Reply-To"] or "").partition("+")[0]
            found.add((address, text.partition(WITHOUT_FILES)[2]))
    page = ON_THE_PAGE.format(f"{SETTINGS.web.url}/p/{{}}")
    assert found == {
        ("nhac", f" {page.format('a')}\r\n\r\n-- \r\n{ANSWERABLE}\r\n"),
        ("", f" {page.format('b')}\r\n\r\n-- \r\n{ONE_WAY_HERE.format('Telegram')}\r\n"),
    }


async def test_an_office_that_cannot_be_served_costs_its_own_messages_only(
    stores: Stores, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    """They wait, and are sent once it is mended; the log has one line."""
    clock = Clock()
    async with served(stores, monkeypatch, *OFFICES) as telegram:
        for office in OFFICES:
            said(stores, office, 3)
        people = stores.of("b").versions(PEOPLE, limit=1)[0].text
        put(stores.of("b"), PEOPLE, "[[person")
        async with sender_of(stores, clock) as sender:
            for _ in range(2):
                await sent(sender)
                clock.moment += PUT_OFF
            assert (counts(stores, "a"), counts(stores, "b")) == ({"sent": 3}, {"pending": 3})
            assert len(logged(caplog, "office b")) == 1
            put(stores.of("b"), PEOPLE, people)
            clock.moment += PUT_OFF
            await sent(sender)
        assert counts(stores, "b") == {"sent": 3}
        assert [REPEAT in each.text for each in telegram.sent] == [False] * 6


async def test_an_account_without_its_secret_is_left_out_and_says_so(
    stores: Stores, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    """Once in the log, and in its row; the others go on, and it does once it has one."""
    clock = Clock()
    async with served(stores, monkeypatch, *OFFICES):
        account = stores.account("bot")
        assert account is not None
        stores.add_account(replace(account, id="other", secret="env:NONE"))
        stores.link("b", "telegram", "other")
        for office in OFFICES:
            said(stores, office, 1)
        for _ in range(2):
            async with sender_of(stores, clock) as sender:
                for each in ("other", "bot"):
                    await sent(sender, each)
        assert (counts(stores, "a"), counts(stores, "b")) == ({"sent": 1}, {"pending": 1})
        left_out = stores.account("other")
        assert left_out is not None
        assert "env:NONE" in left_out.down_reason
        assert len(logged(caplog, "account other", "env:NONE")) == 1
        monkeypatch.setenv("NONE", "4242:fake")
        async with sender_of(stores, clock) as sender:
            await sent(sender, "other")
        mended = stores.account("other")
        assert mended is not None
        assert (counts(stores, "b"), mended.down_since) == ({"sent": 1}, None)


async def test_an_account_that_has_its_secret_again_is_not_down_though_nothing_is_due(
    stores: Stores, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Its operator would be told of it until the next message."""
    monkeypatch.setattr(sending, "REST", 0.0)
    async with served(stores, monkeypatch, "a"):
        account = stores.account("bot")
        assert account is not None
        stores.add_account(replace(account, id="other", secret="env:NONE"))
        stores.link("a", "telegram", "other")
        said(stores, "a", 1)
        down = []
        async with sender_of(stores, Clock()) as sender:
            await sent(sender, "other")
            assert stores.of("a").drop(stores.of("a").rows()[0].id)
        for secret in ("", "4242:fake"):
            monkeypatch.setenv("NONE", secret)
            async with sender_of(stores, Clock()) as sender:  # of a process begun since
                await sender.find_due("")
            account = stores.account("other")
            assert account is not None
            down.append(account.down_since is not None)
        assert down == [True, False]


async def test_that_an_account_is_refused_is_logged_once_for_all_its_offices(
    stores: Stores, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    """And each of them keeps what it has to say until it works again."""
    clock = Clock()
    caplog.set_level(logging.INFO)
    async with served(stores, monkeypatch, *OFFICES) as telegram:
        for office in OFFICES:
            said(stores, office, 3)
        good = telegram.token
        telegram.token = "4242:another"
        async with sender_of(stores, clock) as sender:
            await sent(sender)
            clock.moment += timedelta(minutes=10)
            await sent(sender)
            down = [each for each in caplog.records if each.levelno >= logging.WARNING]
            assert ["account bot" in each.getMessage() for each in down] == [True]
            telegram.token = good
            clock.moment += timedelta(minutes=10)
            await sent(sender)
        assert [counts(stores, office) for office in OFFICES] == [{"sent": 3}] * 2
        assert len(logged(caplog, "account bot works again")) == 1


async def test_each_office_hears_by_another_way_that_their_account_has_long_been_down(
    stores: Stores, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Once, also those that had nothing to send; and once that it works again."""
    clock = Clock(MORNING)
    async with served(stores, monkeypatch, *OFFICES) as telegram:
        server = json.dumps({"host": "127.0.0.1", "sender": "nhac@example.vn", "username": "nhac"})
        add_account(stores, "mail", kind="email", settings=server)
        for office in OFFICES:
            put(stores.of(office), PEOPLE, WITH_MAIL)
            stores.link(office, "email", "mail")
        said(stores, "a", 1, "an")
        good, telegram.token = telegram.token, "4242:another"
        heard: list[list[list[str]]] = []
        async with sender_of(stores, clock) as sender:
            for step in (0, 20, 20, 20):
                clock.moment += timedelta(minutes=step)
                if step and len(heard) == 3:
                    telegram.token = good
                sender._told.clear()
                await sent(sender)
                heard.append([told(stores, office) for office in OFFICES])
        down, up = "channel-down by email", "channel-up by telegram"
        assert heard == [[[]] * 2, [[down]] * 2, [[down]] * 2, [[down, up]] * 2]


def told(stores: Stores, office: str) -> list[str]:
    """What an office is told of its channels and by which, oldest first."""
    rows = sorted(stores.of(office).rows(recipient="chi"), key=lambda row: row.id)
    return [f"{row.draft.payload.view} by {row.draft.channel}" for row in rows]


class Cut(OfficeCache):
    """Whose database is away while the first message is rendered."""

    done = False

    def service(self, office: str) -> Service:
        service = super().service(office)
        if not self.done:
            self.done = True

            def away(*_: object) -> Outbound:
                service.renderer = renderer
                raise StoreBusyError("the database is away")

            renderer, service.renderer = service.renderer, away
        return service


async def test_what_could_not_be_rendered_for_the_database_is_sent_at_once_unmarked(
    stores: Stores, monkeypatch: pytest.MonkeyPatch
) -> None:
    """As soon as it answers, and not when the lease has ended."""
    clock = Clock()
    async with served(stores, monkeypatch, "a") as telegram:
        said(stores, "a", 2)
        async with sender_of(stores, clock) as sender:
            sender._province.cache = Cut(stores, SETTINGS, clock.now)
            await sent(sender)
        assert counts(stores, "a") == {"sent": 2}
        assert [REPEAT in each.text for each in telegram.sent] == [False] * 2


class Overtaken(OfficeCache):
    """Has another process take the account while this one renders its first message."""

    done = False

    def service(self, office: str) -> Service:
        if not self.done:
            self.done = True
            Accounts(self.stores.database).seize("bot")
        return super().service(office)


async def test_a_process_that_has_lost_the_account_sends_nothing_more(
    stores: Stores, monkeypatch: pytest.MonkeyPatch
) -> None:
    """It was frozen, and wakes up: what it has leased is sent by the other, marked."""
    clock = Clock()
    monkeypatch.setattr(sending, "SURE", -1.0)
    async with served(stores, monkeypatch, "a") as telegram:
        said(stores, "a", 2)
        province = province_of(stores, clock)
        province.cache = Overtaken(stores, SETTINGS, clock.now)
        frozen = Sender(province)
        await sent(frozen)
        assert (telegram.sent, [row.error for row in stores.of("a").rows()]) == ([], [LOST, LOST])
        await frozen.end()
        province.worker.end()
        async with sender_of(stores, clock) as other:
            await sent(other)
        assert [REPEAT in each.text for each in telegram.sent] == [True] * 2


async def test_a_process_that_ends_gives_back_what_it_has_not_sent(
    stores: Stores, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Unmarked, and free for the next one."""
    clock = Clock()
    async with served(stores, monkeypatch, "a") as telegram:
        said(stores, "a", 4)
        async with sender_of(stores, clock) as ending:
            province = ending._province
            monkeypatch.setattr(province.metrics, "sent", lambda *_: province.worker.stop.set())
            province.settings = replace(SETTINGS, delivery=replace(SETTINGS.delivery, in_flight=1))
            await sent(ending)
        assert 0 < counts(stores, "a")["sent"] < 4
        async with sender_of(stores, clock) as following:
            await sent(following)
        assert counts(stores, "a") == {"sent": 4}
        assert [REPEAT in each.text for each in telegram.sent] == [False] * 4


async def test_a_recipient_reads_in_order_whoever_sends_and_no_limit_is_met(
    stores: Stores, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Two processes take turns at an account, a few messages each; their clocks differ."""
    clock = Clock()
    monkeypatch.setattr(sending, "STINT", 0.2)
    async with served(stores, monkeypatch, *OFFICES) as telegram:
        for office in OFFICES:
            for person in CHATS:
                said(stores, office, 2, person)
        ahead = Clock(clock.moment + timedelta(minutes=2))
        async with sender_of(stores, clock) as one, sender_of(stores, ahead) as other:
            for _ in range(40):
                for sender in (one, other):
                    await sent(sender)
                if not any(stores.of(each).counts()["pending"] for each in OFFICES):
                    break
        for office in OFFICES:
            assert counts(stores, office) == {"sent": 6}
            for person in CHATS:
                texts = [each.text for each in telegram.sent_to(office_chat(office, person))]
                assert [f"có {n} thư" in text for n, text in enumerate(texts, 1)] == [True] * 2
        assert not any(REPEAT in each.text for each in telegram.sent)
        assert telegram.too_many == 0


async def test_an_account_that_was_silent_leases_before_those_that_lease_again(
    stores: Stores,
) -> None:
    """After one of these at most; those that come for the first time keep their order."""
    order = []
    async with sender_of(stores, Clock()) as sender:

        async def lease(name: str, *, again: bool) -> None:
            async with sender.turn(again=again):
                order.append(name)
                await asyncio.sleep(0)

        await asyncio.gather(
            *(lease(f"again {n}", again=True) for n in range(3)),
            *(lease(f"first {n}", again=False) for n in range(3)),
        )
    assert order == ["again 0", "first 0", "first 1", "first 2", "again 1", "again 2"]


async def test_an_account_has_the_thread_no_longer_than_its_share(
    stores: Stores, monkeypatch: pytest.MonkeyPatch
) -> None:
    """What takes longer to be rendered comes an office at a time, and nothing is leased before."""
    clock, passed = Clock(), 0.0
    async with served(stores, monkeypatch, *OFFICES), sender_of(stores, clock) as sender:
        for office in OFFICES:
            said(stores, office, 12)
        account, hold = sender._take("bot") or pytest.fail("there is no account")
        step = 0.0

        def monotonic() -> float:
            nonlocal passed
            passed += step
            return passed

        province = sender._province
        rows = AccountRows(
            account,
            hold.fence,
            Accounts(stores.database),
            province.cache,
            province.worker.troubles,
            monotonic,
        )

        under_way: list[Rendered] = []

        def leased() -> str:
            found, due = rows.lease_due(clock.now(), 6, (), ())
            under_way.extend(found)
            assert (due == clock.now()) == bool(found)
            return "".join(each.row.office for each in found)

        assert leased() == "ababab"
        step = 2 * AT_A_TIME
        assert [leased(), leased()] == ["aaa", "bbb"]
        assert leased() == "aaa"
        rows.give_back([])
        assert Counter(row.state for row in stores.of("b").rows()) == {
            RowState.PENDING: 6,
            RowState.LEASED: 6,
        }
        assert set(rows._services) == {"a", "b"}
        rows.give_back(under_way)
        assert not rows._services  # the cache alone holds offices with nothing under way
