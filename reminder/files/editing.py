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
        for name, given in values.items():
            table, value = self.table(where), _as_read(given)
            if table.get(name) == value:
                continue
            place = self._places.get((*where, name))
            if value is None:
                del table[name]
                self._remove_key(place)
            else:
                table[name] = value
                self._write(where, place, name, as_toml(given))
            self._read()

    def _remove_key(self, place: int | None) -> None:
        if place is None:
            raise NotEditableError("the key has no line of its own")
        first = place - 1
        del self.lines[first : first + self._extent(first)]

    def _write(self, where: Where, place: int | None, name: str, value: str) -> None:
        if place is not None:
            indent = self._indent(place - 1)
            self._extent(place - 1)
            replace_key(self.lines, place - 1, toml_key(name), value)
            self.lines[place - 1] = indent + self.lines[place - 1]
            return
        header = self._header(where)
        own = [p - 1 for key in self.table(where) if (p := self._places.get((*where, key)))]
        keys = [first for first in own if not self.lines[first].lstrip().startswith("[")]
        behind = max((first + self._extent(first) for first in keys), default=header + 1)
        line = f"{self._indent(header)}{toml_key(name)} = {value}"
        self.lines.insert(behind, line)

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
