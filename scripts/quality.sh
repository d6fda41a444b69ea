#!/usr/bin/env bash
# Measures the quality of the answers over tests/quality and writes the figures into docs/QUALITY.md.
#   QUALITY_SHOW=1          print every mistake, write nothing
#   QUALITY_WORKER=binary   measure another worker, write nothing
#   LLM_BASE_URL, LLM_MODEL, LLM_API_KEY   measure that model too
set -euo pipefail
source "$(dirname "${BASH_SOURCE[0]}")/env.sh"

scripts/install.sh test
if [[ -z ${QUALITY_SHOW-} && -z ${QUALITY_WORKER-} ]]; then
    export QUALITY_WRITE=1
fi
cargo test --quiet --locked -p privachat-tests --test heavy -- --ignored --nocapture quality::
