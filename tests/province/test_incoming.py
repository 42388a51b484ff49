"""Messages to the bots of a province: whose each is, and that it is taken once."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, replace
from datetime import timedelta
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from reminder.domain.context import Inbound
from reminder.domain.payloads import EditedOrForwarded, Stranger, Welcome, WhichOffice
from reminder.domain.tokens import hash_code, hash_typed_code
from reminder.files.documents import PEOPLE
from reminder.province.incoming import Receiver
from reminder.province.process import Province
from reminder.store.offices import Stores
from reminder.store.records import NOT_TAKEN, SECRET
from tests.conftest import examples
from tests.fakes.blank import memory_store
from tests.people import officer
from tests.province.kit import (
    BEGUN,
    CHATS,
    Clock,
    add_account,
    add_office,
    province_of,
    put,
)

pytestmark = pytest.mark.asyncio
CHI = int(CHATS["chi"])


@dataclass
class Place:
    """A province and what receives its messages."""

    province: Province
    clock: Clock
    sent: int = 0

    @property
    def stores(self) -> Stores:
        return self.province.stores

    def events(self, office: str) -> list[str]:
        """What was recorded of somebody's words."""
        found = (recorded.event for recorded in self.stores.of(office).events())
        return [f"{each.kind.value} {each.key.task} {each.by}" for each in found if each.by]

    def replies(self, office: str) -> list[Any]:
        rows = self.stores.of(office).rows(kind="reply")
        return [row.draft.payload for row in reversed(rows)]

    def sends(self, office: str) -> list[tuple[str, str]]:
        """All that an office has to say goes out; each message's id at Telegram, and its text."""
        service, found = self.province.cache.service(office), []
        service.tick(self.clock.now())
        while outgoing := service.lease(self.clock.now(), 20):
            for rendered in outgoing:
                self.sent += 1
                service.sent(rendered, f"{self.sent}", self.clock.now())
                if rendered.address == CHATS["chi"]:
                    found.append((f"{self.sent}", rendered.message.text))
        return found


@asynccontextmanager
async def place(*, many: bool = False) -> AsyncIterator[Place]:
    """Two offices, “a” and “b”, by one bot; `many`: with the same people in both."""
    clock = Clock()
    stores = Stores(memory_store())
    add_account(stores, "bot")
    add_office(stores, "a", chats="")
    add_office(stores, "b", chats="")
    for office in ("a", "b") if many else ("a",):
        stores.of(office).bind("chi", "telegram", CHATS["chi"], BEGUN)
    province = province_of(stores, clock)
    try:
        yield Place(province, clock)
    finally:
        province.worker.end()
        stores.close()


def message(text: str = "/done 4b", update: str = "1", **more: Any) -> Inbound:
    who = str(more.pop("who", CHI))
    given = {"sender": who, "chat": who, "private": True, "text": text, "message": f"m{update}"}
    return Inbound(channel="telegram", update=update, **{**given, **more})


async def test_two_bots_count_their_updates_alike() -> None:
    """Each message is taken, and once: the second bot's is another message."""
    async with place() as town:
        add_account(town.stores, "other")
        town.stores.link("b", "telegram", "other")
        town.stores.of("b").bind("chi", "telegram", CHATS["chi"], BEGUN)
        receiver = Receiver(town.province)
        taken = [await receiver.take(bot, message()) for bot in ("bot", "other", "bot", "other")]
        assert taken == [True, True, False, False]
        assert town.events("a") == town.events("b") == ["done 4b chi"]
        assert {key for key, jobs in (await town.province.engine.jobs()).items()} == {"send"}
        assert (await town.province.engine.jobs())["send"].waiting == 2


async def test_the_writers_office_has_the_message() -> None:
    """Of another office of the same bot nothing is changed."""
    async with place() as town:
        assert await Receiver(town.province).take("bot", message())
        assert (town.events("a"), town.events("b")) == (["done 4b chi"], [])


async def test_a_stranger_is_answered_once_an_hour_by_one_office() -> None:
    """As by a bot of one office, whoever of the bot's offices it is."""
    async with place() as town:
        receiver = Receiver(town.province)
        told = [await receiver.take("bot", message("xin chào", f"{n}", who="66")) for n in "123"]
        assert told == [True, False, False]
        assert (town.replies("a"), town.replies("b")) == ([Stranger()], [])


async def test_an_invitations_code_leads_to_its_office() -> None:
    """Of a stranger, and of somebody who is in another office; a wrong one binds nobody."""
    async with place() as town:
        receiver, code = Receiver(town.province), "x" * 22
        expires = town.clock.now() + timedelta(hours=1)
        for person, seed in (("an", "y"), ("chi", "x")):
            town.stores.of("b").invite(person, hash_code(seed * 22), expires, "telegram")
        assert await receiver.take("bot", message("/start " + "y" * 22, "1", who="77"))
        assert await receiver.take("bot", message(f"/start {code}", "2"))
        assert not await receiver.take("bot", message(f"/start {code}", "2"))
        assert await receiver.take("bot", message("/start " + "z" * 22, "3", who="78"))
        bound = {(one.recipient, one.value) for one in town.stores.of("b").addresses()}
        assert town.replies("b") == [Welcome(person="an"), Welcome(person="chi")]
    assert bound == {("an", "77"), ("chi", CHATS["chi"])}


async def test_a_typed_code_leads_to_its_office() -> None:
    """By each office's own secret; after five wrong ones a sender's are not looked at."""
    async with place() as town:
        add_account(town.stores, "zalo", "zalo")
        people = (("b", "an"), ("a", "lan"))
        for office, person in people:
            town.stores.link(office, "zalo", "zalo")
            put(town.stores.of(office), PEOPLE, ZALO_PEOPLE)
            secret = town.stores.of(office).meta(SECRET) or ""
            expires = town.clock.now() + timedelta(hours=1)
            hashed = hash_typed_code(secret, "zalo", f"ABCD234{office.upper()}")
            town.stores.of(office).invite(person, hashed, expires, "zalo")
        receiver = Receiver(town.province)

        async def says(who: str, text: str, update: str) -> bool:
            said = message(text, update, who=who)
            return await receiver.take("zalo", replace(said, channel="zalo"))

        assert await says("z1", "abcd 234b", "1")
        for n in range(6):
            await says("z2", "WXYZ2345", f"w{n}")
        await says("z2", "ABCD234A", "2")
        assert town.replies("b")[0].person == "an"
        assert not any(isinstance(said, Welcome) for said in town.replies("a"))


ZALO_PEOPLE = officer("an", mail=False) + officer("lan", mail=False)


async def test_who_serves_two_offices_is_answered_for_the_right_one() -> None:
    """By what is replied to, by whose button was pressed, by who spoke last."""
    async with place(many=True) as town:
        receiver = Receiver(town.province)
        (of_a, _), *_ = town.sends("a")
        town.clock.moment += timedelta(hours=13)
        (of_b, _), *_ = town.sends("b")
        assert await receiver.take("bot", message("/note 4b một", "1", reply_to=of_a))
        assert (town.events("a"), town.events("b")) == (["noted 4b chi"], [])
        assert len(town.sends("a")) == 1
        assert await receiver.take("bot", message("/note 4b hai", "2"))  # who spoke last
        assert await receiver.take("bot", message("/note 4b ba", "3", reply_to=of_b))
        assert await receiver.take("bot", message("", "4", press="x:1", message=of_b))
        assert town.events("a") == ["noted 4b chi"] * 2
        assert town.events("b") == ["noted 4b chi"]
        assert [type(said).__name__ for said in town.replies("b")] == ["Noted", "OldButton"]


@pytest.mark.parametrize("how", ["button", "number", "again"])
async def test_who_can_not_be_known_is_asked(how: str) -> None:
    """After the nudges of one morning; what is chosen takes the words, once."""
    async with place(many=True) as town:
        receiver = Receiver(town.province)
        town.sends("a")
        town.clock.moment += timedelta(minutes=1)
        town.sends("b")
        assert await receiver.take("bot", message("/done 4b", "1"))
        assert (town.events("a"), town.events("b")) == ([], [])
        [asked] = town.replies("a")
        names = (("a", "Phường a"), ("b", "Phường b"))
        assert asked == WhichOffice(offices=names, words="/done 4b", update="bot:1")
        assert not await receiver.take("bot", message("/done 4b", "1"))  # delivered again
        [(question, text)] = town.sends("a")
        assert "1. Phường a\n2. Phường b" in text
        if how == "again":  # who does not answer the question is asked once more
            assert await receiver.take("bot", message("/done 4c", "2"))
            assert (town.events("a"), town.events("b")) == ([], [])
            assert [said.words for said in town.replies("a")] == ["/done 4b", "/done 4c"]
            return
        said = {"press": "office:2", "text": "", "message": question} if how == "button" else {}
        given = {"text": "2", **said}
        for update in ("2", "3"):
            await receiver.take("bot", message(update=update, **given))
        assert (town.events("a"), town.events("b")) == ([], ["done 4b chi"])
        town.sends("b")
        assert await receiver.take("bot", message("/note 4b xong", "4"))  # who spoke last
        assert town.events("b") == ["done 4b chi", "noted 4b chi"]


async def test_a_retired_office_takes_nothing() -> None:
    """Its people are strangers to the bot, or of their other office."""
    async with place(many=True) as town:
        town.sends("b")
        town.stores.retire_office("b", BEGUN)
        assert await Receiver(town.province).take("bot", message())
        assert (town.events("a"), town.events("b")) == (["done 4b chi"], [])
        town.stores.retire_office("a", BEGUN)
        assert not await Receiver(town.province).take("bot", message(update="2"))


async def test_groups_belong_to_the_office_that_bound_them() -> None:
    """Also in another topic of the chat; a message of a member is for no other office."""
    async with place(many=True) as town:
        town.stores.of("b").bind("group:van-phong", "telegram", "-100/7", BEGUN)
        said = message("/done 4b", "1", chat="-100/9", private=False)
        assert await Receiver(town.province).take("bot", said)
        assert (town.events("a"), town.events("b")) == ([], ["done 4b chi"])


async def test_what_can_not_be_asked_goes_to_who_spoke_last() -> None:
    """An edited message, which acts on nothing."""
    async with place(many=True) as town:
        town.sends("a")
        town.clock.moment += timedelta(minutes=1)
        town.sends("b")
        assert await Receiver(town.province).take("bot", message(edited=True))
        assert (town.replies("a"), town.replies("b")) == ([], [EditedOrForwarded()])


async def test_a_faulty_plan_costs_its_office_alone() -> None:
    """Its message is counted, or delivered again where the provider keeps it; others go on."""
    async with place(many=False) as town:
        town.stores.of("b").bind("an", "telegram", "77", BEGUN)
        put(town.stores.of("b"), PEOPLE, "[[person")
        receiver = Receiver(town.province)
        with pytest.raises(Exception, match="people"):
            await receiver.take("bot", message(who="77"))
        with pytest.raises(Exception, match="people"):
            await receiver.not_taken("bot", message(who="77"), comes_again=True)
        assert town.stores.of("b").number(NOT_TAKEN) == 0
        await receiver.not_taken("bot", message(who="77"))
        assert town.stores.of("b").number(NOT_TAKEN) == 1
        assert await receiver.take("bot", message(update="2"))


@settings(max_examples=examples(20), deadline=None, suppress_health_check=list(HealthCheck))
@given(st.data())
async def test_each_message_is_taken_once_by_one_office(data: st.DataObject) -> None:
    """Whoever writes by whichever bot, however often it is delivered."""
    async with place() as town:
        add_account(town.stores, "other")
        for office, bot in (("c", "bot"), ("d", "other")):
            add_office(town.stores, office, account=bot)
        bound = data.draw(st.sets(st.sampled_from(["a", "b", "c", "d"])))
        for office in {"b", "c", "d"} & bound:
            town.stores.of(office).bind("chi", "telegram", CHATS["chi"], BEGUN)
        receiver, taken = Receiver(town.province), 0
        delivery = st.tuples(st.sampled_from(["bot", "other"]), st.sampled_from("123"))
        for bot, update in data.draw(st.lists(delivery, max_size=8)):
            taken += await receiver.take(bot, message("/note 4b x", update))
        offices = "abcd"
        recorded = sum(len(town.events(each)) for each in offices)
        asked = [said for each in offices for said in town.replies(each)]
        assert recorded + sum(isinstance(said, WhichOffice | Stranger) for said in asked) == taken
        assert len(asked) == taken
