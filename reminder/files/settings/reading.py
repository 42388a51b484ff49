"""The file, then the environment over it → Settings, or every fault of both."""

from __future__ import annotations

import os
import re
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any, TypeGuard

from pydantic import BaseModel, ValidationError
from pydantic_core import ErrorDetails
from pydantic_settings import EnvSettingsSource

from reminder.domain.errors import FileError, Problem
from reminder.files.settings.sections import PREFIX, Section, Settings
from reminder.files.toml import Document, Where, nearest, read_text

DEFAULT_PATH = Path("config/reminder.toml")
_PATHS = (
    ("plan", "files"),
    ("plan", "people"),
    ("plan", "calendar"),
    ("email", "ca_file"),
    ("inbox", "ca_file"),
    ("backup", "folder"),
    ("backup", "second_folder"),
)
_SECRETS = (
    ("telegram", "token"),
    ("email", "password"),
    ("inbox", "password"),
    ("store", "url"),
    ("watch", "heartbeat_url"),
)


def environment() -> dict[str, str]:
    """The environment of this process."""
    return dict(os.environ)


def settings_path(path: Path | None, environ: Mapping[str, str]) -> Path | None:
    """The settings file that is meant; None: there is none, and the defaults hold."""
    if path is not None:
        return path
    if environ.get(f"{PREFIX}CONFIG"):
        return Path(environ[f"{PREFIX}CONFIG"])
    return DEFAULT_PATH if DEFAULT_PATH.is_file() else None


def load_settings(path: Path | None, environ: Mapping[str, str]) -> Settings:
    """The settings of the file `path` (None: $REMINDER_CONFIG, config/reminder.toml, none at all)
    with the environment over them; FileError with every fault of both."""
    path = settings_path(path, environ)
    folder = path.parent if path else DEFAULT_PATH.parent
    reader = _Reader(_document(path) if path else None)
    data = _laid_over(reader.file_layer(folder), reader.environment_layer(environ))
    found = reader.settings(_with_neighbours(data, folder))
    if found is None or reader.problems:
        raise FileError(reader.problems)
    return found


def secret_files(path: Path | None, environ: Mapping[str, str]) -> list[Path]:
    """The files in which a secret is written; FileError if the settings can't be read."""
    path = settings_path(path, environ)
    data = _document(path).data if path else {}
    tables = ((data.get(section), key) for section, key in _SECRETS)
    held = any(isinstance(table, dict) and _is_secret(table.get(key)) for table, key in tables)
    named = [environ.get(f"{_variable(secret)}_FILE", "") for secret in _SECRETS]
    return [*([path] if path and held else []), *(Path(name) for name in named if name)]


def _is_secret(value: object) -> bool:
    """Whether there is one; a database that is a file is no secret."""
    return isinstance(value, str) and bool(value) and not value.startswith("sqlite:")


def _document(path: Path) -> Document:
    """The file; a line that can't be read is not quoted, for it may hold the token."""
    read_text(path)
    problems: tuple[Problem, ...] = ()
    try:
        return Document(path)
    except FileError as error:
        problems = error.problems
    words = (
        "không đọc được dòng này: chữ phải nằm trong dấu nháy kép, "
        "mỗi khóa và mỗi bảng chỉ ghi một lần"
    )
    raise FileError([Problem(p.where, p.line, words) for p in problems])


class _Reader:
    """Collects faults, each under the line or the variable that a person has to mend."""

    def __init__(self, document: Document | None) -> None:
        self._document = document
        self._variables: dict[Where, str] = {}  # what came from the environment, and its name
        self._others: list[Problem] = []

    @property
    def problems(self) -> list[Problem]:
        of_file = self._document.problems if self._document else []
        return [*sorted(of_file, key=lambda p: p.line or 0), *self._others]

    def file_layer(self, folder: Path) -> dict[str, Any]:
        """The file's tables, their paths made to stand on `folder`."""
        data = dict(self._document.data) if self._document else {}
        for section, key in _PATHS:
            table = data.get(section)
            if isinstance(table, dict) and key in table:
                value = _standing_on(folder, table[key])
                one_of_many = key == "files" and isinstance(value, str)
                data[section] = {**data[section], key: [value] if one_of_many else value}
        return data

    def environment_layer(self, environ: Mapping[str, str]) -> dict[str, Any]:
        """The tables that the variables make; unknown ones are faults."""
        known = {_variable(path): path for path in _leaves(Settings)}
        files = {f"{_variable(path)}_FILE": path for path in _SECRETS}
        values: dict[str, str] = {}
        for name, value in sorted(environ.items()):
            if name in known:
                values[name.lower()] = value
                self._variables[known[name]] = name
            elif name in files and value:
                self._from_file(name, Path(value), files[name], environ, values)
            elif name not in files and _is_meant_for_us(name):
                self._blame(name, f"không có khóa này{nearest(name, [*known, *files])}")
        source = EnvSettingsSource(Settings)
        source.env_vars = values  # it would read os.environ itself
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
            return self._blame(name, f"chỉ đặt một trong hai: {plain} hoặc {name}")
        try:
            secret = read_text(file).strip()
        except FileError as error:
            return self._blame(name, str(error))
        if not secret:
            return self._blame(name, f"{file}: tệp rỗng")
        values[plain.lower()] = secret
        self._variables[path] = name
        return None

    def settings(self, data: dict[str, Any]) -> Settings | None:
        """The settings that `data` comes to; None where that is none, which is noted."""
        for key in [key for key in data if key not in Settings.model_fields]:
            del data[key]  # BaseSettings takes some unknown ones, _env_file, for its own options
            message = f"không có bảng “{key}”{nearest(key, Settings.model_fields)}"
            if self._document is not None:
                self._document.complain((key,), message)
        try:
            return Settings(**data)
        except ValidationError as error:
            for fault in error.errors(include_url=False):
                self._tell(fault)
        return None

    def _tell(self, fault: ErrorDetails) -> None:
        where: Where = fault["loc"]
        context = fault.get("ctx", {})
        if fault["type"] == "at":
            where = (*where, *context.get("section", ()), context["key"])
        field = _field_path(where)
        name = self._variables.get(field)
        message = _message(fault, where, field)
        if name is not None:
            self._blame(name, message)
        elif self._document is not None:
            self._document.complain(where, message)
        else:
            self._others.append(Problem(".".join(map(str, field)), None, message))

    def _blame(self, variable: str, message: str) -> None:
        problem = Problem(variable, None, message)
        if problem not in self._others:
            self._others.append(problem)


def _message(fault: ErrorDetails, where: Where, field: Where) -> str:
    """One sentence: what is wrong and what to write; of a secret never the value."""
    key = str(field[-1]) if field else ""
    if fault["type"] == "at":
        return str(fault["ctx"]["message"])
    if fault["type"] == "extra_forbidden":
        siblings = _model_at(where[:-1]).model_fields
        return f"không có khóa “{where[-1]}”{nearest(str(where[-1]), siblings)}"
    description = _described(field)
    if description is None:
        return f"`{key}` phải là một bảng [{'.'.join(map(str, field))}]"
    if field in _SECRETS:
        return f"`{key}` phải là {description}"
    value = fault["input"]
    near = ""
    if fault["type"] == "literal_error" and isinstance(value, str):
        near = nearest(value, re.findall(r'"(\w+)"', description))
    return f"`{key}` phải là {description}, không phải {value!r:.60}{near}"


def _model_at(where: Where) -> type[BaseModel]:
    """The model of the table at `where`; Settings for the root and for what is none."""
    model: type[BaseModel] = Settings
    for name in where:
        field = model.model_fields.get(str(name))
        if field is None or not _is_section(field.annotation):
            break
        model = field.annotation
    return model


def _is_section(annotation: Any) -> TypeGuard[type[Section]]:
    return isinstance(annotation, type) and issubclass(annotation, Section)


def _leaves(model: type[BaseModel], before: tuple[str, ...] = ()) -> Iterator[tuple[str, ...]]:
    """The path of each key that holds a value."""
    for name, field in model.model_fields.items():
        if _is_section(field.annotation):
            yield from _leaves(field.annotation, (*before, name))
        else:
            yield (*before, name)


def _field_path(where: Where) -> Where:
    """`where` up to the key, without the places inside its value."""
    for leaf in _leaves(Settings):
        if where[: len(leaf)] == leaf:
            return leaf
    return where


def _described(field: Where) -> str | None:
    """What one should write for this key; None for a table."""
    found = _model_at(field[:-1]).model_fields.get(str(field[-1])) if field else None
    return found.description if found else None


def _variable(path: tuple[str, ...]) -> str:
    return PREFIX + "__".join(path).upper()


def _is_meant_for_us(name: str) -> bool:
    """A variable that looks like a key, or like one with a slip: REMINDER_TELEGRAM_TOKEN."""
    sections = tuple(f"{PREFIX}{section.upper()}_" for section in Settings.model_fields)
    return name.startswith(sections) or (name.startswith(PREFIX) and "__" in name)


def _standing_on(folder: Path, value: Any) -> Any:
    """A path, or a list of them, relative to `folder`; anything else is told later."""
    if isinstance(value, str) and value.strip():
        return str(folder / value)
    if isinstance(value, list):
        return [_standing_on(folder, part) for part in value]
    return value


def _laid_over(below: dict[str, Any], above: dict[str, Any]) -> dict[str, Any]:
    """Both, `above` where both speak; a value where a table belongs stays, to be told."""
    merged = dict(below)
    for key, value in above.items():
        old = merged.get(key)
        if isinstance(old, dict) and isinstance(value, dict):
            merged[key] = _laid_over(old, value)
        elif not isinstance(value, dict) or old is None:
            merged[key] = value
    return merged


def _with_neighbours(data: dict[str, Any], folder: Path) -> dict[str, Any]:
    """people.toml and calendar.toml beside the settings file need not be named."""
    table = data.get("plan", {})
    if not isinstance(table, dict):
        return data
    beside = {key: folder / f"{key}.toml" for key in ("people", "calendar")}
    found = {k: str(p) for k, p in beside.items() if k not in table and p.is_file()}
    return {**data, "plan": {**found, **table}}
