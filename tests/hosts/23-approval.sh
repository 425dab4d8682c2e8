#!/bin/bash
# Approvals: a commit waits for the right people, for this plan, once; on folders as hosts.
. "$(dirname "$0")/lib.sh"
begin
rm -r "$fleet/deploy" "$fleet/app"
mkdir -p "$fleet/deploy/motd" "$fleet/keys" "$work/gpg"
chmod 700 "$work/gpg"
for name in web1 web2; do mkdir -p "$work/$name/etc"; done
for name in ada bob eve; do ssh-keygen -q -t ed25519 -N "" -C "$name" -f "$work/$name"; done
export GNUPGHOME=$work/gpg
gpg --batch --quiet --passphrase "" --quick-gen-key carol@example.com ed25519 sign never 2> /dev/null
gpg --armor --export carol@example.com > "$fleet/keys/carol.asc"
stop_gpg() { gpgconf --kill gpg-agent; }
trap 'stop_gpg; clean_up' EXIT

# policy MORE: the environment asks for approval.
policy() {
    cat > "$fleet/deploy/production.yaml" <<END
apiVersion: holdfast.dev/v1
kind: Environment
metadata: {name: production}
spec:
  track: {branch: main}
  paths: [deploy/motd]
  health: {window: 2s, interval: 500ms, passes: 1}
  hosts:
    - {name: web1, connection: local, root: $work/web1}
    - {name: web2, connection: local, root: $work/web2}
  approval:
    approvers:
      - {name: Ada, ssh: "$(cat "$work/ada.pub")", mail: ada@example.com}
      - {name: Bob, ssh: "$(cat "$work/bob.pub")", mail: bob@example.com}
      - {name: Carol, openpgp: keys/carol.asc}
$1
END
}
# say_motd TEXT: a commit, pushed.
say_motd() {
    cat > "$fleet/deploy/motd/motd.yaml" <<END
apiVersion: holdfast.dev/v1
kind: File
metadata: {name: motd}
spec: {path: /etc/motd, text: "$1\\n"}
END
    push "Say $1"
}
motd_is() { [ "$(cat "$work/${2:-web1}/etc/motd" 2> /dev/null)" = "$1" ]; }
tags() { git -C "$work/remote.git" tag --list 'holdfast/approve/*'; }
newest_tag() { git -C "$work/remote.git" tag --list 'holdfast/approve/production/*' --sort=-v:refname | head -n 1; }
# waits WORDS: it does not go out, and says so.
waits() {
    hf apply production
    expect_code 3
    hf status
    expect_says "waits since .*$1"
}

policy ""
say_motd one

test_a_commit_waits_and_says_for_what() {
    waits 'it must be approved: `holdfast approve production [0-9a-f]{12} --reason TEXT`'
    expect_not motd_is one
}

test_who_is_no_approver_is_refused_before_a_tag_is_pushed() {
    hf approve production --reason "I may" --key "$work/eve"
    expect_code 4
    expect_says 'not approved: .*approvers are Ada, Bob, Carol'
    hf approve production --reason "No key"
    expect_code 4
    expect_equal "" "$(tags)" "the list of tags"
}

test_an_approval_shows_the_plan_and_lets_the_commit_out_once() {
    hf approve production --reason "release day" --key "$work/ada"
    expect_code 0
    expect_says '/etc/motd'
    expect_says 'approved [0-9a-f]{12} for production as holdfast/approve/production/1'
    git -C "$work/remote.git" cat-file tag holdfast/approve/production/1 > "$work/tag"
    expect grep -q '^Environment: production$' "$work/tag"
    expect grep -q '^Reason: release day$' "$work/tag"
    expect grep -q 'BEGIN SSH SIGNATURE' "$work/tag"
    hf apply production
    expect_code 0
    expect_says 'is approved by Ada \(holdfast/approve/production/1\): release day'
    expect motd_is one web1
    expect motd_is one web2
}

test_drift_is_repaired_without_approval() {
    echo drift > "$work/web1/etc/motd"
    hf apply production
    expect_code 0
    expect motd_is one
}

test_an_approval_does_not_hold_for_another_commit_or_name() {
    say_motd two
    waits 'it must be approved'
    # the same tag object under another number, and a new tag by the wrong key
    git -C "$work/remote.git" update-ref refs/tags/holdfast/approve/production/2 refs/tags/holdfast/approve/production/1
    waits 'it must be approved'
    git -C "$fleet" fetch --quiet --tags origin
    git -C "$fleet" -c gpg.format=ssh -c user.signingkey="$work/eve" tag -s -F <(git -C "$work/remote.git" for-each-ref --format='%(contents:subject)

%(contents:body)' refs/tags/holdfast/approve/production/1 | sed "s/^Commit: .*/Commit: $(head_commit)/") holdfast/approve/production/3
    git -C "$fleet" push --quiet origin refs/tags/holdfast/approve/production/3
    waits 'production/3 does not count: '
    git -C "$fleet" tag holdfast/approve/production/4
    git -C "$fleet" push --quiet origin refs/tags/holdfast/approve/production/4
    waits 'it must be approved'
    expect motd_is one
}

test_an_approval_holds_for_the_plan_that_was_shown() {
    hf approve production --reason "second" --key "$work/bob"
    expect_code 0
    echo drift > "$work/web2/etc/motd"
    waits 'approved by Bob for another plan .*web2 differs now by file:/etc/motd; approve again'
    expect motd_is one web1
    # the last verified state was put back meanwhile, so the plan is what it was
    hf apply production
    expect_code 0
    expect motd_is two web1
    expect motd_is two web2
}

test_an_openpgp_key_approves_and_a_deleted_approval_does_not_count() {
    say_motd three
    hf approve production --reason "third" --openpgp carol@example.com
    expect_code 0
    expect_says "as $(newest_tag)"
    echo edited > "$work/web2/etc/motd"
    waits 'approved by Carol for another plan'
    git -C "$work/remote.git" tag -d "$(newest_tag)" > "$work/deleted"
    waits 'does not count: it was deleted after it had counted'
    expect motd_is two web1
    hf approve production --reason "third again" --openpgp carol@example.com
    hf apply production
    expect_code 0
    expect motd_is three web2
}

test_two_people_are_two_people() {
    policy '    count: 2'
    say_motd four
    hf approve production --reason "one of two" --key "$work/ada"
    hf approve production --reason "the same again" --key "$work/ada"
    waits 'approved by 2 people.*approved so far by Ada'
    hf approve production --reason "two of two" --key "$work/bob"
    hf apply production
    expect_code 0
    expect motd_is four
}

test_of_two_people_who_approve_at_once_both_count() {
    local last ada
    say_motd "four at once"
    last=$(newest_tag)
    echo "approve.push wait" > "$work/failpoints"
    HOLDFAST_FAILPOINTS=$work/failpoints "$lab" in "$holdfast" --config "$work/holdfast.yaml" --state "$work/state-of-ada" \
        approve production --reason "at once" --key "$work/ada" > "$work/ada.out" 2>&1 &
    ada=$!
    eventually 30 test -s "$work/failpoints.hit"
    hf approve production --reason "at once, too" --key "$work/bob"
    expect_code 0
    expect_says "as holdfast/approve/production/$((${last##*/} + 1))\$"
    touch "$work/failpoints.go"
    wait $ada
    cat "$work/ada.out"
    expect grep -q "as holdfast/approve/production/$((${last##*/} + 2))\$" "$work/ada.out"
    hf apply production
    expect_code 0
    expect motd_is "four at once"
}

test_nobody_approves_his_own_commit() {
    policy '    notAuthor: true'
    git -C "$fleet" config user.email ada@example.com
    say_motd five
    git -C "$fleet" config user.email tester@example.com
    hf approve production --reason "mine" --key "$work/ada"
    expect_code 4
    expect_says 'Ada is the author of commit [0-9a-f]{12}, which comes with it'
    hf approve production --reason "hers" --key "$work/bob"
    hf apply production
    expect_code 0
    expect motd_is five
    GIT_COMMITTER_EMAIL=BOB@example.com say_motd "five, rebased"
    hf approve production --reason "only rebased" --key "$work/bob"
    expect_code 4
    expect_says 'Bob is the committer of commit [0-9a-f]{12}, which comes with it'
    hf approve production --reason "his" --key "$work/ada"
    hf apply production
    expect_code 0
    expect motd_is "five, rebased"
}

test_a_commit_that_failed_needs_another_approval() {
    policy ""
    cat > "$fleet/deploy/motd/check.yaml" <<END
apiVersion: holdfast.dev/v1
kind: HealthCheck
metadata: {name: never}
spec: {command: {argv: [/bin/false]}}
END
    say_motd six
    hf approve production --reason "looks good" --key "$work/ada"
    hf apply production
    expect_code 3
    expect motd_is "five, rebased"
    hf retry production
    waits 'does not count: it was used for a rollout that failed on web'
    expect motd_is "five, rebased"
}

test_only_signed_commits_go_out() {
    rm "$fleet/deploy/motd/check.yaml"
    policy '  signed: required'
    say_motd seven
    hf approve production --reason "unsigned" --key "$work/ada"
    waits 'every commit must be signed by a signer of production: [0-9a-f]{12} by A Tester'
    sed -i "s/^  signed: required/  signed: {since: \"$(head_commit)\"}/" "$fleet/deploy/production.yaml"
    git -C "$fleet" config gpg.format ssh
    git -C "$fleet" config user.signingkey "$work/bob"
    git -C "$fleet" config commit.gpgsign true
    say_motd eight
    hf approve production --reason "signed" --key "$work/ada"
    hf apply production
    expect_code 0
    expect motd_is eight
}

test_a_running_controller_takes_an_approval_at_its_next_poll() {
    say_motd nine
    start_controller
    eventually 20 grep -q 'waits: it must be approved' "$work/controller.log"
    sleep 3
    expect motd_is eight
    expect_equal 1 "$(grep -c 'waits: it must be approved' "$work/controller.log")" "how often it was told"
    hf approve production --reason "go" --key "$work/ada"
    eventually 20 motd_is nine web2
    stop_controller
}
run_tests
