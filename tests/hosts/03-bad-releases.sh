#!/bin/bash
# Whatever way a release is bad: the old one goes on serving, exit code, status and history say so, and it is not tried again.
. "$(dirname "$0")/lib.sh"
begin web

test_the_first_apply_converges() { converge; }

# refused_and_held CAUSE: applies the commit just pushed, which must fail; $good is what served before.
rolled_back_and_held() {
    local before bad
    bad=$(head_commit)
    hf apply production
    expect_code 3
    expect_says "$1"
    expect serves "$good"
    hf status
    expect_code 3
    expect_says 'held'
    expect_says "${good:0:12}"
    hf history
    expect_says "${bad:0:12}.*rolled.back"
    before=$(deployments)
    attempts=$(invocation)
    hf apply production
    expect_code 3
    hf apply production
    expect_code 3
    expect_equal "$before" "$(deployments)" "the number of deployments after two more turns"
    expect_equal "$attempts" "$(invocation)" "the invocation of the service"
    expect serves "$good"
}

# repaired: the bad commit is reverted in another commit, which must be deployed.
back_to_good() {
    git -C "$fleet" revert --no-edit HEAD > /dev/null
    push_head
    hf apply production
    expect_code 0
    expect serves "$(head_commit)"
    hf status
    expect_code 0
}
push_head() { git -C "$fleet" push --quiet origin HEAD:main; }

test_a_release_whose_health_turns_500_is_rolled_back() {
    good=$(head_commit)
    change "$fleet/app/server.py" 's/status = "healthy"/status = "no database"/'
    push "Use a database"
    rolled_back_and_held '500'
    back_to_good
}

# between FROM TO: milliseconds between two events of the newest deployment.
between() {
    "$lab" in "$holdfast" --config "$work/holdfast.yaml" --output json history production > "$work/history.json"
    "$lab" in "$holdfast" --config "$work/holdfast.yaml" --output json show "$(grep -oE '"id": *[0-9]+' "$work/history.json" | head -n 1 | grep -oE '[0-9]+')" > "$work/shown.json"
    python3 "$top/tests/hosts/between.py" "$work/shown.json" "$1" "$2"
}

# Promised are two seconds and ten; the first is given a little more here, where other builds may run beside.
test_a_rollback_begins_at_once_and_the_old_version_serves_within_ten_seconds() {
    local begun healthy
    good=$(head_commit)
    change "$fleet/app/server.py" 's/status = "healthy"/status = "no disk"/'
    push "Use a disk"
    hf apply production
    expect_code 3
    expect serves "$good"
    begun=$(between 'not healthy' 'rolling back')
    healthy=$(between 'not healthy' 'rolled back to')
    echo "began after $begun ms, healthy again after $healthy ms"
    [ "$begun" -le 4000 ] || fail "the rollback begins at once"
    [ "$healthy" -le 10000 ] || fail "the old version is back and healthy in time"
    back_to_good
}

test_a_release_that_crashes_at_once_is_rolled_back_with_its_last_words() {
    good=$(head_commit)
    change "$fleet/app/server.py" 's/^GREETING = .*/raise SystemExit("no greeting was configured")/'
    push "Insist on a greeting"
    rolled_back_and_held 'no greeting was configured'
    back_to_good
}

test_a_release_whose_program_is_missing_is_rolled_back() {
    good=$(head_commit)
    change "$fleet/deploy/greeter/files/greeter.service" 's|^ExecStart=.*|ExecStart=/usr/bin/python3 -u serve.py|'
    push "Rename the program in the unit alone"
    rolled_back_and_held 'greeter.service'
    back_to_good
}

test_an_invalid_unit_file_never_goes_live() {
    local before
    good=$(head_commit)
    before=$(invocation)
    change "$fleet/deploy/greeter/files/greeter.service" 's|^ExecStart=.*|ExecStart=python3 with a relative path|; s/^Restart=.*/Restart=now-and-then/; s/^User=.*/Type=oneshot-ish/'
    push "Break the unit file"
    rolled_back_and_held 'greeter.service'
    expect_equal "$before" "$(invocation)" "the invocation of the service"
    back_to_good
}

test_a_site_that_fails_nginx_t_never_goes_live() {
    local before
    good=$(head_commit)
    before=$(invocation)
    change "$greeter" 's/server_name _;/server_name _; no_such_directive on;/'
    push "Break the site"
    rolled_back_and_held 'no_such_directive'
    expect on nginx -t
    expect_equal "$before" "$(invocation)" "the invocation of the service"
    back_to_good
}

test_a_failing_build_step_leaves_no_release_behind() {
    local before bad
    good=$(head_commit)
    before=$(invocation)
    echo 'this is no python' > "$fleet/app/broken.py"
    change "$greeter" 's/py_compile, server.py/py_compile, server.py, broken.py/'
    push "Compile more"
    bad=$(head_commit)
    rolled_back_and_held 'SyntaxError|invalid syntax'
    expect_equal "$before" "$(invocation)" "the invocation of the service"
    expect_not on test -e "/opt/greeter/releases/$bad"
    back_to_good
}

test_a_broken_manifest_is_refused_before_any_host_hears_of_it() {
    good=$(head_commit)
    change "$greeter" 's/^  keep: 3/  kept: 3/'
    push "Misspell a key"
    hf apply production
    expect_code 1
    expect_says 'greeter.yaml:[0-9]+:[0-9]+: .*kept'
    expect_says 'keep'
    expect serves "$good"
    back_to_good
}

run_tests
