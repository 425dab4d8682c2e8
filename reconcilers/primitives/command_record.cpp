#include <reconcilers/primitives/command_record.hpp>

#include <manifests/digest.hpp>
#include <manifests/error.hpp>
#include <manifests/json.hpp>
#include <reconcilers/primitives/place.hpp>

namespace holdfast {

namespace {

constexpr std::size_t max_record_bytes = 64U << 10U;
constexpr std::size_t longest_name = 200;

std::string folder() { return std::string(state_folder) + "/commands"; }

/// A name that is no plain file's stands there as its digest.
std::string base_path(const std::string& name) {
  constexpr std::string_view plain = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789._-";
  const bool fits = !name.empty() && name.size() <= longest_name && name.front() != '.' &&
                    name.find_first_not_of(plain) == std::string::npos;
  return folder() + "/" + (fits ? name : "%" + sha256(name));
}

std::string record_path(const std::string& name) { return base_path(name) + ".json"; }

}  // namespace

std::optional<CommandRecord> read_command_record(const System& system, const std::string& name) {
  const std::optional<std::string> text = system.read(record_path(name), max_record_bytes);
  if (!text) return std::nullopt;
  try {
    const Value value = from_json(*text);
    return CommandRecord{.digest = value.text_or("digest", ""),
                         .folder = value.text_or("folder", ""),
                         .unfinished = value.bool_or("unfinished", false)};
  } catch (const Error&) {
    return CommandRecord{.unfinished = true};  // what can't be read proves nothing: it runs again
  }
}

void write_command_record(System& system, const std::string& name, const CommandRecord& record) {
  ensure_folder(system, folder());
  const Value value = Map{{"digest", record.digest}, {"folder", record.folder}, {"unfinished", record.unfinished}};
  system.write(record_path(name), to_json(value), {.mode = 0600});
}

void remove_command_record(System& system, const std::string& name) { system.remove_file(record_path(name)); }

std::string command_log_path(const std::string& name) { return base_path(name) + ".log"; }
std::string command_output_path(const std::string& name) { return base_path(name) + ".out"; }

}  // namespace holdfast
