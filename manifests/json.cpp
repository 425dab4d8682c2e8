#include <manifests/json.hpp>

#include <manifests/error.hpp>

#include <nlohmann/json.hpp>

#include <set>

namespace holdfast {

namespace {

nlohmann::json to_library(const Value& value) {
  switch (value.type()) {
    case Value::Type::null:
      return nullptr;
    case Value::Type::boolean:
      return value.as_bool();
    case Value::Type::integer:
      return value.as_int();
    case Value::Type::real:
      return value.as_real();
    case Value::Type::text:
      return value.as_text();
    case Value::Type::list: {
      auto list = nlohmann::json::array();
      for (const Value& item : value.as_list()) list.push_back(to_library(item));
      return list;
    }
    case Value::Type::map: {
      auto map = nlohmann::json::object();
      for (const auto& [key, member] : value.as_map()) map[key] = to_library(member);
      return map;
    }
  }
  return nullptr;
}

/// Builds our Value from the library's events, so that depth and duplicate keys are checked before anything is built
/// (the library's own tree keeps the last of two equal keys and prints deep values with unbounded recursion).
class Builder : public nlohmann::json_sax<nlohmann::json> {
 public:
  explicit Builder(std::size_t depth) : depth_(depth) {}

  [[nodiscard]] Value take() { return std::move(root_); }
  [[nodiscard]] const std::string& problem() const { return problem_; }

  bool null() override { return add(Value()); }
  bool boolean(bool value) override { return add(value); }
  bool number_integer(std::int64_t value) override { return add(value); }
  bool number_unsigned(std::uint64_t value) override {
    return value > static_cast<std::uint64_t>(INT64_MAX) ? fail("integer too large")
                                                         : add(static_cast<std::int64_t>(value));
  }
  bool number_float(double value, const std::string& /*text*/) override { return add(value); }
  bool string(std::string& value) override { return add(std::move(value)); }
  bool binary(nlohmann::json::binary_t& /*value*/) override { return fail("binary value"); }
  bool start_object(std::size_t /*size*/) override { return open(Map()); }
  bool start_array(std::size_t /*size*/) override { return open(List()); }
  bool end_object() override { return close(); }
  bool end_array() override { return close(); }
  bool key(std::string& name) override {
    key_ = std::move(name);
    return !open_.back()->as_map().contains(key_) || fail("duplicate key \"" + key_ + "\"");
  }
  bool parse_error(std::size_t position, const std::string& /*token*/,
                   const nlohmann::json::exception& error) override {
    return fail("at byte " + std::to_string(position) + ": " + error.what());
  }

 private:
  bool fail(std::string problem) {
    problem_ = std::move(problem);
    return false;
  }

  Value* place(Value value) {
    if (open_.empty()) {
      root_ = std::move(value);
      return &root_;
    }
    if (open_.back()->is_list()) return &open_.back()->as_list().emplace_back(std::move(value));
    return &(open_.back()->as_map()[key_] = std::move(value));
  }

  bool add(Value value) {
    place(std::move(value));
    return true;
  }

  bool open(Value container) {
    if (open_.size() >= depth_) return fail("nested deeper than " + std::to_string(depth_) + " levels");
    open_.push_back(place(std::move(container)));
    return true;
  }

  bool close() {
    open_.pop_back();
    return true;
  }

  std::size_t depth_;
  Value root_;
  std::vector<Value*> open_;  // a container's address holds while it is open: only its last member grows
  std::string key_;
  std::string problem_;
};

}  // namespace

std::string to_json(const Value& value) {
  return to_library(value).dump(-1, ' ', false, nlohmann::json::error_handler_t::replace);
}

std::string to_pretty_json(const Value& value) {
  return to_library(value).dump(2, ' ', false, nlohmann::json::error_handler_t::replace);
}

Value from_json(std::string_view text, const JsonLimits& limits) {
  if (text.size() > limits.bytes) {
    throw Error("JSON text of " + std::to_string(text.size()) + " bytes, at most " + std::to_string(limits.bytes) +
                " are taken");
  }
  Builder builder(limits.depth);
  if (!nlohmann::json::sax_parse(text, &builder)) throw Error("invalid JSON: " + builder.problem());
  return builder.take();
}

}  // namespace holdfast
