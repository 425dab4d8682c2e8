"""A small web application: says hello, and tells at /health who it is and how it feels."""
import http.server
import json
import os
import pathlib

RELEASE = pathlib.Path(__file__).with_name("REVISION").read_text().strip()
GREETING = "Hello"


def health():
    status = "healthy"
    return {"status": status, "release": RELEASE, "secret": bool(os.environ.get("SESSION_SECRET"))}


class Handler(http.server.BaseHTTPRequestHandler):
    def do_GET(self):
        if self.path == "/health":
            state = health()
            self.answer(200 if state["status"] == "healthy" else 500, "application/json", json.dumps(state))
        else:
            self.answer(200, "text/plain", f"{GREETING} from {os.environ['SITE']}, release {RELEASE[:12]}\n")

    def answer(self, status, kind, text):
        self.send_response(status)
        self.send_header("Content-Type", kind)
        self.end_headers()
        self.wfile.write(text.encode())


if __name__ == "__main__":
    http.server.ThreadingHTTPServer(("127.0.0.1", int(os.environ["PORT"])), Handler).serve_forever()
