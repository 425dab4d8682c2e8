#!/bin/bash
# The same for a real PostgreSQL, from its package: nothing to save before it is there, then by pg_dump.
. "$(dirname "$0")/lib.sh"
begin web

shelf=/var/backups/holdfast/loans

psql() { on runuser -u postgres -- psql --no-psqlrc --tuples-only --no-align --quiet "$@"; }
newest() { shell "ls $shelf | grep Z | sort | tail -n 1"; }
release() {
    change "$fleet/app/server.py" "s/^GREETING = .*/GREETING = \"$1\"/"
    push "Greet with $1"
}

test_before_the_server_is_there_nothing_is_saved() {
    "$lab" serve-apt postgresql
    cat > "$fleet/deploy/greeter/loans.yaml" <<END
apiVersion: holdfast.dev/v1
kind: Package
metadata: {name: postgresql}
spec: {name: postgresql}
---
apiVersion: holdfast.dev/v1
kind: BackupPolicy
metadata: {name: loans}
spec:
  schedule: hourly
  sources: [{postgres: {database: loans}}]
  freeSpace: 1MiB
  beforeDeploy: true
END
    push "Keep loans"
    converge
    hf show 1
    expect_says 'nothing to save yet: the account "postgres"'
    expect_not on systemctl start holdfast-backup-loans.service
    expect grep -q 'the database "loans" does not exist' <(on journalctl --no-pager -u holdfast-backup-loans.service)
}

test_a_database_is_dumped_and_comes_back() {
    psql --command 'create database loans'
    psql --dbname loans --command "create table loan (id serial primary key, text text); insert into loan (text) select repeat('x', 100) from generate_series(1, 20000)"
    on systemctl start holdfast-backup-loans.service
    hf backup list production
    expect_code 0
    expect_says "loans +$(newest) .* verified"
    hf backup verify production loans
    expect_code 0
    expect_says 'pg_restore read all [0-9]+ entries'
    psql --command 'create database again'
    shell "runuser -u postgres -- pg_restore --dbname again < $shelf/$(newest)/1-postgres-loans.dump"
    expect_equal 20000 "$(psql --dbname again --command 'select count(*) from loan')"
}

test_a_flipped_bit_is_found() {
    on python3 -c 'import sys
data = bytearray(open(sys.argv[1], "rb").read())
data[len(data) // 2] ^= 1
open(sys.argv[1], "wb").write(data)' "$shelf/$(newest)/1-postgres-loans.dump"
    hf backup verify production loans
    expect_code 1
    expect_says "$(newest).*damaged: 1-postgres-loans.dump"
    on systemctl start holdfast-backup-loans.service
}

test_a_release_is_preceded_by_a_dump_and_refused_without_one() {
    local good
    release "after a dump"
    converge
    expect grep -q '"reason": "before-deploy"' <(shell "cat $shelf/$(newest)/backup.json")
    good=$(head_commit)
    on systemctl stop postgresql@15-main.service
    release "without a server"
    hf apply production
    expect_code 4
    expect_says 'nothing was changed: .*connection to server'
    expect serves "$good"
    on systemctl start postgresql@15-main.service
    hf retry production
    converge
    expect serves "$(head_commit)"
}

run_tests
