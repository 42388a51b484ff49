"""`reminder plan put`, `plan get`, `plan versions`: texts in and out of the database."""

from __future__ import annotations

import json
import sys
from pathlib import Path
from typing import Annotated

import typer

from reminder.app import bootstrap
from reminder.cli import asking
from reminder.cli.options import AsJsonLines, Config, option, print_table
from reminder.domain.calendar import local, local_day, vn_date
from reminder.domain.errors import ReminderError
from reminder.files.toml import read_text, write_file

PUT_EXAMPLES = (
    'Ví dụ: reminder plan put data/plan2026.toml --why "theo KH 12/KH-UBND"; '
    "reminder plan put config/people.toml --people"
)
GET_EXAMPLES = (
    "Ví dụ: reminder plan get cchc-2026 -o plan2026.toml; reminder plan get people --version 3"
)
VERSIONS_EXAMPLE = "Ví dụ: reminder plan versions cchc-2026"
Name = Annotated[
    str, typer.Argument(metavar="MÃ", help="Mã kế hoạch; danh sách cán bộ thì people.")
]


def put(
    file: Annotated[Path, typer.Argument(metavar="TỆP", help="Tệp kế hoạch, hoặc people.toml.")],
    people: Annotated[
        bool, typer.Option("--people", help="TỆP là danh sách cán bộ, không phải kế hoạch.")
    ] = False,
    own: Annotated[
        bool, typer.Option("--own", help="TỆP là cài đặt riêng của một phường (--office).")
    ] = False,
    why: Annotated[str, option("LÝ-DO", "Vì sao đổi; nằm trong Các bản đã ghi.")] = "",
    by: Annotated[str, option("NGƯỜI", "Mã người đổi, trong danh sách cán bộ.")] = "",
    agreed: Annotated[bool, typer.Option("--yes", help="Ghi luôn, không hỏi.")] = False,
    config: Config = None,
) -> None:
    """Đưa tệp vào cơ sở dữ liệu thành bản mới nhất ([plan] source = "database"): xem khác gì trước.

    Tệp có lỗi thì kể lỗi và không ghi. Máy đang chạy nhận trong vài giây.
    """
    from reminder.files.documents import OWN, PEOPLE, one_way, plan_name

    if own and not bootstrap.chosen():
        raise ReminderError("--own đi cùng --office MÃ: cài đặt riêng của phường nào?")
    text = one_way(read_text(file))
    name = OWN if own else PEOPLE if people else plan_name(text, str(file))
    with bootstrap.texts(config) as documents:
        among = documents.store.documents()
        newest = next((version for version in among if version.name == name), None)
        after = documents.check(name, text, among)
        if by and by not in after.names:
            raise ReminderError(f"không có người “{by}” trong danh sách cán bộ")
        if newest is not None and newest.text == text:
            print("Không có gì thay đổi.")
            return
        for change in documents.changes(name, after, among):
            print(change)
        if not asking.agreed(f"Ghi thành bản mới của {name}?", agreed):
            return
        seen = newest.version if newest else 0
        reason = why or f"đưa vào từ tệp {file.name}"
        version, _ = documents.record(name, text, seen=seen, by=by, why=reason, at=bootstrap.now())
    print(f"Đã ghi bản {version.version} của {name}. Máy đang chạy thì nhận trong vài giây.")


def get(
    name: Name,
    output: Annotated[
        Path | None, typer.Option("-o", "--output", metavar="TỆP", help="Ghi vào tệp này.")
    ] = None,
    version: Annotated[int | None, option("SỐ", "Bản thứ mấy. [mới nhất]")] = None,
    config: Config = None,
) -> None:
    """Lấy văn bản của kế hoạch hay danh sách cán bộ từ cơ sở dữ liệu ra."""
    bootstrap.need_database(config)
    with bootstrap.database(config) as store:
        below = None if version is None else version + 1
        found = store.versions(name, below=below, limit=1)
    if not found or version not in (None, found[0].version):
        which = f" bản {version}" if found else ""
        raise ReminderError(f"không có{which} “{name}”: xem reminder plan versions")
    if output is None:
        sys.stdout.write(found[0].text)
        return
    write_file(output, found[0].text.encode())
    print(f"Đã ghi bản {found[0].version} của {name} vào {output}.")


def versions(
    name: Annotated[
        str | None, typer.Argument(metavar="[MÃ]", help="Mã kế hoạch, hoặc people. [mọi văn bản]")
    ] = None,
    as_json: AsJsonLines = False,
    config: Config = None,
) -> None:
    """Kể các bản đã ghi trong cơ sở dữ liệu: ai ghi, khi nào, vì sao; thiếu MÃ thì bản mới nhất."""
    bootstrap.need_database(config)
    with bootstrap.database(config) as store:
        found = store.versions(name, limit=1000) if name else store.documents()
    if as_json:
        for one in found:
            fields = {"name": one.name, "version": one.version, "by": one.by, "why": one.why}
            fields |= {"at": local(one.at).isoformat(), "sha256": one.sha256}
            print(json.dumps(fields, ensure_ascii=False))
        return
    rows = [
        (
            one.name,
            str(one.version),
            f"{local(one.at):%H:%M} {vn_date(local_day(one.at), year=True)}",
            one.by or "dòng lệnh",
            one.why if one.text else f"{one.why} (thôi dùng)",
        )
        for one in found
    ]
    headers = ("Mã", "Bản", "Lúc", "Ai", "Vì sao")
    print_table(headers, rows) if rows else print("Cơ sở dữ liệu chưa có văn bản nào.")
