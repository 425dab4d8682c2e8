#!/usr/bin/env python3
"""A mail server on the loopback: smtp_server.py FOLDER plain|starttls|tls. Says "PORT n" first. A mail that it takes is
FOLDER/mail, each command a line of FOLDER/commands (a login without its words). With starttls and tls the certificate is
FOLDER/cert.pem, the key FOLDER/key.pem, and only holdfast with the password of FOLDER/password may send. Mail to nobody@
is refused for good."""
import base64
import os
import socketserver
import ssl
import sys

folder, mode = sys.argv[1], sys.argv[2]
context = None
if mode != "plain":
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(os.path.join(folder, "cert.pem"), os.path.join(folder, "key.pem"))
    with open(os.path.join(folder, "password"), encoding="utf-8") as file:
        password = file.read().strip()


def note(name, text):
    with open(os.path.join(folder, name), "a", encoding="utf-8", newline="") as file:
        file.write(text)


class Session(socketserver.BaseRequestHandler):
    def say(self, text):
        self.stream.sendall(text.encode() + b"\r\n")

    def line(self):
        text = b""
        while not text.endswith(b"\r\n"):
            more = self.stream.recv(1)
            if not more:
                raise ConnectionError
            text += more
        return text.decode()[:-2]

    def handle(self):
        self.stream = self.request
        self.secure = False
        try:
            if mode == "tls":
                self.wrap()
            self.say("220 test")
            self.known = mode == "plain"
            while self.command(self.line()):
                pass
        except (OSError, ConnectionError):
            pass

    def wrap(self):
        self.stream = context.wrap_socket(self.stream, server_side=True)
        self.secure = True

    def login(self, words):
        given = words[2] if len(words) > 2 else ""
        if not given:
            self.say("334 ")
            given = self.line()
        parts = base64.b64decode(given).decode().split("\0")
        self.known = self.secure and parts[1:] == ["holdfast", password]
        self.say("235 welcome" if self.known else "535 wrong: " + parts[-1])

    def command(self, line):
        words = line.split(" ")
        verb = words[0].upper()
        note("commands", ("AUTH" if verb == "AUTH" else line) + "\n")
        if verb == "EHLO":
            offers = ["test"]
            if mode == "starttls" and not self.secure:
                offers.append("STARTTLS")
            if self.secure:
                offers.append("AUTH PLAIN")
            for number, offer in enumerate(offers):
                self.say("250" + (" " if number == len(offers) - 1 else "-") + offer)
        elif verb == "STARTTLS":
            self.say("220 go")
            self.wrap()
        elif verb == "AUTH":
            self.login(words)
        elif verb == "QUIT":
            self.say("221 bye")
            return False
        elif not self.known:
            self.say("530 who are you")
        elif verb == "RCPT" and "nobody@" in line:
            self.say("550 no such person")
        elif verb == "DATA":
            self.say("354 go")
            text = ""
            while (one := self.line()) != ".":
                text += (one[1:] if one.startswith("..") else one) + "\r\n"
            note("mail", text)
            self.say("250 taken")
        else:
            self.say("250 fine")
        return True


class Server(socketserver.ThreadingTCPServer):
    allow_reuse_address = True
    daemon_threads = True


with Server(("127.0.0.1", 0), Session) as server:
    print("PORT", server.server_address[1], flush=True)
    server.serve_forever()
