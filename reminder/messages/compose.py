"""Templates → messages: a template gives lines, the lines give every form of a message.

A template writes Telegram's HTML, a line a line; what stands in {{ }} is escaped, in NFC and on one
line. `@item`, `@late`, `@done`, `@row` and `@gap` at a line's start say what it is, and `buttons`
whether the reader has any: the plain forms say what to type instead.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from contextvars import ContextVar
from dataclasses import replace
from functools import cache, lru_cache
from itertools import groupby
from typing import Any, get_args

from jinja2 import Environment, PackageLoader, StrictUndefined
from markupsafe import Markup

from reminder.domain.calendar import local_day
from reminder.domain.outbox import Action, Outbound
from reminder.domain.payloads import Payload
from reminder.domain.text import evidence_words
from reminder.messages.context import Context, Work
from reminder.messages.limits import Line, LineKind, fit
from reminder.messages.wording import kind_words, listed, one_line

REPEAT = "(có thể là tin gửi lại)"
REPEAT_SLOT = "<!--repeat-->"
FOOTER_SLOT = "<!--footer-->"
Actions = tuple[tuple[Action, ...], ...]
FAMILIES = ("answers", "notices", "refusals", "questions", "extensions", "lists")
BUTTON_ROWS = 8  # of several messages in one
_SHAPES: dict[str, str] = {"item": "cards", "late": "cards", "done": "cards"}
_CODE_STYLE = "font-family:Consolas,Menlo,monospace;font-size:15px;background-color:#eef2f6;"
_RE = re.compile(r"(?i)^(?:\s*(?:re|fw|fwd|tl|trả lời|v/v trả lời)\s*:)+\s*")
_KINDS: dict[str, LineKind] = {f"@{kind}": kind for kind in get_args(LineKind)}
_PAGES: ContextVar[bool] = ContextVar("pages", default=True)


def pages_wanted() -> bool:
    """Whether mail pages are made."""
    return _PAGES.get()


@contextmanager
def pages(*, wanted: bool) -> Iterator[None]:
    """Whether mail pages are made; without mail they are left out, as a third of the work."""
    before = _PAGES.set(wanted)
    try:
        yield
    finally:
        _PAGES.reset(before)


@lru_cache(maxsize=512)  # a message says the same once more where it has buttons, and by mail
def _flat(text: str) -> str:
    return one_line(text)


@cache
def _environment() -> Environment:
    made = Environment(
        loader=PackageLoader("reminder.messages"),
        auto_reload=False,  # or each rendering would ask the disk whether its files have changed
        autoescape=True,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
        finalize=_finalize,
    )
    made.filters |= _FILTERS
    made.globals["listed"] = listed
    return made


_FILTERS = {
    "evidence": evidence_words,  # “12/QĐ” → “số 12/QĐ”
    "kind": kind_words,
    "cut": lambda markup: one_line(markup.unescape()),
    "bare": lambda text: text.rstrip(" ."),
    "local_day": local_day,
    "capital": lambda text: f"{text[:1].upper()}{text[1:]}",
}


def _finalize(value: object) -> object:
    if isinstance(value, str) and not isinstance(value, Markup):
        return _flat(value)
    return value


def render_lines(template: str, *, buttons: bool, **values: object) -> list[Line]:
    """The lines of `template`.j2; empty ones are dropped, `@gap` leaves one."""
    text = _environment().get_template(f"{template}.j2").render(buttons=buttons, **values)
    return [_line(line) for line in map(str.strip, text.splitlines()) if line]


def block_lines(family: str, name: str, /, *, buttons: bool, **values: object) -> list[Line]:
    """The lines of the block `name` of a family's template; see `render_lines`."""
    return [_line(line) for line in block_text(family, name, buttons=buttons, **values)]


def block_text(family: str, name: str, /, **values: object) -> list[str]:
    """The lines of the block as the template gives them, with their marks."""
    template = _environment().get_template(f"{family}.j2")
    block = template.blocks[name.replace("-", "_")]
    text = "".join(block(template.new_context(values)))
    return [line for line in map(str.strip, text.splitlines()) if line]


def _line(text: str) -> Line:
    head, _, rest = text.partition(" ")
    if kind := _KINDS.get(head):
        return Line(kind, rest.strip())
    return Line("text", text)


def message(family: str, name: str, /, *, actions: Actions = (), **values: object) -> Outbound:
    """The block `name` of a family's template, in all forms.

    Its line `@subject` is the subject; without one the first line is.
    """
    lines = block_lines(family, name, buttons=bool(actions), **values)
    typed = block_lines(family, name, buttons=False, **values) if actions else lines
    subject = typed[0].plain if typed[0].kind == "subject" else typed[0].plain.rstrip(" :.")
    lines, typed = _without_subject(lines), _without_subject(typed)
    return _outbound(one_line(subject, 150), lines, typed, actions)


def plain(context: Context, p: Payload) -> Outbound | None:
    """Return the block of the payload's name, with the work that it names first, if any.

    None where no plan has that work any more; KeyError where there is no such block.
    """
    values: dict[str, Any] = {"c": context, "p": p}
    if keys := p.occurrences():
        state = context.states.get(keys[0])
        if state is None:
            return None
        values["work"] = Work(context, state)
    return message(family(p.view), p.view, **values)


@cache
def family(view: str) -> str:
    """Return the template that has the block of this name."""
    block = view.replace("-", "_")
    for name in FAMILIES:
        if block in _environment().get_template(f"{name}.j2").blocks:
            return name
    raise KeyError(view)


def _without_subject(lines: list[Line]) -> list[Line]:
    return lines[1:] if lines[0].kind == "subject" else lines


def _outbound(
    subject: str, lines: Sequence[Line], typed: Sequence[Line], actions: Actions
) -> Outbound:
    return Outbound(
        subject=subject,
        html="\n".join(line.shown for line in fit(lines)),
        text="\n".join(line.plain for line in typed),
        mail_html=mail_document(subject, typed) if _PAGES.get() else "",
        actions=actions,
    )


def joined(messages: list[Outbound]) -> Outbound | None:
    """Several messages as one; its buttons are as many as fit."""
    if len(messages) < 2:
        return messages[0] if messages else None
    html = "\n\n".join(message.html for message in messages)
    lines = [Line("row", line) for line in html.split("\n")]
    rows = tuple(row for message in messages for row in message.actions)
    text = "\n\n".join(message.text for message in messages)
    subject = messages[0].subject
    kept = [Line("text", line.html) for line in lines if line.html]
    return Outbound(
        subject=subject,
        html="\n".join(line.shown for line in fit(lines)),
        text=text,
        mail_html=mail_document(subject, kept),
        actions=rows[:BUTTON_ROWS],
        attachments=tuple(file for message in messages for file in message.attachments),
    )


def mail_document(subject: str, lines: Sequence[Line]) -> str:
    """A whole HTML document of `lines` that every mail client shows: no style sheet, no image."""
    blocks = [
        (shape, [(line.kind, Markup(_in_mail(line))) for line in group])  # noqa: S704 - escaped
        for shape, group in groupby(lines, key=lambda line: _SHAPES.get(line.kind, line.kind))
    ]
    return page("mail.html", subject=subject, blocks=blocks)


def page(template: str, **values: object) -> str:
    """`template`.j2 as a whole document; what stands in {{ }} is escaped."""
    return _environment().get_template(f"{template}.j2").render(**values).strip() + "\n"


def _in_mail(line: Line) -> str:
    return line.html.replace("<code>", f'<code style="{_CODE_STYLE}">')


def repeated(message: Outbound) -> Outbound:
    """`message` marked as a possible repeat."""
    return replace(
        message,
        html=f"<i>{REPEAT}</i>\n{message.html}",
        text=f"{REPEAT}\n{message.text}",
        mail_html=message.mail_html.replace(REPEAT_SLOT, f"<i>{REPEAT}</i><br>"),
    )


def in_thread(message: Outbound, subject: str, before: Sequence[str]) -> Outbound:
    """`message` as an answer to a mail with this subject; `before`: the ids above it."""
    bare = _RE.sub("", one_line(subject, 150))
    heading = f"Re: {bare}" if bare else message.subject
    return replace(message, subject=heading, thread=tuple(one for one in before if one))


def with_footer(message: Outbound, footer: str) -> Outbound:
    """`message` as a mail, with `footer` below both of its forms."""
    safe = str(Markup.escape(footer))
    return replace(
        message,
        text=f"{message.text}\n\n-- \n{footer}",
        mail_html=message.mail_html.replace(FOOTER_SLOT, safe),
    )
