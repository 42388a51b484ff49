"""The schema's steps, run by Alembic; see reminder/store/store.py."""
