#!/bin/bash
# Approvals on booted hosts: what moved there, and who was out of reach.
. "$(dirname "$0")/lib.sh"
begin one two
first=${hosts%% *}
second=${hosts##* }
ssh-keygen -q -t ed25519 -N "" -C ada -f "$work/ada"
cat >> "$fleet/deploy/production.yaml" <<END
  approval:
    approvers: [{name: Ada, ssh: "$(cat "$work/ada.pub")"}]
END
push "Ask for approval" > "$work/pushed"
approve() { hf approve production --reason "$1" --key "$work/ada"; }

test_what_was_approved_goes_out_to_all() {
    hf apply production
    expect_code 3
    approve "the first"
    expect_code 0
    converge
    expect serves "$(head_commit)" "$first"
    expect serves "$(head_commit)" "$second"
}

# say TEXT: another desired state, pushed.
say() {
    cat > "$fleet/deploy/greeter/motd.yaml" <<END
apiVersion: holdfast.dev/v1
kind: File
metadata: {name: motd}
spec: {path: /etc/motd, text: "$1\n"}
END
    push "Say $1"
}
# The plan that an approval binds, by its number.
plan_of() { git -C "$work/remote.git" cat-file tag "holdfast/approve/production/$1" | grep '^Plan: '; }

test_nothing_moves_between_two_looks() {
    say here
    approve "a look"
    sleep 2
    approve "another look"
    expect_equal "$(plan_of 2)" "$(plan_of 3)" "the plan"
    converge
}

test_drift_after_the_approval_asks_again() {
    say there
    approve "before somebody edits"
    "$lab" exec "$second" sh -c 'echo "EDITED=1" >> /opt/greeter/env'
    hf apply production
    expect_code 3
    expect_says "waits: approved by Ada for another plan .*$second differs now by file:/opt/greeter/env"
    eventually 60 applied
    "$lab" exec "$second" sh -c '! grep -q EDITED /opt/greeter/env'
}

test_who_was_suspended_takes_it_by_the_same_approval() {
    hf suspend production --host "$second" --reason "a new disk" --for 1h
    say anywhere
    approve "for both"
    expect_code 0
    hf apply production
    expect serves "$(head_commit)" "$first"
    hf apply production
    expect_not serves "$(head_commit)" "$second"
    hf resume production --host "$second" --yes
    expect_code 0
    converge
    expect serves "$(head_commit)" "$second"
}

test_who_was_out_of_reach_waits_for_an_approval_of_its_own() {
    say nowhere
    "$lab" cut "$second"
    approve "for the one that answers"
    expect_code 0
    expect_says "$second was out of reach"
    hf apply production
    expect_code 3
    expect serves "$(head_commit)" "$first"
    "$lab" join "$second"
    eventually 90 waits_for_its_own
    approve "for the other"
    expect_code 0
    eventually 90 applied
}
waits_for_its_own() {
    hf apply production
    hf status
    grep -Eq "$second .*out of reach when it was given; approve again" "$work/out"
}
applied() { hf apply production; [ "$code" = 0 ]; }
run_tests
