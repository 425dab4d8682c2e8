#!/bin/bash
# Commits that lock holdfast out of a host undo themselves: see tests/faults/lockouts.
set -uo pipefail
exec "$(dirname "$0")/../faults/lockouts" --hosts 3
