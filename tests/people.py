"""The officers of the tests, as people.toml has them."""

from __future__ import annotations

import json

OFFICERS = {
    "an": ("An", "tu-phap"),
    "binh": ("Bình", "tu-phap"),
    "cuc": ("Cúc", "tu-phap"),
    "dung": ("Dũng", "van-hoa-xa-hoi"),
    "chi": ("Chi", "van-phong"),
    "lan": ("Lan", "lanh-dao"),
}


def officer(who: str, *channels: str, mail: bool = True) -> str:
    """The table of one of OFFICERS; without `channels`, the order is the program's."""
    name, unit = OFFICERS[who]
    lines = ["[[person]]", f'id = "{who}"', f'name = "{name}"', f'unit = "{unit}"']
    lines += [f'email = "{who}@example.vn"'] if mail else []
    lines += [f"channels = {json.dumps(channels)}"] if channels else []
    return "\n".join([*lines, ""])


def officers(*who: str) -> str:
    """The tables of several, each with a mail address."""
    return "".join(map(officer, who))
