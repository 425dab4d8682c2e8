"""The devices: who is logged in lists and adds them."""
from flask import Blueprint, jsonify, redirect, request, session, url_for

from . import database
from .accounts import login_required, wants_json

blueprint = Blueprint("devices_api", __name__)

LONGEST_NAME = 100


def all_devices():
    rows = database.connect().execute("SELECT id, name, location, added_by, added_at FROM devices ORDER BY id")
    return [dict(row) for row in rows]


@blueprint.get("/api/devices")
@login_required
def list_devices():
    return jsonify(devices=all_devices())


@blueprint.post("/api/devices")
@login_required
def add_device():
    name, location = request.form.get("name", "").strip(), request.form.get("location", "").strip()
    if not 0 < len(name) <= LONGEST_NAME or len(location) > LONGEST_NAME:
        return jsonify(error=f"a device has a name of 1 to {LONGEST_NAME} letters, and a location of at most as many"), 400
    connection = database.connect()
    with connection:
        connection.execute(
            "INSERT INTO devices (name, location, added_by) VALUES (?, ?, ?)", (name, location, session["account"])
        )
    return (jsonify(devices=all_devices()), 201) if wants_json() else redirect(url_for("pages.devices"))
