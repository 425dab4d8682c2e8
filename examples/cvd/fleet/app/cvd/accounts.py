"""Accounts and sessions."""
import functools

from flask import Blueprint, jsonify, redirect, request, session, url_for
from werkzeug.security import check_password_hash, generate_password_hash

from . import database

blueprint = Blueprint("accounts", __name__)

# Compared with where there is no such account, so that both cases take as long.
NOBODY = generate_password_hash("nobody has this password")


def wants_json():
    return request.accept_mimetypes.best_match(["text/html", "application/json"]) == "application/json"


def login_required(view):
    @functools.wraps(view)
    def checked(*arguments, **names):
        if "account" in session:
            return view(*arguments, **names)
        if wants_json():
            return jsonify(error="log in first"), 401
        return redirect(url_for("pages.login"))

    return checked


def add_account(connection, name, password):
    with connection:
        connection.execute(
            "INSERT INTO accounts (name, password_hash) VALUES (?, ?)", (name, generate_password_hash(password))
        )


def remove_account(connection, name):
    with connection:
        connection.execute("DELETE FROM accounts WHERE name = ?", (name,))


def has_account(connection, name):
    return connection.execute("SELECT 1 FROM accounts WHERE name = ?", (name,)).fetchone() is not None


@blueprint.post("/login")
def log_in():
    name, password = request.form.get("name", ""), request.form.get("password", "")
    row = database.connect().execute("SELECT password_hash FROM accounts WHERE name = ?", (name,)).fetchone()
    if not check_password_hash(row["password_hash"] if row else NOBODY, password) or row is None:
        return jsonify(error="unknown account or password"), 401
    session.clear()
    session["account"] = name
    return jsonify(account=name) if wants_json() else redirect(url_for("pages.devices"))


@blueprint.post("/logout")
def log_out():
    session.clear()
    return redirect(url_for("pages.login"))
