#!/usr/bin/env bash
# Restores a backup of scripts/compose/backup.sh. It replaces the present data of the deployment.
#   scripts/compose/restore.sh FOLDER --replace
set -euo pipefail
source "$(dirname "${BASH_SOURCE[0]}")/lib.sh"

[[ $# == 2 && $2 == --replace ]] || die "usage: scripts/compose/restore.sh FOLDER --replace (which deletes the present data)"
folder=$1
for file in history.sql redis.tar sessions; do
    [[ -s $folder/$file ]] || die "$folder/$file is missing; name a folder that backup.sh made"
done
tar -tf "$folder/redis.tar" >/dev/null || die "$folder/redis.tar is damaged; nothing was changed"
tail -n 5 "$folder/history.sql" | grep -q 'PostgreSQL database dump complete' ||
    die "$folder/history.sql is incomplete; nothing was changed"

running=$(compose ps --services --filter status=running)
stopped=()
for service in proxy api2 api worker; do
    grep -qx "$service" <<<"$running" && stopped+=("$service")
done
if ((${#stopped[@]})); then compose stop "${stopped[@]}"; fi
compose up -d postgres
for ((i = 0; i < 120; i++)); do
    compose exec -T postgres pg_isready -q -h 127.0.0.1 -U privachat -d privachat && break
    sleep 1
done

# In one transaction: if the file cannot be read, the history stays unchanged.
{
    printf 'SET client_min_messages = warning;\nDROP SCHEMA public CASCADE;\nCREATE SCHEMA public;\n'
    grep -v -E '^CREATE SCHEMA public;$' "$folder/history.sql"
} | compose exec -T postgres psql -q -U privachat -d privachat --single-transaction -v ON_ERROR_STOP=1 >/dev/null
sessions=$(count_sessions)
say "the history holds $sessions sessions, $(cat "$folder/sessions") were saved"

compose stop redis
compose run --rm --no-deps -T --entrypoint /bin/sh redis -euc '
    rm -rf /data/restored
    mkdir /data/restored
    tar -C /data/restored -xf -
    rm -rf /data/appendonlydir /data/dump.rdb
    mv /data/restored/appendonlydir /data/
    rmdir /data/restored' <"$folder/redis.tar"
compose up -d redis
if ((${#stopped[@]})); then compose start "${stopped[@]}"; fi
say "restored; check with: $COMPOSE exec worker privachat-worker check-config"
