#include <reconcilers/host/dpkg.hpp>

namespace holdfast {

namespace {

std::string_view next_line(std::string_view& text) {
  const std::size_t end = text.find('\n');
  const std::string_view line = text.substr(0, end);
  text.remove_prefix(end == std::string_view::npos ? text.size() : end + 1);
  return line;
}

/// The value of a "Field: value" line, empty for another field.
std::string_view value_of(std::string_view line, std::string_view field) {
  if (!line.starts_with(field) || line.size() <= field.size() || line[field.size()] != ':') return {};
  line.remove_prefix(field.size() + 1);
  const std::size_t begin = line.find_first_not_of(" \t");
  return begin == std::string_view::npos ? std::string_view()
                                         : line.substr(begin, line.find_last_not_of(" \t\r") - begin + 1);
}

/// "install ok installed": the last word is the state.
void read_state(std::string_view status, InstalledPackage& package) {
  const std::string_view state = status.substr(status.rfind(' ') + 1);
  package.installed = state == "installed" || state == "triggers-awaited" || state == "triggers-pending";
  package.broken = state == "half-installed" || state == "half-configured" || state == "unpacked";
}

}  // namespace

std::map<std::string, InstalledPackage, std::less<>> parse_dpkg_status(std::string_view text) {
  std::map<std::string, InstalledPackage, std::less<>> packages;
  while (!text.empty()) {
    std::string name;
    InstalledPackage package;
    for (std::string_view line = next_line(text); !line.empty(); line = next_line(text)) {
      if (const std::string_view value = value_of(line, "Package"); !value.empty()) name = value;
      if (const std::string_view value = value_of(line, "Status"); !value.empty()) read_state(value, package);
      if (const std::string_view value = value_of(line, "Version"); !value.empty()) package.version = value;
    }
    if (name.empty()) continue;
    const auto [known, is_new] = packages.try_emplace(std::move(name), package);
    if (!is_new && package.installed && !known->second.installed) known->second = std::move(package);
  }
  return packages;
}

}  // namespace holdfast
