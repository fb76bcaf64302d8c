# shellcheck shell=bash disable=SC2034
# Shared by deploy/demo, tests/run, tests/bench/run and the server scripts beside this file: where things are, how progress
# and failures are told, and how what was started is stopped.
set -euo pipefail

BOOKING_ROOT=$(cd "$(dirname "${BASH_SOURCE[0]}")/../.." && pwd)
BOOKING_LIB=$BOOKING_ROOT/deploy/lib
BOOKING_CACHE=${BOOKING_CACHE:-$BOOKING_ROOT/.cache}
# The system's Python, whatever other ones are first in PATH: it is the one that apt completes.
SYSTEM_PYTHON=/usr/bin/python3
PYTHON=$BOOKING_CACHE/venv/bin/python

# One line of progress with the seconds since the start. Progress goes to stderr: stdout belongs to the result.
step() {
    printf '[%3d s] %s\n' "$SECONDS" "$*" >&2
}

# The reason, then the end. What the caller's trap stops is stopped.
fail() {
    printf '%s: %s\n' "${0##*/}" "$*" >&2
    exit 1
}

# A port that nobody listens on, and that was given out to nobody else.
free_port() {
    "$SYSTEM_PYTHON" "$BOOKING_LIB/ports.py"
}

# await SECONDS WHAT COMMAND…: until the command succeeds; polls ten times a second, and gives up with WHAT.
await() {
    local limit=$((SECONDS + $1)) what=$2
    shift 2
    until "$@"; do
        ((SECONDS < limit)) || { printf 'gave up waiting for %s\n' "$what" >&2; return 1; }
        sleep 0.1
    done
}

listens_on() {
    (exec 3<>"/dev/tcp/127.0.0.1/$1") 2>/dev/null
}

is_running() {
    kill -0 "$1" 2>/dev/null
}

# A temporary directory that other users (Postgres' own) may pass through.
make_temporary_directory() {
    local directory
    directory=$(mktemp -d "${TMPDIR:-/tmp}/booking-$1.XXXXXX")
    chmod 755 "$directory"
    printf '%s\n' "$directory"
}

# Runs a command and keeps its output in a file; shows the file's end when the command fails.
logged() {
    local log=$1
    shift
    mkdir -p "$(dirname "$log")"
    "$@" >"$log" 2>&1 || {
        tail -n 40 "$log" >&2
        fail "this failed (all of its output is in $log): $*"
    }
}
