#pragma once

#include <atomic>
#include <functional>
#include <mutex>
#include <string>
#include <thread>
#include <vector>

namespace holdfast {

/// A real server on a port of the loopback (or a unix socket) that says what the test wants: its answer to each
/// request, byte for byte, and then closes.
class TestServer {
 public:
  /// The answer to a request, its body included; `hang` says nothing until the client goes.
  using Answer = std::function<std::string(const std::string& request)>;
  static constexpr const char* hang = "(hang)";

  explicit TestServer(Answer answer, const std::string& unix_path = "");
  TestServer(const TestServer&) = delete;
  TestServer& operator=(const TestServer&) = delete;
  ~TestServer();

  [[nodiscard]] std::string address() const { return "127.0.0.1:" + std::to_string(port_); }
  [[nodiscard]] std::string url(const std::string& path) const { return "http://" + address() + path; }
  [[nodiscard]] int port() const { return port_; }
  [[nodiscard]] std::vector<std::string> requests() const;

 private:
  void serve();
  void answer_one(int fd);

  Answer answer_;
  int listener_ = -1;
  int port_ = 0;
  std::atomic<bool> stopping_ = false;
  mutable std::mutex mutex_;
  std::vector<std::string> requests_;
  std::thread thread_;
};

/// "HTTP/1.1 200 OK" with these headers and this body.
std::string http_answer(int status, const std::string& body, const std::string& headers = "");

/// A child process that ends with this object.
class Child {
 public:
  explicit Child(const std::vector<std::string>& argv);
  Child(const Child&) = delete;
  Child& operator=(const Child&) = delete;
  ~Child();
  /// Its output up to and with the first line that has `text`; ends the test where there is none.
  std::string read_until(const std::string& text);
  /// Until it ended by itself; its exit code.
  int wait();

 private:
  int pid_ = -1;
  int output_ = -1;
};

/// A folder that is removed with this object.
class TempFolder {
 public:
  TempFolder();
  TempFolder(const TempFolder&) = delete;
  TempFolder& operator=(const TempFolder&) = delete;
  ~TempFolder();
  [[nodiscard]] std::string path(const std::string& name) const { return folder_ + "/" + name; }

 private:
  std::string folder_;
};

}  // namespace holdfast
