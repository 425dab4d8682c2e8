#!/bin/bash
# A disk that gets full at any moment of a transaction: the host is as it was, or as it is wanted, and what an undo needs
# was there from the beginning.
. "$(dirname "$0")/lib.sh"
begin web

points=/var/lib/holdfast/failpoints

small_manifests() {
    cat > "$fleet/deploy/greeter/small.yaml" <<END
---
apiVersion: holdfast.dev/v1
kind: File
metadata: {name: small-a}
spec: {path: /srv/small/a, text: "$1 $(printf '%0.sa' $(seq 20000))\n"}
---
apiVersion: holdfast.dev/v1
kind: File
metadata: {name: small-b}
spec: {path: /srv/small/b, text: "$1 $(printf '%0.sb' $(seq 20000))\n"}
END
}

# fill: somebody writes until nothing fits any more.  room: they are gone again.
fill() { shell 'dd if=/dev/zero of=/srv/small/fill bs=4096 2>/dev/null; dd if=/dev/zero of=/srv/small/fill bs=1 oflag=append conv=notrunc count=4096 2>/dev/null; true'; }
room() { shell 'rm -f /srv/small/fill'; }
says() { [ "$(shell "cut -d ' ' -f 1 /srv/small/$1")" = "$2" ]; }
# nothing_beside: neither what holds space, nor anything half done.
nothing_beside() { expect_equal "a b" "$(shell "ls -A /srv/small | grep -v fill | tr '\n' ' ' | sed 's/ \$//'")" "what is on the small disk"; }

test_the_first_apply_converges() {
    shell 'mkdir -p /srv/small && mount -t tmpfs -o size=256k small /srv/small'
    small_manifests one
    push "Make files on a small disk"
    converge
    expect says a one
    nothing_beside
}

test_without_room_for_the_undo_nothing_is_begun() {
    local before
    fill
    before=$(invocation)
    small_manifests two
    push "Write the files anew"
    hf apply production
    expect_code 4
    expect_says '/srv/small.*bytes too few'
    expect says a one
    expect_equal "$before" "$(invocation)" "the invocation of the service"
    room
    nothing_beside
    hf retry production
    converge
    expect says b two
}

# full_at POINT [THEN]: the disk gets full while the runner stands at that point, on its way to state NEXT.
full_at() {
    local applying old new=$2
    old=$(shell "cut -d ' ' -f 1 /srv/small/a")
    small_manifests "$new"
    push "Write $new" > /dev/null
    shell "rm -f $points.hit $points.go; echo 'execute:$1 wait' > $points"
    "$lab" in "$holdfast" --config "$work/holdfast.yaml" apply production > "$work/out" 2>&1 < /dev/null &
    applying=$!
    eventually 60 on test -e $points.hit
    fill
    shell "rm -f $points; touch $points.go"
    wait "$applying" || true
    sed 's/^/    /' "$work/out"
    shell "rm -f $points.hit $points.go"
    room
    nothing_beside
    if says a "$new"; then expect says b "$new"; else expect says a "$old"; expect says b "$old"; fi
    expect_equal "" "$(shell 'cat /var/lib/holdfast/open 2>/dev/null || true')" "the open transaction"
    hf retry production
    converge
    expect says a "$new"
}

test_a_disk_that_is_full_before_the_first_effect() { full_at transaction.armed three; }
test_a_disk_that_is_full_when_a_file_is_made() { full_at 'file.created' four; }
test_a_disk_that_is_full_when_new_and_old_have_changed_places() { full_at 'swap.exchanged#1' five; }
test_a_disk_that_is_full_between_two_files() { full_at 'swap.exchanged#2' six; }
test_a_disk_that_is_full_when_all_is_done() { full_at transaction.verified seven; }

test_a_rollback_succeeds_on_a_disk_that_got_full() {
    local good
    good=$(head_commit)
    small_manifests bad
    change "$fleet/app/server.py" 's/status = "healthy"/status = "no database"/'
    push "Use a database, and write to the small disk"
    shell "echo 'execute:transaction.verified wait' > $points"
    "$lab" in "$holdfast" --config "$work/holdfast.yaml" apply production > "$work/out" 2>&1 < /dev/null &
    applying=$!
    eventually 60 on test -e $points.hit
    fill
    shell "rm -f $points; touch $points.go"
    wait "$applying" || code=$?
    sed 's/^/    /' "$work/out"
    expect_code 3
    expect says a seven
    expect says b seven
    expect serves "$good"
    room
    nothing_beside
    shell "rm -f $points.hit $points.go"
}

test_a_full_state_folder_is_told_and_nothing_is_begun() {
    local before
    room
    shell 'cp -a /var/lib/holdfast /root/state && mount -t tmpfs -o size=64m state /var/lib/holdfast && cp -a /root/state/. /var/lib/holdfast/
        dd if=/dev/zero of=/var/lib/holdfast/fill bs=4096 2>/dev/null; true'
    before=$(invocation)
    change "$fleet/app/server.py" 's/status = "no database"/status = "healthy"/'
    small_manifests eight
    push "Write the files once more"
    SECONDS=0
    hf apply production
    expect_code 1
    expect_says 'mounted on "/var/lib/holdfast" is full'
    expect test "$SECONDS" -lt 60
    hf status
    expect_says 'failed'
    expect says a seven
    expect_equal "$before" "$(invocation)" "the invocation of the service"
    shell 'rm -f /var/lib/holdfast/fill'
    converge
    expect says b eight
}

run_tests
