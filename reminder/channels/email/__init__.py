"""Answers by mail: bytes → what a mail is → Inbound, as bot.py does with Telegram's updates."""
