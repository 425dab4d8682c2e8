#include <reconcilers/host/bus.hpp>

#include <manifests/error.hpp>

#include <catch2/catch.hpp>

#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#include <cstring>
#include <filesystem>
#include <thread>

using namespace holdfast;

namespace {

/// A systemd that says what it is told to say, to one client: `answers` after the log-in, whatever was asked.
class SaidBySystemd {
 public:
  SaidBySystemd(std::string log_in, std::string answers) : folder_("/tmp/holdfast-bus-XXXXXX") {
    REQUIRE(::mkdtemp(folder_.data()) != nullptr);
    listener_ = ::socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
    sockaddr_un address{};
    address.sun_family = AF_UNIX;
    std::strncpy(address.sun_path, path().c_str(), sizeof address.sun_path - 1);
    REQUIRE(::bind(listener_, reinterpret_cast<sockaddr*>(&address), sizeof address) == 0);
    REQUIRE(::listen(listener_, 1) == 0);
    thread_ = std::thread([this, log_in = std::move(log_in), answers = std::move(answers)] {
      const int client = ::accept(listener_, nullptr, nullptr);
      read(client);
      write(client, log_in);
      if (!answers.empty()) {
        read(client);
        write(client, answers);
      }
      ::shutdown(client, SHUT_WR);
      while (read(client) > 0) continue;
      ::close(client);
    });
  }
  ~SaidBySystemd() {
    thread_.join();
    ::close(listener_);
    std::filesystem::remove_all(folder_);
  }
  SaidBySystemd(const SaidBySystemd&) = delete;
  SaidBySystemd& operator=(const SaidBySystemd&) = delete;
  [[nodiscard]] std::string path() const { return folder_ + "/private"; }

 private:
  static ssize_t read(int fd) {
    char bytes[4096];
    return ::read(fd, bytes, sizeof bytes);
  }
  static void write(int fd, const std::string& bytes) {
    static_cast<void>(!::send(fd, bytes.data(), bytes.size(), MSG_NOSIGNAL));
  }
  std::string folder_;
  int listener_ = -1;
  std::thread thread_;
};

constexpr const char* accepted = "DATA\r\nOK 0123456789abcdef0123456789abcdef\r\n";

void member(BusWriter& to, const std::string& name, const std::string& type) {
  to.align(8);
  to.text(name);
  to.signature(type);
}

/// Properties of one unit as systemd puts them, with some among them that nobody asks for.
std::string some_properties() {
  BusWriter members;
  member(members, "Id", "s");
  members.text("nginx.service");
  member(members, "Job", "(uo)");
  members.align(8);
  members.number(7);
  members.text("/job/7");
  member(members, "ExecStart", "a(sasb)");
  members.number(0);
  members.align(8);
  member(members, "NeedDaemonReload", "b");
  members.number(1);
  member(members, "InvocationID", "ay");
  members.number(2);
  members.byte(0xab);
  members.byte(0x01);
  member(members, "NRestarts", "u");
  members.number(3);
  BusWriter body;
  body.number(static_cast<std::uint32_t>(members.bytes().size()));
  body.align(8);
  return body.bytes() + members.bytes();
}

std::string message(std::uint8_t type, std::uint32_t to, const std::string& body) {
  BusWriter message;
  message.byte('l');
  message.byte(type);
  message.byte(0);
  message.byte(1);
  message.number(static_cast<std::uint32_t>(body.size()));
  message.number(100);
  message.number(8);
  message.byte(5);
  message.signature("u");
  message.number(to);
  message.align(8);
  return message.bytes() + body;
}

const std::vector<std::string> asked = {"Id", "NeedDaemonReload", "InvocationID", "NRestarts", "Type"};

}  // namespace

TEST_CASE("an answer to what was not asked ends the connection", "[bus]") {
  const SaidBySystemd systemd(accepted, message(2, 2, "") + message(2, 1, some_properties()));
  UnitBus bus(systemd.path());
  CHECK_THROWS_AS(bus.properties({"nginx.service"}, asked), Error);
}

TEST_CASE("properties of a unit are what systemctl would write, and signals before are passed over", "[bus]") {
  const SaidBySystemd systemd(accepted, message(4, 1, "") + message(2, 1, some_properties()));
  UnitBus bus(systemd.path());
  const auto found = bus.properties({"nginx.service"}, asked);
  REQUIRE(found.size() == 1);
  CHECK(found[0].size() == 4);
  CHECK(to_text(found[0].at("Id")) == "nginx.service");
  CHECK(to_text(found[0].at("NeedDaemonReload")) == "yes");
  CHECK(to_text(found[0].at("InvocationID")) == "ab01");
  CHECK(to_text(found[0].at("NRestarts")) == "3");
}

TEST_CASE("answers may come in any order", "[bus]") {
  BusWriter none;
  none.number(0);
  none.align(8);
  const SaidBySystemd systemd(accepted, message(2, 2, none.bytes()) + message(2, 1, some_properties()));
  UnitBus bus(systemd.path());
  const auto found = bus.properties({"nginx.service", "other.service"}, asked);
  CHECK(found.at(0).size() == 4);
  CHECK(found.at(1).empty());
}

TEST_CASE("whatever else systemd says is an error, and never waits or reads too far", "[bus]") {
  SECTION("not accepted") {
    const SaidBySystemd systemd("REJECTED EXTERNAL\r\n", "");
    CHECK_THROWS_AS(UnitBus(systemd.path()), Error);
  }
  SECTION("nobody there") { CHECK_THROWS_AS(UnitBus("/nonexistent/private"), Error); }
  SECTION("an error") {
    const SaidBySystemd systemd(accepted, message(3, 1, ""));
    UnitBus bus(systemd.path());
    CHECK_THROWS_AS(bus.properties({"a.service"}, asked), Error);
  }
  SECTION("cut off anywhere") {
    const std::string whole = message(2, 1, some_properties());
    for (std::size_t size = 1; size < whole.size(); size += 7) {
      const SaidBySystemd systemd(accepted, whole.substr(0, size));
      UnitBus bus(systemd.path());
      CHECK_THROWS_AS(bus.properties({"a.service"}, asked), Error);
    }
  }
  SECTION("a body cut off, in a whole message") {
    const std::string body = some_properties();
    for (std::size_t size = 0; size < body.size(); size += 3) {
      const SaidBySystemd systemd(accepted, message(2, 1, body.substr(0, size)));
      UnitBus bus(systemd.path());
      CHECK_THROWS_AS(bus.properties({"a.service"}, asked), Error);
    }
  }
  SECTION("too deep, and malformed types") {
    for (const char* type : {"(", "a", "?", "(s", ")"}) {
      const std::string bytes(256, '\0');
      BusReader reader(bytes, true);
      std::string_view rest = type;
      CHECK_THROWS_AS(reader.value(rest), Error);
    }
    std::string nested;
    for (int i = 0; i < 100; ++i) nested += std::string("\1v\0", 3);
    BusReader reader(nested, true);
    std::string_view variant = "v";
    CHECK_THROWS_AS(reader.value(variant), Error);
  }
}

TEST_CASE("names of units become parts of a path", "[bus]") {
  CHECK(bus_label("nginx.service") == "nginx_2eservice");
  CHECK(bus_label("9p@a-b.mount") == "_39p_40a_2db_2emount");
}
