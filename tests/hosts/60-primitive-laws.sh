#!/bin/bash
# The laws of packages, accounts and units on a whole machine: what tests/reconcilers/primitives can't hold below a prefix.
. "$(dirname "$0")/lib.sh"
begin laws

test_the_laws_hold_on_a_whole_machine() {
    local program
    program=$(find "$build" -name host_laws_test -type f -perm -u+x | head -n 1)
    expect test -n "$program"
    cp "$program" "$("$lab" root "$host")/root/host_laws_test"
    on env HOLDFAST_THROW_AWAY_HOST=1 /root/host_laws_test --use-colour no
}

run_tests
