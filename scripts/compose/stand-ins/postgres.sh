#!/bin/sh
# The part of the real image's start script that docker-compose.yml relies on: an empty folder becomes a database,
# the files of /docker-entrypoint-initdb.d are run once, and then the server starts with the given arguments.
set -eu

if [ ! -s "$PGDATA/PG_VERSION" ]; then
    initdb -D "$PGDATA" -U "${POSTGRES_USER:-postgres}" --auth=trust >/dev/null
    # As the real script does for POSTGRES_HOST_AUTH_METHOD.
    echo "host all all all ${POSTGRES_HOST_AUTH_METHOD:-scram-sha-256}" >>"$PGDATA/pg_hba.conf"
    shift
    pg_ctl -D "$PGDATA" -w -o "$* -c listen_addresses=''" start >/dev/null
    if [ -n "${POSTGRES_DB:-}" ] && [ "$POSTGRES_DB" != postgres ]; then
        createdb -U "${POSTGRES_USER:-postgres}" "$POSTGRES_DB"
    fi
    for file in /docker-entrypoint-initdb.d/*.sql; do
        [ -e "$file" ] || continue
        psql -q -v ON_ERROR_STOP=1 -U "${POSTGRES_USER:-postgres}" -d "${POSTGRES_DB:-${POSTGRES_USER:-postgres}}" -f "$file"
    done
    pg_ctl -D "$PGDATA" -w -m fast stop >/dev/null
    set -- postgres "$@"
fi
exec "$@"
