#!/usr/bin/env bash
# Keeps the service at half of what it can bear and looks once a second at memory, connections, open
# files and Redis keys. Fails when the last third is above the first.
#   SOAK_MINUTES=30    how long
#   SOAK_RATE          searches a second, instead of half of what a short trial has shown
set -euo pipefail
source "$(dirname "${BASH_SOURCE[0]}")/env.sh"

scripts/install.sh run
say "building for release"
cargo build --quiet --locked --release -p privachat-api -p privachat-worker -p privachat-bench
target/release/privachat-bench soak
