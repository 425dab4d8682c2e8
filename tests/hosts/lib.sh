# shellcheck shell=bash
# What the host tests share: a fleet in a git repository, a controller configuration, hosts of the lab, and words to say
# what must hold. A test file sources this, says `begin HOST...`, defines functions `test_...` and ends with `run_tests`.
# The functions run in the order of the file, on the same hosts; each in a shell of its own that ends at the first failure.
# Alone, a file makes a lab of its own; under tests/run all share one (HOLDFAST_LAB).
set -uo pipefail

top=$(cd "$(dirname "${BASH_SOURCE[0]}")/../.." && pwd)
build=${HOLDFAST_BUILD:-$top/build/dev}
suite=$(basename "$0" .sh)
lab=$top/tests/lab/lab

clean_up() {
    local host
    stop_controller
    if [ -n "${own_lab:-}" ]; then
        "$lab" remove
    else
        for host in ${hosts:-}; do "$lab" kill "$host"; done
    fi
    rm -rf "$work"
}

# begin NAME...: boots these hosts, under names that no other test file has, and makes the fleet `production` of them.
begin() {
    local why name
    work=$(mktemp -d "/tmp/holdfast-test-$suite-XXXXXX")
    if ! why=$("$lab" possible); then
        echo "SKIP $suite: $why"
        rm -rf "$work"
        exit 0
    fi
    trap clean_up EXIT
    trap 'exit 130' INT TERM HUP
    holdfast=$(find "$build" -name holdfast -type f -perm -u+x | head -n 1)
    runner=$(find "$build" -name holdfast-host -type f -perm -u+x | head -n 1)
    { [ -n "$holdfast" ] && [ -n "$runner" ]; } || { echo "FAIL $suite: the programs are not built in $build"; exit 1; }
    if [ -z "${HOLDFAST_LAB:-}" ]; then
        HOLDFAST_LAB=$("$lab" create "test-${suite%%-*}" --owner $$) || exit 1
        export HOLDFAST_LAB
        own_lab=1
        "$lab" serve-apt
    fi
    hosts=
    for name in "$@"; do hosts="$hosts $name-${suite%%-*}"; done
    hosts=${hosts# }
    host=${hosts%% *}
    # shellcheck disable=SC2086
    "$lab" up $hosts || { echo "FAIL $suite: the hosts did not boot"; exit 1; }
    for name in $hosts; do "$lab" exec "$name" apt-get update -qq; done
    make_fleet
}

# --- the fleet: the quickstart's application, in one environment that tracks main

make_fleet() {
    fleet=$work/fleet
    git init --quiet --bare --initial-branch=main "$work/remote.git"
    git init --quiet --initial-branch=main "$fleet"
    git -C "$fleet" config user.name "A Tester"
    git -C "$fleet" config user.email tester@example.com
    git -C "$fleet" remote add origin "$work/remote.git"
    cp -r "$top/examples/quickstart/fleet/." "$fleet/"
    rm -r "$fleet/deploy/environments"
    greeter=$fleet/deploy/greeter/greeter.yaml
    write_environment
    write_config
    push "Describe the greeter" > /dev/null
}

# write_environment [MEMBERS]: of all hosts, or those in $fleet_hosts; MEMBERS is added to each ("user: deploy").
# shellcheck disable=SC2120
write_environment() {
    local name
    {
        echo "apiVersion: holdfast.dev/v1"
        echo "kind: Environment"
        echo "metadata: {name: production}"
        echo "spec:"
        echo "  track: {branch: main}"
        echo "  paths: [deploy/greeter]"
        echo "  vars: {site: production, port: 8000}"
        echo "  health: {window: 15s}"
        echo "  hosts:"
        for name in ${fleet_hosts:-$hosts}; do
            echo "    - {name: $name, address: $("$lab" ip "$name"), hostKey: \"$("$lab" hostkey "$name")\"${1:+, $1}}"
        done
    } > "$fleet/deploy/production.yaml"
}

write_config() {
    cat > "$work/holdfast.yaml" <<END
apiVersion: holdfast.dev/v1
kind: Controller
metadata: {name: test}
spec:
  repository: {url: "file://$work/remote.git"}
  poll: 1s
  state: $work/state
  runner: $runner
  ssh: {identity: $("$lab" key), agent: false}
END
}

# push SUBJECT: commits everything and pushes it.
push() {
    git -C "$fleet" add --all
    git -C "$fleet" commit --quiet -m "$1"
    git -C "$fleet" push --quiet --force origin HEAD:main
    echo "pushed $(git -C "$fleet" log -1 --format='%h %s')"
}

head_commit() { git -C "$fleet" rev-parse HEAD; }

# change FILE EXPRESSION: sed that must change something.
change() {
    local before
    before=$(sha256sum "$1")
    sed -i -E "$2" "$1"
    [ "$before" != "$(sha256sum "$1")" ] || fail "the edit '$2' changed nothing in $1"
}

add_manifest() { cat >> "$fleet/deploy/greeter/$1.yaml"; }

# --- the controller

# hf ARGUMENTS...: holdfast in the lab's network. Its output goes to the log and to $work/out, its exit code into $code.
hf() {
    echo "\$ holdfast $*"
    code=0
    "$lab" in "$holdfast" --config "$work/holdfast.yaml" "$@" > "$work/out" 2>&1 || code=$?
    sed 's/^/    /' "$work/out"
    echo "    (exit code $code)"
}

# converge: applies, and it must work.
converge() {
    hf apply production
    expect_code 0
}

start_controller() {
    "$lab" in "$holdfast" --config "$work/holdfast.yaml" run > "$work/controller.log" 2>&1 < /dev/null &
    controller=$!
    echo $controller > "$work/controller.pid"
}

stop_controller() {
    local pid
    [ -s "${work:-/nonexistent}/controller.pid" ] || return 0
    pid=$(cat "$work/controller.pid")
    rm -f "$work/controller.pid"
    kill "$pid" 2>/dev/null || true
    for _ in $(seq 100); do kill -0 "$pid" 2>/dev/null || return 0; sleep 0.1; done
    kill -KILL "$pid" 2>/dev/null || true
}

# plan_ids: the primitives that a plan would change, one a line.
plan_ids() {
    local status=0
    "$lab" in "$holdfast" --config "$work/holdfast.yaml" --output json plan production > "$work/plan.json" || status=$?
    [ $status = 0 ] || [ $status = 2 ] || { cat "$work/plan.json" >&2; return 1; }
    python3 "$top/tests/hosts/plan_ids.py" "$work/plan.json"
}

deployments() { "$lab" in "$holdfast" --config "$work/holdfast.yaml" --output json history | grep -c '"transaction"'; }

# --- the hosts

on() { "$lab" exec "$host" "$@"; }
# shell TEXT: on the host.
shell() { "$lab" exec "$host" sh -c "$1"; }
invocation() { on systemctl show --property=InvocationID --value "${1:-greeter.service}"; }
fetch() { "$lab" in curl --silent --max-time 5 "http://$("$lab" ip "${2:-$host}")$1"; }
# serves COMMIT [HOST]: does the application of that commit answer through nginx, and healthily?
serves() { [[ $(fetch /health "${2:-$host}") == *healthy*"$1"* ]]; }

# --- what must hold

fail() {
    echo "expected otherwise: $*" >&2
    return 1
}
expect_code() { [ "$code" = "$1" ] || fail "exit code $1, not $code"; }
expect_says() { grep -Eq -- "$1" "$work/out" || fail "the output says '$1'"; }
expect_silent() { ! grep -Eq -- "$1" "$work/out" || fail "the output does not say '$1'"; }
expect_equal() { [ "$1" = "$2" ] || fail "${3:-it} is '$2', not '$1'"; }
expect() { "$@" || fail "$*"; }
expect_not() { if "$@"; then fail "not: $*"; fi; }
# eventually SECONDS COMMAND...
eventually() {
    local until=$((SECONDS + $1))
    shift
    until "$@"; do
        [ $SECONDS -lt $until ] || fail "in time: $*" || return 1
        sleep 0.2
    done
}

run_tests() {
    local name title failed=0
    for name in $(grep -oE '^test_[a-z0-9_]+' "$0"); do
        title="$suite: $(echo "${name#test_}" | tr _ ' ')"
        (
            set -eE
            trap 'echo "ended at: $BASH_COMMAND ($(basename "${BASH_SOURCE[0]}"):$LINENO)" >&2' ERR
            me=$BASHPID
            "$name"
        ) > "$work/log" 2>&1
        # shellcheck disable=SC2181
        if [ $? = 0 ]; then
            echo "PASS $title"
        else
            sed 's/^/  | /' "$work/log"
            echo "FAIL $title"
            failed=1
        fi
    done
    exit $failed
}
