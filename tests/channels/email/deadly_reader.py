"""The process that parses mails, as if its parser died on each mail that says so."""

from __future__ import annotations

import os

from reminder.channels.email import reader
from reminder.channels.email.classify import Mail, read


def deadly(content: bytes) -> Mail:
    if b"X-Deadly: " in content:
        os._exit(1)
    return read(content)


reader.read = deadly  # type: ignore[attr-defined]
reader.main()
