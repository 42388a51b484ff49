"""Test messages to people by their channels, and what came of each."""

from __future__ import annotations

import asyncio
import secrets
from collections.abc import AsyncIterator, Sequence

from reminder.app import bootstrap
from reminder.app.bootstrap import Opened
from reminder.app.channels import CHANNELS, ChannelWiring
from reminder.doctor import Check, Verdict, fault, ok, warn
from reminder.domain.calendar import local, vn_date
from reminder.domain.outbox import AddressSource, SendError
from reminder.domain.people import Address, Person
from reminder.files.calendar import holiday_name
from reminder.messages.compose import message
from reminder.messages.rows import RowRenderer

NAME = "message"  # of each check here


async def findings(opened: Opened, people: Sequence[Person]) -> AsyncIterator[Check]:
    """Send one message to each person by each of their channels; yield what came of it.

    The messages are sent at once, beside the outbox: they are no proof of notice.
    """
    names = {wiring.traits.name: wiring for wiring in CHANNELS}
    known = {name: wiring for name, wiring in names.items() if name in opened.office.channels}
    channels = {
        name: wiring.connect(opened.settings, opened.store, bootstrap.now)
        for name, wiring in known.items()
    }
    try:
        for person in people:
            # Without a line in people.toml a person's channels are all that the program has.
            for name in [n for n in person.channels if n in channels] or person.channels:
                wiring = names[name]
                by, title = _by(person, wiring), wiring.traits.title
                if name not in channels:
                    words = f"{by}: kênh này chưa cài đặt."
                    yield warn(NAME, words, f"điền [{name}] trong tệp cài đặt")
                elif (address := _address(opened, person, wiring)) is None:
                    words = f"{by}: chưa gắn, chưa gửi được."
                    yield warn(NAME, words, f"mời người ấy: {wiring.traits.invite(person.id)}")
                else:
                    context = RowRenderer(holiday_name).context(opened.office, opened.now)
                    said = message(context, "test", person=person, channel=title)
                    try:
                        await channels[name].send(address.value, said, secrets.token_hex(8))
                    except SendError as error:
                        yield _refused(person, wiring, address, error)
                    else:
                        yield _accepted(person, wiring, address)
    finally:
        await asyncio.gather(*(channel.stop() for channel in channels.values()))


def _address(opened: Opened, person: Person, wiring: ChannelWiring) -> Address | None:
    """Return where a person is reached; before a first start that is the people file's address."""
    name = wiring.traits.name
    kept = opened.office.address(person.id, name, dead=True)
    if wiring.traits.addresses is not AddressSource.PEOPLE_FILE:
        return kept
    if kept is not None and kept.value == person.email:
        return kept
    return Address(recipient=person.id, channel=name, value=person.email, bound_at=opened.now)


def _by(person: Person, wiring: ChannelWiring) -> str:
    return f"{person.name} ({person.id}), {wiring.traits.title}"


def _accepted(person: Person, wiring: ChannelWiring, address: Address) -> Check:
    where = f" {address.value}" if wiring.traits.mail else ""
    words = f"{_by(person, wiring)}: đã gửi tin thử{where}."
    if address.dead_since is None:
        return ok(NAME, words)
    since = f"{local(address.dead_since):%H:%M} {vn_date(local(address.dead_since).date())}"
    return Check(
        name=NAME,
        verdict=Verdict.OK,
        sentence=f"{words} Máy đang coi địa chỉ này là hỏng, từ {since}.",
        remedy=f"người ấy nhận được tin thử thì dùng lại: reminder revive {person.id}",
    )


def _refused(person: Person, wiring: ChannelWiring, address: Address, error: SendError) -> Check:
    remedy = wiring.traits.remedy if error.channel_down else ""
    if error.address_dead:
        remedy = (
            "sửa địa chỉ thư của người ấy trong people.toml"
            if wiring.traits.addresses is AddressSource.PEOPLE_FILE
            else f"mời lại: {wiring.traits.invite(person.id)}"
        )
    where = f" {address.value}" if wiring.traits.mail else ""
    return fault(NAME, f"{_by(person, wiring)}{where}: không gửi được, {error.reason}.", remedy)
