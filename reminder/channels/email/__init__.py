"""E-mail: sending, and the mailbox to which answers and bounces come."""

from reminder.domain.outbox import AddressSource, ChannelTraits

TRAITS = ChannelTraits(
    name="email",
    title="thư điện tử",
    addresses=AddressSource.PEOPLE_FILE,
    remedy="xem tên đăng nhập, mật khẩu ở [email]",
    mail=True,
)
