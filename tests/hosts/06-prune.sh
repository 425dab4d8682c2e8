#!/bin/bash
# What manifests no longer name goes, but only what holdfast made; what is not its own stays.
. "$(dirname "$0")/lib.sh"
begin web

add_manifest extra <<'END'
apiVersion: holdfast.dev/v1
kind: Directory
metadata: {name: own}
spec: {path: /srv/own}
---
apiVersion: holdfast.dev/v1
kind: File
metadata: {name: own}
spec: {path: /srv/own/file, text: "mine\n"}
---
apiVersion: holdfast.dev/v1
kind: Directory
metadata: {name: filled}
spec: {path: /srv/filled}
---
apiVersion: holdfast.dev/v1
kind: File
metadata: {name: found}
spec: {path: /etc/found, text: "theirs, then mine\n"}
---
apiVersion: holdfast.dev/v1
kind: SystemdUnit
metadata: {name: ticker.service}
spec:
  text: |
    [Service]
    ExecStart=/bin/sleep infinity
    [Install]
    WantedBy=multi-user.target
  state: running
END
push "Add what goes again" > /dev/null

test_everything_is_made_beside_what_was_there() {
    shell 'echo theirs > /etc/found'
    converge
    shell 'echo data > /srv/filled/data'
    expect_equal "active" "$(on systemctl is-active ticker.service)"
}

test_the_plan_shows_what_would_be_removed() {
    rm "$fleet/deploy/greeter/extra.yaml"
    push "Take it away"
    hf plan production
    expect_code 4  # three of twelve resources are more than a fifth
    expect_says '/srv/own/file'
    expect_says '3 of 12 resources would be removed'
    expect_silent '- [a-z]+:/opt/greeter'
}

test_what_holdfast_made_is_removed() {
    hf apply production --allow-prune
    expect_code 0
    expect_not on test -e /srv/own
    expect_not on test -e /etc/systemd/system/ticker.service
    expect_not on systemctl is-active --quiet ticker.service
    expect serves "$(head_commit)"
}

test_a_directory_with_data_and_a_file_that_was_there_before_stay() {
    expect_equal data "$(on cat /srv/filled/data)"
    expect on test -e /etc/found
}

test_nothing_is_left_to_do() {
    hf plan production
    expect_code 0
}

test_old_releases_go_and_the_last_ones_stay() {
    local n
    for n in 1 2 3 4 5; do
        echo "# $n" >> "$fleet/app/server.py"
        push "Release $n"
        converge
    done
    expect_equal 3 "$(shell 'ls /opt/greeter/releases | wc -l')" "the number of releases"
    expect on test -d "/opt/greeter/releases/$(head_commit)"
    hf plan production
    expect_code 0
}

run_tests
