#!/usr/bin/env python3
"""Accounts, from the host.

    manage.py add-user NAME     with the password in the variable ADMIN_PASSWORD
    manage.py remove-user NAME  where nothing that is kept names it
    manage.py has-user NAME     exits with 0 where there is one
    manage.py log-in NAME       through the running application's socket, as a browser would
"""
import http.client
import os
import pathlib
import socket
import sqlite3
import sys
import urllib.parse

from cvd.accounts import add_account, has_account, remove_account
from cvd.database import open_database

SOCKET = "/run/cvd/gunicorn.sock"
ENVIRONMENT = pathlib.Path("/opt/cvd/config/cvd.env")


def password():
    """Of the environment, or else of the environment file, where the account may read that."""
    if "ADMIN_PASSWORD" in os.environ:
        return os.environ["ADMIN_PASSWORD"]
    for line in ENVIRONMENT.read_text().splitlines():
        if line.startswith("ADMIN_PASSWORD="):
            return line.partition("=")[2].strip('"')
    raise SystemExit("ADMIN_PASSWORD is not set")


class SocketConnection(http.client.HTTPConnection):
    def connect(self):
        self.sock = socket.socket(socket.AF_UNIX)
        self.sock.settimeout(5)
        self.sock.connect(SOCKET)


def log_in(name):
    connection = SocketConnection("localhost")
    form = urllib.parse.urlencode({"name": name, "password": password()})
    headers = {"Content-Type": "application/x-www-form-urlencoded", "Accept": "application/json"}
    connection.request("POST", "/login", form, headers)
    answer = connection.getresponse()
    text = answer.read().decode(errors="replace").strip()
    if answer.status != 200:
        raise SystemExit(f"the login answers {answer.status}: {text[:200]}")
    cookie = answer.headers.get("Set-Cookie", "").partition(";")[0]
    connection.close()
    connection = SocketConnection("localhost")
    connection.request("GET", "/api/devices", headers={"Accept": "application/json", "Cookie": cookie})
    if (status := connection.getresponse().status) != 200:
        raise SystemExit(f"the list of devices answers {status} to a session")
    print("logged in as", name)


def main(arguments):
    path = os.environ.get("DATABASE", "/opt/cvd/data/cvd.db")
    if len(arguments) != 2:
        raise SystemExit(__doc__)
    verb, name = arguments
    if verb == "add-user":
        add_account(open_database(path), name, password())
    elif verb == "remove-user":
        remove_account(open_database(path), name)
    elif verb == "has-user":
        try:
            raise SystemExit(0 if has_account(open_database(path), name) else 1)
        except sqlite3.OperationalError as error:
            raise SystemExit(f"no accounts yet: {error}") from error
    elif verb == "log-in":
        log_in(name)
    else:
        raise SystemExit(__doc__)


if __name__ == "__main__":
    main(sys.argv[1:])
