"""E-mail: sending, and the mailbox to which answers and bounces come."""

from reminder.domain.outbox import AddressSource, ChannelTraits

TRAITS = ChannelTraits(
    name="email",
    title="thư điện tử",
    addresses=AddressSource.PEOPLE_FILE,
    remedy="xem dòng [email] của reminder doctor (không kèm --local): nói rõ chứng thư, tên đăng "
    "nhập hay mật khẩu",
    mail=True,
)
