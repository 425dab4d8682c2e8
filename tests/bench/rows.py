"""Samples of each row, and the table they become."""
import dataclasses
import os
import resource
import statistics
import subprocess
import time


@dataclasses.dataclass
class Sample:
    wall: float  # seconds
    cpu: float = 0.0  # seconds of the controller's side
    host_cpu: float = 0.0  # seconds of all hosts


class Rows:
    """Samples by row, in the order in which rows were first seen."""

    def __init__(self):
        self.samples = {}

    def add(self, name, sample):
        self.samples.setdefault(name, []).append(sample)

    def median(self, name, of="wall"):
        return statistics.median(getattr(one, of) for one in self.samples[name]) if name in self.samples else None

    def table(self):
        lines = ["| row | n | median ms | min-max | controller CPU ms | hosts' CPU ms |", "|---|--:|--:|--:|--:|--:|"]
        for name, samples in self.samples.items():
            walls = [one.wall * 1e3 for one in samples]
            lines.append(f"| {name} | {len(samples)} | {statistics.median(walls):.1f} | {min(walls):.1f}-{max(walls):.1f} | "
                         f"{self.median(name, 'cpu') * 1e3:.1f} | {self.median(name, 'host_cpu') * 1e3:.1f} |")
        return "\n".join(lines)


def timed(commands, hosts, inputs=None):
    """Runs the commands at once, until the last has ended; None where one fails."""
    host_before = sum(host.cpu_ns() for host in hosts)
    own_before = resource.getrusage(resource.RUSAGE_CHILDREN)
    begin = time.perf_counter()
    children = []
    for number, command in enumerate(commands):
        source = open(inputs[number], "rb") if inputs else subprocess.DEVNULL
        children.append(subprocess.Popen(command, stdin=source, stdout=subprocess.PIPE, stderr=subprocess.STDOUT))
    outputs = [child.communicate()[0] for child in children] if len(children) == 1 else _drain(children)
    wall = time.perf_counter() - begin
    own = resource.getrusage(resource.RUSAGE_CHILDREN)
    cpu = own.ru_utime + own.ru_stime - own_before.ru_utime - own_before.ru_stime
    host_cpu = (sum(host.cpu_ns() for host in hosts) - host_before) / 1e9
    for command, child, output in zip(commands, children, outputs):
        if child.returncode:
            raise RuntimeError(f"{' '.join(map(str, command))}: exit {child.returncode}\n{output.decode(errors='replace')}")
    return Sample(wall, cpu, host_cpu), [output.decode(errors="replace") for output in outputs]


def _drain(children):
    """Outputs are small: they fit into the pipes while the others still run."""
    for child in children:
        child.wait()
    return [child.stdout.read() for child in children]


def process_cpu(pid):
    """Seconds of processor time of a process, ended threads included, to the nanosecond."""
    return time.clock_gettime((~pid << 3) | 2)


def children_cpu(pid):
    with open(f"/proc/{pid}/stat") as file:
        fields = file.read().rsplit(")", 1)[1].split()
    return (int(fields[13]) + int(fields[14])) / os.sysconf("SC_CLK_TCK")


def memory_kib(pid):
    """Resident now, and at most so far."""
    with open(f"/proc/{pid}/status") as file:
        values = dict(line.split(":", 1) for line in file)
    return int(values["VmRSS"].split()[0]), int(values["VmHWM"].split()[0])
