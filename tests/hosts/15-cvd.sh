#!/bin/bash
# examples/cvd on a booted host: everything that its runbook asked for by hand.
. "$(dirname "$0")/lib.sh"

domain=cvd.example.com

# The example as it is, with the lab's host as its production.
make_fleet() {
    fleet=$work/fleet
    "$lab" serve-apt python3-flask gunicorn > /dev/null
    git init --quiet --bare --initial-branch=main "$work/remote.git"
    git init --quiet --initial-branch=main "$fleet"
    git -C "$fleet" config user.name "A Tester"
    git -C "$fleet" config user.email tester@example.com
    git -C "$fleet" remote add origin "$work/remote.git"
    cp -r "$top/examples/cvd/fleet/." "$fleet/"
    sed -i -E "s|name: production1, address: [^,]*, hostKey: \"[^\"]*\"|name: $host, address: $("$lab" ip "$host"), hostKey: \"$("$lab" hostkey "$host")\"|" \
        "$fleet/deploy/environments.yaml"
    sed -i "s/window: 60s/window: 30s/" "$fleet/deploy/environments.yaml"
    write_config
    push "Describe CVD" > /dev/null
}
begin cvd

# browse PATH [CURL-ARGUMENT...]: over TLS from outside of the host.
browse() {
    local path=$1
    shift
    "$lab" in curl --silent --insecure --max-time 10 --resolve "$domain:443:$("$lab" ip "$host")" "$@" "https://$domain$path"
}
serves() { [[ $(browse /health) == *$1*healthy* ]]; }
secret() { shell "sed -n 's/^$1=\"\(.*\)\"/\1/p' /opt/cvd/config/cvd.env"; }
log_in() { browse /login --cookie-jar "$work/cookies" --header 'Accept: application/json' --data name=admin --data-urlencode "password=$1"; }
devices() { browse /api/devices --cookie "$work/cookies" --header 'Accept: application/json' "$@"; }
database() { on sqlite3 -readonly /opt/cvd/data/cvd.db "$1"; }
migrations() { database 'SELECT name FROM schema_migrations' | tr '\n' ' '; }
with_migration() {
    echo "$2" > "$fleet/app/migrations/$1.up.sql"
    echo "$3" > "$fleet/app/migrations/$1.down.sql"
}
# refused: what was pushed last is rolled back, and the release before serves with its data.
refused() {
    local good=$1
    hf apply production
    expect_code 3
    expect serves "$good"
    expect_equal "0001_accounts 0002_devices " "$(migrations)"
    expect_equal ok "$(database 'PRAGMA integrity_check')"
    [[ $(devices) == *pump* ]] || fail "the devices are still there"
    git -C "$fleet" revert --no-edit HEAD > /dev/null
    git -C "$fleet" push --quiet origin HEAD:main
    converge
}

test_the_first_change_brings_everything_up() {
    converge
    expect serves "$(head_commit)"
    expect_equal "0001_accounts 0002_devices " "$(migrations)"
}

test_a_second_run_changes_nothing() {
    expect_equal "" "$(plan_ids)"
    local before
    before=$(invocation cvd.service)
    converge
    expect_equal "$before" "$(invocation cvd.service)"
}

test_who_logs_in_adds_devices() {
    [[ $(devices -o /dev/null -w '%{http_code}') == 401 ]] || fail "the devices need a login"
    [[ $(log_in wrong) == *unknown* ]] || fail "a wrong password is refused"
    [[ $(log_in "$(secret ADMIN_PASSWORD)") == *admin* ]] || fail "the generated password opens"
    [[ $(devices --data name=pump --data location=cellar) == *pump* ]] || fail "a device is added"
    [[ $(browse /devices --cookie "$work/cookies") == *pump*cellar* ]] || fail "the page shows it"
    expect_equal "pump|admin" "$(database 'SELECT name, added_by FROM devices')"
}

test_the_site_is_the_seeds_one() {
    local headers
    headers=$("$lab" in curl --silent --head --header "Host: $domain" "http://$("$lab" ip "$host")/devices" | tr -d '\r')
    [[ $headers == *" 301 "*"Location: https://$domain/devices"* ]] || fail "http leads to https: $headers"
    headers=$(browse / --dump-header - --output /dev/null | tr -d '\r')
    for header in 'strict-transport-security: max-age' 'x-frame-options: DENY' 'x-content-type-options: nosniff' 'content-security-policy: default-src'; do
        [[ $headers == *"$header"* ]] || fail "$header in: $headers"
    done
    headers=$(browse /static/style.css --dump-header - --output /dev/null | tr -d '\r')
    [[ $headers == *"max-age=604800"*"x-frame-options"* ]] || fail "static files are cached, with the headers: $headers"
    [[ $(browse / --compressed --dump-header - --output /dev/null) == *"content-encoding: gzip"* ]] || fail "pages are compressed"
    expect_equal 403 "$(browse /health/detailed --output /dev/null --write-out '%{http_code}')"
    [[ $(for _ in $(seq 12); do browse /login --output /dev/null --write-out '%{http_code} ' --data name=x; done) == *429* ]] ||
        fail "logins are limited"
}

test_the_service_is_confined() {
    expect_equal 640:root:cvdapp "$(on stat -c %a:%U:%G /opt/cvd/config/cvd.env)"
    expect_equal cvdapp "$(shell 'stat -c %U /proc/$(systemctl show -P MainPID cvd.service)')"
    for setting in ProtectSystem=strict NoNewPrivileges=yes PrivateTmp=yes MemoryDenyWriteExecute=yes; do
        expect_equal "$setting" "$(on systemctl show -p "${setting%=*}" cvd.service)"
    done
    expect on logrotate --force /etc/logrotate.d/cvd
    eventually 10 shell 'test -s /opt/cvd/logs/access.log.1 && curl -s --unix-socket /run/cvd/gunicorn.sock http://localhost/health > /dev/null && test -s /opt/cvd/logs/access.log'
}

test_a_bad_release_is_rolled_back_with_its_migration_and_the_data_stays() {
    local good
    good=$(head_commit)
    with_migration 0003_serials 'ALTER TABLE devices ADD COLUMN serial TEXT;' 'ALTER TABLE devices DROP COLUMN serial;'
    change "$fleet/app/cvd/pages.py" 's/"start.html", /"no-such-page.html", /'
    push "Show serial numbers"
    refused "$good"
}

test_a_migration_that_fails_is_rolled_back() {
    local good
    good=$(head_commit)
    with_migration 0003_rooms "CREATE TABLE rooms (name TEXT);
ALTER TABLE no_such_table ADD COLUMN x;" 'DROP TABLE rooms;'
    push "Add rooms"
    refused "$good"
}

test_a_release_with_a_migration_keeps_data_and_secrets() {
    local session
    session=$(secret SESSION_SECRET)
    with_migration 0003_serials 'ALTER TABLE devices ADD COLUMN serial TEXT;' 'ALTER TABLE devices DROP COLUMN serial;'
    push "Keep serial numbers"
    converge
    expect serves "$(head_commit)"
    expect_equal "0001_accounts 0002_devices 0003_serials " "$(migrations)"
    expect_equal "$session" "$(secret SESSION_SECRET)"
    expect_equal 64 ${#session}
    [[ $(devices) == *pump* ]] || fail "a session of before is still good, and the devices are there"
}

test_a_drifted_snippet_is_repaired_alone() {
    local before
    before=$(invocation cvd.service)
    on sed -i s/DENY/SAMEORIGIN/ /etc/nginx/snippets/cvd-headers.conf
    expect_equal "file:/etc/nginx/snippets/cvd-headers.conf" "$(plan_ids)"  # nginx has not loaded the edit
    converge
    expect on grep -q DENY /etc/nginx/snippets/cvd-headers.conf
    [[ $(browse / --dump-header - --output /dev/null) == *"x-frame-options: DENY"* ]] || fail "the header is back"
    expect_equal "$before" "$(invocation cvd.service)"
}

test_each_release_began_with_a_verified_backup() {
    local newest
    newest=$(shell 'ls -d /opt/cvd/backups/cvd/*Z | sort | tail -n 1')
    expect on grep -q before-deploy "$newest/backup.json"
    expect_equal active "$(on systemctl is-active holdfast-backup-cvd.timer)"
    hf backup run production cvd
    expect_code 0
    hf backup verify production cvd
    expect_code 0
    hf backup list production
    expect_says before-deploy
    expect_says manual
}

test_a_site_that_nginx_refuses_never_gets_there() {
    local good
    good=$(head_commit)
    change "$fleet/deploy/cvd/files/gzip.conf" 's/^gzip on;/gzip perhaps;/'
    push "Compress perhaps"
    hf apply production
    expect_code 3
    expect_says 'gzip'
    expect serves "$good"
    git -C "$fleet" revert --no-edit HEAD > /dev/null
    git -C "$fleet" push --quiet origin HEAD:main
    converge
}

test_the_release_before_comes_back_by_hand() {
    local now
    now=$(head_commit)
    change "$fleet/app/cvd/templates/start.html" 's/CVD devices/CVD devices of ours/'
    push "Say whose devices they are"
    converge
    hf rollback production
    expect serves "$now"
    [[ $(devices) == *pump* ]] || fail "the devices are still there"
    hf retry production
    converge
    expect serves "$(head_commit)"
}

run_tests
