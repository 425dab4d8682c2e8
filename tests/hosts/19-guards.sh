#!/bin/bash
# What can't be done whole, or would remove what nobody meant to, is refused in the plan: nothing on the host changes.
. "$(dirname "$0")/lib.sh"
begin web

# manifests TEXT for a file: name and path, and what it says.
file_manifest() {
    add_manifest "${3:-guarded}" <<END
---
apiVersion: holdfast.dev/v1
kind: File
metadata: {name: $1}
spec: {path: $2, text: "one\n"}
END
}

test_files_are_made_where_they_will_be_guarded() {
    shell 'mkdir -p /srv/small && mount -t tmpfs -o size=1m small /srv/small'
    for n in $(seq 12); do file_manifest "many-$n" "/etc/many-$n" many; done
    file_manifest fixed /etc/fixed
    file_manifest mounted /srv/small/file
    file_manifest bound /etc/bound
    file_manifest folder /etc/folder
    push "Make files"
    converge
}

# refused CAUSE: a changed manifest is refused with that cause, before anything else of it is done; it is taken back.
refused() {
    change "$fleet/deploy/greeter/guarded.yaml" 's/one/two/'
    file_manifest other /etc/other other
    push "Change all of them"
    hf plan production
    expect_says "$1"
    hf apply production
    expect_code 4
    expect_says "$1"
    expect_not on test -e /etc/other
    for path in /etc/fixed /etc/bound; do expect_equal one "$(shell "cat $path")" "$path"; done
    rm "$fleet/deploy/greeter/other.yaml"
    change "$fleet/deploy/greeter/guarded.yaml" 's/two/one/'
    push "Take it back"
}

test_an_immutable_file_is_not_changed() {
    on chattr +i /etc/fixed
    # As it is wanted, it is in nobody's way.
    converge
    refused '/etc/fixed.*immutable'
    on chattr -i /etc/fixed
    converge
}

test_nothing_is_written_below_what_is_not_mounted() {
    on umount /srv/small
    refused '/srv/small/file.*nothing is mounted'
    expect_equal "" "$(shell 'ls /srv/small')" "what is in the folder below the mount"
    shell 'mount -t tmpfs -o size=1m small /srv/small && echo one > /srv/small/file'
    converge
}

test_a_file_that_is_mounted_over_is_not_changed() {
    on mount --bind /etc/bound /etc/bound
    refused '/etc/bound.*mounted on it'
    on umount /etc/bound
    converge
}

test_nothing_is_written_to_a_read_only_file_system() {
    on mount -o remount,ro /srv/small
    refused '/srv/small.*read-only'
    on mount -o remount,rw /srv/small
    converge
}

test_a_directory_is_never_replaced_by_a_file() {
    shell 'rm /etc/folder && mkdir -p /etc/folder/with && echo data > /etc/folder/with/data'
    refused '/etc/folder.*a directory'
    expect_equal data "$(shell 'cat /etc/folder/with/data')" "the data"
    shell 'rm -r /etc/folder'
    converge
}

test_a_file_whose_folder_nobody_makes_is_refused() {
    file_manifest lost /srv/no/such/folder/file lost
    push "Put a file nowhere"
    hf apply production
    expect_code 4
    expect_says 'no manifest makes it'
    rm "$fleet/deploy/greeter/lost.yaml"
    push "Take it back"
    converge
}

test_one_resource_may_always_go() {
    local file=$fleet/deploy/greeter/many.yaml
    sed -i '/name: many-12/,$d' "$file" && sed -i '$d' "$file" && sed -i '$d' "$file" && sed -i '$d' "$file"
    push "Take one away"
    converge
    expect_not on test -e /etc/many-12
    expect on test -e /etc/many-11
}

test_more_than_a_fifth_go_only_when_somebody_says_so() {
    rm "$fleet/deploy/greeter/many.yaml"
    push "Take eleven away"
    hf apply production
    expect_code 4
    expect_says '11 of [0-9]+ resources would be removed'
    expect_says 'allow-prune'
    expect on test -e /etc/many-1
    hf apply production --allow-prune
    expect_code 0
    expect_not on test -e /etc/many-1
    expect serves "$(git -C "$fleet" rev-parse HEAD)"
    hf apply production
    expect_code 0
}

test_a_host_of_which_nothing_is_wanted_any_more_keeps_all() {
    rm -r "$fleet/deploy/greeter"/*.yaml
    push "Want nothing"
    hf apply production
    expect_not [ "$code" = 0 ]
    expect on test -e /etc/fixed
    expect on systemctl is-active --quiet greeter.service
}

run_tests
