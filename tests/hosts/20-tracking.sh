#!/bin/bash
# What an environment follows, on a folder as its host: releases by pattern, and what must not be followed.
. "$(dirname "$0")/lib.sh"
begin
place=$work/place
mkdir -p "$place/etc"
rm -r "$fleet/deploy" "$fleet/app"
mkdir -p "$fleet/deploy/motd"

# follow TRACK: the environment follows that.
follow() {
    cat > "$fleet/deploy/production.yaml" <<END
apiVersion: holdfast.dev/v1
kind: Environment
metadata: {name: production}
spec:
  track: {$1}
  paths: [deploy/motd]
  health: {window: 2s, interval: 500ms, passes: 1}
  hosts: [{name: here, connection: local, root: $place}]
END
}
# say_motd TEXT: a commit on the branch that is checked out, pushed.
say_motd() {
    cat > "$fleet/deploy/motd/motd.yaml" <<END
apiVersion: holdfast.dev/v1
kind: File
metadata: {name: motd}
spec: {path: /etc/motd, text: "$1\\n"}
END
    git -C "$fleet" add --all
    git -C "$fleet" commit --quiet -m "Say $1"
    git -C "$fleet" push --quiet --force origin HEAD
}
# release VERSION [OPTION...]: a commit and its tag, pushed.
release() {
    local tag=$1
    shift
    say_motd "$tag"
    git -C "$fleet" tag "$@" "$tag"
    git -C "$fleet" push --quiet --force origin "refs/tags/$tag"
}
motd() { cat "$place/etc/motd"; }
motd_is() { [ "$(motd)" = "$1" ]; }
says_status() { hf status > /dev/null; grep -Eq -- "$1" "$work/out"; }

follow 'tag: "v*", branch: main'
release v1.9.0
release v1.10.0 -a -m "Ten"
say_motd "not released"

test_the_newest_release_is_applied() {
    hf plan production
    expect_code 2
    expect_says 'tags v\* of branch main, v1.10.0'
    converge
    expect_equal v1.10.0 "$(motd)"
    hf status
    expect_code 0
    expect_says 'follows tags v\* of branch main at [0-9a-f]{12} \(v1.10.0\)'
    hf --output json status
    expect_says '"accepted_tag": "v1.10.0"'
}

test_a_commit_without_a_tag_and_a_prerelease_change_nothing() {
    release v2.0.0-rc.1
    hf plan production
    expect_code 0
}

test_a_higher_release_is_followed_and_a_lower_one_is_not() {
    release v1.10.1
    converge
    expect_equal v1.10.1 "$(motd)"
    release v1.9.1
    hf apply production
    expect_code 0
    expect_equal v1.10.1 "$(motd)"
}

test_a_tag_on_another_branch_is_no_release() {
    git -C "$fleet" checkout --quiet -b topic
    release v7.0.0
    git -C "$fleet" checkout --quiet main
    hf plan production
    expect_code 0
}

test_a_tag_that_moved_is_refused_and_drift_is_still_repaired() {
    git -C "$fleet" tag --force v1.10.1 HEAD > /dev/null
    git -C "$fleet" push --quiet --force origin refs/tags/v1.10.1
    echo vandal > "$place/etc/motd"
    hf apply production
    expect_code 4
    expect_says 'tag v1.10.1 moved to'
    expect_equal v1.10.1 "$(motd)"
    hf status
    expect_code 4
    expect_says 'rewritten'
}

test_a_deleted_tag_keeps_what_was_released() {
    git -C "$fleet" push --quiet origin :refs/tags/v1.10.1
    hf apply production
    expect_code 4
    expect_says 'tag v1.10.1 is not in the repository any more'
    expect_equal v1.10.1 "$(motd)"
    release v1.11.0
    converge
    expect_equal v1.11.0 "$(motd)"
}

test_a_tag_by_its_name_is_changed_on_the_root_branch() {
    follow 'tag: v1.9.0'
    say_motd "by name"
    converge
    expect_equal v1.9.0 "$(motd)"
    follow 'tag: v1.11.0'
    say_motd "by another name"
    converge
    expect_equal v1.11.0 "$(motd)"
}

test_a_repository_that_is_away_is_told_and_drift_is_still_repaired() {
    start_controller
    eventually 20 says_status 'following|follows'
    mv "$work/remote.git" "$work/away.git"
    eventually 20 says_status 'source stale since .*there is no directory .*what was accepted last stays in force'
    expect_code 1
    echo vandal > "$place/etc/motd"
    eventually 20 motd_is v1.11.0
    expect_equal 1 "$(grep -c 'source stale' "$work/controller.log")" "the number of lines about it"
    mv "$work/away.git" "$work/remote.git"
    eventually 20 grep -q 'the repository answers again' "$work/controller.log"
    hf status
    expect_code 0
    expect_silent 'stale'
}

test_a_rewritten_root_branch_gives_no_host_another_address() {
    local before
    before=$(head_commit)
    git -C "$fleet" checkout --quiet --orphan other
    sed -i 's/name: here, connection: local, root: .*}/name: here, address: evil.example.com}/' "$fleet/deploy/production.yaml"
    push "Rewrite it" > /dev/null
    eventually 20 says_status "rewritten since .*does not descend from ${before:0:12}"
    expect_code 4
    hf apply production
    expect_says 'warning: the root branch main was rewritten'
    expect_equal v1.11.0 "$(motd)"
    stop_controller
}

run_tests
