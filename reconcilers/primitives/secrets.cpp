#include <reconcilers/primitives/secrets.hpp>

#include <manifests/digest.hpp>
#include <manifests/error.hpp>
#include <manifests/json.hpp>
#include <reconcilers/primitives/place.hpp>

#include <sys/random.h>

#include <algorithm>
#include <cerrno>
#include <set>
#include <sstream>
#include <utility>
#include <vector>

namespace holdfast {

namespace {

constexpr std::size_t max_secret_bytes = 4096;
constexpr std::size_t max_template_bytes = 16U << 20U;
constexpr std::size_t longest_name = 200;
constexpr std::size_t key_bytes = 32;
constexpr std::size_t kept_renderings = 8;
constexpr std::size_t max_renderings_bytes = 4096;
constexpr std::string_view pending = "pending:";

std::string secrets_folder() { return std::string(state_folder) + "/secrets"; }
std::string key_path() { return secrets_folder() + "/.key"; }
std::string rendering_path(const std::string& path) { return std::string(state_folder) + "/rendered/" + sha256(path); }

std::string random_bytes(std::size_t count) {
  std::string bytes(count, '\0');
  for (std::size_t done = 0; done < count;) {
    const ssize_t got = ::getrandom(bytes.data() + done, count - done, 0);
    if (got < 0 && errno != EINTR) throw Error("the kernel gives no random bytes");
    if (got > 0) done += static_cast<std::size_t>(got);
  }
  return bytes;
}

/// Six bits a letter; `letters` has 64.
std::string in_base64(std::string_view bytes, std::string_view letters, bool padded) {
  std::string text;
  for (std::size_t at = 0; at < bytes.size(); at += 3) {
    const std::string_view group = bytes.substr(at, 3);
    std::uint32_t bits = 0;
    for (std::size_t i = 0; i < 3; ++i)
      bits = bits << 8U | (i < group.size() ? static_cast<unsigned char>(group[i]) : 0U);
    for (std::size_t i = 0; i <= group.size(); ++i) text += letters[bits >> (18 - 6 * i) & 63U];
    if (padded) text.append(3 - group.size(), '=');
  }
  return text;
}

/// `count` letters and digits, each equally likely.
std::string alphanumeric(std::size_t count) {
  constexpr std::string_view letters = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789";
  constexpr unsigned fair = 256 - 256 % letters.size();
  std::string text;
  while (text.size() < count) {
    const auto byte = static_cast<unsigned char>(random_bytes(1)[0]);
    if (byte < fair) text += letters[byte % letters.size()];
  }
  return text;
}

std::string generate(const Value& how) {
  constexpr std::string_view common = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789";
  const std::int64_t bytes = how.int_or("bytes", 32);
  const std::string format = how.text_or("format", "hex");
  if (bytes < 1 || bytes > 1024) throw Error("expected 1 to 1024 bytes of a secret, found " + std::to_string(bytes));
  const auto count = static_cast<std::size_t>(bytes);
  if (format == "hex") return to_hex(random_bytes(count));
  if (format == "base64") return in_base64(random_bytes(count), std::string(common) + "+/", true);
  if (format == "base64url") return in_base64(random_bytes(count), std::string(common) + "-_", false);
  if (format == "alphanumeric") return alphanumeric(count);
  throw Error("expected a secret in hex, base64, base64url or alphanumeric, found \"" + format + "\"");
}

std::string make_secret(System& system, const std::string& id, const Value& spec) {
  if (std::optional<std::string> kept = read_secret(system, id)) return *kept;
  const std::string secret = generate(spec.at("generate"));
  ensure_folder(system, secrets_folder());
  system.write(secret_path(id), secret, {.mode = 0600});
  return secret;
}

/// Names the template and the secrets that go into it; nullopt while one of them isn't made.
std::optional<std::string> rendering_key(const System& system, const std::string& text_digest, const Map& secrets) {
  std::string parts = text_digest;
  for (const auto& [placeholder, spec] : secrets) {
    const std::optional<std::string> secret = read_secret(system, spec.at("id").as_text());
    if (!secret) return std::nullopt;
    parts += "\n" + placeholder + " " + sha256(*secret);
  }
  return sha256(parts);
}

/// What is known of a file's contents, newest first: the key of a rendering, and the digest that came of it. An undo
/// goes back to an older one.
std::vector<std::pair<std::string, std::string>> renderings(const System& system, const std::string& path) {
  std::vector<std::pair<std::string, std::string>> found;
  std::istringstream words(system.read(rendering_path(path), max_renderings_bytes).value_or(""));
  for (std::string key, content; words >> key >> content;) found.emplace_back(key, content);
  return found;
}

std::string replace_all(const std::string& text, const std::string& placeholder, const std::string& secret) {
  std::string result;
  std::size_t at = 0;
  for (std::size_t found = text.find(placeholder); found != std::string::npos; found = text.find(placeholder, at)) {
    result.append(text, at, found - at).append(secret);
    at = found + placeholder.size();
  }
  if (at == 0) throw Error("expected the placeholder of a secret in a file's template, found none");
  return result.append(text, at);
}

std::string fill_in(const System& system, std::string text, const Map& secrets) {
  for (const auto& [placeholder, spec] : secrets) {
    if (placeholder.empty()) throw Error("the placeholder of a secret is empty");
    text = replace_all(text, placeholder, read_secret(system, spec.at("id").as_text()).value_or(""));
  }
  return text;
}

std::string resolve_content(const System& system, const Vault& vault, const Wanted& wanted, const Map& secrets) {
  const std::string& text_digest = wanted.attributes.at("content").as_text();
  const std::optional<std::string> key = rendering_key(system, text_digest, secrets);
  if (!key) return std::string(pending) + text_digest;
  for (const auto& [known, content] : renderings(system, wanted.id.name)) {
    if (known == *key) return content;
  }
  if (!vault.has(text_digest)) return std::string(pending) + text_digest;
  const std::optional<std::string> text = system.read(vault.path_of(text_digest), max_template_bytes);
  return sha256(fill_in(system, text.value_or(""), secrets));
}

void add_own_groups(const System& system, const Wanted& wanted, Attributes& attributes) {
  const std::vector<std::string> asked = attributes.at("groups").as_texts();
  std::set<std::string> names(asked.begin(), asked.end());
  for (std::string& name : read_accounts(system).groups_of(wanted.id.name)) names.insert(std::move(name));
  attributes["groups"] = Value::texts({names.begin(), names.end()});
}

const Map* secrets_of(const Map& parameters) {
  const auto secrets = parameters.find("secrets");
  return secrets == parameters.end() || secrets->second.as_map().empty() ? nullptr : &secrets->second.as_map();
}

void hide(Map& map, const char* member, const std::string& key) {
  const auto content = map.find(member);
  if (content == map.end() || !content->second.is_text() || is_pending(content->second)) return;
  content->second = "hmac:" + hmac_sha256(key, content->second.as_text());
}

bool is_sensitive(const Wanted& wanted) {
  return wanted.id.type == PrimitiveType::file &&
         (secrets_of(wanted.parameters) != nullptr || Value(wanted.parameters).bool_or("sensitive", false));
}

}  // namespace

Attributes resolve_wanted(const System& system, const Vault& vault, const Wanted& wanted) {
  Attributes attributes = wanted.attributes;
  if (wanted.id.type == PrimitiveType::file && attributes.contains("content")) {
    if (const Map* secrets = secrets_of(wanted.parameters)) {
      attributes["content"] = resolve_content(system, vault, wanted, *secrets);
    }
  }
  if (wanted.id.type == PrimitiveType::package && is_present(attributes)) attributes["state"] = "installed";
  if (wanted.id.type == PrimitiveType::command && is_present(attributes)) attributes["state"] = "done";
  if (wanted.id.type == PrimitiveType::user && attributes.contains("groups") &&
      !Value(wanted.parameters).bool_or("exclusive_groups", false)) {
    add_own_groups(system, wanted, attributes);
  }
  return attributes;
}

void resolve_in_place(const System& system, const Vault& vault, Wanted& wanted) {
  Attributes resolved = resolve_wanted(system, vault, wanted);
  const auto content = wanted.attributes.find("content");
  if (content != wanted.attributes.end() && resolved.at("content") != content->second) {
    wanted.parameters.try_emplace("template", content->second);
  }
  wanted.attributes = std::move(resolved);
}

bool is_pending(const Value& content) { return content.is_text() && content.as_text().starts_with(pending); }

Attributes disclose(const Wanted& wanted, const Attributes& attributes, const std::string& key) {
  Attributes shown = attributes;
  if (!is_sensitive(wanted)) return shown;
  hide(shown, "content", key);
  shown.erase("size");
  return shown;
}

Step disclose(const Wanted& wanted, const Step& step, const std::string& key) {
  Step shown = step;
  if (is_sensitive(wanted)) hide(shown.arguments, "content", key);
  return shown;
}

std::string disclosure_key(const System& system) {
  static const std::string passing = random_bytes(key_bytes);
  return system.read(key_path(), key_bytes).value_or(passing);
}

void ensure_disclosure_key(System& system) {
  if (system.stat(key_path())) return;
  ensure_folder(system, secrets_folder());
  system.write(key_path(), random_bytes(key_bytes), {.mode = 0600});
}

std::string render_secrets(System& system, std::string text, const Map& secrets) {
  for (const auto& [placeholder, spec] : secrets) make_secret(system, spec.at("id").as_text(), spec);
  return fill_in(system, std::move(text), secrets);
}

void remember_rendering(System& system, const Map& arguments, const std::string& content) {
  const Value step = arguments;
  const auto key = rendering_key(system, step.at("template").as_text(), step.at("secrets").as_map());
  if (!key) return;
  const std::string& path = step.at("path").as_text();
  std::string text = *key + " " + content + "\n";
  std::size_t kept = 1;
  for (const auto& [known, digest] : renderings(system, path)) {
    if (known != *key && kept++ < kept_renderings) text += known + " " + digest + "\n";
  }
  ensure_folder(system, std::string(state_folder) + "/rendered");
  system.write(rendering_path(path), text, {.mode = 0600});
}

std::optional<std::string> read_secret(const System& system, const std::string& id) {
  return system.read(secret_path(id), max_secret_bytes);
}

std::string secret_path(const std::string& id) {
  std::string name;
  for (const char c : id) {
    const bool plain = (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '_' ||
                       c == '-' || (c == '.' && !name.empty());
    name += plain ? std::string(1, c) : "%" + to_hex(std::string(1, c));
  }
  if (id.empty()) throw Error("the id of a secret is empty");
  return secrets_folder() + "/" + (name.size() > longest_name ? "%" + sha256(id) : name);
}

}  // namespace holdfast
