#!/usr/bin/env bash
# Runs many searches while workers, APIs, Redis and the network between them fail, and checks
# afterwards that each ended once. CHAOS_JOBS is the number of searches, CHAOS_SEED repeats a plan.
set -euo pipefail
source "$(dirname "${BASH_SOURCE[0]}")/env.sh"

scripts/install.sh test
CHAOS_JOBS=${CHAOS_JOBS:-10000} cargo test --package privachat-tests --locked --test heavy -- --nocapture chaos::
