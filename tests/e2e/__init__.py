"""The daemon as wired, tried from outside: Telegram over HTTP, mail over SMTP."""
