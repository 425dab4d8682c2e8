#pragma once

#include <reconcilers/fd.hpp>

#include <cstddef>
#include <cstdint>
#include <map>
#include <set>
#include <string>
#include <vector>

namespace holdfast {

/// What the kernel tells of paths below a root: that they, or a folder on the way to them, may be others than before.
/// A hint, never a fact: who is told looks. Reading is not noticed, so looking wakes nobody.
class PathWatch {
 public:
  /// `root` is the prefix of every path, "" for none. Throws Error where the kernel gives no watch at all.
  explicit PathWatch(std::string root);

  struct Reach {
    std::size_t paths = 0;     // that are watched
    std::size_t left_out = 0;  // beyond the limits: only a sweep finds what happens to them
  };
  /// Watches these absolute paths from now on, and no others; `files` of them are watched inside too (writes by who
  /// holds them open). What was told and not taken yet is forgotten. Cheap where little has changed: call it again
  /// after something did, since what was replaced is another file.
  Reach arm(const std::set<std::string>& paths, const std::set<std::string>& files);

  [[nodiscard]] int fd() const { return fd_.get(); }
  /// What happened since the last time, without waiting: of `paths`, those that are meant. `overflow` where the kernel
  /// lost count.
  struct News {
    std::set<std::string> paths{};
    bool overflow = false;
  };
  News take();

 private:
  struct Folder {
    std::map<std::string, std::set<std::string>> meant{};  // name in it -> the paths whose way leads over it
    std::set<std::string> itself{};                        // paths that are meant by the watched thing itself
  };
  using Folders = std::map<std::string, Folder>;
  static Folders folders_of(const std::set<std::string>& paths);
  int watch(const std::string& path, std::uint32_t mask) const;
  void drain() const;
  void tell(int wd, std::uint32_t mask, const std::string& name, News& news) const;

  std::string root_;
  Fd fd_;
  std::map<int, Folder> watched_{};
};

}  // namespace holdfast
