#include <reconcilers/host/bus_calls.hpp>

#include <reconcilers/host/bus_message.hpp>

namespace holdfast {

namespace {

enum class Field : std::uint8_t { path = 1, interface = 2, member = 3, destination = 6, signature = 8 };

void add_field(BusWriter& header, Field field, std::string_view type, std::string_view text) {
  header.align(8);
  header.byte(static_cast<std::uint8_t>(field));
  header.signature(type);
  if (type == "g") {
    header.signature(text);
  } else {
    header.text(text);
  }
}

void begin_property(BusWriter& to, std::string_view name, std::string_view type) {
  to.align(8);
  to.text(name);
  to.signature(type);
}

void text_property(BusWriter& to, std::string_view name, std::string_view value) {
  begin_property(to, name, "s");
  to.text(value);
}

/// ExecStart and the like: one command line, whose failure counts.
void command_property(BusWriter& to, std::string_view name, const std::vector<std::string>& argv) {
  begin_property(to, name, "a(sasb)");
  const BusWriter::Array commands = to.begin_array(8);
  to.text(argv.at(0));
  const BusWriter::Array arguments = to.begin_array(4);
  for (const std::string& argument : argv) to.text(argument);
  to.end_array(arguments);
  to.flag(false);
  to.end_array(commands);
}

void timer_property(BusWriter& to, std::string_view base, std::chrono::microseconds time) {
  begin_property(to, "TimersMonotonic", "a(st)");
  const BusWriter::Array timers = to.begin_array(8);
  to.text(base);
  to.long_number(static_cast<std::uint64_t>(time.count()));
  to.end_array(timers);
}

/// Groups below its own, for steps; no controller is asked for, so none is switched on for its sake.
void divisible_property(BusWriter& to) {
  begin_property(to, "DelegateControllers", "as");
  to.end_array(to.begin_array(4));
}

void put_timer(BusWriter& to, const TransientUnit& unit) {
  constexpr std::uint64_t accuracy_us = 100'000;
  const BusWriter::Array properties = to.begin_array(8);
  text_property(to, "Description", unit.description);
  timer_property(to, "OnActiveSec", unit.after);
  timer_property(to, "OnUnitInactiveSec", unit.again);
  begin_property(to, "AccuracyUSec", "t");
  to.long_number(accuracy_us);
  begin_property(to, "RemainAfterElapse", "b");
  to.flag(false);
  to.end_array(properties);
}

void put_service(BusWriter& to, const TransientUnit& unit) {
  const BusWriter::Array properties = to.begin_array(8);
  text_property(to, "Description", unit.description);
  divisible_property(to);
  if (unit.after.count() == 0) {
    text_property(to, "CollectMode", "inactive-or-failed");
    text_property(to, "Type", "exec");
    text_property(to, "OOMPolicy", "continue");
    if (!unit.on_end.empty()) command_property(to, "ExecStopPost", unit.on_end);
  }
  command_property(to, "ExecStart", unit.argv);
  to.end_array(properties);
}

}  // namespace

std::string to_message(const BusCall& call, std::uint32_t serial) {
  BusWriter fields;
  add_field(fields, Field::path, "o", call.path);
  add_field(fields, Field::interface, "s", call.interface);
  add_field(fields, Field::member, "s", call.member);
  add_field(fields, Field::destination, "s", "org.freedesktop.systemd1");
  add_field(fields, Field::signature, "g", call.signature);
  BusWriter message;
  message.byte('l');
  message.byte(1);  // a call
  message.byte(0);
  message.byte(1);
  message.number(static_cast<std::uint32_t>(call.body.size()));
  message.number(serial);
  message.number(static_cast<std::uint32_t>(fields.bytes().size()));
  std::string bytes = message.bytes() + fields.bytes();
  bytes.resize((bytes.size() + 7) / 8 * 8);
  return bytes + call.body;
}

BusCall get_all_call(const std::string& path) {
  BusWriter all_interfaces;
  all_interfaces.text("");
  return {.path = path,
          .interface = "org.freedesktop.DBus.Properties",
          .member = "GetAll",
          .signature = "s",
          .body = all_interfaces.bytes()};
}

std::string transient_body(const TransientUnit& unit) {
  const bool by_timer = unit.after.count() > 0;
  BusWriter body;
  body.text(unit.name + (by_timer ? ".timer" : ".service"));
  body.text("fail");  // what is there by that name already is not replaced
  if (by_timer) {
    put_timer(body, unit);
  } else {
    put_service(body, unit);
  }
  const BusWriter::Array others = body.begin_array(8);
  if (by_timer) {
    body.text(unit.name + ".service");
    put_service(body, unit);
  }
  body.end_array(others);
  return body.bytes();
}

}  // namespace holdfast
