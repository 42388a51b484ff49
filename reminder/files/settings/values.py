"""The types of the settings' values; a validator raises a bare ValueError for a bad value.

The message to the administrator is made from the description of the field (sections.py).
"""

from __future__ import annotations

import re
from datetime import date, time
from pathlib import Path
from typing import Annotated, Literal

from pydantic import AfterValidator, BeforeValidator, Field, SecretStr
from pydantic_settings import NoDecode

from reminder.domain.people import MAIL_ADDRESS


def _clock(value: object) -> time:
    """“08:00”, “8h30”, or a time of TOML; pydantic would read a number as seconds."""
    if isinstance(value, time):
        return value
    found = re.fullmatch(r"\s*(\d{1,2})[:hg](\d{2})\s*", value) if isinstance(value, str) else None
    if found is None:
        raise ValueError
    return time(int(found[1]), int(found[2]))


def _day_month(value: object) -> tuple[int, int]:
    """31/01 → (1, 31); 29/02 is refused."""
    found = re.fullmatch(r"\s*(\d{1,2})/(\d{1,2})\s*", value) if isinstance(value, str) else None
    if found is None:
        raise ValueError
    day, month = int(found[1]), int(found[2])
    date(2023, month, day)  # not a leap year; ValueError if there is no such day
    return month, day


def _listed(value: object) -> object:
    """A list; from the environment as “14,7,3” or “[14,7,3]”."""
    if not isinstance(value, str):
        return value
    parts = (part.strip(" \t\"'") for part in value.strip(" \t[]").split(","))
    return [part for part in parts if part]


def _number(value: object) -> object:
    if isinstance(value, bool):  # an int to Python
        raise ValueError
    return value


def _descending(values: tuple[int, ...]) -> tuple[int, ...]:
    return tuple(sorted(set(values), reverse=True))


def _ascending(values: tuple[int, ...]) -> tuple[int, ...]:
    return tuple(sorted(set(values)))


def _token(value: SecretStr) -> SecretStr:
    text = value.get_secret_value().strip()
    if re.search(r"[\s/]", text):
        raise ValueError
    return SecretStr(text)


def _base_url(value: str) -> str:
    value = value.rstrip("/")
    if not re.fullmatch(r"https?://[^\s/]+(/\S*)?/bot", value):
        raise ValueError
    return value


def _url(value: SecretStr) -> SecretStr:
    text = value.get_secret_value().strip()
    if text and not re.fullmatch(r"https?://[^\s/?#@]+([/?#]\S*)?", text):
        raise ValueError
    return SecretStr(text)


def _listen(value: str) -> str:
    found = re.fullmatch(r"(\[[0-9a-fA-F:.]+\]|[A-Za-z0-9.-]+):(\d{1,5})", value)
    if value and (found is None or not 0 <= int(found[2]) <= 65535):
        raise ValueError
    return value


def _bot_name(value: str) -> str:
    value = value.removeprefix("@")
    if value and not re.fullmatch(r"[A-Za-z0-9_]{3,32}", value):
        raise ValueError
    return value


def _address(value: str) -> str:
    if value and not MAIL_ADDRESS.fullmatch(value):
        raise ValueError
    return value


def _one_line(value: str) -> str:
    if len(value) > 100 or any(ord(c) < 32 for c in value):
        raise ValueError
    return value


def _names(value: object) -> object:
    """A list of names; from one text separated by semicolons, since a name may contain commas."""
    if not isinstance(value, str):
        return value
    return [part.strip() for part in value.split(";") if part.strip()]


def _lower(value: object) -> object:
    return value.strip().lower() if isinstance(value, str) else value


def _filled(value: Path) -> Path:
    if not value.name or "\0" in str(value):
        raise ValueError
    return value


File = Annotated[Path, AfterValidator(_filled)]
Line = Annotated[str, AfterValidator(_one_line)]
Names = Annotated[tuple[Line, ...], NoDecode, BeforeValidator(_names)]
Clock = Annotated[time, BeforeValidator(_clock)]
Whole = Annotated[int, BeforeValidator(_number)]
Before = Annotated[Whole, Field(ge=0, le=365)]
After = Annotated[Whole, Field(ge=1, le=250)]
Leads = Annotated[
    tuple[Before, ...], NoDecode, BeforeValidator(_listed), AfterValidator(_descending)
]
Late = Annotated[tuple[After, ...], NoDecode, BeforeValidator(_listed), AfterValidator(_ascending)]
Security = Annotated[Literal["starttls", "tls", "none"], BeforeValidator(_lower)]

Trust = Annotated[Literal["auth-results", "token"], BeforeValidator(_lower)]
AuthservId = Annotated[str, Field(pattern=r'^[^\s;="()]*$')]


Files = Annotated[tuple[File, ...], NoDecode, BeforeValidator(_listed)]
DayMonth = Annotated[tuple[int, int], NoDecode, BeforeValidator(_day_month)]
Format = Annotated[Literal["text", "json"], BeforeValidator(_lower)]
Level = Annotated[Literal["debug", "info", "warning", "error"], BeforeValidator(_lower)]
Token = Annotated[SecretStr, AfterValidator(_token)]
BaseUrl = Annotated[str, AfterValidator(_base_url)]
Url = Annotated[SecretStr, AfterValidator(_url)]
Listen = Annotated[str, AfterValidator(_listen)]
BotName = Annotated[str, AfterValidator(_bot_name)]
MailAddress = Annotated[str, AfterValidator(_address)]
OfficeId = Annotated[str, Field(max_length=64, pattern=r"^([a-z0-9][a-z0-9-]*)?$")]
Host = Annotated[str, Field(pattern=r"^[^\s/@:]*$|^[0-9a-fA-F:]+$")]
Port = Annotated[Whole, Field(ge=1, le=65535)]
