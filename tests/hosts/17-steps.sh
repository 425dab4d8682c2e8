#!/bin/bash
# Whatever a build step or a command does to get away, it is over when its step is: nothing is left running, the old
# release goes on serving, and the runner needs no memory for what is said.
. "$(dirname "$0")/lib.sh"
begin web

test_the_first_apply_converges() {
    change "$greeter" 's/^  build: .*/  build: {steps: [[sh, build.sh], [sh, after.sh]], timeout: 4s}/'
    step true
    echo "! pgrep -fx 'sleep 61003'" > "$fleet/app/after.sh"
    push "Build by a script"
    converge
    expect serves "$(head_commit)"
}

# step TEXT: what the build does.
step() { echo "$1" > "$fleet/app/build.sh"; }

# leaves_nothing NUMBER: no process that sleeps so many seconds, which is how the steps below are known.
leaves_nothing() { expect_not shell "pgrep -fx 'sleep $1'"; }

# fails_and_leaves_nothing NUMBER CAUSE: applies what was pushed, which must fail and change nothing.
fails_and_leaves_nothing() {
    local good=$1 bad
    bad=$(head_commit)
    hf apply production
    expect_code 3
    expect_says "$3"
    leaves_nothing "$2"
    expect serves "$good"
    expect_not on test -e "/opt/greeter/releases/$bad"
    expect_equal "" "$(shell 'ls /sys/fs/cgroup/system.slice /sys/fs/cgroup/unified/system.slice 2>/dev/null | grep holdfast- | grep -v deadman || true')" "what is left of the transaction's unit"
    git -C "$fleet" revert --no-edit HEAD > /dev/null
    push "Take it back" > /dev/null 2>&1 || git -C "$fleet" push --quiet origin HEAD:main
    converge
}

test_a_step_that_hangs_is_ended_at_its_deadline() {
    local good
    good=$(head_commit)
    step "trap '' TERM; sleep 61001 & sleep 61001; sleep 61001"
    push "Wait for ever"
    fails_and_leaves_nothing "$good" 61001 'not done after'
}

test_a_step_that_forks_away_and_hangs_leaves_nothing() {
    local good
    good=$(head_commit)
    step "setsid -f sh -c \"trap '' TERM HUP; (setsid -f sleep 61002 &)\" < /dev/null > /dev/null 2>&1; sleep 61002"
    push "Get away, and wait"
    fails_and_leaves_nothing "$good" 61002 'not done after'
}

test_what_a_step_that_ends_well_leaves_behind_is_dead_before_the_next_step() {
    step "setsid -f sh -c \"trap '' TERM HUP; setsid -f sleep 61003\" < /dev/null > /dev/null 2>&1; exit 0"
    push "Leave something behind"
    converge
    leaves_nothing 61003
    expect serves "$(head_commit)"
}

test_a_command_that_forks_away_leaves_nothing() {
    add_manifest greeter <<'END'
---
apiVersion: holdfast.dev/v1
kind: Command
metadata: {name: getaway}
spec:
  run: [sh, -c, "setsid -f sleep 61004 < /dev/null > /dev/null 2>&1; touch /var/lib/getaway"]
  creates: /var/lib/getaway
  undo: [rm, -f, /var/lib/getaway]
  timeout: 20s
END
    push "Run a command that leaves something behind"
    converge
    expect on test -e /var/lib/getaway
    leaves_nothing 61004
}

test_a_step_that_prints_ten_gigabytes_needs_no_memory() {
    local kilobytes
    change "$greeter" 's/timeout: 4s/timeout: 300s/'
    step "head -c 10G /dev/zero; grep VmHWM /proc/\$PPID/status > memory"
    push "Say a lot"
    converge
    expect serves "$(head_commit)"
    kilobytes=$(shell "tr -dc 0-9 < /opt/greeter/app/memory")
    echo "the runner had $kilobytes KiB at most"
    expect [ "$kilobytes" -lt 65536 ]
    expect [ "$(shell 'du -sk /var/lib/holdfast | cut -f 1')" -lt 65536 ]
}

test_a_step_goes_with_its_runner_when_that_is_killed() {
    local good
    good=$(head_commit)
    step "trap '' TERM HUP; setsid -f sleep 61005 < /dev/null > /dev/null 2>&1; sleep 61005"
    push "Wait for a runner that dies"
    hf_in_background
    eventually 30 shell "pgrep -fx 'sleep 61005'"
    shell 'for unit in $(systemctl list-units --plain --no-legend "holdfast-*.service" | cut -d " " -f 1); do systemctl kill --kill-whom=main --signal=KILL $unit; done'
    eventually 30 leaves_nothing 61005
    wait "$applying" || true
    expect serves "$good"
}

hf_in_background() {
    "$lab" in "$holdfast" --config "$work/holdfast.yaml" apply production > "$work/background" 2>&1 < /dev/null &
    applying=$!
}

run_tests
