"""Send e-mails over aiosmtplib, many a session, and as slowly as the server wants them."""

from __future__ import annotations

import asyncio
import logging
import ssl
from collections.abc import Awaitable, Callable
from dataclasses import dataclass, replace
from datetime import datetime
from functools import cached_property
from typing import Any

import aiosmtplib
from aiosmtplib import SMTPException, SMTPResponseException

from reminder.channels import Ours, always, begin
from reminder.channels.email import TRAITS
from reminder.channels.email.content import mail_bytes, with_document
from reminder.channels.email.errors import Server, Step, TooLargeError, send_error, wants_slower
from reminder.domain.outbox import Outbound, SendError
from reminder.domain.people import MAIL_ADDRESS
from reminder.domain.text import one_line
from reminder.domain.tokens import MailIdentity, Marks
from reminder.messages.compose import FOOTER_SLOT

log = logging.getLogger(__name__)

WITHOUT_FILES = "Thư này không kèm tệp, vì máy chủ thư không nhận thư lớn."
ON_THE_PAGE = "Xem đầy đủ ở trang theo dõi: {}/bang"
IDLE_SECONDS = 10.0  # that a session stays open for the next mail; RFC 5321 lets servers wait 300
# A server that takes no more now is asked again after a pause, then at twice the distance, and
# a little faster after each mail that it takes.
PAUSE_SECONDS = 30.0
LEAST_GAP, MOST_GAP, FASTER = 1.0, 60.0, 0.9


def _lighter(message: Outbound, place: str) -> list[Outbound]:
    """The mail, and for a server that takes no large ones: without files, without HTML.

    `place`: the address of the page, where all is to be seen; empty: there is none.
    """
    if not message.attachments:
        return [message, message]
    page = with_document(message).mail_html
    said = f"{WITHOUT_FILES} {ON_THE_PAGE.format(place)}" if place else WITHOUT_FILES
    bare = replace(
        message,
        text=f"{message.text}\n\n{said}",
        mail_html=page.replace(FOOTER_SLOT, f"{said}<br>{FOOTER_SLOT}"),
        attachments=(),
    )
    return [message, bare, bare]


@dataclass(frozen=True, kw_only=True, slots=True)
class MailServer(Server):
    """The SMTP server and whom its mails come from."""

    sender: str
    sender_name: str = "Nhắc việc"
    per_minute: int = 0  # mails; 0: as many as it takes


class MailChannel:
    """The e-mail channel. `now` only gives the Date header and the tokens' expiry.

    `identity`: of messages that don't have one of their own.
    """

    name = TRAITS.name

    def __init__(
        self, server: MailServer, identity: MailIdentity, now: Callable[[], datetime]
    ) -> None:
        self._server, self._identity, self._now = server, identity, now
        self._idle: list[tuple[aiosmtplib.SMTP, asyncio.TimerHandle]] = []  # the newest last
        self._endings: set[asyncio.Future[None]] = set()
        self._stopped = False
        self.ours: Ours = always
        self._gap = self._least_gap = 60 / server.per_minute if server.per_minute else 0.0
        self._next = 0.0  # when the next mail may begin, on the loop's clock

    def turn(self, address: str) -> Awaitable[object] | None:
        """Return None and count one mail if it may begin now, else the wait until it may."""
        del address
        now = asyncio.get_running_loop().time()
        if self._next > now:
            return asyncio.sleep(self._next - now)
        # The next mail makes up for a little late start, so that the loop's delays don't add up.
        self._next = max(self._next, now - self._gap / 10) + self._gap
        return None

    @property
    def gap(self) -> float:
        """The seconds between two mails."""
        return self._gap

    def limit(self, rate: int) -> None:
        """Send no more than `rate` mails a second."""
        self._least_gap = max(self._least_gap, 1 / rate)
        self._gap = max(self._gap, self._least_gap)

    def pace(self) -> object:
        """Return the gap, and the seconds until the next mail may begin."""
        return [self._gap, max(0.0, self._next - asyncio.get_running_loop().time())]

    def resume(self, pace: Any, passed: float) -> None:
        """Go on after another process, which told its pace `passed` seconds ago."""
        gap, wait = pace
        self._gap = max(self._least_gap, gap)
        self._next = max(self._next, asyncio.get_running_loop().time() + wait - passed)

    def halt(self) -> None:
        """Do nothing: no send waits for its turn."""

    async def stop(self) -> None:
        """End the open sessions."""
        self._stopped = True
        while self._idle:
            await _goodbye(self._resumed())
        await asyncio.gather(*self._endings)

    async def check(self) -> None:
        """Connect and log in; SendError says what fails."""
        client = await self._connected()
        await _goodbye(client)

    async def send(self, address: str, message: Outbound, key: str) -> str:
        """Send the mail; return its Message-ID, the same at every attempt at `key`."""
        if not MAIL_ADDRESS.fullmatch(address):
            reason = f"“{one_line(address, 80)}” không phải địa chỉ thư"
            raise SendError(reason, retry=False, address_dead=True)
        server, at = self._server, self._now()
        identity = message.identity or self._identity
        marks = identity.marks(key, server.sender, address, at)
        forms = _lighter(message, identity.page)
        for number, form in enumerate(forms, start=1):
            mail = mail_bytes(
                form,
                sender=server.sender,
                sender_name=server.sender_name,
                recipient=address,
                identity=marks.message_id,
                reply_to=marks.reply_to,
                at=at,
                html=number < len(forms),
                elsewhere=identity.elsewhere,
            )
            try:
                await self._hand_in(mail, address, marks)
            except TooLargeError as error:
                if number == len(forms):
                    raise
                log.warning("a mail to %s is sent lighter: %s", address, error.said or error.reason)
            except SendError as error:
                if wants_slower(error):
                    self._slow_down()
                raise
            else:
                break
        self._gap = max(self._least_gap, self._gap * FASTER if self._gap > LEAST_GAP else 0.0)
        return marks.message_id

    def _slow_down(self) -> None:
        """Pause, and double the gap between two mails."""
        self._gap = min(max(self._gap * 2, LEAST_GAP), MOST_GAP)
        self._next = asyncio.get_running_loop().time() + PAUSE_SECONDS
        log.warning("the mail server asks to wait: a mail each %.1f s from now on", self._gap)

    async def _hand_in(self, content: bytes, address: str, marks: Marks) -> None:
        """Send one mail over an open session, else over a new one (RFC 5321, 3.3).

        The session is kept for the next mail unless a command failed.
        """
        server, taken = self._server, False
        while not taken:
            reused = bool(self._idle)
            client = self._resumed() if reused else await self._connected()
            step = Step.SENDER
            try:
                await begin(self.ours)
                limit = client.esmtp_extensions.get("size", "")  # RFC 1870; empty or 0: any size
                if limit.isdigit() and 0 < int(limit) < len(content):
                    raise TooLargeError(f"{len(content)} of {limit} bytes")
                await client.mail(marks.bounces_to or server.sender)  # VERP
                step = Step.RECIPIENT
                await client.rcpt(address)
                step = Step.DATA
                await client.data(content)
                taken = True
            except (SMTPException, OSError) as error:
                if not (reused and _session_over(error, step)):
                    raise send_error(error, step, server) from None
                code = error.code if isinstance(error, SMTPResponseException) else "cut"
                log.info("the mail server ended a kept session (%s): trying a new one", code)
            finally:
                if taken and not self._stopped:
                    self._keep(client)
                else:
                    await _goodbye(client)

    def _resumed(self) -> aiosmtplib.SMTP:
        """Return the session that was used last."""
        client, ending = self._idle.pop()
        ending.cancel()
        return client

    def _keep(self, client: aiosmtplib.SMTP) -> None:
        """Keep the session for `IDLE_SECONDS`."""
        loop = asyncio.get_running_loop()
        self._idle.append((client, loop.call_later(IDLE_SECONDS, self._end_oldest)))

    def _end_oldest(self) -> None:
        client, _ = self._idle.pop(0)
        ending = asyncio.ensure_future(_goodbye(client))
        self._endings.add(ending)
        ending.add_done_callback(self._endings.discard)

    async def _connected(self) -> aiosmtplib.SMTP:
        """Return a client that is connected and logged in."""
        server = self._server
        client = aiosmtplib.SMTP(
            hostname=server.host,
            port=server.port,
            timeout=server.seconds,
            use_tls=server.security == "tls",
            start_tls=False,
        )
        step = Step.CONNECT
        try:
            context = self._tls_context if server.security != "none" else None
            await client.connect(tls_context=context)
            if server.security == "starttls":
                step = Step.TLS
                await client.starttls(tls_context=context)
            if server.username:
                step = Step.LOGIN
                await client.login(server.username, server.password)
        except (SMTPException, OSError) as error:
            client.close()
            raise send_error(error, step, server) from None
        return client

    @cached_property
    def _tls_context(self) -> ssl.SSLContext:
        return self._server.tls_context()


def _session_over(error: Exception, step: Step) -> bool:
    """Whether a session that was open ended, and nothing of the mail was taken."""
    if step is Step.SENDER:
        return True
    refused = isinstance(error, SMTPResponseException) and error.code != 421
    return step is Step.RECIPIENT and not refused


async def _goodbye(client: aiosmtplib.SMTP) -> None:
    """Send QUIT; the mail is accepted or refused already."""
    try:
        await client.quit(timeout=2.0)
    except (SMTPException, OSError):
        pass
    finally:
        client.close()
