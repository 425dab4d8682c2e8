#pragma once

#include "host.hpp"

#include <reconcilers/host/linux_system.hpp>

namespace holdfast::simulation {

/// The runner's door to a simulated host: files are real ones below the host's folder; systemd and programs are models.
class SimulatedSystem : public LinuxSystem {
 public:
  explicit SimulatedSystem(Host& host) : LinuxSystem(host.root()), host_(host) {}

  [[nodiscard]] Abilities abilities() const override;
  [[nodiscard]] std::optional<FileStat> stat(const std::string& path) const override;

  void write(const std::string& path, std::string_view bytes, const FileMeta& meta) override;
  void copy(const std::string& from, const std::string& path, const FileMeta& meta) override;
  void append(const std::string& path, std::string_view bytes, const FileMeta& meta) override;
  bool hard_link(const std::string& from, const std::string& path) override;
  void make_directory(const std::string& path, const FileMeta& meta) override;
  void put_link(const std::string& path, const std::string& target) override;
  void set_meta(const std::string& path, const FileMeta& meta) override;
  void set_owner(const std::string& path, std::optional<std::uint32_t> uid, std::optional<std::uint32_t> gid) override;
  void rename(const std::string& from, const std::string& to) override;
  void remove_file(const std::string& path) override;
  bool remove_directory(const std::string& path) override;
  void remove_tree(const std::string& path) override;

  [[nodiscard]] std::optional<std::vector<UnitProperties>> unit_properties(
      const std::vector<std::string>& units, const std::vector<std::string>& wanted) const override;
  bool start_transient(const TransientUnit& unit) override;
  bool run_unit_job(UnitJob job, const std::string& unit) override;
  Output run(const Command& command) override { return ask(command); }
  [[nodiscard]] Output ask(const Command& command) const override;

 private:
  template <typename Change>
  auto change(const std::string& path, Change&& make) {
    Machine& machine = host_.machine();
    if (host_.on_change) host_.on_change(path);
    machine.point("change");
    const int process = machine.running()->id;
    host_.changing[process] = path;
    struct Note {
      Host& host;
      int process;
      const std::string& path;
      ~Note() {
        host.note_change(path);
        host.changing.erase(process);
      }
    } const note{host_, process, path};
    return make();
  }

  Host& host_;
};

}  // namespace holdfast::simulation
