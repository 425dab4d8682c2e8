#!/usr/bin/env python3
"""Many hosts on one machine, some of them dead and some slow: what a tick costs, and whether the dead hold up the rest.

    tests/bench/scale/scale.py [--hosts N] [--dead N] [--slow N] [--build DIR] [--check] [--hurry] [--keep]

Prints a table, and with --check also PASS or FAIL for each rule (exit code 1 when one fails). With --hurry
it does not wait until the dead are tried again by themselves, which takes minutes, but wants something else of them.
Needs root."""
import argparse
import os
import re
import shutil
import signal
import subprocess
import sys
import tempfile
import time

sys.path.insert(0, os.path.dirname(os.path.abspath(__file__)))
import machine as m  # noqa: E402
from faults import Faults  # noqa: E402

DEATHS = ("refused", "dropped", "mute", "silent", "cut")
failures = []


def say(label, value):
    print(f"{label:<64}{value}", flush=True)


def rule(ok, text, checks):
    if checks:
        print(("PASS " if ok else "FAIL ") + text, flush=True)
    if not ok:
        failures.append(text)


class Controller:
    """`holdfast run` and what can be seen of it from outside."""

    def __init__(self, fleet, build):
        self.fleet, self.build, self.log = fleet, build, f"{fleet.folder}/controller.log"
        self.process = None

    def start(self):
        self.process = subprocess.Popen(
            [f"{self.build}/holdfast", "--config", f"{self.fleet.folder}/holdfast.yaml", "run", "--log-level", "debug"],
            stdout=open(self.log, "a"), stderr=subprocess.STDOUT, env={**os.environ, "HOME": self.fleet.folder})

    def stop(self):
        if self.process:
            self.process.terminate()
            self.process.wait(180)
            self.process = None

    def text(self):
        with open(self.log, encoding="utf-8", errors="replace") as file:
            return file.read()

    def ticks(self, start=0):
        """(hosts, milliseconds) of every turn told after that character of the log."""
        found = re.findall(r"turn took ([0-9.]+) ms: (.*)", self.text()[start:])
        return [(sum(int(n) for n in re.findall(r"(\d+) (?!still busy)", what)), float(ms)) for ms, what in found]

    def next_ticks(self, number, seconds):
        start = len(self.text())
        m.wait_for(f"{number} ticks", seconds, lambda: len(self.ticks(start)) >= number)
        return self.ticks(start)[:number]

    def status(self):
        began = time.monotonic()
        result = subprocess.run([f"{self.build}/holdfast", "--config", f"{self.fleet.folder}/holdfast.yaml", "status"],
                                capture_output=True, text=True, check=False)
        return result.stdout, time.monotonic() - began


def tell_load(controller, label):
    pid = controller.process.pid
    rss, pss = m.memory_mib(pid)
    say(f"{label}: memory of the controller, RSS / PSS", f"{rss:.0f} / {pss:.0f} MiB")
    say(f"{label}: its most so far", f"{m.status_number(pid, 'VmHWM:') / 1024:.0f} MiB")
    say(f"{label}: threads / open files", f"{m.status_number(pid, 'Threads:')} / {len(os.listdir(f'/proc/{pid}/fd'))}")
    return rss


def tell_ticks(controller, label, number, hosts):
    pid = controller.process.pid
    others = [p for p in m.children_of(controller.fleet.sshd.pid)]
    before, before_hosts = m.cpu_ms(pid), m.precise_cpu_ms(others)
    ticks = controller.next_ticks(number, 120 * number)
    cpu, cpu_hosts = m.cpu_ms(pid) - before, m.precise_cpu_ms(others) - before_hosts
    times = sorted(ms for _, ms in ticks)
    say(f"{label}: a tick, median of {number} (hosts checked)", f"{times[len(times) // 2]:.0f} ms ({ticks[-1][0]})")
    say(f"{label}: CPU of the controller per host and tick", f"{cpu / number / hosts:.2f} ms")
    say(f"{label}: CPU of sshd and the runner per host and tick", f"{cpu_hosts / number / hosts:.2f} ms")
    return times[len(times) // 2]


def bench(options, fleet, controller):
    hosts, well = options.hosts, set(range(options.hosts)) - set(fleet.faulty)
    faults = Faults(fleet)

    began = time.monotonic()
    controller.start()
    m.wait_for("the first rollout", 60 + hosts * 2, lambda: len(fleet.greeted("hello")) == hosts)
    say("first deployment of all hosts, canary first", f"{time.monotonic() - began:.1f} s")
    controller.next_ticks(2, 300)
    memory = tell_load(controller, "after it")
    rule(memory <= 256, f"the controller takes at most 256 MiB after a first deployment ({memory:.0f})", options.check)
    controller.stop()

    began = time.monotonic()
    controller.start()
    size = len(controller.text())
    m.wait_for("the first tick", 60 + hosts, lambda: any(checked >= hosts for checked, _ in controller.ticks(size)))
    say("start and first tick, fresh connections", f"{time.monotonic() - began:.1f} s")
    quiet = tell_ticks(controller, "nothing to change", 5, hosts)
    memory = tell_load(controller, "nothing to change")
    rule(memory <= 256, f"the controller takes at most 256 MiB ({memory:.0f})", options.check)

    began = time.monotonic()
    fleet.set_greeting("good day")
    m.wait_for("the commit", 60 + hosts * 2, lambda: len(fleet.greeted("good day")) == hosts)
    say("a commit that changes a file on every host, all well", f"{time.monotonic() - began:.1f} s")
    if not fleet.faulty:
        return

    time.sleep(15)  # until the last ones are confirmed: a host that dies before is another story
    size = len(controller.text())
    for place, number in enumerate(fleet.faulty):
        faults.make(number, "slow" if place < options.slow else DEATHS[place % len(DEATHS)])
    say("now dead / slow by seconds", f"{options.dead} / {options.slow}")
    first = controller.next_ticks(1, 300)[0]
    say("the first tick after that", f"{first[1]:.0f} ms ({first[0]} hosts)")
    m.wait_for("the dead to be told", 300,
               lambda: f" {options.dead} unreachable" in controller.status()[0]
               or controller.status()[0].count("unreachable") >= options.dead)
    ill = tell_ticks(controller, "dead and slow ones there", 5, hosts)
    tell_load(controller, "dead and slow ones there")
    rule(ill <= 2 * quiet + 1000, f"a tick of the others takes as long as before ({quiet:.0f} ms, then {ill:.0f} ms)", options.check)

    began = time.monotonic()
    fleet.set_greeting("good evening")
    m.wait_for("the commit", 60 + hosts * 2, lambda: well <= fleet.greeted("good evening"))
    reached = time.monotonic() - began
    say("a commit reaches all that are well", f"{reached:.1f} s")
    slow = set(fleet.faulty[:options.slow])
    m.wait_for("the slow ones", 300, lambda: slow <= fleet.greeted("good evening"))
    say("and the slow ones", f"{time.monotonic() - began:.1f} s")
    text, took = controller.status()
    say("holdfast status", f"{took * 1000:.0f} ms, {len(text.splitlines())} lines")
    rule(len(fleet.greeted("good evening")) == hosts - options.dead, "the dead ones have not got it", options.check)

    began = time.monotonic()
    for number in fleet.faulty:
        faults.make(number, "well")
    if options.hurry:
        fleet.set_greeting("good night")
        m.wait_for("the next commit", 120 + hosts, lambda: len(fleet.greeted("good night")) == hosts)
        rule(True, "hosts that were dead take the next commit at once", options.check)
        return
    m.wait_for("the dead to come back", 900, lambda: len(fleet.greeted("good evening")) == hosts)
    say("the dead come back by themselves and have the commit", f"{time.monotonic() - began:.1f} s")
    rule(True, "dead hosts come back by themselves", options.check)


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("--hosts", type=int, default=100)
    parser.add_argument("--dead", type=int, default=0)
    parser.add_argument("--slow", type=int, default=0)
    parser.add_argument("--build", default=os.environ.get("HOLDFAST_BUILD", "build/dev"))
    parser.add_argument("--check", action="store_true")
    parser.add_argument("--hurry", action="store_true")
    parser.add_argument("--keep", action="store_true")
    options = parser.parse_args()
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(143))
    options.build = os.path.abspath(options.build)
    m.enter()
    folder = tempfile.mkdtemp(prefix="holdfast-scale-")
    os.chmod(folder, 0o755)
    faulty = list(range(options.dead + options.slow))  # first in the list: where they do most harm
    fleet, controller = None, None
    try:
        runner = f"{options.build}/reconcilers/host/holdfast-host"
        os.makedirs(f"{folder}/hosts")
        # Their disks are not what is measured, and this machine has one for all of them.
        subprocess.run(["mount", "-t", "tmpfs", "-o", "mode=0755", "hosts", f"{folder}/hosts"], check=True)
        fleet = m.Machine(folder, options.hosts, faulty, runner)
        controller = Controller(fleet, options.build)
        say("hosts, each with 40 resources", options.hosts)
        bench(options, fleet, controller)
    except TimeoutError as error:
        print(f"FAIL {error}")
        failures.append(str(error))
        if controller:
            print(controller.text()[-3000:])
    finally:
        if controller:
            controller.stop()
        if fleet:
            fleet.end()
        if options.keep:
            print("kept", folder)
        else:
            subprocess.run(["umount", "--lazy", f"{folder}/hosts"], check=False)
            shutil.rmtree(folder, ignore_errors=True)
    sys.exit(1 if failures else 0)


main()
