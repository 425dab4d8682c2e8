#!/bin/bash
# A day of a team: commits on develop go to staging, merges to main to production by approval, and in the end a fresh clone
# tells all of it, once each. Approvals that do not count, a window across midnight, a bad release and a remote that is away.
. "$(dirname "$0")/lib.sh"
begin stage live-a live-b

read -r stage first second <<< "$hosts"
for name in ada ben mallory; do ssh-keygen -q -t ed25519 -N "" -C $name -f "$work/$name"; done
rm "$fleet/deploy/production.yaml"

# environment NAME BRANCH HOSTS MEMBERS
environment() {
    local name
    {
        echo "apiVersion: holdfast.dev/v1"
        echo "kind: Environment"
        echo "metadata: {name: $1}"
        echo "spec:"
        echo "  track: {branch: $2}"
        echo "  paths: [deploy/greeter]"
        echo "  vars: {site: $1, port: 8000}"
        echo "  health: {window: 8s, interval: 500ms, passes: 2}"
        echo "  hosts:"
        for name in $3; do
            echo "    - {name: $name, address: $("$lab" ip "$name"), hostKey: \"$("$lab" hostkey "$name")\"}"
        done
        echo "$4"
    } > "$fleet/deploy/$1.yaml"
}
# policy [WINDOW]: of production.
policy() {
    environment production main "$first $second" "  rollout: {wave: 1, pause: 1s, onFailure: rollback-all}
  approval:
    approvers:
      - {name: Ada, ssh: \"$(cat "$work/ada.pub")\", mail: ada@example.com}
      - {name: Ben, ssh: \"$(cat "$work/ben.pub")\", mail: ben@example.com}
    notAuthor: true
${1:+  windows: [$1]}"
}
on_branch() { git -C "$fleet" checkout --quiet "$1"; }
record() {
    git -C "$fleet" add --all
    git -C "$fleet" commit --quiet -m "$1"
}
send() { git -C "$fleet" push --quiet origin HEAD; }
merge() { git -C "$fleet" merge --quiet --no-ff -m "Merge $1" "$1"; }
note_in_app() { echo "# $1" >> "$fleet/app/server.py"; }
live_at() { serves "$1" "$first" && serves "$1" "$second"; }
waits() { hf status production > /dev/null; grep -Eq -- "$1" "$work/out"; }
waits_for_approval() { waits "waits since .*approve production $(head_commit | cut -c1-12)"; }
approve() { hf approve production --reason "$2" --key "$work/$1"; }
history_of() { "$lab" in "$holdfast" --config "$work/holdfast.yaml" --output json history --limit 10000 > "$work/history.json"; }
outcomes() { history_of; python3 -c 'import json,sys; print(*sorted(d["outcome"] for d in json.load(open(sys.argv[1]))["deployments"] if d["commit"] == sys.argv[2]), sep=", ")' "$work/history.json" "$1"; }

# The tags of approvals, as somebody makes them who can push.
tag_ref() { echo "refs/tags/holdfast/approve/production/$1"; }
text_of() { git -C "$work/remote.git" cat-file tag "$(tag_ref "$1")" | sed '/-----BEGIN SSH/,$d'; }
put_tag() { git -C "$work/remote.git" update-ref "$(tag_ref "$1")" "$2"; }
# signed KEY: the text on the standard input as a tag object, signed.
signed() {
    cat > "$work/tag"
    rm -f "$work/tag.sig"
    ssh-keygen -q -Y sign -n git -f "$work/$1" "$work/tag"
    cat "$work/tag" "$work/tag.sig" | git -C "$work/remote.git" hash-object -t tag -w --stdin
}

environment staging develop "$stage" ""
policy
record "Describe both environments"
git -C "$fleet" push --quiet --force origin HEAD:main
git -C "$fleet" checkout --quiet -b develop
git -C "$fleet" push --quiet origin develop

test_both_environments_begin() {
    start_controller
    eventually 120 serves "$(head_commit)" "$stage"
    eventually 90 waits_for_approval
    approve ada "the first day"
    expect_code 0
    eventually 120 live_at "$(head_commit)"
}

test_no_good_commit_fails_because_commits_come_fast() {
    local i
    for i in $(seq 30); do
        if [ $((i % 6)) = 0 ]; then
            git -C "$fleet" checkout --quiet -b "topic$i"
            note_in_app "topic $i"
            record "Topic $i"
            on_branch develop
            merge "topic$i"
        else
            note_in_app "commit $i"
            record "Commit $i"
        fi
        send
        sleep 0.5
    done
    eventually 90 serves "$(head_commit)" "$stage"
    history_of
    expect_not grep -q 'rolled back' "$work/history.json"
}

test_only_the_right_approval_counts() {
    local wanted before
    on_branch main
    before=$(head_commit)
    merge develop
    note_in_app "by Ben"
    git -C "$fleet" -c user.name=Benjamin -c user.email=BEN@example.com commit --quiet --all -m "Write as Ben"
    send
    wanted=$(head_commit)
    eventually 90 waits_for_approval
    approve mallory "please"
    expect_code 4
    approve ben "my own"
    expect_code 4
    expect_says 'not approved: Ben is the author of commit'
    stop_controller
    approve ada "seen"
    expect_code 0
    text_of 2 > "$work/text"
    good=$(git -C "$work/remote.git" rev-parse "$(tag_ref 2)")
    git -C "$work/remote.git" update-ref -d "$(tag_ref 2)"
    put_tag 3 "$(sed 's|production/2|production/3|' "$work/text" | signed mallory)"
    put_tag 4 "$(sed 's|production/2|production/4|' "$work/text" | signed ben)"
    put_tag 5 "$good"
    put_tag 6 "$(git -C "$work/remote.git" rev-parse "$(tag_ref 1)")"
    start_controller
    eventually 90 waits '/5 does not count: it was signed as "holdfast/approve/production/2"'
    expect_says '/4 does not count: Ben is the author of commit'
    expect_says '/3 does not count: its signature is by nobody who may'
    expect live_at "$before"
    approve ada "seen twice"
    eventually 120 live_at "$wanted"
    sleep 3
    expect_equal 1 "$(grep -c "$(echo "$wanted" | cut -c1-12) is approved by" "$work/controller.log")" "the number of approvals that counted"
}

test_a_window_across_midnight_belongs_to_the_day_on_which_it_begins() {
    local hour zone yesterday today
    hour=$(date -u +%-H)
    zone=Etc/GMT+$hour # where it is between midnight and one now
    [ "$hour" -le 12 ] || zone=Etc/GMT-$((24 - hour))
    today=$(TZ=$zone LC_ALL=C date +%a | tr '[:upper:]' '[:lower:]')
    yesterday=$(TZ=$zone LC_ALL=C date -d "$(TZ=$zone date +%F) -1 day" +%a | tr '[:upper:]' '[:lower:]')
    policy "{days: [$today], from: \"23:00\", to: \"02:00\", zone: $zone}"
    record "Open tonight"
    send
    eventually 90 waits_for_approval
    approve ada "in the wrong night"
    eventually 90 grep -q "$(head_commit | cut -c1-12) is approved by Ada" "$work/controller.log"
    expect waits 'outside of its windows'
    expect_not live_at "$(head_commit)"
    policy "{days: [$yesterday], from: \"23:00\", to: \"02:00\", zone: $zone}"
    record "Open last night"
    send
    eventually 90 waits_for_approval
    approve ada "in the right night"
    eventually 120 live_at "$(head_commit)"
    policy
    record "Open always"
    send
    eventually 90 waits_for_approval
    approve ben "as before"
    eventually 120 live_at "$(head_commit)"
}

test_what_fails_on_the_second_host_goes_back_from_both_once() {
    local good bad
    good=$(head_commit)
    change "$fleet/app/server.py" 's/status = "healthy"/status = "no database" if __import__("os").uname().nodename.startswith("live-b") else "healthy"/'
    record "Break it on one host"
    send
    bad=$(head_commit)
    eventually 90 waits_for_approval
    approve ada "looks good"
    eventually 120 waits "$first +held"
    eventually 90 live_at "$good"
    stop_controller
    start_controller
    eventually 90 git -C "$work/remote.git" rev-parse --quiet --verify "refs/heads/holdfast/revert-$(echo "$bad" | cut -c1-12)"
    hf retry production
    eventually 90 waits 'it was used for a rollout that'
    sleep 3
    expect live_at "$good"
    expect_equal "deployed, rolled back" "$(outcomes "$bad")" "what came of it"
    git -C "$fleet" fetch --quiet origin
    merge "origin/holdfast/revert-$(echo "$bad" | cut -c1-12)"
    send
    eventually 90 waits_for_approval
    approve ben "the revert"
    eventually 120 live_at "$(head_commit)"
}

test_while_the_remote_is_away_hosts_are_kept_and_people_heard() {
    mv "$work/remote.git" "$work/away.git"
    eventually 90 waits 'source stale'
    "$lab" exec "$stage" systemctl stop greeter.service
    on_branch develop
    eventually 90 serves "$(head_commit)" "$stage"
    hf suspend production --host "$second" --reason "a new disk" --for 1h
    expect_code 0
    mv "$work/away.git" "$work/remote.git"
    hf resume production --host "$second" --yes
    expect_code 0
    eventually 120 audit_is_written
}
# The repair is in the queue, and nothing is left in it.
audit_is_written() {
    history_of
    grep -q '"repaired"' "$work/history.json" || return 1
    "$lab" in "$holdfast" --config "$work/holdfast.yaml" --output json status > "$work/status.json" || true
    python3 -c 'import json,sys; sys.exit(json.load(open(sys.argv[1]))["audit"]["waiting"] != 0)' "$work/status.json"
}

test_a_fresh_clone_tells_all_of_it_once() {
    local twice
    history_of
    git clone --quiet "$work/remote.git" "$work/clone"
    cd "$work/clone"
    git log --format='%(trailers:key=Transaction,valueonly,separator=)' origin/holdfast/audit | grep . | sort > "$work/told"
    twice=$(uniq -d < "$work/told")
    expect_equal "" "$twice" "what is told twice"
    python3 -c 'import json,sys; print(*sorted(d["transaction"] for d in json.load(open(sys.argv[1]))["deployments"] if d["transaction"] and not d["reason"].startswith("nothing was done")), sep="\n")' "$work/history.json" > "$work/happened"
    expect diff "$work/happened" "$work/told"
    events() { git log --format='%(trailers:key=Event,valueonly,separator=) %s' origin/holdfast/audit | grep -c "^$1 "; }
    expect_equal 7 "$(events approval)" "the number of approvals"
    expect_equal 1 "$(events suspend)" "the number of suspensions"
    expect_equal 1 "$(events resume)" "the number of resumptions"
    expect_equal 1 "$(events repair)" "the number of repairs"
    expect_equal 1 "$(events retry)" "the number of retries"
    mkdir "$work/home"
    env -u HOLDFAST_CONFIG HOME="$work/home" "$holdfast" audit verify .
    for name in $hosts; do
        env -u HOLDFAST_CONFIG HOME="$work/home" "$holdfast" where "$name" > "$work/out"
        expect_says "/$name +$(git rev-parse "origin/$([ "$name" = "$stage" ] && echo develop || echo main)")"
    done
}

run_tests
