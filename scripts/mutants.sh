#!/usr/bin/env bash
# Removes safeguards of the job engine, one at a time, in a copy of the working tree, and expects
# tests to fail. Fails when no test notices one, or when a safeguard is not at its expected place.
#   scripts/mutants.sh [part of a mutant's name]
set -euo pipefail
source "$(dirname "${BASH_SOURCE[0]}")/env.sh"

only=${1-}
root=$PWD
tree=$root/target/mutants/tree
jobs=crates/core/src/jobs
export CARGO_TARGET_DIR=$root/target/mutants/build
# Without debug information a mutant links faster.
export CARGO_PROFILE_DEV_DEBUG=false

# A mutant: its name, its file, a text that the file contains exactly once, its replacement, and the
# tests that should fail: names of tests of the suite, from the file on, the quickest first.
mutant() {
    local IFS=$'\x1f'
    mutants+=("$*")
}
mutants=()

mutant "finish without the nonce test" $jobs/scripts/finish.lua \
    "known[2] ~= ARGV[1]" "false" state_machine::
mutant "heartbeat without the nonce test" $jobs/scripts/heartbeat.lua \
    " or known[2] ~= ARGV[1]" "" state_machine::
mutant "report without the nonce test" $jobs/scripts/report.lua \
    " or known[2] ~= ARGV[1]" "" state_machine::
mutant "claim without the nonce test" $jobs/scripts/claim.lua \
    "known[2] ~= ARGV[1]" "false" state_machine::
mutant "fail without the nonce test" $jobs/scripts/fail.lua \
    "field('nonce') ~= ARGV[1]" "false" state_machine::
mutant "release without the nonce test" $jobs/scripts/release.lua \
    " or field('nonce') ~= ARGV[1]" "" state_machine::
mutant "fail counts its repeat" $jobs/scripts/fail.lua \
    "field('given_back') == 'fail ' .. ARGV[1]" "false" job_claims::repeated_requests
mutant "release counts its repeat" $jobs/scripts/release.lua \
    "field('given_back') == 'release ' .. ARGV[1]" "false" job_claims::repeated_requests
mutant "report stores a repeat" $jobs/scripts/report.lua \
    "number > told" "true" job_claims::events_that_are_reported_twice
mutant "a claim keeps the count of events" $jobs/scripts/claim.lua \
    "'HDEL', KEYS[2], 'given_back', 'told')" "'HDEL', KEYS[2], 'given_back')" job_claims::events_that_are_reported_twice
mutant "finish ignores a cancel" $jobs/scripts/finish.lua \
    "if known[3] then" "if false then" job_claims::a_search_that_was_cancelled
mutant "claim does not wait until a search is due" $jobs/scripts/claim.lua \
    "not_before > now" "false" job_claims::a_search_cannot_be_claimed_before
mutant "no limit to crashes" $jobs/scripts/inspect.lua \
    "crashes > tonumber(ARGV[1])" "false" state_machine::
mutant "every loss is charged" $jobs/scripts/inspect.lua \
    "  if lost == '' then" "  if true then" lost_workers::searches_that_are_lost_together
mutant "no loss in company is charged" $jobs/scripts/inspect.lua \
    "  if #both == 0 then" "  if false then" lost_workers::a_suspect_lost_again_without
mutant "no limit to losses" $jobs/scripts/inspect.lua \
    " or crashes + losses > tonumber(ARGV[11])" "" lost_workers::a_search_that_is_repeatedly_lost
mutant "a claim does not store its process" $jobs/scripts/claim.lua \
    "'holder', ARGV[1] .. ' ' .. ARGV[6], " "" lost_workers::a_search_in_another_process
mutant "searches that were taken over are forgotten" $jobs/scripts/record_lost.lua \
    "redis.call('SADD', KEYS[1], is_full and '+' or ARGV[i])" "" lost_workers::searches_with_later_leases
mutant "a suspect is claimed beside any number of searches" $jobs/scripts/claim.lua \
    "losses > tonumber(ARGV[7])" "false" lost_workers::a_suspect_is_claimed_only
mutant "a worker makes no room for a suspect" crates/worker/src/daemon/concurrency.rs \
    "1 => all.div_ceil(MAX_CONCURRENT_SUSPECTS)," "_ => 1," poison_search::twenty_searches_in_one_worker
mutant "a wrong type is an outage" $jobs/error.rs \
    "return Self::Damaged(error);" "return Self::Unavailable(error);" damaged_keys::one_damaged_key
mutant "keys of a wrong type are not removed" $jobs/scripts/set_aside.lua \
    "is ~= 'none' and is ~= should_be" "false" damaged_keys::one_damaged_key
mutant "entries that are not ids stay in their indexes" $jobs/ids.rs \
    "self.query_in::<u64>(KeyGroup::Queues, &command).await?;" "" damaged_keys::entries_that_are_not_ids
mutant "heartbeat does not extend the lease" $jobs/scripts/heartbeat.lua \
    "redis.call('HSET', KEYS[2], 'lease', now_ms() + ARGV[2])" "" recovery_network::a_slow_network
mutant "accept stores no pending entry" $jobs/scripts/enqueue.lua \
    "redis.call('ZADD', pending, unpack(numbers))" "" recovery_network::a_popped_queue_entry
mutant "submissions wait for one attempt after another" $jobs/batch.rs \
    "CancelPolicy::DropWithCaller if is_away => caller.pending.take_all()," "" batched_submit::when_redis_is_silent
mutant "an abandoned submission is made" $jobs/batch.rs \
    "if waits == CancelPolicy::DropWithCaller {" "if false {" batched_submit::a_submission_dropped
mutant "no outage grace" $jobs/outage_grace.rs \
    "until = Some(Instant::now() + self.lease);" "until = None;" \
    recovery_redis::after_a_restart_of_redis_running
mutant "the client's response timeout on a blocking connection" crates/core/src/connection/node.rs \
    "
            .set_response_timeout(None)" "" idle_worker::an_idle_worker_waits
mutant "no watchdog over the pop" $jobs/dequeue.rs \
    "BLOCK_TIMEOUT + WATCHDOG_MARGIN," "BLOCK_TIMEOUT * 1000 + WATCHDOG_MARGIN," idle_worker::an_unanswered_wait
mutant "a cancel sends no message" $jobs/scripts/cancel.lua \
    "redis.call('PUBLISH', ARGV[4], ARGV[5])" "" cancellation::a_cancelled_search

copy() {
    rm -rf "$tree"
    mkdir -p "$tree"
    # Tracked and new files: no build, no data.
    git ls-files --cached --others --exclude-standard --deduplicate |
        while IFS= read -r file; do [[ ! -f $file ]] || printf '%s\n' "$file"; done |
        tar --create --files-from=- | tar --extract --directory="$tree"
    # Dependencies are the same there: link them instead of building them.
    if [[ ! -d $CARGO_TARGET_DIR/debug && -d target/debug ]]; then
        mkdir -p "$CARGO_TARGET_DIR/debug"
        cp -al target/debug/{deps,build,.fingerprint} "$CARGO_TARGET_DIR/debug/"
    fi
}

# Replaces $2 by $3 in file $1, which must contain it exactly once.
replace() {
    local text rest
    text=$(<"$1")
    rest=${text//"$2"/}
    ((${#text} - ${#rest} == ${#2})) ||
        die "$1 no longer contains this exactly once; update scripts/mutants.sh: $2"
    printf '%s\n' "${text/"$2"/"$3"}" >"$1"
}

# Prints the test that failed, or nothing when all passed.
noticed() {
    local by check log=$root/target/mutants/last.log
    if ! cargo test --quiet --locked -p privachat-tests --test suite --no-run >"$log" 2>&1; then
        tail -n 30 "$log" >&2
        die "the mutant does not compile"
    fi
    for check in "$@"; do
        if ! cargo test --locked -p privachat-tests --test suite -- "$check" >"$log" 2>&1; then
            # From the list at the end: other lines may contain output of a failed test.
            by=$(sed -n '/^failures:$/,$s/^    \([a-z0-9_:]*\)$/\1/p' "$log" | tail -n 1)
            printf '%s\n' "${by:-$check}"
            return
        fi
        grep -q '^test result: ok. [1-9]' "$log" || die "no test matches ${check}"
    done
}

scripts/install.sh test
copy
cd "$tree"
checks=()
for fields in "${mutants[@]}"; do
    IFS=$'\x1f' read -r -d '' -a part < <(printf '%s\x1f\0' "$fields") || true
    [[ ${part[0]} == *"$only"* ]] || continue
    checks+=("${part[@]:4}")
    # The build of the last run may contain a mutant of this file.
    touch "${part[1]}"
done
((${#checks[@]})) || die "no mutant has this in its name: $only"
mapfile -t checks < <(printf '%s\n' "${checks[@]}" | sort -u)
by=$(noticed "${checks[@]}")
[[ -z $by ]] || die "fails without a mutant: $by"
say "all tests pass without a mutant, after $SECONDS s"

survivors=0
printf '%-58s %5s  %s\n' mutant s "noticed by"
for fields in "${mutants[@]}"; do
    IFS=$'\x1f' read -r -d '' -a part < <(printf '%s\x1f\0' "$fields") || true
    [[ ${part[0]} == *"$only"* ]] || continue
    begun=$SECONDS
    cp "${part[1]}" ../original
    replace "${part[1]}" "${part[2]}" "${part[3]}"
    by=$(noticed "${part[@]:4}")
    # With a new time stamp, so that cargo notices the change.
    cat ../original >"${part[1]}"
    [[ -n $by ]] || survivors=$((survivors + 1))
    printf '%-58s %5d  %s\n' "${part[0]}" $((SECONDS - begun)) "${by:-NO TEST: IT SURVIVES}"
done
say "all of them after $SECONDS s"
((survivors == 0)) || die "$survivors mutants survive"
