"""Many offices in one database, served by any number of processes."""
