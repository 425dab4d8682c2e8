// A runner for tests of the way to a host: it speaks the protocol and does what the test asks for, nothing more.
#include <manifests/digest.hpp>
#include <manifests/json.hpp>
#include <reconcilers/host/frame.hpp>
#include <reconcilers/host/plan.hpp>

#include <unistd.h>

#include <array>
#include <cstdlib>
#include <iostream>
#include <map>
#include <string>

namespace holdfast {

namespace {

void put(const std::string& bytes) {
  for (std::size_t at = 0; at < bytes.size();) {
    const ssize_t sent = write(1, bytes.data() + at, bytes.size() - at);
    if (sent <= 0) std::exit(3);
    at += static_cast<std::size_t>(sent);
  }
}

void say(const Map& message) { put(encode_frame('J', to_json(message))); }

class TestRunner {
 public:
  void serve() {
    say({{"hello", Map{{"protocol", 1},
                       {"version", "test"},
                       {"hostname", "test\x1b[31m"},
                       {"machine_id", "m"},
                       {"boot_id", "b"},
                       {"epoch", 7},
                       {"generation", Value()},
                       {"open", Map{{"transaction", "t-00000001"}, {"state", "pending"}}}}}});
    FrameReader reader;
    std::array<char, 65536> buffer{};
    for (ssize_t got = 0; (got = read(0, buffer.data(), buffer.size())) > 0;) {
      reader.add(std::string_view(buffer.data(), static_cast<std::size_t>(got)));
      for (Frame frame; reader.next(frame);) take(frame);
    }
  }

 private:
  void take(const Frame& frame) {
    if (frame.type == 'J') return answer(from_json(frame.payload));
    const BlobPiece piece = blob_piece(frame.payload);
    std::string& bytes = blobs_[std::string(piece.digest)];
    bytes += piece.bytes;
    if (piece.last && sha256(bytes) != piece.digest) std::exit(4);
  }

  void answer(const Value& request) {
    const std::string& what = request.at("do").as_text();
    if (what == "plan") return plan(request);
    if (what == "run") return run(request.at("argv").as_texts());
    if (what == "apply") {
      say({{"event", Map{{"kind", "output"}, {"id", "tree:/x"}, {"text", "a\x1b[2Jb"}}}});
      return say({{"reply", Map{{"state", "pending"}, {"failure", Value()}}}});
    }
    if (what == "backups") return backups(request.text_or("policy", ""));
    if (what == "backup_run") {
      say({{"event", Map{{"kind", "backup"}, {"policy", "app"}, {"text", "saving \x1b[2J"}}}});
      return say(
          {{"reply", Map{{"ok", request.at("policy") == Value("app") ? Value(true) : Value("yes")}, {"error", ""}}}});
    }
    if (what == "confirm") return say({{"error", "no such \x1b[1mtransaction"}});
    if (what == "status") {
      std::int64_t bytes = 0;
      for (const auto& [digest, blob] : blobs_) bytes += static_cast<std::int64_t>(blob.size());
      return say({{"reply", Map{{"bundles", bundles_}, {"blob_bytes", bytes}, {"pid", getpid()}}}});
    }
    say({{"error", "unknown request"}});
  }

  /// The policy asked for is the word that the host says of it.
  void backups(const std::string& problem) {
    const Map standing{{"policy", "app"}, {"problem", problem}, {"detail", "it \x1b[31mfailed"}};
    say({{"reply", Map{{"backups", List{Map{{"policy", "app"},
                                            {"folder", "/var/backups"},
                                            {"standing", standing},
                                            {"backups", List()},
                                            {"broken", List()},
                                            {"failures", List()}}}}}}});
  }

  void plan(const Value& request) {
    std::string digest = request.text_or("bundle_digest", "");
    if (!digest.empty() && !kept_.contains(digest)) return say({{"reply", Map{{"need", "bundle"}}}});
    if (digest.empty()) {
      const Value* whole = request.find("bundle");
      const Bundle bundle =
          bundle_from(whole != nullptr ? *whole : from_json(blobs_.at(request.at("bundle_blob").as_text())));
      digest = digest_of(bundle);
      kept_[digest] = bundle;
      ++bundles_;
    }
    Plan plan;
    plan.digest = sha256("plan");
    plan.bundle_digest = digest;
    plan.notes = {"colour \x1b[31m"};
    if (request.bool_or("show", false)) put(encode_blob(sha256("old content"), "old content"));
    say({{"reply", Map{{"plan", to_value(plan)}}}});
  }

  /// argv[0] tells what goes wrong.
  void run(const std::vector<std::string>& argv) {
    if (argv.at(0) == "forget") {
      kept_.clear();
      blobs_.clear();
    }
    if (argv.at(0) == "stderr") {
      const std::string text(std::stoul(argv.at(1)), 'e');
      if (write(2, text.data(), text.size()) < 0) std::exit(5);
    }
    if (argv.at(0) == "exit") {
      std::cerr << "gone wrong" << std::endl;
      std::exit(std::stoi(argv.at(1)));
    }
    if (argv.at(0) == "silence") return;
    std::string all;
    for (const std::string& word : argv) all += "[" + word + "]";
    say({{"reply", Map{{"exit", 0}, {"output", all}, {"timed_out", false}}}});
  }

  std::map<std::string, std::string> blobs_{};
  std::map<std::string, Bundle> kept_{};
  int bundles_ = 0;
};

}  // namespace

}  // namespace holdfast

int main(int argc, char** argv) {
  if (argc > 1 && std::string(argv[1]) == "--announce") {
    holdfast::put("holdfast-runner-begins\n");
    --argc;
    ++argv;
  }
  const std::string verb = argc > 1 ? argv[1] : "";
  if (verb == "serve") {
    holdfast::TestRunner().serve();
    return 0;
  }
  // dial: what it was told, then what it is sent
  std::string said = "+";
  for (int i = 2; i < argc; ++i) said += std::string(argv[i]) + "\n";
  holdfast::put(said);
  std::array<char, 65536> buffer{};
  for (ssize_t got = 0; (got = read(0, buffer.data(), buffer.size())) > 0;) {
    holdfast::put(std::string(buffer.data(), static_cast<std::size_t>(got)));
  }
  return 0;
}
