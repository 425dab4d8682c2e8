"""What the runbook asked by hand: is it up, which release is it, and is its database whole?"""
import os
import shutil
import sqlite3
import time

from flask import Blueprint, current_app, jsonify

from . import database

blueprint = Blueprint("health", __name__, url_prefix="/health")

LEAST_FREE_PERCENT = 5


def answer(parts, *states):
    healthy = all(state == "healthy" for state in states)
    status = "healthy" if healthy else "unhealthy"
    return jsonify(status=status, revision=current_app.config["REVISION"], **parts), 200 if healthy else 503


def database_state(thorough):
    """Reads from it; with `thorough` every page, and compares its schema with what this release knows."""
    began = time.monotonic()
    state = {"status": "unhealthy"}
    try:
        connection = database.connect()
        applied, known = database.applied_migrations(connection), database.known_migrations()
        state.update(schema=applied[-1] if applied else "", missing=[name for name in known if name not in applied])
        check = connection.execute("PRAGMA quick_check").fetchone()[0] if thorough else "ok"
        state.update(check=check, devices=connection.execute("SELECT count(*) FROM devices").fetchone()[0])
        if check == "ok" and not state["missing"]:
            state["status"] = "healthy"
    except sqlite3.Error as error:
        state["error"] = str(error)
    state["took_ms"] = round((time.monotonic() - began) * 1000, 1)
    return state


def disk_state():
    usage = shutil.disk_usage(os.path.dirname(current_app.config["DATABASE"]))
    free = round(usage.free * 100 / usage.total, 1)
    return {"status": "healthy" if free >= LEAST_FREE_PERCENT else "unhealthy", "free_percent": free}


@blueprint.get("")
def brief():
    return answer({}, database_state(thorough=False)["status"])


@blueprint.get("/database")
def of_database():
    state = database_state(thorough=True)
    return answer({"database": state}, state["status"])


@blueprint.get("/detailed")
def detailed():
    of_database_, disk = database_state(thorough=True), disk_state()
    uptime = round(time.monotonic() - current_app.config["STARTED"], 1)
    return answer({"database": of_database_, "disk": disk, "uptime_s": uptime}, of_database_["status"], disk["status"])
