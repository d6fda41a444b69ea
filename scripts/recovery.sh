#!/usr/bin/env bash
# Plays every failure of the table in docs/RUNBOOK.md many times, with the default lease, and prints the times
# of the recoveries. Fails if the worst exceeds the limit of its row.
#   RECOVERY_ROUNDS=20 RECOVERY_LEASE=15 RECOVERY_AT_ONCE=6 RECOVERY_ROWS=part-of-a-name scripts/recovery.sh
set -euo pipefail
source "$(dirname "${BASH_SOURCE[0]}")/env.sh"

scripts/install.sh test
cargo test --locked -p privachat-tests --test recovery_table -- --ignored --nocapture
