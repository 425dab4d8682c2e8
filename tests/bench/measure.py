"""Rounds in which everything is measured once, so that whatever else the machine does falls on all rows alike. See README.md."""
import argparse
import os
import pathlib
import sys
import time

import competitors
import controller
import lab
import rows
import state
import targets

KEPT_TURNS = 5
DRIFT = "/etc/nginx/snippets/security-headers.conf"
ONE_PASS = "{window: 30s, passes: 1}"  # what the peers' policies wait for: one answer of the application


class Bench:
    def __init__(self, arguments):
        self.work = pathlib.Path(arguments.work)
        self.build = arguments.build
        self.quick = arguments.quick
        self.rounds = arguments.rounds
        self.table = rows.Rows()
        self.memory = {}
        self.key = lab.lab("key").strip()
        say(f"booting {arguments.hosts} hosts")
        self.hosts = [lab.Host(f"bench{number}") for number in range(1, arguments.hosts + 1)]
        self.floor = competitors.Floor(self.work, self.key, self.hosts)
        self.counts = sorted({1, len(self.hosts)})
        self.holdfast = {n: controller.Holdfast(self.work, f"holdfast-{n}", self.build, self.key, self.hosts[:n]) for n in self.counts}
        archive = state.cfengine_archive(self.work, self.holdfast[1].fleet)
        self.cfengine = competitors.CFEngine(self.floor, archive) if self.hosts[0].has("cf-agent") else None
        self.script = self.work / "observe.sh"
        self.script.write_text(state.observation())

    def all(self):
        say("converging")
        for n in reversed(self.counts):
            self.holdfast[n].command("apply", "production")
        if self.cfengine:
            for _ in range(2):
                self.cfengine.run("curve", self.hosts)
        self.expected = self.floor.observe("warm", self.hosts[:1], self.script)[1][0]
        for number in range(self.rounds):
            say(f"round {number + 1} of {self.rounds}")
            for n in self.counts:
                self.nothing_to_do(n)
            self.drifted()
            if number < (self.rounds + 1) // 2:
                self.first_converge(number)

    def nothing_to_do(self, n):
        hosts, holdfast = self.hosts[:n], self.holdfast[n]
        for way in ("fresh", "curve", "warm"):
            self.table.add(f"{n} host: ssh true, {way}", self.floor.true(way, hosts))
        for way in ("curve", "warm"):
            self.table.add(f"{n} host: shell observation, {way}", self.floor.observe(way, hosts, self.script, self.expected)[0])
        if self.cfengine:
            for way in ("fresh", "curve", "warm"):
                self.table.add(f"{n} host: CFEngine, {way}", self.cfengine.run(way, hosts))
        self.table.add(f"{n} host: holdfast apply", holdfast.unchanged("apply"))
        self.table.add(f"{n} host: holdfast plan", holdfast.unchanged("plan"))
        self.turns(n)

    def turns(self, n):
        """The running controller: its first turn has new connections, the others kept ones."""
        hosts = self.hosts[:n]
        running = controller.Controller(self.holdfast[n])
        try:
            pid = running.child.pid
            before = sum(host.cpu_ns() for host in hosts)
            seconds = running.quiet_turn()
            self.table.add(f"{n} host: controller's turn, fresh",
                           rows.Sample(seconds, rows.process_cpu(pid), (sum(host.cpu_ns() for host in hosts) - before) / 1e9))
            running.quiet_turn()
            for _ in range(KEPT_TURNS):
                own, children, before = rows.process_cpu(pid), rows.children_cpu(pid), sum(host.cpu_ns() for host in hosts)
                seconds = running.quiet_turn()
                cpu = rows.process_cpu(pid) - own + rows.children_cpu(pid) - children
                self.table.add(f"{n} host: controller's turn, kept",
                               rows.Sample(seconds, cpu, (sum(host.cpu_ns() for host in hosts) - before) / 1e9))
            self.memory[n] = rows.memory_kib(pid)
        finally:
            running.stop()

    def drift(self):
        """The edit is loaded too: who only puts the file back leaves nginx running with it."""
        self.hosts[0].run("sh", "-c", f"echo '# drifted' >> {DRIFT} && systemctl reload nginx")
        self.loaded = self.load_time()

    def load_time(self):
        return self.hosts[0].run("systemctl", "show", "-p", "StateChangeTimestampMonotonic", "--value", "nginx.service")

    def drifted(self):
        """One nginx snippet was edited: found, validated, put back, reloaded."""
        hosts, holdfast = self.hosts[:1], self.holdfast[1]
        holdfast.command("retry", "production")  # the same file three times in ten minutes would be left alone
        if self.cfengine:
            for way in ("fresh", "curve"):
                self.drift()
                self.table.add(f"drifted snippet: CFEngine, {way}", self.cfengine.run(way, hosts))
                self.check()
        self.drift()
        self.table.add("drifted snippet: holdfast apply", holdfast.command("apply", "production")[0])
        self.check()
        running = controller.Controller(holdfast)
        try:
            running.quiet_turn()
            with running.stopped():  # or it repairs the file before the edit is loaded
                self.drift()
            for _ in range(4):  # a poll's turn may have begun before the drift; the host's own event brings another
                seconds, result = running.turn()
                if result == "1 repaired":
                    break
            else:
                raise RuntimeError(f"expected a repair, found: {result}")
            self.table.add("drifted snippet: controller's turn, kept", rows.Sample(seconds))
        finally:
            running.stop()
        self.check()

    def check(self):
        if self.load_time() == self.loaded:
            raise RuntimeError("nginx was not reloaded after the repair")
        self.floor.observe("warm", self.hosts[:1], self.script, self.expected)

    def first_converge(self, number):
        """A host that nobody has touched yet."""
        wanted = {"holdfast apply, one pass": ONE_PASS, "holdfast apply": "{window: 30s}"}
        if self.cfengine:
            wanted["CFEngine, fresh"] = None
        for place, (name, health) in enumerate(wanted.items()):
            host = lab.Host(f"cold{number}-{place}")
            self.floor.learn(host)
            if health is None:
                sample = self.cfengine.run("fresh", [host])
            else:
                once = controller.Holdfast(self.work, f"cold-{number}-{place}", self.build, self.key, [host], health)
                sample = once.command("apply", "production")[0]
            self.table.add(f"first converge: {name}", sample)
            host.drop()


def say(text):
    print(f"{time.strftime('%H:%M:%S')} {text}", flush=True)


def main():
    parser = argparse.ArgumentParser()
    for name in ("--work", "--build"):
        parser.add_argument(name, required=True)
    parser.add_argument("--hosts", type=int, default=8)
    parser.add_argument("--rounds", type=int, default=7)
    parser.add_argument("--quick", action="store_true")
    bench = Bench(parser.parse_args())
    try:
        bench.all()
    finally:
        bench.floor.close()
        for host in bench.hosts:
            host.drop()
    print(f"\nload {os.getloadavg()[0]:.1f} at the end\n\n{bench.table.table()}\n\n{targets.table(bench.table, bench.memory, bench.counts)}")


if __name__ == "__main__":
    sys.exit(main())
