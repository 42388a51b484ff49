"""Limits on how much one sender may say, and have said to others."""

from __future__ import annotations

from collections import OrderedDict, deque
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from functools import partial

REMEMBERED = 2000  # senders kept in mind; the one longest silent is forgotten first


@dataclass
class Allowance:
    """A limit: `most` acts of one sender within `within`."""

    most: int
    within: timedelta
    acts: OrderedDict[str, deque[datetime]] = field(default_factory=OrderedDict)

    def take(self, sender: str, now: datetime) -> bool:
        """Count one act; False, without counting it, if that is one too many."""
        times = self.acts.setdefault(sender, deque())
        self.acts.move_to_end(sender)
        while len(self.acts) > REMEMBERED:
            self.acts.popitem(last=False)
        while times and not times[0] <= now < times[0] + self.within:
            times.popleft()  # also times after now: a clock that was set back
        if len(times) >= self.most:
            return False
        times.append(now)
        return True

    def left(self, sender: str, now: datetime) -> bool:
        """Whether one act more would be allowed; counts none."""
        recent = [at for at in self.acts.get(sender, ()) if at <= now < at + self.within]
        return len(recent) < self.most


_a_minute = partial(Allowance, within=timedelta(minutes=1))
_an_hour = partial(Allowance, within=timedelta(hours=1))


@dataclass
class Limits:
    """All limits; a restart resets them."""

    spoken: Allowance = field(default_factory=partial(_a_minute, 30))
    heard: Allowance = field(default_factory=partial(_an_hour, 1))
    heard_by_all: Allowance = field(default_factory=partial(_a_minute, 30))
    told: Allowance = field(default_factory=partial(_an_hour, 60))
    mailed: Allowance = field(default_factory=partial(_an_hour, 20))
    codes: Allowance = field(default_factory=partial(_an_hour, 5))
    codes_of_all: Allowance = field(default_factory=partial(_an_hour, 60))
    _counted: list[deque[datetime]] = field(default_factory=list)  # since `unless_it_fails` began

    @contextmanager
    def unless_it_fails(self) -> Iterator[None]:
        """Count the block, unless an exception ends it: it will be tried again."""
        self._counted.clear()
        try:
            yield
        except BaseException:
            for times in self._counted:
                times.pop()
            raise

    def _take(self, allowance: Allowance, sender: str, now: datetime) -> bool:
        taken = allowance.take(sender, now)
        if taken:
            self._counted.append(allowance.acts[sender])
        return taken

    def may_speak(self, sender: str, now: datetime) -> bool:
        """Whether an officer's message is handled."""
        return self._take(self.spoken, sender, now)

    def may_hear(self, sender: str, now: datetime) -> bool:
        """Whether a stranger gets an answer."""
        return self._take(self.heard, sender, now) and self._take(self.heard_by_all, "", now)

    def may_tell(self, sender: str, now: datetime) -> bool:
        """Whether an officer's act may notify others; it counts as one, however many it notifies.

        Otherwise one who closes and reopens again and again would fill another's
        telephone. An office that reminds of each task of a plan one by one stays far below it.
        """
        return self._take(self.told, sender, now)

    def may_mail(self, sender: str, now: datetime) -> bool:
        """Whether a mail that changed nothing is answered; this ends a loop of two machines.

        An auto-responder that tells nobody what it is (RFC 3834 would have it do so) answers each
        of our answers; once we are silent it has nothing to answer until the next reminder.
        """
        return self._take(self.mailed, sender, now)

    def may_try(self, sender: str, now: datetime) -> bool:
        """Whether a wrong invitation code is answered; a right one is always redeemed."""
        return self._take(self.codes, sender, now) and self._take(self.codes_of_all, "", now)

    def may_guess(self, sender: str, now: datetime) -> bool:
        """Whether a typed code is tried at all: not after too many wrong ones, as counted."""
        return self.codes.left(sender, now) and self.codes_of_all.left("", now)
