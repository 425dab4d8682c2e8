#!/bin/bash
# The daemon: follows the repository by itself, repairs drift, and one bad commit degrades one host.
. "$(dirname "$0")/lib.sh"
begin web1 web2
first=$host second=${hosts##* }

both_serve() { serves "$1" "$first" && serves "$1" "$second"; }
status_says() { hf status > /dev/null; grep -Eq "$1" "$work/out"; }

start_controller

test_it_converges_what_it_finds() { eventually 60 both_serve "$(head_commit)"; }

test_a_pushed_commit_arrives_by_itself() {
    change "$fleet/app/server.py" 's/^GREETING = .*/GREETING = "Good day"/'
    push "Greet politely"
    eventually 60 both_serve "$(head_commit)"
    eventually 30 status_says 'converged'
}

test_drift_is_repaired_by_itself() {
    on chmod 777 /opt/greeter
    eventually 60 shell 'test "$(stat -c %a /opt/greeter)" = 755'
    hf history
    eventually 30 status_says 'converged'
}

test_a_bad_commit_degrades_one_host_and_is_held() {
    local good invocation_before
    good=$(head_commit)
    invocation_before=$("$lab" exec "$second" systemctl show --property=InvocationID --value greeter.service)
    change "$fleet/app/server.py" 's/status = "healthy"/status = "no database"/'
    push "Use a database"
    eventually 90 status_says 'held'
    eventually 30 both_serve "$good"
    expect_equal "$invocation_before" "$("$lab" exec "$second" systemctl show --property=InvocationID --value greeter.service)" \
        "the invocation on the host that was spared"
    expect grep -qi 'rolled back' "$work/controller.log"
}

test_it_is_not_tried_again() {
    local before
    before=$(deployments)
    eventually 30 status_says 'held'
    for _ in 1 2 3 4 5; do sleep 1; done  # five polls
    expect_equal "$before" "$(deployments)" "the number of deployments"
}

test_the_fix_arrives_by_itself() {
    git -C "$fleet" revert --no-edit HEAD > /dev/null
    echo "# fixed" >> "$fleet/app/server.py"
    push "Fix it"
    eventually 60 both_serve "$(head_commit)"
}

test_it_ends_when_told_to() {
    local pid
    pid=$(cat "$work/controller.pid")
    kill -TERM "$pid"
    eventually 30 gone "$pid"
}
gone() { ! kill -0 "$1" 2>/dev/null; }

run_tests
