#include <reconcilers/backup/policy.hpp>

#include <manifests/error.hpp>

#include <array>
#include <utility>

namespace holdfast {

namespace {

constexpr std::int64_t policy_version = 1;
constexpr std::size_t longest_name = 100;
constexpr std::size_t max_sources = 50;
constexpr std::array<std::pair<BackupEngine, std::string_view>, 3> engine_names = {
    {{BackupEngine::sqlite, "sqlite"}, {BackupEngine::postgres, "postgres"}, {BackupEngine::files, "files"}}};

BackupEngine engine_from(std::string_view text) {
  for (const auto& [engine, name] : engine_names) {
    if (name == text) return engine;
  }
  throw Error("expected sqlite, postgres or files as a backup's engine, found \"" + std::string(text) + "\"");
}

std::string absolute(const std::string& path) {
  const bool good = path.size() > 1 && path.front() == '/' && path.back() != '/' && path.find('\0') == path.npos &&
                    (path + "/").find("/../") == path.npos && (path + "/").find("/./") == path.npos;
  if (!good) throw Error("expected an absolute path, found \"" + path + "\"");
  return path;
}

BackupSource source_from(const Value& value) {
  BackupSource source;
  source.engine = engine_from(value.at("engine").as_text());
  switch (source.engine) {
    case BackupEngine::sqlite:
      source.path = absolute(value.at("path").as_text());
      break;
    case BackupEngine::postgres:
      source.database = value.at("database").as_text();
      source.user = value.text_or("user", "postgres");
      source.host = value.text_or("host", "");
      source.port = value.int_or("port", 0);
      break;
    case BackupEngine::files:
      for (const std::string& path : value.at("paths").as_texts()) source.paths.push_back(absolute(path));
      if (const Value* exclude = value.find("exclude")) source.exclude = exclude->as_texts();
      break;
  }
  return source;
}

}  // namespace

std::string_view to_text(BackupEngine engine) {
  for (const auto& [known, name] : engine_names) {
    if (known == engine) return name;
  }
  return "unknown";
}

Value to_value(const BackupSource& source) {
  Map value{{"engine", to_text(source.engine)}};
  switch (source.engine) {
    case BackupEngine::sqlite:
      value["path"] = source.path;
      break;
    case BackupEngine::postgres:
      value["database"] = source.database;
      value["user"] = source.user;
      if (!source.host.empty()) value["host"] = source.host;
      if (source.port != 0) value["port"] = source.port;
      break;
    case BackupEngine::files:
      value["paths"] = Value::texts(source.paths);
      if (!source.exclude.empty()) value["exclude"] = Value::texts(source.exclude);
      break;
  }
  return value;
}

std::string describe(const BackupSource& source) {
  const std::string engine(to_text(source.engine));
  if (source.engine == BackupEngine::sqlite) return engine + " " + source.path;
  if (source.engine == BackupEngine::postgres) return engine + " " + source.database;
  const std::string more = source.paths.size() > 1 ? " and " + std::to_string(source.paths.size() - 1) + " more" : "";
  return engine + " " + (source.paths.empty() ? "none" : source.paths.front()) + more;
}

std::vector<std::string> paths_of(const BackupSource& source) {
  return source.engine == BackupEngine::sqlite ? std::vector<std::string>{source.path} : source.paths;
}

Value to_value(const BackupPolicy& policy) {
  List sources;
  for (const BackupSource& source : policy.sources) sources.push_back(to_value(source));
  return Map{{"version", policy_version},         {"name", policy.name},
             {"destination", policy.destination}, {"sources", std::move(sources)},
             {"compress", policy.compress},       {"keep_count", policy.keep_count},
             {"keep_age_ms", policy.keep_age_ms}, {"free_percent", policy.free_percent},
             {"free_bytes", policy.free_bytes},   {"timeout_ms", policy.timeout_ms},
             {"max_age_ms", policy.max_age_ms},   {"before_deploy", policy.before_deploy}};
}

BackupPolicy backup_policy_from(const Value& value) {
  if (value.at("version").as_int() != policy_version) throw Error("the backup policy is of another version");
  BackupPolicy policy{.name = value.at("name").as_text(),
                      .destination = absolute(value.at("destination").as_text()),
                      .compress = value.text_or("compress", "gzip"),
                      .keep_count = value.int_or("keep_count", 14),
                      .keep_age_ms = value.int_or("keep_age_ms", 0),
                      .free_percent = value.int_or("free_percent", 0),
                      .free_bytes = value.int_or("free_bytes", 0),
                      .timeout_ms = value.int_or("timeout_ms", 1'800'000),
                      .max_age_ms = value.int_or("max_age_ms", 0),
                      .before_deploy = value.bool_or("before_deploy", false)};
  if (!is_backup_name(policy.name)) throw Error("expected the name of a backup policy, found another text");
  if (policy.compress != "gzip" && policy.compress != "none") throw Error("expected gzip or none as \"compress\"");
  if (policy.keep_count < 1 || policy.keep_age_ms < 0 || policy.timeout_ms < 1 || policy.free_bytes < 0 ||
      policy.free_percent < 0 || policy.free_percent > 99) {
    throw Error("a number of the backup policy \"" + policy.name + "\" is out of its bounds");
  }
  const List& sources = value.at("sources").as_list();
  if (sources.empty() || sources.size() > max_sources) throw Error("expected 1 to 50 sources of a backup");
  for (const Value& source : sources) policy.sources.push_back(source_from(source));
  return policy;
}

bool is_backup_name(std::string_view name) {
  constexpr std::string_view plain = "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789";
  if (name.empty() || name.size() > longest_name || plain.find(name.front()) == plain.npos) return false;
  return name.find_first_not_of(std::string(plain) + "_.-") == name.npos;
}

std::string backup_policy_path(const std::string& name) {
  return std::string(backup_policy_folder) + "/" + name + ".json";
}

std::string backup_unit(const std::string& name, const std::string& type) {
  return "holdfast-backup-" + name + "." + type;
}

}  // namespace holdfast
