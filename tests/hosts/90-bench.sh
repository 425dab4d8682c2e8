#!/bin/bash
# The bench still works: every row of one host is measured once, and what was measured was right. How fast is for it to say.
. "$(dirname "$0")/lib.sh"

test_the_bench_measures_every_row() {
    local row
    HOLDFAST_BUILD=$build "$top/tests/bench/run" --quick > "$work/out" 2>&1 || { cat "$work/out"; return 1; }
    cat "$work/out"
    for row in "ssh true, curve" "shell observation, warm" "holdfast apply" "holdfast plan" "controller's turn, fresh" \
        "controller's turn, kept" "drifted snippet: holdfast apply" "drifted snippet: controller's turn, kept" "first converge: holdfast apply"; do
        expect_says "^\\| .*$row.* \\| [1-9]"
    done
}

work=$(mktemp -d "/tmp/holdfast-test-$suite-XXXXXX")
trap 'rm -rf "$work"' EXIT
trap 'exit 130' INT TERM HUP
if ! why=$("$lab" possible); then echo "SKIP $suite: $why"; exit 0; fi
run_tests
