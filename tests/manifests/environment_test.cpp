#include <manifests/fleet.hpp>
#include <tests/manifests/fleet_builder.hpp>

#include <catch2/catch.hpp>

using namespace holdfast;
using namespace holdfast::test;

namespace {

const std::string key = "ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAIE8xh3fWdNk0zpc5K2m7t3CUfvJpyPd6hXMzJmGr1vQe";

std::string environment(const std::string& spec, const std::string& name = "production") {
  return "apiVersion: holdfast.dev/v1\nkind: Environment\nmetadata: {name: " + name + "}\nspec:\n" + spec;
}

EnvironmentsResult read(const std::string& text) {
  return load_environments(MemoryTree({{"deploy/env.yaml", text}}), {});
}

void refuses(const std::string& spec, const std::string& place, const std::string& words) {
  const EnvironmentsResult result = read(environment(spec));
  INFO("expected " << place << " " << words << "\n" << rendered(result.problems));
  CHECK(tells(result.problems, place, words));
}

const std::string track = "  track: {branch: main}\n";
const std::string hosts = "  hosts: [{name: web1}]\n";

}  // namespace

TEST_CASE("an environment is read with what it says and with its defaults", "[environment]") {
  const EnvironmentsResult result = read(environment(R"(  track: {tag: v1.2, rewrites: allow}
  paths: [deploy/common]
  hosts:
    - {name: web1, address: 192.0.2.11, port: 2222, user: deploy, hostKey: ")" +
                                                     key + R"(", identity: /etc/id,
       jump: "ops@bastion:22", labels: {role: web}, vars: {workers: 8}}
    - {name: here, connection: local, root: /srv/trial}
    - {name: db1, hostKey: [")" + key + R"(", "ssh-rsa AAAAB3NzaC1yc2EAAAADAQABAAABgQDZx3Zt5c0G1n4o"]}
  vars: {domain: example.com}
  health: {window: 1m, interval: 500ms, passes: 5, confirmWithin: 90s, watch: {for: 2h, latency: {within: 2s}, errorRate: 0.5%, cpu: 70%}}
  prune: false
  rollout: {canary: 2, wave: [1, 25%, 100%], pause: 90s, onFailure: rollback-all}
)"));
  INFO(rendered(result.problems));
  REQUIRE(result.problems.empty());
  const Environment& found = result.environments.at(0);
  CHECK(found.name == "production");
  CHECK(found.track.tag == "v1.2");
  CHECK(found.track.allow_rewrites);
  CHECK(found.paths == std::vector<std::string>{"deploy/common"});
  CHECK(found.hosts.size() == 3);
  CHECK(found.hosts[0].address == "192.0.2.11");
  CHECK(found.hosts[0].port == 2222);
  CHECK(found.hosts[0].jump == "ops@bastion:22");
  CHECK(found.hosts[0].host_keys == std::vector<std::string>{key});
  CHECK(found.hosts[0].labels.at("role") == "web");
  CHECK(found.hosts[0].vars.at("workers") == Value(8));
  CHECK(found.hosts[0].position.line == 8);
  CHECK(found.hosts[1].connection == "local");
  CHECK(found.hosts[1].root == "/srv/trial");
  CHECK(found.hosts[2].address == "db1");
  CHECK(found.hosts[2].user == "root");
  CHECK(found.hosts[2].host_keys.size() == 2);
  CHECK(found.health.window_ms == 60'000);
  CHECK(found.health.interval_ms == 500);
  CHECK(found.health.passes == 5);
  CHECK(found.health.confirm_within_ms == 90'000);
  CHECK_FALSE(found.prune);
  CHECK(found.health.late.for_ms == 7'200'000);
  CHECK(found.health.late.every_ms == 5'000);
  CHECK(found.health.late.latency_ms == 2'000);
  CHECK(found.health.late.percentile == Approx(0.95));
  CHECK(*found.health.late.errors == Approx(0.005));
  CHECK(*found.health.late.cpu == Approx(0.7));
  CHECK(found.rollout.canary == 2);
  CHECK(found.rollout.waves == std::vector<WaveSize>{{1, false}, {25, true}, {100, true}});
  CHECK(found.rollout.pause_ms == 90'000);
  CHECK(found.rollout.on_failure == OnFailure::rollback_all);

  const Environment plain = read(environment(track + hosts)).environments.at(0);
  CHECK(plain.track.branch == "main");
  CHECK_FALSE(plain.track.allow_rewrites);
  CHECK(plain.health.window_ms == 30'000);
  CHECK(plain.health.confirm_within_ms == 110'000);
  CHECK(read(environment(track + hosts + "  health: {window: 10m}\n")).environments.at(0).health.confirm_within_ms ==
        660'000);
  CHECK(plain.prune);
  CHECK(plain.health.late.for_ms == 60'000);
  CHECK(plain.health.late.failures == 3);
  CHECK(plain.health.late.restarts == 1);
  CHECK_FALSE(plain.health.late.latency_ms);
  CHECK_FALSE(plain.health.late.memory);
  CHECK(plain.rollout.canary == 1);
  CHECK(plain.rollout.waves.empty());
  CHECK(plain.rollout.on_failure == OnFailure::rollback_failed);
}

TEST_CASE("an environment tracks a branch, a tag, or the tags like a pattern", "[environment]") {
  const Track found =
      read(environment("  track: {tag: \"v*\", branch: main, prereleases: true}\n" + hosts)).environments.at(0).track;
  CHECK(found.is_pattern());
  CHECK(found.branch == "main");
  CHECK(found.prereleases);
  CHECK_FALSE(read(environment("  track: {tag: \"v*\"}\n" + hosts)).environments.at(0).track.prereleases);
  refuses("  track: {branch: main, tag: v1}\n" + hosts, "5:11",
          "\"spec.track.branch\" has no meaning without a pattern");
  refuses("  track: {tag: v1, prereleases: true}\n" + hosts, "5:20", "\"spec.track.prereleases\" has no meaning");
  refuses("  track: {branch: main, prereleases: true}\n" + hosts, "5:25", "\"spec.track.prereleases\" has no meaning");
  refuses("  track: {branch: holdfast/audit}\n" + hosts, "5:19", "is \"holdfast/audit\", which holdfast writes itself");
  refuses("  track: {tag: \"holdfast/approve/production/*\"}\n" + hosts, "5:16", "which holdfast writes itself");
  refuses("  track: {}\n" + hosts, "5:3", "must have one of the keys");
  refuses("  track: {tag: \"v?\"}\n" + hosts, "5:16", "only \"*\" stands for any text");
  refuses("  track: {tag: \"v*..\"}\n" + hosts, "5:16", "or a pattern");
  refuses("  track: {branch: \"-x\"}\n" + hosts, "5:19", "must be the name of a branch");
  refuses(hosts, "4:1", "lacks the key \"track\"");
}

TEST_CASE("an environment has hosts, each once", "[environment]") {
  refuses(track, "4:1", "lacks the key \"hosts\"");
  refuses(track + "  hosts: []\n", "6:3", "must not be empty");
  refuses(track + "  hosts: [{name: a}, {name: a}]\n", "6:29", "host \"a\" is there twice");
  refuses(track + "  hosts: [{name: a, address: 192.0.2.1}, {name: b, address: 192.0.2.1}]\n", "6:42",
          "address \"192.0.2.1\" port 22 is there twice");
  refuses(track + "  hosts: [{name: a, connection: local}, {name: b, connection: local}]\n", "", "local machine");
}

TEST_CASE("hosts are named and addressed by what no program takes for an option", "[environment]") {
  refuses(track + "  hosts: [{name: -oProxyCommand=x}]\n", "6:18", "name of a host");
  refuses(track + "  hosts: [{name: a, address: \"-x\"}]\n", "6:30", "address of a host");
  refuses(track + "  hosts: [{name: a, address: \"b:22\"}]\n", "6:30", "the port stands in \"port\"");
  refuses(track + "  hosts: [{name: a, port: 70000}]\n", "6:27", "between 1 and 65535");
  refuses(track + "  hosts: [{name: a, jump: \"x y\"}]\n", "6:27", "user@host:port");
  refuses(track + "  hosts: [{name: a, user: \"root;id\"}]\n", "6:27", "name of an account");
  refuses(track + "  hosts: [{name: a, hostKey: AAAA}]\n", "6:30", "public key");
}

TEST_CASE("a local host has a root, and nothing of SSH", "[environment]") {
  refuses(track + "  hosts: [{name: a, root: /srv}]\n", "6:21", "no meaning with connection: ssh");
  refuses(track + "  hosts: [{name: a, connection: local, port: 22}]\n", "6:40", "no meaning with connection: local");
}

TEST_CASE("times of health are bounded and fit together", "[environment]") {
  refuses(track + hosts + "  health: {window: 3650d}\n", "7:20", "between 1s and 1h");
  refuses(track + hosts + "  health: {interval: 0s}\n", "7:22", "between 100ms and 1m");
  refuses(track + hosts + "  health: {passes: 1000000000}\n", "7:20", "between 1 and 100");
  refuses(track + hosts + "  health: {passes: 50, interval: 1s}\n", "7:3", "do not fit into the window");
  refuses(track + hosts + "  health: {confirmWithin: 9s}\n", "7:27", "between 10s and 1h");
  refuses(track + hosts + "  health: {window: 30s, confirmWithin: 34s}\n", "7:40", "must exceed \"window\" by 5s");
}

TEST_CASE("a wave is a number of hosts or a part of them", "[environment]") {
  const auto waves = [](const std::string& wave) {
    return read(environment(track + hosts + "  rollout: {wave: " + wave + "}\n")).environments.at(0).rollout.waves;
  };
  CHECK(waves("5") == std::vector<WaveSize>{{5, false}});
  CHECK(waves("25%") == std::vector<WaveSize>{{25, true}});
  CHECK(waves("100%").empty());
  refuses(track + hosts + "  rollout: {wave: 0}\n", "7:19", "");
  refuses(track + hosts + "  rollout: {wave: 101%}\n", "7:19", "25%");
  refuses(track + hosts + "  rollout: {wave: [1, 0%]}\n", "7:23", "25%");
  refuses(track + hosts + "  rollout: {pause: 2d}\n", "7:20", "");
  refuses(track + hosts + "  rollout: {onFailure: ignore}\n", "7:24", "rollback-all");
  CHECK(hosts_in({25, true}, 10) == 2);
  CHECK(hosts_in({1, true}, 10) == 1);
  CHECK(hosts_in({100, true}, 7) == 7);
  CHECK(hosts_in({5, false}, 2) == 5);
}

TEST_CASE("a late watch that can't be kept is refused", "[environment]") {
  const auto watch = [](const std::string& text) { return track + hosts + "  health: {watch: {" + text + "}}\n"; };
  refuses(watch("for: 2d"), "7:25", "between 0ms and 1d");
  refuses(watch("for: 3s"), "7:12", "as long as \"every\"");
  refuses(watch("cpu: 70"), "7:25", "must be a text");
  refuses(watch("cpu: 170%"), "7:25", "70%");
  refuses(watch("errorRate: -1%"), "7:31", "1%");
  refuses(watch("latency: {percentile: 100, within: 1s}"), "7:42", "");
  refuses(watch("latency: {percentile: 95}"), "7:20", "lacks the key \"within\"");
  CHECK(read(environment(watch("for: 0s"))).environments.at(0).health.late.for_ms == 0);
}

TEST_CASE("keys of later versions and unknown keys are refused", "[environment]") {
  refuses(track + hosts + "  notify: []\n", "7:3", "not in this version of holdfast");
  refuses(track + hosts + "  rollout: {order: reverse}\n", "7:13", "not in this version of holdfast");
  refuses(track + hosts + "  prunee: true\n", "7:3", "did you mean \"prune\"?");
}

TEST_CASE("an approval that nobody could give is refused", "[environment][approval]") {
  const std::string ada =
      "{name: Ada, ssh: ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAIE8xh3fWdNk0zpc5K2m7t3CUfvJpyPd6hXMzJmGr1vQe}";
  refuses(track + hosts + "  approval: required\n", "7:13", "nobody can give it");
  refuses(track + hosts + "  approval: yes please\n", "7:13", "`required` or a map");
  refuses(track + hosts + "  approval: {approvers: [{name: Ada}]}\n", "7:26", "\"Ada\" has no key");
  refuses(track + hosts + "  approval: {count: 2, approvers: [" + ada + "]}\n", "7:21", "2 of 1 approver");
  refuses(track + hosts + "  approval: {unsigned: allowed, approvers: [" + ada + "]}\n", "7:24", "no meaning beside");
  refuses(track + hosts + "  approval: {approvers: [{name: Ada, ssh: ssh-ed25519-cert-v01@openssh.com AAAA}]}\n",
          "7:43", "public key");
  refuses(
      track + hosts + "  approval: {approvers: [" + ada +
          ", {name: Bob, ssh: ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAIE8xh3fWdNk0zpc5K2m7t3CUfvJpyPd6hXMzJmGr1vQe x}]}\n",
      "", "is also that of \"Ada\"");
  refuses(track + hosts + "  approval: {approvers: [{name: Ada, openpgp: keys/ada.asc}]}\n", "7:47",
          "no file \"keys/ada.asc\"");
  refuses(track + hosts + "  signed: required\n", "7:11", "nobody's signature is accepted");
}

TEST_CASE("who may approve is read with the keys, files of the root branch included", "[environment][approval]") {
  const std::string openpgp = "-----BEGIN PGP PUBLIC KEY BLOCK-----\n\nmDME\n-----END PGP PUBLIC KEY BLOCK-----\n";
  const std::string spec =
      track + hosts + "  signed: required\n" + "  approval:\n    notAuthor: true\n    validFor: 12h\n    approvers:\n" +
      "      - {name: Ada, mail: ada@example.com, ssh: \"ssh-ed25519 "
      "AAAAC3NzaC1lZDI1NTE5AAAAIE8xh3fWdNk0zpc5K2m7t3CUfvJpyPd6hXMzJmGr1vQe ada,cert-authority\"}\n" +
      "      - {name: Bob, openpgp: keys/bob.asc}\n";
  const EnvironmentsResult result =
      load_environments(MemoryTree({{"deploy/env.yaml", environment(spec)}, {"keys/bob.asc", openpgp}}), {});
  for (const Problem& problem : result.problems) INFO(render(problem));
  REQUIRE(result.environments.size() == 1);
  const ApprovalPolicy& policy = result.environments[0].approval;
  CHECK((policy.required && policy.not_author && policy.count == 1 && policy.valid_for_ms == 43'200'000));
  REQUIRE(policy.approvers.size() == 2);
  CHECK(policy.approvers[0].ssh ==
        std::vector<std::string>{"ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAIE8xh3fWdNk0zpc5K2m7t3CUfvJpyPd6hXMzJmGr1vQe"});
  CHECK(policy.approvers[1].openpgp == std::vector<std::string>{openpgp});
  CHECK(commit_signers(policy, result.environments[0].commits).size() == 2);
}
