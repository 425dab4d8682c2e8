#pragma once

#include <manifests/value.hpp>
#include <reconcilers/host/plan.hpp>

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

namespace holdfast {

/// Printable and of one line: line ends and tabs become spaces.
std::string one_line(const std::string& text);
/// "deploy/app.yaml:14"; "" where no file is known.
std::string place_text(const Position& position);
/// The text with every full object id or digest in it cut to its first twelve digits.
std::string with_short_ids(const std::string& text);
/// "812 bytes", "12 KiB", "3.4 MiB".
std::string size_text(std::int64_t bytes);
/// An attribute's value as people write it: modes in octal, lists with commas, "none" for what is not there.
std::string attribute_text(std::string_view name, const Value* value);
/// "a", "a and b", "a, b and c".
std::string join_with_and(const std::vector<std::string>& words);
/// "3 hosts", "1 host".
std::string number_of(std::size_t count, const std::string& what);
/// Puts into the plan how many files and bytes its releases have, which hosts leave out.
void tell_release_sizes(Plan& plan, const Bundle& bundle);
/// The units that a bundle keeps running.
std::vector<std::string> running_units(const Bundle& bundle);
/// True where a file's bytes may not be shown: it has secrets, or its manifest says so, or the host does.
bool is_sensitive(const Action& action);

}  // namespace holdfast
