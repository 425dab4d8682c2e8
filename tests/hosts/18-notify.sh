#!/bin/bash
# People are told, once: by a daemon over a local host, to a real receiver that fails, hangs and comes back.
. "$(dirname "$0")/lib.sh"
begin
place=$work/place sink=$work/sink
mkdir -p "$place/opt" "$place/etc/systemd/system" "$sink"
rm -r "$fleet/deploy" "$fleet/app"
cp -r "$top/examples/quickstart/fleet-local/." "$fleet/"
rm "$fleet/deploy/environments/staging.yaml"
sed -i "s|/tmp/holdfast-quickstart/production1|$place|g" "$fleet/deploy/environments/production.yaml"
push "Describe the greeter for a folder" > /dev/null

echo "0123456789abcdef0123456789abcdef" > "$sink/secret"
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
touch "$sink/told"

told() { [ "$(grep -c "^$1 .* $(head_commit | cut -c1-12)$" "$sink/told")" = "$2" ]; }
status_says() { hf status > /dev/null; grep -Eq "$1" "$work/out"; }
polls_pass() { for _ in $(seq "$1"); do sleep 1; done; }
start_controller

test_the_test_message_arrives() {
    hf notify test
    expect_code 0
    expect_says 'webhook at 127.0.0.1.: delivered'
    expect grep -q '^test ' "$sink/told"
}

test_a_deployment_is_told_once() {
    eventually 60 told deployed 1
    polls_pass 3
    expect told deployed 1
}

test_a_bad_commit_is_told_once_in_ten_polls() {
    change "$fleet/app/greet" 's/^greeting=.*/greeting=/'
    push "Lose the greeting"
    eventually 60 told rolled-back 1
    polls_pass 10
    expect told rolled-back 1
    expect_equal 0 "$(grep -c '^deployed .* '"$(head_commit | cut -c1-12)" "$sink/told")" "deployments that were told of it"
}

test_a_sink_that_is_down_is_told_by_status_and_hears_it_later() {
    echo 500 > "$sink/answer"
    git -C "$fleet" revert --no-edit HEAD > /dev/null
    echo "# fixed" >> "$fleet/app/greet"
    push "Fix it"
    eventually 60 status_says 'notify hook  failing since .*, 1 waiting: answered 500'
    expect told deployed 0
    # The controller dies while it waits, and the sink works when it is back.
    kill -KILL "$(cat "$work/controller.pid")"
    rm "$sink/answer"
    start_controller
    eventually 60 told deployed 1
    eventually 30 status_says 'converged'
    expect_equal 0 "$(grep -c failing "$work/out")" "sinks that fail"
    polls_pass 3
    expect told deployed 1
}

test_a_sink_that_hangs_delays_no_deployment() {
    local begun
    echo 8 > "$sink/delay"
    sed -i 's/^greeting=.*/greeting="Hey"/' "$fleet/app/greet"
    push "Greet briefly"
    begun=$SECONDS
    greets() { "$place/opt/greeter/app/greet" | grep -q "release $(head_commit | cut -c1-12)"; }
    eventually 30 greets
    sed -i 's/^greeting=.*/greeting="Ahoy"/' "$fleet/app/greet"
    push "Greet like sailors"
    eventually 30 greets
    expect test $((SECONDS - begun)) -lt 30
    rm "$sink/delay"
    eventually 60 told deployed 1
}

test_secrets_are_in_no_log() {
    hf status --output json
    expect_equal 0 "$(cat "$work/controller.log" "$work/out" | grep -c -e '0123456789abcdef0123' -e '/hook')" "secrets shown"
}

run_tests
