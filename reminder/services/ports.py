"""The sockets of the house: what the services need of a store and a renderer."""

from __future__ import annotations

from datetime import datetime
from typing import Any, Protocol

from reminder.domain.channels import Outbound
from reminder.domain.outbox import Row


class Clock(Protocol):
    """Tells the time; only the outermost loop asks it."""

    def now(self) -> datetime:
        """The present instant, aware, UTC."""
        ...


class Renderer(Protocol):
    """Turns a row of the outbox into words, at the moment of sending."""

    def render(self, view: Any, row: Row) -> Outbound | None:
        """The message; None if there is nothing left to say (all has closed, a newer one says it).

        `view` is the service's own view of the office and the hour.
        """
        ...
