"""`reminder plan import`, `review` and `accept`: an office's document becomes a plan.

A draft is saved after each answer; a plan file is written whole, and over none that is there
without a yes.
"""

from __future__ import annotations

import sys
import tomllib
from contextlib import suppress
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from reminder.app import bootstrap
from reminder.cli import asking
from reminder.cli.options import option
from reminder.domain.errors import FileError, Problem, ReminderError
from reminder.domain.plan_diff import diff
from reminder.files.plan import LISTS, OF_DRAFTS, TABLES
from reminder.files.toml import Document, read_text, unused_id, write_file

if TYPE_CHECKING:
    from reminder.domain.plan import Plan
    from reminder.importing.draft import Draft, Question

IMPORT_EXAMPLES = (
    "Ví dụ: reminder plan import KH-2027.docx -o data/plan2027.draft.toml --like "
    "data/plan2026.toml; reminder plan import KH-2027-sua.docx --again data/plan2027.draft.toml"
)
REVIEW_EXAMPLE = "Ví dụ: reminder plan review data/plan2027.draft.toml"
ACCEPT_EXAMPLE = "Ví dụ: reminder plan accept data/plan2027.draft.toml -o data/plan2027.toml"
_DRAFT = ".draft.toml"
_STOP = frozenset({".", "thoi", "thoat", "q"})
_MOST_LINES = 200  # of a diff that are shown

DraftFile = Annotated[Path, typer.Argument(metavar="BẢN-NHÁP", help="Tệp do plan import ghi.")]


def import_plan(
    document: Annotated[
        Path, typer.Argument(metavar="VĂN-BẢN", help="Kế hoạch: .docx, .pdf có chữ, .txt, .xlsx.")
    ],
    out: Annotated[
        Path | None,
        typer.Option(
            "--out", "-o", metavar="TỆP", help="Bản nháp sẽ ghi. [data/planNĂM.draft.toml]"
        ),
    ] = None,
    like: Annotated[
        Path | None,
        option("TỆP", "Kế hoạch năm trước: lấy bộ phận, cách viết tên, tên rút gọn của việc."),
    ] = None,
    year: Annotated[
        int | None,
        typer.Option(metavar="NĂM", min=2000, max=2099, help="Năm, nếu văn bản không ghi."),
    ] = None,
    again: Annotated[
        Path | None,
        option("BẢN-NHÁP", "Đọc lại văn bản đã sửa: giữ câu trả lời của những chỗ không đổi."),
    ] = None,
) -> None:
    """Đọc văn bản kế hoạch thành bản nháp, và ghi trang để soát. Chưa đổi kế hoạch nào đang chạy.

    Trang để soát (HTML, in được) nằm cạnh bản nháp: văn bản viết gì, ở đâu, máy hiểu thế nào, chỗ
    nào cần người xác nhận. Sau đó: reminder plan review, rồi reminder plan accept.
    """
    if again is not None and document.suffix == ".toml" and again.suffix != ".toml":
        document, again = again, document
    before = read_draft(again) if again is not None else None
    target = out or again
    draft = import_document(document, target, like, before=before, year=year)
    if before is not None:
        _print_again(before, draft)


def import_document(
    document: Path,
    out: Path | None,
    like: Path | None,
    *,
    before: Draft | None = None,
    then: str = "reminder plan review",
    year: int | None = None,
) -> Draft:
    """Read a document into a draft file and its review page, and print the counts.

    `before` is the draft of an earlier version of the document, whose answers are kept; `then` the
    command that comes next, empty where something else asks.
    """
    from reminder.importing.answers import carry_over, is_another
    from reminder.importing.drafting import check_found
    from reminder.importing.reading import read_document
    from reminder.importing.tasks import NoYearError, make_draft

    known = bootstrap.load_plans([like])[0] if like is not None else None
    read = read_document(document, _progress)
    try:
        draft = make_draft(read, like=known, year=year)
    except NoYearError as error:
        raise ReminderError(f"{error}: ghi thêm, ví dụ --year 2026") from None
    check_found(draft, document.name)
    path = out or usual_path(draft.year)
    _check_name(path)
    if before is None and path.exists() and not _may_replace(path):
        raise ReminderError(
            f"đã có {path}: thêm --again {path} để giữ các câu trả lời, hoặc -o TỆP khác"
        )
    if before is not None:
        if is_another(before, draft):
            raise ReminderError(
                f"{document.name} không có việc nào của {path}: văn bản khác thì dùng -o TỆP khác"
            )
        carry_over(before, draft)
    page = save(draft, path)
    from reminder.importing.wording import counts

    print(f"{draft.title}\n{counts(draft)}.")
    print(f"Đã ghi bản nháp {path}, và trang để soát {page}: mở bằng trình duyệt hoặc in ra.")
    if then:
        print(f"Tiếp theo: {then} {path}")
    return draft


def _progress(done: int, pages: int) -> None:
    """Show how many pages are read, on one line of the terminal."""
    if sys.stderr.isatty():
        end = "\n" if done == pages else ""
        print(f"\rĐang đọc trang {done}/{pages}…", end=end, file=sys.stderr, flush=True)


def usual_path(year: int) -> Path:
    """Return where a draft is written that nothing else is said of."""
    name = f"plan{year}{_DRAFT}"
    return Path("data") / name if Path("data").is_dir() else Path(name)


def _check_name(path: Path) -> None:
    """Raise ReminderError if the daemon would take the draft for a plan."""
    if path.suffix != ".toml":
        raise ReminderError(f"bản nháp phải có đuôi .toml, ví dụ {path.stem}{_DRAFT}")
    is_running = path.parent.name == "data" and path.name.startswith("plan")
    if is_running and not path.name.endswith(_DRAFT):
        raise ReminderError(
            f"{path} sẽ bị coi là kế hoạch đang chạy: đặt tên bản nháp là {path.stem}{_DRAFT}"
        )


def _may_replace(path: Path) -> bool:
    return asking.at_terminal() and asking.yes(f"Đã có {path}. Ghi đè lên?", default=False)


def save(draft: Draft, path: Path) -> Path:
    """Write a draft and its review page beside it; return the page's path."""
    from reminder.importing.draft import dumps
    from reminder.importing.page import review_page

    page = path.with_suffix(".html")
    write_file(page, review_page(draft).encode())
    write_file(path, dumps(draft).encode())
    return page


def read_draft(path: Path) -> Draft:
    """Return the draft in a file; raise ReminderError if it holds none."""
    from reminder.importing.draft import loads

    text = read_text(path)
    try:
        return loads(text)
    except tomllib.TOMLDecodeError as error:
        Document(path, lists=(*LISTS, *OF_DRAFTS), tables=TABLES).check()
        raise FileError([Problem(str(path), None, f"không đọc được bản nháp: {error}")]) from None
    except (ValueError, KeyError, TypeError, AttributeError):
        raise ReminderError(
            f"{path} không phải bản nháp: xin ghi tệp do reminder plan import làm ra"
        ) from None


def _print_again(before: Draft, draft: Draft) -> None:
    """Print what a new version of the document changed, and which answers it took away."""
    from reminder.importing.answers import lost

    gone = lost(before, draft)
    kept = sum(1 for question in draft.questions if question.answer)
    print(f"Giữ {kept} câu trả lời; {len(gone)} câu phải hỏi lại vì văn bản ở đó đã khác.")
    for question in gone:
        task = f" (việc {question.task})" if question.task else ""
        print(f"  hỏi lại{task}: {question.ask} Trước đây: {question.answer}, {question.by}")
    changes = diff(_comparable(before), _comparable(draft))
    print("So với bản nháp trước:" if changes else "Các việc không có gì thay đổi.")
    _print_changes(changes)


def _print_changes(changes: list[str]) -> None:
    for change in changes[:_MOST_LINES]:
        print(f"  {change}")
    if len(changes) > _MOST_LINES:
        print(f"  … và {len(changes) - _MOST_LINES} thay đổi nữa")


def _comparable(draft: Draft) -> Plan:
    """Return the draft as a plan, with the office for tasks that nobody leads yet."""
    from reminder.importing.answers import as_plan

    return as_plan(draft, lenient=True)


def review(
    path: DraftFile,
    by: Annotated[
        str | None, option("TÊN", "Ai trả lời; tên này được giữ cùng câu trả lời.")
    ] = None,
    answer: Annotated[
        list[str] | None,
        option("MÃ=TRẢ-LỜI", "Trả lời luôn một câu, không hỏi; ghi được nhiều lần: q3=31/12."),
    ] = None,
    only_list: Annotated[
        bool, typer.Option("--list", help="Chỉ kể các câu còn hỏi, không hỏi.")
    ] = False,
) -> None:
    """Hỏi những chỗ văn bản chưa nói rõ, và chỉ những chỗ ấy; trả lời đến đâu ghi đến đó."""
    from reminder.importing.answers import answer_question, open_questions

    draft = read_draft(path)
    if only_list:
        for question in open_questions(draft):
            print(_heading(question))
            print(f"  {question.ask}")
        _print_left(draft, path)
        return
    if not answer and not open_questions(draft):
        _print_left(draft, path)
        return
    name = by or (asking.text("Ai trả lời (họ tên, chức danh)?") if asking.at_terminal() else "")
    if not name:
        raise ReminderError("ghi ai trả lời: --by “Nguyễn Văn A, công chức Văn phòng”")
    at = bootstrap.now().isoformat(timespec="seconds")
    for given in answer or []:
        number, equals, value = given.partition("=")
        if not equals:
            raise ReminderError(f"--answer {given}: xin ghi MÃ=TRẢ-LỜI, ví dụ q3=31/12")
        answer_question(draft, number.strip(), value.strip(), name, at)
    if answer:
        save(draft, path)
    else:
        with suppress(typer.Abort):
            ask_all(draft, path, name)
    _print_left(draft, path)


def _print_left(draft: Draft, path: Path) -> None:
    from reminder.importing.answers import hindrances, open_questions

    still, blocking = len(open_questions(draft)), len(hindrances(draft))
    if not still:
        print(f"Không còn câu hỏi nào. Tiếp theo: reminder plan accept {path}")
    elif blocking:
        print(f"Còn {still} câu hỏi; {blocking} câu phải trả lời mới dùng được kế hoạch.")
    else:
        print(f"Còn {still} câu hỏi, có thể để sau. Tiếp theo: reminder plan accept {path}")


def ask_all(draft: Draft, path: Path, by: str) -> None:
    """Ask the open questions one by one; each answer is saved at once."""
    from reminder.importing.answers import open_questions

    print("Gõ số của câu trả lời, hoặc gõ thẳng. Enter: để sau. Dấu chấm: thôi.\n")
    still = [question.id for question in open_questions(draft)]
    for number, question_id in enumerate(still, start=1):
        # An answer may take other questions away.
        question = next((q for q in open_questions(draft) if q.id == question_id), None)
        if question is not None:
            _ask(draft, question, f"[{number}/{len(still)}]", path, by)


def _ask(draft: Draft, question: Question, place: str, path: Path, by: str) -> None:
    from reminder.importing.answers import AnswerError, answer_question, open_questions
    from reminder.importing.wording import ALL, offered, product_asked

    print(f"{place} {_heading(question)}")
    if product := product_asked(draft, question):
        print(f"  Sản phẩm: {product}")
    if question.text:
        print(f"  Văn bản: “{question.text}”")
    print(f"  {question.ask}")
    choices = offered(draft, question)
    for number, (_, words) in enumerate(choices, start=1):
        print(f"    {number}. {words}")
    while said := asking.line("  > ").strip():
        if said.casefold() in _STOP:
            raise typer.Abort
        if said.isdecimal() and 1 <= int(said) <= len(choices):
            said = choices[int(said) - 1][0]
        at = bootstrap.now().isoformat(timespec="seconds")
        same = [question]
        if said == ALL:
            same, said = [q for q in open_questions(draft) if q.kind == question.kind], "yes"
        try:
            for one in same:
                answer_question(draft, one.id, said, by, at)
        except AnswerError as error:
            print(f"  {error}")
            continue
        save(draft, path)
        break
    print()


def _heading(question: Question) -> str:
    from reminder.importing.page import places

    task = f"việc {question.task}" if question.task else ""
    return " · ".join(filter(None, (question.id, task, places(question.place))))


def accept(
    path: DraftFile,
    out: Annotated[
        Path | None,
        typer.Option(
            "--out", "-o", metavar="TỆP", help="Tệp kế hoạch sẽ ghi. [planNĂM.toml cạnh bản nháp]"
        ),
    ] = None,
    old: Annotated[
        Path | None,
        option("TỆP", "Kế hoạch để so. [kế hoạch năm trước trong data/]"),
    ] = None,
    agreed: Annotated[
        bool, typer.Option("--yes", help="Ghi đè lên tệp đang có mà không hỏi.")
    ] = False,
) -> None:
    """Ghi bản nháp thành kế hoạch, sau khi so với kế hoạch năm trước.

    Không ghi khi còn bộ phận chưa biết, chỗ mâu thuẫn hay ngày có thể nhận dạng sai chưa trả lời.
    Hạn dự kiến và việc chưa có hạn vẫn để như vậy được.
    """
    from reminder.importing.answers import as_plan, hindrances
    from reminder.importing.draft import plan_text

    draft = read_draft(path)
    if problems := hindrances(draft):
        lines = "\n".join(f"  {problem}" for problem in problems)
        raise ReminderError(
            f"chưa ghi kế hoạch, còn phải trả lời (reminder plan review {path}):\n{lines}"
        )
    if out is None:
        out = path.with_name(f"plan{draft.year}.toml")
    draft.id = _plan_id(draft, out)
    plan = as_plan(draft)
    former = _former(old, out, draft.year)
    if former is not None:
        changes = diff(former, plan)
        print(f"So với {former.title}:" if changes else f"Không khác gì {former.title}.")
        _print_changes(changes)
    if out.exists() and not agreed:
        if not asking.at_terminal():
            raise ReminderError(f"đã có {out}: thêm --yes để ghi đè, hoặc -o TỆP khác")
        if not asking.yes(f"Đã có {out}. Ghi đè lên?", default=False):
            print("Không ghi gì.")
            return
    write_file(out, plan_text(draft, path.name, "tệp").encode(), mode=0o644)
    print(f"Đã ghi {out}: {len(plan.tasks)} việc. Xem lại: reminder plan check {out}")
    _print_use(out)


def _plan_id(draft: Draft, out: Path) -> str:
    """Return the plan's id: never another than the file has, nor that of another file's plan."""
    if out.exists():
        with suppress(FileError):
            return bootstrap.load_plans([out])[0].id
    if out.stem == f"plan{draft.year}":
        return draft.id
    return unused_id(out.stem, (), "ke-hoach")


def _print_use(out: Path) -> None:
    """Print what is missing for the daemon to take the plan."""
    with suppress(ReminderError):
        settings = bootstrap.load_settings(None)
        if settings.plan.source == "database":
            print(f"Máy chưa dùng kế hoạch này: đưa vào bằng reminder plan put {out}")
            return
        named = {path.resolve() for path in settings.plan.files}
        if named and out.resolve() not in named:
            print(
                f"Máy chưa dùng kế hoạch này: thêm “{out.resolve()}” vào `files` dưới [plan] trong "
                "config/reminder.toml."
            )


def _former(old: Path | None, out: Path, year: int) -> Plan | None:
    """Return the plan to compare with: the one given, or the newest of an earlier year."""
    if old is not None:
        return bootstrap.load_plans([old])[0]
    found: list[Plan] = []
    for source in bootstrap.plan_sources(None):
        if not isinstance(source, Path) or source.absolute() != out.absolute():
            with suppress(FileError):
                found += bootstrap.load_plans([source])
    return max((p for p in found if p.year < year), key=lambda p: p.year, default=None)
