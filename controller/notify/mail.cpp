// A notification as an e-mail (RFC 5322, MIME).
#include <controller/notify/smtp.hpp>

#include <controller/git/base64.hpp>
#include <controller/notify/post.hpp>
#include <manifests/problem.hpp>

#include <algorithm>
#include <array>
#include <ctime>

namespace holdfast {

namespace {

constexpr std::size_t encoded_line = 76;
constexpr std::size_t word_bytes = 42;  // as base64 in an encoded word of at most 75 characters

std::string date_of(std::int64_t at_ms) {
  const std::time_t seconds = at_ms / 1000;
  std::tm parts{};
  gmtime_r(&seconds, &parts);
  constexpr std::array<const char*, 7> days = {"Sun", "Mon", "Tue", "Wed", "Thu", "Fri", "Sat"};
  constexpr std::array<const char*, 12> months = {"Jan", "Feb", "Mar", "Apr", "May", "Jun",
                                                  "Jul", "Aug", "Sep", "Oct", "Nov", "Dec"};
  std::array<char, 32> clock{};
  std::strftime(clock.data(), clock.size(), "%Y %H:%M:%S +0000", &parts);  // names of days would be the locale's
  return std::string(days.at(static_cast<std::size_t>(parts.tm_wday))) + ", " + std::to_string(parts.tm_mday) + " " +
         months.at(static_cast<std::size_t>(parts.tm_mon)) + " " + clock.data();
}

bool is_plain(const std::string& text) {
  return std::ranges::all_of(text, [](unsigned char c) { return c >= ' ' && c < 127; });
}

/// Encoded words of whole characters, one a line (RFC 2047).
std::string header_text(const std::string& text) {
  if (is_plain(text)) return text;
  std::string words;
  for (std::size_t at = 0; at < text.size();) {
    std::size_t end = std::min(text.size(), at + word_bytes);
    while (end < text.size() && end > at + 1 && (static_cast<unsigned char>(text[end]) & 0xC0U) == 0x80U) --end;
    words += (at == 0 ? "" : "\r\n ") + std::string("=?UTF-8?B?") + to_base64(text.substr(at, end - at)) + "?=";
    at = end;
  }
  return words;
}

std::string in_lines(const std::string& base64) {
  std::string text;
  for (std::size_t at = 0; at < base64.size(); at += encoded_line) text += base64.substr(at, encoded_line) + "\r\n";
  return text;
}

std::string joined(const std::vector<std::string>& list) {
  std::string text;
  for (const std::string& one : list) text += (text.empty() ? "" : ",\r\n ") + one;
  return text;
}

}  // namespace

std::string mail_text(const Value& to, const Notification& note) {
  const std::string& from = to.at("from").as_text();
  std::string text = title_of(note) + "\n";
  for (const std::string& line : details_of(note)) text += "\n" + line;
  if (!note.revision.empty()) text += "\n\nrevision " + note.revision;
  text += "\n" + std::string(note.revision.empty() ? "\n" : "") + "id " + note.id + "\n";
  return "From: " + from + "\r\nTo: " + joined(to.at("to").as_texts()) + "\r\nSubject: " + header_text(title_of(note)) +
         "\r\nDate: " + date_of(note.at_ms) + "\r\nMessage-ID: <" + note.id + "@" + from.substr(from.find('@') + 1) +
         ">\r\nAuto-Submitted: auto-generated\r\nX-Holdfast-Event: " + note.event +
         "\r\nMIME-Version: 1.0\r\nContent-Type: text/plain; charset=utf-8\r\nContent-Transfer-Encoding: "
         "base64\r\n\r\n" +
         in_lines(to_base64(text));
}

SendResult send_mail(const Value& to, const Notification& note, const std::atomic<bool>& stop) {
  const std::string password_file = to.text_or("passwordFile", "");
  return send_by_smtp({.server = to.at("server").as_text(),
                       .user = to.text_or("user", ""),
                       .password = password_file.empty() ? "" : secret_in(password_file, "the password"),
                       .ca_file = to.text_or("caFile", ""),
                       .from = to.at("from").as_text(),
                       .to = to.at("to").as_texts(),
                       .text = mail_text(to, note)},
                      stop);
}

}  // namespace holdfast
