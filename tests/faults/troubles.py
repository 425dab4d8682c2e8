"""Troubles around a transaction, each while a `with` lasts."""
import contextlib
import os
import subprocess

from drilled import LAB, eventually

# A file system of its own over a folder, with the folder's content and hardly any room: argv is folder, KiB and inodes that are left (-1: plenty).
SMALL = """
import os, subprocess, sys
folder, left_kib, left_inodes = sys.argv[1], int(sys.argv[2]), int(sys.argv[3])
used = sum(len(names) + len(folders) for _, folders, names in os.walk(folder)) + 1
inodes = used + left_inodes if left_inodes >= 0 else used + 100000
os.makedirs("/run/small", exist_ok=True)
subprocess.run(["mount", "-t", "tmpfs", "-o", f"size=1g,mode=755,nr_inodes={inodes + (1 if left_kib >= 0 else 0)}", "small", "/run/small"], check=True)
subprocess.run(["cp", "-a", folder + "/.", "/run/small/"], check=True)
subprocess.run(["mount", "--bind", "/run/small", folder], check=True)
if left_kib >= 0:
    # As large as what is in it, and what is left.
    at = os.statvfs("/run/small")
    kib = (at.f_blocks - at.f_bfree) * at.f_frsize // 1024 + left_kib
    subprocess.run(["mount", "-o", f"remount,size={kib}k", "/run/small"], check=True)
print("null")
"""
# Without it again; that nothing is mounted there any more is what the host is told, as a person would (see guards.cpp).
LARGE = """
import pathlib, subprocess, sys
folder = sys.argv[1]
subprocess.run(["mount", "-o", "remount,size=1g", "/run/small"], check=True)
subprocess.run(["umount", "-l", folder], check=True)
subprocess.run(["find", folder, "-mindepth", "1", "-delete"], check=True)
subprocess.run(["cp", "-a", "/run/small/.", folder + "/"], check=True)
subprocess.run(["umount", "-l", "/run/small"], check=True)
pathlib.Path("/var/lib/holdfast/mounts.json").unlink(missing_ok=True)
print("null")
"""
LOCK = """
import fcntl, sys, time
lock = open("/var/lib/dpkg/lock-frontend", "w")
fcntl.lockf(lock, fcntl.LOCK_EX)
print("held", flush=True)
time.sleep(900)
"""


@contextlib.contextmanager
def small_disk(host, folder, left_kib=-1, left_inodes=-1):
    host.python(SMALL, folder, left_kib, left_inodes)
    try:
        yield
    finally:
        host.python(LARGE, folder)


@contextlib.contextmanager
def read_only(host, folder):
    host.run("mount", "--bind", folder, folder)
    host.run("mount", "-o", "remount,ro,bind", folder)
    try:
        yield
    finally:
        host.run("umount", "-l", folder)
        host.run("rm", "-f", "/var/lib/holdfast/mounts.json")


class HeldLock:
    def __init__(self, host):
        self.host = host
        self.file = host.root / "var/lib/dpkg/lock-frontend"
        self.child = subprocess.Popen([LAB, "exec", host.name, "python3", "-c", LOCK], stdin=subprocess.DEVNULL, stdout=subprocess.PIPE)
        self.child.stdout.readline()
        self.inode = os.stat(self.file).st_ino

    def is_held(self):
        return self.child.poll() is None and os.stat(self.file).st_ino == self.inode


@contextlib.contextmanager
def dpkg_lock(host):
    lock = HeldLock(host)
    try:
        yield lock
    finally:
        lock.child.kill()
        lock.child.wait()
        eventually(10, "the lock is given back", lambda: True)
