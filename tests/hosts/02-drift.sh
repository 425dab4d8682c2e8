#!/bin/bash
# Every kind of drift is found, shown with its manifest, and repaired alone.
. "$(dirname "$0")/lib.sh"
begin web

add_manifest extra <<'END'
apiVersion: holdfast.dev/v1
kind: User
metadata: {name: visitor}
spec: {shell: /bin/sh, groups: [games]}
---
apiVersion: holdfast.dev/v1
kind: File
metadata: {name: notice}
spec: {path: /etc/notice, text: "all is well\n", mode: "0640", owner: "root:games"}
---
apiVersion: holdfast.dev/v1
kind: SystemdUnit
metadata: {name: cron.service}
spec: {enabled: true, state: running}
END
push "Add what drifts" > /dev/null

# repaired_alone ID...: the plan names exactly these, apply repairs them, and a plan after that names none.
repaired_alone() {
    hf retry production  # the same path three times in ten minutes would be a fight
    expect_equal "$(printf '%s\n' "$@" | sort)" "$(plan_ids | sort)" "the plan"
    hf plan production
    expect_code 2
    expect_says '\.yaml:[0-9]+'
    hf apply production
    expect_code 0
    expect_says '1 repaired'
    expect_equal "" "$(plan_ids)" "the plan after the repair"
    expect serves "$(head_commit)"
}

test_the_first_apply_converges() { converge; }

test_a_changed_file_is_put_right() {
    shell 'echo "all is lost" > /etc/notice'
    hf plan production
    expect_says '-all is lost'
    expect_says '\+all is well'
    repaired_alone file:/etc/notice
    expect_equal "all is well" "$(on cat /etc/notice)"
}

test_a_changed_mode_is_put_right() {
    on chmod 666 /etc/notice
    repaired_alone file:/etc/notice
    expect_equal 640 "$(on stat -c %a /etc/notice)"
}

test_a_changed_owner_is_put_right() {
    on chown daemon:daemon /etc/notice
    repaired_alone file:/etc/notice
    expect_equal "root games" "$(on stat -c '%U %G' /etc/notice)"
}

test_a_removed_file_comes_back() {
    on rm /etc/notice
    repaired_alone file:/etc/notice
}

test_a_file_replaced_by_a_link_is_refused_and_never_followed() {
    shell 'echo precious > /root/precious && rm /etc/notice && ln -s /root/precious /etc/notice'
    hf apply production
    expect_code 4
    expect_says 'symbolic link'
    expect_equal precious "$(on cat /root/precious)"
    on rm /etc/notice
    repaired_alone file:/etc/notice
    expect_equal precious "$(on cat /root/precious)"
}

test_a_changed_directory_mode_is_put_right() {
    on chmod 777 /opt/greeter
    repaired_alone directory:/opt/greeter
}

test_a_link_that_points_elsewhere_is_put_right() {
    on ln -sfn /etc/nginx/nginx.conf /etc/nginx/sites-enabled/greeter
    expect grep -q '^link:/etc/nginx/sites-enabled/greeter' <(plan_ids)
    converge
    expect_equal "" "$(plan_ids)" "the plan after the repair"
    expect serves "$(head_commit)"
}

test_the_link_to_the_release_is_put_right() {
    local before
    before=$(invocation)
    on ln -sfn /tmp /opt/greeter/app
    repaired_alone link:/opt/greeter/app
    expect_equal "$before" "$(invocation)" "the invocation of the service, which had loaded the right release all along"
}

test_a_stopped_unit_runs_again() {
    on systemctl stop cron.service
    repaired_alone unit:cron.service
    expect_equal active "$(on systemctl is-active cron.service)"
}

test_a_disabled_unit_is_enabled_again_and_not_restarted() {
    local before
    before=$(invocation cron.service)
    on systemctl disable --quiet cron.service
    repaired_alone unit:cron.service
    expect_equal enabled "$(on systemctl is-enabled cron.service)"
    expect_equal "$before" "$(invocation cron.service)" "the invocation"
}

test_a_killed_service_runs_again() {
    on systemctl stop greeter.service
    repaired_alone unit:greeter.service
}

test_a_removed_user_comes_back() {
    on userdel visitor
    repaired_alone user:visitor
    expect grep -q games <(on id -Gn visitor)
}

test_a_lost_group_membership_comes_back() {
    on gpasswd -d visitor games
    repaired_alone user:visitor
}

test_a_spoiled_source_file_of_the_release_is_put_right() {
    shell 'echo "# spoiled" >> /opt/greeter/app/server.py'
    expect grep -q '^tree:/opt/greeter/releases/' <(plan_ids)
    converge
    expect_equal "" "$(plan_ids)" "the plan after the repair"
    expect serves "$(head_commit)"
    expect_not on grep -q spoiled /opt/greeter/app/server.py
}

test_an_edited_unit_file_is_put_right_and_systemd_told() {
    shell 'echo "# edited" >> /etc/systemd/system/greeter.service'
    expect grep -q '^file:/etc/systemd/system/greeter.service' <(plan_ids)
    converge
    expect_equal "" "$(plan_ids)" "the plan after the repair"
    expect_equal no "$(on systemctl show --property=NeedDaemonReload --value greeter.service)" "NeedDaemonReload"
}

test_a_site_that_somebody_changed_and_reloaded_is_put_right_and_reloaded_again() {
    shell "sed -i '/server_name/a add_header X-By-Hand yes always;' /etc/nginx/sites-available/greeter && systemctl reload nginx"
    eventually 10 by_hand
    converge
    eventually 10 not_by_hand
    expect_equal "" "$(plan_ids)" "the plan after the repair"
}
by_hand() { on curl -s -o /dev/null -D - -H 'Host: production' http://127.0.0.1/ | grep -qi '^X-By-Hand'; }
not_by_hand() { ! by_hand; }

run_tests
