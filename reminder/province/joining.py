"""What a ward brings into a province besides its records, and what it takes out: its files.

Its bot, mail server and mailbox become accounts, whose secrets are named and never kept; its
plans, people and own settings become texts of the database. Out of it they become files again.
"""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, fields
from datetime import datetime
from pathlib import Path
from typing import Any

from reminder.app import bootstrap
from reminder.app.channels import RECEIVING
from reminder.app.offices import documents_of
from reminder.channels.email.receive import LOOK, MARK
from reminder.domain.errors import ReminderError
from reminder.files.documents import OWN, PEOPLE, one_way, plan_name, sources_of
from reminder.files.settings import (
    ACCOUNT_SECRETS,
    Secret,
    Settings,
    load_settings,
    own_text,
)
from reminder.files.toml import as_toml, read_text, write_file
from reminder.store.offices import Account, Stores
from reminder.store.records import RESTORED
from reminder.store.transfer import counted

INBOX = "inbox"
_MARKS = (MARK, LOOK, RESTORED)  # how far a mailbox was read: of its account, where that is shared
_OF_HOST = ("backup", "watch", "log")  # sections that are the business of who runs the province


@dataclass
class Joining:
    """What a ward brings, and what is to be said of it."""

    office: str
    accounts: list[Account] = field(default_factory=list)  # to be made
    secrets: dict[Path, str] = field(default_factory=dict)  # files to be written
    links: dict[str, str] = field(default_factory=dict)  # channel → account
    texts: dict[str, str] = field(default_factory=dict)  # by name; of plans and people, or none
    own: str = ""  # the settings that an office of many has of its own, TOML
    name: str = ""  # as the ward's letterhead has it
    said: list[str] = field(default_factory=list)
    documents: int = 0  # versions of texts that the office has once it is settled

    def seen_as(self, channel: str, update: str) -> str:
        """Return the id of a bot's update as its account's: those of two bots are alike."""
        account = self.links.get(channel) if channel in RECEIVING else None
        return f"{account}:{update}" if account else update

    def write_secrets(self) -> None:
        """Write the files of the secrets, which only their owner may read."""
        write_files({path: f"{secret}\n" for path, secret in self.secrets.items()})

    def settle(self, stores: Stores, base: Settings, at: datetime) -> None:
        """Write accounts, links and texts; FileError or ReminderError with what is wrong."""
        for account in self.accounts:
            if not stores.add_account(account):
                raise ReminderError(
                    f"đã có tài khoản {account.id}: thêm --account {account.kind}={account.id} để "
                    "dùng nó"
                )
        for channel, account_id in self.links.items():
            account_there = stores.account(account_id)
            if account_there is None or account_there.kind != channel:
                raise ReminderError(
                    f"không có tài khoản {account_id} loại {channel}: xem reminder office "
                    "account list"
                )
            stores.link(self.office, channel, account_id)
        ward = stores.of(self.office)
        for account in self.accounts:
            if account.kind == INBOX:
                for name in _MARKS:
                    stores.of("").set_meta(f"{account.id}/{name}", ward.meta(name) or "")
        kept = sources_of(ward.documents()).plans
        if not kept and not self.texts.keys() - {PEOPLE}:
            raise ReminderError(
                "phường chưa có kế hoạch nào: ghi --plans (tệp hay thư mục), hoặc --settings "
                "reminder.toml của phường có [plan] files"
            )
        texts = {**self.texts, **({OWN: self.own} if self.own else {})}
        documents = documents_of(stores, base, self.office, at, bootstrap.files_of)
        documents.put(texts, why="chuyển từ phường", at=at)
        self.documents = counted(ward)["document"]


def joining(
    office: str, settings: Path | None, accounts: Sequence[str], secrets: Path | None, at: datetime
) -> Joining:
    """Return what a ward brings by its settings; the environment that it ran with is not known.

    `accounts`: “channel=account” for those that are there already; an empty one: no such channel.
    `secrets`: a folder for files with the secrets; None: they are named as variables.
    """
    found = Joining(office=office)
    given = _given(accounts)
    ward = load_settings(settings, {}) if settings else Settings()
    for kind, key in ACCOUNT_SECRETS.items():
        section = getattr(ward, kind)
        if kind in given:
            if given[kind]:
                found.links[kind] = given[kind]
                found.said.append(_other(kind, given[kind]))
        elif section.is_on:
            _add_account(found, kind, section, getattr(section, key), secrets, at)
    if settings is None:
        return found
    found.own = own_text(settings)
    found.name = ward.report.authority
    left = [f"[{name}]" for name in _OF_HOST if getattr(ward, name) != getattr(Settings(), name)]
    left += ["[web] listen, base_url"] if ward.web.is_on else []
    left += [f"[{kind}] webhook_url" for kind in RECEIVING if getattr(ward, kind).webhook_url]
    if left:
        found.said.append(f"Không mang theo, tỉnh lo chung: {', '.join(left)}.")
    calendar = ward.plan.calendar
    if calendar is not None and calendar.is_file():
        found.said.append(f"Không mang theo lịch nghỉ {calendar}: các phường dùng lịch của tỉnh.")
    return found


def _given(accounts: Sequence[str]) -> dict[str, str]:
    found = {}
    for each in accounts:
        channel, sign, account = each.partition("=")
        if not sign or channel not in ACCOUNT_SECRETS:
            raise ReminderError(
                f"--account {each}: ghi KÊNH=MÃ, kênh là {', '.join(ACCOUNT_SECRETS)}"
            )
        found[channel] = account
    return found


def _other(kind: str, account: str) -> str:
    if kind not in RECEIVING:
        return f"Kênh {kind} dùng tài khoản {account} có sẵn."
    return (
        f"Kênh {kind} dùng tài khoản {account} có sẵn: nút dưới tin cũ chỉ còn tác dụng nếu đó vẫn "
        "là bot của phường; bot khác thì cán bộ mở bot ấy và bấm Bắt đầu (reminder invite)."
    )


def _add_account(
    found: Joining, kind: str, section: Any, secret: Secret, folder: Path | None, at: datetime
) -> None:
    """Add the account of a section, with its secret named."""
    made = f"{found.office}-{kind}"
    values = {}
    for each in fields(section):
        value = getattr(section, each.name)
        changed = value != each.default or each.name == "port"  # which `security` fills in
        if changed and not isinstance(value, Secret) and not each.name.startswith("webhook"):
            values[each.name] = str(value.resolve()) if isinstance(value, Path) else value
    reference = ""
    if secret.value and folder is not None:
        path = folder.resolve() / made
        found.secrets[path] = secret.value
        reference = f"file:{path}"
        found.said.append(f"Tài khoản {made}: bí mật ghi vào {path}.")
    elif secret.value:
        variable = "SECRET_" + made.upper().replace("-", "_")
        reference = f"env:{variable}"
        found.said.append(
            f"Tài khoản {made}: đặt biến {variable} (bí mật trong reminder.toml của phường) cho "
            "các tiến trình của tỉnh rồi mới chạy."
        )
    else:
        found.said.append(f"Tài khoản {made}: không có bí mật.")
    if "ca_file" in values:
        found.said.append(
            f"Tài khoản {made}: chép chứng thư {values['ca_file']} sang máy của tỉnh."
        )
    found.accounts.append(
        Account(
            id=made, kind=kind, secret=reference, made_at=at,
            settings=json.dumps(values, ensure_ascii=False),
        )
    )  # fmt: skip
    found.links[kind] = made


def take_files(
    found: Joining, settings: Path | None, plans: Sequence[Path], people: Path | None
) -> None:
    """Read plans and people: those given, else those of the ward's settings.

    None at all, or settings with `source = "database"`: those that the ward's file has count.
    """
    ward = load_settings(settings, {}).plan if settings else None
    of_ward = ward if ward is not None and ward.source == "files" else None
    paths = [path for each in plans for path in _plans_in(each)]
    if not paths and of_ward is not None:
        paths = list(of_ward.files)
    people = people or (of_ward.people if of_ward is not None else None)
    for path in paths:
        text = one_way(read_text(path))
        name = plan_name(text, str(path))
        if name in found.texts:
            raise ReminderError(f"{path}: kế hoạch “{name}” có hai tệp")
        found.texts[name] = text
    if people is not None:
        found.texts[PEOPLE] = one_way(read_text(people))


def _plans_in(path: Path) -> list[Path]:
    if not path.is_dir():
        return [path]
    found = sorted(p for p in path.glob("plan*.toml") if not p.match("*.draft.toml"))
    if not found:
        raise ReminderError(f"{path}: không có tệp plan*.toml nào")
    return found


def write_files(texts: Mapping[Path, str]) -> None:
    """Write files, which only their owner may read; their folders are made."""
    for path, text in texts.items():
        try:
            path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
        except OSError as error:
            raise ReminderError(
                f"không tạo được thư mục {path.parent}: {error.strerror}"
            ) from error
        write_file(path, text.encode())


# ---- out


def mailbox_marks(stores: Stores, accounts: Mapping[str, Account]) -> dict[str, str]:
    """Return how far the mailbox was read that an office takes along: one of its own."""
    account = accounts.get(INBOX)
    if account is None or len(stores.links(account_id=account.id)) > 1:
        return {}
    found = {name: stores.of("").meta(f"{account.id}/{name}") for name in (MARK, LOOK)}
    return {name: value for name, value in found.items() if value}


def leave_files(
    stores: Stores, office: str, database: Path, folder: Path, accounts: Mapping[str, Account]
) -> dict[Path, str]:
    """Return the files of an office that runs by itself: plans, people and settings.

    ReminderError where one stands already: nothing is written over.
    """
    texts = {version.name: version.text for version in stores.of(office).documents()}
    own = texts.pop(OWN, "")
    names = {name: f"{name}.toml" if name == PEOPLE else f"plan-{name}.toml" for name in texts}
    found = {names[name]: text for name, text in texts.items() if text}
    found["reminder.toml"] = _settings(office, database, found, own, accounts)
    paths = {folder / name: text for name, text in found.items()}
    if there := [str(path) for path in paths if path.exists()]:
        raise ReminderError(f"đã có tệp {', '.join(there)}: ghi thư mục khác sau --files")
    return paths


def _settings(
    office: str, database: Path, files: Mapping[str, str], own: str, accounts: Mapping[str, Account]
) -> str:
    """Return the settings file of an office that runs by itself."""
    plans = [name for name in files if name != f"{PEOPLE}.toml"]
    lines = [
        "# Của một phường rời hệ thống chung. Đường dẫn tính từ tệp này; [store] thì từ nơi chạy.",
        "[office]",
        f"id = {as_toml(office)}",
        "[plan]",
        f"files = {as_toml(plans)}",
    ]
    lines += [f'people = "{PEOPLE}.toml"'] if f"{PEOPLE}.toml" in files else []
    lines += ["[store]", f"url = {as_toml(f'sqlite:///{database.resolve().as_posix()}')}"]
    for kind, account in accounts.items():
        values = json.loads(account.settings)
        hidden = "# " if account.secret else ""
        if account.secret:
            lines.append(
                f"# Bí mật không xuất ra: ghi {ACCOUNT_SECRETS[kind]} rồi bỏ dấu # đầu dòng."
            )
        lines.append(f"{hidden}[{kind}]")
        lines += [f"{hidden}{name} = {as_toml(value)}" for name, value in values.items()]
        lines += [f'{hidden}{ACCOUNT_SECRETS[kind]} = ""'] if account.secret else []
    return "\n".join(lines) + f"\n{own}"
