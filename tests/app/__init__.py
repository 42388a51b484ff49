"""The wired daemon, on a Telegram and a mail server that speak for real."""
