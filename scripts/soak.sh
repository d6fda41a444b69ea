#!/usr/bin/env bash
# Runs the service at half of its capacity and measures memory, connections, open files and Redis keys once a
# second. Fails if the last third is above the first.
#   SOAK_MINUTES=30    the duration
#   SOAK_RATE          searches a second, instead of half of the capacity that a short trial measures
set -euo pipefail
source "$(dirname "${BASH_SOURCE[0]}")/env.sh"

scripts/install.sh run
say "building for release"
cargo build --quiet --locked --release -p privachat-api -p privachat-worker -p privachat-bench
target/release/privachat-bench soak
