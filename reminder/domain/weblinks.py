"""Addresses of the page that only this program can have made, and what they are good for.

No secret of a link is kept: each is signed with the store's own secret, and checked by signing
anew.
"""

from __future__ import annotations

import base64
import hashlib
import hmac
from dataclasses import dataclass, field
from datetime import date, timedelta
from urllib.parse import urlsplit

from reminder.domain.plan import Key

TASK_LIFETIME = timedelta(days=14)  # of a link in a reminder mail, from the day of the mail
LOGIN_LIFETIME = timedelta(minutes=10)
LOGIN_TRIES = 5  # wrong codes
_MAC = 32  # characters of 5 bits


@dataclass(frozen=True, kw_only=True, slots=True)
class TaskLink:
    """What a link of a mail opens: one occurrence, for one person, until a day."""

    person: str
    key: Key
    until: date
    mac: str  # by which it is marked as spent


@dataclass(frozen=True, kw_only=True)
class WebLinks:
    """Makes and reads the links."""

    base_url: str  # without a slash at its end
    secret: bytes = field(repr=False)
    province: WebLinks | None = None  # of the page that an office's page belongs to
    here: bool = False  # opens on this machine alone

    @property
    def root(self) -> str:
        """The path of the address; empty where the page has the whole host."""
        return urlsplit(self.base_url).path

    def task(self, person: str, key: Key, day: date) -> str:
        """Return the link of a mail of `day` to `person` about `key`."""
        until = day + TASK_LIFETIME
        parts = [person, key.plan, key.task, str(key.deliverable), key.period, until.isoformat()]
        body = base64.urlsafe_b64encode("\x1f".join(parts).encode()).decode().rstrip("=")
        return f"{self.base_url}/tu-thu/{body}.{self._mac('task', body)}"

    def read_task(self, token: str) -> TaskLink | None:
        """Return what a link of `task` says, alive or not; None if this program never made it."""
        body, _, mac = token.rpartition(".")
        if not mac.isascii() or not hmac.compare_digest(mac, self._mac("task", body)):
            return None
        text = base64.urlsafe_b64decode(body + "=" * (-len(body) % 4)).decode()
        person, plan, task, number, period, until = text.split("\x1f")
        key = Key(plan, task, int(number), period)
        return TaskLink(person=person, key=key, until=date.fromisoformat(until), mac=mac)

    def report(self, plan: str, period: str) -> str:
        """Return the address of a report's draft, for who is signed in."""
        return f"{self.base_url}/bao-cao/{plan}/{period}.docx"

    def login(self, login: str) -> str:
        """Return the link that signs in by the request `login`."""
        return f"{self.base_url}/dang-nhap/{login}.{self._mac('login', login)}"

    def read_login(self, token: str) -> str:
        """Return the request of a link of `login`; empty if this program never made it."""
        login, _, mac = token.rpartition(".")
        ours = mac.isascii() and hmac.compare_digest(mac, self._mac("login", login))
        return login if ours else ""

    def code(self, login: str) -> str:
        """Return the six digits that stand beside the link."""
        digest = hmac.new(self.secret, _bytes("code", login), hashlib.sha256).digest()
        return f"{int.from_bytes(digest, 'big') % 1_000_000:06}"

    def feed(self, person: str, unit: str, generation: int) -> str:
        """Return the address of a unit's calendar for one person; a new generation ends others."""
        parts = [person, unit, str(generation)]
        body = base64.urlsafe_b64encode("\x1f".join(parts).encode()).decode().rstrip("=")
        return f"{self.base_url}/lich/{body}.{self._mac('feed', body)}.ics"

    def read_feed(self, token: str) -> tuple[str, str, int] | None:
        """Return person, unit and generation of `feed`; None if this program never made it."""
        body, _, mac = token.removesuffix(".ics").rpartition(".")
        if not mac.isascii() or not hmac.compare_digest(mac, self._mac("feed", body)):
            return None
        person, unit, generation = (
            base64.urlsafe_b64decode(body + "=" * (-len(body) % 4)).decode().split("\x1f")
        )
        return person, unit, int(generation)

    def _mac(self, what: str, text: str) -> str:
        digest = hmac.new(self.secret, _bytes(what, text), hashlib.sha256).digest()
        return base64.b32encode(digest).decode().lower()[:_MAC]


def _bytes(what: str, text: str) -> bytes:
    return f"web {what}\0{text}".encode("utf-8", "surrogatepass")
