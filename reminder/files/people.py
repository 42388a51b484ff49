"""The people file (config/people.toml) → people, or all its faults with their lines."""

from __future__ import annotations

import re
from collections.abc import Collection, Sequence
from pathlib import Path

from reminder.domain.outbox import AddressSource, ChannelTraits
from reminder.domain.people import MAIL_ADDRESS, Person
from reminder.files.toml import Document, Table, nearest

_ID = re.compile(r"[a-z0-9][a-z0-9-]*")


def load_people(
    path: Path, units: Collection[str], channels: Sequence[ChannelTraits]
) -> tuple[Person, ...]:
    """The people in the file `path`; FileError with all faults, such as a unit not in `units`.

    `channels` are those that can be named, in the order in which they are tried. An empty file is
    valid.
    """
    document = Document(path)
    root = document.root()
    known: set[str] = set()
    people = tuple(_person(table, units, channels, known) for table in root.tables("person"))
    root.finish()
    document.check()
    return people


def _person(
    table: Table, units: Collection[str], channels: Sequence[ChannelTraits], known: set[str]
) -> Person:
    email = _email(table)
    person = Person(
        id=_id(table, known),
        name=table.text("name", required=True, longest=60),
        units=_units(table, units),
        email=email,
        channels=_channels(table, email, channels),
    )
    table.finish()
    return person


def _id(table: Table, known: set[str]) -> str:
    value = table.text("id", required=True, longest=40)
    if value and not _ID.fullmatch(value):
        table.complain("id", f"`id` chỉ gồm chữ thường không dấu, số và gạch nối: “{value:.40}”")
    if value in known:
        table.complain("id", f"`id` “{value}” đã dùng cho một người khác")
    known.add(value)
    return value


def _units(table: Table, units: Collection[str]) -> tuple[str, ...]:
    if not table.has("unit"):
        table.complain(None, "thiếu `unit`: người này thuộc bộ phận nào?")
        return ()
    found = table.words("unit")
    for unit in found:
        if unit not in units:
            hint = nearest(unit, units) or f"; có: {', '.join(sorted(units))}"
            table.complain("unit", f"không có bộ phận “{unit:.40}”{hint}")
    if table.data["unit"] == []:
        table.complain("unit", "`unit` trống: người này thuộc bộ phận nào?")
    return tuple(dict.fromkeys(found))


def _email(table: Table) -> str:
    value = table.text("email", longest=254)
    if value and not MAIL_ADDRESS.fullmatch(value):
        table.complain("email", f"“{value:.60}” không phải địa chỉ thư; ví dụ ten@xa.example")
    return value


def _channels(table: Table, email: str, channels: Sequence[ChannelTraits]) -> tuple[str, ...]:
    known = {t.name: t.addresses for t in channels if t.addresses is not AddressSource.NONE}
    written = [name for name in known if known[name] is AddressSource.PEOPLE_FILE]
    if not table.has("channels"):
        return tuple(name for name in known if email or name not in written)
    found = table.words("channels")
    for channel in found:
        if channel not in known:
            hint = nearest(channel, known) or f"; có: {', '.join(known)}"
            table.complain("channels", f"không có kênh “{channel:.40}”{hint}")
    if table.data["channels"] == []:
        table.complain("channels", "`channels` trống: cần ít nhất một kênh")
    for name in written:
        if name in found and not table.has(name):
            table.complain("channels", f"có kênh “{name}” mà thiếu `{name}`: ghi địa chỉ thư")
        elif name in found and table.data[name] == "":
            table.complain(name, f"`{name}` trống mà kênh “{name}” cần địa chỉ thư")
    return tuple(dict.fromkeys(found))
