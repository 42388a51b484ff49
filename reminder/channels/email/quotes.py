"""A reply's own words: without the mail that it quotes, greeting, signature, banner, disclaimer.

The quoted mail begins where our own words do: at a line with an address or Message-ID of ours, or
at a line of the very mail that is answered, whatever the client or its language; else at the marks
that clients write. What stands below a quote is taken only where nothing stands above it (people
who answer at the bottom): otherwise the words of an older mail would be taken for this one's.
"""

from __future__ import annotations

import re
import tomllib
import unicodedata
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from functools import cached_property
from importlib import resources
from itertools import groupby
from typing import NamedTuple

from reminder.domain.text import composed

LONGEST_READ = 60_000  # characters of a mail that are looked at: an answer stands at an end of it
MOST_LINES = 1500
LONGEST_LINE = 500  # characters of a line that are held against a pattern
LONGEST = 4000  # characters of an answer that are kept; more is no answer
WRAPPED = 4  # lines over which a client may wrap “Vào … đã viết:”
_SHORTEST_QUOTED = 16  # letters and digits of a line of ours that is known by its words alone
_SHORTEST_PIECE = 25  # the same of a piece of a line: clients wrap anew
_LONGEST_PIECE = 90  # the same of the beginning of a line that several of ours were joined to

_DATA = tomllib.loads(resources.files(__package__).joinpath("marks.toml").read_text("utf-8"))
LISTS = {
    name: frozenset(map(str.strip, text.split(";"))) for name, text in _DATA.pop("words").items()
}
MARK = {
    name: re.compile("(?i)" + "".join(map(str.strip, text.split("\n"))))
    for name, text in _DATA.items()
}
_SPACES = re.compile(r"[^\S\n]+")


@dataclass(frozen=True)
class OwnMarks:
    """The marks by which our own words are recognized in a reply."""

    addresses: tuple[str, ...] = ()  # the mailbox, and From of what we send
    name: str = ""  # that stands before the latter
    said: str = field(default="", repr=False)  # the text of the mail that is answered

    @cached_property
    def _places(self) -> re.Pattern[str] | None:
        """Match an address of ours, with any token, or a Message-ID that we make."""
        found = []
        for address in self.addresses:
            local, _, domain = address.partition("@")
            found.append(rf"{re.escape(local)}(?:\+[\w.+=-]{{0,80}})?@{re.escape(domain)}")
            found.append(rf"[a-z2-7]{{10}}\.[a-z2-7]{{24}}@{re.escape(domain)}")
        pattern = "|".join(found)
        return re.compile(rf"(?i)(?<![\w.+-])(?:{pattern})") if found else None

    @cached_property
    def _lines(self) -> frozenset[str]:
        lines = (*self.said[:LONGEST_READ].split("\n"), *_told(self.said))
        return frozenset(one for one in map(_folded, lines) if len(one) >= _SHORTEST_QUOTED)

    @cached_property
    def _text(self) -> str:
        return _folded(" ".join(_told(self.said)))

    def matches(self, line: str) -> bool:
        """Return whether `line` is ours: by an address, our name with a date, or its words."""
        if self._places is not None and self._places.search(line):
            return True
        if len(self.name) > 5 and self.name.lower() in line.lower() and MARK["when"].search(line):
            return not MARK["states"].search(line)
        words = _folded(line)
        if words in self._lines or MARK["offers"].search(line):
            return True
        return len(words) >= _SHORTEST_PIECE and words[:_LONGEST_PIECE] in self._text


NO_MARKS = OwnMarks()


def _told(said: str) -> Iterator[str]:
    """Yield the lines of our mail without the forms that answers repeat (“xong 1c”)."""
    for line in said[:LONGEST_READ].split("\n"):
        before, _, _ = line.partition("nhắn:")
        yield before if before != line else line


def _folded(text: str) -> str:
    return " ".join(re.findall(r"\w+", unicodedata.normalize("NFC", text).lower()))


class Reply(NamedTuple):
    """What the sender has written."""

    unquoted: str  # all that is not of the quoted mail
    words: str  # the answer; empty where there is nothing but a quote


def split_reply(text: str, ours: OwnMarks = NO_MARKS, author: str = "") -> Reply:
    """Split a reply from what it quotes. `author`: the sender's name, for the signature."""
    lines = _tidy(text[:LONGEST_READ]).split("\n")[:MOST_LINES]
    cut = _first_quote(lines, ours)
    own = lines[:cut]
    answer = _answer(own, author)
    if not answer and cut < len(lines):
        own = _below(lines[cut:], ours)
        answer = _answer(own, author)
    words = "\n".join(answer).strip()[:LONGEST].strip()
    return Reply("\n".join(own).strip(), words)


def without_courtesy(words: str) -> str:
    """Return an answer without “Kính gửi anh/chị,” before it and “Chúc anh/chị …” behind it."""
    head, rest = words, ""
    if (end := re.search(r"[,:\n]", words)) and end[0] != "\n":
        head, rest = words[: end.start()], words[end.end() :].strip()
    salute = MARK["salutes"].match(head)
    is_greeting = salute and len(head) <= 60 and not MARK["states"].search(head)
    if is_greeting and rest and salute and not MARK["answers"].search(head[salute.end() :]):
        words = rest
    return MARK["wish"].sub("", words).strip() or words


def _tidy(text: str) -> str:
    text = composed(text).replace("\r\n", "\n").replace("\r", "\n")
    text = "".join(c for c in text if c in "\n\t" or unicodedata.category(c) != "Cf")
    text = MARK["link"].sub("", MARK["picture"].sub("", MARK["signed"].sub("", text)))
    return _SPACES.sub(" ", text)


def _first_quote(lines: Sequence[str], ours: OwnMarks) -> int:
    """Return the index of the first quoted line; len(lines) if none is."""
    for number, line in enumerate(lines):
        short = line[:LONGEST_LINE]
        if not short.strip():
            continue
        if MARK["quoted"].match(short) or _is_rule(short) or MARK["forwarded"].fullmatch(short):
            return number
        if _is_attribution(lines, number) or _is_header_block(lines, number):
            return number
        if ours.matches(short):
            return _beginning(lines, number)
    return len(lines)


def _is_rule(line: str) -> bool:
    """“-----Thư gốc-----” in any language, or a long line of dashes; not “--” of a signature."""
    found = MARK["rule"].fullmatch(line)
    if found is None or MARK["states"].search(found[1]):
        return False
    dashes = len(line.strip()) - len(found[1])
    return dashes >= (4 if found[1].strip() else 16)


def _is_attribution(lines: Sequence[str], start: int) -> bool:
    """“Vào … đã viết:” in any of the languages known, on one line or wrapped over several."""
    joined = ""
    for line in lines[start : start + WRAPPED]:
        begins = not joined
        joined = f"{joined} {line.strip()}".strip()
        dated = bool(MARK["when"].search(joined))
        if not line.strip() or len(joined) > LONGEST_LINE:
            return False
        if begins and not (dated or "<" in joined or MARK["ends-in-wrote"].search(joined[-40:])):
            return False
        if MARK["states"].search(_without_addresses(joined)):
            return False
        if joined.rstrip("*_ \xa0-").endswith((":", "：")):
            return "@" in joined or (dated and bool(MARK["wrote"].search(joined)))
    return False


def _without_addresses(line: str) -> str:
    return re.sub(r"<[^<>]*>|\S{0,80}@\S{0,80}", " ", line)


def _is_header_block(lines: Sequence[str], start: int) -> bool:
    """The head of a quoted mail: “Từ: …” with another field, or several fields with an address."""
    first = _label(lines[start])
    if first is None:
        return False
    block = [line for line in lines[start : start + 7] if line.strip()][:4]
    labels = [_label(line) for line in block]
    if first in LISTS["from"] and any(one in LISTS["fields"] for one in labels[1:]):
        return True
    known = sum(one in LISTS["fields"] or one in LISTS["from"] for one in labels)
    return first in LISTS["fields"] and known >= 3 and any("@" in line for line in block)


def _label(line: str) -> str | None:
    found = MARK["labelled"].match(line[:LONGEST_LINE])
    return found[1].strip().lower() if found else None


def _beginning(lines: Sequence[str], number: int) -> int:
    """Return the first line of the wrapped attribution whose line `number` is ours."""
    first = number
    for above in range(number - 1, max(-1, number - 1 - WRAPPED), -1):
        line = lines[above]
        if not line.strip() or MARK["states"].search(line):
            break
        if MARK["when"].search(line) or _label(line) or _is_rule(line):
            first = above
    return first


def _below(lines: Sequence[str], ours: OwnMarks) -> list[str]:
    """Return what stands below a quote of “>” lines, for people who answer at the bottom.

    Nothing is taken from between such lines, because it refers to the line above it, nor from below
    a quote without marks (Outlook), whose end can't be seen.
    """
    marked = [number for number, line in enumerate(lines) if MARK["quoted"].match(line)]
    if not marked:
        return []
    between = lines[marked[0] : marked[-1]]
    if any(line.strip() and not MARK["quoted"].match(line) for line in between):
        return []
    below = lines[marked[-1] + 1 :]
    return list(below[: _first_quote(below, ours)])


def _answer(lines: Sequence[str], author: str) -> list[str]:
    """Return the first paragraph that answers, and later ones that name work of their own."""
    told = groupby(_without_head(_signed_off(lines)), key=bool)
    paragraphs = [list(paragraph) for said, paragraph in told if said]
    for number, paragraph in enumerate(paragraphs):
        text = "\n".join(paragraph)
        if MARK["states"].search(text) or MARK["answers"].search(text):
            lead = paragraphs[number - 1] if number and _leads_on(paragraphs[number - 1]) else []
            more = [
                line for later in paragraphs[number + 1 :] if _stands_alone(later) for line in later
            ]
            return [*lead, *_without_signature(paragraph, author), *more]
    return _without_signature(paragraphs[0], author) if paragraphs else []


def _without_signature(paragraph: list[str], author: str) -> list[str]:
    """Return the paragraph without names and titles at its end."""
    names = (author.lower(), *author.lower().split()[-1:])
    kept = paragraph[:1]
    for line in paragraph[1:]:
        name = re.sub(r"(?i)^(?:em|e|tôi|anh|chị)\s", "", _first_words(line)).lower()
        if name and name in names:
            break
        kept.append(line)
    while _is_signature(kept):
        kept.pop()
    return kept


def _first_words(line: str) -> str:
    """Return what stands before a bar, a dash or a comma: “Nguyễn Văn An | Công chức”."""
    return re.split(r"\s[|–—-]\s|,\s", line.strip("*_ ,."))[0]


def _leads_on(paragraph: Sequence[str]) -> bool:
    """Return whether the next paragraph continues this one: “Anh Tuấn báo em là:”."""
    last = paragraph[-1].rstrip()
    return len(paragraph) == 1 and len(last) < 80 and last.endswith((":", ",", "…", "..."))


def _stands_alone(paragraph: Sequence[str]) -> bool:
    text = "\n".join(paragraph)
    return bool(
        MARK["code"].search(text)
        and (MARK["answers"].search(text) or MARK["states"].search(MARK["code"].sub("", text)))
    )


def _signed_off(lines: Sequence[str]) -> list[str]:
    """Return the lines above the signature, sign-off or device footer."""
    kept: list[str] = []
    said = False
    for line in lines:
        short = line[:LONGEST_LINE].strip()
        if short in ("--", "—", "––") or MARK["device"].fullmatch(short):
            break
        if said and (MARK["sign-off"].fullmatch(short) or _is_contact(short)):
            break
        kept.append(line.strip())
        said = said or bool(short)
    return kept


def _is_contact(line: str) -> bool:
    return bool(MARK["contact"].match(line)) and not MARK["states"].search(
        _without_addresses(line).partition(":")[0]
    )


def _is_signature(lines: Sequence[str]) -> bool:
    """Return whether the last line is a name or a title below other words."""
    if len(lines) < 2 or MARK["states"].search(lines[-1]) or not any(lines[:-1]):
        return False
    line = _first_words(lines[-1])
    words = line.split()
    is_name = 1 < len(words) < 7 and words[0] in LISTS["surnames"] and line == line.title()
    return is_name or bool(MARK["title"].fullmatch(line) and not MARK["answers"].search(line))


def _without_head(lines: list[str]) -> list[str]:
    """Return the lines without banners and greeting at the top."""
    for first, full in enumerate(lines[:-1]):
        line = full[:LONGEST_LINE]
        greets = line and _is_greeting(line) and any(lines[first + 1 : first + 21])
        if line and not greets and not _is_banner(line):
            return lines[first:]
    return lines[-1:]


def _is_banner(line: str) -> bool:
    """Return whether a gateway wrote the line above a mail from outside."""
    if MARK["code"].search(line):
        return False
    return bool(MARK["banner"].match(line)) or len(MARK["warns"].findall(line)) >= 2


def _is_greeting(line: str) -> bool:
    """Return whether a line only greets: nothing follows its first comma or colon."""
    if MARK["states"].search(line) or len(line) > 120:
        return False
    if MARK["salutes"].match(line):
        head, mark, rest = re.match(r"([^,:;!]*)([,:;!]?)(.*)", line).groups()  # type: ignore[union-attr]
        if head.lower().strip() in ("kính gửi", "kính thưa", "dear") and mark == ":":
            return True
        is_short = len(line.split()) < 7 and bool(MARK["to-somebody"].match(line))
        return not rest.strip(" .!") and bool(mark or line.lower().startswith("kính") or is_short)
    return bool(MARK["calls"].fullmatch(line)) and line.rstrip().endswith(
        (",", ":", "!", "ơi", "à")
    )
