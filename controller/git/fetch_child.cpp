#include <controller/git/fetch_request.hpp>
#include <manifests/error.hpp>
#include <manifests/json.hpp>
#include <manifests/problem.hpp>

#include <sys/resource.h>
#include <sys/time.h>
#include <unistd.h>

#include <array>
#include <cstdio>
#include <cstdlib>
#include <string>

namespace holdfast {

namespace {

constexpr std::size_t max_request_bytes = 64U << 10U;

std::string read_input() {
  std::string text;
  std::array<char, 4096> piece{};
  while (text.size() <= max_request_bytes) {
    const ssize_t count = ::read(STDIN_FILENO, piece.data(), piece.size());
    if (count <= 0) break;
    text.append(piece.data(), static_cast<std::size_t>(count));
  }
  return text;
}

/// SIGALRM ends the process: nothing that libgit2 waits for can hold it, and no parent has to be alive for it.
void end_by(std::int64_t deadline_ms) {
  itimerval timer{};
  timer.it_value.tv_sec = deadline_ms / 1000 + 1;
  setitimer(ITIMER_REAL, &timer, nullptr);
  const rlimit no_core{0, 0};
  setrlimit(RLIMIT_CORE, &no_core);
}

}  // namespace

int fetch_child() {
  FetchExit exit = FetchExit::done;
  bool damaged = false;
  try {
    const FetchRequest request = fetch_request_from(from_json(read_input(), {.bytes = max_request_bytes, .depth = 4}));
    end_by(request.deadline_ms);
    if (request.push.empty()) {
      run_fetch(request, damaged);
    } else {
      std::puts(to_json(to_value(run_push(request))).c_str());
    }
  } catch (const std::exception& error) {
    std::puts(printable(error.what()).c_str());
    exit = damaged ? FetchExit::damaged : FetchExit::failed;
  }
  std::fflush(stdout);
  // Not by return: libgit2 leaks what a refused connection held, and a leak checker would change the exit code.
  std::_Exit(static_cast<int>(exit));
}

}  // namespace holdfast
