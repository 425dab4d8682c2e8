#!/bin/bash
# Everything that happened is told once: by the branch in a fresh clone and to a sink, whatever is killed or away. On folders as hosts.
. "$(dirname "$0")/lib.sh"
begin
sink=$work/sink
rm -r "$fleet/deploy" "$fleet/app"
mkdir -p "$fleet/deploy/motd" "$sink" "$work/web1/etc" "$work/web2/etc"
echo "0123456789abcdef0123456789abcdef" > "$sink/secret"
touch "$sink/told"
"$lab" in python3 "$top/tests/hosts/notify_sink.py" "$sink" > "$work/sink.log" 2>&1 < /dev/null &
sink_job=$!
end_sink() {
    kill "$sink_job" 2> /dev/null
    clean_up
}
trap end_sink EXIT
for _ in $(seq 100); do [ -s "$sink/port" ] && break; sleep 0.1; done
echo "http://127.0.0.1:$(cat "$sink/port")/hook" > "$sink/url"
cat >> "$work/holdfast.yaml" <<END
  notify:
    - {name: hook, to: {webhook: {urlFile: $sink/url, secretFile: $sink/secret}}}
END

# policy [MORE] [WINDOW]
policy() {
    cat > "$fleet/deploy/production.yaml" <<END
apiVersion: holdfast.dev/v1
kind: Environment
metadata: {name: production}
spec:
  track: {branch: main}
  paths: [deploy/motd]
  health: {window: ${2:-2s}, interval: 500ms, passes: 1}
  hosts:
    - {name: web1, connection: local, root: $work/web1}
    - {name: web2, connection: local, root: $work/web2}
${1:-}
END
}
# say_motd TEXT: a commit, pushed. Hosts are healthy while they do not say "bad".
say_motd() {
    cat > "$fleet/deploy/motd/motd.yaml" <<END
apiVersion: holdfast.dev/v1
kind: File
metadata: {name: motd}
spec: {path: /etc/motd, text: "$1\\n"}
---
apiVersion: holdfast.dev/v1
kind: HealthCheck
metadata: {name: no-bad-word}
spec: {command: {argv: [sh, -c, "! grep -q bad $work/web1/etc/motd"]}}
END
    push "Say $1"
    now_at
}
# now_at: the commit that is wanted, in $sha; each test has a shell of its own.
now_at() { sha=$(head_commit | cut -c1-12); }
motd_is() { [ "$(cat "$work/$1/etc/motd" 2> /dev/null)" = "$2" ]; }
both_say() { motd_is web1 "$1" && motd_is web2 "$1"; }
status_says() { hf status > /dev/null; grep -Eq -- "$1" "$work/out"; }
is_fine() { hf status > /dev/null; [ "$code" = 0 ] && ! grep -q 'audit branch' "$work/out"; }

# A life of the controller; all of them write to one log.
live() {
    "$lab" in "$holdfast" --config "$work/holdfast.yaml" run --log-level debug >> "$work/lives.log" 2>&1 < /dev/null &
    echo $! > "$work/controller.pid"
}
die() {
    local pid
    pid=$(cat "$work/controller.pid")
    rm "$work/controller.pid"
    kill -KILL "$pid"
    wait "$pid" 2> /dev/null || true
}
cycles() { grep -c 'turn took' "$work/lives.log"; }
passed() { [ "$(cycles)" -ge "$1" ]; }

# happened EVENT HOSTS REVISION: what the branch must have once, besides all that was said before.
happened() { echo "$*" >> "$work/happened"; }
# entries: the same lines, from a fresh clone.
entries() {
    rm -rf "${work:?}/clone"
    git clone --quiet --branch holdfast/audit "$work/remote.git" "$work/clone" 2> /dev/null || return 0
    git -C "$work/clone" log --format='%(trailers:key=Event,valueonly,separator=) %(trailers:key=Hosts,valueonly,separator=) %(trailers:key=Revision,valueonly,separator=)' |
        sed -E 's/([0-9a-f]{12})[0-9a-f]{28}$/\1/; s/ +/ /g; s/ $//'
}
has_entry() { entries | grep -q "^$1"; }
tells_it_all() { [ "$(entries | sort)" = "$(sort "$work/happened")" ]; }
expect_all_told_once() {
    eventually 90 tells_it_all || { diff <(entries | sort) <(sort "$work/happened") | sed 's/^</ too much:/; s/^>/ missing:/' >&2; return 1; }
    sleep 3
    expect tells_it_all
}
# told EVENT REVISION N: so often, by different notifications.
told() { [ "$(grep "^$1 .* $2$" "$sink/told" | sort -u | wc -l)" = "$3" ]; }
# heard_of_source N: so many messages about the repository and its branches, of which each is about something else.
heard_of_source() { [ "$(grep "^source " "$sink/told" | sort -u | wc -l)" = "$1" ]; }

policy

test_a_hundred_cycles_on_a_bad_commit_are_one_apply_one_rollback_one_notification() {
    say_motd good
    live
    eventually 90 both_say good
    happened deployment web1 "$sha"
    happened deployment web2 "$sha"
    eventually 90 told deployed "$sha" 1
    echo 500 > "$sink/answer"
    say_motd bad
    happened rollback web1 "$sha"
    echo "$sha" > "$work/bad"
    eventually 90 status_says 'held'
    local begun life
    begun=$(cycles)
    for life in 1 2 3 4 5; do  # 8 polls of the daemon and 12 applies in each
        eventually 90 passed $((begun + 8 * life))
        # stopped in three lives, killed in two; the sink hears of it in the fourth
        if [ $((life % 2)) = 0 ]; then die; else stop_controller; fi
        [ $life != 3 ] || { expect told rolled-back "$sha" 0; rm "$sink/answer"; }
        for _ in $(seq 12); do
            hf apply production
            expect_code 3
        done
        live
    done
    expect passed $((begun + 40))
    expect motd_is web1 good
    eventually 90 told rolled-back "$sha" 1
    sleep 3
    expect told rolled-back "$sha" 1
    expect told deployed "$sha" 0
    expect_equal 1 "$(grep -c "applying $sha" "$work/lives.log")" "the number of times that it was applied"
    expect_equal 1 "$("$runner" --root "$work/web1" history --json | grep -o "$(head_commit)" | wc -l)" "what the host knows of it"
    expect_equal 0 "$("$runner" --root "$work/web2" history --json | grep -c "$(head_commit)")" "what the other host knows of it"
    expect_all_told_once
}

test_deployments_that_were_approved_tell_by_whom() {
    policy '  approval: {unsigned: allowed}'
    say_motd approved
    eventually 90 status_says 'must be approved'
    hf approve production --reason "release day"
    eventually 90 both_say approved
    die
    live
    happened approval "web1, web2" "$sha"
    happened deployment web1 "$sha"
    happened deployment web2 "$sha"
    expect_all_told_once
    expect_equal 2 "$(git -C "$work/clone" log --grep '^Event: deployment' --grep "^Revision: $(head_commit)" --all-match --format='%(trailers:key=Approved-by,valueonly,separator=)' | grep -c '@')" "deployments with who approved them"
    eventually 90 told deployed "$sha" 1
}

test_repairs_are_told_once_while_the_remote_is_away_and_the_controller_dies() {
    local host
    now_at
    mv "$work/remote.git" "$work/away.git"
    for host in web1 web2; do
        echo vandal > "$work/$host/etc/motd"
        eventually 90 both_say approved
        die
        live
        happened repair $host "$sha"
    done
    eventually 90 heard_of_source 1  # it does not answer
    mv "$work/away.git" "$work/remote.git"
    eventually 90 heard_of_source 2
    expect_all_told_once
    git -C "$work/clone" log -1 --format= --name-only --grep '^Event: repair' > "$work/file"
    python3 - "$work/clone/$(cat "$work/file")" <<'END'
import json, sys
record = json.load(open(sys.argv[1]))
made = record["details"]["changed_by"]
assert [one["id"] for one in made] == ["file:/etc/motd"], made
assert made[0]["at_ms"] > 0 and made[0]["by"], made
END
}

test_what_people_decide_is_told_once() {
    local seen
    now_at
    seen=$sha
    hf suspend production --host web1 --reason "trying something" --for 1h
    happened suspend web1
    echo "by hand" > "$work/web1/etc/motd"
    eventually 90 status_says 'drift is left as it is'
    hf capture web1
    expect_code 0
    happened capture web1 "$(git -C "$work/remote.git" for-each-ref --format='%(objectname)' refs/heads/holdfast/capture | cut -c1-12)"
    die
    live
    hf resume production --host web1 --yes
    happened resume web1
    eventually 90 both_say approved
    happened repair web1 "$seen"
    policy '  freezes: [{from: 2020-01-01, to: 2120-01-01, reason: holidays}]'
    say_motd urgent
    eventually 90 status_says 'frozen until'
    hf override production --reason "the site is down"
    happened override "$sha"
    eventually 90 both_say urgent
    happened override "$sha"
    happened deployment web1 "$sha"
    happened deployment web2 "$sha"
    hf rollback production --to "$seen" --reason "not what we meant"
    happened rollback-asked "$seen"
    eventually 90 both_say approved
    happened rollback web1 "$seen"
    happened rollback web2 "$seen"
    expect_all_told_once
    expect_equal 1 "$(git -C "$work/clone" log --format=%s | grep -c "production: override used $sha by .*: the site is down")" "entries of the override's use"
}

test_what_a_fix_took_the_place_of_is_told_once() {
    now_at
    hf retry production
    happened retry
    eventually 90 both_say urgent
    happened deployment web1 "$sha"
    happened deployment web2 "$sha"
    policy "" 10m
    say_motd calm
    eventually 90 both_say calm
    happened deployment web1 "$sha"
    happened deployment web2 "$sha"
    local calm=$sha
    say_motd "bad again"
    happened superseded web1 "$sha"
    local bad=$sha
    eventually 90 motd_is web1 "bad again"
    say_motd mended
    eventually 90 both_say mended
    happened deployment web1 "$sha"
    happened deployment web2 "$sha"
    expect_all_told_once
    git -C "$work/clone" log --format=%s > "$work/subjects"
    expect grep -q "production: undone on web1 to $calm from $bad before it was judged: superseded by $sha" "$work/subjects"
    expect told rolled-back "$bad" 0
}

test_the_root_branch_is_told_when_it_can_not_be_followed_and_when_it_can() {
    local good
    good=$(head_commit)
    expect heard_of_source 2
    git -C "$fleet" commit --quiet --amend -m "Say it otherwise"
    git -C "$fleet" push --quiet --force origin HEAD:main
    eventually 90 heard_of_source 3
    die
    live
    sleep 3
    expect heard_of_source 3
    git -C "$fleet" reset --quiet --hard "$good"
    git -C "$fleet" push --quiet --force origin HEAD:main
    eventually 90 heard_of_source 4
    eventually 90 is_fine
    expect_all_told_once
}

test_in_the_end_the_chain_holds_and_no_entry_is_there_twice() {
    stop_controller
    code=0
    (cd "$work/clone" && env -u HOLDFAST_CONFIG HOME="$work" "$holdfast" audit verify .) > "$work/out" 2>&1 || code=$?
    expect_code 0
    expect_says 'the chain holds'
    expect_equal "" "$(git -C "$work/clone" log --format='%(trailers:key=Entry,valueonly,separator=)' | sort | uniq -d)" "ids that are there twice"
}

run_tests
