# shellcheck shell=bash
# Starts, watches and stops the processes of run.sh. Sourced by it, never run.

declare -A pids=()
order=()

# The environment wins over .env. Lines are taken literally: nothing in the file is executed.
load_dotenv() {
    [[ -f .env ]] || return 0
    local line name value
    while IFS= read -r line || [[ -n $line ]]; do
        line=${line%$'\r'}
        [[ $line =~ ^[[:space:]]*(export[[:space:]]+)?([A-Za-z_][A-Za-z0-9_]*)=(.*)$ ]] || continue
        name=${BASH_REMATCH[2]} value=${BASH_REMATCH[3]}
        if [[ $value =~ ^\"(.*)\"[[:space:]]*$ || $value =~ ^\'(.*)\'[[:space:]]*$ ]]; then
            value=${BASH_REMATCH[1]}
        fi
        [[ -n ${!name+set} ]] || export "$name=$value"
    done <.env
}

listens() { (exec 3<>"/dev/tcp/$1/$2") 2>/dev/null; }

where_from() { if [[ -s $1 ]]; then printf ' (http://%s)' "$(sed 's|^http://||' "$1")"; fi; }

# Any reply counts, a request for a password too: then the address is right and the password is wrong, which the
# service itself reports better.
redis_answers() {
    local url=$1 reply
    case $url in
        redis+unix://* | unix://*)
            url=${url#*://}
            reply=$(timeout 3 redis-cli -s "${url%%\?*}" ping 2>&1) || true
            ;;
        *+cluster://* | *+sentinel://* | *,*) return 0 ;; # several nodes: one ping says nothing
        *) reply=$(timeout 3 redis-cli -u "$url" ping 2>&1) || true ;;
    esac
    [[ $reply =~ PONG|NOAUTH|WRONGPASS|NOPERM|LOADING ]]
}

free_port() {
    local port=$1
    while listens 127.0.0.1 "$port"; do port=$((port + 1)); done
    printf '%s' "$port"
}

start_redis_unless_given() {
    if [[ -n ${REDIS_URL:-} ]]; then
        if redis_answers "$REDIS_URL"; then
            say "using the Redis at REDIS_URL"
            return
        fi
        say "no Redis answers at REDIS_URL: starting one"
    fi
    local port
    port=$(free_port 6379)
    mkdir -p data/redis
    start redis redis-server --port "$port" --bind 127.0.0.1 --dir "$PWD/data/redis" --save "" \
        --appendonly yes --appendfsync always --maxmemory-policy noeviction
    export REDIS_URL=redis://127.0.0.1:$port/0
    local deadline=$((SECONDS + 30))
    until [[ $(redis-cli -p "$port" ping 2>/dev/null) == PONG ]]; do
        still_alive redis
        ((SECONDS < deadline)) || fail redis "did not answer within 30 s"
        sleep 0.1
    done
}

# start NAME COMMAND...: in a session of its own, so that Ctrl-C reaches only this script, which stops the
# processes in order. If this script is killed, they get SIGTERM.
start() {
    local name=$1
    shift
    setsid setpriv --pdeathsig TERM -- "$@" >"data/logs/$name.log" 2>&1 </dev/null 9>&- &
    pids[$name]=$!
    order=("$name" "${order[@]}")
}

fail() {
    say "$1 $2. The end of data/logs/$1.log:" >&2
    tail -n 20 "data/logs/$1.log" >&2
    exit 1
}

still_alive() { kill -0 "${pids[$1]}" 2>/dev/null || fail "$1" "stopped"; }

wait_until_ready() {
    local deadline=$((SECONDS + 60)) address=""
    while true; do
        still_alive worker
        still_alive api
        address=$(cat "$API_ADDR_FILE" 2>/dev/null) || true
        if [[ -n $address ]] && curl -fs -o /dev/null -m 2 "http://${address#http://}/readyz"; then
            break
        fi
        ((SECONDS < deadline)) || fail api "was not ready within 60 s"
        sleep 0.2
    done
}

# Searches wait for the index of the documents by themselves; this tells the user.
wait_for_documents() {
    local deadline=$((SECONDS + 300)) last
    while ((SECONDS < deadline)); do
        last=$(grep -a 'local corpus' data/logs/worker.log | tail -n 1) || true
        [[ $last == *"indexing the local corpus"* ]] || return 0
        if [[ -z ${told:-} ]]; then
            say "reading the documents (progress: data/logs/worker.log) ..."
            local told=yes
        fi
        still_alive worker
        sleep 0.3
    done
}

wait_for_a_death() {
    local dead="" name
    wait -n -p dead "${pids[@]}" || true
    for name in "${order[@]}"; do
        if [[ ${pids[$name]} == "$dead" ]]; then fail "$name" "stopped by itself"; fi
    done
}

# Newest first: the API stops accepting, the worker releases its searches, Redis saves.
stop_all() {
    trap '' INT TERM HUP
    local name deadline
    for name in "${order[@]}"; do
        kill -TERM "${pids[$name]}" 2>/dev/null || continue
        deadline=$((SECONDS + SHUTDOWN_DELAY_SECONDS + DRAIN_SECONDS + 10))
        while kill -0 "${pids[$name]}" 2>/dev/null; do
            if ((SECONDS >= deadline)); then
                say "$name did not stop in time: killed" >&2
                kill -KILL "${pids[$name]}" 2>/dev/null || true
            fi
            sleep 0.05
        done
        wait "${pids[$name]}" 2>/dev/null || true
    done
    rm -f data/run/api.addr
    say "stopped"
}
