#include <reconcilers/check.hpp>

namespace holdfast {

Value to_value(const Check& check) {
  return Map{{"name", check.name}, {"spec", check.spec}, {"origin", to_value(check.origin)}};
}

Check check_from(const Value& value) {
  return {.name = value.at("name").as_text(), .spec = value.at("spec"), .origin = origin_from(value.at("origin"))};
}

}  // namespace holdfast
