#!/usr/bin/env bash
# Saves what a deployment by docker compose keeps: the history of Postgres, and the searches in Redis.
#   scripts/compose/backup.sh FOLDER
# Runs beside the service, which goes on. scripts/compose/restore.sh FOLDER brings it back.
set -euo pipefail
umask 077
source "$(dirname "${BASH_SOURCE[0]}")/lib.sh"

(($# == 1)) || die "usage: scripts/compose/backup.sh FOLDER"
folder=$1
[[ -e $folder ]] && die "$folder is there already; name a new folder"
partial=$folder.partial
rm -rf "$partial"
mkdir -p "$partial"

redis() { compose exec -T redis redis-cli "$@" | tr -d '\r'; }
[[ $(redis ping) == PONG ]] || die "Redis does not answer; start it: $COMPOSE up -d"
[[ $(redis config get appendonly | tail -n 1) == yes ]] || die "Redis keeps no append-only file; nothing to copy"

# While its files are copied, Redis must not replace them.
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
tail -n 5 "$partial/history.sql" | grep -q 'PostgreSQL database dump complete' || die "the history is not whole"
tar -tf "$partial/redis.tar" >/dev/null || die "the copy of Redis is not whole"

sessions=$(count_sessions)
printf '%s\n' "$sessions" >"$partial/sessions"
mv "$partial" "$folder"
say "saved in $folder: $sessions sessions, $(du -sh "$folder" | cut -f1). Keep .env and secrets/ with it: they are not in it."
