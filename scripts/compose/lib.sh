# shellcheck shell=bash
# Shared by the scripts for docker compose: scripts/env.sh, and the compose program. Sourced, never run. Needs
# no Rust.

source "$(dirname "${BASH_SOURCE[0]}")/../env.sh"

# COMPOSE="docker-compose" chooses the older program.
if [[ -z ${COMPOSE:-} ]]; then
    if docker compose version >/dev/null 2>&1; then
        COMPOSE="docker compose"
    elif command -v docker-compose >/dev/null; then
        COMPOSE="docker-compose"
    else
        die "neither 'docker compose' nor 'docker-compose' is installed; install docker.io and docker-compose"
    fi
fi
read -ra compose_words <<<"$COMPOSE"
compose() { "${compose_words[@]}" "$@"; }

# The number of searches in the history.
count_sessions() {
    compose exec -T postgres psql -U privachat -d privachat -Atc 'SELECT count(*) FROM sessions' | tr -d '\r'
}
