#!/bin/bash
# What people say to the controller: rollback, retry, and commits that put things right.
. "$(dirname "$0")/lib.sh"
begin web

# The application is ill while a file exists that no manifest knows: a cause outside of git.
change "$fleet/app/server.py" 's|^def health.*|ILL = pathlib.Path("/run/ill")\n\n\n&|; s|status = "healthy"|status = "ill" if ILL.exists() and GREETING == "Welcome" else "healthy"|'
push "Be ill on demand" > /dev/null

test_the_first_apply_converges() { converge; }

test_rollback_goes_to_the_verified_commit_before_and_stays_there() {
    local good
    good=$(head_commit)
    change "$fleet/app/server.py" 's/^GREETING = .*/GREETING = "Good day"/'
    push "Greet politely"
    converge
    expect serves "$(head_commit)"
    hf rollback production --reason "customers prefer hello"
    expect_code 0
    expect serves "$good"
    hf history
    expect_says 'rollback'
    hf apply production
    expect serves "$good"
    hf retry production
    converge
    expect serves "$(head_commit)"
}

test_retry_tries_a_held_commit_again() {
    local good bad
    good=$(head_commit)
    on touch /run/ill
    change "$fleet/app/server.py" 's/^GREETING = .*/GREETING = "Welcome"/'
    push "Welcome people"
    bad=$(head_commit)
    hf apply production
    expect_code 3
    on rm /run/ill
    hf apply production
    expect_code 3
    expect serves "$good"
    hf retry production
    expect_code 0
    hf apply production
    expect_code 0
    expect serves "$bad"
}

test_a_fix_pushed_after_a_bad_commit_is_deployed() {
    change "$fleet/app/server.py" 's/^    status = .*/    raise RuntimeError("oops")/'
    push "Break it"
    hf apply production
    expect_code 3
    git -C "$fleet" revert --no-edit HEAD > /dev/null
    echo "# a word" >> "$fleet/app/server.py"
    push "Fix it"
    hf apply production
    expect_code 0
    expect serves "$(head_commit)"
}

test_unknown_names_are_refused_with_exit_code_1() {
    hf plan prodction
    expect_code 1
    expect_says 'production'
    hf show 9999
    expect_code 1
    hf explain SystemdUnit.health
    expect_code 0
}

run_tests
