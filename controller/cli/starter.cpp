#include <controller/cli/starter.hpp>

#include <manifests/json.hpp>

namespace holdfast {

namespace {

constexpr const char* readme = R"(# A fleet kept by holdfast

What stands here is what the hosts are: merging a change deploys it, and a change that does not stay healthy is undone.

- `deploy/environments.yaml`: the environments, their hosts, and which branch each of them follows
- `deploy/hello/`: a first service: a package, an account, a page, and the unit that serves it, with a health check
- `holdfast.yaml`: settings of a controller on this machine. Not part of the fleet: git ignores it

Staging follows `main`, production follows `production`: merge into `main` to try a change, then `main` into
`production`. Environments themselves are read from `main` only.

    holdfast validate              everything here, without any host
    holdfast explain SystemdUnit   what can be said about a unit
    holdfast plan staging          what would change; changes nothing
    holdfast apply staging         one turn, now
    holdfast run                   the controller: follows the branches from now on
)";

constexpr const char* environments =
    R"(# Each environment follows a branch (or a tag), and has hosts that holdfast logs in to over SSH.
# `holdfast explain Environment` tells every field.
apiVersion: holdfast.dev/v1
kind: Environment
metadata:
  name: staging
spec:
  track:
    branch: main
  hosts:
    # The address is one for documentation: put your host here. Another login than root needs `sudo -n`.
    # The host's key must be in ~/.ssh/known_hosts, or stand here as `hostKey: "ssh-ed25519 AAAA..."`.
    - name: staging1
      address: 192.0.2.11
      user: root
  vars:
    greeting: hello from staging
---
apiVersion: holdfast.dev/v1
kind: Environment
metadata:
  name: production
spec:
  track:
    branch: production
  hosts:
    - name: web1
      address: 192.0.2.21
      user: root
    - name: web2
      address: 192.0.2.22
      user: root
  vars:
    greeting: hello
  health:
    window: 30s
  rollout:
    canary: 1
)";

constexpr const char* hello =
    R"(# Order, restarts and undoing follow from what is written here; nothing else has to be said about them.
apiVersion: holdfast.dev/v1
kind: Package
metadata:
  name: python3
spec: {}
---
apiVersion: holdfast.dev/v1
kind: User
metadata:
  name: hello
spec:
  system: true
  home: /srv/hello
  shell: /usr/sbin/nologin
---
apiVersion: holdfast.dev/v1
kind: Directory
metadata:
  name: hello
spec:
  path: /srv/hello
---
apiVersion: holdfast.dev/v1
kind: File
metadata:
  name: hello-page
spec:
  path: /srv/hello/index.html
  text: |
    <h1>${greeting}</h1>
    <p>This is ${host} in ${environment}.</p>
---
apiVersion: holdfast.dev/v1
kind: SystemdUnit
metadata:
  name: hello.service
spec:
  source: files/hello.service
  enabled: true
  state: running
  health:
    - http:
        url: http://127.0.0.1:8080/
        body:
          contains: ${greeting}
)";

constexpr const char* unit = R"([Unit]
Description=A first page, served by Python
After=network.target

[Service]
User=hello
WorkingDirectory=/srv/hello
ExecStart=/usr/bin/python3 -m http.server 8080 --bind 127.0.0.1
Restart=on-failure

[Install]
WantedBy=multi-user.target
)";

std::string settings(const std::string& repository) {
  return "# Settings of a controller; `holdfast explain Controller` tells every field. A controller that runs as a "
         "service\n"
         "# has them in /etc/holdfast/holdfast.yaml, and a `url` that your git server gives.\n"
         "apiVersion: holdfast.dev/v1\n"
         "kind: Controller\n"
         "metadata:\n"
         "  name: holdfast\n"
         "spec:\n"
         "  repository:\n"
         "    url: " +
         to_json(repository) +
         "\n"
         "    branch: main\n"
         "  poll: 30s\n";
}

}  // namespace

std::vector<std::pair<std::string, std::string>> starter_files(const std::string& repository) {
  return {
      {"README.md", readme},
      {".gitignore", "/holdfast.yaml\n"},
      {"holdfast.yaml", settings(repository)},
      {"deploy/environments.yaml", environments},
      {"deploy/hello/hello.yaml", hello},
      {"deploy/hello/files/hello.service", unit},
  };
}

}  // namespace holdfast
