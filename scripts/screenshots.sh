#!/usr/bin/env bash
# Takes the pictures of docs/screenshots anew, in a real browser over a small web.
set -euo pipefail
source "$(dirname "${BASH_SOURCE[0]}")/env.sh"

scripts/install.sh test
cargo test --quiet --locked -p privachat-tests --test heavy -- --ignored browser_figures::screenshots
