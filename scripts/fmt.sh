#!/usr/bin/env bash
# Formats the code.
set -euo pipefail
source "$(dirname "${BASH_SOURCE[0]}")/env.sh"

cargo fmt --all
