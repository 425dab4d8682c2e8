#include "runner.hpp"

#include <manifests/digest.hpp>
#include <manifests/error.hpp>
#include <manifests/json.hpp>
#include <reconcilers/tree_digest.hpp>

#include "temporary.hpp"

#include <catch2/catch.hpp>

#include <fcntl.h>
#include <poll.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include <array>
#include <cerrno>
#include <csignal>

namespace holdfast {

namespace {

/// Starts holdfast-host on these descriptors.
pid_t start(const std::vector<std::string>& arguments, int input, int output) {
  std::vector<char*> argv = {const_cast<char*>(HOLDFAST_HOST)};
  for (const std::string& one : arguments) argv.push_back(const_cast<char*>(one.c_str()));
  argv.push_back(nullptr);
  const pid_t child = ::fork();
  if (child == 0) {
    if (input >= 0) ::dup2(input, 0);
    if (output >= 0) ::dup2(output, 1);
    ::execv(HOLDFAST_HOST, argv.data());
    ::_exit(127);
  }
  return child;
}

int exit_code(pid_t child) {
  int status = 0;
  while (::waitpid(child, &status, 0) < 0 && errno == EINTR) {
  }
  return WIFEXITED(status) ? WEXITSTATUS(status) : 128 + WTERMSIG(status);
}

std::string new_transaction() {
  static int number = 0;
  return "test-" + std::to_string(::getpid()) + "-" + std::to_string(++number);
}

}  // namespace

Runner::Runner(const std::string& root) {
  std::array<int, 2> in{};
  std::array<int, 2> out{};
  std::signal(SIGPIPE, SIG_IGN);  // it may end while it is still being told something
  if (::pipe2(in.data(), O_CLOEXEC) != 0 || ::pipe2(out.data(), O_CLOEXEC) != 0) throw Error("cannot make a pipe");
  child_ = start({"--root", root, "serve"}, in[0], out[1]);
  ::close(in[0]);
  ::close(out[1]);
  input_ = in[1];
  output_ = out[0];
  hello_ = receive().at("hello");
}

Runner::~Runner() {
  end();
  ::close(output_);
}

int Runner::end() {
  if (input_ >= 0) ::close(input_);
  input_ = -1;
  const int code = child_ > 0 ? exit_code(child_) : 0;
  child_ = -1;
  return code;
}

void Runner::send_raw(const std::string& bytes) {
  for (std::size_t at = 0; at < bytes.size();) {
    const ssize_t count = ::write(input_, bytes.data() + at, bytes.size() - at);
    if (count < 0) return;  // it ended: the next read tells
    at += static_cast<std::size_t>(count);
  }
}

void Runner::send_blob(const std::string& bytes) { send_raw(encode_blob(sha256(bytes), bytes)); }

Value Runner::receive() {
  for (;;) {
    Frame frame;
    while (!reader_.next(frame)) {
      std::array<char, 65536> bytes{};
      const ssize_t count = ::read(output_, bytes.data(), bytes.size());
      if (count <= 0) throw Error("the runner ended");
      reader_.add({bytes.data(), static_cast<std::size_t>(count)});
    }
    if (frame.type == 'J') return from_json(frame.payload);
    const BlobPiece piece = blob_piece(frame.payload);
    blobs[std::string(piece.digest)] += piece.bytes;
  }
}

Value Runner::ask(const Map& request) {
  send_raw(encode_frame('J', to_json(request)));
  for (;;) {
    const Value message = receive();
    if (const Value* changed = message.find("changed")) {
      changes_.push_back(*changed);
    } else if (const Value* event = message.find("event")) {
      events.push_back(*event);
      if (on_event) on_event(*event);
    } else if (const Value* error = message.find("error")) {
      throw Error(error->as_text());
    } else {
      return message.at("reply");
    }
  }
}

std::optional<Value> Runner::changed(int ms) {
  pollfd side{.fd = output_, .events = POLLIN, .revents = 0};
  if (changes_.empty() && (reader_.holds_bytes() || ::poll(&side, 1, ms) > 0))
    changes_.push_back(receive().at("changed"));
  if (changes_.empty()) return std::nullopt;
  Value first = std::move(changes_.front());
  changes_.pop_front();
  return first;
}

int run_host(const std::vector<std::string>& arguments) { return exit_code(start(arguments, -1, -1)); }

Host::Host(const std::string& root_folder) : root(root_folder) {
  bundle = {.environment = "test", .host = "host", .commit = std::string(40, 'c')};
}

Wanted& Host::add(const std::string& id, Attributes attributes) {
  const PrimitiveId parsed = primitive_id(id);
  std::erase_if(bundle.wanted, [&](const Wanted& one) { return one.id == parsed; });
  bundle.wanted.push_back({.id = parsed, .attributes = std::move(attributes), .after = below(parsed.name)});
  return bundle.wanted.back();
}

std::vector<PrimitiveId> Host::below(const std::string& path) const {
  std::vector<PrimitiveId> folders;
  for (const Wanted& one : bundle.wanted) {
    if (one.id.type == PrimitiveType::directory && path.starts_with(one.id.name + "/")) folders.push_back(one.id);
  }
  return folders;
}

Host& Host::directory(const std::string& path, int mode) {
  add("directory:" + path, {{"present", true}, {"mode", mode}});
  return *this;
}

Host& Host::file(const std::string& path, const std::string& bytes, int mode, const Map& parameters) {
  contents[sha256(bytes)] = bytes;
  add("file:" + path, {{"present", true}, {"content", sha256(bytes)}, {"mode", mode}}).parameters = parameters;
  return *this;
}

Host& Host::link(const std::string& path, const std::string& target) {
  add("link:" + path, {{"present", true}, {"target", target}});
  return *this;
}

Host& Host::tree(const std::string& path, const std::map<std::string, std::string>& files,
                 const std::vector<std::string>& build) {
  List entries;
  for (const auto& [name, bytes] : files) {
    contents[sha256(bytes)] = bytes;
    entries.emplace_back(Map{{"path", name}, {"mode", 0644}, {"content", sha256(bytes)}, {"size", bytes.size()}});
  }
  Wanted& wanted = add("tree:" + path, {{"present", true}, {"digest", tree_digest(entries)}});
  wanted.parameters = {{"entries", std::move(entries)}};
  if (build.empty()) return *this;
  wanted.parameters["build"] = Map{{"steps", List{Value::texts(build)}}, {"timeout_ms", 10'000}};
  wanted.attributes["built"] = sha256(to_json(wanted.parameters.at("build")));
  return *this;
}

Host& Host::absent(const std::string& id) {
  add(id, {{"present", false}});
  return *this;
}

Value Host::plan(Runner& runner) const { return runner.ask({{"do", "plan"}, {"bundle", to_value(bundle)}}).at("plan"); }

Value Host::apply(Runner& runner, std::int64_t epoch, std::int64_t deadman_ms) {
  const Value planned = plan(runner);
  for (const std::string& digest : planned.at("missing").as_texts()) runner.send_blob(contents.at(digest));
  transaction = new_transaction();
  return runner.ask({{"do", "apply"},
                     {"transaction", transaction},
                     {"epoch", epoch},
                     {"bundle_digest", planned.at("bundle_digest")},
                     {"plan_digest", planned.at("digest")},
                     {"commit", bundle.commit},
                     {"deadman_ms", deadman_ms}});
}

Value Host::confirm(Runner& runner, std::int64_t epoch) const {
  return runner.ask({{"do", "confirm"}, {"transaction", transaction}, {"epoch", epoch}});
}

Value Host::rollback(Runner& runner, std::int64_t epoch) const {
  return runner.ask({{"do", "rollback"}, {"transaction", transaction}, {"epoch", epoch}, {"reason", "a test says so"}});
}

void Host::converge(Runner& runner) {
  const Value reply = apply(runner);
  INFO(to_json(reply));
  REQUIRE(reply.at("state") == Value("pending"));
  REQUIRE(confirm(runner).at("state") == Value("confirmed"));
}

std::map<std::string, std::string> picture(const std::string& root) {
  namespace fs = std::filesystem;
  std::map<std::string, std::string> seen;
  for (auto entry = fs::recursive_directory_iterator(root); entry != fs::end(entry); ++entry) {
    const std::string path = entry->path().string();
    const std::string below = path.substr(root.size());
    if (below == "/var/lib/holdfast") {
      entry.disable_recursion_pending();
      continue;
    }
    struct stat status {};
    ::lstat(path.c_str(), &status);
    std::string text = std::to_string(status.st_mode & 07777U) + " ";
    if (entry->is_symlink()) {
      text = "-> " + fs::read_symlink(path).string();
    } else if (entry->is_regular_file()) {
      text += read_file(path);
    } else {
      text += "directory";
    }
    seen[below] = std::move(text);
  }
  return seen;
}

}  // namespace holdfast
