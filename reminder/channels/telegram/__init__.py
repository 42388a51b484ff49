"""Telegram: sending, receiving, errors, limits."""

from reminder.domain.outbox import AddressSource, ChannelTraits

TRAITS = ChannelTraits(
    name="telegram",
    title="Telegram",
    addresses=AddressSource.INVITATION,
    remedy="lấy lại mã bot từ @BotFather, ghi vào [telegram] token rồi khởi động lại",
    groups=True,
    buttons=True,
    edits=True,
)
