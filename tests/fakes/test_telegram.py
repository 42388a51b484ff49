"""The fake Telegram keeps the real one's rules; driven by python-telegram-bot over HTTP."""

from __future__ import annotations

import asyncio
import json
from collections.abc import AsyncIterator, Awaitable
from contextlib import asynccontextmanager
from datetime import UTC, datetime
from typing import Any

import httpx
import pytest
from telegram import Bot, Chat, InlineKeyboardButton, InlineKeyboardMarkup, Update, User
from telegram import Message as Shown
from telegram.error import (
    BadRequest,
    ChatMigrated,
    Conflict,
    Forbidden,
    InvalidToken,
    NetworkError,
    RetryAfter,
    TelegramError,
    TimedOut,
)
from telegram.ext import ApplicationBuilder, ContextTypes, MessageHandler, filters
from telegram.request import HTTPXRequest

from tests.fakes.telegram import Answer, Button, Entity, FakeTelegram, File, Message
from tests.fakes.telegram.faults import FaultName
from tests.fakes.telegram.http import HttpServer, Request, Response
from tests.waiting import LONGEST

pytestmark = pytest.mark.asyncio
LAN, MINH, GROUP, SUPERGROUP = 7, 8, -50, -1000000000050
NOW = 1_706_580_000
DONE = InlineKeyboardMarkup([[InlineKeyboardButton("✅ 1c", callback_data="done:1c")]])
BUTTONS = ((Button("✅ 1c", "done:1c"),),)
NOT_MODIFIED = (
    "Bad Request: message is not modified: specified new message content and reply markup are "
    "exactly the same as a current content and reply markup of the message"
)
CONFLICT = (
    "Conflict: terminated by other getUpdates request; "
    "make sure that only one bot instance is running"
)


@pytest.fixture(autouse=True)
def _new_style_retry_after(monkeypatch: pytest.MonkeyPatch) -> None:
    """Without it PTB 22 warns whenever it makes a RetryAfter, and a warning is an error here."""
    monkeypatch.setenv("PTB_TIMEDELTA", "true")


class Clock:
    """A clock that only the test moves."""

    def __init__(self) -> None:
        self.at = 1000.0

    def __call__(self) -> float:
        return self.at


def bot_of(token: str, base_url: str) -> Bot:
    """The library's bot; certificates, which take it 60 ms to read, say nothing on a plain line."""
    plain = {"verify": False}
    return Bot(
        token,
        base_url=base_url,
        request=HTTPXRequest(connection_pool_size=64, httpx_kwargs=plain),
        get_updates_request=HTTPXRequest(httpx_kwargs=plain),
    )


def client_of() -> httpx.AsyncClient:
    return httpx.AsyncClient(verify=False)


@asynccontextmanager
async def talking(**options: Any) -> AsyncIterator[tuple[FakeTelegram, Bot]]:
    """A server where Lan has pressed Start and the bot is in one group, and a bot to try it."""
    server = FakeTelegram(now=lambda: NOW, **options)
    async with server, bot_of(server.token, server.base_url) as bot:
        server.start(LAN, first_name="Lan")
        server.add_group(GROUP, "Phường")
        yield server, bot


async def raw(server: FakeTelegram, method: str, **params: Any) -> tuple[int, dict[str, Any]]:
    """The answer as it stands on the wire: PTB rewrites the words of errors."""
    async with client_of() as client:
        answer = await client.post(f"{server.base_url}{server.token}/{method}", data=params)
    return answer.status_code, answer.json()


async def failure(call: Awaitable[object]) -> TelegramError:
    """The error that PTB makes of a refusal."""
    with pytest.raises(TelegramError) as caught:
        await call
    return caught.value


def error(code: int, words: str, **parameters: int) -> tuple[int, dict[str, Any]]:
    """The envelope of a refusal; the HTTP status is its error_code."""
    body: dict[str, Any] = {"ok": False, "error_code": code, "description": words}
    return code, body | ({"parameters": parameters} if parameters else {})


def message_of(update: Update) -> Shown:
    """The update's message, of whichever kind."""
    assert isinstance(update.effective_message, Shown)
    return update.effective_message


# Sending, editing, deleting.


async def test_a_message_is_kept_as_a_person_sees_it() -> None:
    """Tags become entities in UTF-16 units, blanks at the ends go, buttons and options stay."""
    async with talking() as (server, bot):
        shown = await bot.send_message(
            LAN,
            " 📌 <b>1c</b> Danh mục ",
            parse_mode="HTML",
            reply_markup=DONE,
            disable_notification=True,
            disable_web_page_preview=True,
        )
        bold = Entity("bold", 3, 2)
        expected = Message(LAN, 1, "📌 1c Danh mục", (bold,), BUTTONS, silent=True, preview=False)
        assert (server.sent, server.sent_to(MINH)) == ([expected], [])
        assert (shown.text, shown.parse_entities()) == (expected.text, {shown.entities[0]: "1c"})


async def test_replies_name_a_message_of_the_chat() -> None:
    """A reply shows what it answers; one that may go without its message goes without."""
    async with talking(enforce_limits=False) as (server, bot):
        asked = server.user_sends(LAN, "xong 1c")
        answer = await bot.send_message(LAN, "Đã ghi", reply_to_message_id=asked)
        await bot.send_message(
            LAN, "Vẫn gửi", reply_to_message_id=99, allow_sending_without_reply=True
        )
        assert answer.reply_to_message is not None
        assert answer.reply_to_message.text == "xong 1c"
        assert [message.reply_to for message in server.sent] == [asked, None]


async def test_an_edit_changes_the_message_in_place() -> None:
    """An edit keeps the id and the history, and takes the buttons away unless it repeats them."""
    async with talking(enforce_limits=False) as (server, bot):
        sent = await bot.send_message(LAN, "Hạn hôm nay", reply_markup=DONE)
        await bot.edit_message_text("Đã xong", LAN, sent.message_id, reply_markup=DONE)
        await bot.edit_message_text("Đã đóng", LAN, sent.message_id)
        await bot.edit_message_reply_markup(LAN, sent.message_id, reply_markup=DONE)
        history = ["Hạn hôm nay", "Đã xong"]
        assert server.sent == [Message(LAN, 1, "Đã đóng", buttons=BUTTONS, history=history)]


async def test_a_deleted_message_is_gone_for_the_person() -> None:
    """Deleting works once; afterwards the message can't be found."""
    async with talking() as (server, bot):
        await bot.send_message(LAN, "Nhầm")
        assert await bot.delete_message(LAN, 1)
        assert (server.sent_to(LAN), server.sent) == ([], [Message(LAN, 1, "Nhầm", deleted=True)])
        assert await raw(server, "deleteMessage", chat_id=LAN, message_id=1) == error(
            400, "Bad Request: message to delete not found"
        )


async def test_a_document_arrives_byte_for_byte() -> None:
    """A file comes as multipart, with its name, its bytes and a caption; nothing is no file."""
    async with talking() as (server, bot):
        content = b"a;b\r\n\r\n--x\x00\xff\r\n"
        shown = await bot.send_document(
            LAN, content, caption="<i>Báo cáo</i>", parse_mode="HTML", filename="báo cáo.csv"
        )
        file = File("báo cáo.csv", content, "text/csv")
        assert server.sent == [Message(LAN, 1, "Báo cáo", (Entity("italic", 0, 7),), document=file)]
        assert shown.document is not None
        assert (shown.document.file_name, shown.document.file_size) == ("báo cáo.csv", 14)
        no_file = error(400, "Bad Request: there is no document in the request")
        assert await raw(server, "sendDocument", chat_id=LAN) == no_file


@pytest.mark.parametrize(
    ("method", "params", "words"),
    [
        ("sendMessage", {"text": "a", "chat_id": ""}, "chat_id is empty"),
        ("sendMessage", {"text": "a", "chat_id": -51}, "chat not found"),
        ("sendMessage", {"text": "a", "chat_id": "@nobody"}, "chat not found"),
        ("sendMessage", {"text": ""}, "message text is empty"),
        ("sendMessage", {"text": "<b> </b>", "parse_mode": "HTML"}, "text must be non-empty"),
        ("sendMessage", {"text": "ệ" * 4097}, "message is too long"),
        ("sendMessage", {"text": "<b></b>" * 4682}, "text is too long"),
        ("sendMessage", {"text": "a", "parse_mode": "BBCode"}, "unsupported parse_mode"),
        (
            "sendMessage",
            {"text": "a", "reply_parameters": '{"message_id": 9}'},
            "message to be replied not found",
        ),
        ("sendMessage", {"text": "a", "reply_markup": "{"}, "can't parse reply keyboard markup"),
        ("sendDocument", {"document": "file-9"}, "wrong file identifier/HTTP URL specified"),
        ("editMessageText", {"text": "a", "message_id": 9}, "message to edit not found"),
        ("editMessageText", {"text": "a", "message_id": 2}, "message can't be edited"),
        ("editMessageText", {"text": "Chào", "message_id": 1}, NOT_MODIFIED[13:]),
        ("editMessageReplyMarkup", {"message_id": 1}, NOT_MODIFIED[13:]),
        ("sendChatAction", {"action": "sleep"}, "wrong parameter action in request"),
        ("setMyCommands", {"commands": '[{"command": "hoàn", "description": "x"}]'}, "BOT_COMMAND"),
        (
            "answerCallbackQuery",
            {"callback_query_id": "9"},
            "query is too old and response timeout expired or query ID is invalid",
        ),
    ],
)
async def test_a_wrong_request_is_refused_in_the_servers_words(
    method: str, params: dict[str, Any], words: str
) -> None:
    """A 400 says what is wrong and changes nothing; PTB makes it a BadRequest."""
    async with talking() as (server, bot):
        await bot.send_message(LAN, "Chào")
        server.user_sends(LAN, "Chào bot")
        code, body = await raw(server, method, **{"chat_id": LAN} | params)
        assert (code, body["ok"], body["error_code"]) == (400, False, 400)
        assert body["description"].startswith(f"Bad Request: {words}")
        assert (server.sent, len(server.accepted)) == ([Message(LAN, 1, "Chào")], 1)
        assert type(await failure(bot.send_message(-51, "a"))) is BadRequest


async def test_the_lengths_that_are_still_allowed() -> None:
    """4,096 code points after parsing go, and so do 32,768 bytes before it."""
    async with talking(enforce_limits=False) as (server, bot):
        await bot.send_message(LAN, "📌" * 4096)
        await bot.send_message(LAN, "<b></b>" * 4681 + "a", parse_mode="HTML")
        assert [message.text for message in server.sent] == ["📌" * 4096, "a"]


@pytest.mark.parametrize(("data", "taken"), [("ệ" * 21, True), ("ệ" * 22, False), ("", False)])
async def test_callback_data_is_counted_in_bytes(data: str, taken: bool) -> None:
    """callback_data has 1 to 64 bytes: 22 letters of three bytes are refused."""
    async with talking() as (server, _):
        keyboard = [[{"text": "Xong", "callback_data": data}]]
        markup = json.dumps({"inline_keyboard": keyboard})
        answer = await raw(server, "sendMessage", chat_id=LAN, text="a", reply_markup=markup)
        assert taken or answer == error(400, "Bad Request: BUTTON_DATA_INVALID")
        assert [message.buttons for message in server.sent] == [((Button("Xong", data),),)] * taken


@pytest.mark.parametrize(
    ("html", "text", "entities"),
    [
        ("a &lt;b&gt; &amp;amp; &#7879; &#x1ec7 &nbsp; R&D", "a <b> &amp; ệ ệ &nbsp; R&D", ()),
        ("<strong>a</strong><em>b</em>", "ab", (Entity("bold", 0, 1), Entity("italic", 1, 1))),
        ("<b>a<u>b</u></b>", "ab", (Entity("bold", 0, 2), Entity("underline", 1, 1))),
        ("<DEL>a</DEL>", "a", (Entity("strikethrough", 0, 1),)),
        ("📌<tg-spoiler>a</>", "📌a", (Entity("spoiler", 2, 1),)),
        ("<a href='https://x.vn'>a</a>", "a", (Entity("text_link", 0, 1, url="https://x.vn/"),)),
        (
            "<a href=nowhere>a</a><a>x.vn/y</a>",
            "ax.vn/y",
            (Entity("text_link", 1, 6, url="http://x.vn/y"),),
        ),
        (
            "<pre><code class='language-py'>a</code></pre>",
            "a",
            (Entity("pre", 0, 1, language="py"),),
        ),
        ("<code class='language-py'>a</code>", "a", (Entity("code", 0, 1),)),
        (
            "<blockquote>a</blockquote>\n<blockquote expandable>b</blockquote>",
            "a\nb",
            (Entity("blockquote", 0, 1), Entity("expandable_blockquote", 2, 1)),
        ),
        ("\n <i> a </i> ", "a", (Entity("italic", 0, 1),)),
    ],
)
async def test_html_becomes_text_and_entities(
    html: str, text: str, entities: tuple[Entity, ...]
) -> None:
    """The server knows these tags and four named references; all else is left as written."""
    async with talking() as (server, bot):
        await bot.send_message(LAN, html, parse_mode="HTML")
        assert server.sent == [Message(LAN, 1, text, entities)]


@pytest.mark.parametrize(
    ("html", "words"),
    [
        ("ệ <foo>", 'Unsupported start tag "foo" at byte offset 4'),
        ("a < b", 'Unsupported start tag "" at byte offset 2'),
        ("<b", "Unclosed start tag at byte offset 0"),
        ("<b>a", 'Can\'t find end tag corresponding to start tag "b"'),
        ("a</b>", "Unexpected end tag at byte offset 1"),
        ("<b>a</b", "Unclosed end tag at byte offset 4"),
        ("<b>a</i>", 'Unmatched end tag at byte offset 4, expected "</b>", found "</i>"'),
        ("<a href>a</a>", "Expected equal sign in declaration of an attribute of the tag"),
        ("<a =x>a</a>", 'Empty attribute name in the tag "a" at byte offset 0'),
        ("<a href=x/y>a</a>", "Unexpected end of name token at byte offset 8"),
        ('<a href="x>a</a>', "Unclosed start tag at byte offset 0"),
        ("<a href=", 'Unclosed start tag "a" at byte offset 0'),
    ],
)
async def test_broken_html_is_refused_with_its_place(html: str, words: str) -> None:
    """The place is counted in bytes of UTF-8, and nothing is sent."""
    async with talking() as (server, _):
        code, body = await raw(server, "sendMessage", chat_id=LAN, text=html, parse_mode="HTML")
        assert body["description"].startswith(f"Bad Request: can't parse entities: {words}")
        assert (code, server.sent) == (400, [])


# Who may be written to.


async def test_who_does_not_let_the_bot_write_is_a_403() -> None:
    """Before Start, after a block, without an account, out of a group: each has its words."""
    async with talking() as (server, bot):
        never = await raw(server, "sendMessage", chat_id=MINH, text="a")
        server.block(LAN)
        blocked = await raw(server, "sendMessage", chat_id=LAN, text="a")
        server.deactivate(LAN)
        deleted = await raw(server, "sendMessage", chat_id=LAN, text="a")
        server.kick(GROUP)
        kicked = await raw(server, "sendMessage", chat_id=GROUP, text="a")
        server.kick(SUPERGROUP)
        thrown_out = await raw(server, "sendMessage", chat_id=SUPERGROUP, text="a")
        assert [never, blocked, deleted, kicked, thrown_out] == [
            error(403, "Forbidden: bot can't initiate conversation with a user"),
            error(403, "Forbidden: bot was blocked by the user"),
            error(403, "Forbidden: user is deactivated"),
            error(403, "Forbidden: bot was kicked from the group chat"),
            error(403, "Forbidden: bot was kicked from the supergroup chat"),
        ]
        assert type(await failure(bot.send_message(MINH, "a"))) is Forbidden


async def test_a_block_is_told_and_can_be_lifted() -> None:
    """The bot hears of a block and of its end; then it may write again."""
    async with talking() as (server, bot):
        server.block(LAN)
        server.unblock(LAN)
        await bot.send_message(LAN, "Chào lại")
        changes = [update.my_chat_member for update in await bot.get_updates()]
        assert [c.new_chat_member.status for c in changes if c] == ["kicked", "member"]


async def test_a_message_in_private_means_start_was_pressed() -> None:
    """A person can't write to a bot before Start, so whoever wrote may be answered."""
    async with talking() as (server, bot):
        server.user_sends(MINH, "/start P4", username="minh", first_name="Minh")
        await bot.send_message(MINH, "Chào anh Minh")
        assert server.sent == [Message(MINH, 2, "Chào anh Minh")]
        chat = await bot.get_chat(MINH)
        assert (chat.type, chat.username, chat.first_name) == ("private", "minh", "Minh")


async def test_a_group_that_became_a_supergroup_names_its_new_id() -> None:
    """Writing to the old id is a 400 with migrate_to_chat_id; both chats get a service message."""
    async with talking(privacy_mode=False) as (server, bot):
        await bot.send_message(GROUP, "Trước")
        server.migrate(GROUP, SUPERGROUP)
        answer = await raw(server, "sendMessage", chat_id=GROUP, text="a")
        words = "Bad Request: group chat was upgraded to a supergroup chat"
        assert answer == error(400, words, migrate_to_chat_id=SUPERGROUP)
        moved = await failure(bot.send_message(GROUP, "a"))
        assert isinstance(moved, ChatMigrated)
        await bot.send_message(moved.new_chat_id, "Sau")
        assert server.sent == [Message(GROUP, 1, "Trước"), Message(SUPERGROUP, 2, "Sau")]
        told = [message_of(update) for update in await bot.get_updates()]
        assert [(m.chat.id, m.migrate_to_chat_id, m.migrate_from_chat_id) for m in told] == [
            (GROUP, SUPERGROUP, None),
            (SUPERGROUP, None, GROUP),
        ]


async def test_topics_of_a_group() -> None:
    """A message goes to an open topic; a plain one in it is shown as an answer to its beginning."""
    async with talking(privacy_mode=False) as (server, bot):
        server.add_group(SUPERGROUP, "Phường")
        topic = server.add_topic(SUPERGROUP)
        sent = await bot.send_message(SUPERGROUP, "a", message_thread_id=topic)
        assert (sent.message_thread_id, sent.is_topic_message) == (topic, True)
        server.user_sends(LAN, "b", SUPERGROUP, topic=topic)
        (update,) = await bot.get_updates()
        said = message_of(update)
        assert said.reply_to_message is not None
        assert said.reply_to_message.message_id == said.message_thread_id == topic
        elsewhere = {"chat_id": SUPERGROUP, "text": "c", "message_thread_id": 99}
        assert await raw(server, "sendMessage", **elsewhere) == error(
            400, "Bad Request: message thread not found"
        )
        server.close_topic(SUPERGROUP, topic)
        closed = {"chat_id": SUPERGROUP, "text": "c", "message_thread_id": topic}
        assert await raw(server, "sendMessage", **closed) == error(400, "Bad Request: TOPIC_CLOSED")


async def test_who_writes_in_the_name_of_the_group() -> None:
    """An anonymous administrator is shown as a bot, beside the chat in whose name it writes."""
    async with talking(privacy_mode=False) as (server, bot):
        server.user_sends(LAN, "a", GROUP, anonymous=True)
        (update,) = await bot.get_updates()
        said = message_of(update)
        assert said.from_user is not None
        assert (said.from_user.is_bot, said.from_user.username) == (True, "GroupAnonymousBot")
        assert said.sender_chat == said.chat


async def test_a_reaction_is_an_edit_of_the_same_text() -> None:
    """Of a message that was never edited, without the date of an edit."""
    async with talking(privacy_mode=False) as (server, bot):
        said = server.user_sends(LAN, "a", GROUP)
        server.reacts(GROUP, said)
        _, reaction = await bot.get_updates()
        assert reaction.edited_message is not None
        assert (reaction.edited_message.text, reaction.edited_message.edit_date) == ("a", None)


# Limits.


async def test_one_message_a_second_to_a_person() -> None:
    """950 ms after the last accepted one is late enough, 940 ms is not; edits count too."""
    clock = Clock()
    async with talking(clock=clock) as (server, bot):
        await bot.send_message(LAN, "1")
        clock.at += 0.94
        assert await raw(server, "sendMessage", chat_id=LAN, text="2") == error(
            429, "Too Many Requests: retry after 1", retry_after=1
        )
        assert type(await failure(bot.edit_message_text("1b", LAN, 1))) is RetryAfter
        clock.at += 0.01
        await bot.edit_message_text("1b", LAN, 1)
        assert (server.accepted, server.too_many) == ([(1000.0, LAN), (1000.95, LAN)], 2)
        assert server.sent == [Message(LAN, 1, "1b", history=["1"])]


async def test_twenty_messages_a_minute_to_a_group() -> None:
    """The 21st waits until the first is a minute old, and the answer says how long."""
    clock = Clock()
    async with talking(clock=clock) as (server, bot):
        for second in range(20):
            clock.at = 1000.0 + second
            await bot.send_message(GROUP, str(second))
        answer = await raw(server, "sendMessage", chat_id=GROUP, text="20")
        assert answer == error(429, "Too Many Requests: retry after 41", retry_after=41)
        clock.at = 1060.0
        await bot.send_message(GROUP, "20")
        assert (len(server.sent), server.too_many) == (21, 1)


async def test_thirty_messages_in_any_second() -> None:
    """The window slides: 30 across two calendar seconds are still 30 in one second."""
    clock = Clock()
    async with talking(clock=clock) as (server, bot):
        for user in range(100, 130):
            server.start(user)
            clock.at = 1000.6 if user < 115 else 1001.1
            await bot.send_message(user, "Chào")
        clock.at = 1001.5
        refused = await failure(bot.send_message(LAN, "Chào"))
        assert isinstance(refused, RetryAfter)
        clock.at = 1001.6
        await bot.send_message(LAN, "Chào")
        assert (len(server.accepted), server.too_many) == (31, 1)


async def test_a_429_carries_a_header() -> None:
    """Retry-After stands in the header too; without enforcement nothing is refused."""
    clock = Clock()
    async with talking(clock=clock) as (server, bot), client_of() as client:
        await bot.send_message(LAN, "1")
        url = f"{server.base_url}{server.token}/sendMessage"
        answer = await client.post(url, json={"chat_id": LAN, "text": "2"})
        assert (answer.status_code, answer.headers["Retry-After"]) == (429, "1")
    async with talking(clock=clock, enforce_limits=False) as (server, bot):
        for number in range(40):
            await bot.send_message(LAN, str(number))
        assert (len(server.sent), server.too_many) == (40, 0)


# Updates.


async def test_an_offset_confirms_everything_below_it() -> None:
    """Updates come again until a later offset confirms them; a negative one keeps the newest."""
    async with talking() as (server, bot):
        for text in ("1", "2", "3", "4"):
            server.user_sends(LAN, text)
        first = await bot.get_updates(limit=2)
        again = await bot.get_updates(offset=first[-1].update_id)
        assert [message_of(update).text for update in (*first, *again)] == list("12234")
        newest = await bot.get_updates(offset=-1)
        assert [message_of(update).text for update in newest] == ["4"]
        assert await bot.get_updates(offset=newest[0].update_id + 1) == ()
        assert server.pending == []


async def test_a_long_poll_ends_when_something_happens() -> None:
    """The poll waits, and a message wakes it."""
    async with talking() as (server, bot):
        poll = asyncio.create_task(bot.get_updates(timeout=40))
        await server.until(lambda: server.being_polled)
        server.user_sends(LAN, "xong 1c", first_name="Lan")
        (update,) = await poll
        lan = User(LAN, "Lan", is_bot=False)
        chat = Chat(LAN, "private", first_name="Lan")
        date = datetime.fromtimestamp(NOW, UTC)
        expected = Shown(1, date=date, chat=chat, from_user=lan, text="xong 1c")
        assert message_of(update).to_dict() == expected.to_dict()


async def test_a_long_poll_lasts_at_most_50_seconds() -> None:
    """A longer timeout is cut to 50 s, and then nothing is the answer."""
    clock = Clock()
    async with talking(clock=clock) as (server, bot):
        poll = asyncio.create_task(bot.get_updates(timeout=600))
        await server.until(lambda: server.being_polled)
        clock.at += 49.9
        with pytest.raises(TimeoutError, match="getUpdates"):
            await server.until(lambda: not server.being_polled, seconds=0.05)
        clock.at += 0.1
        assert await poll == ()


async def test_a_second_poll_ends_the_first_only_when_it_has_to_wait() -> None:
    """The older poll gets the 409; a newer one that asks without waiting disturbs nobody."""
    async with talking() as (server, bot):
        older = asyncio.create_task(raw(server, "getUpdates", timeout=40))
        await server.until(lambda: server.being_polled)
        assert await bot.get_updates(timeout=0) == ()
        assert not older.done()
        newer = asyncio.create_task(bot.get_updates(timeout=40))
        assert await older == error(409, CONFLICT)
        newest = asyncio.create_task(raw(server, "getUpdates", timeout=40))
        assert type(await failure(newer)) is Conflict
        server.user_sends(LAN, "a")
        code, body = await newest
        assert (code, [update["message"]["text"] for update in body["result"]]) == (200, ["a"])


async def test_allowed_updates_are_remembered_and_applied_at_creation() -> None:
    """The wish holds for later polls too, and a later wish brings nothing back."""
    async with talking() as (server, bot):
        await bot.get_updates(allowed_updates=["edited_message"])
        server.user_sends(LAN, "a")
        server.user_sends(LAN, "b", edited=True)
        kept = await bot.get_updates()
        assert [(u.message, message_of(u).text) for u in kept] == [(None, "b")]
        await bot.get_updates(offset=kept[0].update_id + 1, allowed_updates=[])
        server.user_sends(LAN, "c")
        assert [message_of(update).text for update in await bot.get_updates()] == ["c"]


async def test_a_press_is_lost_long_before_a_message() -> None:
    """A press waits at most 150 s in the queue, a message 24 h."""
    clock = Clock()
    async with talking(clock=clock) as (server, bot):
        await bot.send_message(LAN, "1c", reply_markup=DONE)
        server.user_presses(LAN, 1, LAN, "done:1c")
        server.user_sends(LAN, "xong 1c")
        clock.at += 149.9
        waiting = [len(server.pending)]
        for seconds in (0.1, 24 * 3600 - 150.1, 0.1):
            clock.at += seconds
            waiting.append(len(server.pending))
        assert waiting == [2, 1, 1, 0]


# People.


@pytest.mark.parametrize(
    ("text", "entities"),
    [
        ("/done 1c", [("bot_command", 0, 5)]),
        ("/Done@fake_bot 1c", [("bot_command", 0, 14)]),
        ("/hoàn 1c", []),
        ("xong /done", []),
        ("📌 @fake_bot xong 1c", [("mention", 3, 9)]),
    ],
)
async def test_a_client_marks_commands_and_mentions(text: str, entities: list[Any]) -> None:
    """A command at the start has ASCII letters only: `/hoàn` carries no entity."""
    async with talking() as (server, bot):
        server.user_sends(LAN, text)
        (update,) = await bot.get_updates()
        found = [(e.type, e.offset, e.length) for e in message_of(update).entities]
        assert (message_of(update).text, found) == (text, entities)


async def test_in_a_group_the_bot_hears_only_what_is_meant_for_it() -> None:
    """Privacy mode: commands, replies to the bot and mentions; without it, everything."""
    texts = ["chuyện riêng", "/done 1c", "/done@other_bot 1c", "@fake_bot xong 1c"]
    async with talking() as (server, bot):
        own = await bot.send_message(GROUP, "Nhắc 1c")
        for text in texts:
            server.user_sends(LAN, text, GROUP)
        server.user_sends(LAN, "xong", GROUP, reply_to=own.message_id)
        heard = [message_of(update).text for update in await bot.get_updates()]
        assert heard == ["/done 1c", "@fake_bot xong 1c", "xong"]
    async with talking(privacy_mode=False) as (server, bot):
        for text in texts:
            server.user_sends(LAN, text, GROUP)
        heard = [message_of(update).text for update in await bot.get_updates()]
        assert heard == ["chuyện riêng", "/done 1c", "@fake_bot xong 1c"]


async def test_an_edited_message_is_an_update_of_its_own() -> None:
    """The same message id comes again as edited_message; a forward names its origin."""
    async with talking() as (server, bot):
        first = server.user_sends(LAN, "/done 1c")
        server.user_sends(LAN, "cảm ơn")
        server.user_sends(LAN, "/done 1d", edited=first)
        server.user_sends(LAN, "/done 2a", forwarded=True)
        updates = await bot.get_updates()
        assert [(u.edited_message is not None, message_of(u).message_id) for u in updates] == [
            (False, 1),
            (False, 2),
            (True, 1),
            (False, 3),
        ]
        assert message_of(updates[2]).text == "/done 1d"
        assert [message_of(u).forward_origin is not None for u in updates] == [False] * 3 + [True]


async def test_a_press_carries_its_message_and_is_answered() -> None:
    """The query has the message as it looks now, also from an old keyboard; an answer is shown."""
    async with talking(enforce_limits=False) as (server, bot):
        await bot.send_message(LAN, "1c", reply_markup=DONE)
        await bot.edit_message_text("1c xong", LAN, 1)
        query_id = server.user_presses(LAN, 1, LAN, "done:1c")
        await bot.delete_message(LAN, 1)
        server.user_presses(LAN, 1, LAN, "done:1c")
        first, second = [u.callback_query for u in await bot.get_updates()]
        assert first is not None
        assert first.message is not None
        assert second is not None
        assert second.message is not None
        assert (first.data, first.from_user.id, first.message.is_accessible) == ("done:1c", 7, True)
        assert not second.message.is_accessible
        await first.answer("Đã ghi", show_alert=True)
        assert server.answers == [Answer(query_id, "Đã ghi", alert=True)]
        with pytest.raises(ValueError, match="never had a button"):
            server.user_presses(LAN, 1, LAN, "done:2a")


async def test_a_press_can_be_answered_too_late() -> None:
    """After 150 s the query is too old."""
    clock = Clock()
    async with talking(clock=clock) as (server, bot):
        await bot.send_message(LAN, "1c", reply_markup=DONE)
        query_id = server.user_presses(LAN, 1, LAN, "done:1c")
        clock.at += 150
        late = await failure(bot.answer_callback_query(query_id))
        assert (type(late), late.message[:16]) == (BadRequest, "Query is too old")


# The wire and its faults.


async def test_a_wrong_token_is_401_and_a_malformed_one_404() -> None:
    """PTB makes InvalidToken of both."""
    async with talking() as (server, _), client_of() as client:
        answers = [await client.get(f"{server.base_url}{t}/getMe") for t in ("1:other", "other")]
        assert [(answer.status_code, answer.json()) for answer in answers] == [
            error(401, "Unauthorized"),
            error(404, "Not Found"),
        ]
        stranger = bot_of("1:other", server.base_url)
        assert type(await failure(stranger.initialize())) is InvalidToken
        await stranger.shutdown()


async def test_an_unknown_method_is_404_and_names_ignore_case() -> None:
    """Only the project's methods exist here; `GETME` is `getMe`."""
    async with talking() as (server, bot):
        assert await raw(server, "sendPoll") == error(404, "Not Found: method not found")
        assert await raw(server, "GETME") == (200, {"ok": True, "result": bot.bot.to_dict()})
        assert [(call.method, call.outcome) for call in server.calls] == [
            ("getMe", 200),
            ("sendPoll", 404),
            ("GETME", 200),
        ]


async def test_parameters_come_in_four_ways() -> None:
    """Query, form, JSON and multipart say the same."""
    async with (
        talking(enforce_limits=False) as (server, _),
        client_of() as client,
    ):
        url = f"{server.base_url}{server.token}/sendMessage"
        said: dict[str, str | int] = {"chat_id": LAN, "text": "ệ & b"}
        await client.get(url, params=said)
        await client.post(url, data=said)
        await client.post(url, json=said)
        await client.post(url, files={"chat_id": (None, "7"), "text": (None, "ệ & b")})
        assert server.sent == [Message(LAN, number, "ệ & b") for number in (1, 2, 3, 4)]


@pytest.mark.parametrize(
    ("status", "kind", "taken"),
    [
        (500, NetworkError, False),
        (502, NetworkError, False),
        (403, Forbidden, False),
        ("timeout", TimedOut, False),
        ("timeout-after", TimedOut, True),
        ("reset-before", NetworkError, False),
        ("reset-after", NetworkError, True),
    ],
)
async def test_faults_happen_as_scripted(
    status: int | FaultName, kind: type[TelegramError], taken: bool
) -> None:
    """A fault happens as often as asked; after some of them the message is there all the same."""
    async with talking(enforce_limits=False) as (server, bot):
        server.fail_next("sendMessage", status, times=2)
        patience = 0.05 if kind is TimedOut else LONGEST
        errors = [await failure(bot.send_message(LAN, "a", read_timeout=patience)) for _ in "12"]
        assert [type(caught) for caught in errors] == [kind, kind]
        assert len(server.sent) == 2 * taken
        assert [call.outcome for call in server.calls] == [200, status, status]
        await bot.send_message(LAN, "b")
        assert server.sent[-1].text == "b"


async def test_a_scripted_429_says_how_long() -> None:
    """It looks like a real one and isn't counted as one; `*` is any method."""
    async with talking() as (server, bot):
        server.fail_next("*", 429, retry_after=7)
        answer = await raw(server, "sendMessage", chat_id=LAN, text="a")
        assert answer == error(429, "Too Many Requests: retry after 7", retry_after=7)
        server.fail_next("sendMessage", 400, description="Bad Request: chat not found")
        assert await raw(server, "sendMessage") == error(400, "Bad Request: chat not found")
        assert await bot.send_message(LAN, "a")
        assert server.too_many == 0


async def test_a_502_is_html() -> None:
    """The proxy in front of the server answers with a page, not with the envelope."""
    async with talking() as (server, _), client_of() as client:
        server.fail_next("getMe", 502)
        answer = await client.get(f"{server.base_url}{server.token}/getMe")
        assert (answer.status_code, answer.headers["Content-Type"]) == (502, "text/html")
        assert answer.text.startswith("<html>")


async def test_a_mistake_in_the_fake_fails_the_test() -> None:
    """What the fake can't read is no answer of Telegram's: it is raised at the end of the test."""

    async def provoke() -> tuple[int, dict[str, Any]]:
        async with talking() as (server, _):
            return await raw(server, "sendMessage", chat_id=LAN, text="a", reply_parameters=5)

    with pytest.raises(AttributeError):
        await provoke()


async def test_offline_refuses_connections_until_online() -> None:
    """A poll that waits is reset, nothing gets through, and what people wrote comes later."""
    async with talking() as (server, bot):
        poll = asyncio.create_task(bot.get_updates(timeout=40))
        await server.until(lambda: server.being_polled)
        server.go_offline()
        cut = await failure(poll)
        refused = await failure(bot.send_message(LAN, "a"))
        assert (type(cut), refused.message) == (
            NetworkError,
            "httpx.ConnectError: All connection attempts failed",
        )
        server.user_sends(LAN, "xong 1c")
        server.go_online()
        server.go_offline()
        server.go_online()
        assert [message_of(update).text for update in await bot.get_updates()] == ["xong 1c"]
        assert server.sent == []


async def test_the_small_methods_answer() -> None:
    """The menu is kept by scope, the webhook is empty, and dropping the queue drops it."""
    async with talking() as (server, bot):
        assert await bot.set_my_commands([("xong", "Báo xong"), ("help", "Trợ giúp")])
        assert server.commands == {"default": {"xong": "Báo xong", "help": "Trợ giúp"}}
        assert await bot.send_chat_action(LAN, "typing")
        server.user_sends(LAN, "a")
        info = await bot.get_webhook_info()
        assert (info.url, info.pending_update_count) == ("", 1)
        assert await bot.delete_webhook(drop_pending_updates=True)
        assert server.pending == []


async def test_a_whole_application_polls_and_answers() -> None:
    """PTB's own updater and handlers work against the server and leave nothing unconfirmed."""

    async def answer(update: Update, _: ContextTypes.DEFAULT_TYPE) -> None:
        await message_of(update).reply_text(f"Đã ghi: {message_of(update).text}")

    async with FakeTelegram() as server:
        builder = ApplicationBuilder().token(server.token).base_url(server.base_url)
        app = builder.build()
        app.add_handler(MessageHandler(filters.TEXT, answer))
        async with app:
            assert app.updater is not None
            await app.updater.start_polling(timeout=30)
            await app.start()
            server.user_sends(LAN, "xong 1c")
            await server.until(lambda: bool(server.sent))
            await app.updater.stop()
            await app.stop()
        assert server.sent == [Message(LAN, 2, "Đã ghi: xong 1c")]
        assert server.pending == []


async def test_a_webhook_takes_the_place_of_polls() -> None:
    """The server's own rules: which addresses and secrets it takes, and that a poll is refused."""
    seconds = iter(range(10**9))
    async with (
        FakeTelegram(clock=lambda: float(next(seconds))) as server,
        bot_of(server.token, server.base_url) as bot,
    ):
        refused = {
            "http://nhac.example.vn/tin": "an https url must be provided for webhook",
            "https://nhac.example.vn:8080/tin": "webhook can be set up only on ports 80, 88,",
            "https://127.0.0.1/tin": "ip address 127.0.0.1 is reserved",
            "tin": "Invalid webhook url specified",
        }
        for url, words in refused.items():
            assert words in (await failure(bot.set_webhook(url))).message
        wrong = bot.set_webhook("https://nhac.example.vn/tin", secret_token="có dấu")
        assert "unallowed characters" in (await failure(wrong)).message
        poll = asyncio.create_task(bot.get_updates(timeout=40))
        await server.until(lambda: server.being_polled)
        assert await bot.set_webhook("https://nhac.example.vn/tin", allowed_updates=["message"])
        assert "terminated by setwebhook" in (await failure(poll)).message.lower()
        assert "while webhook is active" in (await failure(bot.get_updates())).message
        info = await bot.get_webhook_info()
        assert (info.url, info.allowed_updates) == ("https://nhac.example.vn/tin", ("message",))
        assert await bot.delete_webhook()
        assert await bot.get_updates() == ()


async def test_a_delivery_is_made_again_until_it_is_taken() -> None:
    """In order within a chat, beside other chats; each with the secret."""
    got: list[tuple[str, int]] = []
    fails = [2]

    async def page(request: Request) -> Response:
        secret = request.headers["x-telegram-bot-api-secret-token"]
        message = json.loads(request.params["message"])
        if message["text"] == "một" and fails[0]:
            fails[0] -= 1
            return Response(503, b"")
        got.append((message["text"], message["chat"]["id"]))
        return Response(200 if secret == "bi-mat" else 403, b"")

    web = HttpServer(page)
    await web.open()
    async with FakeTelegram(local=True) as server, bot_of(server.token, server.base_url) as bot:
        server.user_sends(LAN, "một")
        await bot.set_webhook(f"http://127.0.0.1:{web.port}/tin", secret_token="bi-mat")
        server.user_sends(LAN, "hai")
        server.user_sends(LAN + 1, "ba")
        await server.until(lambda: server.pending == [])
        info = await bot.get_webhook_info()
    await web.close()
    assert sorted(server.webhook.answers) == [200, 200, 200, 503, 503]
    assert [text for text, chat in got if chat == LAN] == ["một", "hai"]
    assert ("ba", LAN + 1) in got
    assert info.last_error_message == "Wrong response from the webhook: 503 Service Unavailable"
