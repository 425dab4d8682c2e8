#pragma once

#include <reconcilers/host/accounts.hpp>
#include <reconcilers/host/system.hpp>
#include <reconcilers/primitive.hpp>

#include <functional>
#include <string>

namespace holdfast {

/// Where holdfast keeps what it must remember on a host; only root enters it.
inline constexpr const char* state_folder = "/var/lib/holdfast";

/// Owner, group and mode between names and numbers, for one observation or one step.
class Ownership {
 public:
  explicit Ownership(const System& system)
      : accounts_(read_accounts(system)), manageable_(system.abilities().ownership) {}

  /// Puts owner, group and mode of something into `attributes`. A wanted name that means the same number is told as it
  /// was wanted; where owners can't be changed they are told as wanted.
  void tell(const FileStat& stat, const Wanted& wanted, Attributes& attributes) const;
  /// What `arguments` (owner, group, mode) ask for, in numbers. Throws Error for an account that doesn't exist.
  [[nodiscard]] FileMeta meta(const Map& arguments, std::uint32_t default_mode) const;
  [[nodiscard]] bool manageable() const { return manageable_; }
  [[nodiscard]] const Accounts& accounts() const { return accounts_; }

 private:
  Accounts accounts_;
  bool manageable_;
};

/// The frame of observing a path: `{present: false}` where nothing is; `{present: true, obstacle: "a directory"}` where
/// something of another type stands or the way to it can't be trusted; else what `look` adds to `{present: true}`.
Attributes observe_path(const System& system, const std::string& path, FileType expected,
                        const std::function<void(const FileStat&, Attributes&)>& look);

/// True where `key` is in `to` with another value than in `from`.
bool differs(const Attributes& from, const Attributes& to, std::string_view key);
/// `present`, which is true where it isn't said.
bool is_present(const Attributes& attributes);
/// The members of `from` among `keys`.
Map pick(const Attributes& from, std::initializer_list<const char*> keys);

/// Makes the directory and its parents where they are missing: parents 0755, the last one 0700.
void ensure_folder(System& system, const std::string& path);

/// Throws Error for a verb that the primitive doesn't have.
[[noreturn]] void refuse_verb(const std::string& verb);

}  // namespace holdfast
