"""The mailbox of many offices: each mail's office is the one that has issued its token.

Who wrote, or whom a bounce names, tells the few offices in which that address stands; of these the
one that has sent the mail with this token has it. A mail is signed with its office's own secret,
which the office has brought along and takes with it; until December 2026 with the province's.
"""

from __future__ import annotations

import logging
import secrets
from collections import defaultdict
from dataclasses import dataclass, field, replace
from datetime import datetime
from functools import partial

from reminder.app.channels import imap_server, inbox_rules, mail_secret
from reminder.channels.email import TRAITS
from reminder.channels.email.classify import (
    Authenticated,
    Bounced,
    LeftUnread,
    Mail,
    Processed,
    triage,
)
from reminder.channels.email.mailbox import Mailbox
from reminder.channels.email.receive import Judged, MailListener, NotNowError
from reminder.domain.errors import ReminderError
from reminder.domain.tokens import normal_address
from reminder.files.settings import InboxSection, Settings
from reminder.province.process import Province
from reminder.services.deliver import MAILBOX
from reminder.services.history import sent_as
from reminder.services.service import Service
from reminder.store.offices import DEAF, deafness
from reminder.store.records import StoreBusyError
from reminder.store.senders import Senders

log = logging.getLogger(__name__)


@dataclass
class ManyOffices:
    """channels.email.receive.MailOffices of all offices that use one mailbox.

    The mailbox's own marks are kept with those of no office, by account.
    """

    province: Province
    account: str
    section: InboxSection
    _told: str | None = None  # why it can't be read; None: that is not known to this process
    _nobody: bytes = field(default_factory=partial(secrets.token_bytes, 32))

    def __post_init__(self) -> None:
        self._senders = Senders(self.province.stores.database)

    def judged(self, mail: Mail, now: datetime) -> Judged:
        """Return what a mail is, and of which office, if any."""
        found = [self._judged_by(office, known, mail, now) for office, known in self._of(mail)]
        judged = min(found, key=_rank, default=None)
        if judged is not None:
            return judged
        rules = inbox_rules(self.section, self._nobody, self.section.address, "")
        return Judged(fate=triage(mail, rules, {}, now), service=None, rules=rules)

    def _of(self, mail: Mail) -> list[tuple[str, dict[str, str]]]:
        """Return the offices that a mail may be of, each with the addresses, as they are bound."""
        named = (mail.author, *(one.recipient for one in mail.failures), *mail.returned_to)
        addresses = list(filter(None, named))
        if not addresses:
            return []
        offices: dict[str, dict[str, str]] = defaultdict(dict)
        for owner in self._senders.owners(self.account, TRAITS.name, addresses, used_as=MAILBOX):
            offices[owner.office][normal_address(owner.value)] = owner.value
        return list(offices.items())

    def _judged_by(self, office: str, known: dict[str, str], mail: Mail, now: datetime) -> Judged:
        """Return what a mail is to one of the offices."""
        cache = self.province.cache
        try:
            service, sender = cache.service(office), cache.settings(office).email
        except StoreBusyError:
            raise
        except ReminderError as error:
            raise NotNowError(f"office {office}: {error}") from None
        store = self.province.stores.of(office)
        people = service.refresh().people
        bound = {
            one.value
            for one in service.office.addresses
            if one.channel == TRAITS.name and one.recipient in people
        }
        known = {plain: value for plain, value in known.items() if value in bound}
        found: list[Judged] = []
        for secret in (mail_secret(store), mail_secret(self.province.stores.of(""))):
            whose = sender.sender or self.section.address
            rules = inbox_rules(self.section, secret, whose, sender.sender_name)
            fate = triage(mail, rules, known, now)
            if isinstance(fate, Authenticated):
                fate = replace(fate, inbound=replace(fate.inbound, office=office))
            found.append(Judged(fate=fate, service=service, rules=rules))
        return min(found, key=_rank)

    def meta(self, name: str) -> str:
        """Return a mark of the mailbox."""
        return self.province.stores.of("").meta(f"{self.account}/{name}") or ""

    def set_meta(self, name: str, value: str) -> None:
        """Keep a mark of the mailbox."""
        self.province.stores.of("").set_meta(f"{self.account}/{name}", value)

    def count(self, name: str, service: Service | None) -> None:
        """Count a mail of an office, which is told as by a mailbox of its own; or of none."""
        if service is not None:
            service.store.count(name)
        else:
            self.province.stores.of("").count(f"{self.account}/{name}")

    def put_aside(self, folder: str, now: datetime) -> None:
        """Tell the operator of a mail that can't be read: nobody knows whose it is."""
        del now
        where = f"it is now in “{folder}”" if folder else "it stays where it is"
        log.error("account %s: a mail can't be read; %s", self.account, where)

    def works(self, now: datetime) -> bool:
        """Note that the mailbox can be read."""
        del now
        if self._told != "":
            self._told = ""
            self.set_meta(DEAF, "")
        return False

    def in_trouble(self, why: str, now: datetime) -> None:
        """Keep for the operator that the mailbox can't be read."""
        if why != self._told:
            self._told = why
            log.error("account %s (%s) can't be read: %s", self.account, MAILBOX, why)
            self.set_meta(DEAF, deafness(why, now))


def listener(province: Province, account: str, section: InboxSection) -> MailListener:
    """Return what reads the mailbox of an account."""
    return MailListener(
        box=Mailbox(imap_server(replace(Settings(), inbox=section))),
        offices=ManyOffices(province, account, section),
        do=province.do,
        wake=lambda: None,  # what is to be sent is found by the next sweep
        now=province.clock.now,
        poll_seconds=section.poll_seconds,
        name=f"the mailbox {account}",
    )


def _rank(judged: Judged) -> int:
    """Return which of several offices a mail is of: the one that it proves to be of.

    Of two whose officer has one address it is the one that has sent the mail that it answers.
    """
    match judged.fate:
        case Authenticated(inbound=inbound):
            return 0 if _has_sent(judged, inbound.sender, inbound.reply_to) else 1
        case Bounced(recipient=address, message_id=message):
            return 0 if _has_sent(judged, address, message) else 1
        case Processed():
            return 2
        case LeftUnread(forged=False):
            return 3
    return 4


def _has_sent(judged: Judged, address: str, message: str) -> bool:
    """Return whether the office has sent a mail with this Message-ID to the address."""
    service = judged.service
    if service is None:
        return False
    owners = [one.recipient for one in service.office.bound(TRAITS.name, address)]
    return any(sent_as(service.store, who, TRAITS.name, message, "") for who in owners)
