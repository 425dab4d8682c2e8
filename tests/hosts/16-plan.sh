#!/bin/bash
# What people read before they merge: plans by groups of hosts, with reasons, for programs and for a pull request.
. "$(dirname "$0")/lib.sh"
begin web api

second=${hosts##* }

# valid_record FILE PROGRAM [RECORD]: it is what its published schema says, by a validator that is not ours.
valid_record() {
    python3 - "$1" "$2" "${3:-plan}" <<'PYTHON'
import json
import subprocess
import sys

try:
    import jsonschema
except ImportError:
    sys.exit("python3-jsonschema is missing: packaging/install-dependencies test")
schema = json.loads(subprocess.run([sys.argv[2], "explain", sys.argv[3], "--output", "json"], check=True, capture_output=True).stdout)
jsonschema.Draft7Validator.check_schema(schema)
with open(sys.argv[1], encoding="utf-8") as file:
    jsonschema.validate(json.load(file), schema)
PYTHON
}

test_hosts_with_equal_plans_are_told_once() {
    hf plan production
    expect_code 2
    expect_says "^$second, $host \(2 hosts\): [0-9]+ to create|^$host, $second \(2 hosts\): [0-9]+ to create"
    expect_says 'starts greeter.service; interruption: none: it is not running'
    expect_says '^2 hosts: 2 with changes'
}

test_the_first_apply_converges() { converge; }

test_without_changes_each_group_is_one_line() {
    hf plan production
    expect_code 0
    expect_says '\(2 hosts\): nothing to do$'
    expect_equal 6 "$(wc -l < "$work/out")" "the number of lines: heading, commit, group, total"
}

test_a_restart_is_told_with_its_cause_and_why() {
    change "$greeter" 's/values: \{SITE: "\$\{site\}"/values: {COLOUR: blue, SITE: "${site}"/'
    push "Give the greeter a colour"
    hf plan production --why
    expect_code 2
    expect_says 'restarts greeter.service: EnvFile/greeter( and Release/greeter)? changes?; interruption: stops, and starts again'
    expect_says "why: content: asked for by $(head_commit | cut -c1-12) \"Give the greeter a colour\" \(A Tester"
    expect_says 'why: loads file:/opt/greeter/env, which changes'
    expect_says 'undo: when a step fails or [0-9]+ checks do not pass within 15 s, all of it is put back, which restarts greeter.service'
    expect_silent '\(2 hosts\): nothing'
    converge
    expect_says "$host +applying $(head_commit | cut -c1-12): [0-9]+ to create, [0-9]+ to change, [0-9]+ to remove; restarts greeter.service"
    expect_says 'done  ~ file:/opt/greeter/env  content changes \(not shown\); sets COLOUR, .*\(EnvFile/greeter deploy/greeter/greeter.yaml:[0-9]+\)'
    expect_says 'done  ~ unit:greeter.service  restarts .*, [0-9.]+ m?s not running'
}

test_show_and_history_tell_it_in_the_same_words() {
    hf history production --limit 1
    expect_says 'created, [0-9]+ changed, restarts greeter.service'
    hf show 4
    expect_says '~ file:/opt/greeter/env  content changes \(not shown\); sets COLOUR, '
    expect_says 'done in [0-9.]+ m?s, [0-9.]+ m?s not running'
    expect_says 'passed  SystemdUnit/greeter.service http'
    expect_silent "$(shell 'grep SECRET /opt/greeter/env' | cut -d= -f2)"
    hf show 4 --output json
    cp "$work/out" "$work/record.json"
    expect valid_record "$work/record.json" "$holdfast" deployment
    hf history --output json
    cp "$work/out" "$work/record.json"
    expect valid_record "$work/record.json" "$holdfast" history
}

test_the_next_plan_tells_how_long_the_last_restart_took() {
    change "$greeter" 's/COLOUR: blue/COLOUR: red/'
    push "A warmer colour"
    hf plan production
    expect_says 'interruption: stops, and starts again, about [0-9.]+ m?s not running, then until it is ready'
    converge
}

test_a_changed_variable_is_not_called_drift() {
    change "$fleet/deploy/production.yaml" 's/site: production/site: abroad/'
    push "Move abroad"
    hf plan production --why
    expect_code 2
    expect_says 'why: content: its manifest is as it was .*; a variable or something that it refers to changed'
    expect_silent 'why: drift'
    converge
}

test_drift_on_one_host_is_told_apart_and_called_drift() {
    shell 'chmod 644 /opt/greeter/env'
    hf plan production --why
    expect_code 2
    expect_says "^$host: 0 to create, 1 to change"
    expect_says "^$second: nothing to do"
    expect_says "why: drift: mode is 0644, $(head_commit | cut -c1-12) was deployed with 0600"
    hf plan production --host "$second"
    expect_code 0
    expect_silent "^$host"
    converge
}

test_the_record_for_programs_is_what_its_schema_says() {
    change "$greeter" 's/COLOUR: red/COLOUR: green/'
    push "Another colour"
    hf plan production --why --output json
    expect_code 2
    cp "$work/out" "$work/record.json"
    expect valid_record "$work/record.json" "$holdfast"
    expect_not grep -q "$(shell 'grep SECRET /opt/greeter/env' | cut -d= -f2)" "$work/record.json"
    sed -i 's/"status": "changes"/"status": "surprise"/' "$work/record.json"
    expect_not valid_record "$work/record.json" "$holdfast"
}

test_a_pull_requests_head_is_planned_as_a_comment() {
    local proposed
    change "$fleet/app/server.py" 's/^GREETING = .*/GREETING = "@everyone ```<script>"/'
    git -C "$fleet" commit --quiet --all -m "Greet everyone"
    proposed=$(head_commit)
    git -C "$fleet" push --quiet origin "HEAD:refs/pull/17/head"
    git -C "$fleet" reset --quiet --hard HEAD~1
    hf plan production --rev refs/pull/17/head --output markdown
    expect_code 2
    expect_says "### holdfast plan: .production. at .${proposed:0:12}."
    expect_says '\| hosts \| plan \| units \|'
    expect_says 'Greet everyone'
    hf plan production --rev refs/pull/18/head
    expect_code 1
    expect_says 'refs/pull/18/head'
}

test_a_host_out_of_reach_hides_no_other() {
    "$lab" kill "$second"
    hf plan production
    expect_code 1
    expect_says "^$second: no plan"
    expect_says "^$host: [0-9]+ to create, [0-9]+ to change"
    expect_says '2 hosts: 1 with changes, 1 without a plan'
}

run_tests
