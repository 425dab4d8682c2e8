#pragma once

#include <reconcilers/host/linux_paths.hpp>
#include <reconcilers/host/system.hpp>

#include <functional>
#include <string>

namespace holdfast {

/// System over the machine's own kernel: looking in linux_system.cpp, changing in linux_change.cpp.
class LinuxSystem : public System {
 public:
  explicit LinuxSystem(const std::string& root);

  [[nodiscard]] Abilities abilities() const override;
  [[nodiscard]] std::string root() const override { return prefix_; }
  [[nodiscard]] std::int64_t now_ns() const override;

  [[nodiscard]] std::optional<FileStat> stat(const std::string& path) const override;
  [[nodiscard]] std::optional<std::string> read(const std::string& path, std::size_t max_bytes) const override;
  [[nodiscard]] std::optional<std::string> digest(const std::string& path) const override;
  [[nodiscard]] std::optional<std::string> read_link(const std::string& path) const override;
  [[nodiscard]] std::vector<std::string> list(const std::string& path) const override;

  [[nodiscard]] std::string blocked(const std::string& path, Change change) const override;
  [[nodiscard]] std::set<std::string> mount_points() const override;

  void write(const std::string& path, std::string_view bytes, const FileMeta& meta) override;
  void copy(const std::string& from, const std::string& path, const FileMeta& meta) override;
  void append(const std::string& path, std::string_view bytes, const FileMeta& meta) override;
  void flush(const std::string& path) override;
  bool hard_link(const std::string& from, const std::string& path) override;
  void make_directory(const std::string& path, const FileMeta& meta) override;
  void put_link(const std::string& path, const std::string& target) override;
  void replace_link(const std::string& path, const std::string& target, const Expected& expected) override;
  void remove_expected(const std::string& path, const Expected& expected) override;
  std::vector<std::string> settle_unfinished(const std::string& path, const std::vector<std::string>& known) override;
  void set_meta(const std::string& path, const FileMeta& meta) override;
  void set_owner(const std::string& path, std::optional<std::uint32_t> uid, std::optional<std::uint32_t> gid) override;
  [[nodiscard]] ExtendedAttributes extended(const std::string& path) const override;
  void set_extended(const std::string& path, const ExtendedAttributes& attributes) override;
  void rename(const std::string& from, const std::string& to) override;
  void reserve(const std::string& path, std::uint64_t bytes) override;
  void shrink(const std::string& path, std::uint64_t bytes) override;
  void remove_file(const std::string& path) override;
  bool remove_directory(const std::string& path) override;
  void remove_tree(const std::string& path) override;

  [[nodiscard]] std::optional<std::vector<UnitProperties>> unit_properties(
      const std::vector<std::string>& units, const std::vector<std::string>& wanted) const override;
  bool start_transient(const TransientUnit& unit) override;
  bool run_unit_job(UnitJob job, const std::string& unit) override;

  Output run(const Command& command) override;
  void end_steps_of(const std::string& unit) override;
  [[nodiscard]] Output ask(const Command& command) const override;

 private:
  [[nodiscard]] Place place(const std::string& path) const;
  /// The same where the parent must exist: throws Error that says so.
  [[nodiscard]] Place existing_place(std::string_view doing, const std::string& path) const;
  [[nodiscard]] Fd open_file(const std::string& path) const;
  [[nodiscard]] Fd open_for_attributes(const std::string& path) const;
  bool each_piece(const std::string& path, const std::function<void(std::string_view)>& use) const;
  /// A new file beside `path`, filled by `fill`, with its metadata set, renamed over it.
  void replace(const std::string& path, const FileMeta& meta, const std::function<void(int)>& fill);
  void make_link(const std::string& path, const std::string& target, const std::optional<Expected>& expected);

  std::string prefix_;
  Fd root_;
};

}  // namespace holdfast
