"""A mail channel, and what it hands in at a server in the same process."""

from __future__ import annotations

import asyncio
import traceback
from dataclasses import replace
from datetime import UTC, datetime
from typing import Any

import pytest

from reminder.channels.email.send import MailChannel, MailServer
from reminder.domain.outbox import Outbound, SendError
from reminder.domain.tokens import MailIdentity
from tests.channels.email.mailserver import Post, serving
from tests.messages.office import answer

SENDER, PERSON = "nhac@phuong.example", "an@phuong.example"
AT = datetime(2024, 1, 26, 1, tzinfo=UTC)
HELLO = answer(["Chào anh/chị.", "Việc <1c> & 1đ"], subject="Nhắc việc Thứ Sáu 26/01: 1c")
IDENTITY = MailIdentity(secret=b"bi-mat")


def channel(port: int, identity: MailIdentity = IDENTITY, **more: Any) -> MailChannel:
    options: dict[str, Any] = {"security": "none", "sender": SENDER, "seconds": 3.0} | more
    identity = replace(identity, page=options.pop("page", ""))
    server = MailServer(host="127.0.0.1", port=port, **options)
    return MailChannel(server, identity, lambda: AT)


def sent(
    post: Post,
    message: Outbound = HELLO,
    *,
    identity: MailIdentity = IDENTITY,
    key: str = "row-1",
    server: dict[str, Any] | None = None,
    **options: Any,
) -> str:
    """The Message-ID of `message`, handed in at a server that behaves as `post` says."""

    async def main() -> str:
        async with serving(post, **(server or {})) as port:
            mail = channel(port, identity, **options)
            try:
                return await mail.send(PERSON, message, key)
            finally:
                await mail.stop()

    return asyncio.run(main())


def refusal(post: Post, **more: Any) -> SendError:
    """The error that sending raises; no traceback shows the password."""
    with pytest.raises(SendError) as caught:
        sent(post, **more)
    assert "mat-khau" not in "".join(traceback.format_exception(caught.value))
    return caught.value


def known(error: SendError) -> dict[str, object]:
    said = {
        name: getattr(error, name)
        for name in ("retry", "retry_after", "unknown", "address_dead", "channel_down")
    }
    return {name: value for name, value in said.items() if value or name == "retry"}
