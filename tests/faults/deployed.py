"""What is deployed to one drilled host: a repository, an environment of that host alone, and a controller of its own."""
import json
import pathlib
import shutil
import signal
import subprocess

from drilled import Wrong, eventually, find, lab_key


class Site:
    """`write(fleet)` puts the manifests below deploy/drill; everything else is the same for all drills."""

    def __init__(self, work, host, health="{window: 10s, interval: 200ms, passes: 2}", user="root"):
        self.host = host
        self.folder = pathlib.Path(work) / host.name
        self.fleet = self.folder / "fleet"
        self.settings = self.folder / "holdfast.yaml"
        self.log = self.folder / "controller.log"
        self.health = health
        self.user = user
        self.child = None
        self.fleet.mkdir(parents=True)
        self.settings.write_text(f"""apiVersion: holdfast.dev/v1
kind: Controller
metadata: {{name: drill}}
spec:
  repository: {{url: "file://{self.folder}/remote.git"}}
  poll: 1s
  state: {self.folder}/state
  runner: {find("holdfast-host")}
  ssh: {{identity: {lab_key()}, agent: false}}
""")
        self.git(self.folder, "init", "--quiet", "--bare", "--initial-branch=main", "remote.git")
        self.git(self.fleet, "init", "--quiet", "--initial-branch=main", ".")
        (self.fleet / "deploy/drill").mkdir(parents=True)

    @staticmethod
    def git(folder, *words):
        done = subprocess.run(["git", "-C", folder, "-c", "user.name=A Drill", "-c", "user.email=drill@invalid", *words],
                              stdin=subprocess.DEVNULL, capture_output=True, text=True)
        if done.returncode:
            raise Wrong(f"git {' '.join(words)}: {done.stderr.strip()}")
        return done.stdout.strip()

    def write(self, path, text):
        target = self.fleet / path
        target.parent.mkdir(parents=True, exist_ok=True)
        target.write_text(text)

    def write_environment(self, more=""):
        self.write("deploy/production.yaml", f"""apiVersion: holdfast.dev/v1
kind: Environment
metadata: {{name: production}}
spec:
  track: {{branch: main}}
  paths: [deploy/drill]
  health: {self.health}
  hosts:
    - {{name: {self.host.name}, address: {self.host.address}, hostKey: "{self.host.key}", user: {self.user}}}
{more}""")

    def push(self, subject):
        self.git(self.fleet, "add", "--all")
        self.git(self.fleet, "commit", "--quiet", "--allow-empty", "-m", subject)
        self.git(self.fleet, "push", "--quiet", "../remote.git", "HEAD:main")
        return self.git(self.fleet, "rev-parse", "HEAD")

    # --- the program

    def command(self, *words, seconds=300):
        """Exit code and output of one command."""
        done = subprocess.run([find("holdfast"), "--config", self.settings, *words], stdin=subprocess.DEVNULL,
                              stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True, timeout=seconds)
        return done.returncode, done.stdout

    def converge(self):
        code, output = self.command("apply", "production")
        if code:
            raise Wrong(f"apply: exit {code}\n{output}")
        return output

    def status(self):
        """The host's own entry, and what is held; None before its first turn."""
        output = self.command("--output", "json", "status")[1]
        for one in json.loads(output)["environments"]:
            for host in one["hosts"]:
                return {**host, "held": one["held"]}
        return None

    def history(self, limit=50):
        return json.loads(self.command("--output", "json", "history", "--limit", str(limit))[1])["deployments"]

    # --- the controller

    def start(self, environment=None):
        with open(self.log, "ab") as log:
            self.child = subprocess.Popen([find("holdfast"), "--config", self.settings, "run", "--log-level", "debug"],
                                          stdin=subprocess.DEVNULL, stdout=log, stderr=log, env=environment)

    def kill(self):
        self.signal(signal.SIGKILL)

    def stop(self):
        self.signal(signal.SIGTERM)

    def signal(self, number):
        if self.child is None:
            return
        if self.child.poll() is None:
            self.child.send_signal(number)
        try:
            self.child.wait(30)
        except subprocess.TimeoutExpired:
            self.child.kill()
            self.child.wait()
        self.child = None

    def runs(self):
        return self.child is not None and self.child.poll() is None

    def last_words(self, lines=40):
        if not self.log.exists():
            return ""
        return "\n".join(self.log.read_text(errors="replace").splitlines()[-lines:])

    def drop(self):
        self.kill()
        shutil.rmtree(self.folder, ignore_errors=True)

    def settled(self, seconds=60):
        """The status once the controller has made up its mind about the newest commit."""
        head = self.git(self.fleet, "rev-parse", "HEAD")

        def look():
            status = self.status()
            mind = status and status["desired_commit"] == head and status["state"] in ("converged", "held", "rollback_failed")
            return status if mind else None

        return eventually(seconds, lambda: f"the controller settles: {self.status()}\n{self.last_words()}", look, every=0.3)
