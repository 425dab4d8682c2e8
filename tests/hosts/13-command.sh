#!/bin/bash
# Declared commands: migrations, first accounts and certificates as part of a change, and what becomes of them in a rollback.
. "$(dirname "$0")/lib.sh"
begin web

# The migrations of a release stand in a file of it; what is applied, one a line, in /opt/greeter/data/applied.
cat > "$fleet/app/migrate.sh" <<'END'
#!/bin/sh
set -e
data=/opt/greeter/data
systemctl --quiet is-active greeter.service && echo "the service runs" >> $data/wrong
[ "$(id -un)" = greeter ] && [ "$SITE" = production ] && [ -n "$SESSION_SECRET" ] || echo "wrong account or environment" >> $data/wrong
if [ "$1" = up ]; then
    while read -r migration; do
        grep -qx "$migration" $data/applied 2>/dev/null && continue
        echo "$migration"
        case $migration in
            broken*) echo "no such table" >&2; exit 3 ;;
            slow*) touch $data/started; sleep 600 & sleep 600 ;;
        esac
        echo "$migration" >> $data/applied
    done < migrations
else
    pwd >> $data/undone
    while read -r migration; do sed -i "/^$migration\$/d" $data/applied; done
fi
END
chmod +x "$fleet/app/migrate.sh"
echo one > "$fleet/app/migrations"
add_manifest commands <<'END'
apiVersion: holdfast.dev/v1
kind: Directory
metadata: {name: data}
spec: {path: /opt/greeter/data, owner: "greeter:greeter"}
---
apiVersion: holdfast.dev/v1
kind: Command
metadata: {name: migrate, after: [Directory/data]}
spec:
  run: [./migrate.sh, up]
  undo: [./migrate.sh, down]
  in: /opt/greeter/app
  user: greeter
  environmentFile: EnvFile/greeter
  onChange: [Release/greeter]
  whileStopped: [SystemdUnit/greeter.service]
  timeout: 5s
---
apiVersion: holdfast.dev/v1
kind: Command
metadata: {name: account, after: [Command/migrate]}
spec:
  run: [sh, -c, "echo admin >> /opt/greeter/data/accounts"]
  unless: [grep, -qx, admin, /opt/greeter/data/accounts]
  irreversible: "an account that somebody may have used by then is not removed"
---
apiVersion: holdfast.dev/v1
kind: Command
metadata: {name: key}
spec:
  run: [sh, -c, "umask 077; head -c 16 /dev/urandom > /etc/greeter.key"]
  creates: /etc/greeter.key
  undo: {remove: true}
END
push "Migrate the greeter's data" > /dev/null

applied() { shell 'tr "\n" " " < /opt/greeter/data/applied'; }
nothing_wrong() { expect_equal "" "$(shell 'cat /opt/greeter/data/wrong 2>/dev/null || true')"; }
revert() {
    git -C "$fleet" revert --no-edit HEAD > /dev/null
    git -C "$fleet" push --quiet origin HEAD:main
    converge
}

test_the_plan_says_what_is_run_and_what_can_not_be_undone() {
    hf plan production
    expect_code 2
    expect_says 'command:migrate  as greeter in /opt/greeter/app, while greeter.service is stopped'
    expect_says 'runs ./migrate.sh up'
    expect_says 'an account that somebody may have used by then is not removed'
    hf plan production --why
    expect_says 'undo: runs ./migrate.sh down'
}

test_commands_run_in_the_first_change_and_before_what_needs_them() {
    converge
    expect_equal "one " "$(applied)"
    expect_equal admin "$(shell 'cat /opt/greeter/data/accounts')"
    expect_equal 600 "$(shell 'stat -c %a /etc/greeter.key')"
    nothing_wrong
}

test_nothing_is_left_to_do() {
    expect_equal "" "$(plan_ids)"
    converge
    expect_equal admin "$(shell 'cat /opt/greeter/data/accounts')"
}

test_a_release_with_a_migration_has_it_applied_while_the_service_is_stopped() {
    echo two >> "$fleet/app/migrations"
    push "Need another table"
    converge
    expect_equal "one two " "$(applied)"
    expect serves "$(head_commit)"
    nothing_wrong
}

test_a_migration_that_fails_undoes_the_release_and_what_it_did() {
    local good
    good=$(head_commit)
    printf 'three\nbroken\n' >> "$fleet/app/migrations"
    push "Need tables that can not be made"
    hf apply production
    expect_code 3
    expect_says 'no such table'
    expect_equal "one two " "$(applied)"
    expect serves "$good"
    expect_equal active "$(on systemctl is-active greeter.service)"
    nothing_wrong
    revert
}

test_an_ill_release_has_its_migration_undone_by_its_own_program() {
    local good bad
    good=$(head_commit)
    echo three >> "$fleet/app/migrations"
    change "$fleet/app/server.py" 's/status = "healthy"/status = "no database"/'
    push "Use the third table"
    bad=$(head_commit)
    shell 'rm -f /opt/greeter/data/undone'
    hf apply production
    expect_code 3
    expect_equal "one two " "$(applied)"
    expect_equal "/opt/greeter/releases/$bad" "$(shell 'cat /opt/greeter/data/undone')"
    expect serves "$good"
    nothing_wrong
    revert
}

test_a_command_beyond_its_time_is_killed_with_what_it_started() {
    local good
    good=$(head_commit)
    echo slow >> "$fleet/app/migrations"
    push "Migrate for ever"
    hf apply production
    expect_code 3
    expect_says 'not done after 5000 ms'
    expect_equal "one two " "$(applied)"
    expect_not on pgrep -x sleep
    expect serves "$good"
    revert
}

test_a_host_without_power_in_a_migration_comes_back_without_it() {
    local good
    good=$(head_commit)
    change "$fleet/deploy/greeter/commands.yaml" 's/timeout: 5s/timeout: 10m/'
    printf 'three\nslow\n' >> "$fleet/app/migrations"
    push "Migrate for ever, patiently"
    shell 'rm -f /opt/greeter/data/started'
    "$lab" in "$holdfast" --config "$work/holdfast.yaml" apply production > "$work/background" 2>&1 &
    eventually 60 on test -e /opt/greeter/data/started
    kill -KILL $!
    "$lab" kill "$host"
    "$lab" boot "$host"
    eventually 60 serves "$good"
    expect_equal "one two " "$(applied)"
    git -C "$fleet" revert --no-edit HEAD > /dev/null
    git -C "$fleet" push --quiet origin HEAD:main
    eventually 60 converges
    expect serves "$(head_commit)"
}
converges() {
    hf apply production
    [ "$code" = 0 ]
}

test_what_a_guard_misses_is_drift_and_repaired_alone() {
    on rm /etc/greeter.key
    shell ': > /opt/greeter/data/accounts'
    expect_equal "command:account command:key " "$(plan_ids | sort | tr '\n' ' ')"
    converge
    expect_equal "" "$(plan_ids)"
}

test_a_command_that_no_manifest_names_any_more_is_not_undone() {
    rm "$fleet/deploy/greeter/commands.yaml"
    push "Migrate no more"
    converge
    expect_equal "one two " "$(applied)"
    expect on test -e /etc/greeter.key
}

run_tests
