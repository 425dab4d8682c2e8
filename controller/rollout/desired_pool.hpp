#pragma once

#include <reconcilers/kinds/lower.hpp>

#include <deque>
#include <map>
#include <string>
#include <vector>

namespace holdfast {

/// What many hosts should be, with equal parts kept once: a thousand hosts differ in a few primitives each. Filled
/// once, then only read, by any number of threads. Can be moved, not copied: what it gives out points into it.
class DesiredPool {
 public:
  DesiredPool() = default;
  DesiredPool(DesiredPool&&) = default;
  DesiredPool& operator=(DesiredPool&&) = default;
  DesiredPool(const DesiredPool&) = delete;
  DesiredPool& operator=(const DesiredPool&) = delete;
  ~DesiredPool() = default;

  /// One host's part, some hundred bytes; empty until it was packed.
  struct Packed {
    Bundle head{};  // without what is wanted and its validators
    std::vector<const Wanted*> wanted{};
    std::vector<const Validator*> validators{};
    std::vector<const Check*> checks{};
    std::vector<const std::pair<const std::string, Content>*> contents{};
  };
  Packed pack(Lowered lowered);
  [[nodiscard]] static Lowered unpack(const Packed& packed);

  /// How many primitives are kept.
  [[nodiscard]] std::size_t size() const { return wanted_.size(); }

 private:
  std::deque<Wanted> wanted_{};
  std::deque<Validator> validators_{};
  std::deque<Check> checks_{};
  std::map<std::string, Content> contents_{};
  // By name, the newest first: where an equal one is looked for.
  std::map<PrimitiveId, std::vector<const Wanted*>> wanted_by_id_{};
  std::map<std::string, std::vector<const Validator*>> validators_by_name_{};
  std::map<std::string, std::vector<const Check*>> checks_by_name_{};
};

}  // namespace holdfast
