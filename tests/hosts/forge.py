"""A small GitHub for tests: forge.py PORT-FILE HEAD-COMMIT. One pull request, 7, and its comments; GET / tells them as JSON."""
import http.server
import json
import sys

port_file, head = sys.argv[1:3]
repo = {"full_name": "acme/fleet"}
pull = {"number": 7, "head": {"sha": head, "repo": repo}, "base": {"ref": "main", "repo": repo}}
comments = []


class Handler(http.server.BaseHTTPRequestHandler):
    def log_message(self, *arguments):
        pass

    def answer(self, status, value):
        body = json.dumps(value).encode()
        self.send_response(status)
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def body(self):
        return json.loads(self.rfile.read(int(self.headers.get("Content-Length") or 0)) or "{}")

    def do_GET(self):
        if self.path == "/":
            return self.answer(200, comments)
        if self.path.startswith("/repos/acme/fleet/pulls?"):
            return self.answer(200, [pull])
        if self.path.endswith("/commits/" + head + "/pulls"):
            return self.answer(200, [pull])
        if self.path.startswith("/repos/acme/fleet/issues/7/comments"):
            return self.answer(200, comments)
        return self.answer(404 if "/commits/" not in self.path else 200, [])

    def do_POST(self):
        body = self.body()
        if self.path.startswith("/repos/acme/fleet/issues/7/comments"):
            comments.append({"id": len(comments) + 1, "body": body["body"]})
            return self.answer(201, comments[-1])
        return self.answer(201, {})

    def do_PATCH(self):
        comments[int(self.path.rsplit("/", 1)[1]) - 1]["body"] = self.body()["body"]
        self.answer(200, {})


server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Handler)
with open(port_file, "w") as file:
    file.write(str(server.server_port))
server.serve_forever()
