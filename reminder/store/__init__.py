"""The database, on SQLite or PostgreSQL: nobody else knows which."""
