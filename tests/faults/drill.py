"""One drill: a transaction from a verified version to the next is stopped at a point, something dies there, and the host must come to an end."""
import dataclasses
import os
import random
import time

import fleet
import judge
from deployed import Site
from drilled import Wrong, eventually
from points import Point, Switch

FAULTS = ("runner", "controller", "sshd", "cable", "power", "full", "broken", "twice")
ERRORS = {"full": "error:ENOSPC", "broken": "error:EIO"}  # of the disk
HIT_WITHIN = 60

# In the host's own process namespace: every process whose program's path begins so, by its id.
KILL = """
import json, os, signal, sys
killed = []
for process in filter(str.isdigit, os.listdir("/proc")):
    try:
        if os.readlink(f"/proc/{process}/exe").startswith(sys.argv[1]):
            os.kill(int(process), signal.SIGKILL)
            killed.append(process)
    except OSError: pass
print(json.dumps(killed))
"""
SSHD = "/usr/sbin/sshd"
RUNNER = "/var/lib/holdfast/bin/"


@dataclasses.dataclass
class Result:
    host: str
    point: str
    fault: str
    outcome: str  # "new", "old", "missed", or "WRONG"
    seconds: float = 0.0
    detail: str = ""


def fits(point, fault, health):
    """Whether there is such a drill: an undo that meets a broken disk may fail, and says so; that is for `environment`."""
    on_controller = point.role == "controller"
    if fault in ERRORS:
        return not on_controller and (health == "healthy" or point.role != "recover")
    return not (on_controller and fault == "twice")


class Drilled:
    """A host with its site, always at a verified version between two drills."""

    def __init__(self, work, host, seed, health="{window: 5s, interval: 200ms, passes: 2, confirmWithin: 20s}"):
        self.site = Site(work, host, health)
        self.host = host
        self.random = random.Random(f"{seed} {host.name}")
        self.version, self.commit, self.newest = 0, "", 0
        self.on_host = Switch(host.memory / "failpoints")
        self.on_controller = Switch(self.site.folder / "failpoints")
        self.environment = {**os.environ, "HOLDFAST_FAILPOINTS": str(self.on_controller.path)}

    def first(self):
        """The first version, and a second, so that both directions start from a host that has been changed before."""
        self.site.write_environment()
        for _ in range(2):
            self.plain()

    def next_version(self):
        """One that was never pushed, and differs from the one that is live in everything."""
        self.newest += 1 if (self.newest + 1 - self.version) % 2 else 2
        return self.newest

    def push(self, version, health="healthy"):
        fleet.write(self.site, version, self.version, health)
        return self.site.push(f"Version {version}" + ("" if health == "healthy" else ", which is not healthy"))

    def plain(self):
        """A version that nothing happens to."""
        version = self.next_version()
        commit = self.push(version)
        self.site.converge()
        state = judge.await_safe(self.host, {"new": (version, commit)}, 20)
        if state != "new":
            raise Wrong("a version that nothing happened to did not arrive")
        self.version, self.commit = version, commit

    def trace(self, health="healthy"):
        """The points of the next transaction, in order: those of the host's programs, then the controller's."""
        version = self.next_version()
        commit = self.push(version, health)
        self.on_host.arm("* trace")
        self.on_controller.arm("* trace")
        self.site.start(self.environment)
        try:
            self.site.settled()
        finally:
            self.site.stop()
        points = self.on_host.traced(), self.on_controller.traced()
        self.on_host.clear()
        self.on_controller.clear()
        if health == "healthy":
            self.version, self.commit = version, commit
        judge.await_safe(self.host, {"one": (self.version, self.commit)}, 20)
        return points

    def drill(self, point: Point, fault, health="healthy"):
        """Result of one fault at one point. The host is verified again afterwards, or the result is wrong."""
        version = self.next_version()
        commit = self.push(version, health)
        both = {"old": (self.version, self.commit), "new": (version, commit)}
        states = both if health == "healthy" else {"old": both["old"]}
        switch = self.on_controller if point.role == "controller" else self.on_host
        action = ERRORS.get(fault, "wait")
        if fault == ("controller" if point.role == "controller" else "runner") or fault == "twice":
            action = "kill"
        # The second line is for whoever finishes what the first left.
        switch.arm(f"{point} {action}", *([f"recover:* #{self.random.randint(1, 60)} kill".replace(" #", "#")] if fault == "twice" else []))
        result = Result(self.host.name, str(point), fault, "WRONG")
        known = judge.journal(self.host), {one["id"] for one in self.site.history()}
        begun = time.monotonic()
        try:
            self.site.start(self.environment)
            if self.stopped(switch, commit):
                begun = time.monotonic()
                self.happen(fault, switch, both)
            else:
                result.outcome = "missed"
            if fault != "twice":
                switch.release()
            state = judge.await_safe(self.host, states)
            result.seconds = time.monotonic() - begun
            if not self.site.runs():
                self.site.start()
            status = self.site.settled(90)
            state = judge.await_safe(self.host, states, 30)  # it may have been tried again meanwhile
            judge.one_truth(self.site, states, state, known, status)
            if result.outcome != "missed":
                result.outcome = state
            self.version, self.commit = states[state]
        except Exception as error:  # whatever it is, it belongs to this drill
            result.outcome = "WRONG"
            result.seconds = time.monotonic() - begun
            result.detail = f"{error}"
        finally:
            self.site.stop()
            self.on_host.clear()
            self.on_controller.clear()
        return result

    def mend(self):
        """After a drill that went wrong: is the host fit for another?"""
        try:
            self.plain()
            return True
        except Exception:
            return False

    def stopped(self, switch, commit):
        """Whether the point was reached before the controller had made up its mind."""
        until = time.monotonic() + HIT_WITHIN
        while time.monotonic() < until:
            if switch.hit():
                return True
            if int(time.monotonic() * 10) % 20 == 0 and self.decided(commit):
                return bool(switch.hit())
            time.sleep(0.05)
        return False

    def decided(self, commit):
        status = self.site.status()
        return status is not None and status["desired_commit"] == commit and status["state"] in ("converged", "held")

    def happen(self, fault, switch, states):
        torn = judge.torn(self.host, states)
        if fault == "controller":
            self.site.kill()
            switch.release()
            if self.random.random() < 0.5:
                self.site.start()  # else the host is alone until it is safe
        elif fault == "sshd":
            self.host.python(KILL, SSHD)
        elif fault == "runner" and switch is self.on_controller:
            self.host.python(KILL, RUNNER)
        elif fault == "cable":
            self.host.cut()
            switch.release()
            # Longer than the dead-man waits, or hardly.
            time.sleep(self.random.choice((2, 35)))
            torn += judge.torn(self.host, states)
            self.host.join()
        elif fault == "power":
            self.host.cut_power()
            torn += judge.torn(self.host, states)
            switch.clear()
            self.host.boot()
        if torn:
            raise Wrong(f"torn: {torn}")
