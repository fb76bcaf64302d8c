# shellcheck shell=bash
# A server as a process of its own, known by the file DIR/pid. Sourced after common.sh.

# process_start DIR LOG COMMAND…: a session of its own, so that an interrupt at the terminal reaches the script, and the
# script stops the server in order.
process_start() {
    local directory=$1 log=$2
    shift 2
    # shellcheck disable=SC2016  # the inner shell expands it: its own process id, which exec keeps
    setsid "$BASH" -c 'echo $$ >"$1"; shift; exec "$@"' - "$directory/pid" "$@" </dev/null >>"$log" 2>&1 &
}

# For await: fails while the server is not there yet; ends the script when its process has ended.
process_or_fail() {
    local directory=$1 log=$2
    if [[ -s $directory/pid ]] && ! is_running "$(<"$directory/pid")"; then
        tail -n 20 "$log" >&2
        fail "this server ended right after its start (its output: $log)"
    fi
    [[ -s $directory/pid ]]
}

process_is_gone() {
    ! is_running "$1"
}

# process_stop DIR SIGNAL: and waits until it is gone, its ports too; SIGKILL after a minute.
process_stop() {
    local process
    process=$(cat "$1/pid" 2>/dev/null) || return 0
    kill "-$2" "$process" 2>/dev/null || true
    await 60 "the end of process $process" process_is_gone "$process" || {
        kill -KILL "$process" 2>/dev/null || true
        await 60 "the end of process $process" process_is_gone "$process"
    }
    rm -f "$1/pid"
}
