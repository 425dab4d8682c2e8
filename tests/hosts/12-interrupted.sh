#!/bin/bash
# The controller dies, or the host loses its power, in the middle of a change: the next turn finds out and finishes.
. "$(dirname "$0")/lib.sh"
begin web

apply_in_the_background() {
    "$lab" in "$holdfast" --config "$work/holdfast.yaml" apply production > "$work/background" 2>&1 &
    background=$!
}

# While the file is there, building and becoming healthy take as long as the test wants.
change "$greeter" 's/^  build: .*/  build: [[python3, -m, py_compile, server.py], [python3, wait.py]]/'
cat > "$fleet/app/wait.py" <<'END'
import pathlib, time
while pathlib.Path("/run/wait").exists():
    pathlib.Path("/tmp/waiting").touch()
    time.sleep(0.1)
END
push "Build slowly on demand" > /dev/null

test_the_first_apply_converges() { converge; }

test_a_controller_killed_while_it_watches_health_is_followed_by_one_that_decides() {
    local good
    good=$(head_commit)
    change "$fleet/app/server.py" 's/status = "healthy"/status = "no database"/'
    push "Use a database"
    apply_in_the_background
    eventually 30 grep -q 'checking health' "$work/background"
    kill -KILL "$background"
    hf apply production
    expect_code 3
    expect_says 'transaction'
    expect serves "$good"
    git -C "$fleet" revert --no-edit HEAD > /dev/null
    git -C "$fleet" push --quiet origin HEAD:main
    converge
}

test_a_controller_killed_while_a_build_runs_leaves_the_old_release_serving() {
    local good
    good=$(head_commit)
    on touch /run/wait
    echo "# slow" >> "$fleet/app/server.py"
    push "Build a slow release"
    apply_in_the_background
    eventually 30 on test -e /tmp/waiting
    kill -KILL "$background"
    expect serves "$good"
    on rm /run/wait
    eventually 60 applied
    expect serves "$(head_commit)"
}
applied() {
    hf apply production
    [ "$code" = 0 ]
}

test_a_host_without_power_in_the_middle_comes_back_as_it_was() {
    local good
    good=$(head_commit)
    change "$fleet/app/server.py" 's/status = "healthy"/status = "no database"/'
    push "Use a database again"
    apply_in_the_background
    eventually 30 grep -q 'checking health' "$work/background"
    "$lab" kill "$host"
    kill -KILL "$background"
    "$lab" boot "$host"
    eventually 60 serves "$good"
    hf apply production
    expect_code 3
    expect serves "$good"
    git -C "$fleet" revert --no-edit HEAD > /dev/null
    git -C "$fleet" push --quiet origin HEAD:main
    eventually 60 applied
    expect serves "$(head_commit)"
}

run_tests
