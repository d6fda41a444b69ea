#!/usr/bin/env bash
# Checks the titles of commits: at most 72 characters, an upper-case imperative, no full stop.
#   scripts/titles.sh [range]        the commits that the upstream branch does not have, by default
set -euo pipefail
source "$(dirname "${BASH_SOURCE[0]}")/env.sh"

default='@{upstream}..HEAD'
range=${1:-$default}
bad=$(git log --no-merges --format='%h %s' "$range" |
    awk '{ title = substr($0, length($1) + 2) }
         length(title) > 72 || title !~ /^[A-Z]/ || title ~ /\.$/ { print }')
[[ -z $bad ]] || die "mend these titles (at most 72 characters, imperative, no full stop):"$'\n'"$bad"
