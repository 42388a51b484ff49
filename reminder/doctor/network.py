"""Checks over the network: Telegram, Zalo, clock, monitor, the daemon's page, mail both ways."""

from __future__ import annotations

import asyncio
import secrets
from collections.abc import AsyncIterator, Awaitable, Callable, Iterator
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from email.utils import parsedate_to_datetime
from typing import Any
from urllib.parse import urlsplit

import httpx

from reminder.app.channels import imap_server, mail_server
from reminder.channels.email.authentication import (
    UNNAMED,
    Person,
    distrust,
    own_results,
    parsed,
    person,
)
from reminder.channels.email.classify import Mail
from reminder.channels.email.mailbox import Mailbox, MailboxError
from reminder.channels.email.reader import (
    BrokenMailError,
    DeadlyMailError,
    MailReader,
    MailReaderError,
)
from reminder.channels.email.send import MailChannel
from reminder.channels.zalo import TRAITS
from reminder.channels.zalo.client import NOT_FOUND, UNAUTHORIZED, ZaloError, read
from reminder.doctor import Check, Verdict, fault, ok, warn
from reminder.domain import tokens
from reminder.domain.outbox import Outbound, SendError
from reminder.domain.text import one_line
from reminder.domain.tokens import MailIdentity, Purpose
from reminder.files.settings import Settings, TelegramSection, ZaloSection

TIMEOUT = 10.0  # seconds
ASKEW = timedelta(seconds=60)
WRONG = timedelta(minutes=5)  # nudges come at a wrong hour
_REFUSED = (401, 404)  # what Telegram says of a token it does not know


def checks(settings: Settings, now: datetime) -> Iterator[Check]:
    """Yield the results over the network; nothing is sent to people."""
    dates: list[tuple[str, str]] = []  # the Date of an answer, and whose it is
    with httpx.Client(timeout=TIMEOUT) as client:
        if settings.telegram.is_on:
            token = settings.telegram.token.value
            check, date = telegram(settings.telegram.base_url, token, client)
            dates.append((date, "Telegram"))
            yield check
            if check.verdict is Verdict.OK:
                yield from telegram_webhook(settings.telegram, client)
        if settings.zalo.is_on:
            yield from zalo(settings.zalo, client)
        if url := settings.watch.heartbeat_url.value:
            check, date = heartbeat(url, client)
            dates.append((date, "nơi nhận nhịp tim"))
            yield check
        if dates:
            date, source = next((found for found in dates if found[0]), dates[0])
            yield clock(date, now, source)
        if settings.watch.place is not None:
            yield page(*settings.watch.place, client)


def telegram(base_url: str, token: str, client: httpx.Client) -> tuple[Check, str]:
    """Return whether Telegram accepts the token, which is not shown, and its answer's Date."""
    host = urlsplit(base_url).hostname
    try:
        answer = client.post(f"{base_url}{token}/getMe")
    except (httpx.HTTPError, httpx.InvalidURL, UnicodeError) as error:
        words = f"Không tới được Telegram ({host}): {_why(error)}."
        return fault("token", words, "xem mạng, tường lửa; tin đi bằng kênh khác nếu có"), ""
    date = answer.headers.get("Date", "")
    if answer.status_code in _REFUSED:
        words = "Telegram không nhận mã bot."
        remedy = "lấy lại mã từ @BotFather, ghi vào [telegram] token rồi khởi động lại"
        return fault("token", words, remedy), date
    name = _name(answer)
    if not name:
        words = f"Telegram ({host}) trả lời lạ: HTTP {answer.status_code}."
        return fault("token", words, "thử lại sau; xem [telegram] base_url"), date
    return ok("token", f"Telegram nhận mã bot: @{name}."), date


def telegram_webhook(section: TelegramSection, client: httpx.Client) -> Iterator[Check]:
    """Whether what people write comes to this program; nothing where it polls, and may."""
    try:
        answer = client.post(f"{section.base_url}{section.token.value}/getWebhookInfo")
        info = answer.json()["result"]
        url, waiting = str(info["url"]), int(info.get("pending_update_count", 0))
        said = one_line(str(info.get("last_error_message", "")), 100)
    except (httpx.HTTPError, httpx.InvalidURL, ValueError, KeyError, TypeError):
        yield warn("webhook", "Không hỏi được Telegram về webhook.", "thử lại sau")
        return
    if url != section.webhook_url:
        if section.webhook_url:
            words = "Webhook trong [telegram] webhook_url chưa được đặt ở Telegram."
            yield warn("webhook", words, "máy đặt khi chạy: reminder run, rồi xem lại")
            return
        words = f"Bot Telegram đang đặt webhook ({one_line(url, 100)}), máy thì tự hỏi tin."
        remedy = "máy xóa webhook khi chạy; chương trình khác còn cần thì lấy cho nó một bot riêng"
        yield warn("webhook", words, remedy)
    elif waiting and said:
        words = f"Telegram còn {waiting} tin chưa chuyển được tới máy ({said})."
        remedy = "xem [telegram] webhook_url có mở được từ Internet bằng https không"
        yield warn("webhook", words, remedy)
    elif url:
        yield ok("webhook", "Tin đến: trang theo dõi nhận tin Telegram chuyển tới.")


def zalo(section: ZaloSection, client: httpx.Client) -> Iterator[Check]:
    """Whether Zalo accepts the token, and whether its messages come to this program."""
    host = urlsplit(section.base_url).hostname
    found: dict[str, Any] = {}
    for method in ("getMe", "getWebhookInfo"):
        try:
            answer = client.post(f"{section.base_url}{section.token.value}/{method}")
            found[method] = read(answer.status_code, answer.content)
        except (httpx.HTTPError, httpx.InvalidURL, UnicodeError) as error:
            words = f"Không tới được Zalo ({host}): {_why(error)}."
            yield fault("zalo", words, "xem mạng, tường lửa; tin đi bằng kênh khác nếu có")
            return
        except ZaloError as error:
            if error.code == UNAUTHORIZED:
                yield fault("zalo", "Zalo không nhận mã bot.", TRAITS.remedy)
                return
            if method == "getMe" or error.code != NOT_FOUND:
                words = f"Zalo ({host}) trả lời lạ khi hỏi {method}: {error.code}."
                yield fault("zalo", words, "thử lại sau; xem [zalo] base_url")
                return
    me, webhook = found["getMe"], found.get("getWebhookInfo")
    account = me.get("account_name", "") if isinstance(me, dict) else ""
    yield ok("zalo", f"Zalo nhận mã bot: {one_line(str(account), 60)}.")
    yield _webhook(section, webhook.get("url") or "" if isinstance(webhook, dict) else "")


def _webhook(section: ZaloSection, url: str) -> Check:
    """Whether the webhook that is set, if any, is the one of the settings."""
    if url == section.webhook_url:
        where = "trang theo dõi nhận tin Zalo chuyển tới" if url else "máy tự hỏi tin của Zalo"
        return ok("zalo-webhook", f"Tin đến: {where}.")
    if not section.webhook_url:
        words = (
            f"Bot Zalo đang đặt webhook nơi khác ({one_line(url, 100)}): máy không nhận được tin."
        )
        remedy = (
            "gọi deleteWebhook của bot (docs/operations.md), hoặc ghi [zalo] webhook_url; máy "
            "không tự xóa webhook của người khác"
        )
        return fault("zalo-webhook", words, remedy)
    words = "Webhook trong [zalo] webhook_url chưa được đặt ở Zalo."
    return warn("zalo-webhook", words, "máy đặt khi chạy: reminder run, rồi xem lại")


def _why(error: Exception) -> str:
    """Return why there was no answer, in words."""
    match error:
        case httpx.TimeoutException():
            return f"quá {TIMEOUT:.0f} giây không trả lời"
        case httpx.ConnectError():
            return "không kết nối được"
        case httpx.TransportError():
            return "mất kết nối giữa chừng"
        case _:
            return "địa chỉ viết sai"


def _name(answer: httpx.Response) -> str:
    try:
        return str(answer.json()["result"]["username"]) if answer.is_success else ""
    except (ValueError, KeyError, TypeError):
        return ""


def clock(date: str, now: datetime, source: str) -> Check:
    """Compare this machine's clock with the Date of a server's answer (RFC 9110, 6.6.1)."""
    try:
        theirs = parsedate_to_datetime(date)
    except ValueError:
        return warn("clock", "Không so được giờ với máy chủ nào.", "xem mạng rồi chạy lại")
    if theirs.tzinfo is None:
        theirs = theirs.replace(tzinfo=UTC)
    off = abs(now - theirs)
    direction = "nhanh" if now > theirs else "chậm"
    words = f"Giờ của máy {direction} {_span(off)} so với {source}"
    remedy = "bật đồng bộ giờ (timedatectl set-ntp true; Windows: Đặt thời gian tự động)"
    if off > WRONG:
        return fault("clock", f"{words}.", remedy)
    if off > ASKEW:
        return warn("clock", f"{words}.", remedy)
    return ok("clock", f"Giờ của máy khớp với {source}.")


def _span(off: timedelta) -> str:
    seconds = round(off / timedelta(seconds=1))
    for unit, name in ((86_400, "ngày"), (3600, "giờ"), (60, "phút")):
        if seconds >= 2 * unit:
            return f"{seconds // unit} {name}"
    return f"{seconds} giây"


def heartbeat(url: str, client: httpx.Client) -> tuple[Check, str]:
    """Check that the monitor's server can be reached; its address is not called."""
    parts = urlsplit(url)
    try:
        answer = client.head(f"{parts.scheme}://{parts.netloc}/")
    except (httpx.HTTPError, httpx.InvalidURL, UnicodeError) as error:
        words = f"Không tới được nơi nhận nhịp tim ({parts.hostname}): {_why(error)}."
        return fault("heartbeat", words, "xem mạng và [watch] heartbeat_url"), ""
    found = ok("heartbeat", f"Tới được nơi nhận nhịp tim ({parts.hostname}).")
    return found, answer.headers.get("Date", "")


def page(host: str, port: int, client: httpx.Client) -> Check:
    """Return what /healthz of the running daemon says."""
    at = "127.0.0.1" if host in ("0.0.0.0", "") else "[::1]" if host == "::" else host  # noqa: S104
    name = f"[{at}]" if ":" in at and not at.startswith("[") else at
    try:
        answer = client.get(f"http://{name}:{port}/healthz")
        found = answer.json()
        # A process of a province answers for itself alone, and says why it is not well in its log.
        faults = list(found.get("faults", {}).values())
        if not faults and found["status"] != "ok":
            faults = ["tiến trình hỏng hoặc cơ sở dữ liệu không trả lời"]
    except (httpx.HTTPError, ValueError, KeyError, TypeError, AttributeError):
        words = f"http://{name}:{port}/healthz không trả lời."
        return warn("healthz", words, "máy nhắc việc có chạy không? cổng ấy có bị chiếm không?")
    if faults:
        return fault("healthz", f"Máy nhắc việc tự báo: {'; '.join(faults)}.", "xem nhật ký")
    return ok("healthz", "Máy nhắc việc tự báo: mọi phần đều chạy.")


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


@dataclass(frozen=True, kw_only=True, slots=True)
class Survey:
    """What became of a mail to the mailbox itself."""

    fault: str = ""  # why no answers can be read there
    names: tuple[str, ...] = ()  # as which the server signs Authentication-Results


@dataclass(frozen=True)
class MailCheck:
    """The check of mail; clock and sleep are arguments."""

    settings: Settings
    now: Callable[[], datetime]
    sleep: Callable[[float], Awaitable[object]] = asyncio.sleep
    looks: int = LOOKS
    reader: MailReader = field(default_factory=MailReader)

    async def findings(self) -> AsyncIterator[Check]:
        """Yield the results."""
        settings = self.settings
        if not settings.email.is_on:
            yield ok("email", "[email] chưa cài đặt: máy không gửi thư")
            return
        inbox = settings.inbox.address if settings.inbox.is_on else ""
        identity = MailIdentity(secret=secrets.token_bytes(16), inbox=inbox)
        channel = MailChannel(mail_server(settings), identity, self.now)
        host, port = settings.email.host, settings.email.port
        try:
            await channel.check()
        except SendError as error:
            sends = fault("email", f"[email] {error.reason}")
        else:
            sends = ok("email", f"[email] đăng nhập được máy chủ thư đi {host}:{port}")
        yield sends
        section = settings.inbox
        if not section.is_on:
            words = "không ai đọc thư trả lời, thư gửi đi nói rõ như vậy"
            yield ok("inbox", f"[inbox] chưa cài đặt: {words}")
            return
        box = Mailbox(imap_server(settings))
        try:
            await asyncio.to_thread(box.open)
            where = f"{section.folder} ở {section.host}:{section.port}"
            yield ok("inbox", f"[inbox] mở được hộp thư {where}")
            if sends.verdict is Verdict.OK:
                async for found in self._round_trip(channel, box):
                    yield found
        except (MailboxError, MailReaderError) as error:
            yield fault("inbox", f"[inbox] {error}")
        finally:
            await channel.stop()
            box.shut()
            self.reader.stop()

    async def survey(self) -> Survey:
        """Return what becomes of a mail to the mailbox itself; raise MailboxError."""
        address = self.settings.inbox.address
        identity = MailIdentity(secret=secrets.token_bytes(16), inbox=address)
        channel = MailChannel(mail_server(self.settings), identity, self.now)
        box = Mailbox(imap_server(self.settings))
        await asyncio.to_thread(box.open)
        try:
            probe = await self._probe(channel, box, self._plus())
            if probe.mail is not None:
                names = [name for name, _ in map(parsed, probe.mail.results) if name]
                return Survey(names=tuple(dict.fromkeys(names)))
            plain = await self._probe(channel, box, address)
            arrives = plain.mail is not None
            return Survey(fault=_lost(address, probe.why, plain.why, arrives=arrives).sentence)
        finally:
            await channel.stop()
            box.shut()
            self.reader.stop()

    def _plus(self) -> str:
        """Return a plus-address of the mailbox, for a probe."""
        address = self.settings.inbox.address
        secret, key = secrets.token_bytes(16), secrets.token_hex(8)
        expires = self.now().date() + timedelta(days=1)
        message = tokens.message_key(secret, key)
        return tokens.plus_address(address, secret, Purpose.PROBE, message, address, expires)

    async def _round_trip(self, channel: MailChannel, box: Mailbox) -> AsyncIterator[Check]:
        """Yield a probe to a plus-address; where that does not come, one to the plain address."""
        address = self.settings.inbox.address
        probe = await self._probe(channel, box, self._plus())
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
                mail = await asyncio.to_thread(self._parsed, content) if content else None
                if mail is not None and mail.identity == sent:
                    return _Probe(
                        mail=mail,
                        moved=await asyncio.to_thread(box.move_to_processed, uid),
                    )
            await self.sleep(1.0)
        return _Probe()

    def _parsed(self, content: bytes) -> Mail | None:
        """Return the mail; None if it can't be parsed: a stranger's, then."""
        try:
            return self.reader.read(content)
        except (BrokenMailError, DeadlyMailError):
            return None

    def _proved(self, mail: Mail) -> Check:
        """Return whether our server vouches for the sender of the probe."""
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
        results = own_results(mail.results, section.authserv_id)
        doubt = distrust(results, mail.author)
        if doubt:
            return fault(
                "inbox",
                f"[inbox] máy chủ thư không xác nhận được thư của chính {mail.author} "
                "(cần dmarc, dkim hoặc spf = pass): nhờ người quản trị xem lại DKIM và SPF",
            )
        login = mail.logins.get(section.login_header.lower(), "")
        own = section.address.rpartition("@")[2]
        who = person(results, mail.author, own, login)
        if who is Person.UNKNOWN:
            return ok(
                "inbox",
                "[inbox] máy chủ thư xác nhận tên miền người gửi (Authentication-Results), không "
                "xác nhận từng người: thư xác nhận có “không phải tôi”; đặt hạn, quyết gia hạn, mở "
                "lại, làm thay bộ phận khác không nhận qua thư",
            )
        return ok("inbox", "[inbox] máy chủ thư xác nhận tên miền và người đã đăng nhập gửi thư")


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
