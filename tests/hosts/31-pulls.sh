#!/bin/bash
# A pull request has its plan against the live hosts as a comment, and after the merge what came of it; on a folder as its host.
. "$(dirname "$0")/lib.sh"
begin
place=$work/place
mkdir -p "$place/etc"
rm -r "$fleet/deploy" "$fleet/app"
mkdir -p "$fleet/deploy/motd"
cat > "$fleet/deploy/production.yaml" <<END
apiVersion: holdfast.dev/v1
kind: Environment
metadata: {name: production}
spec:
  track: {branch: main}
  paths: [deploy/motd]
  health: {window: 2s, interval: 500ms, passes: 1}
  hosts: [{name: here, connection: local, root: $place}]
END
# say_motd TEXT: a commit.
say_motd() {
    cat > "$fleet/deploy/motd/motd.yaml" <<END
apiVersion: holdfast.dev/v1
kind: File
metadata: {name: motd}
spec: {path: /etc/motd, text: "$1\\n"}
END
    git -C "$fleet" add --all
    git -C "$fleet" commit --quiet -m "Say $1"
}
say_motd first
git -C "$fleet" push --quiet origin HEAD:main
say_motd proposed
git -C "$fleet" push --quiet origin HEAD:refs/pull/7/head

"$lab" in python3 "$top/tests/hosts/forge.py" "$work/port" "$(head_commit)" > "$work/forge.log" 2>&1 < /dev/null &
forge=$!
end_forge() { kill "$forge" 2> /dev/null; clean_up; }
trap end_forge EXIT
for _ in $(seq 100); do [ -s "$work/port" ] && break; sleep 0.1; done
echo secret > "$work/token"
cat >> "$work/holdfast.yaml" <<END
  notify:
    - name: forge
      to: {github: {repository: acme/fleet, tokenFile: $work/token, api: "http://127.0.0.1:$(cat "$work/port")", pullRequests: own}}
END

comments() { "$lab" in curl --silent --max-time 5 "http://127.0.0.1:$(cat "$work/port")/"; }
commented() { comments | grep -Eq -- "$1"; }
first_is_live() { [ "$(cat "$place/etc/motd")" = first ]; }
proposed_is_live() { [ "$(cat "$place/etc/motd")" = proposed ]; }

test_an_open_pull_request_is_told_its_plan() {
    converge
    start_controller
    eventually 60 commented 'holdfast plan forge'
    comments > "$work/out"
    expect_says 'holdfast plan: .production'
    expect_says '\+proposed'
    expect_says '\-first'
    expect first_is_live
}

test_after_the_merge_it_is_told_what_came_of_it() {
    git -C "$fleet" push --quiet origin HEAD:main
    eventually 60 commented 'holdfast outcome production'
    comments > "$work/out"
    expect_says 'deployed'
    expect proposed_is_live
}

run_tests
