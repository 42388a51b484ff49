"""`reminder init`: asked at a pseudo-terminal, with real servers on loopback; and unattended."""

from __future__ import annotations

import asyncio
import sys
import tomllib
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from typer.testing import CliRunner

from reminder.app.setup import authority, place
from reminder.cli import app
from reminder.domain.errors import FileError, ReminderError
from reminder.files.plan import load_plan
from tests.channels.email.conftest import INBOX, PASSWORD, MailWorld, mail_devel, post
from tests.channels.email.mailserver import Post, certificate, server_context, serving
from tests.cli.pty_kit import AtTerminal
from tests.cli.test_message import read
from tests.conftest import ROOT
from tests.fakes.telegram import FakeTelegram
from tests.fakes.zalo import FakeZalo

__all__ = ["mail_devel", "post"]  # fixtures
pytestmark = pytest.mark.skipif(sys.platform == "win32", reason="Windows has no pseudo-terminals")
SETTINGS = (ROOT / "config/reminder.toml").read_text("utf-8")


def settings(folder: Path) -> dict[str, Any]:
    """What is written in the settings; empty sections left out."""
    data = tomllib.loads((folder / "config/reminder.toml").read_text("utf-8"))
    return {name: section for name, section in data.items() if section and name != "schedule"}


def written(folder: Path) -> list[str]:
    return sorted(
        str(path.relative_to(folder))
        for path in folder.rglob("*")
        if path.is_file() and "var" not in path.parts
    )


def to_people(at: AtTerminal) -> None:
    """The first steps: an empty plan of two units, and one officer in each."""
    at.answer("ví dụ UBND phường Hoa Sen: ", "UBND phường Hoa Sen")
    at.answer("thêm việc sau\nChọn số [1]: ", "3")
    at.answer("Năm của kế hoạch [", "2027")
    at.answer("Bộ phận [", "Văn phòng; Tư pháp")
    at.answer("Chọn số [1]: ", "1")
    at.answer("[Lãnh đạo UBND]: ", "")
    at.answer("Để sau\nChọn số [1]: ", "2")
    at.answer("Họ và tên: ", "Nguyễn Văn An")
    at.answer("chưa có): ", "an@xa.example")
    at.answer("Họ và tên: ", "")
    at.answer("Lãnh đạo UBND: gõ từng người, Enter là hết.\n  Họ và tên: ", "")
    at.answer("Họ và tên: ", "Trần Thị Bình")
    at.answer("chưa có): ", "không có")
    at.expect("Xin gõ một địa chỉ thư")
    at.answer("chưa có): ", "")
    at.answer("Họ và tên: ", "")
    at.expect("✓ 2 người.")


PEOPLE = """\
[[person]]
id = "nguyen-van-an"
name = "Nguyễn Văn An"
unit = "van-phong"
email = "an@xa.example"

[[person]]
id = "tran-thi-binh"
name = "Trần Thị Bình"
unit = "tu-phap"
"""


async def dialogue(talk: Callable[[], None]) -> None:
    """Talk in a thread, while the servers run in this loop."""
    await asyncio.to_thread(talk)


@pytest.mark.asyncio
async def test_from_nothing_to_a_test_message(tmp_path: Path) -> None:
    """A wrong password and a wrong token are told at once and typed again; the files are whole."""
    pair = certificate(tmp_path, "localhost")
    folder = tmp_path / "phuong"
    folder.mkdir()
    mail = Post()
    tls = server_context(pair)
    async with (
        FakeTelegram() as telegram,
        FakeZalo() as zalo,
        serving(mail, starttls=tls, login=True) as port,
    ):
        environ = {
            "SSL_CERT_FILE": str(pair[0]),
            "REMINDER_TELEGRAM__BASE_URL": telegram.base_url,
            "REMINDER_ZALO__BASE_URL": zalo.base_url,
        }

        def talk() -> None:
            with AtTerminal(folder, "init", environ=environ) as at:
                to_people(at)
                at.answer("qua thư điện tử? [C/k] ", "")
                at.answer("Địa chỉ thư gửi đi: ", "nhac@xa.example")
                at.answer("(SMTP) [mail.xa.example]: ", "localhost")
                at.answer("Chọn số [1]: ", "1")
                at.answer("Cổng [587]: ", str(port))
                at.answer("[nhac@xa.example]: ", "nhac")
                at.answer("(gõ không hiện chữ): ", "sai-mat-khau")
                at.expect(f"✗ máy chủ thư localhost:{port} không nhận tên hoặc mật khẩu")
                at.answer("Chọn số [1]: ", "1")
                at.answer("Địa chỉ thư gửi đi [nhac@xa.example]: ", "")
                at.answer("(SMTP) [localhost]: ", "")
                at.answer("Chọn số [1]: ", "")
                at.answer(f"Cổng [{port}]: ", "")
                at.answer("[nhac]: ", "")
                at.answer("(gõ không hiện chữ): ", "dung-mat-khau")
                at.expect("✓ Đăng nhập được máy chủ thư.")
                at.answer("Cho trả lời bằng thư? [c/K] ", "")
                at.answer("qua Telegram? [C/k] ", "c")
                at.answer("(gõ không hiện chữ): ", "123456:" + "x" * 30)
                at.expect("✗ Telegram không nhận mã bot.")
                at.answer("Chọn số [1]: ", "1")
                at.answer("(gõ không hiện chữ): ", telegram.token)
                at.expect("✓ Telegram nhận mã bot: @fake_bot.")
                at.answer("qua Zalo? [c/K] ", "c")
                at.answer("(gõ không hiện chữ): ", "77:sai")
                at.expect("✗ Zalo không nhận mã bot.")
                at.answer("Chọn số [1]: ", "1")
                at.answer("(gõ không hiện chữ): ", zalo.token)
                at.expect("✓ Zalo nhận mã bot: bot.VDKyGxQvc.")
                at.answer("không gửi\nChọn số [1]: ", "1")
                code, said = at.end()
                assert code == 0, said
                assert "✓ Nguyễn Văn An (nguyen-van-an), thư điện tử: đã gửi tin thử" in said
                assert "✓ Kế hoạch ke-hoach-2027: 1 việc." in said
                assert "Tin đầu tiên theo kế hoạch: 07:30 Thứ Hai 04/01/2027." in said
                assert "mat-khau" not in at.seen
                assert telegram.token not in at.seen
                assert zalo.token not in at.seen
                assert "invite MÃ --channel zalo   mời một người vào Zalo" in said

        await dialogue(talk)
    assert [(to, subject) for to, subject, _ in read(mail)] == [
        (["an@xa.example"], "Tin thử của máy nhắc việc")
    ]
    assert written(folder) == [
        "config/calendar.toml", "config/people.toml", "config/reminder.toml", "data/plan2027.toml",
    ]  # fmt: skip
    assert settings(folder) == {
        "plan": {"files": ["../data/plan2027.toml"]},
        "telegram": {"token": telegram.token, "bot_name": "fake_bot"},
        "zalo": {"token": zalo.token},
        "email": {
            "host": "localhost", "port": port, "security": "starttls", "username": "nhac",
            "password": "dung-mat-khau", "sender": "nhac@xa.example",
        },
        "report": {"authority": "Ủy ban nhân dân phường Hoa Sen", "place": "Hoa Sen"},
    }  # fmt: skip
    made = (folder / "config/reminder.toml").read_text("utf-8").splitlines()
    plain = SETTINGS.splitlines()
    changed = [new for old, new in zip(plain, made, strict=True) if old != new]
    assert [line.split()[0] for line in changed] == [
        "files", "token", "bot_name", "token", "host", "port", "security", "username", "password",
        "sender", "authority", "place",
    ]  # fmt: skip
    people = (folder / "config/people.toml").read_text("utf-8")
    assert people[people.index("[[person]]") :] == PEOPLE
    assert all((folder / file).stat().st_mode & 0o077 == 0 for file in written(folder))


@pytest.mark.thorough
def test_from_a_word_file(tmp_path: Path) -> None:
    """The draft's open questions are asked there and then; left half-way, it goes on with them."""
    document = tmp_path / "KH PCCC.docx"
    document.write_bytes((ROOT / "tests/importing/cases/d02-pccc.docx").read_bytes())
    with AtTerminal(tmp_path, "init") as at:
        at.answer("ví dụ UBND phường Hoa Sen: ", "UBND phường Hoa Sen")
        at.answer("thêm việc sau\nChọn số [1]: ", "1")
        at.answer("văn bản ấy: ", "KH\\ PCCC.docx")
        at.expect("12 việc: 5 hạn có trong văn bản")
        at.answer("Chọn số [5]: ", "")
        at.answer("Chọn số [6]: ", "")
        at.answer("ghi cùng mỗi câu trả lời): ", "Nguyễn Văn An")
        at.expect("  > ")
        at.interrupt()
        assert at.end()[0] == 1
    with AtTerminal(tmp_path, "init") as at:
        at.answer("Làm tiếp từ đó? [C/k] ", "")
        at.answer("ghi cùng mỗi câu trả lời): ", "Nguyễn Văn An")
        for _ in range(3):
            at.answer("  > ", "1")
        at.answer("  > ", ".")
        at.expect("Còn 1 câu để sau được")
        at.expect("✓ Kế hoạch Phòng cháy, chữa cháy năm 2026: 12 việc, 6 bộ phận.")
        at.answer("Để sau\nChọn số [1]: ", "3")
        at.answer("qua thư điện tử? [C/k] ", "k")
        at.answer("qua Telegram? [C/k] ", "k")
        at.answer("qua Zalo? [c/K] ", "")
        code, said = at.end()
    assert code == 0, said
    assert "✓ Kế hoạch kh-2026: 12 việc." in said
    plan = load_plan(tmp_path / "data/plan2026.toml")
    assert (plan.office, plan.leaders, len(plan.tasks)) == (
        "van-phong-hdnd-va-ubnd",
        "lanh-dao",
        12,
    )
    draft = (tmp_path / "data/plan2026.draft.toml").read_text("utf-8")
    assert draft.count('by = "Nguyễn Văn An"') == 3


def test_a_document_that_is_refused_is_asked_for_again(tmp_path: Path) -> None:
    """The sentence is that of the importer, and the questions go on."""
    (tmp_path / "scan.pdf").write_bytes(b"%PDF-1.4\n%%EOF\n")
    with AtTerminal(tmp_path, "init") as at:
        at.answer("ví dụ UBND phường Hoa Sen: ", "UBND phường Hoa Sen")
        at.answer("thêm việc sau\nChọn số [1]: ", "1")
        at.answer("văn bản ấy: ", "khong-co.docx")
        at.answer("Không có tệp khong-co.docx.\nĐường dẫn tới văn bản ấy: ", "scan.pdf")
        at.expect("✗ không đọc scan.pdf: ")
        at.expect("thêm việc sau\nChọn số [1]: ")


@pytest.mark.thorough
def test_left_and_taken_up_again(tmp_path: Path) -> None:
    """Ctrl-C keeps the answers, without secrets; the next run asks for the rest alone."""
    with AtTerminal(tmp_path, "init") as at:
        to_people(at)
        at.answer("qua thư điện tử? [C/k] ", "k")
        at.expect("qua Telegram? [C/k] ")
        at.interrupt()
        code, said = at.end()
    assert (code, said.strip()) == (
        1,
        "Đã dừng, chưa ghi tệp cài đặt nào. Gõ lại reminder init để làm tiếp.",
    )
    assert written(tmp_path) == ["config/.init.toml"]
    with AtTerminal(tmp_path, "init") as at:
        at.answer("Làm tiếp từ đó? [C/k] ", "")
        assert "1. Cơ quan: UBND phường Hoa Sen" in at.expect("✓ 2 người.")
        at.answer("qua Telegram? [C/k] ", "k")
        at.answer("qua Zalo? [c/K] ", "")
        code, said = at.end()
    assert code == 0, said
    assert ".init.toml" not in " ".join(written(tmp_path))
    assert "! Chưa cài Telegram, Zalo hay thư: tin chỉ hiện trên màn hình." in said


@pytest.mark.thorough
def test_secrets_are_not_kept_while_it_waits(tmp_path: Path) -> None:
    """The rest of the mail server is, as what Enter gives; the password is typed again."""
    with AtTerminal(tmp_path, "init") as at:
        to_people(at)
        at.answer("qua thư điện tử? [C/k] ", "")
        at.answer("Địa chỉ thư gửi đi: ", "nhac@xa.example")
        at.answer("(SMTP) [mail.xa.example]: ", "127.0.0.1")
        at.answer("Chọn số [1]: ", "3")
        at.answer("Cổng [25]: ", "9")
        at.answer("[nhac@xa.example]: ", "nhac")
        at.answer("(gõ không hiện chữ): ", "dung-mat-khau")
        at.expect("✗ máy chủ thư 127.0.0.1:9 không mở cổng ấy")
        at.answer("Chọn số [1]: ", "2")
        at.expect("Cho trả lời bằng thư? [c/K] ")
        at.interrupt()
        assert at.end()[0] == 1
        assert "dung-mat-khau" not in at.seen
    kept = (tmp_path / "config/.init.toml").read_text("utf-8")
    assert 'username = "nhac"' in kept
    assert "dung-mat-khau" not in kept
    assert (tmp_path / "config/.init.toml").stat().st_mode & 0o077 == 0
    with AtTerminal(tmp_path, "init") as at:
        at.answer("Làm tiếp từ đó? [C/k] ", "")
        at.answer("Địa chỉ thư gửi đi [nhac@xa.example]: ", "")
        at.answer("(SMTP) [127.0.0.1]: ", "")
        at.answer("Chọn số [3]: ", "")
        at.answer("Cổng [9]: ", "")
        at.answer("[nhac]: ", "")
        at.answer("(gõ không hiện chữ): ", "khac")
        at.answer("Chọn số [1]: ", "3")
        at.answer("qua Telegram? [C/k] ", "k")
        at.answer("qua Zalo? [c/K] ", "")
        code, said = at.end()
    assert code == 0, said
    assert "email" not in settings(tmp_path)


def test_the_end_of_input_is_like_ctrl_c(tmp_path: Path) -> None:
    with AtTerminal(tmp_path, "init") as at:
        at.expect("ví dụ UBND phường Hoa Sen: ")
        at.press(b"\x04")
        code, said = at.end()
    assert (code, "Đã dừng" in said) == (1, True)


@pytest.mark.thorough
def test_no_file_is_replaced_unasked(tmp_path: Path) -> None:
    """A plan, people and settings that stand there stay as they are where the answer is no."""
    (tmp_path / "config").mkdir()
    (tmp_path / "data").mkdir()
    plan = (ROOT / "data/plan2024.toml").read_text("utf-8")
    files = {
        "config/reminder.toml": '# của tôi\n[plan]\nfiles = ["../data/plan2024.toml"]\n',
        "config/people.toml": PEOPLE.replace("xa.example", "xa.vn"),
        "data/plan2024.toml": plan,
    }
    for name, text in files.items():
        (tmp_path / name).write_text(text, "utf-8")
    with AtTerminal(tmp_path, "init") as at:
        at.answer("ví dụ UBND phường Hoa Sen: ", "UBND xã Hoa Sen")
        at.answer("thêm việc sau\nChọn số [1]: ", "3")
        at.answer("Năm của kế hoạch [", "2024")
        at.answer("Bộ phận [", "Văn phòng")
        at.answer("Chọn số [1]: ", "1")
        at.answer("[Lãnh đạo UBND]: ", "")
        at.answer("Đã có data/plan2024.toml (kế hoạch). Ghi vào đó? [c/K] ", "")
        at.expect("✓ Kế hoạch cải cách hành chính năm 2024: 25 việc")
        at.answer("3. Giữ nguyên config/people.toml\nChọn số [1]: ", "3")
        at.answer("qua thư điện tử? [C/k] ", "k")
        at.answer("qua Telegram? [C/k] ", "k")
        at.answer("qua Zalo? [c/K] ", "")
        at.answer("Đã có config/reminder.toml (cài đặt; các dòng khác giữ nguyên)", "")
        code, said = at.end()
    assert code == 0, said
    assert {name: (tmp_path / name).read_text("utf-8") for name in files} == files


@pytest.mark.thorough
def test_the_samples_of_a_checkout_may_go(tmp_path: Path) -> None:
    """Their made-up people are replaced by default; what stood there is kept beside it."""
    (tmp_path / "config").mkdir()
    for name in ("reminder.toml", "people.toml", "calendar.toml"):
        (tmp_path / "config" / name).write_bytes((ROOT / "config" / name).read_bytes())
    with AtTerminal(tmp_path, "init") as at:
        to_people(at)
        at.answer("qua thư điện tử? [C/k] ", "k")
        at.answer("qua Telegram? [C/k] ", "k")
        at.answer("qua Zalo? [c/K] ", "")
        at.answer("Đã có config/people.toml (tệp mẫu). Ghi vào đó? [C/k] ", "")
        at.answer("Ghi vào đó? [C/k] ", "")
        code, said = at.end()
    assert code == 0, said
    people = (tmp_path / "config/people.toml").read_text("utf-8")
    assert people[people.index("[[person]]") :] == PEOPLE
    old = (tmp_path / "config/people.toml.cu").read_bytes()
    assert old == (ROOT / "config/people.toml").read_bytes()


@pytest.mark.thorough
@pytest.mark.usefixtures("mail_devel")
def test_a_mailbox_for_answers(tmp_path: Path, post: MailWorld) -> None:
    """It is tried by a mail to itself; without Authentication-Results the risk is told first."""
    with AtTerminal(tmp_path, "init") as at:
        to_people(at)
        at.answer("qua thư điện tử? [C/k] ", "")
        at.answer("Địa chỉ thư gửi đi: ", INBOX)
        at.answer("(SMTP) [mail.example.vn]: ", f"127.0.0.1:{post.smtp_port}")
        at.expect("Xin gõ riêng tên máy chủ; cổng thì máy hỏi sau.")
        at.answer("(SMTP) [mail.example.vn]: ", "127.0.0.1")
        at.answer("Chọn số [1]: ", "3")
        at.answer("Cổng [25]: ", str(post.smtp_port))
        at.answer(f"[{INBOX}]: ", "-")
        at.expect("✓ Đăng nhập được máy chủ thư.")
        at.answer("Cho trả lời bằng thư? [c/K] ", "c")
        at.answer("(IMAP) [mail.example.vn]: ", "127.0.0.1")
        at.answer("Chọn số [3]: ", "")
        at.answer("Cổng [143]: ", str(post.imap_port))
        at.answer(f"[{INBOX}]: ", "")
        at.answer("(gõ không hiện chữ): ", PASSWORD)
        at.expect("không ghi Authentication-Results nên không xác nhận được người gửi.")
        at.answer("Vẫn nhận? [c/K] ", "c")
        at.expect("✓ Trả lời bằng thư dùng được.")
        at.answer("qua Telegram? [C/k] ", "k")
        at.answer("qua Zalo? [c/K] ", "")
        at.answer("không gửi\nChọn số [1]: ", "3")
        code, said = at.end()
    assert code == 0, said
    assert "✓ [inbox] thư thử đã đến, hộp thư nhận địa chỉ cộng" in said
    assert settings(tmp_path)["inbox"] == {
        "host": "127.0.0.1", "port": post.imap_port, "security": "none", "address": INBOX,
        "username": INBOX, "password": PASSWORD, "trust": "token",
    }  # fmt: skip


# ---- unattended


ANSWERS = """\
office = "UBND xã An Khê"

[plan]
year = 2027
units = ["Văn phòng", "Tư pháp"]
leaders = "Lãnh đạo"

[[person]]
name = "Nguyễn Văn An"
unit = ["Văn phòng", "tu phap"]
email = "an@xa.example"

[email]
host = "127.0.0.1"
port = {port}
security = "none"
sender = "nhac@xa.example"
"""


@pytest.mark.asyncio
async def test_unattended(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A file of answers does it all; a second run refuses to write over, unless it is allowed."""
    monkeypatch.chdir(tmp_path)
    mail = Post()
    async with serving(mail) as port:
        text = ANSWERS.format(port=port)
        (tmp_path / "a.toml").write_text(f'test = "Nguyễn Văn An"\n{text}', "utf-8")
        call = ["init", "--answers", "a.toml"]
        result = await asyncio.to_thread(CliRunner().invoke, app, call)
        assert result.exit_code == 0, result.output
        assert [to for to, *_ in read(mail)] == [["an@xa.example"]]
        before = {name: (tmp_path / name).read_bytes() for name in written(tmp_path)}
        result = await asyncio.to_thread(CliRunner().invoke, app, call)  # which changes nothing
        assert result.exit_code == 0, result.output
        assert {name: (tmp_path / name).read_bytes() for name in written(tmp_path)} == before
        text = text.replace("An Khê", "An Lạc")
        (tmp_path / "a.toml").write_text(text, "utf-8")
        result = await asyncio.to_thread(CliRunner().invoke, app, call)
        assert isinstance(result.exception, ReminderError)
        assert str(result.exception) == (
            "đã có config/reminder.toml (cài đặt; các dòng khác giữ nguyên): ghi replace = true "
            "trong tệp trả lời để ghi vào đó"
        )
        (tmp_path / "a.toml").write_text(f"replace = true\n{text}", "utf-8")
        result = await asyncio.to_thread(CliRunner().invoke, app, call)
        assert result.exit_code == 0, result.output
    people = (tmp_path / "config/people.toml").read_text("utf-8")
    assert people[people.index("[[person]]") :] == (
        '[[person]]\nid = "nguyen-van-an"\nname = "Nguyễn Văn An"\n'
        'unit = ["van-phong", "tu-phap"]\nemail = "an@xa.example"\n'
    )


def test_unattended_a_mailbox_is_tried(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, post: MailWorld
) -> None:
    """Where its server vouches for nobody, the risk is taken by a key alone, which is named."""
    monkeypatch.chdir(tmp_path)
    text = ANSWERS.format(port=post.smtp_port).replace("nhac@xa.example", INBOX)
    text += (
        f'\n[inbox]\nhost = "127.0.0.1"\nport = {post.imap_port}\nsecurity = "none"\n'
        f'username = "{INBOX}"\npassword = "{PASSWORD}"\naddress = "{INBOX}"\n'
    )
    (tmp_path / "a.toml").write_text(text, "utf-8")
    result = CliRunner().invoke(app, ["init", "--answers", "a.toml"])
    assert isinstance(result.exception, ReminderError)
    assert str(result.exception) == (
        "[inbox] máy chủ thư không ghi Authentication-Results nên không xác nhận được người gửi: "
        'chấp nhận thì ghi trust = "token" (rủi ro: xem config/reminder.toml), không thì bỏ [inbox]'
    )
    (tmp_path / "a.toml").write_text(f'{text}trust = "token"\n', "utf-8")
    result = CliRunner().invoke(app, ["init", "--answers", "a.toml"])
    assert result.exit_code == 0, result.output
    assert settings(tmp_path)["inbox"]["trust"] == "token"


def test_unattended_from_a_document(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """The units that follow and lead may be named; the draft stays for a review."""
    monkeypatch.chdir(tmp_path)
    document = ROOT / "tests/importing/cases/d02-pccc.docx"
    (tmp_path / "a.toml").write_text(
        f'office = "UBND phường Thử"\n[plan]\ndocument = "{document}"\noffice = "Phòng Kinh tế"\n',
        "utf-8",
    )
    result = CliRunner().invoke(app, ["init", "--answers", "a.toml"])
    assert "✓ Kế hoạch kh-2026: 12 việc." in result.stdout
    assert load_plan(tmp_path / "data/plan2026.toml").office == "phong-kinh-te"
    assert "data/plan2026.draft.html" in written(tmp_path)


def test_every_wrong_key_is_told(tmp_path: Path) -> None:
    """With its line and the nearest right one; values too; no secret is quoted."""
    (tmp_path / "a.toml").write_text(
        'ofice = "x"\n[plan]\nyeer = 2027\n[email]\nhost = "a b"\nport = 0\nsendr = "x"\n'
        'password = 12345\n[[person]]\nname = "A"\nunti = "x"\nemail = "q"\n',
        "utf-8",
    )
    with pytest.raises(FileError) as caught:
        CliRunner().invoke(
            app, ["init", "--answers", str(tmp_path / "a.toml")],
            catch_exceptions=False, standalone_mode=False,
        )  # fmt: skip
    assert [(problem.line, problem.message) for problem in caught.value.problems] == [
        (1, "thiếu `office`"),
        (1, "không có khóa “ofice”; có phải là “office”?"),
        (2, "thiếu kế hoạch: trong [plan] ghi document (văn bản), file (tệp kế hoạch) hoặc year"),
        (3, "không có khóa “yeer”; có phải là “year”?"),
        (5, "`host` phải là tên máy chủ thư, ví dụ \"smtp.example.vn\", không phải 'a b'"),
        (6, "`port` phải là số cổng: 587 (starttls), 465 (tls) hoặc 25 (none), không phải 0"),
        (7, "không có khóa “sendr”; có phải là “sender”?"),
        (8, "`password` phải là mật khẩu, trong dấu nháy kép"),
        (9, "thiếu `unit`: người này thuộc bộ phận nào?"),
        (11, "không có khóa “unti”; có phải là “unit”?"),
        (12, "“q” không phải địa chỉ thư; ví dụ ten@xa.example"),
    ]


def test_without_a_terminal_nothing_is_asked(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    result = CliRunner().invoke(app, ["init"])
    assert str(result.exception).startswith("reminder init cần một cửa sổ lệnh để hỏi")
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize(
    ("office", "paper", "where"),
    [
        ("UBND phường Hoa Sen", "Ủy ban nhân dân phường Hoa Sen", "Hoa Sen"),
        ("Ủy ban nhân dân xã An Khê", "Ủy ban nhân dân xã An Khê", "An Khê"),
        ("Trường Tiểu học Kim Đồng", "Trường Tiểu học Kim Đồng", ""),
    ],
)
def test_what_the_office_is_called_on_paper(office: str, paper: str, where: str) -> None:
    assert (authority(office), place(office)) == (paper, where)
