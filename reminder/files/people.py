"""The people file (config/people.toml) → people, or all its faults with their lines."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from functools import partial
from pathlib import Path

from reminder.domain.outbox import AddressSource, ChannelTraits
from reminder.domain.people import MAIL_ADDRESS, Person
from reminder.files.toml import Document, Table


def load_people(
    path: Path, units: Collection[str], channels: Sequence[ChannelTraits]
) -> tuple[Person, ...]:
    """The people in the file `path`; FileError with all faults, such as a unit not in `units`.

    `channels` are those that can be named, in the order in which they are tried. An empty file is
    valid.
    """
    document = Document(path)
    root = document.root()
    people = tuple(root.each("person", partial(_person, units, channels, set())))
    root.finish()
    document.check()
    return people


def _person(
    units: Collection[str], channels: Sequence[ChannelTraits], known: set[str], table: Table
) -> Person:
    email = table.text("email", longest=254)
    if email and not MAIL_ADDRESS.fullmatch(email):
        table.complain("email", f"“{email:.60}” không phải địa chỉ thư; ví dụ ten@xa.example")
    person = Person(
        id=table.identifier("id"),
        name=table.text("name", required=True, longest=60),
        units=_units(table, units),
        email=email,
        channels=_channels(table, email, channels),
    )
    if person.id in known:
        table.complain("id", f"`id` “{person.id}” đã dùng cho một người khác")
    known.add(person.id)
    return person


def _units(table: Table, units: Collection[str]) -> tuple[str, ...]:
    if not table.has("unit"):
        table.complain(None, "thiếu `unit`: người này thuộc bộ phận nào?")
        return ()
    found = table.words("unit")
    for unit in found:
        table.knows("unit", unit, sorted(units), "bộ phận", listed=True)
    if table.data["unit"] == []:
        table.complain("unit", "`unit` trống: người này thuộc bộ phận nào?")
    return tuple(dict.fromkeys(found))


def _channels(table: Table, email: str, channels: Sequence[ChannelTraits]) -> tuple[str, ...]:
    known = {t.name: t.addresses for t in channels if t.addresses is not AddressSource.NONE}
    written = [name for name in known if known[name] is AddressSource.PEOPLE_FILE]
    if not table.has("channels"):
        return tuple(name for name in known if email or name not in written)
    found = table.words("channels")
    for channel in found:
        table.knows("channels", channel, known, "kênh", listed=True)
    if table.data["channels"] == []:
        table.complain("channels", "`channels` trống: cần ít nhất một kênh")
    for name in written:
        if name in found and not table.has(name):
            table.complain("channels", f"có kênh “{name}” mà thiếu `{name}`: ghi địa chỉ thư")
        elif name in found and table.data[name] == "":
            table.complain(name, f"`{name}` trống mà kênh “{name}” cần địa chỉ thư")
    return tuple(dict.fromkeys(found))
