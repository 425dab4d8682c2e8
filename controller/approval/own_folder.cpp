#include <controller/approval/own_folder.hpp>

#include <manifests/error.hpp>

#include <sys/stat.h>
#include <unistd.h>

#include <cstdlib>
#include <filesystem>
#include <fstream>

namespace holdfast {

OwnFolder::OwnFolder() {
  std::error_code error;
  std::filesystem::path folder = std::filesystem::temp_directory_path(error);
  if (error) folder = "/tmp";
  path_ = (folder / "holdfast-XXXXXX").string();
  if (::mkdtemp(path_.data()) == nullptr)
    throw Error("no folder can be made below \"" + folder.string() + "\": is it full, or TMPDIR wrong?");
}

OwnFolder::~OwnFolder() {
  std::error_code error;
  std::filesystem::remove_all(path_, error);
}

std::string OwnFolder::write(const std::string& name, std::string_view bytes) const {
  const std::string path = path_ + "/" + name;
  std::ofstream out(path, std::ios::binary | std::ios::trunc);
  ::chmod(path.c_str(), S_IRUSR | S_IWUSR);
  out.write(bytes.data(), static_cast<std::streamsize>(bytes.size()));
  out.close();
  if (!out) throw Error("\"" + path + "\" can't be written: is the file system full?");
  return path;
}

}  // namespace holdfast
