"""Many hosts on one machine: one sshd, an address of 127.1.0.0/16 for each host, and below a folder of its own a host
runner for every login. Runs in network, mount and process namespaces of its own (see `enter`), so that nothing of this
machine is touched, and nothing is left on it."""
import os
import re
import shutil
import subprocess
import sys
import time

SSHD_PORT = 2222
FAULT_PORT = 2223  # of the hosts that will fail: faults.py stands between them and sshd


def enter():
    """Runs this program again in namespaces of its own, with loopback up and /var/lib/holdfast empty."""
    if os.environ.get("HOLDFAST_SCALE_INSIDE") == "yes":
        subprocess.run(["ip", "link", "set", "lo", "up"], check=True)
        os.makedirs("/var/lib/holdfast", exist_ok=True)
        for folder in ("/var/lib/holdfast", "/run/sshd") if os.path.isdir("/run/sshd") else ("/var/lib/holdfast",):
            subprocess.run(["mount", "-t", "tmpfs", "-o", "mode=0755", "scale", folder], check=True)
        os.makedirs("/run/sshd", exist_ok=True)
        with open("/etc/passwd", encoding="utf-8") as file:  # a light login shell: a thousand of them start at once
            accounts = re.sub(r"(?m)^(root:.*):[^:]*$", r"\1:/bin/sh", file.read())
        with open("/var/lib/holdfast/passwd", "w", encoding="utf-8") as file:
            file.write(accounts)
        subprocess.run(["mount", "--bind", "/var/lib/holdfast/passwd", "/etc/passwd"], check=True)
        return
    if os.geteuid() != 0:
        sys.exit("needs root: for namespaces of its own and for sshd")
    os.environ["HOLDFAST_SCALE_INSIDE"] = "yes"
    # Processes of its own, too: logins outlive their connections, and end with the whole.
    spaces = ["--net", "--mount", "--pid", "--fork", "--kill-child", "--mount-proc"]
    os.execvp("unshare", ["unshare", *spaces, "--", sys.executable, *sys.argv])


def address(number):
    return f"127.1.{number // 250}.{number % 250 + 1}"


def name(number):
    return f"h{number + 1:04}"


# What stands for a login: the runner below the folder of the host that was called. A file in faults/ makes it ill.
LOGIN = r"""#!/bin/sh
set -- $SSH_CONNECTION
ill={folder}/faults/$3
if [ -e "$ill" ]; then read -r how < "$ill"; else how=well; fi
case $how in
    silent) exec sleep 1000000 ;;
    cut) sh -c "$SSH_ORIGINAL_COMMAND --root {folder}/hosts/$3" | {{ head -c 700; kill -9 $PPID; }} ;;
esac
exec sh -c "$SSH_ORIGINAL_COMMAND --root {folder}/hosts/$3"
"""

SSHD = """Port {port}
ListenAddress 0.0.0.0
HostKey {folder}/host_key
AuthorizedKeysFile {folder}/key.pub
ForceCommand {folder}/login
StrictModes no
UsePAM no
PermitRootLogin yes
PasswordAuthentication no
KbdInteractiveAuthentication no
MaxStartups 4000
MaxSessions 20
UseDNS no
PrintMotd no
LogLevel ERROR
PidFile none
"""


class Machine:
    """The hosts, their sshd, and the fleet repository that describes them."""

    def __init__(self, folder, hosts, faulty, runner):
        self.folder, self.hosts, self.faulty = folder, hosts, faulty
        self.sshd, self.runner = None, f"{folder}/holdfast-host"
        subprocess.run(["strip", "-o", self.runner, runner], check=True)  # as it is installed
        for part in ("faults", "state"):
            os.makedirs(f"{folder}/{part}")
        for number in range(hosts):
            os.makedirs(f"{folder}/hosts/{address(number)}")
        for key in ("host_key", "key"):
            subprocess.run(["ssh-keygen", "-q", "-t", "ed25519", "-N", "", "-C", "scale", "-f", f"{folder}/{key}"], check=True)
        self.write("login", LOGIN.format(folder=folder), 0o755)
        self.write("sshd_config", SSHD.format(folder=folder, port=SSHD_PORT))
        self.sshd = subprocess.Popen([shutil.which("sshd") or "/usr/sbin/sshd", "-D", "-e", "-f", f"{folder}/sshd_config"],
                                     stderr=open(f"{folder}/sshd.log", "w"))
        self.make_fleet()

    def write(self, path, text, mode=0o644):
        path = f"{self.folder}/{path}"
        os.makedirs(os.path.dirname(path), exist_ok=True)
        with open(path, "w", encoding="utf-8") as file:
            file.write(text)
        os.chmod(path, mode)

    def root(self, number):
        return f"{self.folder}/hosts/{address(number)}"

    def make_fleet(self):
        subprocess.run(["git", "init", "-q", "-b", "main", f"{self.folder}/fleet"], check=True)
        with open(f"{self.folder}/host_key.pub", encoding="utf-8") as file:
            key = " ".join(file.read().split()[:2])
        lines = ["apiVersion: holdfast.dev/v1", "kind: Environment", "metadata: {name: crowd}", "spec:",
                 "  track: {branch: main}", "  health: {window: 5s, interval: 500ms, passes: 1, watch: {for: 0s}}",
                 "  vars: {region: north}", "  hosts:"]
        for number in range(self.hosts):
            port = FAULT_PORT if number in self.faulty else SSHD_PORT
            lines.append(f"    - {{name: {name(number)}, address: {address(number)}, port: {port}, user: root, "
                         f"hostKey: \"{key}\", vars: {{self: {name(number)}}}}}")
        self.write("fleet/environment.yaml", "\n".join(lines) + "\n")
        self.write("fleet/resources.yaml", "---\n".join(self.resources()))
        self.set_greeting("hello")
        self.write("holdfast.yaml", "\n".join([
            "apiVersion: holdfast.dev/v1", "kind: Controller", "metadata: {name: scale}", "spec:",
            f"  repository: {{url: {self.folder}/fleet}}", f"  state: {self.folder}/state", "  poll: 10s", f"  runner: {self.runner}",
            f"  ssh: {{identity: {self.folder}/key, agent: false}}"]) + "\n")

    @staticmethod
    def resources():
        """38 resources for every host, one that is different on each, and the greeting: 40."""
        def manifest(kind, label, spec):
            return f"apiVersion: holdfast.dev/v1\nkind: {kind}\nmetadata: {{name: {label}}}\nspec: {spec}\n"
        yield manifest("File", "identity", '{path: /etc/app/identity, text: "I am ${self} in ${region}\\n"}')
        yield manifest("Directory", "etc", "{path: /etc}")
        yield manifest("Directory", "app", "{path: /etc/app, mode: \"0750\"}")
        for number in range(6):
            yield manifest("Directory", f"part-{number}", f"{{path: /etc/app/part-{number}}}")
        for number in range(30):
            text = "".join(f"setting.{number}.{line} = {line * number}\\n" for line in range(12))
            yield manifest("File", f"part-{number % 6}-{number}",
                           f"{{path: /etc/app/part-{number % 6}/{number}.conf, mode: \"0640\", text: \"{text}\"}}")

    def set_greeting(self, word):
        self.write("fleet/greeting.yaml", "apiVersion: holdfast.dev/v1\nkind: File\nmetadata: {name: greeting}\n"
                   f"spec: {{path: /etc/app/greeting, text: \"{word}\\n\"}}\n")
        git = ["git", "-C", f"{self.folder}/fleet", "-c", "user.name=Scale", "-c", "user.email=scale@example.com"]
        subprocess.run([*git, "add", "-A"], check=True)
        subprocess.run([*git, "commit", "-q", "-m", f"Greet with {word}"], check=True)

    def greeted(self, word):
        """The numbers of the hosts that greet with this word."""
        found = set()
        for number in range(self.hosts):
            try:
                with open(f"{self.root(number)}/etc/app/greeting", encoding="utf-8") as file:
                    if file.read() == word + "\n":
                        found.add(number)
            except OSError:
                pass
        return found

    def end(self):
        if self.sshd:
            for pid in children_of(self.sshd.pid):
                try:
                    os.kill(pid, 9)
                except ProcessLookupError:
                    pass
            self.sshd.kill()
            self.sshd.wait()


def processes():
    """Of every process its parent, by id."""
    table = {}
    for entry in os.listdir("/proc"):
        if entry.isdigit():
            try:
                with open(f"/proc/{entry}/stat", encoding="utf-8", errors="replace") as file:
                    table[int(entry)] = int(file.read().rsplit(")", 1)[1].split()[1])
            except OSError:
                pass
    return table


def children_of(pid):
    """All processes below that one."""
    table, found = processes(), [pid]
    for parent in found:
        found += [child for child, above in table.items() if above == parent]
    return found[1:]


def cpu_ms(pid):
    """Of a process and all threads that it had."""
    with open(f"/proc/{pid}/stat", encoding="utf-8", errors="replace") as file:
        fields = file.read().rsplit(")", 1)[1].split()
    return (int(fields[11]) + int(fields[12])) * 1000 / os.sysconf("SC_CLK_TCK")


def precise_cpu_ms(pids):
    """Of many processes with one thread each, for which the clock ticks above are too coarse."""
    total = 0
    for pid in pids:
        try:
            with open(f"/proc/{pid}/schedstat", encoding="utf-8") as file:
                total += int(file.read().split()[0])
        except OSError:
            pass
    return total / 1e6


def memory_mib(pid):
    """(RSS, PSS)"""
    values = {}
    with open(f"/proc/{pid}/smaps_rollup", encoding="utf-8") as file:
        for line in file:
            words = line.split()
            if words[0] in ("Rss:", "Pss:"):
                values[words[0]] = int(words[1]) / 1024
    return values["Rss:"], values["Pss:"]


def status_number(pid, field):
    with open(f"/proc/{pid}/status", encoding="utf-8") as file:
        return next(int(line.split()[1]) for line in file if line.startswith(field))


def wait_for(what, seconds, condition):
    end = time.monotonic() + seconds
    while time.monotonic() < end:
        if condition():
            return
        time.sleep(0.2)
    raise TimeoutError(f"waited {seconds} s for {what}")
