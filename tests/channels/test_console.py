"""The terminal shows what would be sent."""

from __future__ import annotations

import asyncio
import io
from dataclasses import replace

from hypothesis import given
from hypothesis import strategies as st

from reminder.app.channels import known_channels
from reminder.channels import Channel
from reminder.channels.console import ConsoleChannel, styled
from reminder.channels.email.send import MailChannel, MailServer
from reminder.channels.telegram.pacer import Pacer
from reminder.channels.telegram.send import TelegramChannel, make_bot
from reminder.channels.zalo.client import ZaloClient
from reminder.channels.zalo.send import ZaloChannel
from reminder.domain.outbox import Action, Outbound
from reminder.domain.tokens import MailIdentity
from reminder.messages.compose import repeated
from tests.messages.office import at

MESSAGE = Outbound(
    subject="Nhắc việc",
    html="• <b>1c</b> Danh mục",
    text="• 1c Danh mục <x> [đỏ]\nXin nhắn: xong 1c",
    actions=((Action(label="✅ 1c", data="d", typed="xong 1c"),),),
)


def test_a_message_stands_in_a_frame_with_its_reader_and_hour() -> None:
    """Who, when, the words what one can type; numbered from one."""
    out = io.StringIO()
    console = ConsoleChannel(
        out, now=lambda: at("2024-01-26", "08:00"), label=lambda a: f"Tư pháp ({a})", width=50
    )
    numbers = [asyncio.run(console.send("an", m, "k")) for m in (MESSAGE, repeated(MESSAGE))]
    assert numbers == ["1", "2"]
    lines = [line.rstrip() for line in out.getvalue().splitlines()]
    assert lines[:4] == [
        "╭─ → Tư pháp (an) · 08:00 Thứ Sáu 26/01 ─────────╮",
        "│ • 1c Danh mục <x> [đỏ]                         │",
        "│ Xin nhắn: xong 1c                              │",
        "╰────────────────────────────────────────────────╯",
    ]
    assert "(có thể là tin gửi lại)" in lines[5]


@given(st.text(alphabet="ab<>&/[]\\ \n•", max_size=60))
def test_words_are_never_taken_for_markup(words: str) -> None:
    """Brackets, tags and entities in a title are shown as they are."""
    assert styled(f"• 1c {words}").plain == f"• 1c {words}"


def test_codes_and_typed_forms_stand_out() -> None:
    """Bold what is named, in colour what one can type."""
    spans = [(span.start, span.end, span.style) for span in styled(MESSAGE.text).spans]
    assert spans == [(2, 4, "bold"), (33, 40, "cyan")]


def test_all_channels_keep_the_services_contract() -> None:
    """Telegram, Zalo, mail and console are Channels; mypy holds them to it here."""
    server = MailServer(host="h", port=25, sender="nhac@x.vn")
    channels: list[Channel] = [
        TelegramChannel(make_bot("1:x"), Pacer(lambda: 0.0)),
        ZaloChannel(ZaloClient("1:x")),
        MailChannel(server, MailIdentity(secret=b"x"), lambda: at("2024-01-26")),
        ConsoleChannel(io.StringIO()),
    ]
    assert [channel.name for channel in channels] == [t.name for t in known_channels()]


def test_a_file_that_comes_along_is_named() -> None:
    """A terminal shows no file; whoever asked for one sees that there is one."""
    out = io.StringIO()
    message = replace(MESSAGE, attachments=(("dự thảo.docx", "application/x", b"PK"),))
    asyncio.run(ConsoleChannel(out, width=50).send("an", message, "k"))
    assert "📎 dự thảo.docx" in out.getvalue()
