#!/usr/bin/env bash
# Saves the data of a deployment by docker compose: the history in Postgres, and the searches in Redis.
#   scripts/compose/backup.sh FOLDER
# The service goes on meanwhile. scripts/compose/restore.sh FOLDER restores the data.
set -euo pipefail
umask 077
source "$(dirname "${BASH_SOURCE[0]}")/lib.sh"

(($# == 1)) || die "usage: scripts/compose/backup.sh FOLDER"
folder=$1
[[ -e $folder ]] && die "$folder already exists; name a new folder"
partial=$folder.partial
rm -rf "$partial"
mkdir -p "$partial"

redis() { compose exec -T redis redis-cli "$@" | tr -d '\r'; }
[[ $(redis ping) == PONG ]] || die "Redis does not answer; start it: $COMPOSE up -d"
[[ $(redis config get appendonly | tail -n 1) == yes ]] || die "Redis keeps no append-only file; nothing to copy"

# Redis must not replace its files while they are copied.
percentage=$(redis config get auto-aof-rewrite-percentage | tail -n 1)
trap 'redis config set auto-aof-rewrite-percentage "$percentage" >/dev/null' EXIT
redis config set auto-aof-rewrite-percentage 0 >/dev/null
until redis info persistence | grep -q '^aof_rewrite_in_progress:0' &&
    redis info persistence | grep -q '^aof_rewrite_scheduled:0'; do
    sleep 1
done
# Redis first: a search that ends in between is in both copies, and is stored once.
compose exec -T redis tar -C /data -cf - appendonlydir >"$partial/redis.tar"
redis config set auto-aof-rewrite-percentage "$percentage" >/dev/null
trap - EXIT

compose exec -T postgres pg_dump -U privachat --no-owner privachat >"$partial/history.sql"
tail -n 5 "$partial/history.sql" | grep -q 'PostgreSQL database dump complete' || die "the copy of the history is incomplete"
tar -tf "$partial/redis.tar" >/dev/null || die "the copy of Redis is incomplete"

sessions=$(count_sessions)
printf '%s\n' "$sessions" >"$partial/sessions"
mv "$partial" "$folder"
say "saved in $folder: $sessions sessions, $(du -sh "$folder" | cut -f1). Keep .env and secrets/ with it; it does not contain them."
