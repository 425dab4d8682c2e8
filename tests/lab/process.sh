# shellcheck shell=bash
# Processes by id and start time, so that an id that was given anew is never taken for ours.

random_hex() { od -An -N"$1" -tx1 /dev/urandom | tr -d ' \n'; }

# Field 22 of /proc/PID/stat; the second field, the name, may hold spaces and parentheses.
process_started() {
    local line
    line=$(cat "/proc/$1/stat" 2>/dev/null) || return 1
    line=${line##*) }
    # shellcheck disable=SC2086
    set -- $line
    [ "$1" != Z ] || return 1
    echo "${20}"
}

process_mark() {
    local started
    started=$(process_started "$1") || return 1
    echo "$1 $started"
}

# process_alive FILE: does the process that the file marks still run?
process_alive() {
    local pid started
    [ -s "$1" ] && read -r pid started < "$1" && [ "$(process_started "$pid")" = "$started" ]
}

process_id() { cut -d' ' -f1 "$1"; }

# process_await_end FILE TENTHS: true once it has ended.
process_await_end() {
    local n=0
    while process_alive "$1"; do
        n=$((n + 1))
        [ "$n" -le "$2" ] || return 1
        sleep 0.1
    done
}

# process_kill FILE SIGNAL: no effect on a process that is not the marked one.
process_kill() {
    if process_alive "$1"; then kill -s "$2" "$(process_id "$1")" 2>/dev/null || true; fi
}
