#!/bin/bash
# Webhooks: a push to a plain repository begins its rollout within seconds, and nothing else that is sent does anything.
. "$(dirname "$0")/lib.sh"
begin
place=$work/place
port=19443
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
openssl rand -hex 32 > "$work/secret"
chmod 600 "$work/secret"
sed -i 's/poll: 1s/poll: 10m/' "$work/holdfast.yaml"
echo "  webhook: {listen: \"127.0.0.1:$port\", secretFile: $work/secret}" >> "$work/holdfast.yaml"

# say_motd TEXT: commits it and pushes it.
say_motd() {
    cat > "$fleet/deploy/motd/motd.yaml" <<END
apiVersion: holdfast.dev/v1
kind: File
metadata: {name: motd}
spec: {path: /etc/motd, text: "$1\\n"}
END
    push "Say $1"
}
motd_is() { [ "$(cat "$place/etc/motd" 2>/dev/null)" = "$1" ]; }
# send BODY OPTION...: a delivery; the answer's status.
send() {
    local body=$1
    shift
    "$lab" in curl --silent --max-time 5 --output /dev/null --write-out '%{http_code}' --data-binary "$body" "$@" \
        "http://127.0.0.1:$port/webhook"
}
# The hook that the documentation gives, with this receiver's port and secret.
install_hook() {
    sed -n '/^#!\/bin\/sh/,/^```/p' "$top/docs/webhooks.md" | grep -v '^```' |
        sed "s|/etc/holdfast/webhook.secret|$work/secret|; s|127.0.0.1:9443|127.0.0.1:$port|" > "$work/hook"
    printf '#!/bin/sh\nHOLDFAST_LAB=%s exec %s in sh %s\n' "$HOLDFAST_LAB" "$lab" "$work/hook" \
        > "$work/remote.git/hooks/post-receive"
    chmod +x "$work/remote.git/hooks/post-receive"
}

say_motd one
start_controller

test_it_begins_without_a_webhook() {
    eventually 30 motd_is one
    expect grep -q "webhooks are received at http://127.0.0.1:$port/webhook" "$work/controller.log"
}

test_a_push_is_rolled_out_within_five_seconds() {
    local begun
    install_hook
    for word in two three four; do
        begun=$(date +%s%N)
        say_motd "$word"
        eventually 10 motd_is "$word"
        echo "$word: $((($(date +%s%N) - begun) / 1000000)) ms from the push to the change"
        expect [ $((($(date +%s%N) - begun) / 1000000)) -lt 5000 ]
    done
}

test_forged_deliveries_do_nothing() {
    rm "$work/remote.git/hooks/post-receive"
    say_motd five
    for _ in $(seq 20); do
        expect_equal 401 "$(send '{}' -H "X-Hub-Signature-256: sha256=$(printf '%064d' 0)")" "the status"
    done
    expect_equal 401 "$(send '{}')" "the status"
    sleep 2
    expect motd_is four
    expect_equal 1 "$(grep -c 'without a right signature' "$work/controller.log")" "the number of lines about them"
}

test_a_genuine_delivery_about_something_else_is_no_more_than_a_poll() {
    local body='{"ref": "refs/heads/evil", "after": "0000000000000000000000000000000000000001"}' mac
    mac=$(printf %s "$body" | openssl dgst -sha256 -hmac "$(cat "$work/secret")" -r | cut -d' ' -f1)
    expect_equal 202 "$(send "$body" -H "X-Hub-Signature-256: sha256=$mac" -H "X-GitHub-Delivery: a")" "the status"
    eventually 10 motd_is five
    expect_equal 200 "$(send "$body" -H "X-Hub-Signature-256: sha256=$mac" -H "X-GitHub-Delivery: a")" "the status"
}

test_it_ends_when_told_to() {
    local pid
    pid=$(cat "$work/controller.pid")
    kill -TERM "$pid"
    eventually 5 gone "$pid"
}
gone() { ! kill -0 "$1" 2>/dev/null; }

run_tests
