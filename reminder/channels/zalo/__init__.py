"""Zalo: sending, receiving, errors. The server's behaviour is told in docs/zalo.md."""

from reminder.domain.outbox import AddressSource, ChannelTraits

TRAITS = ChannelTraits(
    name="zalo",
    title="Zalo",
    addresses=AddressSource.INVITATION,
    remedy="lấy lại mã bot trong Zalo Bot Manager, ghi vào [zalo] token rồi khởi động lại",
    files=False,
    replies=False,
    longest=1900,  # Zalo takes 2,000, and no source says of what: UTF-16 units are the most
    typed_codes=True,
    confirms=True,
)


def chat_link(account: str, code: str) -> str:  # noqa: ARG001  Zalo's links carry no code
    """Return the address that opens a chat with the bot, where the code is then typed."""
    return f"https://zalo.me/{account}"
