"""Pages for people, and what makes them an installable application."""
from flask import Blueprint, current_app, jsonify, render_template, send_from_directory, session

from .accounts import login_required
from .devices import all_devices

blueprint = Blueprint("pages", __name__)


@blueprint.get("/")
def start():
    return render_template("start.html", revision=current_app.config["REVISION"], account=session.get("account"))


@blueprint.get("/login")
def login():
    return render_template("login.html", revision=current_app.config["REVISION"], account=None)


@blueprint.get("/devices")
@login_required
def devices():
    return render_template(
        "devices.html", revision=current_app.config["REVISION"], account=session["account"], devices=all_devices()
    )


@blueprint.get("/manifest.json")
def manifest():
    return jsonify(
        name="CVD devices",
        short_name="CVD",
        start_url="/",
        display="standalone",
        background_color="#ffffff",
        theme_color="#204a87",
        icons=[{"src": "/static/icon.svg", "sizes": "any", "type": "image/svg+xml"}],
    )


@blueprint.get("/service-worker.js")
def service_worker():
    """From the top, so that it may serve all pages; asked for anew each time, so that a release reaches everyone."""
    response = send_from_directory(current_app.static_folder, "service-worker.js", max_age=0)
    response.headers["Cache-Control"] = "no-cache"
    return response
