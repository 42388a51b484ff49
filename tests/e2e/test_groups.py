"""A unit's group: bound by the office, nudged in place of its officers, and what becomes of it."""

from __future__ import annotations

from pathlib import Path

import pytest

from reminder.domain.people import Address
from tests.e2e.town import (
    AN,
    CHI,
    CUC,
    DUNG,
    GROUP,
    STRANGER,
    SUPERGROUP,
    Town,
    data_of,
    labels,
    town,
)

pytestmark = [pytest.mark.asyncio, pytest.mark.usefixtures("timedelta_retry")]


async def bound(place: Town) -> None:
    """Everybody has enrolled, and the office has bound Tư pháp's group."""
    await place.enrol("an", "cuc", "chi", "dung")
    place.telegram.add_group(GROUP, "Tư pháp")
    (answer,) = await place.says(CHI, "/bind tu-phap", GROUP)
    assert "Tư pháp" in answer


def texts(place: Town, chat: int, after: int = 0) -> list[str]:
    return [m.text for m in place.telegram.sent_to(chat)[after:]]


async def test_only_the_office_binds_a_group(tmp_path: Path) -> None:
    """An officer is told so, a stranger hears nothing, another bot's command is not ours."""
    async with town(tmp_path, privacy_mode=False) as place:
        await place.enrol("an", "chi")
        place.telegram.add_group(GROUP)
        assert len(await place.says(AN, "/bind tu-phap", GROUP)) == 1
        assert await place.says(STRANGER, "/bind tu-phap", GROUP) == []
        # An administrator of the group also hears what is said to other bots.
        other = place.telegram._world.post(GROUP, "/bind@other_bot tu-phap", sender=CHI)
        place.telegram._updates.add("message", place.telegram._world.message_json(other))
        await place.quiet()
        assert len(texts(place, GROUP)) == 1
        (answer,) = await place.says(CHI, "/bind khong-co", GROUP)
        assert "tu-phap" in answer
        addresses = await place.wired.daemon.do(place.wired.store.addresses)
        assert [a.recipient for a in addresses if a.recipient.startswith("group:")] == []
        assert len(await place.says(CHI, "/bind@fake_bot tu-phap", GROUP)) == 1
        addresses = await place.wired.daemon.do(place.wired.store.addresses)
        assert [a.value for a in addresses if a.recipient == "group:tu-phap"] == [str(GROUP)]


async def test_the_group_takes_the_place_of_private_nudges_and_not_of_mail(tmp_path: Path) -> None:
    """The nudge goes to the group; Bình, who reads mail, still has his; An and Cúc hear nothing."""
    async with town(tmp_path) as place:
        await bound(place)
        before = {who: len(place.telegram.sent_to(who)) for who in (AN, CUC)}
        await place.hour("31/01")
        assert "1c" in place.newest(GROUP).text
        assert {who: len(place.telegram.sent_to(who)) for who in (AN, CUC)} == before
        assert len([mail for mail in place.mails_to("binh") if "1c" in mail]) == 1
        assert place.mails_to("an") == []


async def test_an_answer_in_the_group_in_each_form(tmp_path: Path) -> None:
    """By reply without a code, by a command with the bot's name, by button; as replies there."""
    async with town(tmp_path) as place:
        await bound(place)
        await place.hour("24/01")
        nudge = place.newest(GROUP, "1c")
        (answer,) = await place.says(AN, "xong rồi ạ", GROUP, reply_to=nudge.message_id)
        assert answer.startswith("✅ Đã ghi 1c")
        assert place.newest(GROUP).reply_to is not None
        assert await place.events() == ["done 1c an"]
        assert len(nudge.history) == 1  # the group's own nudge shows it, too

        (answer,) = await place.says(CUC, "/undo@fake_bot 1c", GROUP)
        assert (await place.events())[1:] == ["undone 1c cuc"]
        await place.says(CUC, "/done@fake_bot 1c", GROUP)
        assert (await place.events())[2:] == ["done 1c cuc"]
        await place.says(CUC, "/undo 1c", GROUP)
        assert "✅ 1c" in labels(nudge)
        await place.presses(AN, "✅ 1c", nudge)
        assert (await place.events())[4:] == ["done 1c an"]
        assert len(place.telegram.answers) == 1


async def test_chatter_strangers_and_other_units_in_the_group(tmp_path: Path) -> None:
    """Chatter and strangers are met with silence, whatever privacy mode; another unit is told."""
    async with town(tmp_path, privacy_mode=False) as place:
        await bound(place)
        await place.hour("24/01")
        nudge = place.newest(GROUP, "1c")
        for text in ("xong 1c", "/done 1c", "/viec", "/start"):
            assert await place.says(STRANGER, text, GROUP) == []
        assert await place.says(STRANGER, "xong", GROUP, reply_to=nudge.message_id) == []
        for text in ("Trưa nay ăn gì?", "sáng mai họp lúc 8 giờ nhé", "👍"):
            assert await place.says(AN, text, GROUP) == []
        assert await place.says(AN, "/done@other_bot 1c", GROUP) == []
        (answer,) = await place.says(DUNG, "/done 1c", GROUP)
        assert "Tư pháp" in answer
        data = data_of(nudge, "✅ 1c")
        place.telegram.user_presses(STRANGER, nudge.message_id, GROUP, data)
        before = len(place.telegram.sent_to(GROUP))
        await place.quiet()
        assert len(place.telegram.sent_to(GROUP)) == before
        assert len(place.telegram.answers) == 1
        assert await place.events() == []


async def test_a_group_that_became_a_supergroup(tmp_path: Path) -> None:
    """The nudge that met the old id comes to the new one, once; the next goes there at once."""
    async with town(tmp_path) as place:
        await bound(place)
        place.telegram.migrate(GROUP, SUPERGROUP)
        await place.quiet()
        await place.hour("24/01")
        assert ["1c" in text for text in texts(place, SUPERGROUP)] == [True]
        addresses = await place.wired.daemon.do(place.wired.store.addresses)
        assert [a.value for a in addresses if a.recipient == "group:tu-phap"] == [str(SUPERGROUP)]
        nudge = place.newest(SUPERGROUP, "1c")
        await place.says(AN, "xong", SUPERGROUP, reply_to=nudge.message_id)
        assert await place.events() == ["done 1c an"]
        refused = [c for c in place.telegram.calls if c.params.get("chat_id") == str(GROUP)]
        await place.hour("31/01")
        again = [c for c in place.telegram.calls if c.params.get("chat_id") == str(GROUP)]
        assert again == refused


async def test_an_answer_from_the_supergroup_before_any_nudge(tmp_path: Path) -> None:
    """Telegram's own word of the move is enough: what is answered there is understood."""
    async with town(tmp_path) as place:
        await bound(place)
        await place.hour("24/01")
        place.telegram.migrate(GROUP, SUPERGROUP)
        await place.quiet()
        await place.says(AN, "/done@fake_bot 1c", SUPERGROUP)
        assert await place.events() == ["done 1c an"]


async def test_a_bot_thrown_out_of_the_group(tmp_path: Path) -> None:
    """Its officers hear it one by one, the office hears why; the next morning goes to them."""
    async with town(tmp_path) as place:
        await bound(place)
        place.telegram.kick(GROUP)
        before = {who: len(place.telegram.sent_to(who)) for who in (AN, CUC, CHI)}
        await place.hour("24/01")
        for who in (AN, CUC):
            assert ["1c" in text for text in texts(place, who, before[who])] == [True]
        assert len([mail for mail in place.mails_to("binh") if "1c" in mail]) == 1
        office = [text for text in texts(place, CHI, before[CHI]) if "nhóm" in text.lower()]
        assert len(office) == 1
        assert "Tư pháp" in office[0]
        before = {who: len(place.telegram.sent_to(who)) for who in (AN, CUC)}
        await place.hour("26/01")
        for who in (AN, CUC):
            assert ["1c" in text for text in texts(place, who, before[who])] == [True]


async def test_one_group_of_two_units(tmp_path: Path) -> None:
    """Each unit's nudge comes to it, and a reply to either is understood."""
    async with town(tmp_path) as place:
        await bound(place)
        await place.says(CHI, "/bind van-hoa-xa-hoi", GROUP)
        await place.hour("31/01")
        nudges = [m for m in place.telegram.sent_to(GROUP) if "2c" in m.text]
        assert len(nudges) == 2
        other = next(m for m in nudges if "1c" not in m.text)
        (answer,) = await place.says(DUNG, "xong", GROUP, reply_to=other.message_id)
        assert answer.startswith("✅ Đã ghi 2c")
        assert await place.events() == ["done 2c dung"]


async def test_a_topic_of_a_group(tmp_path: Path) -> None:
    """Bound in a topic, nudges go there and not into the group; an answer there is understood."""
    async with town(tmp_path) as place:
        await place.enrol("an", "cuc", "chi")
        place.telegram.add_group(SUPERGROUP, "Phường")
        topic = place.telegram.add_topic(SUPERGROUP)
        (answer,) = await place.says(CHI, "/bind tu-phap", SUPERGROUP, topic=topic)
        assert "Tư pháp" in answer
        await place.hour("24/01")
        nudge = place.newest(SUPERGROUP, "1c")
        await place.presses(AN, "✅ 1c", nudge)
        await place.says(AN, "/undo 1c", SUPERGROUP, topic=topic)
        await place.says(AN, "xong ạ", SUPERGROUP, topic=topic, reply_to=nudge.message_id)
        assert await place.events() == ["done 1c an", "undone 1c an", "done 1c an"]
        assert [m.topic for m in place.telegram.sent_to(SUPERGROUP)] == [topic] * 5
        assert [address.value for address in await addresses_of(place, "group:tu-phap")] == [
            f"{SUPERGROUP}/{topic}"
        ]


async def test_a_closed_topic(tmp_path: Path) -> None:
    """As with a group that the bot was thrown out of: officers one by one, and the office hears."""
    async with town(tmp_path) as place:
        await place.enrol("an", "cuc", "chi")
        place.telegram.add_group(SUPERGROUP, "Phường")
        topic = place.telegram.add_topic(SUPERGROUP)
        await place.says(CHI, "/bind tu-phap", SUPERGROUP, topic=topic)
        place.telegram.close_topic(SUPERGROUP, topic)
        before = {who: len(place.telegram.sent_to(who)) for who in (AN, CUC, CHI)}
        await place.hour("24/01")
        for who in (AN, CUC):
            assert ["1c" in text for text in texts(place, who, before[who])] == [True]
        (told,) = [text for text in texts(place, CHI, before[CHI]) if "chủ đề" in text]
        assert "Tư pháp" in told
        assert [a.dead_reason for a in await addresses_of(place, "group:tu-phap")] == [
            "chủ đề trong nhóm đã đóng"
        ]


async def test_an_administrator_who_stays_anonymous(tmp_path: Path) -> None:
    """A command in the group's name is nobody's: one sentence says so, chatter is let be."""
    async with town(tmp_path, privacy_mode=False) as place:
        await place.enrol("an", "cuc", "chi", "dung")
        place.telegram.add_group(GROUP, "Tư pháp")
        (told,) = await place.says(CHI, "/bind tu-phap", GROUP, anonymous=True)
        assert told.startswith("Chưa ghi gì: tin này gửi ẩn danh")
        assert await addresses_of(place, "group:tu-phap") == []
        await place.says(CHI, "/bind tu-phap", GROUP)
        await place.hour("24/01", "09:00")
        assert await place.says(CHI, "Trưa nay ăn gì?", GROUP, anonymous=True) == []
        assert await place.says(CHI, "/done@other_bot 1c", GROUP, anonymous=True) == []
        assert await place.says(CHI, "/done 1c", GROUP, anonymous=True) == [told]
        assert await place.says(CHI, "/done 1c", GROUP, anonymous=True) == []  # once an hour
        assert await place.events() == []


async def test_an_anonymous_administrator_elsewhere(tmp_path: Path) -> None:
    """In a group that is no unit's, the program says nothing to commands that are not its own."""
    async with town(tmp_path, privacy_mode=False) as place:
        place.telegram.add_group(GROUP)
        for text in ("/done 1c", "/start", "/help"):
            assert await place.says(STRANGER, text, GROUP, anonymous=True) == []


async def test_a_reaction_is_no_edit(tmp_path: Path) -> None:
    """Telegram shows it as an edit that changes nothing: silence; a real edit is told as ever."""
    async with town(tmp_path) as place:
        await bound(place)
        await place.hour("24/01")
        nudge = place.newest(GROUP, "1c")
        said = place.telegram.user_sends(AN, "xong ạ", GROUP, reply_to=nudge.message_id)
        await place.quiet()
        before = len(texts(place, GROUP))
        place.telegram.reacts(GROUP, said)
        await place.quiet()
        assert texts(place, GROUP, before) == []
        (told,) = await place.says(AN, "chưa xong ạ", GROUP, edited=said)
        assert "tin đã sửa" in told
        before = len(texts(place, GROUP))
        place.telegram.reacts(GROUP, said)
        await place.quiet()
        assert texts(place, GROUP, before) == []
        await place.restart()
        said = place.telegram.user_sends(AN, "/done 1c", AN)
        await place.quiet()
        await place.restart()
        before = len(texts(place, AN))
        place.telegram.reacts(AN, said)
        await place.quiet()
        assert texts(place, AN, before) == []


async def addresses_of(place: Town, recipient: str) -> list[Address]:
    """Where the recipient is reached."""
    found = await place.wired.daemon.do(place.wired.store.addresses)
    return [address for address in found if address.recipient == recipient]
