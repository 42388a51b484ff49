# ruff: noqa: E501 - clients write long lines
"""A reply's own words stand above the quote and the signature, whichever client wrote them."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from reminder.channels.email.quotes import split_reply, without_courtesy

SAID = "Dạ em báo cáo đã xong 1c ạ"
MAIL = "Chào anh/chị. Hôm nay là hạn của 1 việc:\n• 2c Kết quả\nXong việc nào xin nhắn: xong 2c"
QUOTED = "\n".join(f"> {line}" for line in MAIL.split("\n"))


def own_text(text: str) -> str:
    return split_reply(text).words


BELOW = {
    "gmail": "Vào Th 4, 24 thg 1, 2024 vào lúc 08:00 Nhắc việc <\nnhac+rabc.def@xa.example> "
    f"đã viết:\n\n{QUOTED}",
    "gmail one line": f"Vào 08:00, Th 4, 24 thg 1, 2024 Nhắc việc <nhac@xa.example> đã viết:\n{QUOTED}",
    "gmail web, wrapped": "Vào 08:00 Th 4, 24 thg 1, 2024 Nhắc việc\n<nhac@xa.example>\nđã viết:\n"
    + QUOTED,
    "gmail, no marks": f"Vào Th 4, 24 thg 1, 2024 lúc 08:00 Nhắc việc <nhac@xa.example> đã viết:\n{MAIL}",
    "gmail english": "On Wed, Jan 24, 2024 at 8:00 AM Nhắc việc <nhac@xa.example> wrote:\n" + QUOTED,
    "outlook": "Từ: Nhắc việc <nhac@xa.example>\nĐã gửi: Thứ Tư, 24 tháng 1, 2024 8:00 SA\n"
    f"Tới: an@xa.example\nChủ đề: Nhắc việc\n\n{MAIL}",
    "outlook line": "________________________________\nTừ: Nhắc việc <nhac@xa.example>\n"
    f"Ngày gửi: Thứ Tư\nĐến: An\nTiêu đề: Nhắc việc\n{MAIL}",
    "outlook bold": f"*Từ:* Nhắc việc\n*Đã gửi:* Thứ Tư\n*Đến:* An\n*Chủ đề:* x\n{MAIL}",
    "outlook english": f"From: Nhac <nhac@xa.example>\nSent: Wednesday\nTo: An\nSubject: x\n\n{MAIL}",
    "outlook plain": f"-----Thư gốc-----\nTừ: Nhắc việc\n{MAIL}",
    "outlook plain english": f"-----Original Message-----\nFrom: Nhac\n{MAIL}",
    "iphone": "Đã gửi từ iPhone của tôi\n\nVào 24 thg 1, 2024, lúc 08:00, Nhắc việc "
    f"<nhac@xa.example> đã viết:\n\n{QUOTED}",
    "iphone english": f"Sent from my iPhone\n\n> On 24 Jan 2024, at 08:00, Nhac wrote:\n>\n{QUOTED}",
    "thunderbird": f"Vào 24/01/2024 08:00, Nhắc việc đã viết:\n{QUOTED}",
    "thunderbird lúc": f"Vào lúc 08:00 24/01/2024, Nhắc việc đã viết:\n{QUOTED}",
    "yahoo": "Vào Thứ Tư, 24 tháng 1, 2024 lúc 08:00:00 GMT+7, Nhắc việc <nhac@xa.example> đã viết:"
    f" \n\n {MAIL}",
    "zimbra": f"----- Thư gốc -----\nTừ: \"Nhắc việc\" <nhac@xa.example>\nTới: \"An\"\n{MAIL}",
    "samsung": f"Đã gửi từ thiết bị Galaxy\n\n-------- Tin nhắn gốc --------\nTừ: Nhắc việc\n{MAIL}",
    "signature": "-- \nNguyễn Văn A\nĐT: 0912 345 678, phòng 2c",
    "signature without a blank": "--\nNguyễn Văn A\nPhòng 2c",
    "sign-off": "\nTrân trọng,\nNguyễn Văn A\nCông chức Tư pháp\nĐã xong 2c",
    "sign-off ./.": "Trân trọng./.\nA, 2c",
    "best regards": "Best regards,\nA 2c",
    "outlook app": "Tải Outlook cho iOS\n________________________________\nTừ: Nhắc\nĐã gửi: x",
    "nothing": "",
}  # fmt: skip


@pytest.mark.parametrize("below", BELOW.values(), ids=BELOW.keys())
@pytest.mark.parametrize("gap", ["\n", "\n\n", "\r\n\r\n", "\n\u200b\n \xa0\n"])
def test_what_stands_above_is_taken(below: str, gap: str) -> None:
    """One sentence above any client's quote: that sentence, and nothing of the quote."""
    assert own_text(SAID + gap + below) == SAID


@pytest.mark.parametrize(
    "below", [b for n, b in BELOW.items() if "sign" not in n and "regards" not in n]
)
def test_a_quote_alone_is_an_empty_reply(below: str) -> None:
    """Nothing above, nothing below: no words of the quoted mail are taken for an answer."""
    assert own_text("\n" + below) == ""


def test_a_greeting_is_dropped_and_lines_are_kept() -> None:
    """“Kính gửi …,” is no part of the answer; two lines of commands stay two."""
    assert own_text(f"Kính gửi: Văn phòng UBND phường\n{SAID}") == SAID
    assert own_text("Kính gửi Văn phòng,\n\nxong 1c\nchưa xong 2c\n\nTrân trọng!") == (
        "xong 1c\nchưa xong 2c"
    )


def test_an_answer_below_the_quote_is_taken_where_nothing_stands_above() -> None:
    """Who answers at the bottom is heard; between the lines, or below an unmarked quote, nobody."""
    head = "Vào 24/01/2024 08:00, Nhắc việc đã viết:\n"
    assert own_text(f"{head}{QUOTED}\n\nxong 1c\n\nTrân trọng,\nAn") == "xong 1c"
    assert own_text("> 1c Danh mục\nđã xong ạ\n> 2c Kết quả\nchưa xong") == ""
    assert own_text(f"xong 1c\n{head}{QUOTED}\n\nxong 2c") == "xong 1c"
    assert own_text(f"-----Thư gốc-----\nTừ: Nhắc\nTới: An\n{MAIL}\nxong 2c") == ""


@pytest.mark.parametrize(
    "text",
    [
        "xong 1c\ngửi từ hôm qua, anh/chị xem giúp",
        "Từ: tháng 1 đến tháng 3 đã xong 2c",
        "On it: xong 1c",
        "1a thẩm định 03 văn bản; 1e tuyên truyền 02 buổi",
        "ghi chú 1c chờ số liệu: thuế đã viết công văn",
        "gia hạn 1c 05/02 chờ số liệu",
        "Trân trọng báo cáo anh/chị: đã xong 1c",
    ],
)
def test_what_only_looks_like_a_quote_stays(text: str) -> None:
    """Words of an answer that a client's line also has."""
    assert own_text(text) == text


@pytest.mark.parametrize(
    ("words", "left"),
    [
        ("Chào chị, em đã xong ạ.\nCảm ơn chị.", "em đã xong ạ.\nCảm ơn chị."),
        ("Kính gửi anh/chị: 1c xong rồi. Chúc anh/chị một ngày vui.", "1c xong rồi"),
        ("Gửi chị, xong rồi nhé\nChúc chị một ngày tốt lành", "xong rồi nhé"),
        ("Chúc mừng năm mới", "Chúc mừng năm mới"),
        ("Gửi chị 1c xong, 1d chưa", "Gửi chị 1c xong, 1d chưa"),
        ("1c xong rồi, chị ơi", "1c xong rồi, chị ơi"),
        ("Anh Bình, làm xong 1c giúp em", "Anh Bình, làm xong 1c giúp em"),
        ("Chào chị,", "Chào chị,"),
        ("Gửi chị báo cáo tháng 2, xong rồi ạ", "Gửi chị báo cáo tháng 2, xong rồi ạ"),
    ],
)
def test_courtesy_around_an_answer_is_not_read_for_it(words: str, left: str) -> None:
    """A greeting ends at its first comma or colon; a line that states something is none."""
    assert without_courtesy(words) == left


@pytest.mark.parametrize("code", ["1.1", "II.3", "ii.3", "3.1.a", "3.1a", "A.5", "1.1.2"])
def test_a_later_paragraph_with_a_code_of_several_pieces_is_an_answer_too(code: str) -> None:
    """As one with 1c is; the greeting and the signature are none."""
    text = f"Chào chị,\n\n1.2 xong rồi ạ\n\n{code} đã nộp hôm qua\n\nTrân trọng\nAn"
    assert own_text(text) == f"1.2 xong rồi ạ\n{code} đã nộp hôm qua"


@given(st.text(max_size=400))
def test_any_text_has_own_words_and_they_stay_the_same(text: str) -> None:
    """Never raises, and never makes words up: each line was there."""
    found = own_text(text)
    assert len(found) <= 4000
