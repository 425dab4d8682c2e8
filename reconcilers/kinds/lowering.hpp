#pragma once

#include <manifests/problem.hpp>
#include <manifests/resource.hpp>
#include <reconcilers/check.hpp>
#include <reconcilers/kinds/lower.hpp>
#include <reconcilers/primitive.hpp>

#include <deque>
#include <map>
#include <set>
#include <string>
#include <string_view>
#include <vector>

namespace holdfast {

/// What lowering a resource may read besides the resource itself.
struct Inputs {
  const Tree& tree;
  const std::string& commit;
  ReleaseSources& sources;
};

/// What a primitive wants of another resource: to come after it, or also to be told when its content differs (and
/// whether that resource may be missing); a command also to have its environment, or its unit stopped meanwhile.
/// `covers` only tells a backup policy's file what primitives the resource has.
enum class ReferenceUse { order, loads, loads_if_there, environment, stops, covers };

struct Reference {
  PrimitiveId from{};
  std::string to{};  // "EnvFile/cvd"
  ReferenceUse use = ReferenceUse::order;
  Position where{};
};

/// How several resources may want the same primitive, if they all want the same of it.
enum class Sharing { always, unless_kept };

/// What one resource lowers to, before its neighbours are looked at.
struct Draft {
  std::string resource{};              // "EnvFile/cvd"
  Position place{};                    // where it says what it owns: its path, or its name
  std::deque<Wanted> wanted{};         // references into it stay valid while it grows
  std::vector<PrimitiveId> content{};  // what `loads: [Kind/name]` of another resource means; among `wanted`
  std::map<PrimitiveId, Sharing> shared{};
  std::set<PrimitiveId> kept{};  // is to stay as it is, whatever others want by default
  std::vector<Reference> references{};
  std::vector<Validator> validators{};
  std::vector<Check> checks{};
  std::map<std::string, Content> contents{};
  std::string revision{};  // of a Release: its commit id, what "@Release/NAME" in checks stands for
  std::vector<Problem> problems{};
};

struct OwnerNames {
  std::string owner = "root";
  std::string group = "root";
};

/// What a kind works with: the resource it reads and the draft it writes. Wrong input becomes a problem of the draft at
/// the place where it was written; lowering then goes on with something harmless, so that all problems are found.
class Lowering {
 public:
  Lowering(const Resource& resource, const Inputs& inputs);

  [[nodiscard]] const Resource& resource() const { return resource_; }
  [[nodiscard]] const Value& spec() const { return resource_.spec; }
  [[nodiscard]] const std::string& name() const { return resource_.id.name; }
  [[nodiscard]] const Inputs& inputs() const { return inputs_; }
  [[nodiscard]] bool absent() const { return spec().text_or("state", "present") == "absent"; }
  /// The resource, told as the origin of what stands at `pointer`.
  [[nodiscard]] Origin origin(const std::string& pointer = "") const;

  /// `pointer` is into the document: "/spec/mode".
  void problem(const std::string& pointer, std::string what, std::string hint = "");

  Wanted& add(PrimitiveType type, const std::string& name, Attributes attributes);
  Wanted& add_absent(PrimitiveType type, const std::string& name);
  Wanted& add_file(const std::string& path, const std::string& bytes, const OwnerNames& ownership, int mode);
  /// Marks a primitive as content that others may load.
  void offer(const PrimitiveId& id) { draft.content.push_back(id); }
  /// Notes that `from` wants something of each resource that `spec.<member>` names.
  void refer(const PrimitiveId& from, const std::string& member, ReferenceUse use);
  void add_check(const std::string& pointer, const std::string& title, Value check_spec);

  /// `owner` ("account" or "account:group") and `group`.
  OwnerNames ownership();
  int mode(std::string_view otherwise);
  /// The bytes that `text` or `source` of `holder` (at `pointer`) gives; none, and a problem, where it is not exactly
  /// one.
  std::string content(const Value& holder, const std::string& pointer);

  Draft draft{};

 private:
  std::string read_source(const std::string& source, const std::string& pointer);

  const Resource& resource_;
  const Inputs& inputs_;
};

/// Adds a primitive to what a unit loads. That the unit comes after it is implied.
void add_load(Wanted& unit, const PrimitiveId& id);

/// A text, whole number or boolean as people write it: 4, true, hello. Throws Error for anything else.
std::string to_scalar_text(const Value& value);

/// "/spec/values/A~1B" for a member whose name may hold a slash.
std::string pointer_to(const std::string& parent, std::string_view member);

}  // namespace holdfast
