#!/bin/bash
# Packages by a real apt from the lab's own archive.
. "$(dirname "$0")/lib.sh"
begin web

packages() {
    printf 'apiVersion: holdfast.dev/v1\nkind: Package\nmetadata: {name: hello}\nspec: %s\n' "$1" > "$fleet/deploy/greeter/hello.yaml"
    push "Want hello as $1"
}
installed() { shell "dpkg-query -W -f '\${db:Status-Status} \${Version}' $1 2>/dev/null || true"; }

test_the_first_apply_converges() { converge; }

test_a_pinned_version_is_installed() {
    packages '{name: hello-holdfast, version: "1.0"}'
    converge
    expect_equal "installed 1.0" "$(installed hello-holdfast)"
}

test_present_leaves_an_older_version_alone() {
    packages '{name: hello-holdfast, state: present}'
    expect_not grep -q '^package:' <(plan_ids)
    converge
    expect_equal "installed 1.0" "$(installed hello-holdfast)"
}

test_a_newer_pin_upgrades_and_an_older_one_downgrades() {
    packages '{name: hello-holdfast, version: "1.1"}'
    converge
    expect_equal "installed 1.1" "$(installed hello-holdfast)"
    packages '{name: hello-holdfast, version: "1.0"}'
    converge
    expect_equal "installed 1.0" "$(installed hello-holdfast)"
}

test_drift_of_a_pinned_version_is_repaired() {
    on apt-get install -qq -y hello-holdfast=1.1
    expect_equal package:hello-holdfast "$(plan_ids)"
    converge
    expect_equal "installed 1.0" "$(installed hello-holdfast)"
}

test_a_package_that_does_not_install_is_rolled_back_and_dpkg_is_left_whole() {
    packages '{names: [hello-holdfast, other-holdfast, broken-holdfast]}'
    hf apply production
    expect_code 3
    expect_says 'never installs'
    expect_equal "installed 1.0" "$(installed hello-holdfast)"
    expect_not test "installed 1.0" = "$(installed other-holdfast)"
    expect_equal "" "$(on dpkg --audit)"
}

test_an_unknown_package_is_refused_by_name() {
    packages '{name: no-such-package}'
    hf apply production
    expect_not test "$code" = 0
    expect_says 'no-such-package'
}

test_absent_removes_it() {
    packages '{name: hello-holdfast, state: absent}'
    converge
    expect_not test "installed 1.0" = "$(installed hello-holdfast)"
}

test_the_lock_of_a_running_apt_is_waited_for() {
    packages '{name: hello-holdfast, state: present}'
    "$lab" exec "$host" python3 -c '
import fcntl, time
lock = open("/var/lib/dpkg/lock-frontend", "w")
fcntl.lockf(lock, fcntl.LOCK_EX)
open("/run/locked", "w").close()
time.sleep(4)' &
    eventually 10 on test -e /run/locked
    converge
    wait
    expect_equal "installed 1.1" "$(installed hello-holdfast)"
}

run_tests
