"""Serves git over TLS 1.2 for tests: https_server.py PORT CERTIFICATE KEY FOLDER TOKEN [REDIRECT-TO]

With TOKEN, every request needs it as the password; the file FOLDER/.seen collects the logins that came."""
import base64
import http.server
import os
import ssl
import subprocess
import sys

port, certificate, key, folder, token = sys.argv[1:6]
redirect = sys.argv[6] if len(sys.argv) > 6 else ""


class Handler(http.server.BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"

    def log_message(self, *arguments):
        pass

    def answer(self, status, headers, body):
        self.send_response(status)
        for name, value in headers:
            self.send_header(name, value)
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def body(self):
        if self.headers.get("Transfer-Encoding") != "chunked":
            return self.rfile.read(int(self.headers.get("Content-Length") or 0))
        whole = b""
        while True:
            size = int(self.rfile.readline(), 16)
            whole += self.rfile.read(size)
            self.rfile.readline()
            if size == 0:
                return whole

    def serve(self):
        body = self.body()
        login = self.headers.get("Authorization", "")
        if login:
            with open(os.path.join(folder, ".seen"), "a") as seen:
                seen.write(base64.b64decode(login.split()[1]).decode() + "\n")
        if redirect:
            return self.answer(302, [("Location", redirect + self.path)], b"")
        if token and not base64.b64decode((login.split() or ["", ""])[-1]).decode().endswith(":" + token):
            return self.answer(401, [("WWW-Authenticate", 'Basic realm="git"')], b"")
        path, _, query = self.path.partition("?")
        environment = {"PATH": os.environ["PATH"], "GIT_PROJECT_ROOT": folder, "GIT_HTTP_EXPORT_ALL": "1",
                       "PATH_INFO": path, "QUERY_STRING": query, "REQUEST_METHOD": self.command,
                       "CONTENT_TYPE": self.headers.get("Content-Type", ""), "CONTENT_LENGTH": str(len(body)),
                       "HTTP_CONTENT_ENCODING": self.headers.get("Content-Encoding", "")}
        done = subprocess.run(["git", "http-backend"], input=body, env=environment, stdout=subprocess.PIPE)
        head, _, rest = done.stdout.partition(b"\r\n\r\n")
        headers = [tuple(line.split(": ", 1)) for line in head.decode().split("\r\n") if ": " in line]
        status = int(dict(headers).get("Status", "200").split()[0])
        self.answer(status, [pair for pair in headers if pair[0] != "Status"], rest)

    do_GET = do_POST = serve


server = http.server.ThreadingHTTPServer(("127.0.0.1", int(port)), Handler)
if certificate:
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.maximum_version = ssl.TLSVersion.TLSv1_2
    context.load_cert_chain(certificate, key)
    server.socket = context.wrap_socket(server.socket, server_side=True, do_handshake_on_connect=False)
server.serve_forever()
