"""The Telegram channel over HTTP, with the real client library, against a server with its rules."""

from __future__ import annotations

import pytest

from reminder.channels.telegram.send import TelegramChannel
from reminder.domain.outbox import Action, SendError
from tests.channels.telegram.line import BUTTON, GROUP, HELLO, PERSON, over, worded
from tests.fakes.telegram import FakeTelegram


def test_a_message_arrives_with_its_text_and_buttons() -> None:
    """HTML is shown, a button sends its data, no link is previewed, the id comes back."""

    async def test(server: FakeTelegram, channel: TelegramChannel) -> None:
        number = await channel.send(str(PERSON), HELLO, "row-1")
        (message,) = server.sent_to(PERSON)
        assert number == str(message.message_id)
        assert message.text == "1c Danh mục & quyết định"
        assert [[(b.text, b.data) for b in row] for row in message.buttons] == [[("✅ 1c", "d:1")]]
        assert '"is_disabled": true' in server.calls[-1].params["link_preview_options"]

    over(test)


def test_an_answer_stands_below_the_message_it_answers() -> None:
    """A reply; and where that message is gone, the same without."""

    async def test(server: FakeTelegram, channel: TelegramChannel) -> None:
        asked = server.user_sends(PERSON, "/done 1c")
        await channel.send(str(PERSON), worded(reply_to=str(asked)), "a")
        await channel.send(str(PERSON), worded(reply_to="99999"), "b")
        assert [message.reply_to for message in server.sent_to(PERSON)] == [asked, None]

    over(test)


def test_a_reply_that_telegram_refuses_is_sent_without() -> None:
    """Servers that do not know `allow_sending_without_reply` say so with a 400."""

    async def test(server: FakeTelegram, channel: TelegramChannel) -> None:
        server.fail_next(
            "sendMessage", 400, description="Bad Request: message to be replied not found"
        )
        await channel.send(str(PERSON), worded(reply_to="5"), "a")
        assert [message.text for message in server.sent_to(PERSON)] == ["x"]

    over(test)


def test_an_edit_replaces_the_text_and_its_repeats_are_harmless() -> None:
    """Edited; not modified; not to be found: each is well, and returns the same id."""

    async def test(server: FakeTelegram, channel: TelegramChannel) -> None:
        number = await channel.send(str(PERSON), HELLO, "a")
        done = worded(html="✅ xong", edit=number)
        assert [await channel.send(str(PERSON), done, key) for key in "bc"] == [number] * 2
        gone = worded(edit="4711")
        assert await channel.send(str(PERSON), gone, "d") == "4711"
        assert [(m.text, m.buttons) for m in server.sent_to(PERSON)] == [("✅ xong", ())]

    over(test)


def test_html_that_telegram_cannot_read_is_sent_as_plain_text() -> None:
    """A fault of ours in the markup must not keep the words from their reader."""

    async def test(server: FakeTelegram, channel: TelegramChannel) -> None:
        await channel.send(str(PERSON), worded(html="<foo>x", text="a < b"), "a")
        assert [message.text for message in server.sent_to(PERSON)] == ["a < b"]

    over(test)


def test_what_is_too_long_is_cut_and_a_button_too_long_is_left_out() -> None:
    """4,096 characters and 64 bytes, whoever made the message."""
    wide = Action(label="x", data="ệ" * 22, typed="x")
    long = "\n".join(f"<b>{n}</b> " + "ệ&amp;" * 40 for n in range(100))

    async def test(server: FakeTelegram, channel: TelegramChannel) -> None:
        message = worded(html=long, actions=((wide, BUTTON), (wide,)))
        await channel.send(str(PERSON), message, "a")
        (sent,) = server.sent_to(PERSON)
        assert 3500 < len(sent.text) <= 4096
        assert [[b.data for b in row] for row in sent.buttons] == [["d:1"]]

    over(test)


def test_sixty_people_at_one_slot_see_no_429() -> None:
    """Sends and edits, private and in a group, all counted by the server."""

    async def test(server: FakeTelegram, channel: TelegramChannel) -> None:
        for person in range(1000, 1060):
            server.start(person)
            number = await channel.send(str(person), HELLO, "a")
            await channel.send(str(person), worded(edit=number), "b")
        for _ in range(25):
            await channel.send(str(GROUP), HELLO, "a")
        assert server.too_many == 0
        assert len(server.accepted) == 145

    over(test)


def test_what_has_waited_for_its_turn_is_not_sent_by_who_has_lost_the_account() -> None:
    """It is not begun; where a part has arrived, what comes again is a repeat."""

    async def test(server: FakeTelegram, channel: TelegramChannel) -> None:
        asked = []

        async def ours() -> bool:
            asked.append(len(server.sent_to(PERSON)))
            return len(asked) == 2

        channel.ours = ours
        with pytest.raises(SendError) as lost:
            await channel.send(str(PERSON), HELLO, "a")
        file = ("a.txt", "text/plain", b"x")
        long = worded(html="x" * 1025, text="x" * 1025, attachments=(file,))
        with pytest.raises(SendError) as half:
            await channel.send(str(PERSON), long, "b")
        found = [(each.value.retry, each.value.begun, each.value.unknown) for each in (lost, half)]
        assert found == [(True, False, False), (True, True, True)]
        assert asked == [0, 0, 1]

    over(test)
