#!/bin/sh
# Starts SearXNG with settings.yml of this folder and a secret that is made at the first start.
set -eu
umask 077

folder=/etc/searxng
if [ ! -s "$folder/secret" ]; then
    # In two steps, so that a start that is cut short leaves none, or a whole one.
    head -c 32 /dev/urandom | od -An -v -tx1 | tr -d ' \n' > "$folder/secret.new"
    mv "$folder/secret.new" "$folder/secret"
fi
# Copied each time, so that a change of it counts; SearXNG's own start rewrites the copy.
cp /deploy/settings.yml "$folder/settings.yml"

SEARXNG_SECRET=$(cat "$folder/secret")
export SEARXNG_SECRET
exec /usr/local/searxng/entrypoint.sh
