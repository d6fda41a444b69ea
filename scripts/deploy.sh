#!/usr/bin/env bash
# Checks what is in deploy/ as far as it can be without a container engine or a cluster. What the files
# promise to each other and to the code is in tests/tests/suite/repository.
set -euo pipefail
source "$(dirname "${BASH_SOURCE[0]}")/env.sh"

tools=target/tools/bin
scratch=$(mktemp -d)
trap 'rm -rf "$scratch"' EXIT

# Without the project's .env, so that the result does not depend on this machine's settings.
: >"$scratch/no.env"
docker-compose --env-file "$scratch/no.env" config --quiet
docker-compose --env-file "$scratch/no.env" --profile proxy --profile observability config --quiet
scripts/deploy/resolved.sh "$scratch"
"$tools/python" scripts/deploy/compose.py
"$tools/python" scripts/deploy/compose_faults.py
"$tools/check-jsonschema" --builtin-schema vendor.compose-spec docker-compose.yml
"$tools/check-jsonschema" --builtin-schema vendor.github-workflows .github/workflows/*.yml

"$tools/hadolint" deploy/Dockerfile
# The layer of dependencies: cargo must accept the workspace with empty sources.
cp --parents Cargo.toml Cargo.lock crates/*/Cargo.toml tests/Cargo.toml tests/bench/Cargo.toml deploy/empty-sources.sh "$scratch"
(cd "$scratch" && deploy/empty-sources.sh && cargo fetch --quiet --locked)

promtool check config deploy/prometheus/prometheus.yml
promtool test rules deploy/prometheus/alerts_test.yml
"$tools/python" scripts/deploy/queries.py >"$scratch/queries.yml"
promtool check rules "$scratch/queries.yml"

"$tools/python" scripts/deploy/manifests.py
"$tools/python" scripts/deploy/chart.py
