#pragma once

#include <reconcilers/host/system.hpp>
#include <reconcilers/primitive.hpp>

#include <functional>
#include <map>
#include <span>
#include <string>
#include <vector>

namespace holdfast {

/// One effect on a host: a verb of exactly one primitive, and what it needs. Plain data, so that it can be shown,
/// journaled and sent. Steps are idempotent: done twice, they leave what done once leaves.
struct Step {
  std::string verb{};  // "file.put", "unit.restart", …
  Map arguments{};
  friend bool operator==(const Step&, const Step&) = default;
};

struct Steps {
  std::vector<Step> list{};
  /// Why the state `from` can't be had back by the steps of the other direction; empty where it can.
  std::vector<std::string> irreversible{};
};

/// Bytes by digest, on the host: what the controller sent for this transaction, and what was saved for its undo.
class Vault {
 public:
  virtual ~Vault() = default;
  /// Absolute path of the file that holds these bytes (in the runner's own state folder); throws Error where it has
  /// none.
  [[nodiscard]] virtual std::string path_of(const std::string& digest) const = 0;
  [[nodiscard]] virtual bool has(const std::string& digest) const = 0;
};

/// What a step may use besides the machine: bytes, and a place to tell of progress and of kept output.
struct Effects {
  System& system;
  const Vault& vault;
  std::function<void(std::string_view)> tell{};  // output of build steps, as it comes; may be empty
  /// Takes a unit that systemd calls started before it has done anything: who takes it has to look at it again with
  /// require_settled(). Empty: the step itself does.
  std::function<void(const std::string& unit)> started{};
  /// The state that the steps were planned from: only that is replaced or removed. Null: whatever is there.
  const Attributes* from = nullptr;
  /// The extended attributes that an undo gives back to a file or directory. Null: none.
  const ExtendedAttributes* extended = nullptr;
};

/// What has to be at the path of a file or link that a step changes; nullopt where the step does not care.
std::optional<Expected> expected_before(const Effects& effects);

/// One primitive: how it is observed, and how one state becomes another. Stateless. All of it is in one file,
/// reconcilers/primitives/<type>.cpp, and what is written here once is proven for every kind by tests/reconcilers/laws.
class PrimitiveKind {
 public:
  virtual ~PrimitiveKind() = default;
  [[nodiscard]] virtual PrimitiveType type() const = 0;

  /// The state of all of them in one go (one read of /etc/passwd, one `systemctl show`): as many answers as questions,
  /// in their order. Observes at least the attributes that `wanted` names; writes nothing, ever.
  [[nodiscard]] virtual std::vector<Attributes> observe(const System& system,
                                                        std::span<const Wanted* const> wanted) const = 0;

  /// Pure: the steps from one observed state to another. `to` is already overlaid on `from`, so an attribute that is
  /// equal in both needs nothing. The undo is steps(parameters, to, from).
  [[nodiscard]] virtual Steps steps(const Wanted& wanted, const Attributes& from, const Attributes& to) const = 0;

  /// Does one step. Throws Error with what the failed program said.
  virtual void execute(Effects& effects, const Step& step) const = 0;
};

/// The primitive of a type; never null.
const PrimitiveKind& primitive_kind(PrimitiveType type);

Value to_value(const Step& step);
Step step_from(const Value& value);

}  // namespace holdfast
