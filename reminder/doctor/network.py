"""Checks over the network: Telegram, the clock, the monitor, the daemon's page."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from email.utils import parsedate_to_datetime
from urllib.parse import urlsplit

import httpx

from reminder.doctor.check import Check, fault, ok, warn
from reminder.files.settings import Settings

TIMEOUT = 10.0  # seconds
ASKEW = timedelta(seconds=60)
WRONG = timedelta(minutes=5)  # nudges come at a wrong hour
_REFUSED = (401, 404)  # what Telegram says of a token it does not know


def checks(settings: Settings, now: datetime) -> Iterator[Check]:
    """Yield the results over the network; nothing is sent to people."""
    date, source = "", ""
    with httpx.Client(timeout=TIMEOUT) as client:
        if settings.telegram.is_on:
            token = settings.telegram.token.get_secret_value()
            check, date = telegram(settings.telegram.base_url, token, client)
            source = "Telegram"
            yield check
        if url := settings.watch.heartbeat_url.get_secret_value():
            check, other = heartbeat(url, client)
            yield check
            if not date:
                date, source = other, "nơi nhận nhịp tim"
        if settings.telegram.is_on or settings.watch.heartbeat_url.get_secret_value():
            yield clock(date, now, source)
        if settings.watch.place is not None:
            yield from page(*settings.watch.place, client)


def telegram(base_url: str, token: str, client: httpx.Client) -> tuple[Check, str]:
    """Whether Telegram accepts the token, and the Date of its answer; the token is never shown."""
    host = urlsplit(base_url).hostname
    try:
        answer = client.post(f"{base_url}{token}/getMe")
    except (httpx.HTTPError, httpx.InvalidURL, UnicodeError) as error:
        words = f"Không tới được Telegram ({host}): {type(error).__name__}."
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
    """Whether the monitor's server can be reached; its address is not called, as by a good tick."""
    parts = urlsplit(url)
    try:
        answer = client.head(f"{parts.scheme}://{parts.netloc}/")
    except (httpx.HTTPError, httpx.InvalidURL, UnicodeError) as error:
        words = f"Không tới được nơi nhận nhịp tim ({parts.hostname}): {type(error).__name__}."
        return fault("heartbeat", words, "xem mạng và [watch] heartbeat_url"), ""
    found = ok("heartbeat", f"Tới được nơi nhận nhịp tim ({parts.hostname}).")
    return found, answer.headers.get("Date", "")


def page(host: str, port: int, client: httpx.Client) -> Iterator[Check]:
    """What /healthz of the running daemon says."""
    at = "127.0.0.1" if host in ("0.0.0.0", "") else "[::1]" if host == "::" else host  # noqa: S104
    name = f"[{at}]" if ":" in at and not at.startswith("[") else at
    try:
        answer = client.get(f"http://{name}:{port}/healthz")
        faults = list(answer.json()["faults"].values())
    except (httpx.HTTPError, ValueError, KeyError, TypeError, AttributeError):
        words = f"http://{name}:{port}/healthz không trả lời."
        yield warn("healthz", words, "máy nhắc việc có chạy không? cổng ấy có bị chiếm không?")
        return
    if faults:
        yield fault("healthz", f"Máy nhắc việc tự báo: {'; '.join(faults)}.", "xem nhật ký")
    else:
        yield ok("healthz", "Máy nhắc việc tự báo: mọi phần đều chạy.")
