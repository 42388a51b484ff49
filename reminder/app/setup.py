"""The answers of `reminder init`: read from a file, kept while it asks, made into files."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

from reminder.domain.errors import FileError
from reminder.domain.people import Person
from reminder.domain.plan import Unit
from reminder.files.people import contact_keys
from reminder.files.settings import ACCOUNT_SECRETS, read_section
from reminder.files.toml import Document, Table, as_toml, read_text, unused_id
from reminder.importing.people import Listed, UnitNames, new_person

UNITS = (  # of a ward since July 2025; the first follows the plan
    "Văn phòng HĐND và UBND",
    "Phòng Kinh tế, Hạ tầng và Đô thị",
    "Phòng Văn hóa - Xã hội",
    "Trung tâm Phục vụ hành chính công",
)
LEADERS = "Lãnh đạo UBND"
_SOURCES = ("document", "draft", "file")  # of a plan
_LEVELS = r"phường|xã|thị trấn|đặc khu"


@dataclass(kw_only=True)
class PlanAnswer:
    """Where the plan comes from: a document, its reviewed draft, a plan file, or a year alone."""

    document: Path | None = None
    draft: Path | None = None
    file: Path | None = None
    year: int = 0
    title: str = ""
    units: list[str] = field(default_factory=list)  # without the leaders
    office: str = ""  # the unit that follows the plan; empty: the first, or as the document says
    leaders: str = ""

    @property
    def is_given(self) -> bool:
        return bool(self.document or self.draft or self.file or self.year)


@dataclass(kw_only=True)
class Answers:
    """What was answered; None: not asked yet."""

    office: str = ""
    place: str = ""
    plan: PlanAnswer = field(default_factory=PlanAnswer)
    list_file: Path | None = None  # of people
    people: list[Listed] | None = None
    sections: dict[str, dict[str, Any]] = field(default_factory=dict)  # of settings; {}: off
    test: str = ""  # who gets a test message
    over: bool = False  # files that are there may be replaced


def read_answers(path: Path, *, partial: bool = False) -> Answers:
    """Return the answers in a file; raise FileError with all faults, unknown keys among them.

    `partial`: those that `as_file` kept, where sections lack their secrets.
    """
    tables = ("plan", "people", *ACCOUNT_SECRETS)
    document = Document(path, lists=("person",), tables=tables, quote=False)
    root = document.root()
    answers = Answers(
        office=root.text("office", required=True, longest=100),
        place=root.text("place", longest=60),
        plan=_plan(root, path.parent),
        test=root.text("test", longest=60),
        over=root.flag("replace"),
    )
    people = root.table("people")
    if file := people.text("file"):
        answers.list_file = path.parent / file
    people.finish()
    if root.has("person"):
        answers.people = root.each(
            "person", lambda t: Listed(row=0, units=tuple(t.words("unit")), **contact_keys(t))
        )
    for name in ACCOUNT_SECRETS:
        if root.has(name):
            data = root.table(name).data
            answers.sections[name] = dict(data) if partial else _section(document, name, data)
    root.finish()
    document.check()
    return answers


def _plan(root: Table, folder: Path) -> PlanAnswer:
    table = root.table("plan")
    answer = PlanAnswer(
        year=table.integer("year") or 0,
        title=table.text("title", longest=150),
        units=table.words("units"),
        office=table.text("office", longest=60),
        leaders=table.text("leaders", longest=60),
    )
    for key in _SOURCES:
        if name := table.text(key):
            setattr(answer, key, folder / name)
            if not (folder / name).is_file():
                table.complain(key, f"không có tệp {folder / name}")
    sources = [key for key in _SOURCES if table.has(key)]
    if not root.has("plan") or (not sources and not table.has("year")):
        words = "thiếu kế hoạch: trong [plan] ghi document (văn bản), file (tệp kế hoạch) hoặc year"
        root.complain("plan" if root.has("plan") else None, words)
    elif len(sources) > 1:
        table.complain(sources[1], f"ghi kế hoạch nhiều cách ({', '.join(sources)}): chọn một")
    if table.has("year") and not 2000 <= answer.year < 2100:
        table.complain("year", "`year` phải là năm của kế hoạch, ví dụ year = 2027")
    table.finish()
    return answer


def _section(document: Document, name: str, written: Mapping[str, Any]) -> dict[str, Any]:
    """Return the keys of a section; a secret may stand in a file, `password_file`."""
    data = dict(written)
    secret = ACCOUNT_SECRETS[name]
    if file := data.pop(f"{secret}_file", ""):
        try:
            data[secret] = read_text(document.folder / str(file)).strip()
        except FileError as error:
            document.complain((name, f"{secret}_file"), error.problems[0].message)
    if name == "inbox" and not data.get("host"):
        return {}
    # Whom a mailbox trusts is found by a trial where nothing of it is written.
    known = not {"trust", "authserv_id"}.isdisjoint(data)
    read_section(document, name, data if known or name != "inbox" else data | {"trust": "token"})
    if data.get("ca_file"):
        data["ca_file"] = str((document.folder / str(data["ca_file"])).absolute())
    return data


def as_file(answers: Answers) -> str:
    """Return the answers as `read_answers` reads them; without secrets."""
    lines = [f"office = {as_toml(answers.office)}"]
    plan = answers.plan
    for key, value in (("place", answers.place), ("test", answers.test)):
        lines += [f"{key} = {as_toml(value)}"] if value else []
    if plan.is_given:
        lines.append("[plan]")
        given = {key: getattr(plan, key) for key in _SOURCES}
        paths = {key: str(path.absolute()) for key, path in given.items() if path}
        rest = {key: getattr(plan, key) for key in ("year", "title", "units", "office", "leaders")}
        lines += [f"{key} = {as_toml(value)}" for key, value in (paths | rest).items() if value]
    if answers.list_file:
        lines += ["[people]", f"file = {as_toml(str(answers.list_file.absolute()))}"]
    for name, section in answers.sections.items():
        kept = {key: value for key, value in section.items() if key != ACCOUNT_SECRETS[name]}
        lines += [f"[{name}]", *(f"{key} = {as_toml(value)}" for key, value in kept.items())]
    for person in answers.people or ():
        keys = {"name": person.name, "title": person.title, "unit": person.units,
                "email": person.email, "phone": person.phone}  # fmt: skip
        lines += ["[[person]]", *(f"{key} = {as_toml(v)}" for key, v in keys.items() if v)]
    return "\n".join(lines) + "\n"


def authority(office: str) -> str:
    """Return “Ủy ban nhân dân phường Hoa Sen” for “UBND phường Hoa Sen”."""
    return re.sub(r"(?i)^ubnd\b", "Ủy ban nhân dân", office.strip())


def place(office: str) -> str:
    """Return “Hoa Sen” for “UBND phường Hoa Sen”; empty if the name has no such word."""
    found = re.search(rf"(?i)\b(?:{_LEVELS})\s+(.+)$", office)
    return found[1].strip() if found else ""


def new_plan(answers: Answers) -> str:
    """Return a plan of units and one task: the office's reports, whose days it has to confirm."""
    from reminder.importing import draft  # needed for this alone

    plan = answers.plan
    names = list(plan.units) or list(UNITS)
    leaders = plan.leaders or LEADERS
    office = plan.office or names[0]
    ids: dict[str, str] = {}
    for name in dict.fromkeys([office, *names, leaders]):
        ids[name] = unused_id(name, ids.values(), "bo-phan")
    made = draft.Draft(
        id=f"ke-hoach-{plan.year}",
        title=plan.title or f"Kế hoạch công tác năm {plan.year}",
        year=plan.year,
        office=ids[office],
        leaders=ids[leaders],
        sections={"I": "Tổ chức thực hiện"},
        units=[draft.Unit(id=unit, name=name) for name, unit in ids.items()],
        tasks=[
            draft.Task(
                code="BC",
                title="Báo cáo kết quả thực hiện kế hoạch",
                section="I",
                lead=[ids[office]],
                deliverables=[
                    draft.Deliverable(
                        name="Báo cáo quý",
                        product="Báo cáo kết quả quý",
                        phrase="Định kỳ hàng quý",
                        rule={"every": "quarter", "day": 15, "kind": "report", "assumed": True},
                    )
                ],
            )
        ],
    )
    return f"{_NEW_PLAN.format(year=plan.year)}\n{draft.dumps(made)}"


_NEW_PLAN = """\
# Kế hoạch năm {year}. Tệp này do reminder init lập: mới có báo cáo định kỳ, thêm việc vào dưới.
# Đưa cả văn bản vào một lần: reminder plan import TỆP. Viết tay thì mỗi việc như sau, bỏ dấu #:
#
# [[task]]
# code = "1a"
# title = "Tên việc, tối đa 60 ký tự"
# section = "I"
# lead = ["mã-bộ-phận"]
#
#   [[task.deliverable]]
#   name = "Kế hoạch"
#   product = "Kế hoạch được ban hành"
#   phrase = "Trước ngày 31/01"
#   due = {year}-01-31
#
# Xem lại: reminder plan check. Mọi cách ghi hạn: docs/plan-format.md
"""


def as_people(
    listed: Sequence[Listed], units: Sequence[Unit], complain: Callable[[str], None]
) -> list[Person]:
    """Return people with ids of their own; `complain` is told of units that the plan lacks."""
    names = UnitNames(units)
    people: list[Person] = []
    for row in listed:
        found: list[str] = []
        for text in row.units:
            units_named = names.all(text)
            if units_named is None:
                complain(f"{row.name}: {names.unknown(text)}")
            found += units_named or []
        known = replace(row, units=tuple(dict.fromkeys(found)))
        people.append(new_person(known, {person.id for person in people}))
    return people


def settings_values(answers: Answers, plan: Path, folder: Path) -> dict[str, dict[str, object]]:
    """Return what is written in the settings of `folder`, by section and key."""
    values: dict[str, dict[str, object]] = {
        "plan": {"files": [_relative(plan, folder)]},
        "report": {"authority": authority(answers.office)},
    }
    if where := answers.place or place(answers.office):
        values["report"]["place"] = where
    for name, section in answers.sections.items():
        if section:
            values[name] = dict(section)
    return values


def _relative(path: Path, folder: Path) -> str:
    """Return `path` as it is written in a file of `folder`."""
    path, folder = path.absolute(), folder.absolute()
    if path.is_relative_to(folder.parent):
        return f"../{path.relative_to(folder.parent).as_posix()}"
    return path.as_posix()


@dataclass(frozen=True, kw_only=True)
class Guess:
    """The servers of a mail address, as far as its domain tells."""

    smtp: str
    imap: str
    remark: str = ""


_OWN_LOGIN = (
    "{name} cần “mật khẩu ứng dụng” (App password), không phải mật khẩu thường: bật xác minh hai "
    "bước rồi tạo ở trang tài khoản."
)
_PROVIDERS = {
    "gmail.com": Guess(
        smtp="smtp.gmail.com", imap="imap.gmail.com", remark=_OWN_LOGIN.format(name="Gmail")
    ),
    "yahoo.com": Guess(
        smtp="smtp.mail.yahoo.com",
        imap="imap.mail.yahoo.com",
        remark=_OWN_LOGIN.format(name="Yahoo"),
    ),
    "outlook.com": Guess(smtp="smtp-mail.outlook.com", imap="outlook.office365.com"),
    "hotmail.com": Guess(smtp="smtp-mail.outlook.com", imap="outlook.office365.com"),
}


def guess(address: str) -> Guess:
    """Return the servers that the domain of `address` most likely has."""
    domain = address.rpartition("@")[2].lower()
    return _PROVIDERS.get(domain) or Guess(smtp=f"mail.{domain}", imap=f"mail.{domain}")
