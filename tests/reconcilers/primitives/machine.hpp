#pragma once

#include <manifests/digest.hpp>
#include <reconcilers/host/system.hpp>
#include <reconcilers/primitives/primitive_kind.hpp>

#include <map>
#include <string>

namespace holdfast {

/// A folder that stands for a machine's root, with accounts of its own (alice 1001, bob 1002, and groups of their
/// names), gone at the end. Real files, real owners where the tests run as root.
class TestMachine {
 public:
  TestMachine();
  ~TestMachine();
  TestMachine(const TestMachine&) = delete;
  TestMachine& operator=(const TestMachine&) = delete;

  /// Where a path of the machine really is.
  [[nodiscard]] std::string real(const std::string& path) const { return root + path; }
  void write(const std::string& path, const std::string& bytes, unsigned mode = 0644, unsigned uid = 0,
             unsigned gid = 0);
  void folder(const std::string& path, unsigned mode = 0755, unsigned uid = 0, unsigned gid = 0);
  void link(const std::string& path, const std::string& target);
  [[nodiscard]] std::string read(const std::string& path) const;

  /// Path -> everything that lstat and a look inside tell. With `times`, also inode and ctime: equal only where
  /// nothing was written at all. `below` is a path of the machine.
  [[nodiscard]] std::map<std::string, std::string> snapshot(const std::string& below, bool times) const;

  std::string root;
  std::unique_ptr<System> system;
};

/// A vault in the machine's state folder.
class TestVault : public Vault {
 public:
  explicit TestVault(TestMachine& machine) : machine_(machine) {}
  std::string put(const std::string& bytes);
  [[nodiscard]] std::string path_of(const std::string& digest) const override;
  [[nodiscard]] bool has(const std::string& digest) const override;

 private:
  TestMachine& machine_;
};

Attributes observe_one(const System& system, const Wanted& wanted);
/// The state that the planner steers to: what is wanted over what is there.
Attributes goal_of(const System& system, const Vault& vault, const Wanted& wanted, const Attributes& from);
Steps steps_of(const Wanted& wanted, const Attributes& from, const Attributes& to);
void execute_all(TestMachine& machine, const Vault& vault, const Wanted& wanted, const Steps& steps);
/// Observe, plan, execute. Returns how many steps it took.
std::size_t converge(TestMachine& machine, const Vault& vault, const Wanted& wanted);

bool runs_as_root();

}  // namespace holdfast
