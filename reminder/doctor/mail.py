"""Checks of mail: logs in to both servers, sends a probe, and finds it in the mailbox."""

from __future__ import annotations

import asyncio
import secrets
from collections.abc import AsyncIterator, Awaitable, Callable
from dataclasses import dataclass
from datetime import datetime, timedelta

from reminder.app.mail import imap_server, mail_server
from reminder.channels.email.authentication import UNNAMED, distrust, parsed
from reminder.channels.email.classify import Mail, read
from reminder.channels.email.mailbox import Mailbox, MailboxError
from reminder.channels.email.send import MailChannel, MailIdentity
from reminder.doctor.check import Check, Verdict, fault, ok
from reminder.domain import tokens
from reminder.domain.channels import Outbound, SendError
from reminder.domain.tokens import Purpose
from reminder.files.settings import Settings

LOOKS = 30  # for a probe, a second apart: a mail within one server takes less
SUBJECT = "Thư thử của máy nhắc việc"
_WORDS = "Thư này do lệnh reminder doctor gửi để thử hộp thư. Anh/chị không cần làm gì."
_PROBE = Outbound(subject=SUBJECT, html=_WORDS, text=_WORDS)


@dataclass(frozen=True, kw_only=True, slots=True)
class _Probe:
    """The result of a mail to ourselves."""

    mail: Mail | None = None  # as it came
    why: str = ""  # it was not accepted; empty without a mail: it was, and did not come
    moved: bool = False


@dataclass(frozen=True)
class MailCheck:
    """The check of mail; clock and sleep are arguments."""

    settings: Settings
    now: Callable[[], datetime]
    sleep: Callable[[float], Awaitable[object]] = asyncio.sleep
    looks: int = LOOKS

    async def findings(self) -> AsyncIterator[Check]:
        """Yield the results."""
        settings = self.settings
        if not settings.email.is_on:
            yield ok("email", "[email] chưa cài đặt: máy không gửi thư")
            return
        channel = self._channel()
        sends = await self._sends(channel)
        yield sends
        if not settings.inbox.is_on:
            yield ok(
                "inbox", "[inbox] chưa cài đặt: không ai đọc thư trả lời, thư gửi đi nói rõ như vậy"
            )
            return
        box = Mailbox(imap_server(settings))
        try:
            reads = await self._reads(box)
            yield reads
            if Verdict.FAULT not in (sends.verdict, reads.verdict):
                async for found in self._there_and_back(channel, box):
                    yield found
        finally:
            box.shut()

    def _channel(self) -> MailChannel:
        inbox = self.settings.inbox.address if self.settings.inbox.is_on else ""
        identity = MailIdentity(secret=secrets.token_bytes(16), inbox=inbox)
        return MailChannel(mail_server(self.settings), identity, self.now)

    async def _sends(self, channel: MailChannel) -> Check:
        section = self.settings.email
        try:
            await channel.check()
        except SendError as error:
            return fault("email", f"[email] {error.reason}")
        return ok("email", f"[email] đăng nhập được máy chủ thư đi {section.host}:{section.port}")

    async def _reads(self, box: Mailbox) -> Check:
        section = self.settings.inbox
        try:
            await asyncio.to_thread(box.open)
        except MailboxError as error:
            return fault("inbox", f"[inbox] {error}")
        return ok(
            "inbox", f"[inbox] mở được hộp thư {section.folder} ở {section.host}:{section.port}"
        )

    async def _there_and_back(self, channel: MailChannel, box: Mailbox) -> AsyncIterator[Check]:
        """A probe to a plus-address; where that does not come, one to the plain address."""
        address = self.settings.inbox.address
        secret, key = secrets.token_bytes(16), secrets.token_hex(8)
        expires = self.now().date() + timedelta(days=1)
        plus = tokens.plus_address(
            address, secret, Purpose.PROBE, tokens.message_key(secret, key), address, expires
        )
        try:
            probe = await self._probe(channel, box, plus)
            if probe.mail is None:
                plain = await self._probe(channel, box, address)
                yield _lost(address, probe.why, plain.why, arrives=plain.mail is not None)
                return
            yield ok("inbox", "[inbox] thư thử đã đến, hộp thư nhận địa chỉ cộng")
            yield self._proved(probe.mail)
            if not probe.moved:
                folder = self.settings.inbox.processed
                yield fault(
                    "inbox", f"[inbox] không tạo được, hoặc không chuyển thư được vào “{folder}”"
                )
        except MailboxError as error:
            yield fault("inbox", f"[inbox] {error}")

    async def _probe(self, channel: MailChannel, box: Mailbox, to: str) -> _Probe:
        since = (self.now() - timedelta(days=2)).date()
        before = max(await asyncio.to_thread(box.newer, 0, since), default=0)
        try:
            sent = await channel.send(to, _PROBE, secrets.token_hex(8))
        except SendError as error:
            return _Probe(why=error.reason)
        for _ in range(self.looks):
            for uid in await asyncio.to_thread(box.newer, before, since):
                content = await asyncio.to_thread(box.fetch, uid)
                before = max(before, uid)
                if content is not None and (mail := read(content)).identity == sent:
                    return _Probe(
                        mail=mail,
                        moved=await asyncio.to_thread(box.move_to_processed, uid),
                    )
            await self.sleep(1.0)
        return _Probe()

    def _proved(self, mail: Mail) -> Check:
        """Whether our server vouches for the sender of the probe."""
        section = self.settings.inbox
        if section.trust == "token":
            return ok(
                "inbox",
                '[inbox] trust = "token": ai có địa chỉ trả lời riêng của một người và mạo tên '
                "người ấy thì trả lời thay được; chỉ dùng khi máy chủ không ghi "
                "Authentication-Results",
            )
        names = [name for name, _ in map(parsed, mail.results) if name]
        if not names:
            return fault(
                "inbox",
                "[inbox] thư đến không có dòng Authentication-Results: mọi thư trả lời sẽ bị coi "
                "là mạo danh. Nhờ người quản trị máy chủ thư bật DKIM/SPF/DMARC cho thư đến, "
                'hoặc đặt trust = "token" (đọc kỹ rủi ro trong config/reminder.toml)',
            )
        if tokens.normal_address(section.authserv_id) not in names:
            written = "”, “".join(dict.fromkeys(names))
            found = f"thư đến ghi “{written}”: sửa authserv_id cho đúng tên mà máy chủ thư ghi"
            if names[0] == UNNAMED:
                found = (
                    "dòng Authentication-Results của thư đến không ghi tên máy chủ (Microsoft "
                    f'365 ghi như vậy): đặt authserv_id = "{UNNAMED}"'
                )
            return fault("inbox", f"[inbox] authserv_id là “{section.authserv_id}” nhưng {found}")
        doubt = distrust(mail.results, section.authserv_id, mail.author)
        if doubt:
            return fault(
                "inbox",
                f"[inbox] máy chủ thư không xác nhận được thư của chính {mail.author} "
                "(cần dmarc, dkim hoặc spf = pass): nhờ người quản trị xem lại DKIM và SPF",
            )
        return ok("inbox", "[inbox] máy chủ thư xác nhận người gửi (Authentication-Results)")


def _lost(address: str, why: str, why_plain: str, *, arrives: bool) -> Check:
    local, _, domain = address.partition("@")
    if arrives:
        said = f" ({why})" if why else ""
        return fault(
            "inbox",
            f"[inbox] hộp thư không nhận địa chỉ cộng như {local}+abc@{domain}{said}: nhờ người "
            "quản trị máy chủ thư bật (recipient delimiter “+”, subaddressing)",
        )
    if why_plain:
        return fault("email", f"[email] không gửi được thư thử đến {address}: {why_plain}")
    return fault(
        "inbox",
        f"[inbox] máy chủ nhận thư thử mà hộp thư không thấy thư đến: xem lại `address` "
        f"({address}) có đúng là địa chỉ của hộp thư này không, và thư mục thư rác",
    )
