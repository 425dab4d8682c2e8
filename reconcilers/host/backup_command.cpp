#include <reconcilers/host/backup_command.hpp>

#include <reconcilers/host/detach.hpp>

#include <manifests/error.hpp>
#include <manifests/json.hpp>

#include <optional>

namespace holdfast {

namespace {

constexpr std::size_t longest_line = 4U << 20U;
constexpr std::size_t kept_output = 64U << 10U;
constexpr std::chrono::seconds grace{60};  // it ends by itself at its timeout

}  // namespace

Value run_backup_command(System& system, const std::vector<std::string>& arguments, std::chrono::milliseconds timeout,
                         const std::function<void(const Value& event)>& on_event) {
  std::vector<std::string> words = {"backup", "--json"};
  words.insert(words.end(), arguments.begin(), arguments.end());
  std::string line;
  std::optional<Value> result;
  Command command{.argv = own_command(system, words)};
  command.deadline = timeout + grace;
  command.output_bytes = kept_output;
  command.on_stdout = [&](std::string_view bytes) {
    line.append(bytes);
    for (std::size_t end = line.find('\n'); end != std::string::npos; end = line.find('\n')) {
      const Value message = from_json(line.substr(0, end));
      line.erase(0, end + 1);
      if (const Value* event = message.find("event")) on_event(*event);
      if (const Value* found = message.find("result")) result = *found;
    }
    return line.size() <= longest_line;
  };
  const Output output = system.run(command);
  if (!result)
    throw Error(
        describe_failure(command, {.exit_code = output.exit_code, .err = output.err, .timed_out = output.timed_out}));
  return *result;
}

}  // namespace holdfast
