"""A TOML text that is changed line by line: its comments, order and layout stay.

Each change is checked: the text that it comes to must hold just what was to be changed. A text that
is written in a way that can't be changed so is left as it is.
"""

from __future__ import annotations

import tomllib
from collections.abc import Mapping
from typing import Any

from reminder.files.toml import Where, as_toml, extent, index, replace_key, toml_key


class NotEditableError(ValueError):
    """The text is written in a way that can't be changed line by line."""


class Editor:
    """A text under change; `text` is what it has come to."""

    def __init__(self, text: str) -> None:
        self.lines = text.split("\n")
        self.data: dict[str, Any] = tomllib.loads(text)
        self._read()

    @property
    def text(self) -> str:
        """The text, which ends with one line end."""
        return "\n".join(self.lines).rstrip("\n") + "\n"

    def _read(self) -> None:
        """Find the lines anew after a change; raise NotEditableError if it went wrong."""
        text = self.text
        try:
            found = tomllib.loads(text)
        except ValueError as error:
            raise NotEditableError(str(error)) from None
        if found != self.data:
            raise NotEditableError("the change came to something else")
        self._places, self._tables = index(text)
        self.lines = text.split("\n")[:-1]

    def table(self, where: Where) -> dict[str, Any]:
        """Return the table at `where`; KeyError or IndexError if there is none."""
        found: Any = self.data
        for part in where:
            found = found[part]
        assert isinstance(found, dict)
        return found

    def set(self, where: Where, values: Mapping[str, object]) -> None:
        """Write these keys of the table at `where`; a value of None removes its key."""
        table = self.table(where)
        changed = {
            name: value for name, value in values.items() if table.get(name) != _as_read(value)
        }
        if not changed:
            return
        header, places = self._header(where), self._own_places(where)
        behind = max((first + self._extent(first) for first in places.values()), default=header + 1)
        new = [name for name in changed if name not in places]
        if any(name in table for name in new):
            raise NotEditableError("the key has no line of its own")
        indent = self._indent(header)
        self.lines[behind:behind] = [
            f"{indent}{toml_key(name)} = {as_toml(changed[name])}"
            for name in new
            if changed[name] is not None
        ]
        for name in sorted(changed.keys() & places.keys(), key=lambda name: -places[name]):
            self._write(places[name], name, changed[name])
        for name, value in changed.items():
            if value is None:
                table.pop(name, None)
            else:
                table[name] = _as_read(value)
        self._read()

    def _own_places(self, where: Where) -> dict[str, int]:
        """Return the lines of the keys of a table that stand below its header."""
        found = {}
        for name in self.table(where):
            place = self._places.get((*where, name))
            if place is not None and not self.lines[place - 1].lstrip().startswith("["):
                found[name] = place - 1
        return found

    def _write(self, first: int, name: str, value: object) -> None:
        """Write a key in place of the one at `first`, or remove that."""
        if value is None:
            del self.lines[first : first + self._extent(first)]
            return
        indent = self._indent(first)
        self._extent(first)
        replace_key(self.lines, first, toml_key(name), as_toml(value))
        self.lines[first] = indent + self.lines[first]

    def remove(self, where: Where) -> None:
        """Remove a table with all in it, its header and the comments right above that."""
        first, end = self._region(where)
        while first and self.lines[first - 1].lstrip().startswith("#"):
            first -= 1
        *path, last = where
        holder: Any = self.data
        for part in path:
            holder = holder[part]
        del holder[last]
        if not holder and isinstance(path[-1], str):
            del self.table(tuple(path[:-1]))[path[-1]]
        del self.lines[first:end]
        self._read()

    def append(
        self, where: Where, values: Mapping[str, object], behind: Where | None = None
    ) -> Where:
        """Add a table to the list `where`, behind the table `behind` of it, else as its last one.

        Return where it is now.
        """
        *path, last = where
        tables = self.table(tuple(path)).setdefault(str(last), [])
        at = len(tables)
        if behind is None and tables:
            behind = (*where, at - 1)
        elif behind is not None:
            at = int(behind[len(where)]) + 1
        tables.insert(at, _as_read(values))
        if behind is None and path:
            behind = tuple(path)
        self._insert(where, values, behind, "[[{}]]")
        return (*where, at)

    def add(self, where: Where, values: Mapping[str, object], behind: Where) -> None:
        """Add the table `where`, of a name that is free, behind the table `behind`."""
        *path, last = where
        self.table(tuple(path))[str(last)] = _as_read(values)
        self._insert(where, values, behind, "[{}]")

    def _insert(
        self, where: Where, values: Mapping[str, object], behind: Where | None, header: str
    ) -> None:
        indent = "  " * sum(isinstance(part, int) for part in where)
        name = ".".join(toml_key(part) for part in where if isinstance(part, str))
        block = [indent + header.format(name)]
        block += [f"{indent}{toml_key(key)} = {as_toml(value)}" for key, value in values.items()]
        place = self._region(behind)[1] if behind is not None else len(self.lines)
        while place and not self.lines[place - 1].strip():
            place -= 1
        self.lines[place:place] = ["", *block] if place else block
        self._read()

    def _header(self, where: Where) -> int:
        place = self._places.get(where)
        if place is None or not self.lines[place - 1].lstrip().startswith("["):
            raise NotEditableError("the table has no header of its own")
        return place - 1

    def _region(self, where: Where) -> tuple[int, int]:
        """Return the lines of a table with all in it: the first, and the one after the last.

        Comments right above the next header are the next table's.
        """
        first = self._header(where)
        end = first
        while end < len(self._tables) and self._tables[end][: len(where)] == where:
            end += 1
        if end < len(self.lines):
            while end > first + 1 and self.lines[end - 1].lstrip().startswith("#"):
                end -= 1
        return first, min(end, len(self.lines))

    def _extent(self, first: int) -> int:
        try:
            return extent(self.lines, first)
        except ValueError:
            raise NotEditableError("no whole value stands there") from None

    def _indent(self, line: int) -> str:
        text = self.lines[line]
        return text[: len(text) - len(text.lstrip())]


def _as_read(value: object) -> Any:
    """Return a value as it is read from what is written of it; None stays."""
    return None if value is None else tomllib.loads(f"value = {as_toml(value)}")["value"]
