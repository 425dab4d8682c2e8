#include <reconcilers/host/rehearsal.hpp>

#include <catch2/catch.hpp>

using namespace holdfast;

namespace {

Action action(const std::string& id) { return {.id = primitive_id(id)}; }

const Validator verify{.name = "verify", .argv = {"systemd-analyze", "verify", "/etc/systemd/system/app.service"}};

}  // namespace

TEST_CASE("rehearsal puts an overlay over the top folder of each path, one deeper below /usr and /var", "[rehearsal]") {
  CHECK(overlay_folders({action("file:/etc/nginx/a"), action("link:/etc/b"), action("file:/usr/local/bin/x"),
                         action("file:/var/www/x/y"), action("link:/opt/app/current"), action("file:/at-the-top"),
                         action("unit:app.service")}) ==
        std::vector<std::string>{"/etc", "/opt", "/usr/local", "/var/www"});
}

TEST_CASE("what systemd-analyze says of the unit itself is a finding, whatever its exit code", "[rehearsal]") {
  CHECK(is_accepted(verify, 0, ""));
  CHECK_FALSE(is_accepted(
      verify, 0, "/etc/systemd/system/app.service:3: Unknown key name 'Exec' in section 'Service', ignoring.\n"));
  CHECK_FALSE(
      is_accepted(verify, 1, "app.service: Service has no ExecStart=, ExecStop=, or SuccessAction=. Refusing.\n"));
  CHECK_FALSE(is_accepted(verify, 1, ""));
}

TEST_CASE("what systemd-analyze says of other units is nobody's fault here", "[rehearsal]") {
  CHECK(
      is_accepted(verify, 0, "/lib/systemd/system/other.service:4: Unknown key name 'X' in section 'Y', ignoring.\n"));
  CHECK(is_accepted(verify, 1, "other.service: Command /usr/bin/gone is not executable: No such file or directory\n"));
}

TEST_CASE("another validator is accepted by its exit code", "[rehearsal]") {
  const Validator nginx{.name = "nginx -t", .argv = {"nginx", "-t"}};
  CHECK(is_accepted(nginx, 0, "nginx: the configuration file is ok\n"));
  CHECK_FALSE(is_accepted(nginx, 1, "nginx: [emerg] unknown directive\n"));
}
