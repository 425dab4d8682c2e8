#!/bin/bash
# From nothing to healthy, and then no change and no write any more.
. "$(dirname "$0")/lib.sh"
begin web

managed="/opt/greeter /etc/systemd/system /etc/nginx /etc/passwd /etc/group /etc/shadow"

test_plan_of_a_fresh_host_shows_what_would_change_and_exits_2() {
    hf plan production
    expect_code 2
    expect_says '/opt/greeter/env'
    expect_says 'greeter.yaml:[0-9]+'
    expect_says 'greeter.service'
    expect_not on test -e /opt/greeter
}

test_first_apply_deploys_and_is_healthy() {
    hf apply production
    expect_code 0
    expect_says '1 deployed'
    expect serves "$(head_commit)"
    expect_equal "600 greeter greeter" "$(on stat -c '%a %U %G' /opt/greeter/env)" "mode and owner of the env file"
    expect_equal "enabled" "$(on systemctl is-enabled greeter.service)"
    expect_equal "/opt/greeter/releases/$(head_commit)" "$(on readlink -f /opt/greeter/app)"
    expect_not on test -e /etc/nginx/sites-enabled/default
}

test_second_apply_changes_nothing() {
    local before
    before=$(invocation)
    hf apply production
    expect_code 0
    expect_says '1 unchanged'
    expect_equal "$before" "$(invocation)" "the invocation of the service"
    hf plan production
    expect_code 0
    expect_equal 1 "$(deployments)" "the number of deployments"
}

snapshot() { shell "find $managed -printf '%p %i %m %u %g %s %C@ %T@\n' | sort"; }

test_a_run_without_changes_makes_no_write_call_on_managed_paths() {
    local before sshd
    sshd=$(on systemctl show --property=MainPID --value ssh.service)
    before=$(snapshot)
    "$lab" exec "$host" strace -f -qq -y -s 256 -o /run/trace -p "$sshd" \
        -e trace=%file,write,pwrite64,writev,ftruncate,fchmod,fchown,fallocate,fsetxattr > /dev/null 2>&1 &
    eventually 10 shell "! grep -q '^TracerPid:.0\$' /proc/$sshd/status"
    hf apply production
    # shellcheck disable=SC2016
    shell 'kill -INT $(pidof strace)'
    wait
    expect_code 0
    expect_says '1 unchanged'
    on cat /run/trace > "$work/trace"
    expect grep -q '/opt/greeter/env' "$work/trace"  # it did look
    grep -E 'O_WRONLY|O_RDWR|O_CREAT|O_TRUNC| (write|pwrite64|writev|ftruncate|fchmod|fchmodat2?|chmod|[lf]?chown|fchownat|rename(at2?)?|unlink(at)?|mkdir(at)?|rmdir|symlink(at)?|link(at)?|utime[a-z]*|truncate|fallocate|[lf]?setxattr|mknod(at)?)\(' "$work/trace" |
        grep -E '[<"](/opt/greeter|/etc/)' > "$work/writes" || true
    cat "$work/writes"
    expect_equal 0 "$(wc -l < "$work/writes")" "the number of write calls"
    expect_equal "$before" "$(snapshot)" "what find tells of the managed paths"
}

test_the_loaded_environment_is_the_one_on_disk() {
    local pid
    pid=$(on systemctl show --property=MainPID --value greeter.service)
    shell "tr '\\0' '\\n' < /proc/$pid/environ" > "$work/environ"
    expect grep -qx 'SITE=production' "$work/environ"
    expect grep -Eqx 'SESSION_SECRET=[0-9a-f]{64}' "$work/environ"
}

test_a_changed_env_file_restarts_the_service_once_and_keeps_the_secret() {
    local before secret
    before=$(invocation)
    secret=$(shell 'grep SECRET /opt/greeter/env')
    change "$greeter" 's/values: \{SITE: "\$\{site\}"/values: {COLOUR: "dark \\"blue\\"", SITE: "${site}"/'
    push "Give the greeter a colour"
    hf plan production
    expect_code 2
    expect_says 'COLOUR'
    expect_silent "${secret#*=}"
    converge
    expect_not test "$before" = "$(invocation)"
    expect_equal "$secret" "$(shell 'grep SECRET /opt/greeter/env')" "the secret"
}

test_history_and_status_tell_what_happened() {
    hf history
    expect_code 0
    expect_says 'deployed'
    expect_says "$(head_commit | cut -c1-12)"
    hf status
    expect_code 0
    expect_says 'converged'
    hf show 1
    expect_code 0
    expect_says 'A Tester'
}

run_tests
