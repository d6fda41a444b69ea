#!/usr/bin/env bash
# Builds the images and tests the whole deployment by docker compose, as an operator uses it: searches, streams,
# scales, kills a worker, stops Redis, upgrades behind the proxy and without it, backs up, restores. Needs a Docker
# engine, and root for the stand-ins of images that cannot be pulled. Leaves only the images behind.
#   scripts/compose/test.sh             all of it
#   KEEP=1 scripts/compose/test.sh      leaves the deployment running
set -euo pipefail
source "$(dirname "${BASH_SOURCE[0]}")/lib.sh"
scratch=$(mktemp -d)
export API_PORT=${API_PORT:-18001}
source scripts/compose/steps.sh

docker info >/dev/null 2>&1 || die "no Docker engine answers; as root: apt-get install docker.io && systemctl start docker"
for program in curl python3 debootstrap; do
    command -v "$program" >/dev/null || die "$program is missing: apt-get install $program"
done
scripts/compose/stand-ins.sh

# A separate deployment from a separate clone, so that a real one is not touched. Mounted folders are readable by their
# owner alone, as after a clone under umask 077.
project=privachat-test-$$
git clone --quiet --no-hardlinks . "$scratch/checkout"
cd "$scratch/checkout"
chmod -R go-rwx docs secrets deploy/prometheus deploy/grafana
export COMPOSE_PROJECT_NAME=$project
tidy() {
    local status=$?
    if ((status != 0)); then
        compose --profile proxy ps || true
        compose --profile proxy logs --no-color --tail 40 api worker proxy searxng postgres >&2 || true
    fi
    [[ -n ${KEEP:-} ]] && exit "$status"
    compose --profile proxy down --volumes --remove-orphans --timeout 5 >/dev/null 2>&1 || true
    rm -rf "$scratch"
    exit "$status"
}
trap tidy EXIT

step "build"
build_images first
step "start with nothing set"
start_with_nothing_set
step "settings: a secret in a file, an unused setting, a mistyped folder"
try_settings
step "a model and a proxy on this machine"
model_on_the_host
proxy_on_the_host
step "search: synchronous, in the background, as a stream"
ask_all_ways
step "four workers: up keeps their number, one is killed during a search"
four_workers
step "Redis stops and comes back"
redis_away
step "upgrade without a proxy"
upgrade_without_proxy second
step "upgrade behind the proxy"
upgrade_behind_proxy third
step "back up, lose everything, restore"
back_up_and_restore
step "stop: running searches are finished or released"
drain
say
say "compose-test: all of it works ($COMPOSE, $(compose version --short 2>/dev/null || compose --version))"
report
