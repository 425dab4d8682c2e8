#include <reconcilers/backup/command.hpp>
#include <reconcilers/host/dead_man.hpp>
#include <reconcilers/host/dial.hpp>
#include <reconcilers/host/rehearsal.hpp>
#include <reconcilers/host/serve.hpp>
#include <reconcilers/host/tell.hpp>
#include <reconcilers/host/transaction.hpp>

#include <manifests/error.hpp>
#include <reconcilers/failpoint.hpp>
#include <version.hpp>

#include <sys/stat.h>

#include <csignal>
#include <cstdlib>
#include <iostream>
#include <string>
#include <vector>

namespace {

using namespace holdfast;

constexpr const char* usage =
    "usage: holdfast-host [--root DIR] serve | dial ADDRESS | execute TRANSACTION | recover [--now | --boot] "
    "[TRANSACTION]\n"
    "       holdfast-host [--root DIR] backup run NAME | backup list [NAME] | backup verify NAME [ID]\n"
    "       holdfast-host [--root DIR] status | history | show TRANSACTION   [--json]\n"
    "       holdfast-host --version\n";

struct Arguments {
  std::string root = "/";
  bool announce = false;             // that it begins, on standard output: told apart so from what a login shell prints
  std::vector<std::string> words{};  // the subcommand and what follows it
};

Arguments arguments_from(int count, char** values) {
  Arguments arguments;
  for (int i = 1; i < count; ++i) {
    const std::string word = values[i];
    if (word == "--announce") {
      arguments.announce = true;
    } else if (word == "--root") {
      if (++i == count) throw Error("--root needs a folder");
      arguments.root = values[i];
    } else {
      arguments.words.push_back(word);
    }
  }
  return arguments;
}

std::string transaction_of(const Arguments& arguments) {
  if (arguments.words.size() < 2 || !is_transaction_id(arguments.words[1]))
    throw Error("expected the id of a transaction");
  return arguments.words[1];
}

int run(const Arguments& arguments) {
  if (arguments.announce) std::cout << "holdfast-runner-begins\n" << std::flush;
  const std::string command = arguments.words.empty() ? "" : arguments.words[0];
  if (command == "--version") {
    std::cout << "holdfast-host " << version << " (" << build_commit << ")\n";
    return 0;
  }
  if (command == "--list-failpoints") return list_failpoints(std::cout);
  if (command == "dial" && arguments.words.size() == 2) return dial(arguments.words[1], 0, 1);
  if (command == "rehearse") return run_rehearsal(State(""), transaction_of(arguments));
  const std::unique_ptr<System> system = make_linux_system(arguments.root);
  const State state(system->root());
  set_failpoint_file(state.path("failpoints"), command);
  if (command == "backup") return backup_command(*system, arguments.words);
  const bool tells = command == "status" || command == "history" || command == "show";
  if (tells && tell_command(state, arguments.words, std::cout) == 0) return 0;
  if (command == "serve" && arguments.words.size() == 1) {
    serve(*system, 0, 1);
  } else if (command == "execute") {
    run_transaction(*system, state, transaction_of(arguments));
  } else if (command == "recover") {
    recover(*system, state, arguments.words);
  } else if (command == "watch" && arguments.words.size() == 3) {
    watch_dead_man(*system, state, transaction_of(arguments), std::atoll(arguments.words[2].c_str()));
  } else {
    std::cerr << usage;
    return 2;
  }
  return 0;
}

}  // namespace

int main(int count, char** values) {
  std::signal(SIGPIPE, SIG_IGN);  // a client that is gone is an error of a write
  ::umask(022);                   // of what we start: build steps, package scripts
  try {
    return run(arguments_from(count, values));
  } catch (const std::exception& error) {
    std::cerr << "holdfast-host: " << error.what() << "\n";
    return 1;
  }
}
