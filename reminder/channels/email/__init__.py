"""E-mail: sending, and the mailbox to which answers and bounces come."""

from reminder.domain.channels import AddressSource, ChannelTraits

TRAITS = ChannelTraits(
    name="email",
    title="thư điện tử",
    addresses=AddressSource.PEOPLE_FILE,
    files=True,
    mail=True,
)
