#!/usr/bin/env python3
"""A sink on the loopback: notify_sink.py FOLDER. Writes its port to FOLDER/port and a line `EVENT ID REVISION` for each
delivery with a good signature to FOLDER/told; answers what FOLDER/answer says (200 without it), after FOLDER/delay
seconds."""
import hashlib
import hmac
import http.server
import json
import os
import sys
import time

folder = sys.argv[1]


def text_of(name, otherwise):
    try:
        with open(os.path.join(folder, name), encoding="utf-8") as file:
            return file.read().strip()
    except FileNotFoundError:
        return otherwise


class Sink(http.server.BaseHTTPRequestHandler):
    def do_POST(self):
        body = self.rfile.read(int(self.headers["Content-Length"]))
        wanted = "sha256=" + hmac.new(text_of("secret", "").encode(), body, hashlib.sha256).hexdigest()
        time.sleep(float(text_of("delay", "0")))
        status = int(text_of("answer", "200"))
        with open(os.path.join(folder, "tries"), "a", encoding="utf-8") as file:
            file.write(f"{status}\n")
        if not hmac.compare_digest(self.headers["X-Holdfast-Signature-256"], wanted):
            status = 401
        if status == 200:
            note = json.loads(body)
            with open(os.path.join(folder, "told"), "a", encoding="utf-8") as file:
                file.write(f"{note['event']} {note['id']} {note['revision'][:12]}\n")
        self.send_response(status)
        self.send_header("Content-Length", "0")
        self.end_headers()

    def log_message(self, *_):
        pass


server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Sink)
with open(os.path.join(folder, "port.new"), "w", encoding="utf-8") as port:
    port.write(str(server.server_port))
os.rename(os.path.join(folder, "port.new"), os.path.join(folder, "port"))
server.serve_forever()
