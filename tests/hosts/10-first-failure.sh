#!/bin/bash
# The very first release of a host fails: there is nothing to go back to, so the host ends as it was before.
. "$(dirname "$0")/lib.sh"
begin web

# What holdfast keeps of its own to bring a host back after a reboot is no part of a release.
around_the_release() {
    shell 'ls /opt /etc/nginx/sites-enabled; ls /etc/systemd/system | grep -v ^holdfast-recover; getent passwd | wc -l'
}

test_a_first_release_that_is_not_healthy_leaves_the_host_as_it_was() {
    local before
    before=$(around_the_release)
    change "$fleet/app/server.py" 's/status = "healthy"/status = "no database"/'
    push "Begin with a bad release"
    hf apply production
    expect_code 3
    expect_says 'rolled back'
    expect_silent 'rollback failed'
    expect_equal "$before" "$(around_the_release)" "what is there"
    hf status
    expect_code 3
    expect_says 'held'
}

test_a_first_release_that_does_not_build_leaves_the_host_as_it_was() {
    change "$fleet/app/server.py" 's/^import os$/import os os/'
    push "Do not even build"
    hf apply production
    expect_code 3
    expect_silent 'rollback failed'
    expect_not on test -e /opt/greeter
}

test_a_good_release_after_them_is_deployed() {
    change "$fleet/app/server.py" 's/^import os os$/import os/; s/status = "no database"/status = "healthy"/'
    push "Repair it"
    converge
    expect serves "$(head_commit)"
}

run_tests
