"""`reminder import-office`, `reminder export-office`: a ward joins a province, and leaves it."""

from __future__ import annotations

import json
from contextlib import nullcontext
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from reminder.app import bootstrap
from reminder.app.channels import RECEIVING
from reminder.cli.offices import check_id, stores_of
from reminder.cli.options import AsJson, Config, option
from reminder.domain.errors import ReminderError

if TYPE_CHECKING:
    from reminder.store.store import Store

IMPORT_EXAMPLE = (
    "Ví dụ: reminder import-office ward.db --office 00123 --settings phuong/reminder.toml "
    "--secrets /etc/reminder/bi-mat --dry-run"
)
EXPORT_EXAMPLE = "Ví dụ: reminder export-office 00123 00123.db --leave --files phuong-00123"
_WAIT, _STEP = 20.0, 0.25  # seconds for the sends under way of an office that leaves


def import_office(
    file: Annotated[Path, typer.Argument(metavar="TỆP", help="Tệp dữ liệu (SQLite) của phường.")],
    office: Annotated[str, option("MÃ", "Mã của phường trong cơ sở dữ liệu chung: 00123.")],
    name: Annotated[str, option("TÊN", "Tên phường. [cơ quan trong [report], hoặc mã]")] = "",
    province: Annotated[str, option("TÊN", "Tỉnh, thành phố.")] = "",
    settings: Annotated[
        Path | None,
        option("TỆP", "reminder.toml của phường: kế hoạch, kênh, lịch nhắc, thể thức."),
    ] = None,
    plans: Annotated[
        list[Path] | None,
        option("TỆP", "Kế hoạch, hoặc thư mục có plan*.toml. [theo --settings, hoặc trong TỆP]"),
    ] = None,
    people: Annotated[
        Path | None, option("TỆP", "Danh sách cán bộ. [theo --settings, hoặc trong TỆP]")
    ] = None,
    account: Annotated[
        list[str] | None,
        option("KÊNH=MÃ", "Dùng tài khoản có sẵn cho kênh này; KÊNH= : bỏ kênh. Ghi nhiều lần."),
    ] = None,
    secrets: Annotated[
        Path | None,
        option("THƯ-MỤC", "Ghi bí mật trong --settings thành tệp ở đây. [biến môi trường]"),
    ] = None,
    dry_run: Annotated[bool, typer.Option("--dry-run", help="Thử và đếm, không đổi gì.")] = False,
    as_json: AsJson = False,
    config: Config = None,
) -> None:
    """Đưa một phường đang chạy riêng vào cơ sở dữ liệu chung: sổ, tin chờ, địa chỉ, kế hoạch.

    Dừng máy của phường trước. Xong thì tệp của phường mang dấu, không máy nào chạy trên nó nữa.
    """
    from reminder.province.joining import joining, take_files
    from reminder.store import transfer
    from reminder.store.offices import OfficeRecord

    check_id(office)
    at = bootstrap.now()
    found = joining(office, settings, account or [], secrets, at)
    take_files(found, settings, plans or [], people)
    if dry_run:
        bootstrap.need_database(config)
    with transfer.ward_at(file, at, sleep=bootstrap.pause) as ward:
        _verify(ward.store, str(file))
        with stores_of(config) as stores:
            here, at = bootstrap.load_settings(config), bootstrap.time_of(stores.of(""))
            if came := transfer.was_moved(ward, stores):
                if not dry_run:
                    transfer.mark_moved(ward, stores, came)
                print(f"Lần nhập trước đã xong, thành phường {came}; tệp nay mang dấu đã chuyển.")
                return
            record = OfficeRecord(
                id=office,
                name=name or found.name or office,
                province=province or here.province.name,
                made_at=at,
            )
            if not dry_run:
                found.write_secrets()
            settle = partial(found.settle, stores, here, at)
            transfer.bring_in(ward, stores, record, settle, seen_as=found.seen_as, dry_run=dry_run)
        told = _told(ward.store)
        told["rows"]["document"] = found.documents  # some came from files
    if as_json:
        links = [{"channel": kind, "account": one} for kind, one in found.links.items()]
        secret = {one.id: one.secret for one in found.accounts}
        fields = {"office": office, "name": record.name, "dry_run": dry_run, "ended": ward.ended}
        print(json.dumps({**fields, **told, "accounts": links, "secrets": secret,
                          "notes": found.said}, ensure_ascii=False))  # fmt: skip
        return
    print(f"{record.name} ({office}): {_in_words(told)}.")
    if not ward.ended:
        print(
            f"Lần chạy cuối không dừng êm (bị tắt ngang, hoặc {file} là bản chép của máy đang "
            "chạy): tin còn chờ và tin bù mang dấu “(có thể là tin gửi lại)”. Máy của phường phải "
            "dừng hẳn."
        )
    for line in found.said:
        print(line)
    if dry_run:
        print("Chưa đổi gì: bỏ --dry-run thì nhập.")
    else:
        print(f"Đã nhập và kiểm tra. {file} mang dấu đã chuyển: không máy nào chạy trên nó nữa.")


def export_office(
    office: Annotated[str, typer.Argument(metavar="MÃ", help="Mã phường.")],
    target: Annotated[
        Path, typer.Argument(metavar="TỆP", help="Tệp dữ liệu (SQLite) mới; chưa có trước.")
    ],
    leave: Annotated[
        bool,
        typer.Option("--leave", help="Phường rời hệ thống chung: thôi phục vụ từ đây. [bản chép]"),
    ] = False,
    files: Annotated[
        Path | None,
        option("THƯ-MỤC", "Ghi cả kế hoạch, danh sách cán bộ và reminder.toml vào đây."),
    ] = None,
    as_json: AsJson = False,
    config: Config = None,
) -> None:
    """Xuất một phường ra tệp mà `reminder run` chạy riêng được: sổ, tin chờ, địa chỉ, kế hoạch.

    Không có --leave thì đó là bản chép: phường vẫn chạy ở đây, tin còn chờ trong bản chép mang dấu.
    """
    from reminder.province.joining import leave_files, mailbox_marks, write_files
    from reminder.store import transfer
    from reminder.store.offices import OfficeState

    bootstrap.need_database(config)
    with stores_of(config) as stores:
        record = stores.office(office)
        if record is None:
            raise ReminderError(f"không có phường “{office}”: xem reminder office list")
        transfer.check_new(target)
        source = stores.of(office)
        _verify(source, f"phường {office}")
        accounts = {
            channel: account
            for _, channel, name in stores.links(office_id=office)
            if (account := stores.account(name)) is not None
        }

        bots = {one.id for one in stores.accounts() if one.kind in RECEIVING}

        def seen_as(channel: str, update: str) -> str:
            account, colon, number = update.partition(":")
            return number if colon and channel in RECEIVING and account in bots else update

        beside = leave_files(stores, office, target, files, accounts) if files else {}
        left = leave or record.state is OfficeState.RETIRED
        time_of = partial(bootstrap.time_of, source)
        with transfer.leaving(stores, office, time_of()) if leave else nullcontext():
            _wait_for_sends(source)
            transfer.take_out(
                source,
                target,
                time_of(),
                left=left,
                seen_as=seen_as,
                marks=mailbox_marks(stores, accounts),
                sleep=bootstrap.pause,
            )
        write_files(beside)
        told = _told(source)
    if as_json:
        fields: dict[str, Any] = {"office": office, "name": record.name, "left": left}
        fields |= {"file": str(target), "files": [str(path) for path in beside]}
        print(json.dumps({**fields, **told}, ensure_ascii=False))
        return
    print(f"{record.name} ({office}): {_in_words(told)}.")
    print(f"Đã xuất và kiểm tra: {', '.join(map(str, [target, *beside]))}.")
    print(
        "Phường đã thôi chạy ở đây: chạy `reminder run` trên tệp ấy."
        if left
        else "Đây là bản chép, phường vẫn chạy ở đây: đừng chạy máy trên tệp ấy. Rời hẳn: --leave."
    )


def _wait_for_sends(store: Store) -> None:
    """Wait for the sends under way, if they end soon."""
    waited = 0.0
    while store.counts()["leased"] and waited < _WAIT:
        bootstrap.pause(_STEP)
        waited += _STEP


def _verify(store: Store, what: str) -> None:
    """Raise ReminderError unless the ledger is whole, and as past digests told it."""
    from reminder.services.proof import verify

    broken = verify(store).broken
    if broken is not None:
        raise ReminderError(
            f"{what}: sổ ghi đã bị sửa từ mục {broken.number}: xem reminder log --verify, lấy một "
            "bản sao cũ hơn"
        )


def _told(store: Store) -> dict[str, Any]:
    """Return how much of what an office has."""
    from reminder.store.transfer import counted

    number, hash_ = store.head()
    return {"head": f"{number}:{hash_}", "rows": counted(store), "outbox": store.counts()}


def _in_words(told: dict[str, Any]) -> str:
    rows, outbox = told["rows"], told["outbox"]
    number, _, hash_ = told["head"].partition(":")
    return (
        f"{rows['event']} ghi nhận (mã sổ {number}:{hash_[:16]}), {rows['outbox']} tin, "
        f"{outbox['pending']} tin còn chờ, {rows['address']} địa chỉ, "
        f"{rows['document']} bản kế hoạch và danh sách"
    )
