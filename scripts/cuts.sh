#!/usr/bin/env bash
# Interrupts an event stream at every event and at random bytes, and resumes it on another API. CUTS sets the
# number of random bytes.
set -euo pipefail
source "$(dirname "${BASH_SOURCE[0]}")/env.sh"

scripts/install.sh test
CUTS=${CUTS:-10000} cargo test --package privachat-tests --locked --test stream_cuts -- --nocapture
