"""Enrolment by short codes that are typed, on a channel that binds what it has delivered to."""

from __future__ import annotations

from datetime import datetime, timedelta

import pytest

from reminder.app.channels import known_channels, mail_secret
from reminder.domain.outbox import AddressSource, ChannelTraits, SendError
from reminder.domain.plan import Plan
from reminder.domain.schedule import Scheduler
from reminder.domain.tokens import (
    CODE_LENGTH,
    CODE_LETTERS,
    INVITATION_LIFETIME,
    hash_typed_code,
    is_typed_code,
    looks_like_code,
)
from reminder.services.office import Files, Office
from tests.services.world import World, at, person, world

CHAT = ChannelTraits(
    name="chat",
    title="Chat",
    addresses=AddressSource.INVITATION,
    replies=False,
    typed_codes=True,
    confirms=True,
)
PEOPLE = (person("an", "tu-phap", channels=("chat", "email")), person("chi", "van-phong"))
NOW = at("22/01", "09:00")
CODE = "AB7K9QWX"
STRANGER = "chat stranger:666 reply: Xin lỗi, tài khoản này chưa được đăng ký"


@pytest.fixture
def office(plan2024: Plan, scheduler: Scheduler) -> World:
    """The office, with An invited to the chat."""
    made = world(plan2024, scheduler, people=PEOPLE, bound=("chi",))
    files = Files(plans=(plan2024,), people=PEOPLE, scheduler=scheduler)
    made.service.office = Office(
        files=files, channels=("chat", "telegram", "email"), known=(*known_channels(), CHAT)
    )
    made.service.begin(at("22/01", "07:00"))
    invite(made)
    return made


def invite(office: World, code: str = CODE, expires_at: datetime | None = None) -> None:
    hashed = hash_typed_code(mail_secret(office.store).hex(), "chat", code)
    office.store.invite("an", hashed, expires_at or NOW + INVITATION_LIFETIME, "chat")


def says(office: World, text: str, now: datetime = NOW, chat: str = "666") -> list[str]:
    """What is sent in answer to somebody who writes in the chat."""
    sent = office.says(chat, text, now, channel="chat")
    return [line for line in sent if line.startswith("chat ")]


def bound(office: World) -> dict[str, str]:
    """Who is reached in the chat, and where."""
    return {a.recipient: a.value for a in office.store.addresses() if a.channel == "chat"}


@pytest.mark.parametrize(
    "text", [CODE, "ab7k9qwx", " AB7K 9QWX ", "ab7k-9qwx", f"/start {CODE}", "/START ab7k 9qwx"]
)
def test_a_code_is_taken_however_it_is_typed(office: World, text: str) -> None:
    """Alone or after /start, in any case, with blanks; the answer names the person."""
    (answer,) = says(office, text)
    assert answer.startswith("chat stranger:666 reply: Chào An.")
    assert bound(office) == {"an": "666"}
    assert says(office, "xong 1c", at("24/01", "09:00"))[0].startswith(
        "chat an reply: ✅ Đã ghi 1c"
    )


def test_a_code_binds_only_once_its_confirmation_was_accepted(office: World) -> None:
    """Until then it stays good, and nudges go by the next channel."""
    office.refuse = lambda sent: (
        SendError("422", retry=False, address_dead=True)
        if sent.row.draft.channel == "chat"
        else None
    )
    assert says(office, CODE) == []
    assert bound(office) == {}
    for day in ("22/01", "24/01"):
        sent = office.tick(at(day))
    assert [line.split(":")[0] for line in sent] == ["email an nudge"]
    office.refuse = lambda _: None
    (answer,) = says(office, CODE, at("24/01", "10:00"))
    assert answer.startswith("chat stranger:666 reply: Chào An.")
    assert bound(office) == {"an": "666"}


def test_a_code_works_once_and_tells_no_name_after(office: World) -> None:
    """Another chat hears that it was used, and so does the first; the binding stays."""
    says(office, CODE)
    for chat, text in (("777", CODE), ("777", f"/start {CODE}"), ("666", CODE)):
        (answer,) = says(office, text, NOW + timedelta(hours=1), chat)
        assert "Mã mời này đã được dùng." in answer
        assert "An" not in answer.split("reply: ")[1]
    assert bound(office) == {"an": "666"}


def test_a_code_expires_after_72_hours(office: World) -> None:
    """Without a name as well."""
    (answer,) = says(office, CODE, NOW + timedelta(hours=72))
    assert answer.endswith("Mã mời này đã hết hạn. Xin hỏi nơi đã gửi mã để nhận mã mới.")
    assert bound(office) == {}


def test_after_five_wrong_codes_none_is_tried_for_an_hour(office: World) -> None:
    """Not even the right one; another chat's is."""
    for number in range(5):
        (answer,) = says(office, f"AB7K9QW{number + 2}")
        assert "Mã mời này không đúng." in answer
    (answer,) = says(office, CODE, NOW + timedelta(minutes=59))
    assert answer.endswith("xin nhắn lại sau một giờ.")
    assert bound(office) == {}
    says(office, CODE, NOW + timedelta(minutes=59), chat="777")
    assert bound(office) == {"an": "777"}


def test_an_hour_later_it_is_tried_again(office: World) -> None:
    """The wrong ones are forgotten."""
    for number in range(5):
        says(office, f"AB7K9QW{number + 2}")
    says(office, CODE, NOW + timedelta(minutes=60))
    assert bound(office) == {"an": "666"}


def test_words_are_no_codes(office: World) -> None:
    """A stranger's words are answered once an hour, with what to do; an officer's as ever."""
    (answer,) = says(office, "em chào anh chị ạ")
    assert answer.startswith(STRANGER)
    assert answer.endswith("Có mã mời thì xin nhắn mã ấy vào đây.")
    assert says(office, "hello") == []
    says(office, CODE)
    (answer,) = says(office, "THANKYEY")
    assert "Mã mời" not in answer


def test_one_chat_speaks_for_one_person(office: World) -> None:
    """The newest code holds; the person before is reached there no more."""
    office.store.bind("chi", "chat", "666", NOW)
    says(office, CODE)
    assert bound(office) == {"an": "666"}


def test_an_invitation_to_another_channel_stays(office: World) -> None:
    """A new one ends only those to the same channel."""
    office.store.invite("an", "of-telegram", NOW + INVITATION_LIFETIME, "telegram")
    invite(office, "ZZZZ2222")
    assert office.store.invited("of-telegram", NOW) == "an"
    (answer,) = says(office, CODE)
    assert "hết hạn" in answer
    assert says(office, "ZZZZ2222")[0].startswith("chat stranger:666 reply: Chào An.")


def test_the_alphabet_has_no_letters_that_are_misread() -> None:
    """No 0 O, 1 I L; what has the form of a code may be one."""
    assert not set("0O1IL") & set(CODE_LETTERS)
    assert (len(set(CODE_LETTERS)), CODE_LENGTH) == (31, 8)
    assert is_typed_code("ab7k 9qwx")
    assert looks_like_code("AB7K9Q")
    assert not any(map(looks_like_code, ("xin chào", "em chao", "xong 1c rồi ạ", "")))
