#!/bin/bash
# Drift is noticed by the host itself, put right within seconds, and who did it is told; or only told, by policy.
. "$(dirname "$0")/lib.sh"
begin web

add_manifest extra <<'END'
apiVersion: holdfast.dev/v1
kind: File
metadata: {name: notice}
spec: {path: /etc/notice, text: "all is well\n", mode: "0640"}
---
apiVersion: holdfast.dev/v1
kind: Package
metadata: {name: hello-holdfast}
spec: {state: present}
---
apiVersion: holdfast.dev/v1
kind: Directory
metadata: {name: shop}
spec: {path: /srv/shop}
---
apiVersion: holdfast.dev/v1
kind: File
metadata: {name: in-a-folder}
spec: {path: /srv/shop/rules, text: "be kind\n"}
---
apiVersion: holdfast.dev/v1
kind: SystemdUnit
metadata: {name: cron.service}
spec: {enabled: true, state: running}
END
push "Add what drifts" > /dev/null
# Only events can find anything in time.
sed -i "s/poll: 1s/poll: 10m\n  sweep: 10m/" "$work/holdfast.yaml"

state_is() {
    "$lab" in "$holdfast" --config "$work/holdfast.yaml" --output json status production > "$work/status.json" || true
    grep -q "\"state\": *\"$1\"" "$work/status.json"
}
settled() { state_is converged; }

# repaired COMMAND -- CHECK...: the shell text is run on the host; the check must hold again within ten seconds.
repaired() {
    local text=$1 begun took
    shift 2
    hf retry production > /dev/null  # one path three times in ten minutes would be a fight
    sleep 2.5
    shell "$text"
    begun=$(date +%s%N)
    eventually 10 "$@"
    took=$((($(date +%s%N) - begun) / 1000000))
    echo "$took ms: $text" | tee -a "$work/times"
    eventually 10 settled
}
content_is() { [ "$(on cat "$1" 2>/dev/null)" = "$2" ]; }
mode_is() { [ "$(on stat -c %a "$1" 2>/dev/null)" = "$2" ]; }
active() { [ "$(on systemctl is-active "$1")" = active ]; }
enabled() { [ "$(on systemctl is-enabled "$1")" = enabled ]; }
installed() { on dpkg-query -W -f='${Status}' "$1" 2>/dev/null | grep -q 'install ok installed'; }

test_it_converges_and_watches() {
    start_controller
    eventually 120 settled
    sleep 3
}

test_an_edited_file_is_put_right() { repaired 'echo "all is lost" > /etc/notice' -- content_is /etc/notice "all is well"; }
test_a_removed_file_comes_back() { repaired 'rm /etc/notice' -- content_is /etc/notice "all is well"; }
test_a_replaced_file_is_put_right() {
    repaired 'echo other > /etc/notice.new && mv /etc/notice.new /etc/notice' -- content_is /etc/notice "all is well"
}
test_a_changed_mode_is_put_right() { repaired 'chmod 666 /etc/notice' -- mode_is /etc/notice 640; }
test_a_swapped_folder_is_put_right() {
    repaired 'mv /srv/shop /srv/old && mkdir /srv/shop && echo evil > /srv/shop/rules' -- content_is /srv/shop/rules "be kind"
}
test_a_stopped_unit_runs_again() { repaired 'systemctl stop cron.service' -- active cron.service; }
test_a_killed_unit_runs_again() { repaired 'systemctl kill --signal=KILL greeter.service' -- active greeter.service; }
test_a_disabled_unit_is_enabled_again() { repaired 'systemctl disable --quiet cron.service' -- enabled cron.service; }

test_the_watch_costs_nothing_while_nothing_happens() {
    local pid before after
    pid=$(on pgrep -f 'serve$' | head -n 1)
    sleep 2
    before=$(on awk '{print $14 + $15}' "/proc/$pid/stat")
    sleep 5
    after=$(on awk '{print $14 + $15}' "/proc/$pid/stat")
    echo "$((after - before)) ticks in 5 s, $(on awk '/VmRSS/ {print $2}' "/proc/$pid/status") KiB"
    expect [ $((after - before)) -le 5 ]
}

test_no_loop_of_repairs() {
    local before
    before=$(deployments)
    sleep 6
    expect_equal "$before" "$(deployments)" "the number of deployments"
}

test_who_did_it_is_told() {
    shell 'useradd --create-home --shell /bin/bash alice && echo "alice ALL=(ALL) NOPASSWD: ALL" > /etc/sudoers.d/alice'
    shell 'install -d -o alice -m 700 /home/alice/.ssh'
    ssh-keygen -q -t ed25519 -N "" -f "$work/alice"
    shell "echo '$(cat "$work/alice.pub")' > /home/alice/.ssh/authorized_keys && chown alice /home/alice/.ssh/authorized_keys"
    hf retry production
    "$lab" in ssh -i "$work/alice" -o IdentitiesOnly=yes -o StrictHostKeyChecking=no -o UserKnownHostsFile=/dev/null \
        "alice@$("$lab" ip "$host")" 'sudo sed -i -e s/well/lost/ -e s/hush/hush/ /etc/notice'
    eventually 10 content_is /etc/notice "all is well"
    eventually 10 settled
    eventually 5 grep -q 'file:/etc/notice changed at .* UTC, probably by alice (uid [0-9]*, sudo sed' "$work/controller.log"
    expect_not grep -q hush "$work/controller.log"
    hf history production
    hf show "$("$lab" in "$holdfast" --config "$work/holdfast.yaml" --output json history | grep -oE '"id": *[0-9]+' | head -n 1 | grep -oE '[0-9]+')"
    expect_says 'probably by alice'
}

test_drift_that_is_only_told_stays() {
    stop_controller
    change "$fleet/deploy/production.yaml" 's/^  track:/  drift: {selfHeal: false}\n  track:/'
    push "Tell drift"
    start_controller
    eventually 60 settled
    sleep 3
    shell 'echo "all is lost" > /etc/notice'
    eventually 10 state_is drifted || { cat "$work/status.json"; tail -30 "$work/controller.log"; return 1; }
    expect content_is /etc/notice "all is lost"
    hf plan production
    expect_code 2
    hf apply production
    expect_code 3
    expect content_is /etc/notice "all is lost"
    hf apply production --repair
    expect_code 0
    expect content_is /etc/notice "all is well"
}

test_a_removed_package_comes_back_and_the_run_of_apt_is_told() {
    stop_controller
    change "$fleet/deploy/production.yaml" '/^  drift:/d'
    push "Repair drift again"
    converge
    start_controller
    sleep 5
    eventually 10 settled
    shell 'apt-get remove --yes --quiet hello-holdfast > /dev/null'
    expect_not installed hello-holdfast
    eventually 60 installed hello-holdfast
    eventually 60 settled
    expect grep -q 'package:hello-holdfast changed at .* UTC, probably by the package manager (apt-get remove' "$work/controller.log"
    expect serves "$(head_commit)"
}

test_the_times() {
    cat "$work/times"
    expect [ "$(awk '$1 > 10000' "$work/times" | wc -l)" = 0 ]
}

run_tests
