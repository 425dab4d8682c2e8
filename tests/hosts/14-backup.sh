#!/bin/bash
# Backups on a host whose databases are being written to: by timer, by hand and before changes; and all that can go wrong.
. "$(dirname "$0")/lib.sh"
begin web

shelf=/var/backups/holdfast/ledger

policy() {
    cat > "$fleet/deploy/greeter/ledger.yaml" <<END
apiVersion: holdfast.dev/v1
kind: BackupPolicy
metadata: {name: ledger}
spec:
  schedule: "${schedule:-*-*-* 03:00:00}"
  sources:
    - sqlite: {path: /srv/ledger/wal.db}
    - sqlite: {path: /srv/ledger/plain.db}
    - files: {paths: [/srv/ledger/notes], exclude: ["*.tmp"]}
  keep: {count: 3}
  freeSpace: 64KiB
  beforeDeploy: true
END
}
release() {
    change "$fleet/app/server.py" "s/^GREETING = .*/GREETING = \"$1\"/"
    push "Greet with $1"
}
backups() { shell "ls $shelf 2>/dev/null | grep -c Z || true"; }
newest() { shell "ls $shelf | grep Z | sort | tail -n 1"; }
leftovers() { shell "ls -A ${1:-$shelf} | grep -v '^[0-9]' || true"; }
flip() {
    on python3 -c 'import sys
path = sys.argv[1]
data = bytearray(open(path, "rb").read())
data[len(data) // 2] ^= 16
open(path, "wb").write(data)' "$1"
}

# An application that writes to both databases all the time, and says in /srv/ledger/trouble if it can't.
start_writer() {
    on install -d -o deploy -g deploy /srv/ledger /srv/ledger/notes
    shell 'echo remember > /srv/ledger/notes/one; echo no > /srv/ledger/notes/two.tmp'
    shell 'cat > /srv/writer.py' <<'END'
import sqlite3, time, traceback
try:
    both = []
    for name, mode in (("wal", "wal"), ("plain", "delete")):
        database = sqlite3.connect(f"/srv/ledger/{name}.db", isolation_level=None)
        database.execute(f"pragma journal_mode={mode}")
        database.execute("create table if not exists entry (id integer primary key, text)")
        database.execute("begin")
        database.executemany("insert into entry (text) values (?)", ((f"{i} " + "x" * 200,) for i in range(20000)))
        database.execute("commit")
        both.append(database)
    open("/srv/ledger/ready", "w").close()
    while True:
        for database in both:
            database.execute("insert into entry (text) values (hex(randomblob(100)))")
        time.sleep(0.01)
except Exception:
    open("/srv/ledger/trouble", "w").write(traceback.format_exc())
END
    on systemd-run --quiet --unit=writer --uid=deploy python3 /srv/writer.py
    eventually 30 on test -e /srv/ledger/ready
}

test_before_a_first_release_there_is_nothing_to_save() {
    policy
    push "Back up the ledger"
    hf plan production
    expect_says 'takes and verifies backup ledger first'
    converge
    hf show 1
    expect_says 'nothing to save yet'
    expect_equal 0 "$(backups)"
    hf apply production
    hf status
    expect_code 0
    expect_says 'backup ledger +not yet taken'
    expect_equal enabled "$(on systemctl is-enabled holdfast-backup-ledger.timer)"
    expect_equal active "$(on systemctl is-active holdfast-backup-ledger.timer)"
}

test_the_service_saves_databases_that_are_written_to() {
    start_writer
    on systemctl start holdfast-backup-ledger.service
    expect_equal 1 "$(backups)"
    expect_equal 600 "$(shell "stat -c %a $shelf/$(newest)/backup.json")"
    expect_equal 700 "$(shell "stat -c %a $shelf")"
    expect_equal "" "$(leftovers)"
    shell "cd $shelf/$(newest) && gunzip -c 1-sqlite-wal.db.gz > /tmp/wal.db && gunzip -c 2-sqlite-plain.db.gz > /tmp/plain.db"
    for name in wal plain; do
        expect_equal ok "$(on sqlite3 "/tmp/$name.db" 'pragma integrity_check')"
        expect test "$(on sqlite3 "/tmp/$name.db" 'select count(*) from entry')" -ge 20000
    done
    expect_equal "srv/ledger/notes/ srv/ledger/notes/one" "$(shell "tar tzf $shelf/$(newest)/3-files-files.tar.gz" | paste -sd' ')"
    expect_equal "" "$(shell 'find /srv/ledger -name "*.db*" ! -user deploy')" "what of the database belongs to others"
    expect_not on test -e /srv/ledger/trouble
}

test_people_list_run_and_verify_them() {
    hf backup run production ledger
    expect_code 0
    expect_says 'saving sqlite /srv/ledger/wal.db'
    expect_says "verified: digest, integrity_check of [0-9]+ pages"
    hf backup list production
    expect_code 0
    expect_says "ledger +$(newest) .* verified +[0-9a-f]{12} +manual"
    hf backup verify production
    expect_code 0
    hf --output json backup list production --host "$host"
    expect_says '"state": "verified"'
    hf backup run production nothing
    expect_code 1
    expect_says 'no backup policy .*nothing.*it has ledger'
    hf backup verify production ledger 20200101T000000Z
    expect_code 1
    expect_says 'no backup .*20200101T000000Z'
    hf apply production
    hf status
    expect_code 0
    expect_silent 'backup'
}

test_only_so_many_are_kept() {
    for _ in 1 2 3; do on systemctl start holdfast-backup-ledger.service; done
    shell "mkdir $shelf/20200101T000000Z && echo mine > $shelf/20200101T000000Z/file && echo mine > $shelf/other"
    on systemctl start holdfast-backup-ledger.service
    expect on test -e "$shelf/20200101T000000Z/file"
    expect on test -e "$shelf/other"
    on rm -r "$shelf/20200101T000000Z" "$shelf/other"
    expect_equal 3 "$(backups)"
}

test_a_flipped_bit_is_found_in_every_part() {
    local file
    for file in 1-sqlite-wal.db.gz 2-sqlite-plain.db.gz 3-files-files.tar.gz; do
        on systemctl start holdfast-backup-ledger.service
        flip "$shelf/$(newest)/$file"
        hf backup verify production ledger
        expect_code 1
        expect_says "$(newest).*damaged: $file"
    done
    hf apply production
    hf status
    expect_code 1
    expect_says "backup ledger +damaged: $(newest) is damaged"
    on systemctl start holdfast-backup-ledger.service
    flip "$shelf/$(newest)/backup.json"
    hf backup verify production ledger
    expect_code 1
    on systemctl start holdfast-backup-ledger.service
    hf backup verify production ledger
    expect_code 0
    hf apply production
    hf status
    expect_code 0
}

test_a_release_is_preceded_by_a_backup() {
    local before
    before=$(backups)
    release "after a backup"
    converge
    expect_says 'taking a backup first'
    expect_equal $((before + 1)) "$(backups)"
    expect grep -q '"reason": "before-deploy"' <(shell "cat $shelf/$(newest)/backup.json")
    expect grep -q "\"transaction\": \"t" <(shell "cat $shelf/$(newest)/backup.json")
    hf show "$(deployments)"
    expect_says "backup ledger: taken: $(newest), verified by"
    expect serves "$(head_commit)"
}

test_what_it_does_not_cover_asks_for_none() {
    local before
    printf 'apiVersion: holdfast.dev/v1\nkind: File\nmetadata: {name: motd}\nspec: {path: /etc/motd, text: hello}\n' > "$fleet/deploy/greeter/motd.yaml"
    push "Say hello"
    converge
    before=$(newest)
    shell 'echo bye > /etc/motd'
    converge
    expect_says 'repaired'
    expect_equal "$before" "$(newest)"
}

# The disk behind the destination is a small one for a while; what lies below it is back afterwards.
small_disk() { on mount -t tmpfs -o size=3M,mode=700 none /var/backups/holdfast; }

test_a_full_disk_ends_with_an_error_and_leaves_nothing() {
    local before
    before=$(backups)
    small_disk
    hf backup run production ledger
    expect_code 1
    expect_says 'expected [0-9.]+ MiB for the backup and 64.0 KiB that must stay free .*found'
    expect_equal "" "$(leftovers)"
    expect_not on systemctl start holdfast-backup-ledger.service
    expect grep -q 'must stay free' <(on journalctl --no-pager -u holdfast-backup-ledger.service)
    hf apply production
    hf status
    expect_code 1
    expect_says 'backup ledger +failed: .*must stay free'
    on umount /var/backups/holdfast
    expect_equal "$before" "$(backups)"
    hf backup verify production ledger
    expect_code 0
}

test_without_a_backup_nothing_is_changed() {
    local good bad before
    good=$(head_commit)
    before=$(deployments)
    small_disk
    release "without a backup"
    bad=$(head_commit)
    hf apply production
    expect_code 4
    expect_says 'nothing was changed: .*must stay free'
    expect serves "$good"
    expect_not on test -e "/opt/greeter/releases/$bad"
    hf apply production
    expect_code 3
    hf apply production
    expect_equal $((before + 1)) "$(deployments)" "the number of deployments after two more turns"
    hf status
    expect_code 3
    expect_says 'must stay free'
    on umount /var/backups/holdfast
    hf retry production
    converge
    expect serves "$bad"
    expect grep -q '"reason": "before-deploy"' <(shell "cat $shelf/$(newest)/backup.json")
}

test_a_stopped_timer_is_drift() {
    on systemctl disable --now --quiet holdfast-backup-ledger.timer
    expect_equal unit:holdfast-backup-ledger.timer "$(plan_ids)"
    converge
    expect_says 'repaired'
    expect_equal active "$(on systemctl is-active holdfast-backup-ledger.timer)"
    expect_equal enabled "$(on systemctl is-enabled holdfast-backup-ledger.timer)"
}

test_a_missed_backup_shows_in_status() {
    on systemctl start holdfast-backup-ledger.service
    on python3 -c '
import json
path = "/var/lib/holdfast/backups/ledger.json"
state = json.load(open(path))
state["verified_at_ms"] -= 27 * 3600 * 1000
state["failures"] = []
json.dump(state, open(path, "w"))'
    hf apply production
    hf status
    expect_code 1
    expect_says 'backup ledger +missed: the newest verified one is 27 hours old, and should be less than 26 hours'
    on systemctl start holdfast-backup-ledger.service
    hf apply production
    hf status
    expect_code 0
}

test_the_timer_starts_it() {
    local before
    schedule='*:*:0/5' policy
    push "Back up all the time"
    converge
    before=$(newest)
    eventually 30 shell "! test $before = \$(ls $shelf | grep Z | sort | tail -n 1)"
    expect grep -q '"reason": "schedule"' <(shell "cat $shelf/$(newest)/backup.json")
    policy
    push "Back up at night again"
    converge
}

test_a_run_that_is_killed_leaves_nothing_for_long() {
    shell "mkdir $shelf/.partial-20260101T000000Z && echo half > $shelf/.partial-20260101T000000Z/1-sqlite-wal.db.gz"
    on systemctl start holdfast-backup-ledger.service
    expect_equal "" "$(leftovers)"
}

test_a_missing_database_is_an_error_once_there_was_one() {
    on systemctl stop writer.service
    on mv /srv/ledger/plain.db /srv/ledger/gone.db
    expect_not on systemctl start holdfast-backup-ledger.service
    release "without a database"
    hf apply production
    expect_code 4
    expect_says 'plain.db.* does not exist, and there are backups of it'
    on mv /srv/ledger/gone.db /srv/ledger/plain.db
    hf retry production
    converge
}

test_taking_the_policy_away_keeps_the_backups() {
    local before
    before=$(backups)
    rm "$fleet/deploy/greeter/ledger.yaml"
    push "Stop backing up"
    converge
    expect_equal "$before" "$(backups)"
    expect_not on test -e /etc/holdfast/backups
    expect_not on test -e /etc/systemd/system/holdfast-backup-ledger.timer
    expect_not on systemctl is-active --quiet holdfast-backup-ledger.timer
    hf apply production
    hf status
    expect_code 0
}

run_tests
