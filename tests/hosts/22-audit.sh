#!/bin/bash
# The branch holdfast/audit tells all that happened, once each, whatever dies or is away; and a fresh clone answers alone.
. "$(dirname "$0")/lib.sh"
begin web

branch=refs/heads/holdfast/audit
# entries: "NUMBER OUTCOME" of the remote's branch, the oldest first; without those about the branch itself.
entries() {
    git -C "$work/remote.git" log --reverse --format='%(trailers:key=Event,valueonly,separator=) %(trailers:key=Outcome,valueonly,separator=) %s' \
        $branch 2> /dev/null | grep -v '^audit'
}
count() { entries | grep -cE -- "$1"; }
has() { [ "$(count "$1")" = "$2" ]; }
first_commit() { git -C "$fleet" rev-list --max-parents=0 HEAD; }
head_short() { head_commit | cut -c1-12; }
# alone ARGUMENTS...: holdfast in a fresh clone, without settings, state or controller.
alone() {
    rm -rf "${work:?}/clone" "${work:?}/home"
    mkdir "$work/home"
    git clone --quiet "$work/remote.git" "$work/clone" 2> /dev/null
    echo "\$ holdfast $*"
    code=0
    (cd "$work/clone" && env -u HOLDFAST_CONFIG HOME="$work/home" "$holdfast" "$@") > "$work/out" 2>&1 || code=$?
    sed 's/^/    /' "$work/out"
}
# sound: the chain of a fresh clone holds, and no entry is there twice.
sound() {
    alone audit verify .
    expect_code 0
    expect_says 'the chain holds'
    expect_equal "" "$(git -C "$work/remote.git" log --format='%(trailers:key=Entry,valueonly,separator=)' $branch | sort | uniq -d)" "ids that are there twice"
}
# start_controller_with LINE: the controller with a failpoint.
start_controller_with() {
    echo "$1" > "$work/failpoints"
    HOLDFAST_FAILPOINTS=$work/failpoints start_controller
}
ended() { ! kill -0 "$(cat "$work/controller.pid")" 2> /dev/null; }

test_an_apply_without_a_controller_writes_its_entry() {
    converge
    expect has "^deployment deployed production: deployed $(head_short) to $host: Describe the greeter" 1
    sound
    alone history
    expect_code 0
    expect_says "^ *1 .*deployed.*production: deployed"
    alone show 1
    expect_says "transaction"
    expect_says 'what was planned, and came of it'
    expect_says 'passed'
    alone where "$host"
    expect_says "production/$host +$(head_commit)"
    expect_says 'approved by +nobody'
}

test_a_bad_release_is_one_entry_in_ten_polls() {
    start_controller
    change "$fleet/app/server.py" 's/status = "healthy"/status = "no database"/'
    push "Use a database"
    bad=$(head_short)
    eventually 60 has "^rollback rolled back .*from $bad" 1
    sleep 10
    expect has "$bad" 1
    sound
    alone where "$host"
    expect_says "besides .*rolled back on $host"
    expect_silent "^production/$host +$bad"
}

test_drift_that_was_put_right_is_one_entry() {
    git -C "$fleet" revert --no-commit HEAD
    push "Undo it"
    eventually 60 has "^deployment deployed .*$(head_short)" 1
    on systemctl stop greeter.service
    eventually 60 has '^repair repaired' 1
    expect serves "$(head_commit)"
    alone where "$host"
    expect_says "besides .*repaired $host"
}

test_while_the_remote_is_away_entries_wait_and_come_once() {
    mv "$work/remote.git" "$work/away.git"
    on systemctl stop greeter.service
    says_status() { hf status > /dev/null; grep -Eq -- "$1" "$work/out"; }
    eventually 60 says_status 'audit branch  failing since .*, 1 waiting'
    stop_controller
    start_controller
    sleep 3
    mv "$work/away.git" "$work/remote.git"
    eventually 90 has '^repair repaired' 2
    sleep 3
    expect has '^repair repaired' 2
    sound
    expect_not says_status 'audit branch  failing'
}

test_a_controller_that_is_killed_while_it_writes_writes_once() {
    local point
    for point in audit.written audit.push audit.pushed audit.kept audit.removed; do
        echo "killed at $point"
        stop_controller
        start_controller_with "$point kill"
        echo "# $point" >> "$fleet/app/server.py"
        push "Mention $point"
        eventually 60 ended
        start_controller
        eventually 60 has "^deployment deployed .*$(head_short)" 1
        sleep 2
        expect has "$(head_short)" 1
    done
    sound
}

test_a_branch_that_was_cut_off_is_written_again_and_told() {
    local before
    before=$(entries | wc -l)
    git -C "$work/remote.git" update-ref $branch $branch~3
    eventually 60 grep -q 'audit: the branch holdfast/audit was rewritten on the remote' "$work/controller.log"
    restored() { [ "$(entries | wc -l)" = "$before" ]; }
    eventually 60 restored
    git -C "$work/remote.git" update-ref -d $branch
    eventually 60 restored
    sound
}

test_a_rewritten_branch_is_kept_beside_and_written_again_behind_it() {
    local before all
    all=$(entries | wc -l)
    before=$(git -C "$work/remote.git" rev-parse $branch)
    git clone --quiet --branch holdfast/audit "$work/remote.git" "$work/forger"
    git -C "$work/forger" reset --quiet --hard HEAD~2
    git -C "$work/forger" -c user.name=x -c user.email=x@example.com commit --quiet --allow-empty -m "production: deployed nothing"
    git -C "$work/forger" push --quiet --force origin HEAD:holdfast/audit
    kept() { [ "$(git -C "$work/remote.git" rev-parse --verify --quiet "refs/heads/holdfast/audit-before-${before:0:12}")" = "$before" ]; }
    eventually 60 kept
    again() { [ "$(entries | grep -vc '^ ')" = "$all" ]; }
    eventually 60 again
    alone audit verify .
    expect_code 1
    expect_says 'is no entry: it adds no record'
}

test_people_are_in_it_too() {
    local first
    stop_controller
    first=$(first_commit)
    hf rollback production --to "$first" --reason "the old one was nicer"
    expect_code 0
    expect has "^rollback-asked .*production: asked to go back to ${first:0:12} by .*: the old one was nicer" 1
    expect has "^rollback rolled back production: rolled back on $host to ${first:0:12}: Describe the greeter" 1
    hf retry production
    expect has '^retry' 1
    alone where "$host"
    expect_says "production/$host +$first"
}

test_who_asks_for_what_is_not_there_is_told_so() {
    alone where "nobody@2026-01-01"
    expect_code 1
    expect_says 'has no entry of a host "nobody"'
    alone where "$host@2001-01-01T00:00:00Z"
    expect_code 1
    expect_says 'is before the first entry'
    alone where "$host@yesterday"
    expect_code 1
    expect_says 'is no time'
    alone show 999999
    expect_code 1
}

run_tests
