#!/bin/bash
# Full disks, packages that do not install, a site that nginx refuses, an undo that fails: see tests/faults/environment.
set -uo pipefail
exec "$(dirname "$0")/../faults/environment" --hosts 3
