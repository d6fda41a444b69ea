#!/usr/bin/env bash
# Makes the pictures of docs/screenshots again, in a real browser, with answers from local test pages.
set -euo pipefail
source "$(dirname "${BASH_SOURCE[0]}")/env.sh"

scripts/install.sh test
cargo test --quiet --locked -p privachat-tests --test browser_figures screenshots -- --ignored
