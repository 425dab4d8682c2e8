"""How each competitor is run on some hosts: the floor (OpenSSH alone, a shell observation), CFEngine."""
import subprocess

import rows

CURVE = ["-o", "KexAlgorithms=curve25519-sha256"]


class Floor:
    """OpenSSH's client: over new connections with its own or the cheap key exchange, or over kept ones."""

    def __init__(self, work, key, hosts):
        self.work = work
        self.config = work / "ssh_config"
        (work / "masters").mkdir()
        known = work / "known_hosts"
        known.write_text("".join(f"{host.address} {host.key}\n" for host in hosts))
        self.known = known
        self.config.write_text(f"Host *\n  User root\n  IdentityFile {key}\n  IdentitiesOnly yes\n  UserKnownHostsFile {known}\n"
                               "  StrictHostKeyChecking yes\n  LogLevel ERROR\n  ConnectTimeout 10\n")
        for host in hosts:
            subprocess.run(self.ssh("keep", host, "true"), check=True, stdin=subprocess.DEVNULL)

    def learn(self, host):
        with open(self.known, "a") as file:
            file.write(f"{host.address} {host.key}\n")

    def options(self, way):
        control = ["-o", f"ControlPath={self.work}/masters/%h"]
        return {"fresh": [], "curve": CURVE, "warm": ["-o", "ControlMaster=no", *control],
                "keep": [*CURVE, "-o", "ControlMaster=auto", "-o", "ControlPersist=yes", *control]}[way]

    def ssh(self, way, host, *command):
        return ["ssh", "-F", str(self.config), *self.options(way), host.address, *command]

    def true(self, way, hosts):
        return rows.timed([self.ssh(way, host, "true") for host in hosts], hosts)[0]

    def observe(self, way, hosts, script, expected=None):
        sample, outputs = rows.timed([self.ssh(way, host, "sh") for host in hosts], hosts, [script] * len(hosts))
        for host, output in zip(hosts, outputs):
            if expected is not None and output != expected:
                raise RuntimeError(f"{host.name} is not as expected:\n{output}")
        return sample, outputs

    def close(self):
        for socket in (self.work / "masters").iterdir():
            subprocess.run(["ssh", "-o", f"ControlPath={socket}", "-O", "exit", "x"], capture_output=True)


class CFEngine:
    """cf-agent with its policy delivered in the same connection, on all hosts at once."""

    def __init__(self, floor, archive):
        self.floor = floor
        self.archive = archive

    def run(self, way, hosts):
        command = ("mkdir -p /var/lib/peers && cd /var/lib/peers && rm -rf cfengine && umask 077 && tar -x --no-same-owner -f - && "
                   "cf-agent -KIf /var/lib/peers/cfengine/web.cf")
        return rows.timed([self.floor.ssh(way, host, command) for host in hosts], hosts, [self.archive] * len(hosts))[0]
