"""The schema's steps, run by Alembic; see reminder/store/schema.py."""
