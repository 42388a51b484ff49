"""An empty database of the newest schema, as a first start leaves it: made once, then copied.

That it is made rightly, and whatever breaks off meanwhile, is the matter of tests/store and of the
trials of kills.
"""

from __future__ import annotations

from functools import cache
from pathlib import Path
from tempfile import TemporaryDirectory

from reminder.store import open_store


def lay_blank(path: Path) -> None:
    """Puts the empty database there, for its owner only, if there is none."""
    if not path.exists():
        path.touch(mode=0o600)
        path.write_bytes(_made())


@cache
def _made() -> bytes:
    with TemporaryDirectory() as folder:
        path = Path(folder) / "blank.db"
        open_store(f"sqlite:///{path}", exclusive=False, sleep=lambda _: None).close()
        return path.read_bytes()
