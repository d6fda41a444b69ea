#!/usr/bin/env bash
# Renews the screenshots in docs/screenshots, in a real browser with a small web.
set -euo pipefail
source "$(dirname "${BASH_SOURCE[0]}")/env.sh"

scripts/install.sh test
cargo test --quiet --locked -p privachat-tests --test heavy -- --ignored browser_figures::screenshots
