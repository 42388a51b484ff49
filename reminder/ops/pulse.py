"""Whether the daemon lives: when each of its parts last showed that it does."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from enum import StrEnum


class Beat(StrEnum):
    """A sign of life; its value is what a daemon calls out."""

    TRIED = "tried"  # a tick was begun
    TICKED = "ticked"  # a tick was written down
    SENDING = "sending"  # the dispatcher has looked for messages
    POLLED = "polled"  # Telegram has answered a poll


# Seconds of silence. A tick comes each minute, the dispatcher turns at least every 30 s, a poll is
# kept open for 50 s and tried again within 30 s.
LONGEST = {Beat.TRIED: 180.0, Beat.TICKED: 150.0, Beat.SENDING: 120.0, Beat.POLLED: 180.0}
_OURS = (Beat.TRIED, Beat.SENDING)
_WORDS = {
    Beat.TRIED: "the timer is dead: no tick was tried",
    Beat.TICKED: "no tick was written down",
    Beat.SENDING: "the dispatcher does not turn",
    Beat.POLLED: "Telegram has answered no poll",
}


@dataclass
class Pulse:
    """The signs of one daemon, on a clock that is never set."""

    steady: Callable[[], float]  # seconds
    polls: bool  # whether Telegram is set up
    _last: dict[Beat, float] = field(default_factory=dict)
    _begun: float | None = None

    def begin(self) -> None:
        """The daemon is on its way: from now on its parts have to show signs of life."""
        self._begun = self.steady()

    def beat(self, name: str) -> None:
        """A sign of life."""
        self._last[Beat(name)] = self.steady()

    def faults(self) -> dict[str, str]:
        """What is silent for too long → a sentence; nothing is: all is well."""
        waits = Beat.TICKED not in self._last and not self._overdue(Beat.TICKED)
        if self._begun is None or waits:
            return {"start": "the first tick has not been written down yet"}
        wanted = [beat for beat in Beat if beat is not Beat.POLLED or self.polls]
        return {
            beat.value: f"{_WORDS[beat]} for {self._silent(beat):.0f} s"
            for beat in wanted
            if self._overdue(beat)
        }

    def lives(self) -> bool:
        """Whether the program's own parts move: what is left is a fault that no restart mends."""
        return self._begun is None or not any(self._overdue(beat) for beat in _OURS)

    def _silent(self, beat: Beat) -> float:
        now = self.steady()
        begun = now if self._begun is None else self._begun
        return now - self._last.get(beat, begun)

    def _overdue(self, beat: Beat) -> bool:
        return self._silent(beat) > LONGEST[beat]
