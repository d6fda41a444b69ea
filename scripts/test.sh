#!/usr/bin/env bash
# Installs what the tests need and runs all of them.
set -euo pipefail
source "$(dirname "${BASH_SOURCE[0]}")/env.sh"

scripts/install.sh test
cargo test --workspace --locked --no-fail-fast
