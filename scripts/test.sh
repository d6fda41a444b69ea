#!/usr/bin/env bash
# Installs the tests' requirements and runs all tests.
set -euo pipefail
source "$(dirname "${BASH_SOURCE[0]}")/env.sh"

scripts/install.sh test
cargo test --workspace --locked --no-fail-fast
