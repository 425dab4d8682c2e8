"""The fleet that is drilled: every version changes a file, a link, a release, an env file, a unit, a site of nginx, a package and what a command made."""

APPLICATION = '''"""Says which version of everything it was started with."""
import http.server
import json
import os
import pathlib

HERE = pathlib.Path(__file__).parent
RELEASE = (HERE / "VERSION").read_text().strip()
BUILT = (HERE / "built").read_text().strip()
STATUS = "%s"


class Handler(http.server.BaseHTTPRequestHandler):
    def do_GET(self):
        answer = {"status": STATUS, "release": RELEASE, "built": BUILT, "env": os.environ["ENV_VERSION"], "unit": os.environ["UNIT_VERSION"]}
        self.send_response(200 if STATUS == "healthy" else 500)
        self.end_headers()
        self.wfile.write(json.dumps(answer).encode())

    def log_message(self, *_):
        pass


http.server.ThreadingHTTPServer.allow_reuse_address = True
http.server.ThreadingHTTPServer(("127.0.0.1", 8000), Handler).serve_forever()
'''

BUILD = 'import pathlib\npathlib.Path("built").write_text(pathlib.Path("VERSION").read_text())\n'

# The data's version moves by a command; what was there before is what its undo puts back, whoever ran how far.
MIGRATE = '''import os, pathlib, sys
data = pathlib.Path("/opt/drill/data/version")
wanted = pathlib.Path("VERSION" if sys.argv[1] == "up" else "BEFORE").read_text()
data.with_suffix(".new").write_text(wanted)
os.replace(data.with_suffix(".new"), data)
'''

MANIFESTS = '''apiVersion: holdfast.dev/v1
kind: User
metadata: {{name: drill}}
spec: {{system: true, home: /opt/drill, shell: /usr/sbin/nologin}}
---
apiVersion: holdfast.dev/v1
kind: Directory
metadata: {{name: drill}}
spec: {{path: /opt/drill, owner: "drill:drill"}}
---
apiVersion: holdfast.dev/v1
kind: Directory
metadata: {{name: data}}
spec: {{path: /opt/drill/data, owner: "drill:drill"}}
---
apiVersion: holdfast.dev/v1
kind: Directory
metadata: {{name: settings}}
spec: {{path: /etc/drill}}
---
apiVersion: holdfast.dev/v1
kind: File
metadata: {{name: settings}}
spec: {{path: /etc/drill/settings, owner: "{owner}", mode: "{mode}", source: files/settings}}
---
apiVersion: holdfast.dev/v1
kind: File
metadata: {{name: odd}}
spec: {{path: /etc/drill/odd, {odd}}}
---
apiVersion: holdfast.dev/v1
kind: Release
metadata: {{name: drill}}
spec:
  source: self
  folder: app
  path: /opt/drill/app
  owner: drill:drill
  build: [[python3, -m, py_compile, server.py], [python3, build.py]]
  keep: 3
---
apiVersion: holdfast.dev/v1
kind: Command
metadata: {{name: migrate}}
spec:
  run: [python3, migrate.py, up]
  undo: [python3, migrate.py, down]
  in: /opt/drill/app
  user: drill
  onChange: [Release/drill]
---
apiVersion: holdfast.dev/v1
kind: EnvFile
metadata: {{name: drill}}
spec:
  path: /opt/drill/env
  owner: drill:drill
  values: {{ENV_VERSION: "{version}"}}
  secrets: {{SESSION_SECRET: {{generate: {{bytes: 32}}}}}}
---
apiVersion: holdfast.dev/v1
kind: SystemdUnit
metadata: {{name: drill.service}}
spec:
  text: |
    [Unit]
    Description=Drilled, version {version}
    [Service]
    User=drill
    WorkingDirectory=/opt/drill/app
    EnvironmentFile=/opt/drill/env
    Environment=UNIT_VERSION={version}
    ExecStart=/usr/bin/python3 -B -u server.py
    Restart=on-failure
    [Install]
    WantedBy=multi-user.target
  enabled: true
  state: running
  loads: [EnvFile/drill, Release/drill]
  health:
    - {{http: {{url: "http://127.0.0.1:8000/", status: 200, json: {{/release: "{version}", /env: "{version}", /unit: "{version}"}}, within: 2s}}}}
---
apiVersion: holdfast.dev/v1
kind: Package
metadata: {{name: hello-holdfast}}
spec: {{version: "{package}"}}
---
apiVersion: holdfast.dev/v1
kind: NginxSite
metadata: {{name: drill}}
spec:
  text: |
    server {{
      listen 80;
      location / {{ add_header X-Site {version} always; proxy_pass http://127.0.0.1:8000; }}
    }}
  upstreams: [SystemdUnit/drill.service]
---
apiVersion: holdfast.dev/v1
kind: NginxSite
metadata: {{name: second}}
spec:
  text: "server {{ listen 8081; return 204; }}\\n"
  enabled: {second}
  answers: {{url: "http://127.0.0.1:80/", within: 2s}}
'''


def settings(version):
    """Several pages, so that half of a file could be told."""
    return f"version {version}\n" + f"{version}:{'x' * 60}\n" * 200


def write(site, version, before, health="healthy"):
    odd = version % 2 == 1
    site.write("app/server.py", APPLICATION % health)
    site.write("app/build.py", BUILD)
    site.write("app/migrate.py", MIGRATE)
    site.write("app/VERSION", f"{version}\n")
    site.write("app/BEFORE", f"{before}\n")
    site.write("deploy/drill/files/settings", settings(version))
    site.write("deploy/drill/drill.yaml", MANIFESTS.format(
        version=version, owner="drill:drill" if odd else "root:root", mode="0600" if odd else "0644",
        odd='text: "odd\\n"' if odd else "state: absent", package="1.1" if odd else "1.0", second="true" if odd else "false"))


def wanted(version, commit):
    """How a host that has this version is seen by look.py."""
    odd = version % 2 == 1
    return {
        "settings": [settings(version), "0600" if odd else "0644", "drill" if odd else "root"],
        "odd": ["odd\n", "0644", "root"] if odd else None,
        "release": f"releases/{commit}",
        "env": f'ENV_VERSION="{version}"',
        "unit_file": f"Environment=UNIT_VERSION={version}",
        "site_file": f"X-Site {version} ",
        "second": bool(odd),
        "package": f"install ok installed {'1.1' if odd else '1.0'}",
        "data": f"{version}\n",
        "enabled": "enabled",
        "active": "active",
        "serves": {"status": "healthy", "release": str(version), "built": str(version), "env": str(version), "unit": str(version)},
        "header": str(version),
    }
