#!/usr/bin/env bash
# Cuts a stream of events at every event and at CUTS random bytes, and resumes it on another API.
set -euo pipefail
source "$(dirname "${BASH_SOURCE[0]}")/env.sh"

scripts/install.sh test
CUTS=${CUTS:-10000} cargo test --package privachat-tests --locked --test suite -- --nocapture stream_cuts::
