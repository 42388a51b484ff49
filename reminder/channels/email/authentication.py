"""What our own mail server says of who sent a mail: Authentication-Results (RFC 8601).

Only the fields at the top with our server's authserv-id count. A sender can write such fields too:
those of other hosts say nothing, and a server that does its part (RFC 8601, section 5) removes what
bears its own name before it adds the true ones above all others. authres, a library for this, reads
neither Microsoft 365's fields nor all that Exchange quotes, and takes squared time.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass
from email.message import Message
from enum import Enum, auto

from reminder.channels.email.mime import named_fields, without_comments
from reminder.domain.tokens import normal_address

LONGEST = 8000  # characters of one field
MOST = 20  # fields that are read
UNNAMED = "-"  # [inbox] authserv_id of a server that writes none: Microsoft 365
# A word, or name=value; what fits neither is a word of its own, so that its clause is broken. A
# quote without an end, or too long, takes all that follows: its words may be the sender's.
_WORD = r'[^\s;="]+|"(?:[^"\\]|\\.){0,500}+"'
_ITEM = re.compile(rf'({_WORD})(?:\s*=\s*({_WORD}))?|".*|\S', re.DOTALL)
_RESULT = re.compile(r"[a-z0-9.-]+", re.IGNORECASE)


@dataclass(frozen=True, slots=True)
class Result:
    """One method's result: `dkim=pass header.d=xa.example`."""

    method: str
    result: str
    properties: tuple[tuple[str, str], ...] = ()

    def values(self, *names: str) -> list[str]:
        return [value for name, value in self.properties if name in names]


def results_of(message: Message) -> tuple[str, ...]:
    """The Authentication-Results at the top: those below the first Received are older."""
    found: list[str] = []
    for name, value in named_fields(message, "Authentication-Results", "Received"):
        if name == "authentication-results":
            found.append(value[:LONGEST])
        elif found:
            break
        if len(found) == MOST:
            break
    return tuple(found)


def parsed(field: str) -> tuple[str, tuple[Result, ...]]:
    """The authserv-id, in lower case, and the results of one field; ("", ()) of what is none.

    The id is “-” where the field begins with a result.
    """
    clauses: list[list[tuple[str, str | None]]] = [[]]
    for item in _ITEM.finditer(without_comments(field[:LONGEST])):
        if item[0] == ";":
            clauses.append([])
        else:
            value = item[2] and item[2].strip('"').lower()
            clauses[-1].append(((item[1] or item[0]).strip('"').lower(), value))
    head = clauses[0]
    results = tuple(found for clause in clauses if (found := _result(clause)))
    if _result(head) is not None:
        return UNNAMED, results
    is_id = 0 < len(head) <= 2 and head[0][1] is None  # an id, and perhaps a version
    return (head[0][0], results) if is_id else ("", ())


def _result(clause: list[tuple[str, str | None]]) -> Result | None:
    """`method=result name=value …`; None for “none”, and for what is broken."""
    pairs = [(name, value) for name, value in clause if value is not None]
    if not pairs or len(pairs) < len(clause) or not _RESULT.fullmatch(pairs[0][1]):
        return None
    method = pairs[0][0].partition("/")[0]  # “dkim/1”: with a version
    return Result(method, pairs[0][1], tuple(pairs[1:]))


def own_results(fields: Sequence[str], authserv_id: str) -> tuple[Result, ...] | None:
    """What our server says, in the fields with its id before any other; None if it says nothing.

    Each of its milters may write a field of its own: one that repeats a method is not of the same
    server's run, and nor is all below it.
    """
    found: list[Result] = []
    is_ours = False
    for name, results in map(parsed, fields):
        if name != normal_address(authserv_id):
            if is_ours or authserv_id == UNNAMED:
                break
            continue
        methods = {one.method for one in found}
        if any(one.method in methods for one in results):
            break
        found += results
        is_ours = True
    return tuple(found) if is_ours else None


def distrust(results: Sequence[Result] | None, author: str) -> str:
    """Why the sender is not proved to be `author`; empty if our server's results say so.

    DMARC that passes; DKIM or SPF that passes for the domain of `author` or one above it; or, of a
    mail that was handed in at our own server, a login by that very address (RFC 4954).
    """
    if results is None:
        return "no Authentication-Results of our own server"
    author = normal_address(author)
    domain = author.rpartition("@")[2]
    if any((one.method, one.result) == ("dmarc", "fail") for one in results):
        return "our server says dmarc=fail"
    for one in results:
        proved = {
            "dmarc": _is_of(one.values("header.from"), domain),
            "dkim": _aligned(one.values("header.d") or one.values("header.i"), domain),
            "spf": _aligned(one.values("smtp.mailfrom", "smtp.mail"), domain),
            "auth": author in one.values("smtp.auth"),
        }
        if one.result == "pass" and proved.get(one.method):
            return ""
    return "our server found nothing that proves the sender's domain"


class Person(Enum):
    """What our server says of the person who sent a mail, beyond the domain."""

    PROVED = auto()  # it logged in as the address in From
    UNKNOWN = auto()  # nothing: anybody of that domain may have sent it
    OTHER = auto()  # somebody else had logged in


def person(results: Sequence[Result] | None, author: str, domain: str, login: str = "") -> Person:
    """Return whether the server's results say that `author` had logged in (RFC 8601, 2.7.4).

    `login`: whom another header names that only our server writes; empty: none. A name without a
    domain is of `domain`, the server's own.
    """
    named = [
        value
        for one in results or ()
        if (one.method, one.result) == ("auth", "pass")
        for value in one.values("smtp.auth")
    ]
    named += [login] if login else []
    if not named:
        return Person.UNKNOWN
    logins = {name if "@" in name else f"{name}@{domain}" for name in named}
    is_author = {normal_address(login) for login in logins} == {normal_address(author)}
    return Person.PROVED if is_author else Person.OTHER


def _is_of(values: Sequence[str], domain: str) -> bool:
    """Whether a DMARC result is of this From; one that names none is of the mail's only From."""
    return all(value.rpartition("@")[2] == domain for value in values)


def _aligned(values: Sequence[str], domain: str) -> bool:
    """Whether one of the domains is the From's, or stands above it.

    Not below it: a mail's own server proves that by DMARC, which knows where domains part.
    """
    found = [value.rpartition("@")[2].rstrip(">") for value in values]
    return any(one == domain or ("." in one and domain.endswith(f".{one}")) for one in found)
