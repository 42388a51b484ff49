"""`reminder init`: the first set-up, by questions at a terminal or from a file of answers."""

from __future__ import annotations

import asyncio
import os
import re
import secrets
import shutil
import sys
import tomllib
from collections.abc import Callable, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass, replace
from datetime import time
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import TYPE_CHECKING, Annotated, Any, NamedTuple, TypeVar

import typer

from reminder.app import bootstrap, setup
from reminder.app.channels import known_channels
from reminder.app.setup import Answers, PlanAnswer
from reminder.cli import asking, drafting, status
from reminder.cli.options import Config, option
from reminder.cli.people import people_file
from reminder.domain.calendar import instant, local, vn_day
from reminder.domain.errors import ReminderError
from reminder.domain.ledger import by_key
from reminder.domain.outbox import SendError
from reminder.domain.people import MAIL_ADDRESS, Person
from reminder.domain.plan import Plan, Unit
from reminder.domain.schedule import MessageKind, speaking_hours
from reminder.files.people import load_people, people_text
from reminder.files.plan import load_plan
from reminder.files.settings import (
    DEFAULT_PATH,
    EMAIL_PORTS,
    INBOX_PORTS,
    EmailSection,
    FaultError,
    InboxSection,
    Secret,
    Settings,
    ZaloSection,
    edited_settings,
    environment,
)
from reminder.files.settings import load_settings as read_settings
from reminder.files.toml import Source, Text, read_text, write_file
from reminder.importing.people import Listed, UnitNames, changes, read_roster

if TYPE_CHECKING:
    from reminder.importing.draft import Draft

PROGRESS = ".init.toml"  # beside the settings: the answers so far, without secrets
_SAMPLE = "Đây là MẪU, không phải người thật"  # in the file of people that comes along


def init(
    answers: Annotated[
        Path | None, option("TỆP", "Không hỏi: lấy mọi câu trả lời từ tệp này.")
    ] = None,
    config: Config = None,
) -> None:
    """Thiết lập lần đầu: hỏi, thử ngay máy chủ thư và mã bot, ghi các tệp, gửi một tin thử.

    Ghi config/reminder.toml, people.toml, calendar.toml và kế hoạch trong data/, ở thư mục đang
    đứng. Tệp đã có thì hỏi trước khi ghi. Ctrl-C dừng được bất cứ lúc nào: gõ lại là làm tiếp.
    """
    path = config or DEFAULT_PATH
    if answers is not None:
        _set_up(_Unattended(path, setup.read_answers(answers)))
        return
    if not asking.at_terminal():
        raise ReminderError(
            "reminder init cần một cửa sổ lệnh để hỏi; không có thì --answers TỆP (docs/bat-dau.md)"
        )
    dialogue = None
    try:
        dialogue = _Dialogue(path)
        _set_up(dialogue)
    except (KeyboardInterrupt, typer.Abort):
        if dialogue is not None and dialogue.is_done:
            print("\nĐã dừng. Các tệp đã ghi xong; xem lại: reminder doctor")
        else:
            print("\nĐã dừng, chưa ghi tệp cài đặt nào. Gõ lại reminder init để làm tiếp.")
        raise typer.Exit(1) from None


class _Dialogue:
    """Asks for what is not answered yet, and keeps each answer."""

    def __init__(self, path: Path) -> None:
        self.path = path
        self.progress = path.with_name(PROGRESS)
        self.now: Settings = read_settings(path if path.is_file() else None, environment())
        self.answers = Answers()
        self.units: list[Unit] = []
        self.by = ""  # who answers for the plan's document
        self.is_done = False  # the files are written
        print(f"Thiết lập máy nhắc việc trong thư mục {Path.cwd()}.")
        print("Trong [ngoặc] là câu trả lời khi bấm Enter. Ctrl-C: dừng, lần sau làm tiếp.")
        if self.progress.is_file() and asking.yes(
            "\nLần trước làm dở. Làm tiếp từ đó?", default=True
        ):
            self.answers = setup.read_answers(self.progress, partial=True)

    def keep(self) -> None:
        self.progress.parent.mkdir(parents=True, exist_ok=True)
        write_file(self.progress, setup.as_file(self.answers).encode())

    def _keep_section(self, name: str, section: dict[str, Any]) -> None:
        """Keep the answers about a channel; {}: it is off."""
        self.answers.sections[name] = section
        self.keep()

    def done(self) -> None:
        self.is_done = True
        self.progress.unlink(missing_ok=True)

    def may_write(self, path: Path, what: str, *, sample: bool = False) -> bool:
        return asking.yes(f"Đã có {path} ({what}). Ghi vào đó?", default=sample)

    # ---- the office and its plan

    def office(self) -> None:
        if self.answers.office:
            print(f"\n1. Cơ quan: {self.answers.office}")
            return
        print("\n1. Cơ quan")
        written = self.now.report.authority
        self.answers.office = asking.text(
            "Tên cơ quan, ví dụ UBND phường Hoa Sen", written, _short_line
        )
        self.keep()

    def plan(self) -> _Prepared:
        print("\n2. Kế hoạch năm")
        while True:
            try:
                if not self.answers.plan.is_given:
                    self.answers.plan = self._plan()
                    self.keep()
                if self.answers.plan.draft is not None:
                    self._review(self.answers.plan.draft)
                made = _prepared(self)
            except ReminderError as error:
                print(f"✗ {error}")
                self.answers.plan = PlanAnswer()
                continue
            plan = made.plan
            print(f"✓ {plan.title}: {len(plan.tasks)} việc, {len(plan.units)} bộ phận.")
            first = (plan.office, plan.leaders)  # without whom nobody hears of what is late
            self.units = sorted(plan.units, key=lambda unit: unit.id not in first)
            return made

    def _plan(self) -> PlanAnswer:
        options = (
            "Từ văn bản: Word (.docx), PDF có chữ, Excel, .txt",
            "Một tệp kế hoạch .toml đã viết",
            "Chưa có: lập kế hoạch trống, thêm việc sau",
        )
        match asking.choice("Kế hoạch lấy từ đâu?", options):
            case 1:
                return self._from_document()
            case 2:
                return PlanAnswer(file=_path(asking.text("Đường dẫn tới tệp ấy", check=_is_file)))
        today = bootstrap.today()
        likely = today.year + (today.month >= 11)  # next year's plan is written by then
        year = int(asking.text("Năm của kế hoạch", str(likely), _is_year))
        print("Các bộ phận, cách nhau bằng dấu chấm phẩy (;).")
        units = asking.text("Bộ phận", "; ".join(setup.UNITS))
        names = [name.strip() for name in units.split(";") if name.strip()]
        number = asking.choice("Bộ phận nào theo dõi kế hoạch (nhận tổng hợp tuần)?", names)
        leaders = asking.text("Lãnh đạo ghi là", setup.LEADERS)
        return PlanAnswer(year=year, units=names, office=names[number - 1], leaders=leaders)

    def _from_document(self) -> PlanAnswer:
        """Read the document into a draft; who follows the plan is a guess to be confirmed."""
        document = _path(asking.text("Đường dẫn tới văn bản ấy", check=_is_file))
        draft, path = _imported(document)
        ids = [unit.id for unit in draft.units]
        names = [unit.name for unit in draft.units]
        for key, question in (
            ("office", "Bộ phận nào theo dõi kế hoạch (nhận tổng hợp tuần)?"),
            ("leaders", "Ai là lãnh đạo (được báo khi việc quá hạn lâu)?"),
        ):
            known = getattr(draft, key)
            likely = ids.index(known) + 1 if known in ids else 1
            setattr(draft, key, ids[asking.choice(question, names, likely) - 1])
        drafting.save(draft, path)
        return PlanAnswer(draft=path)

    def _review(self, path: Path) -> None:
        """Ask what the document leaves open, until nothing is left that stops the plan."""
        from reminder.importing.answers import hindrances, open_questions

        draft = drafting.read_draft(path)
        if not open_questions(draft):
            return
        if not self.by:
            self.by = asking.text("Anh/chị là ai (họ tên, chức danh; ghi cùng mỗi câu trả lời)")
        while True:
            with suppress(typer.Abort):  # a full stop ends the questions
                drafting.ask_all(draft, path, self.by)
            problems = hindrances(draft)
            if not problems:
                break
            print("Chưa dùng được, còn phải trả lời:")
            for problem in problems:
                print(f"  {problem}")
            if asking.choice("Làm gì?", ("Trả lời tiếp", "Lấy kế hoạch bằng cách khác")) == 2:
                raise ReminderError(f"chưa dùng {path}")
        if left := len(open_questions(draft)):
            print(f"Còn {left} câu để sau được: reminder plan review {path}, rồi plan accept.")

    # ---- people

    def people(self, plan: Plan) -> Sequence[Person] | None:
        """Return the people of the file; None: those that stand there stay."""
        print("\n3. Ai nhận nhắc việc")
        while True:
            if self.answers.people is None and self.answers.list_file is None:
                if not self._ask_people():
                    return None
                self.keep()
            try:
                found = _people(self.answers, plan)
            except ReminderError as error:
                print(f"✗ {error}")
                self.answers.people = self.answers.list_file = None
                continue
            print(f"✓ {len(found)} người.")
            if not any(plan.office in person.units for person in found):
                name = plan.by_unit[plan.office].name
                print(f"! {name} chưa có ai: tổng hợp tuần, báo quá hạn không tới được ai.")
            leads = dict.fromkeys(unit for task in plan.tasks for unit in task.lead)
            taken = {plan.office, *(unit for person in found for unit in person.units)}
            if empty := [plan.by_unit[unit].name for unit in leads if unit not in taken]:
                print(f"! Chưa có ai nhận nhắc việc: {', '.join(empty)}.")
            return found

    def _ask_people(self) -> bool:
        path = self.now.plan.people
        options = ["Từ bảng cán bộ có sẵn (.xlsx, .csv)", "Gõ từng người", "Để sau"]
        if path is not None and not _is_sample(path):
            options[2] = f"Giữ nguyên {path}"
        match asking.choice("Danh sách người lấy từ đâu?", options):
            case 1:
                text = asking.text("Đường dẫn tới bảng ấy", check=_is_file)
                self.answers.list_file = _path(text)
            case 2:
                self.answers.people = self._typed_people()
            case _:
                return False
        return True

    def _typed_people(self) -> list[Listed]:
        found: list[Listed] = []
        for unit in self.units:
            print(f"{unit.name}: gõ từng người, Enter là hết.")
            while name := asking.text("  Họ và tên", check=_maybe_name):
                email = asking.text(f"  Thư của {name} (Enter: chưa có)", check=_maybe_mail)
                found.append(Listed(row=0, name=name, units=(unit.id,), email=email))
        return found

    # ---- channels

    def email(self) -> None:
        print("\n4. Thư điện tử")
        section = self.answers.sections.get("email")
        if section is None:
            if not asking.yes("Gửi nhắc việc qua thư điện tử?", default=True):
                self._keep_section("email", {})
                return
            section = {}
        elif not section:
            print("Không dùng (đã trả lời).")
            return
        while section is not None:
            section = self._mail_server(section)
            self._keep_section("email", section)
            print(f"Đang thử đăng nhập {section['host']}:{section['port']} …", flush=True)
            fault = _try_email(section)
            if not fault:
                print("✓ Đăng nhập được máy chủ thư.")
                return
            print(f"✗ {fault}")
            options = ("Sửa rồi thử lại", "Giữ như vậy, sửa sau", "Không dùng thư")
            match asking.choice("Làm gì?", options):
                case 2:
                    return
                case 3:
                    self._keep_section("email", {})
                    return

    def _mail_server(self, known: dict[str, Any]) -> dict[str, Any]:
        now = self.now.email
        sender = asking.text("Địa chỉ thư gửi đi", known.get("sender") or now.sender, _needed_mail)
        guess = setup.guess(sender)
        if guess.remark:
            print(f"  {guess.remark}")
        host = asking.text(
            "Máy chủ thư đi (SMTP)", known.get("host") or now.host or guess.smtp, _host
        )
        ways = {
            "starttls": "STARTTLS (thường là cổng 587)",
            "tls": "TLS (cổng 465)",
            "none": "không mã hóa (cổng 25)",
        }
        return (
            {"host": host}
            | _encryption(known, now.security, ways, EMAIL_PORTS)
            | self._login(known, now.username or sender, now.password)
            | {"sender": sender}
        )

    def _login(self, known: dict[str, Any], name: str, kept: Secret) -> dict[str, Any]:
        """Return the keys of a login; none where the server needs no password."""
        username = asking.text(
            "Tên đăng nhập (không cần đăng nhập: gõ -)", known.get("username") or name
        )
        if username == "-":
            return {}
        more = ", Enter: giữ mật khẩu cũ" if kept.value else ""
        while not (password := asking.secret(f"Mật khẩu{more}") or kept.value):
            print("  Xin gõ mật khẩu.")
        return {"username": username, "password": password}

    def inbox(self) -> None:
        email = self.answers.sections.get("email")
        if not email:
            self.answers.sections["inbox"] = {}
            return
        section = self.answers.sections.get("inbox")
        if section is None:
            print("\nCán bộ trả lời ngay thư nhắc được, nếu máy đọc được hộp thư ấy (IMAP).")
            if not asking.yes("Cho trả lời bằng thư?", default=False):
                section = {}
            self._keep_section("inbox", section or {})
        elif not section:
            return
        while section is None or section:
            section = self._mailbox(email, section or {})
            print("Đang gửi một thư cho chính mình rồi đọc lại, có khi tới một phút …", flush=True)
            fault = _survey(email, section, self.accept_token)
            self._keep_section("inbox", section)
            if not fault:
                print("✓ Trả lời bằng thư dùng được.")
                return
            print(f"✗ {fault}")
            if asking.choice("Làm gì?", ("Sửa rồi thử lại", "Không nhận trả lời bằng thư")) == 2:
                self._keep_section("inbox", section := {})

    def accept_token(self) -> bool:
        print(
            "  Máy chủ thư không ghi Authentication-Results nên không xác nhận được người gửi.\n"
            "  Vẫn nhận trả lời được, nhưng ai thấy địa chỉ trả lời riêng trong thư của một người\n"
            "  mà giả tên người ấy thì trả lời thay được, trong 60 ngày."
        )
        return asking.yes("  Vẫn nhận?", default=False)

    def _mailbox(self, email: dict[str, Any], known: dict[str, Any]) -> dict[str, Any]:
        now = self.now.inbox
        address = email["sender"]
        host = asking.text(
            "Máy chủ thư đến (IMAP)",
            known.get("host") or now.host or setup.guess(address).imap,
            _host,
        )
        likely = now.security if now.is_on else "none" if email["security"] == "none" else "tls"
        ways = {
            "tls": "TLS (thường là cổng 993)",
            "starttls": "STARTTLS (cổng 143)",
            "none": "không mã hóa (cổng 143)",
        }
        kept = Secret(str(email.get("password", ""))) if not now.password.value else now.password
        encryption = _encryption(known, likely, ways, INBOX_PORTS)
        login = self._login(known, str(email.get("username") or address), kept)
        return {"host": host} | encryption | {"address": address} | login

    def bot(self, channel: str) -> None:
        """Ask for a bot's token, and try it."""
        step, title, how, ask = _BOTS[channel]
        print(f"\n{step}. {title}")
        section = self.answers.sections.get(channel)
        if section is not None and not section:
            print("Không dùng (đã trả lời).")
            return
        if section is None:
            print(how)
        usual = channel == "telegram"
        if section is None and not asking.yes(f"Gửi nhắc việc qua {title}?", default=usual):
            self._keep_section(channel, {})
            return
        now = getattr(self.now, channel)
        kept = now.token.value
        while True:
            more = ", Enter: giữ mã cũ" if kept else ", Enter: không dùng"
            token = asking.secret(f"Mã bot{more}") or kept
            if not token:
                self._keep_section(channel, {})
                return
            print(f"Đang hỏi {title} …", flush=True)
            sentence, found = ask(now.base_url, token)
            print(sentence)
            self._keep_section(channel, {"token": token, **found})
            if found:
                return
            options = ("Gõ lại mã", "Giữ như vậy, sửa sau", f"Không dùng {title}")
            match asking.choice("Làm gì?", options):
                case 2:
                    self.answers.sections[channel] = {"token": token}
                    return
                case 3:
                    self._keep_section(channel, {})
                    return

    def who_runs(self, people: Sequence[Person]) -> str:
        """Return the id of whoever gets the test message; empty: nobody."""
        print("\n7. Tin thử")
        if not people or not any(self.answers.sections.get(name) for name in ("email", *_BOTS)):
            print("Chưa gửi được: chưa có kênh hoặc chưa có ai. Sau này: reminder test MÃ-NGƯỜI")
            return ""
        names = [*(f"{person.name} ({person.id})" for person in people), "không gửi"]
        number = asking.choice("Gửi một tin thử cho ai (nên là chính anh/chị)?", names)
        return people[number - 1].id if number <= len(people) else ""


def _encryption(
    known: dict[str, Any], likely: str, ways: Mapping[str, str], ports: Mapping[str, int]
) -> dict[str, Any]:
    """Ask how a connection is encrypted (`ways` in words), and its port."""
    names = list(ways)
    default = names.index(known.get("security") or likely) + 1
    security = names[asking.choice("Mã hóa?", list(ways.values()), default) - 1]
    port = known.get("port") if known.get("security") == security else None
    port = int(asking.text("Cổng", str(port or ports[security]), _is_port))
    return {"port": port, "security": security}


class _Unattended:
    """Takes each answer from a file; whatever is wrong there is a ReminderError."""

    def __init__(self, path: Path, answers: Answers) -> None:
        self.path, self.answers = path, answers
        self.now: Settings = read_settings(path if path.is_file() else None, environment())

    def keep(self) -> None:
        """Keep nothing: the file has it all."""

    done = keep
    office = keep

    def may_write(self, path: Path, what: str, *, sample: bool = False) -> bool:
        if not self.answers.over and not sample:
            raise ReminderError(
                f"đã có {path} ({what}): ghi replace = true trong tệp trả lời để ghi vào đó"
            )
        return True

    def plan(self) -> _Prepared:
        return _prepared(self)

    def people(self, plan: Plan) -> Sequence[Person] | None:
        if self.answers.people is None and self.answers.list_file is None:
            return None
        return _people(self.answers, plan)

    def email(self) -> None:
        if section := self.answers.sections.get("email"):
            fault = _try_email(section)
            print(f"✗ {fault}" if fault else "✓ Đăng nhập được máy chủ thư.")

    def inbox(self) -> None:
        section = self.answers.sections.get("inbox")
        email = self.answers.sections.get("email")
        if email and section and section.get("trust") != "token" and "authserv_id" not in section:
            fault = _survey(email, section, _token_is_not_accepted)
            if fault:
                raise ReminderError(f"[inbox] {fault}")

    def bot(self, channel: str) -> None:
        if section := self.answers.sections.get(channel):
            base_url = section.get("base_url") or getattr(self.now, channel).base_url
            token = str(section.get("token", ""))
            sentence, found = _BOTS[channel].ask(str(base_url), token)
            for key, value in found.items():
                section.setdefault(key, value)
            print(sentence)

    def who_runs(self, people: Sequence[Person]) -> str:
        wished = self.answers.test
        found = [p.id for p in people if wished and wished in (p.id, p.name, p.email)]
        if wished and not found:
            raise ReminderError(f"test: trong danh sách không có ai là “{wished}”")
        return found[0] if found else ""


def _token_is_not_accepted() -> bool:
    raise ReminderError(
        "[inbox] máy chủ thư không ghi Authentication-Results nên không xác nhận được người gửi: "
        'chấp nhận thì ghi trust = "token" (rủi ro: xem config/reminder.toml), không thì bỏ [inbox]'
    )


def _set_up(by: _Dialogue | _Unattended) -> None:
    """Ask, write the files, run all checks, and send a test message."""
    by.office()
    plan = by.plan()
    people = by.people(plan.plan)
    by.email()
    by.inbox()
    for channel in _BOTS:
        by.bot(channel)
    files, staff = _files(by, plan, people)
    person = by.who_runs(staff)
    for path, text in files.items():
        if path.is_file():  # what is replaced is kept beside it
            write_file(path.with_name(f"{path.name}.cu"), path.read_bytes())
        path.parent.mkdir(parents=True, exist_ok=True)
        write_file(path, text.encode())
        print(f"✓ Đã ghi {path}")
    by.done()
    config = None if by.path == DEFAULT_PATH else by.path
    print("\nXem lại tất cả (reminder doctor):")
    printer = status.CheckPrinter()
    if status.run_checks(printer, config) and person:
        print("\nTin thử:")
        status.send_tests(printer, config, person)
    _say_what_follows(config)


@dataclass(frozen=True, kw_only=True)
class _Prepared:
    """A plan, and what is written where for it; None: it stands there."""

    plan: Plan
    path: Path
    text: str | None


def _prepared(by: _Dialogue | _Unattended) -> _Prepared:
    """Return the plan that was answered, or the one that its file holds and may not lose."""
    answer = by.answers.plan
    if answer.document is not None:
        answer = replace(answer, draft=_read_document(answer))
    base = by.path.parent.parent if by.path.parent.name == "config" else by.path.parent
    if answer.file is not None:
        plan, text = load_plan(answer.file), read_text(answer.file)
        if answer.file.absolute().parent == (base / "data").absolute():
            return _Prepared(plan=plan, path=answer.file, text=None)
    else:
        text = _accepted(answer.draft) if answer.draft else setup.new_plan(by.answers)
        plan = load_plan(Text("plan.toml", text))
    path = base / "data" / f"plan{plan.year}.toml"
    if path.is_file() and (read_text(path) == text or not by.may_write(path, "kế hoạch")):
        return _Prepared(plan=load_plan(path), path=path, text=None)
    return _Prepared(plan=plan, path=path, text=text)


def _imported(document: Path) -> tuple[Draft, Path]:
    """Return the draft of a document, and its file in data/."""
    Path("data").mkdir(exist_ok=True)
    draft = drafting.import_document(document, None, None, then="")
    return draft, drafting.usual_path(draft.year)


def _read_document(answer: PlanAnswer) -> Path:
    """Return the draft of the document, with the office and the leaders of the answers."""
    from reminder.importing.answers import as_plan

    assert answer.document is not None
    draft, path = _imported(answer.document)
    names = UnitNames(as_plan(draft, lenient=True).units)
    for key in ("office", "leaders"):
        if wished := getattr(answer, key):
            unit = names.one(wished)
            if unit is None:
                raise ReminderError(f"[plan] {key}: {names.unknown(wished)}")
            setattr(draft, key, unit)
    drafting.save(draft, path)
    return path


def _accepted(path: Path) -> str:
    """Return the plan file that a draft comes to; ReminderError while something stops it."""
    from reminder.importing.answers import hindrances
    from reminder.importing.draft import dumps

    draft = drafting.read_draft(path)
    if problems := hindrances(draft):
        lines = "\n".join(f"  {problem}" for problem in problems)
        raise ReminderError(
            f"văn bản còn chỗ phải trả lời: reminder plan review {path}, rồi ghi draft = "
            f'"{path}" thay cho document:\n{lines}'
        )
    return dumps(draft, open_tables=False)


Value = TypeVar("Value")


def _check_settings(text: str) -> None:
    """Raise FileError with all faults of the settings."""
    with TemporaryDirectory() as folder:
        path = Path(folder) / "reminder.toml"
        path.write_text(text, "utf-8")
        read_settings(path, {})


def _people(answers: Answers, plan: Plan) -> list[Person]:
    if answers.list_file is not None:
        roster = read_roster(answers.list_file, plan.units)
        return [change.after for change in changes((), roster.people, drop=False) if change.after]
    problems: list[str] = []
    people = setup.as_people(answers.people or (), plan.units, problems.append)
    if problems:
        raise ReminderError("\n".join(problems))
    return people


def _files(
    by: _Dialogue | _Unattended, plan: _Prepared, people: Sequence[Person] | None
) -> tuple[dict[Path, str], Sequence[Person]]:
    """Return the text of each file that is to be written, and who is then in people.toml."""
    folder = by.path.parent
    files: dict[Path, str] = {}
    if plan.text is not None:
        files[plan.path] = plan.text
    calendar = by.now.plan.calendar or folder / "calendar.toml"
    if not calendar.exists():
        files[calendar] = read_text(bootstrap.shipped("config/calendar.toml"))
    path = by.now.plan.people or folder / "people.toml"
    text, staff = _people_file(by, path, plan.plan, people)
    if text is not None:
        files[path] = text
    values = setup.settings_values(by.answers, plan.path, folder)
    old = read_text(by.path) if by.path.is_file() else ""
    text = edited_settings(old or read_text(bootstrap.shipped("config/reminder.toml")), values)
    _check_settings(text)
    nothing_set = _says_nothing(tomllib.loads(old))
    what = "chưa đặt gì" if nothing_set else "cài đặt; các dòng khác giữ nguyên"
    if text != old and (not old or by.may_write(by.path, what, sample=nothing_set)):
        files[by.path] = text
    return files, staff


_HEAD = """\
# Danh sách cán bộ nhận nhắc việc. Chương trình nhận tệp mới trong vòng một phút; ai bị bỏ khỏi tệp
# thì mất quyền ngay.
#
#   id       = mã của người đó: đặt rồi thì giữ nguyên
#   name     = tên hiện trong tin nhắn;  title = chức danh;  phone = điện thoại
#   unit     = mã bộ phận trong kế hoạch; nhiều bộ phận thì ghi ["tu-phap", "van-phong"]
#   email    = địa chỉ thư
#   channels = kênh theo thứ tự muốn dùng; không ghi: Telegram trước, rồi đến thư
#
# Sửa cả bảng trong Excel: reminder people export -o can-bo.xlsx, rồi people import can-bo.xlsx
# Mời một người vào Telegram: reminder invite MÃ; vào Zalo: reminder invite MÃ --channel zalo

"""


def _people_file(
    by: _Dialogue | _Unattended, path: Path, plan: Plan, people: Sequence[Person] | None
) -> tuple[str | None, Sequence[Person]]:
    """Return the new text of the file of people, None where it stays, and the people in it."""
    units = plan.by_unit

    def load(source: Source) -> tuple[Person, ...]:
        return load_people(source, units, known_channels())

    is_sample = path.is_file() and _is_sample(path)
    if not path.is_file() or (is_sample and by.may_write(path, "tệp mẫu", sample=True)):
        text = _HEAD + people_text(people or ())
        return text, load(Text(path.name, text))
    before = load(path)
    if people is None:
        return None, before
    rows = [
        Listed(
            row=0, **{key: getattr(p, key) for key in ("name", "title", "units", "email", "phone")}
        )
        for p in people
    ]
    after = [change.after for change in changes(before, rows, drop=False) if change.after]
    what = f"{len(before)} người; ai có rồi thì cập nhật"
    if tuple(after) == before or not by.may_write(path, what):
        return None, before
    text = people_file(path, before, after, units)
    return text, load(Text(path.name, text))


def _says_nothing(tables: Mapping[str, Any]) -> bool:
    """Return whether tables hold no key."""
    return all(isinstance(one, dict) and _says_nothing(one) for one in tables.values())


def _is_sample(path: Path) -> bool:
    """Return whether the file holds the made-up people that come with the program."""
    text = read_text(path)
    found = re.findall(r'(?m)^\s*email\s*=\s*"([^"]*)"', text)
    return _SAMPLE in text and all(address.endswith(".example") for address in found)


# ---- trials


def _made(kind: type[Value], section: Mapping[str, Any]) -> Value:
    """Return a section of the settings from its keys."""
    values = {
        key: Secret(value) if key in ("password", "token") else Path(value) if key == "ca_file"
        else value for key, value in section.items()
    }  # fmt: skip
    return kind(**values)


def _try_email(section: Mapping[str, Any]) -> str:
    """Log in to the server; return what is wrong, or nothing."""
    from reminder.app.channels import mail_server
    from reminder.channels.email.send import MailChannel
    from reminder.domain.tokens import MailIdentity

    try:
        settings = Settings(email=_made(EmailSection, section).complete(section))
        identity = MailIdentity(secret=secrets.token_bytes(16))
        asyncio.run(MailChannel(mail_server(settings), identity, bootstrap.now).check())
    except (FaultError, SendError) as error:
        return str(error)
    return ""


def _survey(
    email: Mapping[str, Any], section: dict[str, Any], accept_token: Callable[[], bool]
) -> str:
    """Send a mail to the mailbox itself, set `trust` by what comes; return what is wrong."""
    from reminder.channels.email.mailbox import MailboxError
    from reminder.channels.email.reader import MailReaderError
    from reminder.doctor.network import MailCheck

    settings = Settings(
        email=_made(EmailSection, email).complete(email),
        inbox=_made(InboxSection, section | {"trust": "token"}),
    )
    try:
        found = asyncio.run(MailCheck(settings, bootstrap.now).survey())
    except (MailboxError, MailReaderError) as error:
        return str(error)
    if found.fault:
        return found.fault
    if found.names:
        section |= {"trust": "auth-results", "authserv_id": found.names[0]}
        return ""
    if accept_token():
        section["trust"] = "token"
        return ""
    return "máy chủ thư không ghi Authentication-Results nên máy không biết thư trả lời là của ai"


def _ask_telegram(base_url: str, token: str) -> tuple[str, dict[str, str]]:
    """Return what Telegram says of the token, and the bot's name; empty if it is not accepted."""
    import httpx

    from reminder.doctor import network

    with httpx.Client(timeout=network.TIMEOUT) as client:
        check, _ = network.telegram(base_url, token, client)
    name = re.search(r"@(\w+)\.$", check.sentence)
    return str(check), {"bot_name": name[1]} if name else {}


def _ask_zalo(base_url: str, token: str) -> tuple[str, dict[str, str]]:
    """Return what Zalo says of the token, and the token; nothing if it is not accepted."""
    import httpx

    from reminder.doctor import network

    section = ZaloSection(token=Secret(token), base_url=base_url)
    with httpx.Client(timeout=network.TIMEOUT) as client:
        check = next(network.zalo(section, client))
    return str(check), {"token": token} if check.verdict == "ok" else {}


class _Bot(NamedTuple):
    """A channel whose bot is asked for: what it says of a token, and what is written down."""

    step: int  # of the set-up
    title: str
    how: str  # one comes by it
    ask: Callable[[str, str], tuple[str, dict[str, str]]]


_BOTS = {
    "telegram": _Bot(
        5,
        "Telegram",
        "Bot do @BotFather cấp: nhắn cho nó /newbot, nó trả lời một mã (token).",
        _ask_telegram,
    ),
    "zalo": _Bot(
        6,
        "Zalo",
        "Trong Zalo tìm “Zalo Bot Manager”, bấm “Tạo bot”; mã (token) đến bằng tin Zalo.",
        _ask_zalo,
    ),
}


# ---- what an answer may be; each returns what is wrong


def _short_line(text: str) -> str:
    return "" if 0 < len(text) <= 100 else "Xin gõ từ 1 đến 100 ký tự."


def _host(text: str) -> str:
    if re.fullmatch(r"[^:]+:\d+", text):
        return "Xin gõ riêng tên máy chủ; cổng thì máy hỏi sau."
    return _short_line(text)


def _path(text: str) -> Path:
    """Return the path that is typed, or that a window wrote when a file was dragged into it."""
    return Path(text.strip().strip("'\"").replace("\\ ", " ")).expanduser()


def _is_file(text: str) -> str:
    if not text:
        return (
            "Xin gõ đường dẫn tới một tệp. Không có: bấm Ctrl-C, gõ lại lệnh này, chọn cách khác."
        )
    return "" if _path(text).is_file() else f"Không có tệp {text}."


def _is_year(text: str) -> str:
    return "" if re.fullmatch(r"20\d\d", text) else "Xin gõ năm bốn chữ số, ví dụ 2027."


def _is_port(text: str) -> str:
    return "" if text.isdecimal() and 0 < int(text) < 65536 else "Xin gõ số cổng, từ 1 đến 65535."


def _needed_mail(text: str) -> str:
    return "" if MAIL_ADDRESS.fullmatch(text) else "Xin gõ một địa chỉ thư, ví dụ a@phuong.gov.vn."


def _maybe_mail(text: str) -> str:
    return "" if not text else _needed_mail(text)


def _maybe_name(text: str) -> str:
    return "" if len(text) <= 60 else "Họ và tên dài quá 60 ký tự."


def _say_what_follows(config: Path | None) -> None:
    settings = bootstrap.load_settings(config)
    files = bootstrap.read_files(settings, bootstrap.now())
    now, scheduler = bootstrap.now(), files.scheduler
    first = scheduler.next_wake(files.plans, by_key(()), now)
    me = _this_command()
    more = f" --config {config}" if config else ""
    print("\nXong. Tiếp theo:")
    if first is not None:
        at = local(first)
        print(f"  Tin đầu tiên theo kế hoạch: {at:%H:%M} {vn_day(at.date())}/{at:%Y}.")
    morning = instant(local(now).date(), time.min)
    missed = scheduler.messages(files.plans, by_key(()), morning, now)
    if missed and speaking_hours(scheduler, MessageKind.NUDGE, now):
        until = f"{scheduler.policy.catch_up_until:%H:%M}"
        print(f"  Chạy máy trước {until} hôm nay thì tin của hôm nay đi ngay.")
    page = bootstrap.shipped("docs/operations.md")
    print(f"  {me} run{more}      chạy máy nhắc việc; để máy luôn chạy: {page}")
    plan = os.path.relpath(bootstrap.plan_paths(settings.plan.files)[-1])
    people = os.path.relpath(settings.plan.people or "")
    print(f"  {me} sandbox --plan {plan} --people {people}")
    print("      thử trước: đồng hồ ảo, không gửi gì")
    for channel, bot in _BOTS.items():
        if getattr(settings, channel).is_on:
            option = f" --channel {channel}" if channel != "telegram" else ""
            print(f"  {me} invite MÃ{option}{more}   mời một người vào {bot.title}")


def _this_command() -> str:
    """Return how the program is called here: by its name where that is on the PATH."""
    typed = Path(sys.argv[0])
    on_path = shutil.which("reminder")
    if on_path and Path(on_path).resolve() == typed.resolve():
        return "reminder"
    with suppress(ValueError):
        return str(typed.absolute().relative_to(Path.cwd()))
    return str(typed)
