"""What an attacker would try; docs/security.md names these tests."""
