#include "machine.hpp"

#include <cxxabi.h>
#include <sys/mman.h>
#include <ucontext.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <exception>
#include <stdexcept>
#include <utility>

namespace holdfast::simulation {

namespace {

constexpr std::size_t stack_bytes = 1U << 20U;
Machine* running_machine = nullptr;

/// What the C++ runtime keeps for a thread while exceptions are handled: each coroutine has its own.
struct ExceptionGlobals {
  void* caught = nullptr;
  unsigned int uncaught = 0;
};
ExceptionGlobals& exception_globals() { return *reinterpret_cast<ExceptionGlobals*>(abi::__cxa_get_globals()); }

char* new_stack() {
  void* memory =
      ::mmap(nullptr, stack_bytes, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);
  if (memory == MAP_FAILED) throw std::runtime_error("no memory for a stack");
  ::mprotect(memory, 4096, PROT_NONE);
  return static_cast<char*>(memory);
}

}  // namespace

Machine* machine() { return running_machine; }

struct Task {
  Process* process = nullptr;
  std::uint64_t number = 0;
  std::function<void()> body{};
  std::function<bool()> ready{};  // empty: it can go on
  Time until = 0;
  bool timed_out = false;
  bool finished = false;
  char* stack = nullptr;
  ucontext_t context{};
  ExceptionGlobals exceptions{};
  int error = 0;

  static void enter() {
    Machine& here = *running_machine;
    Task& self = *here.current_;
    try {
      self.body();
    } catch (const std::exception& error) {
      self.process->failure = error.what();
    } catch (...) {
      self.process->failure = "an unknown exception";
    }
    self.finished = true;
    here.leave();
  }
};

Machine::Machine(std::uint64_t seed) : seed_(seed), random_(seed), self_(std::make_unique<Task>()) { running_machine = this; }

Machine::~Machine() {
  for (const auto& process : processes_) {
    for (const auto& task : process->threads) {
      if (task->stack != nullptr) ::munmap(task->stack, stack_bytes);
    }
  }
  for (char* stack : stacks_) ::munmap(stack, stack_bytes);
  running_machine = nullptr;
}

std::unique_ptr<Task> Machine::make_task(Process& process, std::function<void()> body) {
  auto task = std::make_unique<Task>();
  task->process = &process;
  task->number = ++threads_;
  task->body = std::move(body);
  if (stacks_.empty()) stacks_.push_back(new_stack());
  task->stack = stacks_.back();
  stacks_.pop_back();
  ::getcontext(&task->context);
  task->context.uc_stack.ss_sp = task->stack;
  task->context.uc_stack.ss_size = stack_bytes;
  task->context.uc_link = nullptr;
  ::makecontext(&task->context, Task::enter, 0);
  threads_ended_[task->number] = false;
  return task;
}

Process& Machine::start(std::string name, Computer* computer, std::function<void()> body,
                        std::function<void(bool killed)> on_end) {
  Process& process = *processes_.emplace_back(std::make_unique<Process>());
  process.id = next_process_++;
  process.name = std::move(name);
  process.computer = computer;
  process.on_end = std::move(on_end);
  process.threads.push_back(make_task(process, std::move(body)));
  trace("starts " + process.name);
  return process;
}

std::uint64_t Machine::start_thread(std::function<void()> body) {
  Process& process = *current_->process;
  process.threads.push_back(make_task(process, std::move(body)));
  return process.threads.back()->number;
}

bool Machine::has_ended(std::uint64_t thread) const {
  const auto found = threads_ended_.find(thread);
  return found == threads_ended_.end() || found->second;
}

Process* Machine::running() const { return current_ == nullptr ? nullptr : current_->process; }

void Machine::resume(Task& task) {
  const int outer_error = errno;
  current_ = &task;
  self_->exceptions = exception_globals();
  exception_globals() = task.exceptions;
  errno = task.error;
  ::swapcontext(&self_->context, &task.context);
  task.exceptions = exception_globals();
  task.error = errno;
  exception_globals() = self_->exceptions;
  current_ = nullptr;
  errno = outer_error;
  Process& process = *task.process;
  if (process.ended) {  // it killed itself, or was stopped by what it killed
    if (task.stack != nullptr) stacks_.push_back(std::exchange(task.stack, nullptr));
    return;
  }
  if (!task.finished) return;
  threads_ended_[task.number] = true;
  if (&task == process.threads.front().get()) {
    end(process, false);  // the end of main is the end of all its threads
  } else {
    stacks_.push_back(std::exchange(task.stack, nullptr));
    std::erase_if(process.threads, [&](const auto& one) { return one.get() == &task; });
  }
}

/// Back to the scheduler.
void Machine::leave() { ::swapcontext(&current_->context, &self_->context); }

bool Machine::wait(const std::function<bool()>& ready, Time until) {
  if (ready()) return true;
  Task& self = *current_;
  self.ready = ready;
  self.until = until;
  self.timed_out = false;
  leave();
  self.ready = nullptr;
  return !self.timed_out;
}

void Machine::point(const std::string& name) {
  if (current_ == nullptr) return;
  Process& process = *current_->process;
  now_ += 1000 + static_cast<Time>(random(50'000));
  if (on_point) on_point(process, name);
  if (!chance(0.2)) return;
  wait([] { return false; }, now_ + static_cast<Time>(random(static_cast<std::uint64_t>(2 * ms))));
}

Task* Machine::pick() {
  std::vector<Task*> able;
  for (const auto& process : processes_) {
    if (process->ended || process->frozen_until > now_) continue;
    for (const auto& task : process->threads) {
      if (!task->ready || task->ready()) {
        task->timed_out = false;
        able.push_back(task.get());
      } else if (task->until <= now_) {
        task->timed_out = true;
        able.push_back(task.get());
      }
    }
  }
  return able.empty() ? nullptr : able[random(able.size())];
}

/// To the next moment at which something is due; false where there is none before `until`.
bool Machine::advance(Time until) {
  Time next = never;
  for (const auto& process : processes_) {
    if (process->ended) continue;
    if (process->frozen_until > now_) {
      next = std::min(next, process->frozen_until);
      continue;
    }
    for (const auto& task : process->threads) next = std::min(next, task->until);
  }
  while (!alarms_.empty() && *alarms_.begin() <= now_) alarms_.erase(alarms_.begin());
  if (!alarms_.empty()) next = std::min(next, *alarms_.begin());
  if (!events_.empty()) next = std::min(next, events_.begin()->first);
  if (next == never || next > until) return false;
  now_ = std::max(now_, next);
  return true;
}

void Machine::run(Time until) {
  while (!stopped_ && now_ <= until) {
    while (!events_.empty() && events_.begin()->first <= now_) {
      const auto event = std::move(events_.begin()->second);
      events_.erase(events_.begin());
      event();
    }
    std::erase_if(processes_, [](const auto& process) { return process->ended; });
    if (Task* task = pick()) {
      resume(*task);
    } else if (!advance(until)) {
      return;
    }
  }
}

void Machine::kill(Process& process) {
  if (process.ended) return;
  const bool itself = current_ != nullptr && current_->process == &process;
  end(process, true);
  if (itself) leave();
}

void Machine::end(Process& process, bool killed) {
  process.ended = true;
  trace((killed ? "kills " : "ends ") + process.name + (process.failure.empty() ? "" : ": " + process.failure));
  for (const auto& task : process.threads) {
    threads_ended_[task->number] = true;
    if (task.get() == current_ || task->stack == nullptr) continue;  // its stack is still being used
    stacks_.push_back(std::exchange(task->stack, nullptr));
  }
  for (const int descriptor : std::exchange(process.locks, {})) ::close(descriptor);
  for (const auto& give_back : process.at_end) give_back();
  // Not from the thread that just died: it is somebody else who notices.
  if (process.on_end) at(now_, [notice = process.on_end, killed] { notice(killed); });
}

void Machine::trace(const std::string& line) {
  std::string text =
      std::to_string(now_ / 1000) + " " + (current_ == nullptr ? "" : current_->process->name + ": ") + line;
  if (!hidden.empty()) {
    for (std::size_t at = text.find(hidden); at != std::string::npos; at = text.find(hidden, at)) {
      text.erase(at, hidden.size());
    }
  }
  for (const char c : text) digest_ = (digest_ ^ static_cast<unsigned char>(c)) * 1099511628211ULL;
  if (on_trace) on_trace(text);
}

}  // namespace holdfast::simulation
