#!/bin/bash
# A local host below a directory: files are managed, units are told to be not manageable, and a bad release is rolled back.
. "$(dirname "$0")/lib.sh"
begin
place=$work/place
mkdir -p "$place/opt" "$place/etc/systemd/system"
rm -r "$fleet/deploy" "$fleet/app"
cp -r "$top/examples/quickstart/fleet-local/." "$fleet/"
rm "$fleet/deploy/environments/staging.yaml"
sed -i "s|/tmp/holdfast-quickstart/production1|$place|g" "$fleet/deploy/environments/production.yaml"
push "Describe the greeter for a folder" > /dev/null

test_the_plan_says_what_is_not_manageable() {
    hf plan production
    expect_code 2
    expect_says 'not manageable'
}

test_the_first_apply_converges() {
    converge
    expect_equal "Hello from production, release $(head_commit | cut -c1-12)" "$("$place/opt/greeter/app/greet")"
    hf plan production
    expect_code 0
}

test_a_bad_release_is_rolled_back() {
    local good
    good=$(head_commit)
    change "$fleet/app/greet" 's/^greeting=.*/greeting=/'
    push "Lose the greeting"
    hf apply production
    expect_code 3
    expect_equal "Hello from production, release ${good:0:12}" "$("$place/opt/greeter/app/greet")"
}

run_tests
