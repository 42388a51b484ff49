"""Files by Telegram: as one message where the text fits below, else behind it."""

from __future__ import annotations

from reminder.channels.telegram.send import TelegramChannel
from tests.channels.telegram.line import BUTTON, PERSON, over, refusal, worded
from tests.fakes.telegram import FakeTelegram

FILE = ("Dự thảo báo cáo.docx", "application/octet-stream", b"PK\x03\x04\x00\xff" * 100)
SECOND = ("b.xlsx", "application/octet-stream", b"PK")


def test_a_file_carries_its_text_as_one_message() -> None:
    """Both arrive or neither: caption, buttons, answered message, the file as it was."""

    async def test(server: FakeTelegram, channel: TelegramChannel) -> None:
        asked = server.user_sends(PERSON, "/baocao")
        message = worded(
            html="<b>Quý I</b> &amp; nữa", text="Quý I & nữa",
            attachments=(FILE,), actions=((BUTTON,),), reply_to=str(asked),
        )  # fmt: skip
        number = await channel.send(str(PERSON), message, "a")
        (sent,) = server.sent_to(PERSON)
        assert str(sent.message_id) == number
        assert (sent.text, sent.reply_to, len(sent.buttons)) == ("Quý I & nữa", asked, 1)
        assert sent.document is not None
        assert (sent.document.name, sent.document.content) == (FILE[0], FILE[2])

    over(test)


def test_a_text_too_long_for_a_caption_goes_first() -> None:
    """1,024 signs in UTF-16; then each file, as an answer to it. The id is the text's."""

    async def test(server: FakeTelegram, channel: TelegramChannel) -> None:
        long = "ệ😀" * 342  # 1,026
        message = worded(html=long, text=long, attachments=(FILE, SECOND))
        number = await channel.send(str(PERSON), message, "a")
        text, first, second = server.sent_to(PERSON)
        assert (text.text, text.document, str(text.message_id)) == (long, None, number)
        found = [m.document.name for m in (first, second) if m.document]
        assert found == [FILE[0], SECOND[0]]
        assert [(m.text, m.reply_to) for m in (first, second)] == [("", text.message_id)] * 2

    over(test)


def test_a_text_that_just_fits_is_a_caption() -> None:
    """1,024 signs, marks not counted."""

    async def test(server: FakeTelegram, channel: TelegramChannel) -> None:
        message = worded(html=f"<b>{'x' * 1024}</b>", text="x" * 1024, attachments=(FILE, SECOND))
        await channel.send(str(PERSON), message, "a")
        assert [len(m.text) for m in server.sent_to(PERSON)] == [1024, 0]

    over(test)


def test_a_caption_that_telegram_cannot_read_is_sent_plain() -> None:
    """As with a message: our fault in the markup keeps nothing from its reader."""

    async def test(server: FakeTelegram, channel: TelegramChannel) -> None:
        message = worded(html="<foo>x", text="a < b", attachments=(FILE,))
        await channel.send(str(PERSON), message, "a")
        (sent,) = server.sent_to(PERSON)
        assert (sent.text, sent.document is not None) == ("a < b", True)

    over(test)


def test_what_breaks_off_between_text_and_file_is_sent_again_whole() -> None:
    """The error says to try again; the next attempt sends text and file: at least once."""

    async def test(server: FakeTelegram, channel: TelegramChannel) -> None:
        long = "x" * 2000
        message = worded(html=long, text=long, attachments=(FILE,))
        server.fail_next("sendDocument", 500)
        assert (await refusal(channel, message)).retry
        await channel.send(str(PERSON), message, "a")
        shown = [(m.text, m.document is not None) for m in server.sent_to(PERSON)]
        assert shown == [(long, False), (long, False), ("", True)]

    over(test)
