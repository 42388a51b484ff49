"""config/reminder.toml, overridden by environment variables → Settings, or all faults of both.

Each key is also REMINDER_SECTION__KEY, a secret also REMINDER_SECTION__KEY_FILE. Paths are relative
to the settings file; those from the environment, and the store's, to the current directory. Only
this module reads os.environ. Importing it takes 0.1 s (pydantic).
"""

from __future__ import annotations

import os
import re
from collections.abc import Iterator, Mapping
from functools import cache
from pathlib import Path
from typing import Any, TypeGuard, get_args

from pydantic import BaseModel, SecretStr, ValidationError
from pydantic.fields import FieldInfo
from pydantic_core import ErrorDetails
from pydantic_settings import EnvSettingsSource

from reminder.domain.errors import FileError, Problem
from reminder.files.sections import PREFIX, Section, Settings
from reminder.files.toml import Document, Where, nearest, read_text

DEFAULT_PATH = Path("config/reminder.toml")


def environment() -> dict[str, str]:
    """The environment of this process."""
    return dict(os.environ)


def settings_path(path: Path | None, environ: Mapping[str, str]) -> Path | None:
    """`path`, $REMINDER_CONFIG or config/reminder.toml; None if there is no file."""
    if path is not None:
        return path
    if environ.get(f"{PREFIX}CONFIG"):
        return Path(environ[f"{PREFIX}CONFIG"])
    return DEFAULT_PATH if DEFAULT_PATH.is_file() else None


def load_settings(path: Path | None, environ: Mapping[str, str]) -> Settings:
    """The settings of `settings_path`, overridden by the environment; FileError with all faults."""
    path = settings_path(path, environ)
    folder = path.parent if path else DEFAULT_PATH.parent
    reader = _Reader(Document(path, quote=False) if path else None)
    data = _merged(reader.file_layer(folder), reader.environment_layer(environ))
    found = reader.settings(_with_default_files(data, folder))
    if found is None or reader.problems:
        raise FileError(reader.problems)
    return found


def secret_files(path: Path | None, environ: Mapping[str, str]) -> list[Path]:
    """The files that hold a secret; FileError if the settings can't be read."""
    path = settings_path(path, environ)
    data = Document(path, quote=False).data if path else {}
    tables = ((data.get(section), key) for section, key in _secrets())
    held = any(isinstance(table, dict) and _is_secret(table.get(key)) for table, key in tables)
    named = [environ.get(f"{_variable(secret)}_FILE", "") for secret in _secrets()]
    return [*([path] if path and held else []), *(Path(name) for name in named if name)]


def _is_secret(value: object) -> bool:
    """Whether `value` is a secret; the address of a SQLite file is none."""
    return isinstance(value, str) and bool(value) and not value.startswith("sqlite:")


class _Reader:
    """Collects faults, each with the line or the variable that a person has to correct."""

    def __init__(self, document: Document | None) -> None:
        self._document = document
        self._variables: dict[Where, str] = {}  # key → the variable that set it
        self._others: list[Problem] = []

    @property
    def problems(self) -> list[Problem]:
        of_file = self._document.problems if self._document else []
        return [*sorted(of_file, key=lambda p: p.line or 0), *self._others]

    def file_layer(self, folder: Path) -> dict[str, Any]:
        """The tables of the file, with its paths relative to `folder`."""
        data = dict(self._document.data) if self._document else {}
        for section, key in _keys(Settings, Path):
            table = data.get(section)
            if isinstance(table, dict) and key in table:
                value = _relative_to(folder, table[key])
                one_of_many = key == "files" and isinstance(value, str)
                data[section] = {**data[section], key: [value] if one_of_many else value}
        return data

    def environment_layer(self, environ: Mapping[str, str]) -> dict[str, Any]:
        """The tables from the environment's variables; an unknown variable is a fault."""
        known = {_variable(path): path for path in _key_paths(Settings)}
        files = {f"{_variable(path)}_FILE": path for path in _secrets()}
        values: dict[str, str] = {}
        for name, value in sorted(environ.items()):
            if name in known:
                values[name.lower()] = value
                self._variables[known[name]] = name
            elif name in files and value:
                self._from_file(name, Path(value), files[name], environ, values)
            elif name not in files and _is_our_variable(name):
                self._variable_fault(name, f"không có khóa này{nearest(name, [*known, *files])}")
        source = EnvSettingsSource(Settings)
        source.env_vars = values  # otherwise it reads os.environ
        return source()

    def _from_file(
        self,
        name: str,
        file: Path,
        path: Where,
        environ: Mapping[str, str],
        values: dict[str, str],
    ) -> None:
        plain = name.removesuffix("_FILE")
        if plain in environ:
            return self._variable_fault(name, f"chỉ đặt một trong hai: {plain} hoặc {name}")
        try:
            secret = read_text(file).strip()
        except FileError as error:
            return self._variable_fault(name, str(error))
        if not secret:
            return self._variable_fault(name, f"{file}: tệp rỗng")
        values[plain.lower()] = secret
        self._variables[path] = name
        return None

    def settings(self, data: dict[str, Any]) -> Settings | None:
        """The settings from `data`; None if it has faults."""
        for key in [key for key in data if key not in Settings.model_fields]:
            del data[key]  # BaseSettings takes some unknown ones, _env_file, for its own options
            message = f"không có bảng “{key}”{nearest(key, Settings.model_fields)}"
            if self._document is not None:
                self._document.complain((key,), message)
        try:
            return Settings(**data)
        except ValidationError as error:
            for fault in error.errors(include_url=False):
                self._field_fault(fault)
        return None

    def _field_fault(self, fault: ErrorDetails) -> None:
        where: Where = fault["loc"]
        context = fault.get("ctx", {})
        if fault["type"] == "at":
            where = (*where, *context.get("section", ()), context["key"])
        field = _field_path(where)
        name = self._variables.get(field)
        message = _message(fault, where, field)
        if name is not None:
            self._variable_fault(name, message)
        elif self._document is not None:
            self._document.complain(where, message)
        else:
            self._others.append(Problem(".".join(map(str, field)), None, message))

    def _variable_fault(self, variable: str, message: str) -> None:
        problem = Problem(variable, None, message)
        if problem not in self._others:
            self._others.append(problem)


def _message(fault: ErrorDetails, where: Where, field: Where) -> str:
    """One sentence: what is wrong and what to write; never the value of a secret."""
    key = str(field[-1]) if field else ""
    if fault["type"] == "at":
        return str(fault["ctx"]["message"])
    if fault["type"] == "extra_forbidden":
        siblings = _model_at(where[:-1]).model_fields
        return f"không có khóa “{where[-1]}”{nearest(str(where[-1]), siblings)}"
    description = _description(field)
    if description is None:
        return f"`{key}` phải là một bảng [{'.'.join(map(str, field))}]"
    if field in _secrets():
        return f"`{key}` phải là {description}"
    value = fault["input"]
    near = ""
    if fault["type"] == "literal_error" and isinstance(value, str):
        near = nearest(value, re.findall(r'"(\w+)"', description))
    return f"`{key}` phải là {description}, không phải {value!r:.60}{near}"


def _model_at(where: Where) -> type[BaseModel]:
    """The model of the table at `where`; Settings for the root and for an unknown table."""
    model: type[BaseModel] = Settings
    for name in where:
        field = model.model_fields.get(str(name))
        if field is None or not _is_section(field.annotation):
            break
        model = field.annotation
    return model


def _is_section(annotation: Any) -> TypeGuard[type[Section]]:
    return isinstance(annotation, type) and issubclass(annotation, Section)


def _key_paths(model: type[BaseModel], before: tuple[str, ...] = ()) -> Iterator[tuple[str, ...]]:
    """The path of each key, such as ("log", "level")."""
    for name, field in model.model_fields.items():
        if _is_section(field.annotation):
            yield from _key_paths(field.annotation, (*before, name))
        else:
            yield (*before, name)


@cache
def _keys(model: type[BaseModel], kind: type) -> tuple[tuple[str, ...], ...]:
    """The paths of the keys whose value is of this kind, or holds some."""
    return tuple(leaf for leaf in _key_paths(model) if _holds(_field(leaf).annotation, kind))


def _secrets() -> tuple[tuple[str, ...], ...]:
    """The paths of the keys that hold a secret; a database's address may hold a password."""
    return (*_keys(Settings, SecretStr), ("store", "url"))


def _holds(annotation: Any, kind: type) -> bool:
    return annotation is kind or any(_holds(part, kind) for part in get_args(annotation))


def _field(leaf: tuple[str, ...]) -> FieldInfo:
    return _model_at(leaf[:-1]).model_fields[leaf[-1]]


def _field_path(where: Where) -> Where:
    """The path of the key in `where`, without the indices inside its value."""
    for leaf in _key_paths(Settings):
        if where[: len(leaf)] == leaf:
            return leaf
    return where


def _description(field: Where) -> str | None:
    """What to write for this key; None for a table."""
    found = _model_at(field[:-1]).model_fields.get(str(field[-1])) if field else None
    return found.description if found else None


def _variable(path: tuple[str, ...]) -> str:
    return PREFIX + "__".join(path).upper()


def _is_our_variable(name: str) -> bool:
    """Whether the variable is meant as a key, if with a typing error: REMINDER_TELEGRAM_TOKEN."""
    sections = tuple(f"{PREFIX}{section.upper()}_" for section in Settings.model_fields)
    return name.startswith(sections) or (name.startswith(PREFIX) and "__" in name)


def _relative_to(folder: Path, value: Any) -> Any:
    """A path, or a list of paths, relative to `folder`; other values unchanged."""
    if isinstance(value, str) and value.strip():
        return str(folder / value)
    if isinstance(value, list):
        return [_relative_to(folder, part) for part in value]
    return value


def _merged(below: dict[str, Any], above: dict[str, Any]) -> dict[str, Any]:
    """Both merged, `above` first; a value in the place of a table is kept, and refused later."""
    merged = dict(below)
    for key, value in above.items():
        old = merged.get(key)
        if isinstance(old, dict) and isinstance(value, dict):
            merged[key] = _merged(old, value)
        elif not isinstance(value, dict) or old is None:
            merged[key] = value
    return merged


def _with_default_files(data: dict[str, Any], folder: Path) -> dict[str, Any]:
    """Add people.toml and calendar.toml beside the settings file if [plan] does not name them."""
    table = data.get("plan", {})
    if not isinstance(table, dict):
        return data
    beside = {key: folder / f"{key}.toml" for key in ("people", "calendar")}
    found = {k: str(p) for k, p in beside.items() if k not in table and p.is_file()}
    return {**data, "plan": {**found, **table}}
