"""The lab's hosts, from within the lab's network."""
import os
import pathlib
import subprocess

HERE = pathlib.Path(__file__).parent
LAB = HERE.parent / "lab" / "lab"


def lab(*words, check=True):
    done = subprocess.run([LAB, *words], stdin=subprocess.DEVNULL, capture_output=True, text=True)
    if check and done.returncode:
        raise RuntimeError(f"lab {' '.join(words)}: {done.stderr.strip()}")
    return done.stdout


class Host:
    """One booted host; `root` is where its files are seen from here."""

    def __init__(self, name):
        self.name = name
        lab("up", name)
        self.address = lab("ip", name).strip()
        self.key = lab("hostkey", name).strip()
        # The peers' daemons would take processor time in the background; no tool is measured with them.
        self.run("sh", "-c", "for u in cfengine3 cf-execd cf-serverd cf-monitord; do systemctl mask --now $u.service; done 2>/dev/null; true")

    def run(self, *words, check=True):
        return lab("exec", self.name, *words, check=check)

    def has(self, program):
        return subprocess.run([LAB, "exec", self.name, "sh", "-c", f"command -v {program}"], capture_output=True).returncode == 0

    def drop(self):
        lab("kill", self.name)

    def cpu_ns(self):
        """Processor time of everything on the host so far."""
        with open(os.environ["HOLDFAST_LAB"] + "/id") as file:
            group = f"holdfast-lab-{file.read().strip()}-{self.name}"
        first = pathlib.Path("/sys/fs/cgroup/cpuacct") / group / "cpuacct.usage"
        if first.exists():
            return int(first.read_text())
        for line in (pathlib.Path("/sys/fs/cgroup") / group / "cpu.stat").read_text().splitlines():
            if line.startswith("usage_usec "):
                return int(line.split()[1]) * 1000
        return 0
