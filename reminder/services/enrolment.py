"""Invitations bind chats to people, the office binds groups; limits on how much one may say."""

from __future__ import annotations

import logging
import re
from collections import OrderedDict, deque
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta
from itertools import product
from typing import TYPE_CHECKING

from reminder.domain.context import Inbound, Sender
from reminder.domain.outbox import AddressSource
from reminder.domain.payloads import (
    BindByOffice,
    BindInGroup,
    BindUnknown,
    Bound,
    Help,
    InvitationFault,
    Payload,
    Welcome,
)
from reminder.domain.text import fold
from reminder.domain.tokens import hash_code
from reminder.services.office import GROUP, Office

if TYPE_CHECKING:
    from reminder.store.store import Store


LONGEST_UNIT = 64  # characters of a wrong name that are said back

log = logging.getLogger(__name__)


def start(
    office: Office,
    store: Store,
    limits: Limits,
    inbound: Inbound,
    sender: Sender | None,
    now: datetime,
) -> Payload | None:
    """`/start CODE`: the welcome, or why not; None if it is no start, or too many were tried."""
    word, _, code = inbound.text.strip().partition(" ")
    invites = office.traits(inbound.channel).addresses is AddressSource.INVITATION
    if word.partition("@")[0].lower() != "/start" or not invites:
        return None
    code = code.strip()
    if not code:
        if sender is None:
            return None
        return Help(office=sender.office, leader=sender.only_reads)
    person = store.redeem(hash_code(code), now, inbound.channel, inbound.sender)
    if person in office.people:
        for other in office.bound(
            inbound.channel, inbound.sender
        ):  # one chat speaks for one person: the newest binding holds
            if other.recipient != person:
                store.unbind(other.recipient, other.channel)
        return Welcome(person=person)
    fault = store.invitation_fault(hash_code(code), now)
    if sender and fault == "used":
        return Welcome(person=sender.person.id)
    if not limits.may_try(inbound.sender, now):  # only what fails counts: 128 bits aren't guessed
        return None
    return InvitationFault(fault=fault or "unknown")


def revived(office: Office, store: Store, inbound: Inbound) -> Office:
    """The office with an address alive again that was dead, and now sends a private message.

    That proves it works: Telegram takes no message to a bot that its writer has blocked, and a mail
    that comes this far answers one that had arrived. In a group it proves nothing: a bot may read
    where it can't write. What was given up meanwhile stays so: the next slot says all that is
    still open.
    """
    if not inbound.private:
        return office
    alive = {}
    for address in office.bound(inbound.channel, inbound.sender):
        if address.dead_since is None:
            continue
        store.bind(address.recipient, address.channel, address.value, address.bound_at)
        who, way = address.recipient, address.channel
        log.info("%s writes by %s again: the address works", who, way)
        alive[address] = replace(address, dead_since=None, dead_reason="")
    if not alive:
        return office
    return replace(office, addresses=tuple(alive.get(a, a) for a in office.addresses))


def bind_group(
    office: Office, store: Store, inbound: Inbound, sender: Sender, now: datetime, bot_name: str
) -> Payload | None:
    """`/bind UNIT`, typed in a group by the office; None if the message is something else."""
    if command_in(inbound.text, bot_name) != "/bind":
        return None
    typed = inbound.text.strip().partition(" ")[2].strip()
    if inbound.private:
        return BindInGroup()
    if not sender.office:
        return BindByOffice()
    unit = _unit_called(office, typed)
    if unit is None:
        known = tuple((unit.id, unit.label) for unit in office.units.values())
        return BindUnknown(unit=typed[:LONGEST_UNIT], known=known)
    store.bind(f"{GROUP}{unit}", inbound.channel, inbound.chat, now)
    return Bound(unit=unit)


def command_in(text: str, bot_name: str) -> str:
    """Return the command that `text` begins with, “/bind”; empty if it is for another bot."""
    word = text.strip().partition(" ")[0].lower()
    command, _, named = word.partition("@")
    ours = not (named and bot_name) or named == bot_name.lower()
    return command if ours and command.startswith("/") else ""


def _unit_called(office: Office, typed: str) -> str | None:
    """The unit with this id, label or name, with marks or without; None if none or several."""
    names = {
        unit.id: {_plain(name) for name in (unit.id, unit.label, unit.name)}
        for unit in office.units.values()
    }
    found = [unit for unit, called in names.items() if _plain(typed) in called]
    return found[0] if len(found) == 1 else None


def _plain(name: str) -> str:
    """“Tư pháp”, “tu-phap” and “TU  PHAP” are one."""
    return " ".join(re.findall(r"\w+", fold(name)))


def sync_addresses(office: Office, store: Store, now: datetime) -> bool:
    """Bind the mail addresses of the people file; True if any has changed.

    Who left the file keeps a binding that counts for nothing (rights and nudges follow the file),
    so that a file saved half does not cost the office its enrolments.
    """
    changed = False
    known = {(a.recipient, a.channel): a.value for a in office.addresses}
    for traits, person in product(office.known, office.files.people):
        place = (person.id, traits.name)
        if traits.addresses is not AddressSource.PEOPLE_FILE:
            continue
        if person.email and known.get(place) != person.email:
            store.bind(*place, person.email, now)
            changed = True
        if not person.email and place in known:
            changed = bool(store.unbind(*place)) or changed
    return changed


# ---- limits on how much one sender may say, and have said to others

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
