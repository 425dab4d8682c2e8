#!/bin/bash
# After an automatic rollback a branch with the revert waits to be merged: once per commit, also where the remote was away.
. "$(dirname "$0")/lib.sh"
begin web

branches() { git -C "$work/remote.git" branch --list --format='%(refname:short)' 'holdfast/revert-*'; }
branch_of() { echo "holdfast/revert-${1:0:12}"; }
there() { branches | grep -Fqx "$1"; }
held() { hf status > /dev/null; [ "$code" = 3 ]; }

test_the_controller_pushes_a_revert_of_what_was_rolled_back() {
    converge
    good=$(head_commit)
    start_controller
    change "$fleet/app/server.py" 's/status = "healthy"/status = "no database"/'
    push "Use a database"
    bad=$(head_commit)
    echo "$bad" > "$work/bad"
    eventually 120 there "$(branch_of "$bad")"
    expect_equal "$bad" "$(git -C "$work/remote.git" rev-parse "$(branch_of "$bad")^")" "the parent of the revert"
    git -C "$work/remote.git" log -1 --format=%B "$(branch_of "$bad")" | tee "$work/out"
    expect_says "This reverts commit $bad"
    expect_says 'host web-30 of environment production'
    expect_says '500'
    expect_says 'greeter.service \|'
    expect_says "^Rolled-back-to: $good"
    expect serves "$good"
}

test_the_revert_is_ready_to_merge() {
    bad=$(cat "$work/bad")
    git -C "$fleet" fetch --quiet origin
    git -C "$fleet" merge --quiet --ff-only "origin/$(branch_of "$bad")"
    git -C "$fleet" push --quiet origin HEAD:main
    eventually 60 serves "$(head_commit)"
    expect_equal "$(branch_of "$bad")" "$(branches)" "the branches"
}

test_a_revert_waits_for_a_remote_that_does_not_take_it_and_comes_after_a_restart() {
    change "$fleet/app/server.py" 's/status = "healthy"/status = "no cache"/'
    push "Use a cache"
    bad=$(head_commit)
    stop_controller
    mkdir -p "$work/remote.git/refs/heads/holdfast"
    touch "$work/remote.git/refs/heads/$(branch_of "$bad").lock"
    start_controller
    eventually 120 grep -q "branch $(branch_of "$bad") with the revert of .* waits for the remote" "$work/controller.log"
    expect held
    stop_controller
    expect_not there "$(branch_of "$bad")"
    rm "$work/remote.git/refs/heads/$(branch_of "$bad").lock"
    start_controller
    eventually 60 there "$(branch_of "$bad")"
    stop_controller
    expect_equal 1 "$(grep -c "branch $(branch_of "$bad") reverts" "$work/controller.log")" "the lines of the log"
}

run_tests
