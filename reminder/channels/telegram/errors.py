"""What each of Telegram's refusals means for the message, its address and the channel."""

from __future__ import annotations

from datetime import timedelta

import httpx
from telegram.error import (
    BadRequest,
    ChatMigrated,
    Forbidden,
    InvalidToken,
    NetworkError,
    RetryAfter,
    TelegramError,
    TimedOut,
)

from reminder.domain.errors import scrub
from reminder.domain.outbox import SendError

_DEAD = {  # what Telegram says → what the office reads
    "bot was blocked by the user": "người nhận đã chặn bot",
    "user is deactivated": "tài khoản Telegram của người nhận đã bị xóa",
    "bot was kicked": "bot đã bị đưa ra khỏi nhóm",
    "bot is not a member": "bot không ở trong nhóm",
    "bot can't initiate conversation": "người nhận chưa bấm Start với bot",
    "chat not found": "không tìm thấy cuộc trò chuyện này trên Telegram",
    "peer_id_invalid": "không tìm thấy cuộc trò chuyện này trên Telegram",
    "group chat was deactivated": "nhóm đã bị đóng",
    "not enough rights": "bot không được quyền viết trong nhóm",
    "have no rights to send": "bot không được quyền viết trong nhóm",
    "chat_write_forbidden": "bot không được quyền viết trong nhóm",
    "topic_closed": "chủ đề trong nhóm đã đóng",
    "topic_deleted": "chủ đề trong nhóm đã bị xóa",
    "message thread not found": "chủ đề trong nhóm đã bị xóa",
}
BOT_REFUSED = "Telegram không nhận mã bot: xem lại thiết lập telegram.token"
_NOT_SENT = (httpx.ConnectError, httpx.ConnectTimeout, httpx.ProxyError)
_OVERLOADED = ("(503)", "Service Unavailable")


def says(error: TelegramError, *words: str) -> bool:
    """Whether Telegram's own description contains any of `words`."""
    text = error.message.lower()
    return any(word.lower() in text for word in words)


def send_error(error: TelegramError, token: str = "") -> SendError:
    """What the error means for the message, its address and the channel; without the token."""
    words = scrub(error.message, [token])[:300]
    match error:
        case RetryAfter():
            seconds = seconds_asked(error)
            reason = f"Telegram yêu cầu chờ {seconds:g} giây"
            return SendError(reason, retry=True, retry_after=seconds)
        case ChatMigrated():
            moved = str(error.new_chat_id)
            return SendError("nhóm đã chuyển thành siêu nhóm", retry=True, moved_to=moved)
        case InvalidToken():
            return SendError(BOT_REFUSED, retry=True, said=words, channel_down=True)
        case Forbidden() | BadRequest():  # BadRequest is a NetworkError to the library
            return _refusal(error, words)
        case TimedOut() | NetworkError():
            return _network(error, words)
    # The response could not be parsed; the request itself had been accepted.
    return SendError(f"Telegram trả lời không đọc được ({words})", retry=True, unknown=True)


def seconds_asked(error: RetryAfter) -> float:
    """How long Telegram asks to wait."""
    wait = error.retry_after
    return wait.total_seconds() if isinstance(wait, timedelta) else float(wait)


def _refusal(error: TelegramError, words: str) -> SendError:
    for sign, reason in _DEAD.items():
        if says(error, sign):
            return SendError(reason, retry=False, said=words, address_dead=True)
    if isinstance(error, Forbidden):
        return SendError(f"Telegram từ chối ({words})", retry=False, address_dead=True)
    return SendError(f"Telegram không nhận tin này ({words})", retry=False)


def _network(error: TelegramError, words: str) -> SendError:
    """A failure of the connection or the server: `unknown` if the request may have arrived."""
    cause = error.__cause__
    if isinstance(cause, _NOT_SENT):
        return SendError("không kết nối được với Telegram", retry=True, unreachable=True)
    if isinstance(cause, httpx.PoolTimeout):  # all connections of the client are in use
        return SendError("hàng đợi gửi Telegram đang đầy", retry=True)
    if isinstance(cause, httpx.HTTPError):
        reason = "mất kết nối với Telegram khi đang gửi"
        return SendError(reason, retry=True, unknown=True, unreachable=True)
    if says(error, *_OVERLOADED):
        return SendError(f"Telegram đang quá tải ({words})", retry=True, unreachable=True)
    # A 502 or 504 comes from the proxy: the server behind it may have accepted the request.
    return SendError(f"Telegram trục trặc ({words})", retry=True, unknown=True, unreachable=True)
