"""holdfast in the bench: fleets, commands, and the running controller, whose own log tells how long its turns took."""
import contextlib
import os
import re
import select
import signal
import subprocess
import time

import rows
import state

TURN = re.compile(r"environment=(\S+) turn took ([0-9.]+) ms: (.*)")


class Holdfast:
    """One fleet repository with one environment of some hosts, and a controller's settings for it."""

    def __init__(self, work, name, build, key, hosts, health="{window: 30s, watch: {for: 0s}}"):
        self.hosts = hosts
        self.folder = work / name
        self.folder.mkdir()
        self.program = find(build, "holdfast")
        self.fleet = self.folder / "fleet"
        state.copy_fleet(self.fleet)
        self.settings = self.folder / "holdfast.yaml"
        self.settings.write_text(f"""apiVersion: holdfast.dev/v1
kind: Controller
metadata: {{name: bench}}
spec:
  repository: {{url: "file://{self.folder}/remote.git"}}
  poll: 1s
  state: {self.folder}/state
  runner: {find(build, "holdfast-host")}
  ssh: {{identity: {key}, agent: false}}
""")
        members = "".join(f'    - {{name: {host.name}, address: {host.address}, hostKey: "{host.key}"}}\n' for host in hosts)
        (self.fleet / "deploy/production.yaml").write_text(f"""apiVersion: holdfast.dev/v1
kind: Environment
metadata: {{name: production}}
spec:
  track: {{branch: main}}
  paths: [deploy/web]
  health: {health}
  hosts:
{members}""")
        self.git(self.folder, "init", "--quiet", "--bare", "--initial-branch=main", "remote.git")
        self.git(self.folder, "init", "--quiet", "--initial-branch=main", "fleet")
        self.git(self.fleet, "add", "--all")
        self.git(self.fleet, "-c", "user.name=bench", "-c", "user.email=bench@invalid", "commit", "--quiet", "-m", "Describe the state")
        self.git(self.fleet, "push", "--quiet", "../remote.git", "HEAD:main")

    @staticmethod
    def git(folder, *words):
        subprocess.run(["git", "-C", folder, *words], check=True, stdin=subprocess.DEVNULL)

    def command(self, *words):
        sample, outputs = rows.timed([[self.program, "--config", self.settings, *words]], self.hosts)
        return sample, outputs[0]

    def unchanged(self, *words):
        """A command that must find nothing to do."""
        sample, output = self.command(*words, "production")
        wanted = f"{len(self.hosts)} unchanged" if words[0] == "apply" else "nothing to do"
        if wanted not in output.lower():
            raise RuntimeError(f"expected {wanted!r}, found:\n{output}")
        return sample


class Controller:
    """`holdfast run`, and its turns as it tells of them."""

    def __init__(self, holdfast):
        self.holdfast = holdfast
        self.child = subprocess.Popen([holdfast.program, "--config", holdfast.settings, "run", "--log-level", "debug"],
                                      stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.STDOUT)
        self.rest = b""

    def turn(self, seconds=60):
        """The next turn: how long it took (seconds), and what came of it."""
        until = time.monotonic() + seconds
        while True:
            found, self.rest = self.rest.partition(b"\n")[0::2] if b"\n" in self.rest else (None, self.rest)
            if found is not None:
                match = TURN.search(found.decode(errors="replace"))
                if match:
                    return float(match.group(2)) / 1e3, match.group(3)
                continue
            ready, _, _ = select.select([self.child.stdout], [], [], max(0, until - time.monotonic()))
            data = os.read(self.child.stdout.fileno(), 65536) if ready else b""
            if not data:
                raise RuntimeError("the controller told of no turn in time")
            self.rest += data

    def quiet_turn(self):
        seconds, result = self.turn()
        if result != f"{len(self.holdfast.hosts)} unchanged":
            raise RuntimeError(f"expected nothing to do, found: {result}")
        return seconds

    @contextlib.contextmanager
    def stopped(self):
        self.child.send_signal(signal.SIGSTOP)
        try:
            yield
        finally:
            self.child.send_signal(signal.SIGCONT)

    def stop(self):
        self.child.terminate()
        self.child.communicate(timeout=60)


def find(build, name):
    for folder, _, names in os.walk(build):
        path = os.path.join(folder, name)
        if name in names and os.access(path, os.X_OK):
            return path
    raise RuntimeError(f"{name} is not built in {build}")
