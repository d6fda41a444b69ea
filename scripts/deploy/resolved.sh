#!/usr/bin/env bash
# Checks how compose resolves docker-compose.yml with the settings of an .env.
#   scripts/deploy/resolved.sh SCRATCH-FOLDER
set -euo pipefail
source "$(dirname "${BASH_SOURCE[0]}")/../env.sh"

scratch=$1
resolved() { docker-compose --env-file "$scratch/some.env" --profile proxy config; }
has() { grep -qE -- "$1" "$scratch/resolved.yml" || die "docker-compose.yml with an .env: the resolved file lacks $1"; }

cat >"$scratch/some.env" <<'END'
API_KEYS_FILE=/run/secrets/api-keys
LLM_API_KEY_FILE=/run/secrets/llm
REDIS_URL=redis://elsewhere:6379/0
WORKERS=4
API_BIND=192.0.2.1
API_PORT=9001
SECRETS=/srv/secrets
CORPUS=/srv/notes
PRIVACHAT_IMAGES=registry.example.com/team/
PRIVACHAT_VERSION=9.9.9
PRIVACHAT_PROFILE=release
PROXY_DOMAIN=search.example.com
ALLOWED_HOSTS=other.example.com
END
resolved >"$scratch/resolved.yml"
has 'API_KEYS_FILE: /run/secrets/api-keys'
has 'LLM_API_KEY_FILE: /run/secrets/llm'
has 'DOTENV_REDIS_URL: redis://elsewhere:6379/0'
has '^ +REDIS_URL: redis://redis:6379/0'
has 'replicas: 4'
has '192\.0\.2\.1(:9001:8001)?'
has 'source: /srv/secrets'
has 'source: /srv/notes'
has 'image: registry\.example\.com/team/privachat-worker:9\.9\.9'
has 'PROFILE: release'
has '(^ *|\\n)search\.example\.com'
has 'ALLOWED_HOSTS: .*search\.example\.com,other\.example\.com'
say "docker-compose.yml uses the settings of an .env"
