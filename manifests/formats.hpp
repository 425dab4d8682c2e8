#pragma once

#include <manifests/value.hpp>

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

namespace holdfast {

/// "500ms", "30s", "5m", "2h" or "1d" in milliseconds. Throws Error for another text; schemas have checked it before.
std::int64_t duration_ms(std::string_view text);

/// Permission bits out of three or four octal digits: 420 for "0644". Throws Error for another text.
int octal_mode(std::string_view text);

/// Absolute and normalised: no empty, "." or ".." segment, no slash at the end (but "/" itself), no control character.
bool is_absolute_path(std::string_view text);
/// Relative and normalised, so that it can't leave the folder it is relative to.
bool is_relative_path(std::string_view text);
/// A full unit name of systemd: "cvd.service", "backup@daily.timer".
bool is_unit_name(std::string_view text);
/// A user or group name as useradd takes it.
bool is_account_name(std::string_view text);
/// A Debian package name, with an architecture after a colon or without.
bool is_package_name(std::string_view text);
/// What metadata.name may be.
bool is_resource_name(std::string_view text);

/// Why a text is not what a schema's "format" asks for.
struct FormatFault {
  std::string what{};  // continues `"spec.mode" `: `must be …, not "…"`
  std::string hint{};
};

/// Judges a text by `schema`'s "format" with its bounds (x-min and x-max in seconds for a duration, x-allow-special for
/// a mode); nullopt where it is right or the format is none of ours.
std::optional<FormatFault> format_fault(const Value& schema, const std::string& text);

}  // namespace holdfast
