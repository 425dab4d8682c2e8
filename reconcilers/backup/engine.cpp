#include <reconcilers/backup/engine.hpp>

#include <cctype>

namespace holdfast {

const BackupEngineWork& backup_engine(BackupEngine engine) {
  switch (engine) {
    case BackupEngine::sqlite:
      return sqlite_engine();
    case BackupEngine::postgres:
      return postgres_engine();
    case BackupEngine::files:
      break;
  }
  return files_engine();
}

std::string plain_name(const std::string& text) {
  constexpr std::size_t longest = 60;
  std::string name;
  for (const char c : text) {
    const bool plain = std::isalnum(static_cast<unsigned char>(c)) != 0 || c == '.' || c == '-';
    name += plain ? c : '_';
  }
  return name.substr(0, longest);
}

}  // namespace holdfast
