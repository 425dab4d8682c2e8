#include <manifests/text.hpp>
#include <reconcilers/kinds/env_quoting.hpp>

#include <catch2/catch.hpp>

#include <cstdio>
#include <filesystem>
#include <fstream>
#include <map>
#include <random>
#include <stdexcept>
#include <string>
#include <vector>

#include <unistd.h>

using namespace holdfast;

namespace {

using Variables = std::map<std::string, std::string>;

/// What systemd makes of an EnvironmentFile=: the state machine of its src/basic/env-file.c (version 252).
class SystemdReader {
 public:
  Variables read(const std::string& text) {
    for (const char letter : text) step(letter);
    if (state_ != State::pre_key && state_ != State::key && state_ != State::comment) end_of_value();
    return variables_;
  }

 private:
  enum class State {
    pre_key,
    key,
    pre_value,
    value,
    value_escape,
    single,
    twice,
    twice_escape,
    comment,
    comment_escape
  };

  static bool blank(char letter) { return letter == ' ' || letter == '\t' || letter == '\n' || letter == '\r'; }
  static bool newline(char letter) { return letter == '\n' || letter == '\r'; }

  void end_of_value() {
    if (trim_from_ != std::string::npos) value_.erase(trim_from_);
    while (!key_.empty() && blank(key_.back())) key_.pop_back();
    variables_[key_] = value_;
    key_.clear();
    value_.clear();
    trim_from_ = std::string::npos;
    state_ = State::pre_key;
  }

  void step(char letter) {
    switch (state_) {
      case State::pre_key:
      case State::key:
        return in_key(letter);
      case State::pre_value:
        return before_value(letter);
      case State::value:
        return in_value(letter);
      case State::value_escape:
        state_ = State::value;
        if (!newline(letter)) value_ += letter;
        return;
      case State::single:
        return letter == '\'' ? leave_quotes() : take(letter);
      case State::twice:
        if (letter != '\\') return letter == '"' ? leave_quotes() : take(letter);
        state_ = State::twice_escape;
        return;
      case State::twice_escape:
        state_ = State::twice;
        if (std::string("\"\\`$\n").find(letter) == std::string::npos) value_ += '\\';
        return letter == '\n' ? void() : take(letter);
      case State::comment:
        if (letter == '\\') state_ = State::comment_escape;
        if (newline(letter)) state_ = State::pre_key;
        return;
      case State::comment_escape:
        state_ = State::comment;
        return;
    }
  }

  void take(char letter) { value_ += letter; }
  void leave_quotes() { state_ = State::pre_value; }

  void in_key(char letter) {
    if (state_ == State::pre_key) {
      if (letter == '#' || letter == ';') state_ = State::comment;
      if (blank(letter) || state_ == State::comment) return;
      state_ = State::key;
      key_ += letter;
    } else if (newline(letter)) {
      state_ = State::pre_key;
      key_.clear();
    } else if (letter == '=') {
      state_ = State::pre_value;
    } else {
      key_ += letter;
    }
  }

  void before_value(char letter) {
    if (newline(letter)) return end_of_value();
    if (letter == '\'') {
      state_ = State::single;
    } else if (letter == '"') {
      state_ = State::twice;
    } else if (letter == '\\') {
      state_ = State::value_escape;
    } else if (!blank(letter)) {
      state_ = State::value;
      take(letter);
    }
  }

  void in_value(char letter) {
    if (newline(letter)) return end_of_value();
    if (letter == '\\') {
      state_ = State::value_escape;
      trim_from_ = std::string::npos;
      return;
    }
    if (!blank(letter)) {
      trim_from_ = std::string::npos;
    } else if (trim_from_ == std::string::npos) {
      trim_from_ = value_.size();
    }
    take(letter);
  }

  State state_ = State::pre_key;
  std::string key_{};
  std::string value_{};
  std::size_t trim_from_ = std::string::npos;
  Variables variables_{};
};

std::string output_of(const std::string& command) {
  FILE* pipe = ::popen(command.c_str(), "r");
  if (pipe == nullptr) throw std::runtime_error("can't run " + command);
  std::string output;
  char piece[4096];
  for (std::size_t got = 0; (got = std::fread(piece, 1, sizeof piece, pipe)) > 0;) output.append(piece, got);
  if (::pclose(pipe) != 0) throw std::runtime_error("failed: " + command);
  return output;
}

/// What /bin/sh makes of `. file`.
Variables read_with_shell(const std::string& text) {
  char folder[] = "/tmp/holdfast-env-XXXXXX";
  if (::mkdtemp(folder) == nullptr) throw std::runtime_error("no temporary folder");
  const std::string file = std::string(folder) + "/env";
  std::ofstream(file, std::ios::binary) << text;
  const std::string output = output_of("/usr/bin/env -i /bin/sh -c 'set -a; . " + file + "; exec /usr/bin/env -0'");
  std::filesystem::remove_all(folder);
  Variables variables;
  for (std::size_t begin = 0; begin < output.size();) {
    const std::size_t end = output.find('\0', begin);
    const std::string line = output.substr(begin, end - begin);
    if (line.starts_with("V_")) variables[line.substr(0, line.find('='))] = line.substr(line.find('=') + 1);
    begin = end + 1;
  }
  return variables;
}

std::string utf8(char32_t point) {
  std::string text;
  if (point < 0x80) {
    text += static_cast<char>(point);
  } else if (point < 0x800) {
    text += static_cast<char>(0xC0 | (point >> 6));
    text += static_cast<char>(0x80 | (point & 0x3F));
  } else if (point < 0x10000) {
    text += static_cast<char>(0xE0 | (point >> 12));
    text += static_cast<char>(0x80 | ((point >> 6) & 0x3F));
    text += static_cast<char>(0x80 | (point & 0x3F));
  } else {
    text += static_cast<char>(0xF0 | (point >> 18));
    text += static_cast<char>(0x80 | ((point >> 12) & 0x3F));
    text += static_cast<char>(0x80 | ((point >> 6) & 0x3F));
    text += static_cast<char>(0x80 | (point & 0x3F));
  }
  return text;
}

/// Mostly what quoting is about, sometimes any character of Unicode.
std::string random_value(std::mt19937& random) {
  static const std::string sharp = "\"'\\$`#;! \t=~*?[]{}()<>|&%^-+@nA0\r\x7f";
  std::string value;
  const std::size_t length = random() % 24;
  for (std::size_t at = 0; at < length; ++at) {
    value += random() % 4 != 0 ? std::string(1, sharp[random() % sharp.size()]) : utf8(random() % 0x110000);
  }
  return value;
}

}  // namespace

TEST_CASE("any value that is taken is read alike by systemd's rules and by a real shell", "[kinds][env_quoting]") {
  std::mt19937 random(20240521);
  Variables wanted;
  std::string text;
  std::vector<std::string> values = {"",
                                     " ",
                                     "  lead and trail  ",
                                     "#no comment",
                                     ";nor this",
                                     "\\",
                                     "\\\\n",
                                     "\"",
                                     "'",
                                     "a'b\"c",
                                     "$(id)",
                                     "`id`",
                                     "$$",
                                     "${HOME}",
                                     "tab\t",
                                     "\\\"",
                                     "ends with \\",
                                     "\xc3\xa9\xe2\x82\xac",
                                     "~",
                                     "a=b",
                                     "%n %%"};
  for (int round = 0; round < 4000; ++round) values.push_back(random_value(random));
  for (const std::string& value : values) {
    if (!value_fault(value).empty()) continue;
    const std::string name = "V_" + std::to_string(wanted.size());
    wanted[name] = value;
    text.append(name).append("=").append(quote_value(value)).append("\n");
  }
  REQUIRE(wanted.size() > 1000);
  CHECK(SystemdReader().read(text) == wanted);
  CHECK(read_with_shell(text) == wanted);
}

TEST_CASE("values that one of the readers would lose are refused", "[kinds][env_quoting]") {
  CHECK(value_fault("a\nb") == "holds a line end");
  for (const std::string& value : {std::string("a\0b", 3), std::string("\r"), std::string("\x1b[0m"),
                                   std::string("\x7f"), utf8(0xFFFE), utf8(0xFDD0), utf8(0x1FFFF)}) {
    CHECK(value_fault(value).starts_with("holds "));
  }
  CHECK(value_fault("\xff") == "is not UTF-8 at byte 0");
  CHECK(value_fault(std::string(100'001, 'x')).starts_with("has 100001 bytes"));
  CHECK(value_fault(std::string(100'000, 'x')).empty());
}

TEST_CASE("names of variables are those of a shell", "[kinds][env_quoting]") {
  for (const char* name : {"A", "_a9", "PATH"}) CHECK(is_variable_name(name));
  for (const char* name : {"", "9A", "A-B", "A B", "\xc3\xa9", "A=", "A\n"}) CHECK_FALSE(is_variable_name(name));
}
