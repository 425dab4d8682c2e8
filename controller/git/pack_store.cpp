#include <controller/git/pack_store.hpp>

#include <reconcilers/failpoint.hpp>

#include <git2/sys/odb_backend.h>

#include <filesystem>
#include <vector>

namespace holdfast {

namespace {

namespace fs = std::filesystem;

constexpr std::uintmax_t small_pack_bytes = 8U << 20U;

fs::path pack_folder(const std::string& folder) { return fs::path(folder) / "objects" / "pack"; }

/// Packs of at most that size, by their index files.
std::vector<fs::path> small_packs(const std::string& folder) {
  std::vector<fs::path> found;
  std::error_code error;
  for (const auto& entry : fs::directory_iterator(pack_folder(folder), error)) {
    if (entry.path().extension() != ".idx") continue;
    const std::uintmax_t size = fs::file_size(fs::path(entry.path()).replace_extension(".pack"), error);
    if (!error && size <= small_pack_bytes) found.push_back(entry.path());
  }
  return found;
}

/// A loose object's file, and its id.
struct LooseObject {
  fs::path file{};
  git_oid id{};
};

void list_loose(const fs::path& fan, std::vector<LooseObject>& found) {
  std::error_code error;
  for (const auto& entry : fs::directory_iterator(fan, error)) {
    const std::string name = fan.filename().string() + entry.path().filename().string();
    LooseObject one{.file = entry.path()};
    if (name.size() == GIT_OID_HEXSZ && git_oid_fromstr(&one.id, name.c_str()) == 0) found.push_back(one);
  }
}

std::vector<LooseObject> loose_objects(const std::string& folder) {
  std::vector<LooseObject> found;
  std::error_code error;
  for (const auto& fan : fs::directory_iterator(fs::path(folder) / "objects", error)) {
    if (fan.path().filename().string().size() == 2) list_loose(fan.path(), found);
  }
  return found;
}

/// Ids are spread evenly: one of 256 folders tells about all of them.
bool has_many_loose(const std::string& folder, std::size_t most) {
  constexpr std::size_t folders = 256;
  std::vector<LooseObject> some;
  list_loose(fs::path(folder) / "objects" / "17", some);
  return some.size() > most / folders;
}

int insert_object(const git_oid* id, void* payload) {
  return git_packbuilder_insert(static_cast<git_packbuilder*>(payload), id, nullptr);
}

void insert_all(git_packbuilder* builder, const std::vector<fs::path>& packs) {
  git_odb* raw = nullptr;
  check_git(git_odb_new(&raw), "opening packs");
  const GitOdb odb(raw);
  for (const fs::path& pack : packs) {
    git_odb_backend* backend = nullptr;
    check_git(git_odb_backend_one_pack(&backend, pack.c_str()), "opening a pack");
    check_git(git_odb_add_backend(raw, backend, 1), "opening a pack");
  }
  check_git(git_odb_foreach(raw, insert_object, builder), "listing the objects of packs");
}

}  // namespace

void remove_partial_packs(const std::string& folder) {
  std::error_code error;
  for (const auto& entry : fs::directory_iterator(pack_folder(folder), error)) {
    if (entry.path().filename().string().rfind("pack_git2_", 0) == 0) fs::remove(entry.path(), error);
  }
}

void join_small_packs(git_repository* repository, const std::string& folder, std::size_t most) {
  const std::vector<fs::path> packs = small_packs(folder);
  if (packs.size() <= most) return;
  git_packbuilder* raw = nullptr;
  check_git(git_packbuilder_new(&raw, repository), "joining packs");
  const GitPackBuilder builder(raw);
  insert_all(raw, packs);
  check_git(git_packbuilder_write(raw, nullptr, 0, nullptr, nullptr), "writing the joined pack");
  const std::string name = git_packbuilder_name(raw) == nullptr ? "" : git_packbuilder_name(raw);
  if (name.empty()) return;
  std::error_code error;
  for (const fs::path& pack : packs) {
    if (pack.stem() == "pack-" + name) continue;
    fs::remove(pack, error);
    fs::remove(fs::path(pack).replace_extension(".pack"), error);
  }
}

void pack_loose_objects(git_repository* repository, const std::string& folder, std::size_t most) {
  if (!has_many_loose(folder, most)) return;
  const std::vector<LooseObject> objects = loose_objects(folder);
  if (objects.size() <= most) return;
  git_packbuilder* raw = nullptr;
  check_git(git_packbuilder_new(&raw, repository), "packing objects");
  const GitPackBuilder builder(raw);
  for (const LooseObject& one : objects) {
    check_object(git_packbuilder_insert(raw, &one.id, nullptr), "packing the object " + to_text(one.id));
  }
  check_git(git_packbuilder_write(raw, nullptr, 0, nullptr, nullptr), "writing the pack");
  HOLDFAST_FAILPOINT("git.packed");
  std::error_code error;
  for (const LooseObject& one : objects) fs::remove(one.file, error);
}

}  // namespace holdfast
