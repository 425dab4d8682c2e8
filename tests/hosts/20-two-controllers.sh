#!/bin/bash
# Two controllers by mistake: one keeps the host, the other one looks. Stopped in the middle for half a minute, taken over
# after its lease, adopted: no epoch falls, and what one does the other one never touches.
. "$(dirname "$0")/lib.sh"
begin web

change "$fleet/deploy/production.yaml" 's/health: \{window: 15s\}/health: {window: 5s, confirmWithin: 15s}/'
change "$greeter" 's/^  build: .*/  build: [[python3, -m, py_compile, server.py], [python3, wait.py]]/'
cat > "$fleet/app/wait.py" <<'END'
import pathlib, time
while pathlib.Path("/run/wait").exists():
    pathlib.Path("/tmp/waiting").touch()
    time.sleep(0.1)
END
push "Build slowly on demand" > /dev/null

# second ARGUMENTS...: like hf, by the other controller: same settings, a state of its own.
second() { hf --state "$work/second" "$@"; }
journals() { on ls /var/lib/holdfast/transactions | wc -l; }
owner() { shell 'cat /var/lib/holdfast/owner.json'; }
epoch() { shell 'cat /var/lib/holdfast/epoch'; }
says() { grep -Eq "$1" "$2"; }
start_second() {
    "$lab" in "$holdfast" --config "$work/holdfast.yaml" --state "$work/second" run > "$work/second.log" 2>&1 < /dev/null &
    other=$!
    echo "$other" > "$work/second.pid"
}
stop_second() {
    kill "$(cat "$work/second.pid")" 2>/dev/null || true
    eventually 60 second_is_gone
}
second_is_gone() { ! kill -0 "$(cat "$work/second.pid")" 2>/dev/null; }
# What `ip netns exec` became: the process that the lab's program started is holdfast itself.
status_says() { "$1" status > /dev/null; grep -Eq "$2" "$work/out"; }

test_the_first_one_keeps_the_host() {
    converge
    local before
    before=$(journals)
    second apply production
    expect_code 4
    expect_says 'kept by the controller'
    expect_says 'holdfast adopt production --host'
    expect_equal "$before" "$(journals)" "the number of transactions"
    second status
    expect_code 4
    expect_says 'observing'
}

test_one_that_is_stopped_in_the_middle_finds_its_transaction_undone_when_it_wakes() {
    local good epoch_before
    good=$(head_commit)
    epoch_before=$(epoch)
    on touch /run/wait
    echo "# slow" >> "$fleet/app/server.py"
    push "Build a slow release"
    "$lab" in "$holdfast" --config "$work/holdfast.yaml" apply production > "$work/background" 2>&1 &
    local first=$!
    eventually 60 on test -e /tmp/waiting
    kill -STOP "$first"
    start_second
    on rm /run/wait
    eventually 20 says 'watching' "$work/second.log"  # that it observes was said by its apply before
    sleep 28
    second status
    expect_says 'observing'
    expect serves "$good"  # the dead-man's 15 s are over
    expect_not says 'rolling back|applying' "$work/second.log"
    kill -CONT "$first"
    local code=0
    wait "$first" || code=$?
    cat "$work/background"
    expect_equal 3 "$code" "the exit code of the one that was stopped"
    hf status
    expect_says 'held'
    [ "$(epoch)" -ge "$epoch_before" ] || fail "epochs never fall"
    stop_second
}

test_one_that_is_silent_is_taken_over_and_what_it_held_stays_held() {
    local good
    good=$(on readlink /opt/greeter/current || true)
    shell 'sed -i "s/\"at_ms\":[0-9]*/\"at_ms\":0/" /var/lib/holdfast/owner.seen'  # a minute ago and more
    second apply production
    expect_says 'taking the host over'
    expect_code 3
    expect_says 'held'
    expect_equal "$good" "$(on readlink /opt/greeter/current || true)" "the release in use"
    hf apply production
    expect_code 3
    expect_says 'observing: kept by the controller'
    expect_says 'held: it was not confirmed in time'
}

test_adopting_does_not_wait() {
    hf adopt production
    expect_code 0
    expect_says 'taken over from'
    git -C "$fleet" revert --no-edit HEAD > /dev/null
    echo "# good" >> "$fleet/app/server.py"
    push "Take it back"
    converge
    expect serves "$(head_commit)"
    second apply production
    expect_code 4
}

test_no_epoch_ever_fell() {
    shell 'cd /var/lib/holdfast/transactions && for t in $(ls -tr); do grep -oE "\"epoch\":[0-9]+" $t/request.json; done' |
        cut -d: -f2 > "$work/epochs"
    cat "$work/epochs"
    expect sort -nc "$work/epochs"
}

run_tests
