#include <manifests/gates_reader.hpp>

#include <manifests/formats.hpp>
#include <manifests/host_rules.hpp>
#include <manifests/text.hpp>
#include <manifests/zone.hpp>

#include <algorithm>
#include <array>
#include <charconv>
#include <map>
#include <optional>
#include <set>

namespace holdfast {

namespace {

constexpr std::int64_t day_s = 86'400;
constexpr std::array<const char*, 7> day_names = {"sun", "mon", "tue", "wed", "thu", "fri", "sat"};
constexpr std::array<const char*, 6> gate_keys = {"environment", "backup", "certificate",
                                                  "diskFree",    "load",   "command"};

std::optional<int> digits(std::string_view text, std::size_t place, std::size_t length) {
  int value = 0;
  if (text.size() < place + length) return {};
  const auto [end, error] = std::from_chars(text.data() + place, text.data() + place + length, value);
  if (error != std::errc() || end != text.data() + place + length || value < 0) return {};
  return value;
}

/// "02:30" as seconds of the day, "24:00" included.
std::optional<std::int64_t> time_of(std::string_view text) {
  const auto hours = digits(text, 0, 2);
  const auto minutes = digits(text, 3, 2);
  if (text.size() != 5 || text[2] != ':' || !hours || !minutes || *minutes > 59) return {};
  const std::int64_t seconds = *hours * 3600LL + *minutes * 60LL;
  return seconds <= day_s ? std::optional<std::int64_t>(seconds) : std::nullopt;
}

/// "2026-12-23" or "2026-12-23T18:00" as a local time; a date alone that ends something means the end of that day.
std::optional<std::int64_t> moment_of(std::string_view text, bool is_end) {
  const auto year = digits(text, 0, 4);
  const auto month = digits(text, 5, 2);
  const auto day = digits(text, 8, 2);
  if (text.size() < 10 || text[4] != '-' || text[7] != '-' || !year || !month || !day) return {};
  const std::int64_t days = *month >= 1 && *month <= 12 ? days_of(*year, *month, *day) : 0;
  const Date date = date_of(days);
  if (date.year != *year || date.month != *month || date.day != *day) return {};
  if (text.size() == 10) return (days + (is_end ? 1 : 0)) * day_s;
  const auto time = time_of(text.substr(11));
  if (text[10] != 'T' || !time) return {};
  return days * day_s + *time;
}

/// "20%" or "5GiB".
bool read_size(const std::string& text, DiskGate& gate) {
  constexpr std::array<std::pair<std::string_view, double>, 4> units = {
      {{"MiB", 1048576.0}, {"GiB", 1073741824.0}, {"TiB", 1099511627776.0}, {"%", 0.0}}};
  double number = 0;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), number);
  if (error != std::errc() || !(number > 0) || number > 1e6) return false;
  const std::string_view unit(end, static_cast<std::size_t>(text.data() + text.size() - end));
  const auto found = std::ranges::find(units, unit, &std::pair<std::string_view, double>::first);
  if (found == units.end()) return false;
  gate.text = text;
  if (found->second != 0.0) {
    gate.bytes = static_cast<std::int64_t>(number * found->second);
    return true;
  }
  gate.percent = number;
  return number < 100;
}

class GatesReader {
 public:
  GatesReader(const Document& document, std::vector<Finding>& findings) : document_(document), findings_(findings) {}

  GatesPolicy read(const Value& spec) {
    each(spec, "requires", [this](const Value& one, const std::string& pointer) { read_gate(one, pointer); });
    each(spec, "windows", [this](const Value& one, const std::string& pointer) { read_window(one, pointer); });
    each(spec, "freezes", [this](const Value& one, const std::string& pointer) { read_freeze(one, pointer); });
    return std::move(gates_);
  }

 private:
  template <typename Read>
  static void each(const Value& spec, const std::string& key, Read read) {
    const Value* list = spec.find(key);
    if (list == nullptr) return;
    for (std::size_t i = 0; i < list->as_list().size(); ++i) {
      read(list->as_list()[i], "/spec/" + key + "/" + std::to_string(i));
    }
  }

  void add(const std::string& pointer, std::string what, std::string hint,
           Finding::Place place = Finding::Place::value) {
    findings_.push_back({pointer, std::move(what), std::move(hint), place, ""});
  }

  void read_gate(const Value& one, const std::string& pointer) {
    const auto named = [&](const char* key) { return one.find(key) != nullptr; };
    if (std::ranges::count_if(gate_keys, named) != 1) {
      add(pointer,
          "a gate must have one of the keys \"environment\", \"backup\", \"certificate\", \"diskFree\", "
          "\"load\" and \"command\"",
          "write one item of the list for each");
      return;
    }
    check_keys(one, pointer, *std::ranges::find_if(gate_keys, named));
    if (!unique(one, pointer)) return;
    if (named("environment")) read_environment(one, pointer);
    if (named("backup")) {
      gates_.backups.push_back({one.at("backup").as_text(), duration_ms(one.text_or("maxAge", "1d"))});
    }
    if (named("certificate")) read_certificate(one, pointer);
    if (named("diskFree")) read_disk(one, pointer);
    if (named("load")) gates_.loads.push_back({one.at("load").as_real()});
    if (named("command")) read_command(one);
  }

  /// Keys that belong to another gate say nothing here.
  void check_keys(const Value& one, const std::string& pointer, const std::string& kind) {
    static const std::map<std::string, std::string> owners = {{"healthyFor", "environment"},
                                                              {"maxAge", "backup"},
                                                              {"validFor", "certificate"},
                                                              {"path", "diskFree"},
                                                              {"on", "command"},
                                                              {"within", "command"},
                                                              {"exit", "command"}};
    for (const auto& [key, owner] : owners) {
      if (one.find(key) == nullptr || owner == kind) continue;
      add(pointer + "/" + key, "\"" + key + "\" has no meaning beside \"" + kind + "\"",
          "it belongs to \"" + owner + "\"; take it away", Finding::Place::key);
    }
  }

  bool unique(const Value& one, const std::string& pointer) {
    for (const auto& [known, first] : seen_) {
      if (!(known == one)) continue;
      add(pointer, "this gate is there twice", "the first is in line " + std::to_string(document_.at(first).line));
      return false;
    }
    seen_.emplace_back(one, pointer);
    return true;
  }

  void read_environment(const Value& one, const std::string& pointer) {
    const std::string& name = one.at("environment").as_text();
    if (std::ranges::find(gates_.environments, name, &EnvironmentGate::environment) != gates_.environments.end()) {
      add(pointer + "/environment", "the gate of \"" + name + "\" is there twice",
          "keep the one with the longer \"healthyFor\"");
    }
    gates_.environments.push_back({.environment = name,
                                   .healthy_for_ms = duration_ms(one.text_or("healthyFor", "0s")),
                                   .position = document_.at(pointer + "/environment")});
  }

  void read_certificate(const Value& one, const std::string& pointer) {
    const std::string& subject = one.at("certificate").as_text();
    CertificateGate gate{.valid_for_ms = duration_ms(one.text_or("validFor", "30d"))};
    const std::size_t colon = subject.find(':');
    if (is_absolute_path(subject)) {
      gate.path = subject;
    } else {
      gate.name = subject.substr(0, colon);
      const auto port =
          colon == std::string::npos ? std::optional<int>(443) : digits(subject, colon + 1, subject.size() - colon - 1);
      if (!is_host_name(gate.name) || !port || *port < 1 || *port > 65535) {
        add(pointer + "/certificate",
            "a certificate must be the path of a PEM file on the host, or a DNS name, not \"" + subject + "\"",
            "for example /etc/ssl/site.pem, or example.com:8443");
      }
      gate.port = port.value_or(443);
    }
    gates_.certificates.push_back(std::move(gate));
  }

  void read_disk(const Value& one, const std::string& pointer) {
    DiskGate gate{.path = one.text_or("path", "/")};
    if (!read_size(one.at("diskFree").as_text(), gate)) {
      add(pointer + "/diskFree",
          "\"diskFree\" must be a part of the file system or a size, not \"" + one.at("diskFree").as_text() + "\"",
          "for example 20% or 5GiB (MiB, GiB, TiB)");
    }
    gates_.disks.push_back(std::move(gate));
  }

  void read_command(const Value& one) {
    gates_.commands.push_back({.argv = one.at("command").as_texts(),
                               .on_host = one.text_or("on", "controller") == "host",
                               .within_ms = duration_ms(one.text_or("within", "10s")),
                               .exit_code = static_cast<int>(one.int_or("exit", 0))});
  }

  std::shared_ptr<const Zone> zone(const std::string& name, const std::string& pointer) {
    auto found = Zone::named(name);
    if (found) return found;
    add(pointer + "/zone", "\"" + name + "\" is no time zone that this system knows",
        Zone::named("UTC") ? "names are those of the IANA database, such as Europe/Berlin"
                           : "its database of time zones is missing: install tzdata");
    return nullptr;
  }

  void read_window(const Value& one, const std::string& pointer) {
    Window window{.zone_name = one.text_or("zone", "UTC"), .overrun = one.bool_or("overrun", false)};
    const Value* days = one.find("days");
    for (std::size_t i = 0; i < day_names.size(); ++i) {
      const auto is_it = [&](const Value& day) { return day.as_text() == day_names.at(i); };
      window.days.at(i) = days == nullptr || std::ranges::any_of(days->as_list(), is_it);
    }
    const auto from = time_at(one, pointer, "from");
    const auto to = time_at(one, pointer, "to");
    window.zone = zone(window.zone_name, pointer);
    if (!from || !to || !window.zone) return;
    if (*from == day_s) add(pointer + "/from", "a window can't begin at 24:00", "say 00:00, of the day after");
    if (*from == *to) add(pointer + "/to", "a window must not end when it begins", "a whole day is 00:00 to 24:00");
    window.from_s = *from;
    window.to_s = *to;
    gates_.windows.push_back(std::move(window));
  }

  std::optional<std::int64_t> time_at(const Value& one, const std::string& pointer, const std::string& key) {
    const std::string& text = one.at(key).as_text();
    const auto time = time_of(text);
    if (!time) {
      add(pointer + "/" + key, "\"" + key + "\" must be a time of the day, not \"" + text + "\"",
          "for example \"02:30\"");
    }
    return time;
  }

  void read_freeze(const Value& one, const std::string& pointer) {
    Freeze freeze{.zone_name = one.text_or("zone", "UTC"), .reason = one.text_or("reason", "")};
    std::array<std::optional<std::int64_t>, 2> ends{};
    for (const bool is_end : {false, true}) {
      const std::string key = is_end ? "to" : "from";
      const std::string& text = one.at(key).as_text();
      ends.at(is_end ? 1 : 0) = moment_of(text, is_end);
      if (!moment_of(text, is_end)) {
        add(pointer + "/" + key, "\"" + key + "\" must be a date, with a time or without, not \"" + text + "\"",
            "for example 2026-12-23, or 2026-12-23T18:00");
      }
    }
    freeze.zone = zone(freeze.zone_name, pointer);
    if (!ends[0] || !ends[1] || !freeze.zone) return;
    if (*ends[1] <= *ends[0])
      add(pointer + "/to", "a freeze must end after it begins", "a date alone is that whole day");
    freeze.from_s = *ends[0];
    freeze.to_s = *ends[1];
    gates_.freezes.push_back(std::move(freeze));
  }

  const Document& document_;
  std::vector<Finding>& findings_;
  GatesPolicy gates_{};
  std::vector<std::pair<Value, std::string>> seen_{};
};

}  // namespace

GatesPolicy read_gates(const Value& spec, const Document& document, std::vector<Finding>& findings) {
  return GatesReader(document, findings).read(spec);
}

}  // namespace holdfast
