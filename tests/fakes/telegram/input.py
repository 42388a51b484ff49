"""Reading a request's parameters the way the server does: what is looked at, and in which words
it is refused."""

from __future__ import annotations

import json
import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from .html import parse_html
from .model import Button, Entity, File, Formatted, Keyboard, bad_request

RAW_BYTES = 1 << 15  # before parsing, tags included
TEXT_POINTS = 4096  # after parsing, in code points
CAPTION_POINTS = 1024
DATA_BYTES = range(1, 65)  # of callback_data in UTF-8

_CONTROL = {code: " " for code in range(32) if code not in (10, 13)} | {13: None}
_BLANK = (b" \0", b"\n\0")  # space and line feed as UTF-16 units


@dataclass(frozen=True)
class Params:
    """The parameters of one request; everything arrives as text, structures as JSON."""

    fields: Mapping[str, str]
    files: Mapping[str, File] = field(default_factory=dict)

    def text(self, name: str) -> str:
        """The value, or nothing."""
        return self.fields.get(name, "")

    def number(self, name: str, default: int = 0) -> int:
        """A whole number; what isn't one counts as not given."""
        value = self.text(name)
        return int(value) if re.fullmatch(r"[+-]?[0-9]+", value) else default

    def flag(self, name: str) -> bool:
        """True for `true`, `yes` and `1` in any case."""
        return self.text(name).lower() in ("true", "yes", "1")

    def json(self, name: str, what: str) -> Any:
        """The decoded value, None when it isn't given."""
        value = self.text(name)
        try:
            return json.loads(value) if value else None
        except ValueError:
            raise bad_request(f"can't parse {what} JSON object") from None


def read_formatted(params: Params, name: str, entities: str) -> Formatted:
    """The text after parsing; only HTML is known here, although the server also knows Markdown."""
    raw, mode = params.text(name), params.text("parse_mode").lower()
    if len(raw.encode()) > RAW_BYTES:
        raise bad_request("text is too long")
    if mode not in ("", "none", "html"):
        raise bad_request("unsupported parse_mode")
    if raw and mode == "html":
        return parse_html(raw)
    given = params.json(entities, "entities") or []
    names = ("type", "offset", "length", "url", "language")
    return Formatted(raw, tuple(Entity(*map(entity.get, names)) for entity in given))


def read_text(params: Params) -> Formatted:
    """A message's text; not given at all has an error of its own."""
    params.json("link_preview_options", "link preview options")
    if not params.text("text"):
        raise bad_request("message text is empty")
    return read_formatted(params, "text", "entities")


def read_caption(params: Params) -> Formatted:
    """A document's caption; it may be empty."""
    return read_formatted(params, "caption", "caption_entities")


def finish_text(formatted: Formatted) -> Formatted:
    """The text as it will be shown; its length counts after parsing and trimming."""
    shown = tidy(formatted)
    if not shown.text:
        raise bad_request("text must be non-empty")
    if len(shown.text) > TEXT_POINTS:
        raise bad_request("message is too long")
    return shown


def finish_caption(formatted: Formatted) -> Formatted:
    """The caption as it will be shown."""
    shown = tidy(formatted)
    if len(shown.text) > CAPTION_POINTS:
        raise bad_request("message caption is too long")
    return shown


def tidy(formatted: Formatted) -> Formatted:
    """Blanks at both ends go, and a span never begins with a blank."""
    raw = formatted.text.translate(_CONTROL).encode("utf-16-le")
    units = [raw[at : at + 2] for at in range(0, len(raw), 2)]
    solid = [at for at, unit in enumerate(units) if unit not in _BLANK]
    start, stop = (solid[0], solid[-1] + 1) if solid else (0, 0)
    shown = b"".join(units[start:stop]).decode("utf-16-le")
    kept = [_shrink(entity, units, start, stop) for entity in formatted.entities]
    return Formatted(shown, tuple(entity for entity in kept if entity.length > 0))


def _shrink(entity: Entity, units: list[bytes], start: int, stop: int) -> Entity:
    begin, end = entity.offset, min(entity.stop, stop)
    while begin < end and units[begin] in _BLANK:
        begin += 1
    return Entity(entity.type, begin - start, end - begin, entity.url, entity.language)


def read_keyboard(params: Params) -> Keyboard:
    """The inline keyboard; reply keyboards and force-reply are taken and not shown."""
    markup = params.json("reply_markup", "reply keyboard markup")
    if markup is None:
        return ()
    if not isinstance(markup, dict):
        raise bad_request("object expected as reply markup")
    rows = markup.get("inline_keyboard") or []
    if not all(isinstance(row, list) for row in rows):
        words = 'field "inline_keyboard" of the InlineKeyboardMarkup must be an Array of Arrays'
        raise bad_request(words)
    return tuple(tuple(_read_button(button) for button in row) for row in rows if row)


def _read_button(raw: dict[str, Any]) -> Button:
    wrong = "can't parse inline keyboard button: "
    if "text" not in raw:
        raise bad_request(f'{wrong}Can\'t find field "text"')
    if len(raw) == 1:
        raise bad_request(f"{wrong}Text buttons are unallowed in the inline keyboard")
    return Button(raw["text"], raw.get("callback_data"), raw.get("url"))


def check_buttons(keyboard: Keyboard) -> None:
    """callback_data is 1 to 64 bytes, not characters: 22 Vietnamese letters can be too many."""
    for button in (button for row in keyboard for button in row):
        if button.data is not None and len(button.data.encode()) not in DATA_BYTES:
            raise bad_request("BUTTON_DATA_INVALID")
