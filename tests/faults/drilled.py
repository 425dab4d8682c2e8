"""A host of the lab that is drilled, and waiting for what must become of it. All of it runs in the lab's network."""
import json
import os
import pathlib
import subprocess
import sys
import time

HERE = pathlib.Path(__file__).parent
TOP = HERE.parent.parent
LAB = TOP / "tests" / "lab" / "lab"
BUILD = pathlib.Path(os.environ.get("HOLDFAST_BUILD", TOP / "build" / "dev"))


class Wrong(Exception):
    """Something did not hold that must."""


def lab(*words, check=True, seconds=120):
    done = subprocess.run([LAB, *words], stdin=subprocess.DEVNULL, capture_output=True, text=True, timeout=seconds)
    if check and done.returncode:
        raise Wrong(f"lab {' '.join(words)[:300]}: exit {done.returncode}: {(done.stderr or done.stdout).strip()[-2000:]}")
    return done.stdout


def enter_lab(name):
    """Goes on in a lab's network, in this process: in the lab that HOLDFAST_LAB names, or in a new one, to be removed with leave_lab."""
    if os.environ.get("HOLDFAST_FAULTS_LAB"):
        return
    why = subprocess.run([LAB, "possible"], capture_output=True, text=True)
    if why.returncode:
        print(f"SKIP {name}: {why.stdout.strip()}")
        sys.exit(0)
    own = "HOLDFAST_LAB" not in os.environ
    if own:
        os.environ["HOLDFAST_LAB"] = lab("create", name, "--owner", str(os.getpid())).strip()
    lab("serve-apt", seconds=600)
    os.environ["HOLDFAST_FAULTS_LAB"] = "own" if own else "shared"
    os.environ["PYTHONDONTWRITEBYTECODE"] = "1"
    os.execv(LAB, [str(LAB), "in", sys.executable, *sys.argv])


def leave_lab(hosts):
    if os.environ.get("HOLDFAST_FAULTS_LAB") == "own":
        lab("remove", check=False)
        return
    for host in hosts:
        lab("kill", host.name, check=False)


def find(name):
    for folder, _, names in os.walk(BUILD):
        path = os.path.join(folder, name)
        if name in names and os.access(path, os.X_OK):
            return path
    raise Wrong(f"{name} is not built in {BUILD}")


def boot_hosts(names):
    lab("image", seconds=900)
    lab("up", *names, seconds=300)
    hosts = [Host(name) for name in names]
    for host in hosts:
        host.run("apt-get", "update", "-qq")
    return hosts


def eventually(seconds, what, condition, every=0.1):
    """The first true answer of the condition."""
    until = time.monotonic() + seconds
    while True:
        answer = condition()
        if answer:
            return answer
        if time.monotonic() > until:
            raise Wrong(f"not within {seconds} s: {what() if callable(what) else what}")
        time.sleep(every)


class Host:
    """`root` is where its files are seen from here, also while it is without power."""

    def __init__(self, name):
        self.name = name
        self.address = lab("ip", name).strip()
        self.key = lab("hostkey", name).strip()
        self.root = pathlib.Path(lab("root", name).strip())
        self.memory = self.root / "var/lib/holdfast"

    def run(self, *words, check=True, seconds=120):
        """As root on the host, past sshd and network."""
        return lab("exec", self.name, *words, check=check, seconds=seconds)

    def python(self, program, *words, seconds=60):
        """A program's answer, which is JSON."""
        return json.loads(self.run("python3", "-c", program, *map(str, words), seconds=seconds))

    def ssh(self, *words, user="root", seconds=2):
        """Does this work over a new connection?"""
        known = self.root.parent / "known_hosts"
        known.write_text(f"{self.address} {self.key}\n")
        command = ["ssh", "-F", "/dev/null", "-i", lab_key(), "-o", "IdentitiesOnly=yes", "-o", f"UserKnownHostsFile={known}",
                   "-o", "LogLevel=ERROR", "-o", "BatchMode=yes", "-o", f"ConnectTimeout={seconds}", f"{user}@{self.address}", *words]
        try:
            return subprocess.run(command, stdin=subprocess.DEVNULL, capture_output=True, timeout=seconds + 3).returncode == 0
        except subprocess.TimeoutExpired:
            return False

    def fetch(self, path="/"):
        """What nginx answers over the network; empty where it does not."""
        done = subprocess.run(["curl", "--silent", "--max-time", "3", f"http://{self.address}{path}"], capture_output=True, text=True)
        return done.stdout if done.returncode == 0 else ""

    def cut(self):
        lab("cut", self.name)

    def join(self):
        lab("join", self.name)

    def cut_power(self):
        lab("kill", self.name)

    def boot(self):
        lab("boot", self.name)


def lab_key():
    return os.path.join(os.environ["HOLDFAST_LAB"], "key")
