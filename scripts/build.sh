#!/usr/bin/env bash
# Builds both binaries with the release profile.
set -euo pipefail
source "$(dirname "${BASH_SOURCE[0]}")/env.sh"

scripts/install.sh run
cargo build --locked --release -p privachat-api -p privachat-worker
say "built: target/release/privachat-api target/release/privachat-worker"
