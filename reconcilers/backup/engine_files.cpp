// GNU tar writes the archive: it knows sparse files, attributes and hard links, and every Debian has it. Our own reader
// judges it.
#include <reconcilers/backup/engine.hpp>
#include <reconcilers/backup/tar_reader.hpp>

#include <manifests/error.hpp>

#include <filesystem>

namespace holdfast {

namespace {

namespace fs = std::filesystem;

constexpr std::size_t kept_output = 64U << 10U;
constexpr int tar_changed = 1;  // its exit code where a file changed or went while it was read
constexpr std::int64_t header_bytes = 1536;

std::string relative(const std::string& path) { return path.substr(1); }

void expect_paths(const BackupWork& work, const BackupSource& source) {
  for (const std::string& path : source.paths) {
    if (!work.system.stat(path)) throw MissingSource{"\"" + path + "\" does not exist"};
  }
}

std::int64_t size_below(const BackupWork& work, const std::string& path) {
  std::int64_t bytes = header_bytes;
  std::error_code error;
  const auto add = [&](const fs::directory_entry& entry) {
    std::error_code unknown;
    bytes += header_bytes;
    if (entry.is_regular_file(unknown) && !entry.is_symlink(unknown))
      bytes += static_cast<std::int64_t>(entry.file_size(unknown));
  };
  add(fs::directory_entry(path, error));
  const fs::file_status status = fs::symlink_status(path, error);
  if (error || !fs::is_directory(status)) return bytes;
  auto at = fs::recursive_directory_iterator(path, fs::directory_options::skip_permission_denied, error);
  for (; !error && at != fs::recursive_directory_iterator(); at.increment(error)) {
    work.guard.check();
    add(*at);
  }
  return bytes;
}

/// What is left out, so that a backup never holds the backups: the destination, or where a source lies in that, the
/// policy's folder in it.
std::string own_folder(const BackupWork& work, const BackupSource& source) {
  const fs::path shelf = fs::path(work.folder).parent_path().string().substr(work.system.root().size());
  const std::string destination = shelf.parent_path().string();
  for (const std::string& path : source.paths) {
    if ((path + "/").starts_with(destination + "/")) return shelf.string();
  }
  return destination;
}

std::vector<std::string> arguments_of(const BackupWork& work, const BackupSource& source) {
  std::vector<std::string> argv = {"tar", "--create", "--file=-", "--format=posix", "--acls", "--xattrs", "--anchored"};
  argv.emplace_back("--no-wildcards");
  argv.push_back("--exclude=" + relative(own_folder(work, source)));
  argv.emplace_back("--wildcards");
  for (const std::string& pattern : source.exclude) {
    argv.emplace_back(pattern.starts_with('/') ? "--anchored" : "--no-anchored");
    argv.push_back("--exclude=" + (pattern.starts_with('/') ? relative(pattern) : pattern));
  }
  argv.emplace_back("--");
  for (const std::string& path : source.paths) argv.push_back(relative(path));
  return argv;
}

class FilesEngine : public BackupEngineWork {
 public:
  [[nodiscard]] std::int64_t estimate(const BackupWork& work, const BackupSource& source) const override {
    expect_paths(work, source);
    std::int64_t bytes = 0;
    for (const std::string& path : source.paths) bytes += size_below(work, work.system.root() + path);
    return bytes;
  }

  BackupPart take(const BackupWork& work, const BackupSource& source, const std::string& stem) const override {
    expect_paths(work, source);
    BackupPart part{.source = source, .compression = work.compression};
    part.file = stem + "files.tar" + (work.compression == "gzip" ? ".gz" : "");
    StoredWriter writer(work.folder + "/" + part.file, work.compression, work.guard);
    TarReader reader;
    const Command command{
        .argv = arguments_of(work, source), .deadline = work.guard.left(), .output_bytes = kept_output};
    const Output output = run_into(work, command, [&](std::string_view bytes) {
      reader.add(bytes);
      writer.add(bytes);
    });
    if (output.timed_out || (output.exit_code != 0 && output.exit_code != tar_changed)) {
      throw Error(
          "tar: " +
          describe_failure(command, {.exit_code = output.exit_code, .err = output.err, .timed_out = output.timed_out}));
    }
    tell_stored(writer.finish(), part);
    part.facts["entries"] = reader.finish();
    if (output.exit_code == tar_changed)
      part.note = "something changed while it was read: " + output.err.substr(0, 500);
    return part;
  }

  [[nodiscard]] std::string verify(const BackupWork& work, const BackupPart& part) const override {
    TarReader reader;
    read_stored(work.folder + "/" + part.file, part.compression, part.raw_bytes, work.guard,
                [&](std::string_view bytes) { reader.add(bytes); });
    const std::int64_t entries = reader.finish();
    if (part.facts.at("entries") != Value(entries))
      throw DamagedBackup("the archive has other entries than its record says");
    return "the archive's " + std::to_string(entries) + " entries";
  }
};

}  // namespace

const BackupEngineWork& files_engine() {
  static const FilesEngine engine;
  return engine;
}

}  // namespace holdfast
