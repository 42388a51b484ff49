"""A strict reader of iCalendar files, written from RFC 5545; it knows nothing of the writer."""

from __future__ import annotations

import re
from dataclasses import dataclass, field

_LINE = re.compile(r'([A-Z0-9-]+)((?:;[A-Z0-9-]+=(?:"[^"]*"|[^";:,]*))*):(.*)', re.DOTALL)
_ONCE = {
    "VCALENDAR": ("PRODID", "VERSION"),
    "VEVENT": ("UID", "DTSTAMP", "DTSTART"),
    "VALARM": ("ACTION", "TRIGGER", "DESCRIPTION"),
}
_AT_MOST_ONCE = {
    "METHOD", "CALSCALE", "SUMMARY", "DTEND", "STATUS", "TRANSP", "SEQUENCE", "LAST-MODIFIED",
}  # fmt: skip


@dataclass
class Component:
    """A component: its properties as name with parameters → value, and those inside it."""

    name: str
    properties: list[tuple[str, str]] = field(default_factory=list)
    inside: list[Component] = field(default_factory=list)

    def __getitem__(self, name: str) -> str:
        """The value of the one property of this name with its parameters (“DTSTART;VALUE=DATE”)."""
        (value,) = (v for n, v in self.properties if n == name)
        return value

    def text(self, name: str) -> str:
        """The same of a TEXT value, taken out of its escapes (3.3.11)."""
        value = self[name]
        assert re.fullmatch(r"(?:\\[\\,;nN]|[^\\,;])*", value), value
        return re.sub(r"\\(.)", lambda m: "\n" if m[1] in "nN" else m[1], value)


def read(data: bytes) -> Component:
    """The one calendar of a file; AssertionError where RFC 5545 is broken."""
    assert data.endswith(b"\r\n")
    lines = data.removesuffix(b"\r\n").split(b"\r\n")
    for line in lines:
        assert b"\r" not in line
        assert b"\n" not in line
        assert 0 < len(line) <= 75, line  # 3.1: octets, without the line break
        assert not re.search(r"[\x00-\x08\x0a-\x1f\x7f]", line.decode())
    stack = [Component("")]
    for content in b"\r\n".join(lines).replace(b"\r\n ", b"").decode().split("\r\n"):
        match = _LINE.fullmatch(content)
        assert match, content
        name, parameters, value = match.groups()
        if name == "BEGIN":
            stack.append(Component(value))
        elif name == "END":
            ended = stack.pop()
            assert ended.name == value
            _check(ended)
            stack[-1].inside.append(ended)
        else:
            stack[-1].properties.append((name + parameters, value))
    (whole,) = stack
    (calendar,) = whole.inside
    assert (calendar.name, calendar["VERSION"]) == ("VCALENDAR", "2.0")
    return calendar


def _check(component: Component) -> None:
    names = [name.partition(";")[0] for name, _ in component.properties]
    for name in _ONCE[component.name]:
        assert names.count(name) == 1, f"{component.name} {name}"
    for name in _AT_MOST_ONCE:
        assert names.count(name) <= 1, f"{component.name} {name}"
    if component.name == "VCALENDAR":
        assert component.inside
        uids = [one["UID"] for one in component.inside]
        assert len(set(uids)) == len(uids)
