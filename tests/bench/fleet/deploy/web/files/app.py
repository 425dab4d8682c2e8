"""What runs behind nginx on the hosts of the bench: one answer, and whether it is healthy."""
import json
import os
import sqlite3
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer


class Handler(BaseHTTPRequestHandler):
    def do_GET(self):
        healthy = os.environ.get("APP_HEALTHY") != "0"
        body = json.dumps({"status": "healthy" if healthy else "failing", "rev": os.environ.get("APP_REV", "")}).encode()
        self.send_response(200 if healthy else 500)
        self.send_header("Content-Type", "application/json")
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, *args):
        pass


with sqlite3.connect("/opt/cvd/data/cvd.db") as database:
    database.execute("create table if not exists visits(id integer primary key, at text)")
ThreadingHTTPServer(("127.0.0.1", int(os.environ["PORT"])), Handler).serve_forever()
