"""What our own mail server says of who sent a mail: Authentication-Results (RFC 8601).

Only the fields at the top with our server's authserv-id count. A sender can write such fields too:
those of other hosts say nothing, and a server that does its part (RFC 8601, section 5) removes what
bears its own name before it adds the true ones above all others. authres, a library for this, reads
neither Microsoft 365's fields nor all that Exchange quotes, and takes squared time.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from email.message import Message

from reminder.channels.email.mime import named_fields, without_comments
from reminder.domain.tokens import normal_address

LONGEST = 8000  # characters of one field
MOST = 20  # fields that are read
UNNAMED = "-"  # [inbox] authserv_id of a server that writes none: Microsoft 365
_TOKEN = re.compile(r'"((?:[^"\\]|\\.)*)"|([^\s;="]+)|([;=])')
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
    text = without_comments(field[:LONGEST])
    tokens = [(m[1] if m[1] is not None else m[2], m[3]) for m in _TOKEN.finditer(text)]
    clauses: list[list[tuple[str | None, str | None]]] = [[]]
    for token in tokens:
        if token[1] == ";":
            clauses.append([])
        else:
            clauses[-1].append(token)
    head = clauses[0]
    if _result(head) is not None:
        return UNNAMED, _results(clauses)
    if not head or head[0][0] is None or len(head) > 2:  # an id, and perhaps a version
        return "", ()
    return normal_address(head[0][0]), _results(clauses[1:])


def _results(clauses: Iterable[list[tuple[str | None, str | None]]]) -> tuple[Result, ...]:
    return tuple(found for clause in clauses if (found := _result(clause)))


def _result(clause: list[tuple[str | None, str | None]]) -> Result | None:
    """`method=result name=value …`; None for “none”, and for what is broken."""
    pairs: list[tuple[str, str]] = []
    place = 0
    while place + 2 < len(clause):
        name, sign, value = clause[place][0], clause[place + 1][1], clause[place + 2][0]
        if name is None or sign != "=" or value is None:
            return None
        pairs.append((name.lower(), value.lower()))
        place += 3
    if not pairs or place != len(clause) or not _RESULT.fullmatch(pairs[0][1]):
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


def distrust(fields: Sequence[str], authserv_id: str, author: str) -> str:
    """Why the sender is not proved to be `author`; empty if our server says so.

    DMARC that passes; DKIM or SPF that passes for the domain of `author` or one above it; or, of a
    mail that was handed in at our own server, a login by that very address (RFC 4954).
    """
    results = own_results(fields, authserv_id)
    if results is None:
        return "no Authentication-Results of our own server"
    domain = normal_address(author).rpartition("@")[2]
    dmarc = [one for one in results if one.method == "dmarc"]
    if any(one.result == "fail" for one in dmarc):
        return "our server says dmarc=fail"
    if any(one.result == "pass" and _is_of(one.values("header.from"), domain) for one in dmarc):
        return ""
    for one in results:
        if one.result != "pass":
            continue
        if one.method == "dkim" and _aligned(one.values("header.d", "header.i"), domain):
            return ""
        if one.method == "spf" and _aligned(one.values("smtp.mailfrom", "smtp.mail"), domain):
            return ""
        if one.method == "auth" and normal_address(author) in one.values("smtp.auth"):
            return ""
    return "our server found nothing that proves the sender's domain"


def _is_of(values: Sequence[str], domain: str) -> bool:
    """Whether a DMARC result is of this From; one that names none is of the mail's only From."""
    return all(value.rpartition("@")[2] == domain for value in values)


def _aligned(values: Sequence[str], domain: str) -> bool:
    """Whether one of the domains is the From's, or stands above it.

    Not below it: a mail's own server proves that by DMARC, which knows where domains part.
    """
    for value in values:
        proved = value.rpartition("@")[2].rstrip(">")
        if domain == proved or ("." in proved and domain.endswith(f".{proved}")):
            return True
    return False
