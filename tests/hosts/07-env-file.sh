#!/bin/bash
# systemd and sh read an env file alike, whatever stands in it.
. "$(dirname "$0")/lib.sh"
begin web

add_manifest odd <<'END'
apiVersion: holdfast.dev/v1
kind: EnvFile
metadata: {name: odd}
spec:
  path: /etc/odd.env
  values:
    PLAIN: plain
    EMPTY: ""
    NUMBER: 42
    SPACES: "  two before, two after  "
    SINGLE: "it's"
    DOUBLE: 'say "hello"'
    DOLLAR: "$HOME and $(id) and `id`"
    BACKSLASH: 'C:\new\table'
    HASH: "#not a comment; nor this"
    STAR: "* ? [a-z] ~"
    UNICODE: "Grüße, 世界"
    TRAILING: 'ends with a backslash\'
---
apiVersion: holdfast.dev/v1
kind: SystemdUnit
metadata: {name: odd.service}
spec:
  text: |
    [Service]
    Type=oneshot
    RemainAfterExit=yes
    EnvironmentFile=/etc/odd.env
    ExecStart=/usr/bin/python3 -c "import os, json; open('/run/odd.json', 'w').write(json.dumps({k: v for k, v in os.environ.items() if k.isupper()}))"
  state: running
  loads: [EnvFile/odd]
END
push "Add odd values" > /dev/null

test_both_readers_agree_with_the_manifest() {
    converge
    shell 'set -a; . /etc/odd.env; set +a; python3 -c "import os, json; print(json.dumps(dict(os.environ)))"' > "$work/shell.json"
    on cat /run/odd.json > "$work/systemd.json"
    expect python3 - "$work/shell.json" "$work/systemd.json" <<'END'
import json, sys
wanted = {"PLAIN": "plain", "EMPTY": "", "NUMBER": "42", "SPACES": "  two before, two after  ", "SINGLE": "it's",
          "DOUBLE": 'say "hello"', "DOLLAR": "$HOME and $(id) and `id`", "BACKSLASH": "C:\\new\\table",
          "HASH": "#not a comment; nor this", "STAR": "* ? [a-z] ~", "UNICODE": "Grüße, 世界",
          "TRAILING": "ends with a backslash\\"}
wrong = 0
for file in sys.argv[1:]:
    found = json.load(open(file))
    for name, value in wanted.items():
        if found.get(name) != value:
            print(f"{file}: {name} is {found.get(name)!r}, not {value!r}")
            wrong = 1
sys.exit(wrong)
END
}

test_a_value_that_they_would_read_differently_is_refused() {
    change "$fleet/deploy/greeter/odd.yaml" 's/^    PLAIN: plain/    PLAIN: "one\\ntwo"/'
    push "Want two lines"
    hf apply production
    expect_code 1
    expect_says 'odd.yaml:[0-9]+:[0-9]+: .*line end'
}

test_the_file_is_for_its_owner_alone() {
    expect_equal "600 root root" "$(on stat -c '%a %U %G' /etc/odd.env)"
}

run_tests
