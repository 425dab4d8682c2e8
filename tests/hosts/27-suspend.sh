#!/bin/bash
# Hosts that people took out of holdfast's hands, and what becomes of what they did meanwhile.
. "$(dirname "$0")/lib.sh"
begin web db

other=${hosts##* }

add_manifest extra <<'END'
# what people edit by hand
apiVersion: holdfast.dev/v1
kind: File
metadata: {name: notice}
spec:
  path: /etc/notice
  text: |
    all is well
---
apiVersion: holdfast.dev/v1
kind: File
metadata: {name: limits}
spec: {path: /etc/limits.notice, source: files/limits, mode: "0640"}
---
apiVersion: holdfast.dev/v1
kind: EnvFile
metadata: {name: hidden}
spec: {path: /etc/hidden.env, values: {LEVEL: one}}
END
mkdir -p "$fleet/deploy/greeter/files"
echo "soft 100" > "$fleet/deploy/greeter/files/limits"
push "Add what is edited by hand" > /dev/null

host_state() { hf status production > /dev/null; grep -E "^ *$1 " "$work/out" | awk '{print $2}'; }
notice_of() { "$lab" exec "$1" cat /etc/notice; }

test_the_first_apply_converges() {
    converge
    start_controller
    eventually 20 grep -q '' "$work/controller.log"
}

test_drift_of_a_suspended_host_is_told_and_left() {
    hf suspend production --host "$host" --reason "trying another limit" --for 1h
    expect_code 0
    shell 'echo "by hand" > /etc/notice; echo "soft 200" > /etc/limits.notice; chmod 600 /etc/limits.notice'
    drift_is_told() { hf status production; grep -q 'drift is left as it is: .*file:/etc/notice' "$work/out"; }
    eventually 30 drift_is_told
    expect_code 3
    expect_says "$host +suspended"
    expect_says 'suspended by root since .*: trying another limit; until '
    sleep 4  # several polls of a second
    expect_equal "by hand" "$(notice_of "$host")"
    expect_equal 1 "$(grep -c 'drift is left as it is' "$work/controller.log")" "how often it is told"
}

test_drift_of_another_host_is_put_right() {
    "$lab" exec "$other" sh -c 'echo "by hand" > /etc/notice'
    put_right() { [ "$(notice_of "$other")" = "all is well" ]; }
    eventually 30 put_right
}

test_a_commit_waits_for_the_suspended_host_only() {
    change "$fleet/deploy/greeter/extra.yaml" 's/LEVEL: one/LEVEL: two/'
    push "Raise the level"
    has_level() { "$lab" exec "$1" grep -q two /etc/hidden.env; }
    eventually 60 has_level "$other"
    waits() { hf status production; grep -q "commit $(head_commit | cut -c1-12) waits" "$work/out"; }
    eventually 30 waits
    expect_not has_level "$host"
}

test_what_was_done_by_hand_becomes_a_branch() {
    hf capture "$host"
    expect_code 0
    expect_says 'taken +file:/etc/notice'
    expect_says 'taken +file:/etc/limits.notice'
    git -C "$fleet" fetch --quiet origin
    branch=$(git -C "$fleet" branch -r --list "origin/holdfast/capture/$host-*" --format='%(refname:short)')
    [ -n "$branch" ] || fail "a branch of the capture"
    git -C "$fleet" show "$branch" | sed 's/^/    /'
    git -C "$fleet" log -1 --format=%B "$branch" | grep -q "^Host: $host" || fail "the message names the host"
    expect_equal "soft 200" "$(git -C "$fleet" show "$branch:deploy/greeter/files/limits")"
    git -C "$fleet" show "$branch:deploy/greeter/extra.yaml" | grep -q '^    by hand$' || fail "the text is in the manifest"
    git -C "$fleet" show "$branch:deploy/greeter/extra.yaml" | grep -q '^# what people edit by hand$' || fail "the comment stays"
}

test_merged_it_is_nothing_to_do_on_that_host() {
    git -C "$fleet" merge --quiet -m "Take what was done by hand" \
        "$(git -C "$fleet" branch -r --list "origin/holdfast/capture/$host-*" --format='%(refname:short)')"
    push "nothing" || git -C "$fleet" push --quiet origin HEAD:main
    same_notice() { [ "$(notice_of "$other")" = "by hand" ]; }
    eventually 60 same_notice
    hf resume production --host "$host" < /dev/null
    expect_code 1
    expect_says 'not resumed'
    expect_silent 'etc/notice'
    expect_silent 'etc/limits'
    hf resume production --host "$host" --yes
    expect_code 0
    both_have_it() { hf status production; [ "$code" = 0 ]; }
    eventually 60 both_have_it
    expect_equal "by hand" "$(notice_of "$host")"
    expect_equal 600 "$(on stat -c %a /etc/limits.notice)"
    expect "$lab" exec "$host" grep -q two /etc/hidden.env
}

test_what_never_leaves_the_host_is_not_captured() {
    hf suspend production --reason "looking at a level" --for 10m
    shell 'echo LEVEL=three > /etc/hidden.env'
    hf capture "$host"
    expect_code 1
    expect_says 'left +file:/etc/hidden.env: .*never shown'
    expect_silent three
    hf resume production --yes
    level_is_back() { on grep -q two /etc/hidden.env; }
    eventually 30 level_is_back
}

test_a_suspension_ends_at_its_time() {
    hf suspend production --reason "a moment" --for 5s
    expect_code 0
    shell 'echo "by mistake" > /etc/notice'
    is_back() { [ "$(notice_of "$host")" = "by hand" ]; }
    eventually 40 is_back
    expect grep -q 'its time is over: production is no longer suspended by root' "$work/controller.log"
}

run_tests
