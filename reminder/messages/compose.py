"""Templates → messages: a template gives lines, the lines give every form of a message.

A template writes Telegram's HTML, a line a line; what stands in {{ }} is escaped, in NFC and on one
line. `@item`, `@late`, `@done`, `@row` and `@gap` at a line's start say what it is, and `buttons`
whether the reader has any: the plain forms say what to type instead. What is longer than a channel
takes is cut between lines, never within a tag.
"""

from __future__ import annotations

import html
import re
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from functools import cache, lru_cache
from itertools import groupby
from typing import Literal, get_args

from jinja2 import Environment, PackageLoader, StrictUndefined, Template
from markupsafe import Markup

from reminder.domain.calendar import local_day, vn_date, vn_day
from reminder.domain.outbox import Action, Outbound
from reminder.domain.payloads import Payload
from reminder.domain.text import clip_plain, divided, evidence_words, one_line, units
from reminder.messages.context import Context, kind_words, listed, some, together

TELEGRAM_LONGEST = 4096  # characters after parsing; counted in UTF-16 units, the stricter way
BUTTON_BYTES = 64  # of a button's data
SPARE = 96  # room for what is added to a finished message: the mark of a repeat, the cut's line
LineKind = Literal["subject", "text", "item", "late", "done", "row", "gap"]
_BULLETS: dict[LineKind, str] = {"item": "• ", "late": "• ", "done": "✅ "}
_LISTED = frozenset({"item", "late", "done", "row"})
REPEAT = "(có thể là tin gửi lại)"
REPEAT_SLOT = "<!--repeat-->"
FOOTER_SLOT = "<!--footer-->"
Actions = tuple[tuple[Action, ...], ...]
FAMILIES = (
    "answers", "questions", "nudge", "notices", "refusals", "extensions", "lists", "escalation",
    "digest",
)  # fmt: skip
BUTTON_ROWS = 8  # of several messages in one
_TAG = re.compile(r"<[^<>]*>")
_LINK = re.compile(r'<a href="([^"<>]*)">([^<>]*)</a>')
_SHAPES: dict[str, str] = {"item": "cards", "late": "cards", "done": "cards"}
_CODE_STYLE = "font-family:Consolas,Menlo,monospace;font-size:15px;background-color:#eef2f6;"
_RE = re.compile(r"(?i)^(?:\s*(?:re|fw|fwd|tl|trả lời|v/v trả lời)\s*:)+\s*")
_KINDS: dict[str, LineKind] = {f"@{kind}": kind for kind in get_args(LineKind)}


@dataclass(frozen=True, slots=True)
class Line:
    """One line of a message, in Telegram's HTML."""

    kind: LineKind
    html: str

    @property
    def shown(self) -> str:
        """The line with its bullet."""
        return _BULLETS.get(self.kind, "") + self.html

    @property
    def plain(self) -> str:
        return plain(self.shown)


def plain(markup: str) -> str:
    """The text that a reader sees of Telegram's HTML; a link's address stands behind its words."""
    if "<a " in markup:
        markup = _LINK.sub(r"\2: \1", markup)
    return html.unescape(_TAG.sub("", markup) if "<" in markup else markup)


def fit(lines: Sequence[Line], longest: int = TELEGRAM_LONGEST - SPARE) -> list[Line]:
    """Return `lines` cut to `longest`: the last of the listed ones go first, and are counted."""
    kept = list(lines)
    dropped, place = 0, 0
    size = sum(units(line.plain) + 1 for line in kept)
    while size > longest:
        places = [n for n, line in enumerate(kept) if line.kind in _LISTED]
        if not places and len(kept) == 1:
            text = clip_plain(kept[0].plain, longest)
            return [Line("text", html.escape(text, quote=False))]
        place = places[-1] if places else len(kept) - 1
        size -= units(kept.pop(place).plain) + 1
        dropped += 1
    if dropped:
        kept.insert(place, Line("text", f"và {dropped} dòng nữa: /viec"))
    return kept


def chat_parts(message: Outbound, longest: int) -> list[str]:
    """Return the plain form of a message for a chat, in as many parts of `longest` as it takes."""
    return divided(message.chat_text, longest)


def clip(markup: str, longest: int = TELEGRAM_LONGEST) -> str:
    """Return a finished HTML message cut to what Telegram takes; as it is where it fits."""
    if units(plain(markup)) <= longest:
        return markup
    lines = [Line("text", line) for line in markup.split("\n")]
    if any(line.html.count("<") != 2 * line.html.count("</") for line in lines):
        return html.escape(clip_plain(plain(markup), longest), quote=False)  # a tag spans lines
    return "\n".join(line.shown for line in fit(lines, longest - SPARE))


@lru_cache(maxsize=512)  # a message says the same once more where it has buttons, and by mail
def _flat(text: str) -> str:
    return one_line(text, 300)


def _finalize(value: object) -> object:
    return _flat(value) if isinstance(value, str) and not isinstance(value, Markup) else value


def environment(package: str, finalize: Callable[[object], object]) -> Environment:
    """Return how the templates of `package` are rendered; each value goes through `finalize`."""
    made = Environment(
        loader=PackageLoader(package),
        auto_reload=False,  # or each rendering would ask the disk whether its files have changed
        autoescape=True,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
        finalize=finalize,
    )
    made.filters |= {
        "evidence": evidence_words,  # “12/QĐ” → “số 12/QĐ”
        "capital": capital,
        "local_day": local_day,
        "vn_day": vn_day,
        "vn_date": vn_date,
    }
    return made


def capital(text: str) -> str:
    """Return `text` with its first letter as a capital."""
    return f"{text[:1].upper()}{text[1:]}"


@cache
def _environment() -> Environment:
    made = environment("reminder.messages", _finalize)
    made.filters |= {
        "kind": kind_words,
        "cut": lambda markup: one_line(markup.unescape(), 300),
        "short": one_line,
        "bare": lambda text: text.rstrip(" ."),
        "once": lambda values: list(dict.fromkeys(values)),
        "some": some,
        "thousands": lambda number: f"{number:,}".replace(",", "."),
    }
    made.globals |= {"listed": listed, "together": together}
    return made


@cache
def _template(block: str) -> Template:
    """Return the family's template that has the block; raise KeyError if none has."""
    for family in FAMILIES:
        template = _environment().get_template(f"{family}.j2")
        if block in template.blocks:
            return template
    raise KeyError(block)


def block_text(name: str, /, **values: object) -> list[str]:
    """Return the lines of the block as its template gives them, with their marks; no empty ones."""
    block = name.replace("-", "_")
    template = _template(block)
    text = "".join(template.blocks[block](template.new_context(values)))
    return [line for line in map(str.strip, text.splitlines()) if line]


def block_lines(name: str, /, **values: object) -> list[Line]:
    """Return the lines of the block; `@gap` leaves an empty one."""
    return [as_line(line) for line in block_text(name, **values)]


def as_line(text: str) -> Line:
    """Return the line that a template wrote, by the mark at its start."""
    head, _, rest = text.partition(" ")
    kind = _KINDS.get(head)
    return Line(kind, rest.strip()) if kind else Line("text", text)


def message(
    context: Context, what: Payload | str, /, *, actions: Actions = (), **values: object
) -> Outbound:
    """Return the block named, or that of the payload's name, in all forms.

    A payload's block is given `p`, and as `work` the first occurrence that it names. The line
    `@subject` is the subject; without one the first line is.
    """
    values["c"] = context
    if isinstance(what, Payload):
        name, values["p"] = what.view, what
        values.setdefault("work", context.work(next(iter(what.occurrences()), None)))
    else:
        name = what
    lines = block_lines(name, buttons=bool(actions), **values)
    typed = block_lines(name, buttons=False, **values) if actions else lines
    subject = typed[0].plain if typed[0].kind == "subject" else typed[0].plain.rstrip(" :.")
    if typed[0].kind == "subject":
        lines, typed = lines[1:], typed[1:]
    return outbound(one_line(subject, 150), lines, typed, actions, page=context.page)


def outbound(
    subject: str,
    lines: Sequence[Line],
    typed: Sequence[Line],
    actions: Actions = (),
    *,
    page: bool = True,
) -> Outbound:
    """Return a message of these lines, and of those for readers without buttons."""
    return Outbound(
        subject=subject,
        html="\n".join(line.shown for line in fit(lines)),
        text="\n".join(line.plain for line in typed),
        mail_html=mail_document(subject, typed) if page else "",
        actions=actions,
    )


def joined(messages: Sequence[Outbound]) -> Outbound | None:
    """Return several messages as one; its buttons are as many as fit."""
    if len(messages) < 2:
        return messages[0] if messages else None
    shown = "\n\n".join(message.html for message in messages).split("\n")
    subject = messages[0].subject
    return Outbound(
        subject=subject,
        html="\n".join(line.shown for line in fit([Line("row", line) for line in shown])),
        text="\n\n".join(message.text for message in messages),
        mail_html=mail_document(subject, [Line("text", line) for line in shown if line]),
        actions=tuple(row for message in messages for row in message.actions)[:BUTTON_ROWS],
        attachments=tuple(file for message in messages for file in message.attachments),
    )


def mail_document(subject: str, lines: Sequence[Line]) -> str:
    """Return an HTML document of `lines` that every mail client shows: no style sheet."""
    code = f'<code style="{_CODE_STYLE}">'
    blocks = [
        (
            shape,
            [(line.kind, Markup(line.html.replace("<code>", code))) for line in group],  # noqa: S704 - escaped
        )
        for shape, group in groupby(lines, key=lambda line: _SHAPES.get(line.kind, line.kind))
    ]
    return page("mail.html", subject=subject, blocks=blocks)


def page(template: str, **values: object) -> str:
    """Return `template`.j2 as a whole document; what stands in {{ }} is escaped."""
    return _environment().get_template(f"{template}.j2").render(**values).strip() + "\n"


def repeated(message: Outbound) -> Outbound:
    """Return `message` marked as a possible repeat."""
    return replace(
        message,
        html=f"<i>{REPEAT}</i>\n{message.html}",
        text=f"{REPEAT}\n{message.text}",
        mail_html=message.mail_html.replace(REPEAT_SLOT, f"<i>{REPEAT}</i><br>"),
    )


def in_thread(message: Outbound, subject: str, before: Sequence[str]) -> Outbound:
    """Return `message` as an answer to a mail with this subject; `before`: the ids above it."""
    bare = _RE.sub("", one_line(subject, 150))
    heading = f"Re: {bare}" if bare else message.subject
    return replace(message, subject=heading, thread=tuple(one for one in before if one))


def with_footer(message: Outbound, footer: str, link: str = "") -> Outbound:
    """Return `message` as a mail, with `footer` below both of its forms.

    `link`: where a tap on the first line of the footer leads, in the form that has links.
    """
    lines = [Markup.escape(line) for line in footer.split("\n")]
    if link:
        lines[0] = Markup('<a href="{}">{}</a>').format(link, lines[0])
    return replace(
        message,
        text=f"{message.text}\n\n-- \n{footer}",
        mail_html=message.mail_html.replace(FOOTER_SLOT, str(Markup("<br>").join(lines))),
    )
