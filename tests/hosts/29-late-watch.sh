#!/bin/bash
# A commit that is healthy at first and not a little later: taken back by itself, for each of the limits of the late watch.
. "$(dirname "$0")/lib.sh"
begin web

# policy LIMITS: of the late watch.
policy() {
    write_environment
    sed -i "s/  health: {window: 15s}/  health: {window: 15s, watch: {$1}}/" "$fleet/deploy/production.yaml"
}

good() { cp "$top/examples/quickstart/fleet/app/server.py" "$fleet/app/server.py"; }

is_fine() { "$lab" in "$holdfast" --config "$work/holdfast.yaml" status production > /dev/null; }
ended() { grep -c 'still healthy: ' "$work/controller.log" || true; }
has_ended_after() { [ "$(ended)" -gt "$1" ]; }
verified() { cat "$work/verified"; }

# settles SUBJECT: pushes what is there, which must be healthy and stay so.
settles() {
    local before
    before=$(ended)
    push "$1"
    eventually 120 has_ended_after "$before"
    expect serves "$(head_commit)"
    eventually 90 is_fine
    head_commit > "$work/verified"
}

audited() { git -C "$work/remote.git" log --format=%s holdfast/audit 2> /dev/null | grep -Ec "$1" || true; }
is_audited() { [ "$(audited "$1")" != 0 ]; }
is_told() {
    hf history production --limit 3
    expect_says "$1"
}

# goes_back SUBJECT REASON: pushes what is there, which is deployed, and taken back because of REASON.
goes_back() {
    push "$1"
    local bad begun
    bad=$(head_commit)
    eventually 120 grep -q "deployed ${bad:0:12}, healthy" "$work/controller.log"
    begun=$SECONDS
    eventually 90 serves "$(verified)"
    echo "the version before serves again $((SECONDS - begun)) s after the commit was healthy"
    eventually 90 grep -Eq "late watch: .*$2" "$work/controller.log"
    eventually 90 is_told "rolled back .*late watch: .*$2"
    hf status production
    expect_code 3
    expect_says 'held'
}

test_a_late_watch_ends_by_itself() {
    policy "for: 4s, every: 1s"
    start_controller
    settles "Watch for four seconds"
    expect grep -Eq 'still healthy: [0-9]+ rounds, no failure' "$work/controller.log"
    hf --output json status production
    expect_says '"late_watches": \[\]'
}

test_a_commit_whose_health_breaks_after_a_while_goes_back() {
    policy "for: 10m, every: 1s"
    change "$fleet/app/server.py" 's/status = "healthy"/import time; status = "healthy" if time.monotonic() - BEGUN < 12 else "out of connections"/'
    change "$fleet/app/server.py" 's/^GREETING/import time; BEGUN = time.monotonic()\nGREETING/'
    goes_back "Leak connections" 'failed 3 times in a row: .*500'
    expect_equal 1 "$(grep -c 'late watch: .* in a row' "$work/controller.log")" "the number of rollbacks"
    eventually 120 git -C "$work/remote.git" rev-parse --verify --quiet "refs/heads/holdfast/revert-$(head_commit | cut -c1-12)"
    eventually 120 is_audited "rolled back on $host to $(verified | cut -c1-12): late watch"
    expect_equal 1 "$(audited "rolled back on $host .*late watch")" "how often the branch tells that it went back"
    expect_equal 1 "$(audited "deployed $(head_commit | cut -c1-12) to $host")" "how often it tells the deployment"
}

test_a_late_watch_survives_the_controller() {
    good
    policy "for: 4s, every: 1s"
    settles "Mend it"
    policy "for: 10m, every: 1s"
    change "$fleet/app/server.py" 's/status = "healthy"/status = "healthy" if not __import__("os").path.exists("\/tmp\/late") else "no cache"/'
    push "Use a cache"
    eventually 120 grep -q "deployed $(head_commit | cut -c1-12), healthy" "$work/controller.log"
    sleep 3
    kill -KILL "$(cat "$work/controller.pid")"
    eventually 120 shell 'p=$(systemctl show -p MainPID --value greeter.service); nsenter -t $p -m touch /tmp/late 2>/dev/null || touch /tmp/late'
    sleep 2
    start_controller
    eventually 120 serves "$(verified)"
    eventually 90 grep -q 'late watch: ' "$work/controller.log"
    shell 'p=$(systemctl show -p MainPID --value greeter.service); nsenter -t $p -m rm -f /tmp/late; rm -f /tmp/late'
    eventually 90 is_told 'rolled back .*late watch'
}

test_slow_answers_go_back() {
    good
    policy "for: 4s, every: 1s"
    settles "Mend it again"
    policy "for: 60s, every: 1s, latency: {percentile: 90, within: 400ms}"
    change "$fleet/app/server.py" 's/status = "healthy"/import time, random; time.sleep(0.8 if random.random() < 0.6 and time.monotonic() - BEGUN > 6 else 0); status = "healthy"/'
    change "$fleet/app/server.py" 's/^GREETING/import time; BEGUN = time.monotonic()\nGREETING/'
    goes_back "Be slow" 'was slow: .* took longer than 400 ms'
}

test_restarts_go_back() {
    good
    policy "for: 4s, every: 1s"
    settles "Mend it once more"
    policy "for: 60s, every: 1s, restarts: 1, failures: 50"
    change "$fleet/app/server.py" 's/^GREETING/import threading; threading.Timer(8, lambda: os._exit(1)).start()\nGREETING/'
    goes_back "Crash now and then" 'restarted by systemd 2 times'
}

test_a_busy_host_goes_back() {
    good
    policy "for: 4s, every: 1s"
    settles "Mend it yet again"
    policy "for: 30s, every: 1s, cpu: 8%"
    change "$fleet/app/server.py" 's/^GREETING/import threading\ndef burn():\n    while True:\n        pass\nthreading.Timer(4, burn).start()\nGREETING/'
    goes_back "Compute all the time" "processors were .* busy"
}

run_tests
