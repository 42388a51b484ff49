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
from functools import cache
from itertools import groupby
from typing import get_args

from jinja2 import Environment, PackageLoader, StrictUndefined
from markupsafe import Markup

from reminder.domain.channels import Action, Outbound
from reminder.messages.limits import Line, LineKind, fit
from reminder.messages.wording import one_line

REPEAT = "(có thể là tin gửi lại)"
REPEAT_SLOT = "<!--repeat-->"
FOOTER_SLOT = "<!--footer-->"
Actions = tuple[tuple[Action, ...], ...]
_SHAPES: dict[str, str] = {"item": "cards", "late": "cards", "done": "cards"}
_CODE_STYLE = "font-family:Consolas,Menlo,monospace;font-size:15px;background-color:#eef2f6;"
_RE = re.compile(r"(?i)^(?:\s*(?:re|fw|fwd|tl|trả lời|v/v trả lời)\s*:)+\s*")
_KINDS = frozenset(get_args(LineKind))
_PAGES: ContextVar[bool] = ContextVar("pages", default=True)


@contextmanager
def pages(*, wanted: bool) -> Iterator[None]:
    """Whether mail pages are made; without mail they are left out, as a third of the work."""
    before = _PAGES.set(wanted)
    try:
        yield
    finally:
        _PAGES.reset(before)


@cache
def _environment() -> Environment:
    return Environment(
        loader=PackageLoader("reminder.messages"),
        auto_reload=False,  # or each rendering would ask the disk whether its files have changed
        autoescape=True,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
        finalize=_finalize,
    )


def _finalize(value: object) -> object:
    if isinstance(value, str) and not isinstance(value, Markup):
        return one_line(value)
    return value


def render_lines(template: str, *, buttons: bool, **values: object) -> list[Line]:
    """The lines of `template`.j2; empty ones are dropped, `@gap` leaves one."""
    text = _environment().get_template(f"{template}.j2").render(buttons=buttons, **values)
    return [_line(line) for line in map(str.strip, text.splitlines()) if line]


def _line(text: str) -> Line:
    head, _, rest = text.partition(" ")
    for kind in _KINDS:
        if head == f"@{kind}":
            return Line(kind, rest.strip())
    return Line("text", text)


def compose(
    template: str,
    *,
    subject: str,
    actions: Actions = (),
    reply_to: str = "",
    edit: str = "",
    **values: object,
) -> Outbound:
    """`template` filled with `values`, in all forms; `pages` says whether as a page too."""
    with_buttons = render_lines(template, buttons=bool(actions), **values)
    typed = render_lines(template, buttons=False, **values) if actions else with_buttons
    heading = one_line(subject, 150)
    return Outbound(
        subject=heading,
        html="\n".join(line.shown for line in fit(with_buttons)),
        text="\n".join(line.plain for line in typed),
        mail_html=mail_document(heading, typed) if _PAGES.get() else "",
        actions=actions,
        reply_to=reply_to,
        edit=edit,
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
