#include <manifests/error.hpp>
#include <manifests/formats.hpp>
#include <manifests/host_rules.hpp>
#include <manifests/plain_scalar.hpp>

#include <catch2/catch.hpp>

using namespace holdfast;

namespace {

std::string fault(const std::string& format, const std::string& text, Map more = {}) {
  more["format"] = format;
  const auto found = format_fault(more, text);
  return found ? found->what : "";
}

}  // namespace

TEST_CASE("durations are a number and a unit", "[formats]") {
  CHECK(duration_ms("500ms") == 500);
  CHECK(duration_ms("30s") == 30'000);
  CHECK(duration_ms("5m") == 300'000);
  CHECK(duration_ms("2h") == 7'200'000);
  CHECK(duration_ms("1d") == 86'400'000);
  for (const char* wrong : {"", "s", "5", "5 s", "-5s", "1.5s", "5w", "99999999999999s"}) {
    CHECK_THROWS_AS(duration_ms(wrong), Error);
  }
}

TEST_CASE("a duration without bounds has some all the same", "[formats]") {
  CHECK(fault("duration", "30s").empty());
  CHECK(fault("duration", "0s").find("must be between 1ms and 31d") == 0);
  CHECK(fault("duration", "3650d").find("must be between") == 0);
  CHECK(fault("duration", "2h", {{"x-min", 1}, {"x-max", 3600}}) == "must be between 1s and 1h, not \"2h\"");
}

TEST_CASE("modes are octal digits without special bits", "[formats]") {
  CHECK(octal_mode("0644") == 0644);
  CHECK(octal_mode("750") == 0750);
  CHECK_THROWS_AS(octal_mode("rw"), Error);
  CHECK(fault("mode", "0640").empty());
  CHECK(fault("mode", "644").empty());
  for (const char* wrong : {"0888", "64", "00644", "rw-r--r--", "1e3", "12:30", ""})
    CHECK_FALSE(fault("mode", wrong).empty());
  CHECK(fault("mode", "4755").find("setuid") != std::string::npos);
  CHECK(fault("mode", "0666").find("everyone") != std::string::npos);
  CHECK(fault("mode", "1777", {{"x-allow-special", true}}).empty());
}

TEST_CASE("paths are absolute and normalised", "[formats]") {
  for (const char* good : {"/", "/etc/motd", "/a b/ü", "/.hidden/..."}) CHECK(is_absolute_path(good));
  for (const char* wrong : {"", "etc", "/etc/", "//etc", "/a//b", "/a/../b", "/a/./b", "/a/..", "/a\nb", "/a\xff"}) {
    CHECK_FALSE(is_absolute_path(wrong));
  }
  CHECK_FALSE(is_absolute_path("/" + std::string(5000, 'a')));
  CHECK(format_fault(Map{{"format", "path"}}, "/etc//x/")->hint == "write \"/etc/x\"");
}

TEST_CASE("relative paths can't leave their folder", "[formats]") {
  for (const char* good : {"files/a", "a", ".env"}) CHECK(is_relative_path(good));
  for (const char* wrong : {"", "/etc/shadow", "../x", "a/../../x", "a//b", "./a", "a/"})
    CHECK_FALSE(is_relative_path(wrong));
}

TEST_CASE("names of units, accounts, packages and resources", "[formats]") {
  CHECK(is_unit_name("cvd.service"));
  CHECK(is_unit_name("backup@daily.timer"));
  for (const char* wrong : {"cvd", ".service", "-x.service", "a b.service", "x.txt", "a/b.service", "x;y.service"}) {
    CHECK_FALSE(is_unit_name(wrong));
  }
  CHECK(is_account_name("www-data"));
  CHECK(is_account_name("_apt"));
  for (const char* wrong : {"", "-x", "0x", "Root", "a b", "a:b", "x;y"}) CHECK_FALSE(is_account_name(wrong));
  CHECK(is_package_name("libstdc++6"));
  CHECK(is_package_name("libc6:amd64"));
  for (const char* wrong : {"", "a", "-y", "Nginx", "a b", "nginx=1", "x;rm", "libc6:", "libc6:-x"})
    CHECK_FALSE(is_package_name(wrong));
  CHECK(is_resource_name("cvd.service"));
  for (const char* wrong : {"", "-x", "a/b", "a b", "x; rm -rf /", "$(id)", "ü", "u\xCC\x88"})
    CHECK_FALSE(is_resource_name(wrong));
}

TEST_CASE("references have a kind and a name", "[formats]") {
  CHECK(fault("reference", "EnvFile/app").empty());
  CHECK(fault("reference", "SystemdUnit/app@x.service").empty());
  for (const char* wrong : {"app", "/app", "EnvFile/", "Env File/x", "a/b/c"})
    CHECK_FALSE(fault("reference", wrong).empty());
}

TEST_CASE("host names, addresses and jump hosts are never taken for an option", "[hosts]") {
  CHECK(is_host_name("web-1.example"));
  for (const char* wrong : {"", "-oProxyCommand=x", "web_1;", "a..b", "web1.", "ü"}) CHECK_FALSE(is_host_name(wrong));
  for (const char* good : {"192.0.2.1", "host.example.com", "2001:db8::1", "::1", "fe80::1%eth0"})
    CHECK(is_host_address(good));
  for (const char* wrong : {"", "-oX", "host:22", "a b", "user@host", "host/x", "::1%"})
    CHECK_FALSE(is_host_address(wrong));
  for (const char* good : {"bastion", "deploy@bastion", "deploy@bastion:2222", "[2001:db8::1]:22", "root@[::1]", "::1"})
    CHECK(is_jump_host(good));
  for (const char* wrong :
       {"", "@bastion", "bastion:", "bastion:0", "bastion:70000", "-oX@b", "a@b@c", "[::1", "b:22:x"}) {
    CHECK_FALSE(is_jump_host(wrong));
  }
}

TEST_CASE("host keys are public keys as OpenSSH writes them", "[hosts]") {
  const std::string key = "ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAIE8xh3fWdNk0zpc5K2m7t3CUfvJpyPd6hXMzJmGr1vQe";
  CHECK(is_host_key(key));
  CHECK(is_host_key(key + " root@web1"));
  for (const char* wrong : {"", "ssh-ed25519", "ssh-ed25519 AAAA…",
                            "ssh-dss AAAAB3NzaC1kc3MAAACBAAAAAAAAAAAAAAAAAAAAAAAAA", "SHA256:abc"}) {
    CHECK_FALSE(is_host_key(wrong));
  }
}

TEST_CASE("branches and tags are names that git takes", "[hosts]") {
  for (const char* good : {"main", "feature/x", "v1.4.2"}) CHECK(is_ref_name(good));
  for (const char* wrong :
       {"", "-x", "a..b", "v*", "a b", "x.lock", "/a", "a/", "a//b", "@", "a@{1}", ".x", "a:b", "a\nb"}) {
    CHECK_FALSE(is_ref_name(wrong));
  }
  for (const char* good : {"v*", "*", "api/v*-rc.*"}) CHECK(is_ref_pattern(good));
  for (const char* wrong : {"", "v1", "-*", "v*..", "v* ", "v*[a]", "v*.lock"}) CHECK_FALSE(is_ref_pattern(wrong));
}

TEST_CASE("a fraction is a number only in the forms of YAML 1.2", "[scalar]") {
  CHECK(type_plain_scalar("1e3").value == Value(1000.0));
  CHECK(type_plain_scalar("-.5").value == Value(-0.5));
  CHECK(type_plain_scalar("1.").value == Value(1.0));
  for (const char* text : {".", "e3", "1e", "1.2.3", "+", "-", "1_000", "0x", "."}) {
    CHECK(type_plain_scalar(text).value == Value(text));
  }
}
