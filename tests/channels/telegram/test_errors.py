"""What Telegram refuses, and what the service then knows: no token in any of it."""

from __future__ import annotations

import asyncio
import logging
import traceback

import pytest

from reminder.channels.telegram.pacer import Pacer
from reminder.channels.telegram.receive import TelegramListener
from reminder.channels.telegram.send import TelegramChannel, make_bot
from reminder.domain.errors import ReminderError
from reminder.domain.outbox import SendError
from tests.channels.telegram.line import GROUP, HELLO, PERSON, TOKEN, Told, known, over, refusal
from tests.fakes.telegram import FakeTelegram
from tests.messages.ticking import Ticking


@pytest.mark.parametrize(
    ("status", "description", "meaning"),
    [
        (403, "Forbidden: bot was blocked by the user", {"retry": False, "address_dead": True}),
        (403, "Forbidden: user is deactivated", {"retry": False, "address_dead": True}),
        (403, "Forbidden: bot was kicked from the group chat",
         {"retry": False, "address_dead": True}),
        (400, "Bad Request: chat not found", {"retry": False, "address_dead": True}),
        (400, "Bad Request: message text is empty", {"retry": False}),
        (401, "Unauthorized", {"retry": True, "channel_down": True}),
        (404, "Not Found", {"retry": True, "channel_down": True}),
        (500, "Internal Server Error: restart", {"retry": True, "unknown": True}),
        (502, None, {"retry": True, "unknown": True}),
        (504, None, {"retry": True, "unknown": True}),
        (503, "Service Unavailable", {"retry": True}),
        ("timeout", None, {"retry": True, "unknown": True}),
        ("timeout-after", None, {"retry": True, "unknown": True}),
        ("reset-after", None, {"retry": True, "unknown": True}),
        ("reset-before", None, {"retry": True, "unknown": True}),
    ],
)  # fmt: skip
def test_what_a_refusal_means(
    status: object, description: str | None, meaning: dict[str, object]
) -> None:
    """Whose fault it was, whether to try again, and whether it may have arrived after all."""

    async def test(server: FakeTelegram, channel: TelegramChannel) -> None:
        server.fail_next("sendMessage", status, description=description)  # type: ignore[arg-type]
        assert known(await refusal(channel)) == meaning

    over(test, answer_seconds=0.2)


@pytest.mark.parametrize("name", ["http_proxy", "all_proxy"])
@pytest.mark.parametrize("proxy", ["http://127.0.0.1:9", "127.0.0.1:9"])
def test_a_proxy_of_the_environment_is_used(
    name: str, proxy: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """One that can't be reached: nothing has left, so what is sent later is no repeat."""
    monkeypatch.setenv(name, proxy)
    monkeypatch.setenv("no_proxy", "")

    async def main() -> SendError:
        async with FakeTelegram(TOKEN) as server:
            time = Ticking()
            channel = TelegramChannel(
                make_bot(TOKEN, server.base_url), Pacer(time.clock, time.skip)
            )
            error = await refusal(channel)
            await channel.stop()
            assert server.sent == []
            return error

    error = asyncio.run(main())
    assert (known(error), error.reason) == ({"retry": True}, "không kết nối được với Telegram")


def test_people_who_left_are_told_apart_by_the_servers_own_words() -> None:
    """Blocked, deleted, never started, unknown: dead; and the reason is in Vietnamese."""

    async def test(server: FakeTelegram, channel: TelegramChannel) -> None:
        for person in (21, 22):
            server.start(person)
        server.block(21)
        server.deactivate(22)
        server.user_sends(999, "chào", GROUP)
        server.kick(GROUP)
        reasons = [
            (await refusal(channel, address=address)).reason
            for address in ("21", "22", "999", "-999", str(GROUP), "khong-phai-so")
        ]
        assert reasons == [
            "người nhận đã chặn bot",
            "tài khoản Telegram của người nhận đã bị xóa",
            "người nhận chưa bấm Start với bot",
            "không tìm thấy cuộc trò chuyện này trên Telegram",
            "bot đã bị đưa ra khỏi nhóm",
            "“khong-phai-so” không phải số hiệu cuộc trò chuyện Telegram",
        ]

    over(test)


def test_a_topic_that_takes_nothing_is_a_dead_address() -> None:
    """Closed by an administrator, deleted, or never there: the reason is in Vietnamese."""

    async def test(server: FakeTelegram, channel: TelegramChannel) -> None:
        topic = server.add_topic(GROUP)
        assert await channel.send(f"{GROUP}/{topic}", HELLO, "a") != ""
        assert [m.topic for m in server.sent_to(GROUP)] == [topic]
        server.close_topic(GROUP, topic)
        errors = [
            await refusal(channel, address=f"{GROUP}/{number}") for number in (topic, 99, "x")
        ]
        assert [(error.reason, known(error)) for error in errors] == [
            (reason, {"retry": False, "address_dead": True})
            for reason in (
                "chủ đề trong nhóm đã đóng",
                "chủ đề trong nhóm đã bị xóa",
                f"“{GROUP}/x” không phải số hiệu cuộc trò chuyện Telegram",
            )
        ]

    over(test)


def test_a_moved_group_gives_its_new_id_and_takes_the_message_there() -> None:
    """The service saves the id and sends again."""

    async def test(server: FakeTelegram, channel: TelegramChannel) -> None:
        server.migrate(GROUP, -1001234567890)
        error = await refusal(channel, address=str(GROUP))
        assert known(error) == {"retry": True, "moved_to": "-1001234567890"}
        await channel.send(error.moved_to, HELLO, "a")
        assert len(server.sent_to(-1001234567890)) == 1

    over(test)


def test_retry_after_is_handed_on_and_obeyed() -> None:
    """The service knows when, and nothing goes to that chat before."""

    async def test(server: FakeTelegram, channel: TelegramChannel) -> None:
        server.fail_next("sendMessage", 429, retry_after=17)
        assert known(await refusal(channel)) == {"retry": True, "retry_after": 17.0}
        await channel.send(str(PERSON), HELLO, "row-1")
        ((at, _),) = server.accepted
        assert at >= 17.0

    over(test)


def test_no_line_means_nothing_was_sent() -> None:
    """A refused connection is tried again, and the outcome is known."""

    async def test(server: FakeTelegram, channel: TelegramChannel) -> None:
        server.go_offline()
        meaning = [known(await refusal(channel)) for _ in range(2)]
        assert meaning[-1] == {"retry": True}
        server.go_online()
        await channel.send(str(PERSON), HELLO, "row-1")
        assert len(server.sent_to(PERSON)) == 1

    over(test)


def test_a_wrong_token_is_named_by_its_setting_and_never_shown(
    caplog: pytest.LogCaptureFixture,
) -> None:
    """401 at the start: which setting, and the token in no log, at any level."""
    caplog.set_level(logging.DEBUG)
    wrong = "424242:AAF-another_token-that-is-not-right-at-all"

    async def main() -> ReminderError:
        async with FakeTelegram(TOKEN) as server:
            bot = make_bot(wrong, server.base_url)
            with pytest.raises(ReminderError) as caught:
                await TelegramListener(bot, Told()).begin()
            await bot.shutdown()
            return caught.value

    error = asyncio.run(main())
    assert str(error).startswith("[telegram] token: Telegram does not accept it; ")
    assert wrong not in "".join(traceback.format_exception(error)) + caplog.text


def test_no_network_at_the_start_is_said_without_the_token(
    caplog: pytest.LogCaptureFixture,
) -> None:
    """The address that can't be reached holds the token, the log does not."""
    caplog.set_level(logging.DEBUG)

    async def main() -> None:
        bot = make_bot(TOKEN, "http://127.0.0.1:1/bot")
        await TelegramListener(bot, Told()).begin()
        await bot.shutdown()

    asyncio.run(main())
    told = [r.getMessage() for r in caplog.records if r.levelno >= logging.WARNING]
    assert told == ["Telegram is unreachable (không kết nối được với Telegram); retrying"]
    assert TOKEN not in caplog.text
