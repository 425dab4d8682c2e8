"""What must hold after a fault: old or new and nothing between, nothing left behind, and one truth in journal, status and history."""
import json
import pathlib
import struct
import time
import zlib

import fleet
from drilled import Wrong

HERE = pathlib.Path(__file__).parent
LOOK = (HERE / "look.py").read_text()
SAFE_WITHIN = 150  # seconds, without anyone's help
# What a transaction's end is called in the host's journal, and in the controller's history.
SAME = {"confirmed": ("deployed", "repaired"), "rolled_back": ("rolled back",), "rollback_failed": ("rollback failed",), "refused": ("refused",)}


def look(host):
    return host.python(LOOK)


def differences(seen, wanted):
    return [key for key, value in wanted.items() if seen.get(key) != value]


def classify(seen, states):
    """The name of the state that the host is in, as a whole; None where it is in none."""
    return next((name for name, (version, commit) in states.items() if not differences(seen, fleet.wanted(version, commit))), None)


def unsafe(seen):
    """What keeps a host from being at an end; empty where nothing does."""
    wrong = []
    if seen["open"]:
        wrong.append("a transaction is open")
    if seen["leftovers"]:
        wrong.append(f"left behind: {seen['leftovers']}")
    if seen["failed"]:
        wrong.append(f"failed units: {seen['failed']}")
    if seen["audit"]:
        wrong.append(f"dpkg: {seen['audit']}")
    if seen["runners"]:
        wrong.append(f"still at work: {seen['runners']}")
    return wrong


def torn(host, states):
    """Each file on its own, at any instant, also of a host without power: old or new, never something else."""
    found = []
    sides = [fleet.wanted(version, commit) for version, commit in states.values()]
    text = _read(host, "etc/drill/settings")
    if text is not None and text not in [side["settings"][0] for side in sides]:
        found.append(f"/etc/drill/settings holds {text[:80]!r} ... {len(text)} bytes")
    for path, key in (("opt/drill/env", "env"), ("etc/systemd/system/drill.service", "unit_file"), ("etc/nginx/sites-available/drill", "site_file")):
        text = _read(host, path)
        if text is not None and not any(side[key] in text for side in sides):
            found.append(f"/{path} holds {text[:200]!r}")
    odd = _read(host, "etc/drill/odd")
    if odd not in (None, "odd\n"):
        found.append(f"/etc/drill/odd holds {odd!r}")
    return found


def _read(host, path):
    try:
        return (host.root / path).read_text()
    except FileNotFoundError:
        return None


def await_safe(host, states, seconds=SAFE_WITHIN):
    """The name of the state that the host came to, seen twice."""
    until = time.monotonic() + seconds
    before, seen = None, {}
    while True:
        try:
            seen = look(host)
            state = classify(seen, states) if not unsafe(seen) else None
        except (Wrong, ValueError) as error:  # it boots, or is gone
            state, seen = None, {"error": str(error)}
        if state is not None and state == before:
            return state
        before = state
        if time.monotonic() > until:
            raise Wrong(f"not safe within {seconds} s: {unsafe(seen) if 'open' in seen else seen}; "
                        + "; ".join(f"not {name} in {[(key, str(seen.get(key))[:200]) for key in differences(seen, fleet.wanted(*state))]}"
                                    for name, state in states.items()))
        time.sleep(0.5)


def journal(host):
    """The host's own word on its transactions: {id: (state, commit)}."""
    found = {}
    for path in sorted((host.memory / "transactions").glob("*/journal")):
        state, commit = "", ""
        for record in records(path.read_bytes()):
            if record.get("record") == "begin":
                state, commit = "open", record["request"]["commit"]
            elif record.get("record") == "state":
                state = record["state"]
        found[path.parent.name] = (state, commit)
    return found


def records(data):
    at = 0
    while at + 8 <= len(data):
        length, crc = struct.unpack(">II", data[at:at + 8])
        payload = data[at + 8:at + 8 + length]
        if len(payload) < length or zlib.crc32(payload) != crc:
            return
        yield json.loads(payload)
        at += 8 + length


def one_truth(site, states, state, known, status):
    """Journal, status and history say the same, and it is what the host is like. Transactions that were there before are `known`."""
    host = {name: end for name, end in journal(site.host).items() if name not in known[0] and end[0]}
    told = {one["transaction"]: one for one in site.history() if one["transaction"] not in known[0] and one["id"] not in known[1]}
    for transaction, (word, commit) in host.items():
        if transaction not in told:
            raise Wrong(f"the history does not know {transaction}, which the host says is {word}")
        if told[transaction]["outcome"] not in SAME.get(word, (word,)):
            raise Wrong(f"{transaction} is {word} on the host, and {told[transaction]['outcome']} in the history: {told[transaction]['reason']}")
        if commit and commit != told[transaction]["commit"]:
            raise Wrong(f"{transaction} is of {commit} on the host, and of {told[transaction]['commit']} in the history")
    for transaction, one in told.items():
        if transaction not in host and one["outcome"] not in ("failed", "refused", "unknown"):
            raise Wrong(f"the host knows nothing of {transaction}, which the history calls {one['outcome']}")
        if one["outcome"] == "running":
            raise Wrong(f"{transaction} is said to be running still")
    live = states[state][1]
    if status["live_commit"] != live:
        raise Wrong(f"the host is {state}, {live}, and the status says {status['live_commit']} live: {status}")
    if status["state"] not in ("converged", "held") or (status["state"] == "converged") != (status["desired_commit"] == live):
        raise Wrong(f"the host is {state}, {live}, and the status says {status['state']}: {status}")
