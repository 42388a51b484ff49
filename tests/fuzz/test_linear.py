"""Processor time grows no faster than what a stranger sends, up to the caps of each stage.

Four times the input takes at most eight times as long: half of what a squared step takes, and twice
what a linear one does, as four times the memory no longer fits the processor's caches. What the
regular expressions and the library do in C counts too, which a count of calls does not see
(test_work.py). Each round measures both sizes; noise passes in a later round.
"""

from __future__ import annotations

import gc
import logging
import re
import time
from collections.abc import Callable, Iterator
from statistics import median

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from reminder.channels.email.authentication import distrust, own_results
from reminder.channels.email.classify import own_words, read
from reminder.channels.email.mailbox import READ_BYTES
from reminder.channels.email.quotes import LONGEST_LINE, LONGEST_READ, OwnMarks, without_courtesy
from reminder.understanding import errors
from reminder.understanding.lexicon import pattern
from reminder.understanding.model import CommandError
from reminder.understanding.parse import parse
from tests.fuzz.test_work import PIECES
from tests.understanding.commands_kit import OFFICE, TODAY

# Times are the program's, and not those of a tracer.
pytestmark = [pytest.mark.no_cover, pytest.mark.thorough]
ROUNDS = 9
RATIO = 8
TOO_SHORT = 0.02  # seconds of processor time in which nobody is held up
SIZES = (15_000, READ_BYTES // 4)  # within the caps of a text, and of a mail

OURS = OwnMarks(
    ("nhac@xa.example",), "Máy nhắc việc", "\n".join(f"• {n}c Danh mục năm {n}" for n in range(99))
)


def grows_with_its_input(work: Callable[[str], object], short: str, long: str) -> None:
    taken: tuple[list[float], list[float]] = ([], [])
    for _ in range(ROUNDS):
        for text, times in zip((short, long), taken, strict=True):
            began = time.process_time()
            work(text)
            times.append(time.process_time() - began)
        if median(taken[1]) <= max(TOO_SHORT, RATIO * median(taken[0])):
            return
    pytest.fail(f"{len(short)}: {median(taken[0]):.3f} s, {len(long)}: {median(taken[1]):.3f} s")


def mail_of(head: str) -> Callable[[str], object]:
    """Read a mail that begins so, and all that is decided by it."""

    def work(text: str) -> None:
        for end in ("", "!"):  # a pattern may fail at the last character alone, and go back
            mail = read(f"{head}{text}{end}".encode("utf-8", "surrogateescape"))
            _, words = own_words(mail, OURS)
            without_courtesy(words)
            distrust(own_results(mail.results, "mx.xa.example"), "an@xa.example")

    return work


def whole_groups(size: int, piece: str) -> int:
    """Return how often `piece` makes up `size`, a multiple of four.

    So both sizes are whole groups of base64, or neither is: damaged ones are read another way.
    """
    return max(4, size // len(piece.encode("utf-8", "surrogateescape")) // 4 * 4)


FROM = "From: An <an@xa.example>\r\n"
STAGES = {
    "head": "",
    "from": "From: ",
    "recipients": f"{FROM}To: ",
    "subject": f"{FROM}Subject: ",
    "ids": f"{FROM}Message-ID: ",
    "results": f"{FROM}Authentication-Results: mx.xa.example; ",
    "failed recipients": f"{FROM}X-Failed-Recipients: ",
    "parameters": f'{FROM}Content-Type: text/plain; x="',
    "body": f"{FROM}\r\n",
    "eight bits": f"{FROM}\r\n\udcfa ",
    "quoted-printable": f"{FROM}Content-Transfer-Encoding: quoted-printable\r\n\r\n",
    "base64": f"{FROM}Content-Transfer-Encoding: base64\r\n\r\n",
    "html": f"{FROM}Content-Type: text/html; charset=utf-8\r\n\r\n",
    "calendar": f"{FROM}Content-Type: text/calendar\r\n\r\n",
    "tree": f"{FROM}Content-Type: multipart/mixed; boundary=x\r\n\r\n--x\r\n",
    "bounce": "From: mailer-daemon@b.example\r\n\r\n",
    "report": f"{FROM}Content-Type: multipart/report; boundary=x\r\n\r\n--x\r\n"
    "Content-Type: message/delivery-status\r\n\r\nAction: failed\r\n\r\n",
}
HURTFUL = [
    ("head", "X: y\r\n"),
    ("head", "Content-Type: multipart/mixed; boundary=b\r\n\r\n--b\r\n"),
    ("from", "\\("),
    ("from", '\\"'),
    ("from", "("),
    ("recipients", "<a,"),
    ("recipients", "a@"),
    ("subject", "=?a?q?"),
    ("subject", "re: "),
    ("subject", "[x] "),
    ("ids", "<a@b> "),
    ("results", "a=b "),
    ("results", '\\"'),
    ("results", "("),
    ("failed recipients", ","),
    ("failed recipients", "a@"),
    ("parameters", ";"),
    ("parameters", "*0*=a;"),
    ("body", "hi,\n"),
    ("body", "\u200b\n"),
    ("body", "\n"),
    ("body", " "),
    ("body", "a"),
    ("body", "\u0300\u0327"),
    ("body", "- "),
    ("body", "Vào 08:00 viết\n"),
    ("body", "Từ: a\n"),
    ("body", "[cid:"),
    ("body", "chÆ°a "),
    ("body", "> xong\n"),
    ("body", "<http://"),
    ("eight bits", "ch\udcfda "),
    ("quoted-printable", "=C3=A1"),
    ("base64", "YWFh\n"),
    ("html", "<a "),
    ("html", '<a b="'),
    ("html", '<div style="display:none">'),
    ("html", "<blockquote>"),
    ("html", "<!--"),
    ("html", "&#9"),
    ("html", "\u0300\u0327"),
    ("html", "&#768;&#807;"),
    ("calendar", "METHOD:"),
    ("tree", "--x\r\n"),
    ("tree", "--x\r\n\r\n<!--\r\n"),
    ("tree", "-"),
    ("bounce", "\n"),
    ("bounce", "Message-ID:\n"),
    ("bounce", "<a@b.vn>: 550\n"),
    ("bounce", ","),
    ("report", "\n"),
    ("report", "Action: failed\r\nDiagnostic-Code: x\r\n\r\n"),
    ("report", "Diagnostic-Code: =?a?q?\r\n"),
]


@pytest.fixture(autouse=True)
def _quiet() -> Iterator[None]:
    """No collection of garbage is measured; flufl.bounce logs each detector that fails."""
    logging.disable()
    gc.disable()
    yield
    gc.enable()
    logging.disable(logging.NOTSET)


@pytest.mark.parametrize("size", SIZES)
@pytest.mark.parametrize(("stage", "piece"), HURTFUL)
def test_a_mail_made_to_hurt(stage: str, piece: str, size: int) -> None:
    """One piece again and again, in the head, the body, HTML, the tree, a bounce, a report."""
    times = whole_groups(size, piece)
    grows_with_its_input(mail_of(STAGES[stage]), piece * times, piece * (4 * times))


def nested(parts: int) -> str:
    """Each part within the one before, and lines that each of them has to be asked about."""
    heads = (
        f"Content-Type: multipart/mixed; boundary=b{n}\r\n\r\n--b{n}\r\n" for n in range(parts)
    )
    return "".join(heads) + "--\r\n" * (parts * 300)


def test_parts_within_parts() -> None:
    """Three hundred of them, with as many lines as a mail takes."""
    grows_with_its_input(mail_of(FROM), nested(75), nested(300))


PIECE = st.lists(
    st.sampled_from(
        [piece for _, piece in HURTFUL]
        + [*" \n\ta1()<>&=-_*,:.@[]{}\\'\"/;\xa0\x00", "đ", "e\u0323", "\ufffd", "dạ, ", "thưa "]
        + ["viết:\n", "wrote:", "vào 08:00 ", "xong 1c ", "0912 ", "Gửi từ ", "chúc anh ", "--\n"]
        + ["Trân trọng\n", "tel: 1", "</div>", "<pre>\n", "=?utf-8?q?", "?=", "x" * 80 + "\n"]
    ),
    min_size=1,
    max_size=5,
).map("".join)


@pytest.mark.parametrize("stage", STAGES)
@settings(max_examples=4, deadline=None, suppress_health_check=list(HealthCheck))
@given(piece=PIECE, size=st.sampled_from(SIZES))
def test_a_mail_of_any_pieces(stage: str, piece: str, size: int) -> None:
    """Whatever is repeated."""
    times = whole_groups(size, piece)
    grows_with_its_input(mail_of(STAGES[stage]), piece * times, piece * (4 * times))


PUMPS = (
    *(
        "a",
        " ",
        "1",
        "-",
        ">",
        "<",
        "[",
        "(",
        ":",
        "@a",
        ".",
        "&gt;",
        "x: ",
        "dạ, ",
        "thưa ",
        "1c ",
    ),
    *("1.", "a@a.", "chúc anh ", "re: ", "[x] ", "gửi từ mac ", "_", "*", "a-", "đt ", ", ", "a  "),
)


@pytest.mark.parametrize("pump", PUMPS)
def test_long_lines(pump: str) -> None:
    """Lines as long as are held against the patterns of marks.toml, as many as are read."""
    line = (pump * LONGEST_LINE)[: LONGEST_LINE - 2] + "x\n"
    times = LONGEST_READ // LONGEST_LINE // 4
    grows_with_its_input(mail_of(STAGES["body"]), line * times, line * (4 * times))


def refused_as_too_long(text: str) -> bool:
    found = parse(text, TODAY, OFFICE)
    return isinstance(found, CommandError) and found.say.endswith("thành vài tin ngắn hơn.")


def test_repeats_in_the_lexicons_patterns_have_bounds() -> None:
    """A repeat of phrases that take the same words in two ways doubles the time with each word."""
    assert re.findall(r".{20}\)[*+]", pattern(talk=False).pattern) == []


REMARKS = [
    "mà sao ",
    "vì sao mà ",
    "chúc anh ngày ",
    "cảm ơn anh chị ",
    "kính thưa anh ",
    "nhắc hoài nhắc ",
]


@pytest.mark.parametrize("piece", [*PIECES, *REMARKS])
def test_a_typed_text(piece: str) -> None:
    """Up to as many characters, words and codes as are read at all."""
    times = errors.MAX_CHARS // len(piece)
    while times > 4 and refused_as_too_long(piece * times):
        times = times * 3 // 4
    grows_with_its_input(
        lambda text: parse(text, TODAY, OFFICE), piece * (times // 4), piece * times
    )
