#!/bin/bash
# Promotion: production takes what staging has been healthy at, in its windows; on folders as hosts.
. "$(dirname "$0")/lib.sh"
begin
rm -r "$fleet/deploy" "$fleet/app"
mkdir -p "$fleet/deploy/motd" "$work/staging/etc" "$work/production/etc"

# environment NAME GATES
environment() {
    cat > "$fleet/deploy/$1.yaml" <<END
apiVersion: holdfast.dev/v1
kind: Environment
metadata: {name: $1}
spec:
  track: {branch: main}
  paths: [deploy/motd]
  health: {window: 2s, interval: 500ms, passes: 1}
  hosts: [{name: $1-1, connection: local, root: $work/$1}]
$2
END
}
say_motd() {
    cat > "$fleet/deploy/motd/motd.yaml" <<END
apiVersion: holdfast.dev/v1
kind: File
metadata: {name: motd}
spec: {path: /etc/motd, text: "$1\\n"}
END
    push "Say $1"
}
motd_is() { [ "$(cat "$work/$1/etc/motd" 2>/dev/null)" = "$2" ]; }
says_status() { hf status "$1" > /dev/null; grep -Eq -- "$2" "$work/out"; }

environment staging ""
environment production "  requires: [{environment: staging, healthyFor: 4s}]"
say_motd one

test_production_follows_staging_after_its_time() {
    start_controller
    eventually 20 motd_is staging one
    eventually 10 says_status production 'waits since .*staging must be healthy at this same commit'
    expect_not motd_is production one
    eventually 20 motd_is production one
    expect_says 'waits'
    eventually 10 says_status production 'converged'
    hf status production
    expect_code 0
    expect_silent 'waits'
}

test_a_commit_that_staging_rolled_back_never_reaches_production() {
    cat > "$fleet/deploy/motd/check.yaml" <<END
apiVersion: holdfast.dev/v1
kind: HealthCheck
metadata: {name: bad}
spec: {command: {argv: ["false"]}}
END
    say_motd bad
    eventually 30 says_status staging 'held'
    eventually 10 says_status production 'staging-1 is at|staging-1 is held'
    sleep 6
    expect motd_is production one
    rm "$fleet/deploy/motd/check.yaml"
    say_motd good
    eventually 20 motd_is staging good
    eventually 30 motd_is production good
}

test_a_restart_of_the_controller_keeps_the_time() {
    say_motd kept
    eventually 20 motd_is staging kept
    stop_controller
    sleep 4
    start_controller
    eventually 4 motd_is production kept
}

test_a_freeze_waits_until_somebody_overrides_it() {
    environment production "  freezes: [{from: 2020-01-01, to: 2120-01-01, zone: Europe/Berlin, reason: holidays}]"
    say_motd frozen
    eventually 20 motd_is staging frozen
    eventually 10 says_status production 'frozen until .*holidays'
    hf override production
    expect_code 1
    expect_says 'needs a reason'
    hf override production --reason "the site is down"
    expect_code 0
    eventually 10 motd_is production frozen
    hf --output json history production --limit 1
    expect_says 'override by .*the site is down'
    expect grep -q "past: frozen until" "$work/controller.log"
    say_motd "frozen again"
    eventually 20 motd_is staging "frozen again"
    eventually 10 says_status production 'frozen until'
    expect motd_is production frozen
}

test_a_repair_is_not_gated() {
    echo vandal > "$work/production/etc/motd"
    eventually 10 motd_is production frozen
}

test_gates_that_can_t_be_read_are_refused_where_they_stand() {
    environment production "  windows: [{from: \"02:00\", to: \"04:00\", zone: Europe/Nowhere}]"
    hf validate "$fleet"
    expect_code 1
    expect_says 'production.yaml:9:48: "Europe/Nowhere" is no time zone'
}

run_tests
