#pragma once

#include <stdexcept>
#include <string>
#include <utility>

namespace holdfast {

/// What ends a unit of work (a host's turn, a fetch, a command). Expected results (an absent file, an unhealthy check,
/// an invalid manifest) are values, never exceptions. The text is a lower-case phrase without a full stop: what was
/// expected, what was found, where, and what to do. Layers add where they were with `within()`.
class Error : public std::runtime_error {
 public:
  using std::runtime_error::runtime_error;

  /// The same error, told from one layer further out: "while applying file:/etc/motd on web1: <this>".
  [[nodiscard]] Error within(const std::string& doing) const { return Error("while " + doing + ": " + what()); }
};

/// Runs `work`; an Error that leaves it says what was being done.
template <typename Work>
decltype(auto) while_doing(const std::string& doing, Work&& work) {
  try {
    return std::forward<Work>(work)();
  } catch (const Error& error) {
    throw error.within(doing);
  }
}

}  // namespace holdfast
