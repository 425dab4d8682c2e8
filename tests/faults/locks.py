"""The ways to lock oneself out: what the harmless fleet holds of each, and what the commit makes of it."""
import dataclasses
import pathlib

from drilled import lab_key


@dataclasses.dataclass
class Lockout:
    name: str
    change: dict  # manifests of the harmless fleet that the commit replaces
    files: tuple = ()  # which must be as before in the end
    user: str = "root"
    says: str = ""  # of a validator, where the commit must be refused


SSHD = "/etc/ssh/sshd_config.d/50-drill.conf"
SUDO = "/etc/sudoers.d/deploy"
KEYS = "/root/.ssh/authorized_keys"
PAM = "/etc/pam.d/sshd"
NFT = "/etc/nftables.conf"
ADDRESS = "/etc/systemd/system/drill-address.service"


def manifest(kind, name, *lines):
    return f"apiVersion: holdfast.dev/v1\nkind: {kind}\nmetadata: {{name: {name}}}\nspec:\n" + "".join(f"  {line}\n" for line in lines)


def file(name, path, text, *more):
    return manifest("File", name, f"path: {path}", *more, "text: |", *(f"  {line}" for line in text.splitlines()))


def sshd(text):
    return file("sshd", SSHD, text, "validate: [/usr/sbin/sshd, -t, -f, \"{}\"]")


def ssh_unit(state="running", enabled="true"):
    return manifest("SystemdUnit", "ssh.service", f"state: {state}", f"enabled: {enabled}", "loads: [File/sshd]", "onChange: restart")


def rules(*input_rules):
    chain = "".join(f"    {rule}\n" for rule in input_rules)
    return file("rules", NFT, "flush ruleset\ntable inet drill {\n  chain input {\n    type filter hook input priority 0; policy accept;\n"
                + chain + "  }\n}\n")


def sudo(text):
    return file("sudo", SUDO, text, "mode: \"0440\"", "validate: [/usr/sbin/visudo, -cf, \"{}\"]")


def keys(text):
    return file("keys", KEYS, text, "mode: \"0600\"")


def address(*commands):
    text = "[Service]\nType=oneshot\nRemainAfterExit=yes\n" + "".join(f"ExecStart={one}\n" for one in commands)
    return manifest("SystemdUnit", "drill-address.service", "state: running", "text: |", *(f"  {line}" for line in text.splitlines()))


def stranger():
    return "ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAIE8xh3fWdNk0zpc5K2m7t3CUfvJpyPd6hXMzJmGr1vQe somebody else\n"


def harmless(site):
    """Everything that a lock-out changes, as it is when nobody is locked out."""
    own = site.host.root / PAM[1:]
    pam = site.folder / "pam.sshd"
    if not pam.exists():
        pam.write_text(own.read_text())
    return {
        "sshd": sshd("LoginGraceTime 60\n"), "ssh": ssh_unit(), "rules": rules(),
        "nftables": manifest("SystemdUnit", "nftables.service", "state: running", "loads: [File/rules]", "onChange: restart"),
        "sudo": sudo("deploy ALL=(ALL) NOPASSWD: ALL\n"), "keys": keys(pathlib.Path(lab_key() + ".pub").read_text()),
        "pam": file("pam", PAM, pam.read_text()),
        "address": address(f"/usr/sbin/ip address replace {site.host.address}/24 dev host0",
                           "-/usr/sbin/ip route del blackhole 10.89.0.1/32"),
    }


def write_fleet(site, lockout=None):
    site.write_environment()
    parts = harmless(site)
    for name, text in (lockout.change if lockout else {}).items():
        parts[name] = text(parts) if callable(text) else text
    site.write("deploy/drill/host.yaml", "---\n".join(parts.values()))


def pam_denies(parts):
    return parts["pam"].replace("  text: |\n", "  text: |\n    account required pam_deny.so\n")


LOCKOUTS = [
    Lockout("sshd listens on another port", {"sshd": sshd("Port 2222\n")}, (SSHD,)),
    Lockout("AllowUsers names somebody else", {"sshd": sshd("AllowUsers somebody\n")}, (SSHD,)),
    Lockout("nftables drops port 22", {"rules": rules("tcp dport 22 drop")}, (NFT,)),
    Lockout("nftables drops new connections only", {"rules": rules("ct state established accept", "tcp dport 22 drop")}, (NFT,)),
    Lockout("the address is removed", {"address": address("/usr/sbin/ip address flush dev host0")}, (ADDRESS,)),
    Lockout("the route back is removed", {"address": address("/usr/sbin/ip route replace blackhole 10.89.0.1/32")}, (ADDRESS,)),
    Lockout("sudo asks for a password", {"sudo": sudo("deploy ALL=(ALL) ALL\n")}, (SUDO,), user="deploy"),
    Lockout("authorized_keys has another key", {"keys": keys(stranger())}, (KEYS,)),
    Lockout("sshd is stopped and disabled", {"ssh": ssh_unit("stopped", "false")}, (SSHD,)),
    Lockout("PAM denies", {"pam": pam_denies}, (PAM,)),
]
REFUSED = [
    Lockout("an sshd configuration that sshd refuses", {"sshd": sshd("PermitRootLogin perhaps\n")}, (SSHD,), says="perhaps"),
    Lockout("sudoers that visudo refuses", {"sudo": sudo("deploy ALL=(ALL NOPASSWD ALL\n")}, (SUDO,), user="deploy", says="syntax error"),
]
