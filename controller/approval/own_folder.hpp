#pragma once

#include <string>
#include <string_view>

namespace holdfast {

/// A folder (0700) for files that another program has to read; gone at its end. Throws Error where it can't be made.
class OwnFolder {
 public:
  OwnFolder();
  ~OwnFolder();
  OwnFolder(const OwnFolder&) = delete;
  OwnFolder& operator=(const OwnFolder&) = delete;

  [[nodiscard]] const std::string& path() const { return path_; }
  /// Writes a file (0600) and gives its path; throws Error.
  [[nodiscard]] std::string write(const std::string& name, std::string_view bytes) const;

 private:
  std::string path_;
};

}  // namespace holdfast
