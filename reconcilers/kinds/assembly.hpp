#pragma once

#include <manifests/problem.hpp>
#include <reconcilers/kinds/lowering.hpp>
#include <reconcilers/primitive.hpp>

#include <map>
#include <string>
#include <vector>

namespace holdfast {

/// All primitives of one host while they are put together out of the drafts of its resources.
struct Assembly {
  std::vector<Wanted> wanted{};
  std::map<PrimitiveId, std::size_t> index{};  // into `wanted`
  std::map<PrimitiveId, Position> places{};    // where people wrote what owns it
  std::vector<Problem> problems{};

  [[nodiscard]] Wanted* find(const PrimitiveId& id);
  [[nodiscard]] bool has(const PrimitiveId& id) const { return index.contains(id); }
  void problem(const Position& where, std::string what, std::string hint, std::vector<Position> also = {});
};

/// True for directory, tree, file and link: those whose name is a path.
bool is_path(PrimitiveType type);
bool is_present(const Wanted& wanted);
/// "/opt" for "/opt/app"; "" for "/".
std::string parent_path(const std::string& path);

/// Joins the drafts in their order. Several may speak of one unit; everything else has one owner.
Assembly merge_drafts(const std::vector<Draft>& drafts);

/// Turns what resources say of each other (`after` and the drafts' references) into edges and loads.
void resolve_references(Assembly& assembly, const std::vector<Draft>& drafts, const std::vector<Resource>& resources);

/// Adds the implied edges of docs/primitives.md and what else depends on the neighbours.
void add_implied_edges(Assembly& assembly);

/// Drops edges and loads that lead to nothing managed, sorts them, and decides each unit's on_change.
void settle(Assembly& assembly);

/// No path inside holdfast's own or the kernel's folders, and none below a managed link, file, tree or absent
/// directory.
void check_paths(Assembly& assembly);

/// No primitive needs itself, however indirectly.
void check_cycles(Assembly& assembly);

}  // namespace holdfast
