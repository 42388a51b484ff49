"""Alembic's entry: the connection, and its transaction, are schema.migrate's."""

from alembic import context

context.configure(connection=context.config.attributes["connection"])
context.run_migrations()
