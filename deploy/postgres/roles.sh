#!/bin/sh
# Run once, when the database is made: the role that servers and workers act as. `headroom migrate --grant` gives it its
# rights: of the journal it can read and add to it, nothing else.
set -eu
psql --set ON_ERROR_STOP=1 --username "$POSTGRES_USER" --dbname "$POSTGRES_DB" --set password="$APP_PASSWORD" <<'SQL'
create role headroom_app login password :'password';
SQL
