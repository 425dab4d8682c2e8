#!/bin/bash
# Something dies at a sample of the points of a transaction, and the host is old or new in the end: see tests/faults/run.
set -uo pipefail
exec "$(dirname "$0")/../faults/run" --sample 24 --seconds 150 --hosts 3
