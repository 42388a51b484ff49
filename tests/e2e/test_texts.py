"""Whatever a client can put into a message, or people into a file, arrives and does no harm."""

from __future__ import annotations

import unicodedata
from functools import partial
from pathlib import Path

import pytest

from tests.conftest import ROOT
from tests.e2e.town import AN, CHI, CUC, GROUP, PEOPLE, STRANGER, town

pytestmark = [pytest.mark.asyncio, pytest.mark.usefixtures("timedelta_retry")]
FILE = {"file_id": "f", "file_unique_id": "u"}
PICTURE = {**FILE, "width": 1, "height": 1}
thorough = partial(pytest.param, marks=pytest.mark.thorough)
DONE_1C = [
    "xong 1c",
    "XONG 1C",
    "/done 1c",
    "/DONE 1C",
    "/done@fake_bot 1c",
    "/done\u00a01c",
    "/done   1c  ",
    "/done\n1c",
    "\u200b/done\u200b 1c\u200b",
    "\u200e/done 1c\u200f",
    "\u202b/done 1c\u202c",
    "\ufeff/done 1c",
    "／ｄｏｎｅ １ｃ",
    "ｘｏｎｇ　１ｃ",
    unicodedata.normalize("NFD", "dạ 1c đã xong ạ"),
    unicodedata.normalize("NFKD", "hoàn thành 1c"),
    "x\u200bong 1\u200bc",
]


@pytest.mark.parametrize(
    "text", [*DONE_1C[::4], *(thorough(text) for text in DONE_1C if text not in DONE_1C[::4])]
)
async def test_any_spelling_closes_1c(tmp_path: Path, text: str) -> None:
    """Composed or not, full width, with marks that nobody sees: 1c is closed, once."""
    async with town(tmp_path) as place:
        await place.enrol("an")
        (answer,) = await place.says(AN, text)
        assert answer.startswith("✅ Đã ghi 1c Danh mục VBQPPL hết hiệu lực năm 2023")
        assert await place.events() == ["done 1c an"]


async def test_decomposed_letters_are_another_task(tmp_path: Path) -> None:
    """1đ is never 1d, however đ is composed; “1d̶” and the like close nothing."""
    async with town(tmp_path, "19/02") as place:
        await place.enrol("an")
        await place.says(AN, unicodedata.normalize("NFD", "cập nhật 1đ đã kiểm tra 2 đơn vị"))
        await place.says(AN, "xong 1d\u0336")
        assert [e for e in await place.events() if e.startswith("done")] == []


@pytest.mark.parametrize(
    "text",
    [
        thorough("a" * 10_000, id="a"),
        pytest.param("xong 1c " + "rất dài " * 1_300, id="done"),
        thorough("1c " * 3_400, id="codes"),
        pytest.param("<b>" * 3_400, id="tags"),
        thorough("🇻🇳" * 2_500, id="flags"),
        pytest.param("\u0301" * 10_000, id="marks"),
        thorough("/" * 10_000, id="slashes"),
        thorough("(" * 10_000, id="brackets"),
        thorough("1" * 10_000, id="digits"),
        thorough("ghi chú 1c " + "<&>" * 3_300, id="note"),
    ],
)
async def test_ten_thousand_characters_are_answered(tmp_path: Path, text: str) -> None:
    """One answer that Telegram takes, and the next message is understood as ever."""
    async with town(tmp_path) as place:
        await place.enrol("an", "chi")
        answers = await place.says(AN, text)
        assert len(answers) == 1
        assert len(answers[0]) <= 4096
        await place.hour("24/01", "12:00")
        before = len(await place.events())
        await place.says(CHI, "/undo 1c") if before else None
        (again,) = await place.says(AN, "/viec")
        assert "1c" in again


async def test_invisible_and_empty_texts(tmp_path: Path) -> None:
    """What shows nothing records nothing and stops nothing."""
    async with town(tmp_path) as place:
        await place.enrol("an")
        for text in ("\u200b", "\u202e", "\u2800", "\0", "/", "@fake_bot", "/@fake_bot"):
            await place.says(AN, text)
        assert await place.events() == []
        (answer,) = await place.says(AN, "@fake_bot xong 1c")
        assert answer.startswith("✅ Đã ghi 1c")


async def test_edited_and_forwarded_messages_act_on_nothing(tmp_path: Path) -> None:
    """Both are told so; the message that was edited has acted once, as it first stood."""
    async with town(tmp_path) as place:
        await place.enrol("an")
        (answer,) = await place.says(AN, "/done 1c", forwarded=True)
        assert "chuyển tiếp" in answer
        assert await place.events() == []
        await place.says(AN, "xong 1")
        (answer,) = await place.says(AN, "xong 1c", edited=True)
        assert "sửa" in answer
        assert await place.events() == []
        (answer,) = await place.says(AN, "xong 1c")
        await place.says(AN, "xong 1c, 2c", edited=True)
        assert await place.events() == ["done 1c an"]


def evil_plan() -> str:
    source = (ROOT / "data/plan2024.toml").read_text(encoding="utf-8")
    title = "Danh mục VBQPPL hết hiệu lực năm 2023"
    evil = "<b>đậm</i> & <script>x()</script> &lt; {{ 7*7 }} %s {0}"
    assert title in source
    return source.replace(f'"{title}"', f"'{evil}'")


async def test_markup_in_titles_names_and_evidence_is_shown_as_written(tmp_path: Path) -> None:
    """Tags, entities, templates in a title, a name, a note stay text, in chats and in mail."""
    title = "<b>đậm</i> & <script>x()</script> &lt; {{ 7*7 }} %s {0}"
    people = PEOPLE.replace('name = "An"', 'name = "<i>An</i> & <b"')
    async with town(tmp_path, people=people, plan=evil_plan()) as place:
        await place.enrol("an", "cuc", "chi")
        assert "Chào <i>An</i> & <b" in place.newest(AN).text
        await place.hour("31/01")
        assert title in place.newest(AN, "là hạn").text
        assert any(title in mail.replace("\r\n", " ") for mail in place.mails_to("binh"))
        (answer,) = await place.says(AN, "/done 1c: số <b>12</b>&/QĐ-UBND ngày 30/01")
        assert title in answer
        assert await place.events() == ["done 1c an"]
        assert "<i>An</i> & <b" in place.newest(CUC).text
        (answer,) = await place.says(CHI, "/molai 1c sai <số> & \"ngày\" 'x'")
        assert "<số> &" in answer or "1c" in answer
        (answer,) = await place.says(CUC, "ghi chú 1c chờ <a href='x'>số liệu</a> & </code>")
        assert "<a href='x'>số liệu</a> & </code>" in answer
        (history,) = await place.says(AN, "/lichsu 1c")
        assert "<i>An</i> & <b" in history
        refused = [c.method for c in place.telegram.calls if c.outcome == 400]
        assert "sendMessage" not in refused


async def test_an_update_that_comes_twice_acts_once(tmp_path: Path) -> None:
    """The daemon ends before the poll that would confirm it: the next one gets it again."""
    async with town(tmp_path) as place:
        await place.enrol("an")
        telegram = place.telegram
        code = await place.invite("cuc")
        telegram.fail_next("getUpdates", "reset-before", times=10_000)
        telegram.user_sends(AN, "/done 1c")
        telegram.user_sends(CUC, f"/start {code}")
        said = len(telegram.sent_to(AN)) + 2  # the two answers
        await telegram.until(lambda: len(telegram.sent_to(AN)) + len(telegram.sent_to(CUC)) == said)
        assert len(telegram.pending) == 2
        answers = [[m.text for m in telegram.sent_to(who)] for who in (AN, CUC)]
        telegram._faults._waiting.clear()
        await place.restart()
        await place.quiet()
        assert telegram.pending == []
        assert [[m.text for m in telegram.sent_to(who)] for who in (AN, CUC)] == answers
        assert await place.events() == ["done 1c an"]


async def test_two_officers_at_the_same_second(tmp_path: Path) -> None:
    """Both messages come in one poll: the first closes it, the second hears by whom."""
    async with town(tmp_path) as place:
        await place.enrol("an", "cuc")
        place.telegram.user_sends(AN, "/done 1c")
        place.telegram.user_sends(CUC, "xong 1c")
        await place.quiet()
        assert await place.events() == ["done 1c an"]
        assert place.newest(AN).text.startswith("✅ Đã ghi 1c")
        assert "An" in place.newest(CUC).text
        assert "Không ghi thêm" in place.newest(CUC).text


async def test_a_stranger_hears_one_line_an_hour(tmp_path: Path) -> None:
    """Whatever is typed, edited or forwarded: one line, no information, nothing recorded."""
    async with town(tmp_path) as place:
        await place.enrol("an")
        place.telegram.start(STRANGER)
        for text in ("/done 1c", "/viec", "1c", "/start", "/bind tu-phap", "a" * 10_000):
            await place.says(STRANGER, text)
        await place.says(STRANGER, "/done 1c", edited=True)
        await place.says(STRANGER, "/done 1c", forwarded=True)
        said = [m.text for m in place.telegram.sent_to(STRANGER)]
        assert [text[:8] for text in said] == ["Xin lỗi,"]
        await place.hour("24/01", "08:31")
        assert len(await place.says(STRANGER, "/viec")) == 1
        assert await place.events() == []


@pytest.mark.parametrize(
    "more",
    [
        {
            "sticker": {
                **FILE,
                "width": 1,
                "height": 1,
                "type": "regular",
                "is_animated": False,
                "is_video": False,
            }
        },
        {"photo": [{**FILE, "width": 1, "height": 1}]},
        {"voice": {**FILE, "duration": 1}},
        {"contact": {"phone_number": "1", "first_name": "Hà"}},
    ],
    ids=lambda more: next(iter(more)),
)
async def test_what_has_no_words_is_answered_with_one_sentence(
    tmp_path: Path, more: dict[str, object]
) -> None:
    """To an officer in private; a stranger hears what strangers hear, a group nothing."""
    async with town(tmp_path, privacy_mode=False) as place:
        await place.enrol("an")
        said = ["Chưa ghi gì: máy chỉ đọc được chữ. Xin nhắn bằng chữ, ví dụ: xong 1c"]
        assert await place.says(AN, "", more=more) == said
        place.telegram.add_group(GROUP)
        assert await place.says(AN, "", GROUP, more=more) == []
        assert await place.says(STRANGER, "", more=more) != said
        assert await place.events() == []


async def test_an_album_is_answered_once(tmp_path: Path) -> None:
    """Each picture is a message of its own; under the first stand the words, if there are any."""
    async with town(tmp_path) as place:
        await place.enrol("an")
        picture = {"photo": [PICTURE]}
        for _ in range(3):
            place.telegram.user_sends(AN, "", more={**picture, "media_group_id": "7"})
        await place.quiet()
        assert ["chữ" in m.text for m in place.telegram.sent_to(AN)[1:]] == [True]
        worded = {**picture, "media_group_id": "8", "caption": "xong 1c"}
        place.telegram.user_sends(AN, "", more=worded)
        (answer,) = await place.says(AN, "", more={**picture, "media_group_id": "8"})
        assert answer.startswith("✅ Đã ghi 1c")
