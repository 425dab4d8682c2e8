"""Prints one PASS, FAIL or SKIP line per Catch2 test case of a ctest JUnit file: its programs are ctest's cases, ours are inside."""
import re
import sys
import xml.etree.ElementTree as tree

ALL_PASSED = re.compile(r"All tests passed \(.*? in (\d+) test cases?\)")
SUMMARY = re.compile(r"^test cases:(.*)$", re.MULTILINE)
FAILED_CASE = re.compile(r"^-{79}\n(?!\.\.)(.+)\n(?:.*\n)*?-{79}\n(\S+:\d+)\n\.{79}\n\n\S+: FAILED:", re.MULTILINE)


def counts(output):
    """(passed, failed) of a Catch2 program that came to its end, else None."""
    found = ALL_PASSED.findall(output)
    if found:
        return int(found[-1]), 0
    found = SUMMARY.findall(output)
    if found:
        number = lambda word: sum(int(n) for n in re.findall(r"(\d+) " + word, found[-1]))
        return number("passed") + number("failed as expected"), number(r"failed(?! as expected)")
    return None


def lines(case):
    name = case.get("name")
    output = case.findtext("system-out") or ""
    for skip in re.findall(r"^SKIP (.+)$", output, re.MULTILINE):
        yield f"SKIP {name}: {skip}"
    good = case.get("status") == "run"
    count = counts(output)
    if count is None and good and not name.endswith("_test"):
        count = 1, 0  # a program without Catch2: its exit code is its word
    if count is None and case.get("status") != "fail":
        yield f"FAIL {name}: no count of test cases in its output ({case.get('status')})"
        return
    passed, failed = count or (0, 0)
    yield from [f"PASS {name}"] * passed
    named = list(dict.fromkeys(FAILED_CASE.findall(output)))
    for title, where in named[:failed]:
        yield f"FAIL {name}: {title} ({where})"
    yield from [f"FAIL {name}"] * (failed - len(named[:failed]))
    if not good and failed == 0:
        yield f"FAIL {name}: the program failed ({case.findtext('failure') or 'crashed or timed out'})"


try:
    root = tree.parse(sys.argv[1]).getroot()
except (OSError, tree.ParseError) as problem:
    print(f"FAIL unit tests: no result of ctest: {problem}")
    sys.exit(0)
for case in root.iter("testcase"):
    print("\n".join(lines(case)))
