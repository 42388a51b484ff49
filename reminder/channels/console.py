"""The terminal as a channel: shows what would be sent."""

from __future__ import annotations

import re
from collections.abc import Callable
from datetime import datetime
from typing import TYPE_CHECKING, TextIO

from reminder.domain.calendar import local, vn_day
from reminder.domain.outbox import AddressSource, ChannelTraits, Outbound
from reminder.domain.text import one_line

if TYPE_CHECKING:
    from rich.text import Text

TRAITS = ChannelTraits(name="console", title="màn hình", addresses=AddressSource.NONE)
WIDEST = 96
_CODE = re.compile(r"(?m)^(?:• |✅ (?:Đã ghi )?)(\S+)")
_TYPED = re.compile(r"(?i)nhắn: (.+)")


class ConsoleChannel:
    """Shows each message in a frame; `now` gives its time, `label` the name of an address.

    Instead of buttons it shows what to type; of a file only the name.
    """

    name = TRAITS.name

    def __init__(
        self,
        stream: TextIO,
        *,
        now: Callable[[], datetime] | None = None,
        label: Callable[[str], str] = str,
        width: int | None = None,
    ) -> None:
        from rich.console import Console  # a daemon with channels never shows any

        wide = Console(file=stream).width if width is None else width
        self._console = Console(
            file=stream, width=min(wide, WIDEST), highlight=False, emoji=False, markup=False
        )
        self._now, self._label, self._count = now, label, 0

    def turn(self, address: str) -> None:
        """Nobody waits for a turn."""

    def halt(self) -> None:
        """Do nothing: each send begins at once."""

    async def stop(self) -> None:
        """Nothing to close."""

    async def send(self, address: str, message: Outbound, key: str) -> str:  # noqa: ARG002 - port
        """Write the message; return its number on this terminal."""
        self._count += 1
        files = [f"📎 {one_line(name, 80)}" for name, _, _ in message.attachments]
        heading = f"→ {one_line(self._label(address), 60)}"
        if self._now:
            at = local(self._now())
            heading += f" · {at:%H:%M} {vn_day(at.date())}"
        text = "\n".join((message.chat_text, *files))
        self.frame(heading, text, "sửa tin trước" if message.edit else "")
        return str(self._count)

    def frame(self, heading: str, text: str, foot: str = "") -> None:
        """Write `text` in a frame."""
        from rich.panel import Panel
        from rich.text import Text

        self._console.print(
            Panel(
                styled(text),
                title=Text(heading, style="bold"),
                subtitle=Text(foot, style="dim") if foot else None,
                title_align="left",
                border_style="blue",
                padding=(0, 1),
            )
        )


def styled(text: str) -> Text:
    """Return a message's plain form, with codes in bold and what one can type in colour."""
    from rich.text import Text

    shown = Text(text)
    for pattern, style in ((_CODE, "bold"), (_TYPED, "cyan")):
        for match in pattern.finditer(text):
            shown.stylize(style, *match.span(1))
    return shown
