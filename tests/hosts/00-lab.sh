#!/bin/bash
# The lab itself: hosts that share nothing, labs that never meet, and nothing left behind, also by a run that was killed.
. "$(dirname "$0")/lib.sh"
hosts=''
work=$(mktemp -d "/tmp/holdfast-test-$suite-XXXXXX")
if ! why=$("$lab" possible); then
    echo "SKIP $suite: $why"
    exit 0
fi
trap 'rm -rf "$work"' EXIT
unset HOLDFAST_LAB

# traces ID: what a lab with this id has on this machine.
traces() {
    find /var/tmp/holdfast-labs -maxdepth 1 -name "*-$1"
    find /run/netns -name "hf-$1*"
    find /sys/fs/cgroup -maxdepth 2 -name "holdfast-lab-$1-*"
    sed -n "/holdfast-labs.*-$1/p" /proc/self/mounts
}

test_hosts_have_keys_and_identities_of_their_own() {
    HOLDFAST_LAB=$("$lab" create lab-one --owner $me)
    export HOLDFAST_LAB
    trap '"$lab" remove' EXIT
    "$lab" up a b
    expect_not test "$("$lab" hostkey a)" = "$("$lab" hostkey b)"
    expect_not test "$("$lab" exec a cat /etc/machine-id)" = "$("$lab" exec b cat /etc/machine-id)"
    expect_equal b "$("$lab" ssh b hostname)"
    expect_equal uid=0 "$(HOLDFAST_LAB_USER=deploy "$lab" ssh a sudo -n id | cut -c1-5)"
    expect_equal "" "$("$lab" exec a ip route show default)" "the route out"
}

test_two_labs_use_the_same_addresses_and_do_not_meet() {
    one=$("$lab" create lab-one --owner $me)
    two=$("$lab" create lab-two --owner $me)
    trap 'HOLDFAST_LAB=$one "$lab" remove; HOLDFAST_LAB=$two "$lab" remove' EXIT
    HOLDFAST_LAB=$one "$lab" up a
    HOLDFAST_LAB=$two "$lab" up c
    expect_equal "$(HOLDFAST_LAB=$one "$lab" ip a)" "$(HOLDFAST_LAB=$two "$lab" ip c)"
    expect_equal a "$(HOLDFAST_LAB=$one "$lab" ssh a hostname)"
    expect_equal c "$(HOLDFAST_LAB=$two "$lab" ssh c hostname)"
}

test_a_host_keeps_its_disk_when_its_power_is_cut_and_when_it_is_stopped() {
    HOLDFAST_LAB=$("$lab" create lab-one --owner $me)
    export HOLDFAST_LAB
    trap '"$lab" remove' EXIT
    "$lab" up a
    "$lab" exec a sh -c 'echo one > /root/kept'
    "$lab" kill a
    "$lab" boot a
    "$lab" exec a sh -c 'echo two >> /root/kept'
    "$lab" stop a
    "$lab" boot a
    expect_equal "one two" "$("$lab" exec a cat /root/kept | tr '\n' ' ' | sed 's/ $//')"
}

test_a_pulled_cable_cuts_ssh_and_not_exec() {
    HOLDFAST_LAB=$("$lab" create lab-one --owner $me)
    export HOLDFAST_LAB
    trap '"$lab" remove' EXIT
    "$lab" up a
    "$lab" cut a
    expect_not "$lab" ssh a -o ConnectTimeout=1 true
    expect "$lab" exec a true
    "$lab" join a
    expect "$lab" ssh a true
}

test_removing_a_lab_leaves_nothing() {
    local id
    HOLDFAST_LAB=$("$lab" create lab-one --owner $me)
    export HOLDFAST_LAB
    id=$(cat "$HOLDFAST_LAB/id")
    "$lab" up a b
    expect_not test "" = "$(traces "$id")"
    "$lab" remove
    expect_equal "" "$(traces "$id")" "what is left"
}

test_reap_removes_the_lab_of_a_killed_run_and_no_other() {
    local id
    living=$("$lab" create lab-living --owner $me)
    trap 'HOLDFAST_LAB=$living "$lab" remove' EXIT
    # shellcheck disable=SC2016
    bash -c 'HOLDFAST_LAB=$("$1" create lab-dead --owner $$); export HOLDFAST_LAB; "$1" up a; echo "$HOLDFAST_LAB" > "$2"; kill -KILL $$' \
        run "$lab" "$work/dead" || true
    id=$(cat "$(cat "$work/dead")/id")
    expect_not test "" = "$(traces "$id")"
    "$lab" reap
    expect_equal "" "$(traces "$id")" "what is left of the dead run"
    expect test -s "$living/id"
}

test_an_id_that_was_given_anew_is_not_killed() {
    local sleeper
    HOLDFAST_LAB=$("$lab" create lab-one --owner $me)
    export HOLDFAST_LAB
    "$lab" up a
    "$lab" kill a
    sleep 300 &
    sleeper=$!
    echo "$sleeper 12345" > "$HOLDFAST_LAB/hosts/a/nspawn"  # the right id with another start time
    echo "$sleeper 12345" > "$HOLDFAST_LAB/hosts/a/leader"
    "$lab" remove
    expect kill -0 "$sleeper"
    kill "$sleeper"
}

run_tests
