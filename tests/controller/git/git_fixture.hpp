#pragma once

#include <controller/git/mirror.hpp>

#include <sys/types.h>

#include <string>
#include <vector>

namespace holdfast::test {

/// A folder that is gone at the end of the test.
class TempFolder {
 public:
  TempFolder();
  ~TempFolder();
  TempFolder(const TempFolder&) = delete;
  TempFolder& operator=(const TempFolder&) = delete;
  [[nodiscard]] const std::string& path() const { return path_; }
  [[nodiscard]] std::string operator/(const std::string& name) const { return path_ + "/" + name; }

 private:
  std::string path_;
};

/// Runs a program to its end and gives its output; throws where it fails.
std::string run(const std::vector<std::string>& argv);
void write_file(const std::string& path, const std::string& bytes);
std::string read_file(const std::string& path);

/// A program of ours in the background, ended by its id.
class Background {
 public:
  explicit Background(const std::vector<std::string>& argv);
  ~Background();
  Background(const Background&) = delete;
  Background& operator=(const Background&) = delete;

 private:
  pid_t pid_;
};

/// A repository made by the real git program.
class GitRepository {
 public:
  explicit GitRepository(std::string path);
  [[nodiscard]] const std::string& path() const { return path_; }
  std::string git(std::vector<std::string> arguments) const;
  /// Writes a file, commits it, and gives the commit's id.
  std::string commit(const std::string& file, const std::string& bytes) const;

 private:
  std::string path_;
};

/// Waits until something listens on this port of the loopback address.
void wait_for_port(int port);
/// A port that nothing listens on at the moment.
int free_port();

/// Options whose fetch child is the test's helper program.
MirrorOptions child_options();
Deadline in_seconds(int seconds);

}  // namespace holdfast::test
