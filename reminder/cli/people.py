"""`reminder invite`, `web-link`, `people`, `unbind`, `revive`: people and how they are reached."""

from __future__ import annotations

import json
import sys
from collections.abc import Iterable, Mapping, Sequence
from datetime import datetime
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from reminder.app import bootstrap, channels
from reminder.app.bootstrap import Opened
from reminder.app.channels import CHANNELS, channel_names, known_channels
from reminder.cli import asking
from reminder.cli.options import AsJson, Commands, Config, print_table
from reminder.domain.calendar import local, local_day, vn_date
from reminder.domain.errors import ReminderError
from reminder.domain.ledger import absences, away_until
from reminder.domain.outbox import AddressSource, ChannelTraits, Invited
from reminder.domain.people import Address, Person
from reminder.domain.plan import Plan, Unit
from reminder.domain.tokens import INVITATION_LIFETIME
from reminder.domain.weblinks import LOGIN_LIFETIME
from reminder.files.people import edited, load_people, people_text
from reminder.files.settings import DEFAULT_PATH, environment, settings_path
from reminder.files.toml import Source, Text, nearest, write_file
from reminder.store.records import meta_moment

if TYPE_CHECKING:
    from reminder.domain.outbox import Row
    from reminder.importing.people import Change, Roster
    from reminder.store.store import Store

PersonId = Annotated[str, typer.Argument(metavar="NGƯỜI", help="Mã người, như trong people.toml.")]

Recipient = Annotated[
    str, typer.Argument(metavar="NGƯỜI", help="Mã người; nhóm Telegram thì group:BỘ-PHẬN.")
]


def invite(
    person: PersonId,
    channel: Annotated[
        str,
        typer.Option(
            metavar="KÊNH",
            help="Mời vào kênh nào; không ghi: kênh đầu tiên có mã mời mà cơ quan đã cài đặt.",
        ),
    ] = "",
    as_json: AsJson = False,
    config: Config = None,
) -> None:
    """Tạo lời mời dùng một lần để gắn Telegram, hay kênh khác, của một người, có hạn 72 giờ.

    Lời mời trước chưa dùng thì hết hiệu lực. Không cần mạng.
    """
    with bootstrap.office(config) as opened:
        bootstrap.need_served(opened.store)
        invited = known_person(person, opened.office.people)
        made = channels.invite(opened.settings, opened.store, invited, channel, opened.now)
        traits = made.channel
        off = traits.name not in channel_names(opened.settings)
        many = bool(opened.store.office)
    if as_json:
        until = local(made.expires_at).isoformat(timespec="seconds")
        url = made.url or None
        print(json.dumps({"person": person, "code": made.code, "url": url, "expires_at": until}))
    else:
        _print_invitation(invited, made, many=many)
    if traits.name not in invited.channels:
        print(
            f"{person} không có “{traits.name}” trong `channels` của people.toml.", file=sys.stderr
        )
    if off and not many:
        print(f"{traits.title} chưa được cài đặt: ghi token vào [{traits.name}].", file=sys.stderr)


def _enrolled() -> list[ChannelTraits]:
    """Return the channels to which people are invited."""
    return [one for one in known_channels() if one.addresses is AddressSource.INVITATION]


def _in_use(opened: Opened, addresses: Iterable[Address] = ()) -> list[ChannelTraits]:
    """The channels that are set up, or have addresses; all where there are none."""
    used = {*channel_names(opened.settings), *(address.channel for address in addresses)}
    known = [one for one in known_channels() if one.addresses is not AddressSource.NONE]
    return [one for one in known if one.name in used] or known


def known_person(person: str, people: Mapping[str, Person]) -> Person:
    """Return the person with this id; raise ReminderError if there is none."""
    if person not in people:
        hint = nearest(person, people) or f". Có: {', '.join(sorted(people)) or 'chưa có ai'}"
        raise ReminderError(f"people.toml không có người nào mã “{person}”{hint}")
    return people[person]


def _print_invitation(person: Person, made: Invited, *, many: bool) -> None:
    until, traits = _moment(made.expires_at), made.channel
    print(f"Lời mời cho {person.name} ({person.id}), dùng một lần, đến {until}.")
    if traits.typed_codes:
        _print_typed(person, made)
        return
    if not made.url and many:
        print("Chưa biết tên bot nên chưa có đường dẫn: cho worker chạy một lần khi có mạng, hoặc")
        print(
            "`reminder office account set TÀI-KHOẢN --set bot_name=TÊN`. Trong lúc đó, gõ cho bot:"
        )
    elif not made.url:
        print("Chưa biết tên bot nên chưa có đường dẫn: ghi telegram.bot_name vào tệp cài đặt,")
        print("hoặc chạy `reminder run` một lần khi có mạng. Trong lúc đó, gõ cho bot:")
    else:
        print(f"Mở đường dẫn, hoặc quét mã bằng điện thoại, rồi bấm Start:\n\n  {made.url}\n")
        _print_qr(made.url)
        print(f"\nHoặc tìm bot trong {traits.title} và gõ:")
    print(f"\n  {made.typed}")


def _print_typed(person: Person, made: Invited) -> None:
    """The bot's link and its QR code, and the words to send along with the code."""
    title, url = made.channel.title, made.url
    if not url:
        print("Chưa biết đường dẫn của bot: chạy `reminder run` một lần khi có mạng rồi mời lại,")
        print(f"hoặc để người ấy tìm bot theo tên trong {title}.")
        place = f"tìm bot nhắc việc trong {title}"
    else:
        print(f"Đường dẫn của bot {title}, và mã QR của đường dẫn ấy:\n\n  {url}\n")
        _print_qr(url)
        place = f"mở {url}"
    print(f"\nMã: {made.typed}\n\nLời gửi kèm:\n")
    print(f"  Chào {person.name}. Để nhận tin nhắc việc qua {title}: {place},")
    print(f"  nhắn mã {made.typed} (hoa hay thường, có dấu cách hay không đều được).")
    print("  Bot chào đúng tên là xong; không thấy trả lời thì xin báo lại.")
    print(f"  Mã dùng một lần, đến {_moment(made.expires_at)}.")


def _print_qr(url: str) -> None:
    import segno  # 20 ms, and nothing else draws

    segno.make(url, micro=False).terminal(sys.stdout, compact=True)


def web_link(person: PersonId, as_json: AsJson = False, config: Config = None) -> None:
    """In đường dẫn đăng nhập trang theo dõi của một người, dùng một lần trong 10 phút."""
    with bootstrap.office(config) as opened:
        bootstrap.need_served(opened.store)
        found = known_person(person, opened.office.people)
        links = channels.web_links(opened.settings, opened.store)
        if links is None:
            raise ReminderError(
                'trang theo dõi chưa bật: ghi listen = "127.0.0.1:8080" dưới [web] trong'
                " config/reminder.toml rồi chạy lại máy nhắc việc"
            )
        url = links.login(opened.store.add_login(found.id, opened.now))
        until = local(opened.now + LOGIN_LIFETIME)
    if as_json:
        expires_at = until.isoformat(timespec="seconds")
        print(json.dumps({"person": found.id, "url": url, "expires_at": expires_at}))
        return
    _print_qr(url)
    print(url)
    print(f"Dành cho {found.name}, dùng một lần, đến {until:%H:%M}.")


def _moment(at: datetime) -> str:
    """Return “08:05 31/01/2024”, in the office's time."""
    return f"{local(at):%H:%M} {vn_date(local_day(at), year=True)}"


app = Commands(no_args_is_help=False)


@app.callback(invoke_without_command=True, epilog="Ví dụ: reminder people")
def people(context: typer.Context, config: Config = None) -> None:
    """Xem danh sách người: bộ phận, kênh nhận tin, địa chỉ hỏng từ khi nào và vì sao."""
    if context.invoked_subcommand is None:
        _list(config)


def _list(config: Path | None) -> None:
    with bootstrap.office(config) as opened:
        addresses = {(a.recipient, a.channel): a for a in opened.store.addresses()}
        channels = _in_use(opened, addresses.values())
        rows = [
            (
                person.id,
                person.name,
                ", ".join(person.units),
                *(_reached(person, channel, addresses) for channel in channels),
                _invited(
                    person.id,
                    opened.store.meta(f"invited:{person.id}"),
                    [addresses.get((person.id, channel.name)) for channel in _enrolled()],
                    opened.now,
                ),
            )
            for person in opened.office.people.values()
        ]
        groups = [a for a in addresses.values() if a.recipient.startswith("group:")]
        bounced = _returned(opened.store)
        today, found = local_day(opened.now), absences(opened.office.events)
        away = [
            (p.name, until)
            for p in opened.office.people.values()
            if (until := away_until(found, p.id, today))
        ]
    titles = [channel.title.capitalize() for channel in channels]
    headers = ("Mã", "Tên", "Bộ phận", *titles, "Lời mời cuối")
    print_table(headers, rows) if rows else print("people.toml chưa có ai.")
    for name, until in away:
        print(f"{name} nghỉ đến hết {vn_date(until, year=True)}.")
    named = {channel.name: channel.title for channel in channels}
    for group in groups:
        unit = group.recipient.removeprefix("group:")
        print(f"Nhóm {named.get(group.channel, group.channel)} của {unit}: {_standing(group)}.")
    for row in bounced:
        draft = row.draft
        when = f"lúc {_moment(row.sent_at)} " if row.sent_at else ""
        way = named.get(draft.channel, draft.channel)
        print(f"Tin gần nhất qua {way} gửi {draft.recipient} {when}không đến: {row.error}.")


@app.command(
    "import",
    epilog="Ví dụ: reminder people import can-bo.xlsx\n\nCột nhận theo tên, thứ tự nào cũng được: "
    "Họ và tên, Chức danh, Bộ phận, Thư, Điện thoại.",
)
def import_list(
    table: Annotated[
        Path,
        typer.Argument(metavar="TỆP", help="Bảng cán bộ của cơ quan: .csv hoặc .xlsx."),
    ],
    drop: Annotated[
        bool, typer.Option("--drop", help="Bỏ khỏi people.toml ai không có trong bảng.")
    ] = False,
    agreed: Annotated[bool, typer.Option("--yes", help="Ghi luôn, không hỏi.")] = False,
    config: Config = None,
) -> None:
    """Đưa bảng cán bộ vào people.toml: xem khác gì rồi mới ghi.

    Ô trống thì giữ điều đang có; ghi chú và các khóa khác của people.toml giữ nguyên.
    """
    from reminder.importing.people import changes, read_roster

    settings = bootstrap.load_settings(config)
    sources = bootstrap.current(settings)
    path = sources.people or people_path(config)
    units = units_of(bootstrap.load_plans(sources.plans))
    written = load_people(path, units, known_channels()) if _is_there(path) else ()
    roster = read_roster(table, list(units.values()))
    found = changes(written, roster.people, drop=drop)
    _print_changes(found, roster, units, drop=drop)
    if all(change.before == change.after for change in found):
        print("Không có gì thay đổi.")
        return
    if not asking.agreed(f"Ghi vào {path}?", agreed):
        return
    after = [change.after for change in found if change.after]
    text = people_file(path, written, after, units)
    if settings.plan.source == "database":
        _record(config, text, f"nhập từ {table.name}")
        return
    assert isinstance(path, Path)
    write_file(path, text.encode())
    print(f"Đã ghi {path}. Máy đang chạy thì nhận trong vòng một phút.")


def _record(config: Path | None, text: str, why: str) -> None:
    """Record the people's list in the database."""
    from reminder.files.documents import PEOPLE

    with bootstrap.texts(config) as documents:
        newest, at = documents.newest(PEOPLE), bootstrap.time_of(documents.store)
        seen = newest.version if newest else 0
        version, _ = documents.record(PEOPLE, text, seen=seen, by="", why=why, at=at)
    print(f"Đã ghi bản {version.version} của danh sách. Máy đang chạy thì nhận trong vài giây.")


def _is_there(path: Source) -> bool:
    return isinstance(path, Text) or path.exists()


def people_path(config: Path | None) -> Path:
    """Return where a people file belongs that is not there yet: beside the settings."""
    settings = settings_path(config, environment())
    return (settings or DEFAULT_PATH).parent / "people.toml"


def units_of(plans: Sequence[Plan]) -> dict[str, Unit]:
    """Return all units by id, as the newest plan names them."""
    by_year = sorted(plans, key=lambda plan: plan.year)
    return {unit.id: unit for plan in by_year for unit in plan.units}


def people_file(
    path: Source, before: Sequence[Person], after: Sequence[Person], units: Mapping[str, Unit]
) -> str:
    """Return the people file with `after` in it; ReminderError if its text can't be changed so."""
    try:
        text = edited(path, before, after) if _is_there(path) else people_text(after)
    except ValueError:
        raise ReminderError(
            f"{path} viết theo cách máy không sửa từng dòng được: viết mỗi người thành một mục "
            "[[person]] riêng rồi làm lại"
        ) from None
    made = load_people(Text(str(path), text), units, known_channels())
    if [_kept(person) for person in made] != [_kept(person) for person in after]:
        raise ReminderError(f"chưa ghi gì: sửa {path} thì mất phần khác của tệp")
    return text


def _kept(person: Person) -> tuple[object, ...]:
    return (person.id, person.name, person.title, person.units, person.email, person.phone)


_SHOWN = ("họ tên", "chức danh", "bộ phận", "thư", "điện thoại")


def _cells(person: Person, units: Mapping[str, Unit]) -> tuple[str, ...]:
    names = ", ".join(units[unit].name for unit in person.units)
    return (person.name, person.title, names, person.email, person.phone)


def _print_changes(
    found: Sequence[Change], roster: Roster, units: Mapping[str, Unit], *, drop: bool
) -> None:
    for change in found:
        match change.before, change.after:
            case None, Person() as after:
                print(f"+ {after.id}: {'; '.join(cell for cell in _cells(after, units) if cell)}")
            case Person() as before, None:
                print(f"- {before.id}: {before.name}")
            case Person() as before, Person() as after if before != after:
                pairs = zip(_SHOWN, _cells(before, units), _cells(after, units), strict=True)
                told = (f"{w} {old or '(trống)'} → {new}" for w, old, new in pairs if old != new)
                print(f"~ {after.id}: {'; '.join(told)}")
            case _:
                pass
    listed = {row.name for row in roster.people}
    kept = [c.before.name for c in found if c.before and c.before == c.after]
    missing = [name for name in kept if name not in listed]
    if missing and not drop:
        print(f"Không có trong bảng, giữ nguyên: {', '.join(missing)}. Muốn bỏ: thêm --drop.")
    if roster.ignored:
        print(f"Cột không dùng: {', '.join(roster.ignored)}.")


@app.command("export", epilog="Ví dụ: reminder people export -o can-bo.xlsx")
def export_list(
    output: Annotated[
        Path, typer.Option("-o", "--output", metavar="TỆP", help="Ghi vào tệp .xlsx hoặc .csv này.")
    ],
    config: Config = None,
) -> None:
    """Ghi people.toml thành bảng cán bộ; sửa trong Excel rồi đưa lại bằng `people import`."""
    from reminder.documents.workbook import csv_file, table_file

    sources = bootstrap.current(bootstrap.load_settings(config))
    if sources.people is None:
        raise ReminderError(f"chưa có danh sách người: đã tìm {people_path(config).absolute()}")
    if output.suffix.lower() not in (".csv", ".xlsx"):
        raise ReminderError(f"{output.name}: tên tệp phải kết thúc bằng .xlsx hoặc .csv")
    units = units_of(bootstrap.load_plans(sources.plans))
    found = load_people(sources.people, units, known_channels())
    headings = ("Mã", "Họ và tên", "Chức danh", "Bộ phận", "Thư", "Điện thoại")
    rows = [(person.id, *_cells(person, units)) for person in found]
    make = csv_file if output.suffix.lower() == ".csv" else table_file
    write_file(output, make(headings, rows))
    print(f"Đã ghi {len(rows)} người vào {output}.")


def _returned(store: Store) -> list[Row]:
    """Return each person's newest message on a channel, where it was accepted and came back."""
    from reminder.domain.outbox import RowState

    newest: dict[tuple[str, str], Row] = {}
    for row in store.rows(states=[RowState.RETURNED]):
        newest.setdefault((row.draft.recipient, row.draft.channel), row)
    return [
        row
        for (recipient, channel), row in sorted(newest.items())
        if not any(
            later.draft.channel == channel
            for later in store.rows(
                recipient=recipient, states=[RowState.SENT], since=row.draft.slot
            )
        )
    ]


def _reached(
    person: Person, channel: ChannelTraits, addresses: Mapping[tuple[str, str], Address]
) -> str:
    """Return how a person is reached on a channel, in a few words."""
    address = addresses.get((person.id, channel.name))
    if channel.name not in person.channels:
        return "không dùng"
    if channel.addresses is AddressSource.INVITATION:
        return _standing(address) if address else "chưa gắn"
    dead = address is not None and address.value == person.email and address.dead_since is not None
    return f"{person.email}: {_standing(address)}" if address and dead else person.email


def _standing(address: Address) -> str:
    if address.dead_since is not None:
        why = f" ({address.dead_reason})" if address.dead_reason else ""
        return f"hỏng từ {_moment(address.dead_since)}{why}"
    return f"đã gắn {_moment(address.bound_at)}"


def _invited(
    person: str, at: str | None, addresses: Iterable[Address | None], now: datetime
) -> str:
    """Return when a person was last invited, and whether the invitation was used."""
    invited = meta_moment(f"invited:{person}", at)
    if invited is None:
        return "chưa mời"
    if any(address and address.bound_at >= invited for address in addresses):
        return f"{_moment(invited)}, đã dùng"
    expired = now >= invited + INVITATION_LIFETIME
    return f"{_moment(invited)}, {'hết hạn' if expired else 'chưa dùng'}"


_NAMES = [wiring.traits.name for wiring in CHANNELS]


def _known_channel(name: str | None) -> str | None:
    if name not in (None, *_NAMES):
        raise typer.BadParameter(f"one of {', '.join(_NAMES)}")
    return name


def unbind(
    person: Recipient,
    channel: Annotated[
        str | None,
        typer.Option(
            callback=_known_channel,
            metavar="|".join(one.name for one in _enrolled()),
            help="Chỉ kênh này; không ghi là mọi kênh đã gắn bằng lời mời.",
        ),
    ] = None,
    config: Config = None,
) -> None:
    """Bỏ tài khoản nhắn tin của một người (mất máy, đổi tài khoản): không nhắc, hết quyền ở đó.

    Thư vẫn như cũ: địa chỉ thư nằm trong people.toml. Muốn gắn lại thì mời lại.
    """
    bound = [one for one in _enrolled() if channel in (None, one.name)]
    if not bound:
        raise ReminderError(f"địa chỉ của kênh {channel} nằm trong people.toml: bỏ ở đó")
    with bootstrap.office(config) as opened:
        _check_recipient(person, opened)
        gone = [one.title for one in bound if opened.store.unbind(person, one.name)]
        named = [one for one in bound if channel or one in _in_use(opened)]
    if not gone:
        titles = ", ".join(one.title for one in named)
        raise ReminderError(f"{person} chưa gắn {titles}: không có gì để bỏ")
    print(f"Đã bỏ {', '.join(gone)} của {person}. Mời lại: reminder invite {person}")


def revive(
    person: Recipient,
    channel: Annotated[
        str | None,
        typer.Option(
            callback=_known_channel,
            metavar="|".join(_NAMES),
            help="Chỉ kênh này; không ghi là mọi kênh đang hỏng.",
        ),
    ] = None,
    config: Config = None,
) -> None:
    """Dùng lại một địa chỉ đã hỏng: hộp thư nhận thư lại rồi, bot không còn bị chặn.

    Tính từ lần nhắc tới; tin đã bỏ trong lúc hỏng không gửi lại. Chủ địa chỉ nhắn cho máy, hoặc
    people.toml có địa chỉ thư khác, thì máy tự dùng lại.
    """
    with bootstrap.office(config) as opened:
        _check_recipient(person, opened)
        dead = opened.store.revive_addresses(person, channel)
    if not dead:
        where = f" ở {channel}" if channel else ""
        raise ReminderError(f"{person} không có địa chỉ nào hỏng{where}")
    print(f"{', '.join(each.channel for each in dead)} của {person} dùng lại từ lần nhắc tới.")
    print("Tin đã không gửi được thì không gửi lại: reminder outbox list --state dead")


def _check_recipient(recipient: str, opened: Opened) -> None:
    """Raise ReminderError unless the recipient is in people.toml or has an address."""
    known = {*opened.office.people, *(a.recipient for a in opened.store.addresses())}
    if recipient not in known:
        raise ReminderError(f"không có ai mã “{recipient}”{nearest(recipient, known)}")
