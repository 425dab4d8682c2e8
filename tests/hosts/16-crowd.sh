#!/bin/bash
# Sixty hosts of which five die and three become slow: the others notice nothing, and the dead come back.
# One sshd on this machine stands for all of them (tests/bench/scale); no lab is needed.
set -uo pipefail
cd "$(dirname "$0")/../.." || exit 1
if [ "$(id -u)" != 0 ] || ! unshare --net --mount true 2> /dev/null || [ ! -x /usr/sbin/sshd ]; then
    echo "SKIP 16-crowd: needs root, namespaces and sshd"
    exit 0
fi
tests/bench/scale/scale.py --hosts 60 --dead 5 --slow 3 --check --hurry | sed -E 's/^(PASS|FAIL) /\1 16-crowd: /'
