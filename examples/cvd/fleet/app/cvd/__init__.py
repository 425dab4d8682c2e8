"""CVD: a list of connected devices behind a login."""
import os
import pathlib
import time

from flask import Flask

from . import accounts, database, devices, health, pages

FOLDER = pathlib.Path(__file__).resolve().parent.parent


def revision():
    """The commit that this release was made of; holdfast writes it into every release."""
    path = FOLDER / "REVISION"
    return path.read_text().strip() if path.exists() else "development"


def create_app():
    app = Flask(__name__, static_folder=str(FOLDER / "static"))
    app.config.update(
        SECRET_KEY=os.environ["SESSION_SECRET"],
        DATABASE=os.environ.get("DATABASE", "/opt/cvd/data/cvd.db"),
        REVISION=revision(),
        STARTED=time.monotonic(),
        SESSION_COOKIE_HTTPONLY=True,
        SESSION_COOKIE_SECURE=True,
        SESSION_COOKIE_SAMESITE="Strict",
        MAX_CONTENT_LENGTH=64 * 1024,
    )
    app.teardown_appcontext(database.close)
    for part in (accounts, devices, health, pages):
        app.register_blueprint(part.blueprint)
    return app
