#!/bin/bash
# Ways to a host: as root, as a user with sudo, through a jump host; and keys that are not the pinned ones.
. "$(dirname "$0")/lib.sh"
begin web jump

set_hosts() {
    write_environment "$1"
    push "Reach the hosts by $1"
}
jump_host=${hosts##* }
fleet_hosts=$host
write_environment

test_root_logs_in() {
    push "One host"
    converge
}

test_a_user_with_sudo_does_the_same() {
    set_hosts "user: deploy"
    converge
    expect_says '1 deployed'
    on chmod 777 /opt/greeter
    converge
    expect_says '1 repaired'
}

test_a_user_without_sudo_is_told_what_is_missing() {
    on useradd --create-home --shell /bin/sh powerless
    shell 'cp -r /root/.ssh /home/powerless/ && chown -R powerless /home/powerless/.ssh'
    set_hosts "user: powerless"
    hf apply production
    expect_code 1
    expect_says 'sudo'
}

test_a_jump_host_leads_to_a_host_that_is_not_reachable_directly() {
    "$lab" exec "$host" nft "add table ip guard; add chain ip guard input { type filter hook input priority 0; }; add rule ip guard input tcp dport 22 ip saddr != $("$lab" ip "$jump_host") drop"
    "$lab" known-hosts > "$work/known_hosts"
    set_hosts "jump: \"root@$("$lab" ip "$jump_host"):22\""
    change "$work/holdfast.yaml" "s|agent: false|agent: false, knownHosts: $work/known_hosts|"
    converge
    expect_says '1 deployed'
    "$lab" exec "$host" nft delete table ip guard
}

test_another_key_than_the_pinned_one_is_refused() {
    write_environment
    change "$fleet/deploy/production.yaml" "s|hostKey: \"[^\"]*\"|hostKey: \"$("$lab" hostkey "$jump_host")\"|"
    push "Pin another key"
    hf apply production
    expect_code 1
    expect_says 'host key'
}

test_a_host_without_a_pinned_key_is_not_trusted_on_first_use() {
    write_environment
    change "$fleet/deploy/production.yaml" 's|, hostKey: "[^"]*"||'
    change "$work/holdfast.yaml" "s|knownHosts: [^ }]*|knownHosts: $work/none|"
    push "Pin none"
    hf apply production
    expect_code 1
    expect_says "$("$lab" hostkey "$host" | cut -d' ' -f2 | cut -c1-20)|hostKey"
    change "$work/holdfast.yaml" "s|knownHosts: [^ }]*|knownHosts: $work/known_hosts|"
    converge
}

test_a_host_that_is_cut_off_is_told_as_unreachable_and_comes_back() {
    set_hosts ""
    "$lab" cut "$host"
    hf apply production
    expect_code 1
    expect_says 'unreachable|connect'
    "$lab" join "$host"
    converge
}

run_tests
