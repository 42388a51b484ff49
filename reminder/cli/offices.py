"""`reminder office`: the offices of a database that has many, and their accounts at providers."""

from __future__ import annotations

import json
import re
from collections import Counter
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import replace
from datetime import datetime
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from reminder.app import bootstrap
from reminder.cli import asking
from reminder.cli.options import AsJson, AsJsonLines, Commands, Config, iso, option, print_table
from reminder.domain.calendar import local
from reminder.domain.errors import FileError, ReminderError
from reminder.domain.text import one_line
from reminder.files.settings import ACCOUNT_SECRETS, account_section, environment, secret_of
from reminder.files.toml import nearest, read_text

if TYPE_CHECKING:
    from reminder.store.offices import Account, Heard, OfficeRecord, Stores

ID = re.compile(r"[a-z0-9][a-z0-9-]{0,63}")
LONGEST_NAME = 100  # characters
STATES = {"active": "đang dùng", "retired": "thôi dùng"}

app = Commands(
    whole=True, help="Các phường chung một cơ sở dữ liệu: thêm, xem, thôi dùng, tài khoản gửi tin."
)
accounts = Commands(
    whole=True, help="Tài khoản gửi và nhận tin (bot, hộp thư) mà một hay nhiều phường dùng."
)
app.add_typer(accounts, name="account")
OfficeId = Annotated[str, typer.Argument(metavar="PHƯỜNG", help="Mã phường.")]
AccountId = Annotated[str, typer.Argument(metavar="TÀI-KHOẢN", help="Mã tài khoản.")]
Agreed = Annotated[bool, typer.Option("--yes", help="Làm luôn, không hỏi.")]
Values = Annotated[
    list[str] | None,
    typer.Option(
        "--set",
        metavar="KHÓA=TRỊ",
        help="Khóa của mục cùng tên trong tệp cài đặt, ví dụ host=smtp.example.vn; nhiều lần.",
    ),
]
Rate = Annotated[
    int | None,
    typer.Option(
        min=0, max=10_000, metavar="SỐ", help="Nhiều nhất bao nhiêu tin mỗi giây. [theo kênh]"
    ),
]
Unchecked = Annotated[
    bool,
    typer.Option("--unchecked", help="Bí mật chỉ có ở máy chạy chương trình: không thử đọc nó."),
]


@contextmanager
def stores_of(config: Path | None) -> Iterator[Stores]:
    """Open the database with all its offices."""
    from reminder.store.offices import Stores

    with bootstrap.all_offices(bootstrap.load_settings(config)) as store:
        yield Stores(store)


def _known(stores: Stores, office: str) -> OfficeRecord:
    from reminder.app.offices import unknown

    found = stores.office(office)
    if found is None:
        raise unknown(stores, office)
    return found


def _active(stores: Stores, office: str) -> OfficeRecord:
    found = _known(stores, office)
    if found.retired_at is not None:
        raise ReminderError(f"phường “{office}” đã thôi dùng từ {_time(found.retired_at)}")
    return found


def _account(stores: Stores, account: str) -> Account:
    found = stores.account(account)
    if found is None:
        near = nearest(account, [each.id for each in stores.accounts()])
        raise ReminderError(
            f"không có tài khoản “{account}”{near or ': xem reminder office account list'}"
        )
    return found


def check_id(text: str) -> None:
    """Raise ReminderError if an office or an account can't have this id."""
    if not ID.fullmatch(text):
        raise ReminderError(
            f"mã “{one_line(text)[:80]}” không dùng được: chỉ chữ thường không dấu, số và dấu gạch "
            'nối, nhiều nhất 64 ký tự, ví dụ "phuong-an-khe"'
        )


def _time(at: datetime | None) -> str:
    return f"{local(at):%H:%M %d/%m/%Y}" if at else ""


# ---- offices


@app.command(
    "add",
    epilog='Ví dụ: reminder office add an-khe --name "Phường An Khê" --province "Hoa Sen" '
    "--plan an-khe/plan2026.toml --people an-khe/people.toml",
)
def add(
    office: OfficeId,
    name: Annotated[str, option("TÊN", "Tên phường.")],
    province: Annotated[str, option("TÊN", "Tỉnh, thành phố.")] = "",
    plan: Annotated[
        list[Path] | None, typer.Option(metavar="TỆP", help="Tệp kế hoạch; ghi được nhiều lần.")
    ] = None,
    people: Annotated[Path | None, option("TỆP", "Danh sách cán bộ (people.toml).")] = None,
    own: Annotated[
        Path | None, option("TỆP", "Cài đặt riêng của phường: [schedule], [report], [delivery].")
    ] = None,
    config: Config = None,
) -> None:
    """Thêm một phường vào cơ sở dữ liệu, cùng kế hoạch và cán bộ của phường.

    Tệp có lỗi thì kể lỗi và không thêm gì.
    """
    from reminder.app.channels import mail_secret
    from reminder.app.offices import documents_of
    from reminder.files.documents import OWN, PEOPLE, one_way, plan_name
    from reminder.store.offices import OfficeRecord

    check_id(office)
    if people and not plan:
        raise ReminderError("--people đi cùng --plan: bộ phận của những người ấy có trong kế hoạch")
    texts = [(plan_name(text, str(file)), text, file) for file in plan or ()
             for text in [one_way(read_text(file))]]  # fmt: skip
    texts += [(key, one_way(read_text(file)), file)
              for key, file in ((OWN, own), (PEOPLE, people)) if file]  # fmt: skip
    doubled = [key for key, count in Counter(key for key, _, _ in texts).items() if count > 1]
    if doubled:
        raise ReminderError(f"kế hoạch “{doubled[0]}” có hai tệp")
    settings = bootstrap.load_settings(config)
    name, province = _name(name, "--name"), _name(province, "--province")
    if not name:
        raise ReminderError("--name không được trống: tên phường")
    with stores_of(config) as stores:
        _refuse_single(stores)
        store, at = stores.of(office), bootstrap.time_of(stores.of(""))
        record = OfficeRecord(id=office, name=name, province=province, made_at=at)
        with store.together():
            if not stores.add_office(record):
                state = STATES[_known(stores, office).state]
                raise ReminderError(f"đã có phường “{office}” ({state})")
            mail_secret(store)
            documents = documents_of(stores, settings, office, at, bootstrap.files_of)
            for key, text, file in texts:
                why = f"lấy từ tệp {file.name}"
                try:
                    _, files = documents.record(key, text, seen=0, by="", why=why, at=at)
                except FileError as error:
                    raise error.of_file(str(file), key) from None
    count = (
        f"{len(files.plans)} kế hoạch, {len(files.people)} cán bộ" if texts else "chưa có kế hoạch"
    )
    print(f"Đã thêm {record.name} ({office}): {count}.")
    print(f"Tiếp theo: reminder office account link {office} TÀI-KHOẢN")


def _name(text: str, what: str) -> str:
    name = one_line(text).strip()
    if len(name) > LONGEST_NAME:
        raise ReminderError(f"{what} dài quá {LONGEST_NAME} ký tự")
    return name


def _refuse_single(stores: Stores) -> None:
    """Raise ReminderError if the database holds what one office alone has recorded."""
    if stores.is_one():
        raise ReminderError(
            "cơ sở dữ liệu này đang dùng cho một cơ quan: ghi [store] url khác cho nhiều phường, "
            "rồi đưa cơ quan ấy sang bằng reminder import-office"
        )


@app.command("list", epilog="Ví dụ: reminder office list --json")
def show_all(
    every: Annotated[bool, typer.Option("--all", help="Cả phường đã thôi dùng.")] = False,
    as_json: AsJsonLines = False,
    config: Config = None,
) -> None:
    """Kể các phường: tên, tình trạng, lỗi nếu có, lần quét tới."""
    from reminder.store.offices import OfficeState

    with stores_of(config) as stores:
        found = stores.offices(state=None if every else OfficeState.ACTIVE)
    if as_json:
        for one in found:
            print(json.dumps(_fields(one), ensure_ascii=False))
        return
    rows = [
        (one.id, one.name, one.province, _state(one), "" if one.retired_at else _time(one.next_at))
        for one in found
    ]
    headers = ("Mã", "Tên", "Tỉnh", "Tình trạng", "Quét tới lúc")
    print_table(headers, rows) if rows else print("Chưa có phường nào: reminder office add")


def _fields(one: OfficeRecord) -> dict[str, Any]:
    return {
        "id": one.id,
        "name": one.name,
        "province": one.province,
        "state": one.state.value,
        "fault": one.fault,
        "fault_since": iso(one.fault_since),
        "next_at": iso(one.next_at),
        "made_at": iso(one.made_at),
        "retired_at": iso(one.retired_at),
    }


def _state(one: OfficeRecord) -> str:
    if one.fault and one.retired_at is None:
        return f"LỖI từ {_time(one.fault_since)}: {one.fault}"
    return STATES[one.state]


@app.command("show", epilog="Ví dụ: reminder office show an-khe")
def show(office: OfficeId, as_json: AsJson = False, config: Config = None) -> None:
    """Xem một phường: tình trạng, văn bản, kênh và tài khoản, số tin."""
    with stores_of(config) as stores:
        found, store = _known(stores, office), stores.of(office)
        texts = dict(store.document_marks())
        links = {channel: account for _, channel, account in stores.links(office_id=office)}
        counts = {state: count for state, count in store.counts().items() if count}
    if as_json:
        more = {"texts": texts, "accounts": links, "outbox": counts}
        print(json.dumps(_fields(found) | more, ensure_ascii=False))
        return
    print(f"{found.name} ({found.id}){', ' if found.province else ''}{found.province}")
    print(f"Tình trạng: {_state(found)}")
    if found.retired_at is None:
        print(f"Quét tới lúc: {_time(found.next_at) or 'ngay bây giờ'}")
    print(f"Văn bản: {', '.join(f'{key} (bản {n})' for key, n in texts.items()) or 'chưa có'}")
    print(f"Kênh: {', '.join(f'{c} qua {a}' for c, a in links.items()) or 'chưa có'}")
    from reminder.domain.outbox import STATE_WORDS

    print(f"Tin: {', '.join(f'{n} {STATE_WORDS[s]}' for s, n in counts.items()) or 'chưa có'}")


@app.command("retire", epilog="Ví dụ: reminder office retire an-khe --yes")
def retire(office: OfficeId, agreed: Agreed = False, config: Config = None) -> None:
    """Thôi dùng một phường: không nhắc, không nhận tin nữa; mọi ghi nhận của phường còn nguyên."""
    with stores_of(config) as stores:
        found = _active(stores, office)
        if not asking.agreed(f"Thôi dùng {found.name}?", agreed, "làm"):
            return
        stores.retire_office(office, bootstrap.time_of(stores.of("")))
    print(f"Đã thôi dùng {found.name} ({office}). Ghi nhận của phường còn nguyên.")


# ---- accounts


@accounts.command(
    "add",
    epilog="Ví dụ: reminder office account add bot-1 --kind telegram --secret env:BOT_1; "
    "reminder office account add thu --kind email --secret file:/etc/reminder/thu "
    "--set host=smtp.example.vn --set sender=nhacviec@example.vn --set username=nhacviec",
)
def add_account(
    account: AccountId,
    kind: Annotated[str, option("KÊNH", "telegram, zalo, email, hoặc inbox (hộp thư trả lời).")],
    secret: Annotated[
        str, option("NƠI", "Bí mật ở đâu: env:TÊN_BIẾN hoặc file:/tệp; chỉ nơi ấy được ghi lại.")
    ] = "",
    values: Values = None,
    rate: Rate = None,
    unchecked: Unchecked = False,
    config: Config = None,
) -> None:
    """Thêm một tài khoản: bot Telegram, bot Zalo, máy chủ gửi thư, hộp thư nhận trả lời."""
    from reminder.store.offices import Account

    check_id(account)
    if kind not in ACCOUNT_SECRETS:
        near = nearest(kind, ACCOUNT_SECRETS) or "."
        raise ReminderError(f"không có kênh “{kind}”{near} Có: {', '.join(ACCOUNT_SECRETS)}")
    made = Account(
        id=account,
        kind=kind,
        secret=secret,
        settings=json.dumps(_given(values), ensure_ascii=False),
        rate=rate or 0,
        made_at=bootstrap.now(),
    )
    _check_account(made, unchecked=unchecked)
    with stores_of(config) as stores:
        _refuse_single(stores)
        if not stores.add_account(made):
            raise ReminderError(f"đã có tài khoản “{account}” ({_account(stores, account).kind})")
    print(f"Đã thêm tài khoản {account} ({kind}).")


def _given(values: Sequence[str] | None) -> dict[str, str]:
    pairs = [value.partition("=") for value in values or ()]
    if wrong := next((name for name, equals, _ in pairs if not equals), None):
        raise ReminderError(f"--set {wrong}: phải ghi KHÓA=TRỊ, ví dụ host=smtp.example.vn")
    return {name.strip(): value.strip() for name, _, value in pairs}


def _check_account(account: Account, *, unchecked: bool) -> None:
    """Raise ReminderError for settings that are none, or a secret that is not there."""
    from reminder.app.offices import stand_in

    known, where = environment(), f"tài khoản {account.id}"
    held = stand_in(account.secret)
    try:
        if account.secret:
            held = secret_of(account.secret, known)
    except FileError as error:
        if not unchecked:
            raise ReminderError(f"bí mật {account.secret}: {error}") from error
    except ReminderError as error:
        if not unchecked or not account.secret.startswith(("env:", "file:/")):
            raise ReminderError(f"{error} (bí mật ở máy khác thì thêm --unchecked)") from error
    account_section(account.kind, json.loads(account.settings), held, where)


@accounts.command("set", epilog="Ví dụ: reminder office account set bot-1 --rate 20")
def change_account(
    account: AccountId,
    secret: Annotated[str | None, option("NƠI", "Bí mật ở đâu: env:TÊN hoặc file:/tệp.")] = None,
    values: Values = None,
    rate: Rate = None,
    unchecked: Unchecked = False,
    config: Config = None,
) -> None:
    """Đổi bí mật, tốc độ hay khóa của một tài khoản; khóa ghi trống thì bỏ khóa ấy."""
    with stores_of(config) as stores:
        found = _account(stores, account)
        kept = json.loads(found.settings) | _given(values)
        changed = replace(
            found,
            secret=found.secret if secret is None else secret,
            rate=found.rate if rate is None else rate,
            settings=json.dumps({k: v for k, v in kept.items() if v}, ensure_ascii=False),
        )
        _check_account(changed, unchecked=unchecked)
        stores.change_account(changed)
    print(f"Đã đổi tài khoản {account} ({found.kind}).")


@accounts.command("list", epilog="Ví dụ: reminder office account list --json")
def list_accounts(as_json: AsJsonLines = False, config: Config = None) -> None:
    """Kể các tài khoản: kênh, bí mật nằm ở đâu, bao nhiêu phường dùng, có hỏng không."""
    with stores_of(config) as stores:
        found = stores.accounts()
        used, heard = Counter(account for _, _, account in stores.links()), stores.heard()
    if as_json:
        for one in found:
            fields = {
                "id": one.id,
                "kind": one.kind,
                "secret": one.secret,
                "settings": json.loads(one.settings),
                "rate": one.rate,
                "offices": used[one.id],
                "down_since": iso(one.down_since),
                "down_reason": one.down_reason,
                "last_poll": iso(heard[one.id].at) if one.id in heard else None,
                "deaf_since": iso(heard[one.id].deaf_since) if one.id in heard else None,
                "deaf_reason": heard[one.id].reason if one.id in heard else "",
            }
            print(json.dumps(fields, ensure_ascii=False))
        return
    rows = [
        (
            one.id,
            one.kind,
            one.secret,
            one.rate or "theo kênh",
            used[one.id],
            _stands(one, heard.get(one.id)),
        )
        for one in found
    ]
    headers = ("Mã", "Kênh", "Bí mật ở", "Tin/giây", "Phường", "Ghi chú")
    print_table(headers, rows) if rows else print("Chưa có: reminder office account add")


def _stands(one: Account, heard: Heard | None) -> str:
    """Return what an operator has to know of an account: what fails, and when it last received."""
    said = [f"hỏng từ {_time(one.down_since)}: {one.down_reason}"] if one.down_since else []
    if heard is not None and heard.deaf_since:
        said.append(f"không nhận được tin từ {_time(heard.deaf_since)}: {heard.reason}")
    elif heard is not None and heard.at:
        said.append(f"hỏi tin lần cuối {_time(heard.at)}")
    return "; ".join(said)


@accounts.command("link", epilog="Ví dụ: reminder office account link an-khe bot-1")
def link(office: OfficeId, account: AccountId, config: Config = None) -> None:
    """Cho một phường dùng một tài khoản, thay tài khoản cùng kênh trước đó nếu có."""
    with stores_of(config) as stores:
        used, found = _account(stores, account), _active(stores, office)
        before = {channel: each for _, channel, each in stores.links(office_id=office)}
        if used.kind == "inbox" and "email" not in before:
            raise ReminderError(
                "hộp thư trả lời cần tài khoản gửi thư (email) trước: reminder office account link "
                f"{office} TÀI-KHOẢN"
            )
        stores.link(office, used.kind, account)
    old = before.get(used.kind, "")
    print(f"{found.name} dùng {used.kind} qua {account}{f', thay {old}' if old else ''}.")


@accounts.command("unlink", epilog="Ví dụ: reminder office account unlink an-khe bot-1")
def unlink(office: OfficeId, account: AccountId, config: Config = None) -> None:
    """Thôi cho một phường dùng một tài khoản."""
    with stores_of(config) as stores:
        _account(stores, account)
        links = stores.links(office_id=_known(stores, office).id, account_id=account)
        if not links:
            raise ReminderError(f"phường “{office}” không dùng tài khoản “{account}”")
        for _, channel, _ in links:
            stores.link(office, channel, "")
    print(f"Phường {office} thôi dùng {account}.")
