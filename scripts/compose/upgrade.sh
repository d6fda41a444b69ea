#!/usr/bin/env bash
# Replaces the containers of a deployment by those of the present images, one service after the other.
#   git pull
#   PRIVACHAT_REVISION=$(git rev-parse --short=12 HEAD) docker compose build    # or: docker compose pull
#   scripts/compose/upgrade.sh
# With the profile proxy no request is refused: `docker compose up` alone stops both APIs before it starts either.
set -euo pipefail
source "$(dirname "${BASH_SOURCE[0]}")/lib.sh"

# The longest time in which an API stops, starts and becomes ready.
ready_timeout=180

is_healthy() { [[ $(docker inspect -f '{{.State.Health.Status}}' "$(compose ps -q "$1")") == healthy ]]; }

replace() {
    local until=$((SECONDS + ready_timeout))
    say "replacing $1"
    compose --profile proxy up -d --no-deps "$1"
    until is_healthy "$1"; do
        ((SECONDS < until)) || die "$1 does not become healthy; the others were not changed: $COMPOSE logs $1"
        sleep 1
    done
}

running=$(compose ps --services --filter status=running)
runs() { grep -qx "$1" <<<"$running"; }
runs api || die "no API runs here; start the deployment: $COMPOSE up -d"

replace api
if runs api2; then replace api2; fi
say "replacing the workers: running searches are finished or released"
compose up -d --no-deps worker
# Other services that the new files change. Compose keeps the proxy if its own configuration is unchanged.
for service in redis postgres searxng proxy; do
    if runs "$service"; then compose --profile proxy up -d --no-deps "$service"; fi
done
say "upgraded: $(compose exec -T api privachat-api --version | tr -d '\r')"
