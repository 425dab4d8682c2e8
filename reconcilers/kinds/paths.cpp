#include <reconcilers/kinds/assembly.hpp>

#include <manifests/formats.hpp>

#include <array>
#include <string_view>

namespace holdfast {

namespace {

constexpr std::array<std::string_view, 4> reserved_folders = {"/proc", "/sys", "/dev", "/var/lib/holdfast"};

bool is_at_or_below(std::string_view path, std::string_view folder) {
  return path.starts_with(folder) && (path.size() == folder.size() || path[folder.size()] == '/');
}

void check_place(Assembly& assembly, const Wanted& wanted) {
  const std::string& path = wanted.id.name;
  const Position& where = assembly.places[wanted.id];
  if (!is_absolute_path(path) || path == "/") {
    assembly.problem(where, "\"" + path + "\" can't be managed: expected an absolute path below \"/\"", "");
  }
  for (const std::string_view folder : reserved_folders) {
    if (!is_at_or_below(path, folder)) continue;
    const bool ours = folder == "/var/lib/holdfast";
    assembly.problem(where, "\"" + path + "\" can't be managed: it lies in \"" + std::string(folder) + "\"",
                     ours ? "that folder is holdfast's own" : "that folder is the kernel's");
  }
}

/// Why nothing can lie below this, as the middle of a sentence; empty where something can.
std::string obstacle(const Assembly& assembly, const std::string& path, bool present, PrimitiveId& found) {
  for (const PrimitiveType type : {PrimitiveType::link, PrimitiveType::file, PrimitiveType::tree}) {
    found = {type, path};
    if (assembly.has(found)) return "a " + std::string(to_text(type));
  }
  found = {PrimitiveType::directory, path};
  const auto directory = assembly.index.find(found);
  if (directory == assembly.index.end() || !present) return {};
  return is_present(assembly.wanted[directory->second]) ? "" : "an absent directory";
}

void check_ancestors(Assembly& assembly, const Wanted& wanted) {
  for (std::string folder = parent_path(wanted.id.name); !folder.empty(); folder = parent_path(folder)) {
    PrimitiveId found;
    const std::string what = obstacle(assembly, folder, is_present(wanted), found);
    if (what.empty()) continue;
    assembly.problem(assembly.places[wanted.id],
                     "\"" + wanted.id.name + "\" lies below \"" + folder + "\", which is " + what + " of \"" +
                         assembly.find(found)->origin.resource + "\"",
                     "choose another place", {assembly.places[found]});
    return;
  }
}

}  // namespace

void check_paths(Assembly& assembly) {
  for (const Wanted& wanted : assembly.wanted) {
    if (!is_path(wanted.id.type)) continue;
    check_place(assembly, wanted);
    check_ancestors(assembly, wanted);
  }
}

}  // namespace holdfast
