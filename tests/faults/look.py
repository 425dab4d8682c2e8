"""Looks at a drilled host, from within it, and prints what it sees as JSON: for judge.py."""
import glob
import json
import os
import pwd
import subprocess
import urllib.error
import urllib.request


def file(path):
    try:
        info = os.stat(path)
        with open(path, encoding="utf-8", errors="replace") as opened:
            return [opened.read(), f"{info.st_mode & 0o7777:04o}", pwd.getpwuid(info.st_uid).pw_name]
    except FileNotFoundError:
        return None


def line(path, beginning):
    """The part of a file that tells its version, or all of it where it is not there."""
    found = file(path)
    if found is None:
        return None
    return next((one.strip() for one in found[0].splitlines() if beginning in one), found[0])


def between(text, begin, length):
    at = (text or "").find(begin)
    return text if at < 0 else text[at:at + length].split(" always")[0] + " "


def link(path):
    try:
        return os.readlink(path)
    except OSError:
        return None


def output(*command):
    return subprocess.run(command, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True, timeout=20).stdout.strip()


def served():
    request = urllib.request.Request("http://127.0.0.1:80/")
    try:
        with urllib.request.urlopen(request, timeout=3) as answer:
            return json.load(answer), answer.headers.get("X-Site")
    except urllib.error.HTTPError as error:
        return {"error": error.code}, error.headers.get("X-Site")
    except (OSError, ValueError) as error:
        return {"error": str(error)}, None


def leftovers():
    return [path for folder in ("/etc", "/opt", "/usr/local", "/srv", "/root")
            for path in glob.glob(folder + "/**/.holdfast-*", recursive=True, include_hidden=True)]


def main():
    serves, header = served()
    release = link("/opt/drill/app")
    data = file("/opt/drill/data/version")
    print(json.dumps({
        "settings": file("/etc/drill/settings"), "odd": file("/etc/drill/odd"),
        "release": release and "releases/" + os.path.basename(release),
        "env": line("/opt/drill/env", "ENV_VERSION"), "unit_file": line("/etc/systemd/system/drill.service", "UNIT_VERSION"),
        "site_file": between((file("/etc/nginx/sites-available/drill") or [None])[0], "X-Site ", 20),
        "second": os.path.lexists("/etc/nginx/sites-enabled/second"),
        "package": output("dpkg-query", "-W", "-f", "${Status} ${Version}", "hello-holdfast"),
        "audit": output("dpkg", "--audit"),
        "data": data and data[0],
        "enabled": output("systemctl", "is-enabled", "drill.service"), "active": output("systemctl", "is-active", "drill.service"),
        "serves": serves, "header": header,
        "open": os.path.exists("/var/lib/holdfast/open"), "leftovers": leftovers(),
        "failed": [one.split()[0] for one in output("systemctl", "list-units", "--failed", "--plain", "--no-legend").splitlines()],
        "booting": output("systemctl", "is-system-running"),
        "releases": sorted(os.path.basename(one) for one in glob.glob("/opt/drill/releases/*")),
        "runners": [one.split()[0] for one in output("systemctl", "list-units", "--plain", "--no-legend", "holdfast-t*.service").splitlines()],
    }))


main()
