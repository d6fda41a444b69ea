#!/usr/bin/env bash
# Runs every row of the crash table many times with the lease of a deployment, and prints how long
# the recoveries took. Fails when the slowest exceeds its row's bound.
#   RECOVERY_ROUNDS=20 RECOVERY_LEASE=15 RECOVERY_AT_ONCE=6 RECOVERY_ROWS=part-of-a-name scripts/recovery.sh
set -euo pipefail
source "$(dirname "${BASH_SOURCE[0]}")/env.sh"

scripts/install.sh test
cargo test --locked -p privachat-tests --test heavy -- --ignored --nocapture recovery_table::
