// PostgreSQL's own programs, run as the policy's account: pg_dump writes the archive, pg_restore reads all of it back.
#include <reconcilers/backup/engine.hpp>

#include <manifests/error.hpp>
#include <reconcilers/host/accounts.hpp>

#include <charconv>

namespace holdfast {

namespace {

constexpr std::size_t kept_output = 64U << 10U;
constexpr std::size_t list_output = 64U << 20U;
constexpr std::chrono::seconds ask_deadline{30};

std::vector<std::string> connection_of(const BackupSource& source) {
  std::vector<std::string> arguments = {"--dbname=" + source.database, "--no-password"};
  if (!source.host.empty()) arguments.push_back("--host=" + source.host);
  if (source.port != 0) arguments.push_back("--port=" + std::to_string(source.port));
  return arguments;
}

Command command_of(const BackupWork& work, const BackupSource& source, std::vector<std::string> argv) {
  Command command{.argv = std::move(argv), .user = source.user};
  command.deadline = work.guard.left();
  command.output_bytes = kept_output;
  return command;
}

void expect_account(const BackupWork& work, const BackupSource& source) {
  if (read_accounts(work.system).user(source.user) != nullptr) return;
  throw MissingSource{"the account \"" + source.user + "\", which reads the database \"" + source.database +
                      "\", does not exist"};
}

[[noreturn]] void fail(const Command& command, const Output& output, const BackupSource& source) {
  const bool no_program = output.exit_code < 0;
  const bool no_database = output.err.find("database \"" + source.database + "\" does not exist") != std::string::npos;
  if (no_database) throw MissingSource{"the database \"" + source.database + "\" does not exist"};
  if (no_program) throw MissingSource{output.err + ": it comes with the package postgresql-client"};
  throw Error(describe_failure(command, output));
}

std::int64_t count_entries(const std::string& list) {
  std::int64_t count = 0;
  for (std::size_t begin = 0; begin < list.size();) {
    const std::size_t end = std::min(list.find('\n', begin), list.size());
    if (end > begin && list[begin] != ';') ++count;
    begin = end + 1;
  }
  return count;
}

void expect_read(const Command& command, const Output& output) {
  if (output.ok()) return;
  if (output.timed_out || output.exit_code < 0) throw Error(describe_failure(command, output));
  throw DamagedBackup(describe_failure(command, output));
}

/// Lists the archive, then reads all of it: the list alone is at its beginning.
std::int64_t read_archive(const BackupWork& work, const BackupPart& part) {
  Command list = command_of(work, part.source, {"pg_restore", "--list"});
  list.input_file = work.folder + "/" + part.file;
  list.output_bytes = list_output;
  const Output listed = work.system.run(list);
  expect_read(list, listed);
  Command read = command_of(work, part.source, {"pg_restore", "--file=-"});
  read.input_file = list.input_file;
  read.on_stdout = [](std::string_view) { return true; };
  const Output all = work.system.run(read);
  expect_read(read, all);
  return count_entries(listed.out);
}

class PostgresEngine : public BackupEngineWork {
 public:
  [[nodiscard]] std::int64_t estimate(const BackupWork& work, const BackupSource& source) const override {
    expect_account(work, source);
    std::vector<std::string> argv = {"psql", "--no-psqlrc", "--tuples-only", "--no-align",
                                     "--command=SELECT pg_database_size(current_database())"};
    for (std::string& argument : connection_of(source)) argv.push_back(std::move(argument));
    Command command = command_of(work, source, std::move(argv));
    command.deadline = std::min<std::chrono::milliseconds>(command.deadline, ask_deadline);
    const Output output = work.system.run(command);
    if (!output.ok()) fail(command, output, source);
    std::int64_t bytes = 0;
    std::from_chars(output.out.data(), output.out.data() + output.out.size(), bytes);
    return bytes;
  }

  BackupPart take(const BackupWork& work, const BackupSource& source, const std::string& stem) const override {
    BackupPart part{.source = source, .file = stem + plain_name(source.database) + ".dump", .compression = "none"};
    std::vector<std::string> argv = {"pg_dump", "--format=custom",
                                     work.compression == "none" ? "--compress=0" : "--compress=6"};
    for (std::string& argument : connection_of(source)) argv.push_back(std::move(argument));
    StoredWriter writer(work.folder + "/" + part.file, "none", work.guard);
    const Command command = command_of(work, source, std::move(argv));
    const Output output = run_into(work, command, [&](std::string_view bytes) { writer.add(bytes); });
    if (!output.ok()) fail(command, output, source);
    tell_stored(writer.finish(), part);
    part.facts["entries"] = read_archive(work, part);
    return part;
  }

  [[nodiscard]] std::string verify(const BackupWork& work, const BackupPart& part) const override {
    expect_account(work, part.source);
    const std::int64_t entries = read_archive(work, part);
    if (part.facts.at("entries") != Value(entries))
      throw DamagedBackup("the archive has other entries than its record says");
    return "pg_restore read all " + std::to_string(entries) + " entries";
  }
};

}  // namespace

const BackupEngineWork& postgres_engine() {
  static const PostgresEngine engine;
  return engine;
}

}  // namespace holdfast
