#pragma once

#include <manifests/value.hpp>

#include <functional>
#include <string>

namespace holdfast {

/// Something that people want to see while it happens, or read later in the history: one line, printable, no secrets.
struct Progress {
  enum class Level { detail, change, step, good, warning, bad };
  Level level = Level::step;
  std::string environment{};
  std::string host{};  // empty: the environment as a whole
  std::string text{};
  Value record{};  // for programs that follow: a map with "event", or null
};

/// Called from several threads at once.
using OnProgress = std::function<void(const Progress&)>;

}  // namespace holdfast
