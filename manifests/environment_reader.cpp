#include <manifests/environment_reader.hpp>

#include <manifests/formats.hpp>
#include <manifests/gates_reader.hpp>
#include <manifests/host_rules.hpp>
#include <manifests/variables.hpp>
#include <manifests/wording.hpp>

#include <algorithm>

namespace holdfast {

namespace {

constexpr std::int64_t least_time_to_confirm_ms = 5'000;  // after the window: a verdict, and a request to the host
constexpr std::int64_t confirm_after_window_ms = 60'000;  // where nobody chose

/// Reads a spec that its schema has accepted, and finds what a schema can't say.
class Reader {
 public:
  Reader(const Document& document, std::vector<Finding>& findings) : document_(document), findings_(findings) {}

  void read(const Value& root, Environment& environment) {
    environment.name = root.at("metadata").at("name").as_text();
    environment.position = document_.position;
    check_metadata(root.at("metadata"), environment.name);
    const Value& spec = root.at("spec");
    read_track(spec.at("track"), environment.track);
    if (const Value* paths = spec.find("paths")) environment.paths = paths->as_texts();
    environment.vars = read_variables(spec, "/spec");
    read_hosts(spec.at("hosts"), environment);
    const Value& health = spec.at("health");
    environment.health.window_ms = duration_ms(health.at("window").as_text());
    environment.health.interval_ms = duration_ms(health.at("interval").as_text());
    environment.health.passes = static_cast<int>(health.at("passes").as_int());
    const Value* confirm = health.find("confirmWithin");
    environment.health.confirm_within_ms =
        confirm != nullptr
            ? duration_ms(confirm->as_text())
            : std::max(environment.health.confirm_within_ms, environment.health.window_ms + confirm_after_window_ms);
    environment.health.late = read_late_watch_policy(health, findings_);
    check_health(environment.health);
    environment.drift = read_drift_policy(spec, findings_);
    environment.approval = read_approval_policy(spec, findings_);
    environment.commits = read_signed_policy(spec, environment.approval, findings_);
    environment.prune = spec.at("prune").as_bool();
    environment.revert = spec.at("revert").as_bool();
    environment.rollout = read_rollout_policy(spec.at("rollout"));
    environment.gates = read_gates(spec, document_, findings_);
  }

 private:
  void add(const std::string& pointer, std::string what, std::string hint = {}) {
    findings_.push_back({pointer, std::move(what), std::move(hint), Finding::Place::value, ""});
  }

  void check_metadata(const Value& metadata, const std::string& name) {
    if (!is_host_name(name)) {
      add("/metadata/name",
          "the name of an environment must be letters, digits, \".\" and \"-\", not \"" + name + "\"");
    }
    for (const char* key : {"hosts", "after"}) {
      if (metadata.find(key) == nullptr) continue;
      findings_.push_back(
          {std::string("/metadata/") + key, std::string("\"metadata.") + key + "\" has no meaning for an Environment",
           std::string(key) == "hosts" ? "its hosts stand in spec.hosts" : "take it away", Finding::Place::key, ""});
    }
  }

  void read_track(const Value& track, Track& result) {
    result.branch = track.text_or("branch", "");
    result.tag = track.text_or("tag", "");
    for (const auto& [key, name] : {std::pair{"branch", result.branch}, std::pair{"tag", result.tag}}) {
      if (name != "holdfast" && !name.starts_with("holdfast/")) continue;
      add("/spec/track/" + std::string(key),
          "\"spec.track." + std::string(key) + "\" is \"" + name + "\", which holdfast writes itself",
          "follow one that people write, such as main");
    }
    result.prereleases = track.bool_or("prereleases", false);
    result.allow_rewrites = track.text_or("rewrites", "refuse") == "allow";
    if (result.branch.empty() && result.tag.empty()) {
      add("/spec/track", "\"spec.track\" must have one of the keys \"branch\" and \"tag\"", "for example branch: main");
      return;
    }
    if (!result.branch.empty()) check_ref("branch", result.branch, is_ref_name(result.branch));
    if (result.tag.empty()) {
      if (result.prereleases) no_pattern("prereleases", "a branch has none");
    } else if (result.is_pattern()) {
      check_ref("tag", result.tag, is_ref_pattern(result.tag));
    } else {
      check_ref("tag", result.tag, is_ref_name(result.tag));
      if (!result.branch.empty()) no_pattern("branch", "a tag by its full name needs none");
      if (result.prereleases) no_pattern("prereleases", "a tag by its full name is taken as it is");
    }
  }

  void check_ref(const std::string& key, const std::string& name, bool good) {
    if (good) return;
    const std::string also = key == "tag" ? ", or a pattern such as \"v*\"" : "";
    const bool wild = key == "tag" && name.find_first_of("?[") != std::string::npos;
    add("/spec/track/" + key,
        "\"spec.track." + key + "\" must be the name of a " + key + also + ", not \"" + name + "\"",
        wild ? "only \"*\" stands for any text" : "");
  }

  void no_pattern(const std::string& key, const std::string& why) {
    findings_.push_back({"/spec/track/" + key, "\"spec.track." + key + "\" has no meaning without a pattern of tags",
                         why + "; take it away, or say tag: \"v*\"", Finding::Place::key, ""});
  }

  Map read_variables(const Value& holder, const std::string& pointer) {
    const Value* vars = holder.find("vars");
    if (vars == nullptr) return {};
    for (const auto& [name, value] : vars->as_map()) {
      const std::string place = pointer + "/vars/" + pointer_segment(name);
      const bool good = used_variables("${" + name + "}").contains(name);
      if (!good) {
        findings_.push_back({place, "\"" + name + "\" can't be the name of a variable",
                             "begin with a letter or \"_\"; letters, digits, \"_\", \".\" and \"-\" may follow",
                             Finding::Place::key, ""});
      }
      if (name == "host" || name == "environment") {
        findings_.push_back({place, "the variable \"" + name + "\" is given by holdfast", "choose another name",
                             Finding::Place::key, ""});
      }
      if (value.is_text() && !used_variables(value).empty()) {
        add(place, "variables are not expanded in the value of a variable", "write its text out");
      }
    }
    return vars->as_map();
  }

  void read_hosts(const Value& hosts, Environment& environment) {
    std::map<std::string, std::size_t> names;
    std::map<std::string, std::size_t> places;
    for (std::size_t index = 0; index < hosts.as_list().size(); ++index) {
      const std::string pointer = "/spec/hosts/" + std::to_string(index);
      Host host = read_host(hosts.as_list()[index], pointer);
      const auto [named, new_name] = names.emplace(host.name, index);
      if (!new_name) tell_twice(pointer + "/name", "host \"" + host.name + "\"", named->second);
      const std::string place = host.connection == "local"
                                    ? "local machine below \"" + host.root + "\""
                                    : "address \"" + host.address + "\" port " + std::to_string(host.port);
      const auto [placed, new_place] = places.emplace(place, index);
      if (!new_place && new_name) tell_twice(pointer, place, placed->second);
      environment.hosts.push_back(std::move(host));
    }
  }

  void tell_twice(const std::string& pointer, const std::string& what, std::size_t first) {
    add(pointer, "the " + what + " is there twice",
        "it is also the host in line " + std::to_string(document_.at("/spec/hosts/" + std::to_string(first)).line));
  }

  Host read_host(const Value& value, const std::string& pointer) {
    Host host;
    host.position = document_.at(pointer);
    host.name = value.at("name").as_text();
    host.connection = value.at("connection").as_text();
    host.address = value.text_or("address", host.name);
    host.port = static_cast<int>(value.at("port").as_int());
    host.user = value.at("user").as_text();
    host.identity = value.text_or("identity", "");
    host.jump = value.text_or("jump", "");
    host.root = value.text_or("root", "/");
    if (const Value* keys = value.find("hostKey")) {
      host.host_keys = keys->is_text() ? std::vector<std::string>{keys->as_text()} : keys->as_texts();
    }
    if (const Value* labels = value.find("labels")) {
      for (const auto& [name, label] : labels->as_map()) host.labels[name] = label.as_text();
    }
    host.vars = read_variables(value, pointer);
    check_host(host, pointer);
    return host;
  }

  void check_host(const Host& host, const std::string& pointer) {
    if (!is_host_name(host.name)) {
      add(pointer + "/name", "the name of a host must be letters, digits, \".\" and \"-\", not \"" + host.name + "\"");
    } else if (!is_host_address(host.address)) {
      add(pointer + "/address",
          "the address of a host must be a DNS name or an IP address, not \"" + host.address + "\"",
          host.address.find(':') == std::string::npos ? "" : "the port stands in \"port\"");
    }
    if (!host.jump.empty() && !is_jump_host(host.jump)) {
      add(pointer + "/jump",
          "a jump host must be \"user@host:port\", user and port as needed, not \"" + host.jump + "\"");
    }
    for (const std::string& key : host.host_keys) {
      if (is_host_key(key)) continue;
      add(pointer + "/hostKey",
          "a host key must be a public key such as \"ssh-ed25519 AAAA…\", not " + scalar_words(key),
          "ssh-keyscan " + host.address + " shows it; compare it with the host's own");
    }
    check_connection(host, pointer);
  }

  void check_connection(const Host& host, const std::string& pointer) {
    const bool local = host.connection == "local";
    for (const char* key : {"address", "port", "user", "hostKey", "identity", "jump", "root"}) {
      const bool for_local = std::string(key) == "root";
      const std::string place = pointer + "/" + key;
      if (!document_.keys.contains(place) || for_local == local) continue;
      findings_.push_back({place, std::string("\"") + key + "\" has no meaning with connection: " + host.connection,
                           for_local ? "add connection: local, or take it away" : "take it away", Finding::Place::key,
                           ""});
    }
  }

  void check_health(const HealthPolicy& health) {
    if (health.interval_ms * health.passes > health.window_ms) {
      add("/spec/health", "so many passes do not fit into the window: passes times interval must be at most window",
          "make the window longer");
    }
    if (health.confirm_within_ms < health.window_ms + least_time_to_confirm_ms) {
      add("/spec/health/confirmWithin",
          "\"confirmWithin\" must exceed \"window\" by 5s at least: else the host undoes what is about to be confirmed",
          "make it longer, or the window shorter");
    }
  }

  const Document& document_;
  std::vector<Finding>& findings_;
};

}  // namespace

ReadEnvironment read_environment(const Document& document) {
  ReadEnvironment result;
  result.findings = check_schema("Environment", document.root, document);
  if (!result.findings.empty() || !document.refused.empty()) return result;
  Value root = document.root;
  fill_defaults(*schema_of("Environment"), root);
  Reader(document, result.findings).read(root, result.environment);
  return result;
}

}  // namespace holdfast
