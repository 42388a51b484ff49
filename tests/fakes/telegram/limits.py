"""The limits that Telegram publishes, as sliding windows over an injected clock."""

from __future__ import annotations

from collections import defaultdict, deque
from collections.abc import Callable
from math import ceil

from .model import ApiError

PRIVATE_GAP = 1.0  # seconds between two messages to one person
PRIVATE_SLACK = 0.05  # a sender that keeps exactly 1 s may arrive a little early
GROUP_MESSAGES, GROUP_SECONDS = 20, 60.0
ALL_MESSAGES, ALL_SECONDS = 30, 1.0
_ROUNDING = 1e-9  # 0.1 added ten times is not 1.0


class Limits:
    """One message a second to a person, 20 a minute to a group, 30 in any second in all."""

    def __init__(self, clock: Callable[[], float], *, enforce: bool) -> None:
        self._clock = clock
        self._enforce = enforce
        self._chats: defaultdict[int, deque[float]] = defaultdict(deque)
        self._all: deque[float] = deque()
        self.accepted: list[tuple[float, int]] = []
        self.refused = 0

    def take(self, chat_id: int) -> None:
        """Count one send or edit, or refuse it with 429; what is refused is not counted."""
        now = self._clock()
        wait = max(self._wait_in_chat(chat_id, now), self._wait_in_all(now))
        if wait > 0 and self._enforce:
            self.refused += 1
            raise too_many(max(1, ceil(wait - _ROUNDING)))
        self._chats[chat_id].append(now)
        self._all.append(now)
        self.accepted.append((now, chat_id))

    def _wait_in_chat(self, chat_id: int, now: float) -> float:
        times = self._chats[chat_id]
        if chat_id < 0:
            return _wait(times, now, GROUP_MESSAGES, GROUP_SECONDS)
        wait = _wait(times, now, 1, PRIVATE_GAP)
        return wait if wait > PRIVATE_SLACK + _ROUNDING else 0.0

    def _wait_in_all(self, now: float) -> float:
        return _wait(self._all, now, ALL_MESSAGES, ALL_SECONDS)


def _wait(times: deque[float], now: float, most: int, seconds: float) -> float:
    """Seconds until one more fits into the window; 0 when it fits now."""
    while times and now - times[0] >= seconds - _ROUNDING:
        times.popleft()
    return times[len(times) - most] + seconds - now if len(times) >= most else 0.0


def too_many(seconds: int) -> ApiError:
    """429: the words, the parameter and (over HTTP) the Retry-After header all say how long."""
    description = f"Too Many Requests: retry after {seconds}"
    return ApiError(429, description, retry_after=seconds)
