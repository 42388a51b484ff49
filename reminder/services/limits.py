"""Limits on how much one sender may say, and have said to others."""

from __future__ import annotations

from collections import OrderedDict, deque
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import datetime, timedelta

REMEMBERED = 2000  # senders kept in mind; the one longest silent is forgotten first


@dataclass
class Allowance:
    """A limit: `most` acts of one sender within `within`."""

    most: int
    within: timedelta
    acts: OrderedDict[str, deque[datetime]] = field(default_factory=OrderedDict)
    undo: list[deque[datetime]] | None = None  # where acts were counted that may be taken back

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
        if self.undo is not None:
            self.undo.append(times)
        return True


@dataclass
class Limits:
    """All limits; a restart resets them."""

    spoken: Allowance = field(default_factory=lambda: Allowance(30, timedelta(minutes=1)))
    heard: Allowance = field(default_factory=lambda: Allowance(1, timedelta(hours=1)))
    heard_by_all: Allowance = field(default_factory=lambda: Allowance(30, timedelta(minutes=1)))
    told: Allowance = field(default_factory=lambda: Allowance(60, timedelta(hours=1)))
    mailed: Allowance = field(default_factory=lambda: Allowance(20, timedelta(hours=1)))
    codes: Allowance = field(default_factory=lambda: Allowance(5, timedelta(hours=1)))
    codes_of_all: Allowance = field(default_factory=lambda: Allowance(60, timedelta(hours=1)))

    @contextmanager
    def unless_it_fails(self) -> Iterator[None]:
        """Count the block, unless an exception ends it: it will be tried again."""
        allowances: list[Allowance] = list(vars(self).values())
        for allowance in allowances:
            allowance.undo = []
        try:
            yield
        except BaseException:
            for allowance in allowances:
                for times in allowance.undo or ():
                    times.pop()
            raise
        finally:
            for allowance in allowances:
                allowance.undo = None

    def may_speak(self, sender: str, now: datetime) -> bool:
        """Whether an officer's message is handled."""
        return self.spoken.take(sender, now)

    def may_hear(self, sender: str, now: datetime) -> bool:
        """Whether a stranger gets an answer."""
        return self.heard.take(sender, now) and self.heard_by_all.take("", now)

    def may_tell(self, sender: str, now: datetime) -> bool:
        """Whether an officer's act may notify others; it counts as one, however many it notifies.

        Otherwise one who closes and reopens again and again would fill another's
        telephone. An office that reminds of each task of a plan one by one stays far below it.
        """
        return self.told.take(sender, now)

    def may_mail(self, sender: str, now: datetime) -> bool:
        """Whether a mail that changed nothing is answered; this ends a loop of two machines.

        An auto-responder that tells nobody what it is (RFC 3834 would have it do so) answers each
        of our answers; once we are silent it has nothing to answer until the next reminder.
        """
        return self.mailed.take(sender, now)

    def may_try(self, sender: str, now: datetime) -> bool:
        """Whether a wrong invitation code is answered."""
        return self.codes.take(sender, now) and self.codes_of_all.take("", now)
