"""Who is reached, and how: enrolment, leaving, blocking, and sixty people at one slot."""

from __future__ import annotations

from datetime import timedelta
from pathlib import Path

import pytest

from reminder.domain.outbox import RowState
from tests.e2e.town import AN, CHI, CUC, DUNG, LAN, PEOPLE, STRANGER, town
from tests.people import officers

pytestmark = [pytest.mark.asyncio, pytest.mark.usefixtures("timedelta_retry")]


async def test_codes_that_do_not_hold(tmp_path: Path) -> None:
    """Wrong, used by another, expired, replaced: each is said, and binds nobody."""
    async with town(tmp_path) as place:
        used = await place.invite("an")
        await place.says(AN, f"/start {used}")
        place.telegram.start(STRANGER)
        said = [await place.says(STRANGER, f"/start {used}")]
        said.append(await place.says(STRANGER, "/start khong-phai-ma-moi"))
        old = await place.invite("cuc", "1", timedelta(hours=72))
        await place.hour("27/01", "07:31")
        said.append(await place.says(STRANGER, f"/start {old}"))
        first = await place.invite("cuc", "2")
        second = await place.invite("cuc", "3")
        said.append(await place.says(STRANGER, f"/start {first}"))
        assert [len(texts) for texts in said] == [1, 1, 1, 1]
        words = [texts[0] for texts in said]
        assert len(set(words)) >= 3
        assert not any("Tư pháp" in text or "1c" in text for text in words)
        addresses = await place.wired.daemon.do(place.wired.store.addresses)
        assert [a.recipient for a in addresses if a.channel == "telegram"] == ["an"]
        (welcome,) = await place.says(CUC, f"/start {second}")
        assert welcome.startswith("Chào Cúc")
        (again,) = await place.says(CUC, f"/start {second}")
        assert again.startswith("Chào Cúc")


async def test_wrong_codes_are_rate_limited_and_a_good_one_still_holds(tmp_path: Path) -> None:
    """Twenty guesses get few answers; who is invited gets in all the same."""
    async with town(tmp_path) as place:
        place.telegram.start(STRANGER)
        for number in range(20):
            place.telegram.user_sends(STRANGER, f"/start guess-{number}")
        await place.quiet()
        assert 1 <= len(place.telegram.sent_to(STRANGER)) <= 6
        code = await place.invite("an")
        (welcome,) = await place.says(STRANGER, f"/start {code}")
        assert welcome.startswith("Chào An")


async def test_a_new_account_takes_the_old_ones_place(tmp_path: Path) -> None:
    """An on a new telephone: the old account is a stranger's from then on."""
    async with town(tmp_path) as place:
        await place.enrol("an")
        code = await place.invite("an", "2")
        assert (await place.says(99, f"/start {code}"))[0].startswith("Chào An")
        assert (await place.says(AN, "/done 1c"))[0].startswith("Xin lỗi")
        assert (await place.says(99, "/done 1c"))[0].startswith("✅ Đã ghi 1c")


async def test_who_left_the_file_loses_rights_and_nudges_at_once(tmp_path: Path) -> None:
    """The next message is a stranger's, the next nudge goes to the others only."""
    async with town(tmp_path) as place:
        await place.enrol("an", "cuc", "chi")
        block = officers("an")
        await place.edit_people(lambda text: text.replace(block, ""))
        before = len(place.telegram.sent_to(AN))
        await place.hour("24/01")
        assert len(place.telegram.sent_to(AN)) == before
        assert place.mails_to("an") == []
        assert "1c" in place.newest(CUC).text
        (answer,) = await place.says(AN, "/done 1c")
        assert answer.startswith("Xin lỗi")
        assert await place.events() == []
        await place.edit_people(lambda text: text + block)
        assert (await place.says(AN, "/done 1c"))[0].startswith("✅ Đã ghi 1c")


@pytest.mark.parametrize("back", [True, pytest.param(False, marks=pytest.mark.thorough)])
async def test_who_left_while_a_nudge_waited(tmp_path: Path, back: bool) -> None:
    """Telegram is away at 08:00, and An is taken off the list meanwhile: no nudge comes, unless An
    is back within the day; after it the row is dropped."""
    async with town(tmp_path) as place:
        await place.enrol("an", "chi")
        place.telegram.fail_next("sendMessage", 503)
        await place.hour("24/01")
        pending = await place.rows(RowState.PENDING)
        assert [row.draft.recipient for row in pending] == ["an"]
        whole = (tmp_path / "people.toml").read_text(encoding="utf-8")
        without = whole.split("[[person]]", 2)[2].join(["[[person]]", ""])
        await place.edit_people(lambda _: without)
        before = len(place.telegram.sent_to(AN))
        await place.hour("24/01", "08:20")
        assert len(place.telegram.sent_to(AN)) == before
        if back:
            await place.edit_people(lambda _: whole)
            await place.hour("24/01", "08:40")
            assert len(place.telegram.sent_to(AN)) == before + 1
            assert "1c" in place.newest(AN).text
            return
        assert [r.draft.recipient for r in await place.rows(RowState.PENDING)] == ["an"]
        await place.hour("25/01", "08:10")
        assert len(place.telegram.sent_to(AN)) == before
        assert [r.draft.recipient for r in await place.rows(RowState.DROPPED)] == ["an"]


async def test_without_telegram_the_mail_comes(tmp_path: Path) -> None:
    """Who never pressed Start is nudged by mail, with the words to type and no buttons."""
    async with town(tmp_path) as place:
        await place.hour("24/01")
        for person in ("an", "cuc", "binh"):
            (mail,) = place.mails_to(person)
            assert "1c" in mail
        assert place.telegram.sent == []


async def test_who_blocked_the_bot_gets_mail_and_the_office_hears(tmp_path: Path) -> None:
    """403: the mail comes in the same minute, the office hears by name and id, once."""
    async with town(tmp_path) as place:
        await place.enrol("an", "cuc", "chi")
        place.telegram.block(AN)
        before = len(place.telegram.sent_to(CHI))
        await place.hour("24/01")
        assert ["1c" in mail for mail in place.mails_to("an")] == [True]
        told = [m.text for m in place.telegram.sent_to(CHI)[before:] if "(an)" in m.text]
        assert len(told) == 1
        assert "An" in told[0]
        await place.hour("26/01")
        assert ["1c" in mail for mail in place.mails_to("an")] == [True, True]
        assert len([m for m in place.telegram.sent_to(CHI) if "(an)" in m.text]) == 1


async def test_who_unblocks_the_bot_is_reached_there_again(tmp_path: Path) -> None:
    """An writes again: the account works, so the next nudge goes to Telegram."""
    async with town(tmp_path) as place:
        await place.enrol("an", "chi")
        place.telegram.block(AN)
        await place.hour("24/01")
        place.telegram.unblock(AN)
        assert len(await place.says(AN, "/viec")) == 1
        await place.hour("26/01")
        assert "1c" in place.newest(AN).text
        assert ["1c" in mail for mail in place.mails_to("an")] == [True]


async def test_rights(tmp_path: Path) -> None:
    """The own unit and the office close; leaders and other units read and change nothing."""
    async with town(tmp_path) as place:
        await place.enrol("an", "chi", "dung", "lan")
        assert "Tư pháp" in (await place.says(DUNG, "/done 1c"))[0]
        assert len(await place.says(LAN, "/done 1c")) == 1
        assert await place.events() == []
        (read,) = await place.says(LAN, "/nhiemvu 1c")
        assert "1c" in read
        assert (await place.says(CHI, "/done 1c"))[0].startswith("✅ Đã ghi 1c")
        assert await place.events() == ["done 1c chi"]
        assert len(await place.says(AN, "/undo 1c")) == 1
        assert await place.events() == ["done 1c chi"]
        await place.says(CHI, "/molai 1c chưa ký")
        assert (await place.events())[1:] == ["reopened 1c chi"]


async def test_sixty_people_at_one_slot(tmp_path: Path) -> None:
    """On the real clock and its own spacing: all served, no 429, no second above thirty."""
    crowd = "".join(
        f'[[person]]\nid = "nguoi-{n}"\nname = "Người {n}"\nunit = "tu-phap"\n' for n in range(60)
    )
    async with town(tmp_path, people=PEOPLE + crowd, real_pace=True) as place:
        store = place.wired.store

        def bind() -> None:
            for n in range(60):
                store.bind(f"nguoi-{n}", "telegram", str(1000 + n), place.clock.now())

        await place.wired.daemon.do(bind)
        for n in range(60):
            place.telegram.start(1000 + n)
        await place.hour("31/01")
        assert [len(place.telegram.sent_to(1000 + n)) for n in range(60)] == [1] * 60
        assert "1c" in place.newest(1059).text
        times = sorted(time for time, _ in place.telegram.accepted)
        assert max(sum(t <= u < t + 1 for u in times) for t in times) <= 30
        assert place.telegram.too_many == 0
