"""What each of Zalo's refusals means for a message, its address and the channel."""

from __future__ import annotations

from reminder.channels.zalo.client import (
    NOT_FOUND,
    TIMED_OUT,
    TOO_MANY,
    UNAUTHORIZED,
    Fault,
    ZaloError,
)
from reminder.domain.outbox import SendError

BOT_REFUSED = "Zalo không nhận mã bot: xem lại thiết lập zalo.token"
INVALID, FORBIDDEN, PASSING, UNAVAILABLE = 410, 422, 403, 503
_TOO_FAST = 10.0  # seconds to wait where Zalo says that it was asked too fast, and not how long


def send_error(error: ZaloError) -> SendError:
    """What the error means for a message that was being sent."""
    match error.fault:
        case Fault.UNREACHABLE:
            return SendError("không kết nối được với Zalo", retry=True, unreachable=True)
        case Fault.CUT | Fault.SILENT:
            reason = "mất kết nối với Zalo khi đang gửi"
            return SendError(reason, retry=True, unknown=True, unreachable=True)
        case Fault.EMPTY | Fault.UNREADABLE:
            return _unreadable(error)
        case Fault.REFUSED:
            return _refusal(error)


def is_quota(error: ZaloError) -> bool:
    """Whether the month's messages are used up; a page with 429 says that we ask too fast."""
    return error.code == TOO_MANY and not error.page and "quota" in error.said.lower()


def _unreadable(error: ZaloError) -> SendError:
    """The answer to a request that had been accepted, or a proxy's page."""
    if error.code == UNAVAILABLE:
        return SendError("Zalo đang quá tải (503)", retry=True, unreachable=True)
    reason = f"Zalo trả lời không đọc được (HTTP {error.code})"
    return SendError(reason, retry=True, unknown=True, unreachable=error.code >= 500)


def _refusal(error: ZaloError) -> SendError:
    said = f"{error.code} {error.said}".strip()
    if error.code == UNAUTHORIZED:
        return SendError(BOT_REFUSED, retry=True, said=said, channel_down=True)
    if error.code == INVALID:
        reason = "Zalo không còn biết cuộc trò chuyện này"
        return SendError(reason, retry=False, said=said, address_dead=True)
    if error.code == FORBIDDEN:
        reason = "Zalo không cho bot nhắn người này (đã chặn, hoặc bot đã đủ người)"
        return SendError(reason, retry=False, said=said, address_dead=True, recheck=True)
    if is_quota(error):
        reason = "Zalo đã hết lượt tin của tháng"
        return SendError(reason, retry=True, said=said, quota=True)
    if error.code == TOO_MANY:
        reason = "Zalo yêu cầu gửi chậm lại"
        return SendError(reason, retry=True, said=said, retry_after=_TOO_FAST)
    if error.code == TIMED_OUT:
        return SendError("Zalo xử lý quá lâu", retry=True, said=said, unknown=True)
    if error.code in (PASSING, NOT_FOUND) or error.code >= 500 or error.code <= 0:
        reason = f"Zalo trục trặc ({said})"
        return SendError(reason, retry=True, said=said, unreachable=True)
    return SendError(f"Zalo không nhận tin này ({said})", retry=False, said=said)
