#pragma once

#include <controller/store/store.hpp>
#include <reconcilers/primitive.hpp>

#include <cstdint>
#include <string>
#include <vector>

namespace holdfast {

/// Something that somebody else changed three times within ten minutes, so that holdfast stopped putting it right.
struct Contended {
  std::string id{};
  std::vector<std::int64_t> at_ms{};  // when it was put right
};

/// What of a host is contended now. Pure. It stays so until what is wanted of it differs, or its fights are forgotten.
std::vector<Contended> contended(const std::vector<Fight>& fights, const Bundle& bundle);

/// What is wanted of a primitive, as a digest; "" where the bundle does not name it.
std::string wanted_digest(const Bundle& bundle, const std::string& id);

/// For people: "file:/etc/motd was changed by somebody else 3 times within 10 minutes (10:01:02, …)".
std::string to_text(const std::vector<Contended>& contended);

}  // namespace holdfast
