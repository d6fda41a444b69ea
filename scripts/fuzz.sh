#!/usr/bin/env bash
# Looks for rare faults. Runs every property test with many new cases. A case that fails is printed with its
# seed and written under proptest-regressions, from where every later run takes it first: correct the fault,
# commit that file, and add the case as a plain test. Then runs schemathesis with new requests; one that fails
# is printed as a curl command.
#   PROPTEST_CASES=5000        cases of each property
#   PROPTEST_RNG_SEED=number   the cases of an earlier run
#   SCHEMAS_EXAMPLES=200       requests to each operation of the API
#   SCHEMAS_SEED=number        the requests of an earlier run
#   scripts/fuzz.sh [part of a test's name]
set -euo pipefail
export PROPTEST_RNG_SEED=${PROPTEST_RNG_SEED:-$(date +%s%N)}
source "$(dirname "${BASH_SOURCE[0]}")/env.sh"

export PROPTEST_CASES=${PROPTEST_CASES:-5000}
# The number of rejected cases grows with the cases.
export PROPTEST_MAX_GLOBAL_REJECTS=$((PROPTEST_CASES * 10))

export SCHEMAS_SEED=${SCHEMAS_SEED:-$PROPTEST_RNG_SEED}
export SCHEMAS_EXAMPLES=${SCHEMAS_EXAMPLES:-200}

scripts/install.sh test
say "PROPTEST_RNG_SEED=$PROPTEST_RNG_SEED PROPTEST_CASES=$PROPTEST_CASES"
say "SCHEMAS_SEED=$SCHEMAS_SEED SCHEMAS_EXAMPLES=$SCHEMAS_EXAMPLES"
cargo test --quiet --locked --no-fail-fast -p privachat-core -p privachat-worker --lib -- "$@"
# A case of the job engine makes a hundred calls to a real Redis.
PROPTEST_CASES=$((PROPTEST_CASES / 10)) cargo test --quiet --locked -p privachat-tests --test model -- "$@"
cargo test --quiet --locked -p privachat-tests --test schemas -- "$@"
