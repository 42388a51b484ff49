"""Plans and people whose texts are in the database: read, checked and recorded as versions.

They are read by the loaders of the files; their faults name the text and its line.
"""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from pathlib import Path
from typing import NamedTuple

from reminder.domain.errors import FileError, Problem, ReminderError
from reminder.domain.people import Person
from reminder.domain.plan import Plan
from reminder.domain.plan_diff import diff, diff_of_names
from reminder.files.plan import load_plan
from reminder.files.toml import Source, Text, read_text
from reminder.services.office import Files
from reminder.store.documents import Version
from reminder.store.store import Store

PEOPLE = "people"  # the name of the people's list
OWN = "office"  # of the settings that an office of many has of its own; all others are plans' ids
LONGEST_WHY = 300  # characters


class Sources(NamedTuple):
    """Where the texts of the plans, of the people and of an office's own settings are."""

    plans: Sequence[Source]
    people: Source | None
    own: Source | None = None


class StaleVersionError(ReminderError):
    """Somebody has recorded another version since; nothing was recorded."""

    def __init__(self, name: str, newest: Version | None) -> None:
        who = f" ({newest.by or 'dòng lệnh'}, bản {newest.version})" if newest else ""
        super().__init__(f"{name} vừa thay đổi{who}: xem bản mới rồi làm lại")
        self.newest = newest


def sources_of(versions: Sequence[Version]) -> Sources:
    """Return the newest texts; those that were withdrawn are left out."""
    return _sorted(Text(v.name, v.text) for v in versions if v.text)


def _sorted(texts: Iterable[Text]) -> Sources:
    found = {text.name: text for text in texts}
    people, own = found.pop(PEOPLE, None), found.pop(OWN, None)
    return Sources([found[name] for name in sorted(found)], people, own)


def one_way(text: str) -> str:
    """`text` with the line ends of this program; browsers send others."""
    lines = text.removeprefix("\ufeff").replace("\r\n", "\n").replace("\r", "\n")
    return f"{lines.rstrip()}\n" if lines.strip() else ""


def plan_name(text: str, where: str = "kế hoạch") -> str:
    """Return the name of a plan's text, its id; FileError with all its faults."""
    name = load_plan(Text(where, one_way(text))).id
    taken = {PEOPLE: "danh sách cán bộ", OWN: "cài đặt riêng của cơ quan"}.get(name)
    if taken:
        words = f"mã “{name}” dành cho {taken}: đặt mã khác cho kế hoạch"
        raise FileError([Problem(where, None, words)])
    return name


@dataclass(frozen=True)
class Documents:
    """The texts in a store. `make` reads sources into Files; FileError with all their faults."""

    store: Store
    make: Callable[[Sources], Files]

    def newest(self, name: str) -> Version | None:
        """Return the newest version of a text."""
        return self.store.version(name)

    def check(self, name: str, text: str, among: Sequence[Version] | None = None) -> Files:
        """Return the files as they would be with this text; FileError with all faults.

        `among`: the newest versions of all texts, where they were read before: the store is then
        not asked.
        """
        if text and name not in (PEOPLE, OWN) and (found := load_plan(Text(name, text)).id) != name:
            words = f"`id` là “{found}”, mà kế hoạch này có mã “{name}”: mã không đổi được"
            raise FileError([Problem(name, None, words)])
        newest = self.store.documents() if among is None else among
        kept = [Text(v.name, v.text) for v in newest if v.text and v.name != name]
        sources = _sorted([*kept, Text(name, text)] if text else kept)
        if not sources.plans:
            raise FileError([Problem(name, None, "phải còn ít nhất một kế hoạch")])
        return self.make(sources)

    def changes(self, name: str, files: Files, among: Sequence[Version]) -> list[str]:
        """Return what a text, of which `files` came, changes of the newest `among` all texts."""
        old = next((version for version in among if version.name == name), None)
        try:
            was = self.check(name, old.text, among) if old and old.text else None
        except FileError:
            return []  # what it would be today can't be told
        if name == PEOPLE:
            found = people_changes(was or replace(files, people=()), files)
        elif name == OWN:
            found = ["cài đặt riêng của cơ quan"]
        else:
            found = plan_changes(plan_in(was, name) if was else None, plan_in(files, name))
        return found or ["chỉ đổi cách ghi trong văn bản, không đổi nội dung"]

    def record(
        self, name: str, text: str, *, seen: int, by: str, why: str, at: datetime
    ) -> tuple[Version, Files]:
        """Record a text as the newest version; return it, and the files as they now are.

        `seen` is the version that was changed, 0 for a new text: StaleVersionError if another is
        the newest by now. An empty text withdraws a plan. FileError with all faults of the text.
        Whoever has a running service gives it the files: `service.reload(files, at)`.
        """
        text = one_way(text)
        with self.store.together():
            newest = self.newest(name)
            if (newest.version if newest else 0) != seen:
                raise StaleVersionError(name, newest)
            files = self.check(name, text)
            version = _version(name, text, seen + 1, by=by, why=why, at=at)
            if not self.store.add_version(version):
                raise StaleVersionError(name, self.newest(name))
        return version, files

    def put(self, texts: Mapping[str, str], *, why: str, at: datetime) -> None:
        """Record texts as the newest, whatever is there; FileError with all faults of all texts.

        Plans among them take the place of all others, which are withdrawn.
        """
        with self.store.together():
            newest = {version.name: version for version in self.store.documents()}
            special = {PEOPLE, OWN}
            gone = newest.keys() - texts.keys() - special if texts.keys() - special else set()
            for name, text in {**texts, **dict.fromkeys(sorted(gone), "")}.items():
                old = newest.get(name)
                if text != (old.text if old else ""):
                    number = old.version + 1 if old else 1
                    self.store.add_version(_version(name, text, number, by="", why=why, at=at))
            self.make(sources_of(self.store.documents()))

    def take_up(self, sources: Sources, at: datetime) -> list[str]:
        """Record the texts of files as first versions; return their names, none if texts exist."""
        taken: list[str] = []
        if self.store.document_marks():
            return []
        with self.store.together():
            self.make(sources)
            people = [(PEOPLE, sources.people)] if sources.people is not None else []
            plans = [(plan_name(read_text(each)), each) for each in sources.plans]
            for name, source in (*plans, *people):
                place = source.name if isinstance(source, Path) else str(source)
                text, why = one_way(read_text(source)), f"lấy từ tệp {place}"
                if text and self.store.add_version(_version(name, text, 1, by="", why=why, at=at)):
                    taken.append(name)
        return taken


def _version(name: str, text: str, number: int, *, by: str, why: str, at: datetime) -> Version:
    digest = hashlib.sha256(text.encode()).hexdigest()
    return Version(
        name=name, version=number, text=text, sha256=digest, by=by, at=at, why=why[:LONGEST_WHY]
    )


def plan_changes(old: Plan | None, new: Plan | None) -> list[str]:
    """Return what changes from one text of a plan to another."""
    if old is None or new is None:
        found = old or new
        words = "kế hoạch mới" if old is None else "bỏ kế hoạch"
        return [f"{words}: {found.title}, {len(found.tasks)} nhiệm vụ"] if found else []
    return [*diff_of_names(old, new), *diff(old, new)]


_FACTS = {"name": "họ tên", "title": "chức danh", "email": "thư", "phone": "điện thoại"}


def plan_in(files: Files, name: str) -> Plan | None:
    """Return the plan of this id, if there is one."""
    return next((plan for plan in files.plans if plan.id == name), None)


def people_changes(before: Files, after: Files) -> list[str]:
    """Return who comes, goes, and what changes of the others."""
    old, new = ({p.id: p for p in files.people} for files in (before, after))
    lines = [f"thêm {_person(p, after)}" for i, p in new.items() if i not in old]
    lines += [f"bỏ {_person(p, before)}" for i, p in old.items() if i not in new]
    for known in [known for known in new if known in old]:
        was, now = old[known], new[known]
        pairs = [(words, getattr(was, f), getattr(now, f)) for f, words in _FACTS.items()]
        pairs.append(("bộ phận", _units(was, before), _units(now, after)))
        pairs.append(("kênh", ", ".join(was.channels), ", ".join(now.channels)))
        told = [f"{w}: {o or 'không'} → {n or 'không'}" for w, o, n in pairs if o != n]
        lines += [f"sửa {was.name}: {'; '.join(told)}"] if told else []
    return lines


def _person(person: Person, files: Files) -> str:
    return f"{person.name} ({_units(person, files)})"


def _units(person: Person, files: Files) -> str:
    names = {unit.id: unit.name for plan in files.plans for unit in plan.units}
    return ", ".join(names.get(unit, unit) for unit in person.units)
