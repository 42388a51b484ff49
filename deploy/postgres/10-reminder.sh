#!/bin/sh
# Run by the image of PostgreSQL on an empty volume: the database, owned by an ordinary role, since
# row-level security, by which an office sees its own rows alone, does not hold a superuser.
set -eu
password=$(cat /run/secrets/store_password)
psql -v ON_ERROR_STOP=1 -v password="$password" --username "$POSTGRES_USER" <<'SQL'
CREATE ROLE reminder LOGIN NOSUPERUSER NOBYPASSRLS PASSWORD :'password';
CREATE DATABASE reminder OWNER reminder;
SQL
mkdir -p /archive/wal /archive/base
