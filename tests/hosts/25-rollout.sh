#!/bin/bash
# A commit on its way through four hosts: waves, all back when it fails, and a fix that waits for nothing.
. "$(dirname "$0")/lib.sh"
begin web1 web2 web3 web4

policy() {
    local window=$1
    shift
    write_environment
    sed -i "s/  health: {window: 15s}/  health: {window: $window}\n  rollout: {$*}/" "$fleet/deploy/production.yaml"
}

# serves_all TEXT: every host's application says so.
serves_all() {
    local name
    for name in $hosts; do [[ $(fetch /health "$name") == *"$1"* ]] || return 1; done
}

is_fine() { "$lab" in "$holdfast" --config "$work/holdfast.yaml" status production > /dev/null; }

break_it() { change "$fleet/app/server.py" 's/status = "healthy"/status = "no database"/'; }
mend_it() { change "$fleet/app/server.py" 's/status = "no database"/status = "healthy"/'; }

test_hosts_take_a_commit_in_waves() {
    policy 15s "wave: 2, pause: 3s, onFailure: rollback-all"
    push "Roll out in waves"
    converge
    good=$(head_commit)
    expect serves_all "$good"
    "$lab" in "$holdfast" --config "$work/holdfast.yaml" --output json status > "$work/status.json"
    expect grep -q '"left": 0' "$work/status.json"
}

test_a_fix_does_not_wait_for_the_health_of_its_predecessor() {
    local begun
    policy 10m "wave: 2, onFailure: rollback-all"
    push "Wait ten minutes for health"
    converge
    start_controller
    break_it
    push "Break it"
    eventually 60 grep -q 'checking health' "$work/controller.log"
    mend_it
    push "Mend it"
    begun=$SECONDS
    eventually 120 serves_all "$(head_commit)"
    echo "the fix was everywhere after $((SECONDS - begun)) s"
    hf history production --limit 20
    expect_says superseded
    eventually 30 is_fine
    stop_controller
}

test_when_one_host_fails_all_go_back() {
    local good
    good=$(head_commit)
    policy 15s "wave: 2, onFailure: rollback-all"
    change "$fleet/app/server.py" 's/status = "healthy"/status = "no database" if __import__("os").uname().nodename.startswith("web4") else "healthy"/'
    push "Break it on the last host"
    hf apply production
    expect_code 3
    expect serves_all "$good"
    hf history production --limit 12
    expect_says 'rollback'
    hf status production
    expect_says 'held'
    hf apply production
    expect_code 3
    expect serves_all "$good"
}

run_tests
