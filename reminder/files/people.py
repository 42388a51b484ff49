"""The people file (config/people.toml) → people, or all its faults with their lines."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping, Sequence
from functools import partial

from reminder.domain.outbox import AddressSource, ChannelTraits
from reminder.domain.people import Person, address_fault
from reminder.domain.plan import Unit, units_named
from reminder.files.toml import Document, Source, Table, as_toml, extent, replace_key

Units = Mapping[str, Unit] | Collection[str]  # by id; ids alone can't be proposed for names


def load_people(
    path: Source,
    units: Units,
    channels: Sequence[ChannelTraits],
    in_use: Collection[str] = (),
) -> tuple[Person, ...]:
    """Return the people in the file `path`; raise FileError with all faults.

    `channels` are those that can be named, in the order in which they are tried. Who names none
    gets those `in_use`, or the first. An empty file is valid.
    """
    document = Document(path, lists=("person",))
    root = document.root()
    people = tuple(root.each("person", partial(_person, units, channels, in_use, set())))
    root.finish()
    document.check()
    return people


def contact_keys(table: Table) -> dict[str, str]:
    """Return the keys of a [[person]] that say who somebody is, and note what they lack."""
    email = table.text("email", longest=254)
    if email and (fault := address_fault(email)):
        table.complain("email", fault)
    keys = {
        "name": table.text("name", required=True, longest=60),
        "title": table.text("title", longest=100),
        "email": email,
        "phone": table.text("phone", longest=40),
    }
    if not table.has("unit"):
        table.complain(None, "thiếu `unit`: người này thuộc bộ phận nào?")
    return keys


def _person(
    units: Units,
    channels: Sequence[ChannelTraits],
    in_use: Collection[str],
    known: set[str],
    table: Table,
) -> Person:
    person_id = table.identifier("id")
    contact = contact_keys(table)
    person = Person(
        id=person_id,
        units=_units(table, units),
        channels=_channels(table, contact["email"], channels, in_use),
        **contact,
    )
    if person.id in known:
        table.complain("id", f"`id` “{person.id}” đã dùng cho một người khác")
    known.add(person.id)
    return person


def _units(table: Table, units: Units) -> tuple[str, ...]:
    found = table.words("unit")
    named = units_named(units.values()) if isinstance(units, Mapping) else {}
    for unit in found:
        ids = named.get(unit.casefold(), []) if unit not in units else []
        if len(ids) == 1:
            table.complain("unit", f"ghi mã bộ phận, không ghi tên “{unit}”; viết: {ids[0]}")
        else:
            table.knows("unit", unit, sorted(units), "bộ phận", listed=True)
    if table.data.get("unit") == []:
        table.complain("unit", "`unit` trống: người này thuộc bộ phận nào?")
    return tuple(dict.fromkeys(found))


def _channels(
    table: Table, email: str, channels: Sequence[ChannelTraits], in_use: Collection[str]
) -> tuple[str, ...]:
    known = {t.name: t.addresses for t in channels if t.addresses is not AddressSource.NONE}
    written = [name for name in known if known[name] is AddressSource.PEOPLE_FILE]
    if not table.has("channels"):
        bound = [name for name in known if name not in written]
        chosen = [name for name in bound if name in in_use] or bound[:1]
        return tuple(name for name in known if name in chosen or (email and name in written))
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


KEYS = ("id", "name", "title", "unit", "email", "phone")  # those that `edited` writes, in order


def edited(path: Source, people: Sequence[Person], new: Sequence[Person]) -> str:
    """Return the text of the file `path`, which holds `people`, with the people `new` instead.

    Comments, order and other keys stay; who is not in `new` loses the lines of the keys. ValueError
    if the file is written in a way that can't be changed line by line.
    """
    document = Document(path)
    lines = document.text.splitlines()
    wanted = {person.id: person for person in new}
    for number in reversed(range(len(people))):  # from the end, so that earlier lines stay
        person = people[number]
        header = document.line(("person", number))
        if header is None or not lines[header - 1].lstrip().startswith("[["):
            raise ValueError("a person has no header of its own")
        places = {key: document.line(("person", number, key)) for key in (*KEYS, "channels")}
        found = {key: place - 1 for key, place in places.items() if place}
        if person.id in wanted:
            _change(lines, header - 1, found, person, wanted[person.id])
        else:
            gone = {header - 1}
            for place in found.values():
                gone |= set(range(place, place + extent(lines, place)))
            lines[:] = [line for n, line in enumerate(lines) if n not in gone]
    known = {person.id for person in people}
    for person in new:
        if person.id not in known:
            lines += ["", *_written(person)]
    return "\n".join(lines).strip("\n") + "\n"


def _values(person: Person) -> dict[str, object]:
    unit = person.units[0] if len(person.units) == 1 else person.units
    values = (person.id, person.name, person.title, unit, person.email, person.phone)
    return dict(zip(KEYS, values, strict=True))


def people_text(people: Iterable[Person]) -> str:
    """Return a new file of `people`."""
    return "\n".join("\n".join([*_written(person), ""]) for person in people)


def _written(person: Person) -> list[str]:
    pairs = _values(person).items()
    return ["[[person]]", *(f"{key} = {as_toml(value)}" for key, value in pairs if value)]


def _change(lines: list[str], header: int, found: dict[str, int], old: Person, new: Person) -> None:
    """Change the lines of one person in place."""
    before, after = _values(old), _values(new)
    changed = [key for key in KEYS if before[key] != after[key]]
    missing = [f"{key} = {as_toml(after[key])}" for key in changed if key not in found]
    end = max((place + extent(lines, place) for place in found.values()), default=header + 1)
    lines[end:end] = missing
    for key in sorted((key for key in changed if key in found), key=lambda k: -found[k]):
        replace_key(lines, found[key], key, as_toml(after[key]))
