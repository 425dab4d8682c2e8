#include <reconcilers/backup/engine.hpp>

#include <cctype>
#include <exception>
#include <utility>

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

Output run_into(const BackupWork& work, Command command, const Sink& sink) {
  std::exception_ptr fault;
  command.on_stdout = [&](std::string_view bytes) {
    try {
      sink(bytes);
    } catch (...) {  // what runs the program must not be left by an exception
      fault = std::current_exception();
    }
    return fault == nullptr;
  };
  Output output = work.system.run(command);
  if (fault) std::rethrow_exception(fault);
  return output;
}

void tell_stored(const Stored& stored, BackupPart& part) {
  part.digest = stored.digest;
  part.raw_bytes = stored.raw_bytes;
  part.stored_bytes = stored.stored_bytes;
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
