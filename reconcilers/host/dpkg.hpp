#pragma once

#include <map>
#include <string>
#include <string_view>

namespace holdfast {

/// What dpkg's status file says of one package.
struct InstalledPackage {
  std::string version{};
  bool installed = false;  // unpacked and configured
  bool broken = false;     // half-installed, half-configured or only unpacked: `dpkg --configure -a` finishes it
};

/// Packages by name, out of the text of /var/lib/dpkg/status. Where a name is installed for several architectures, the
/// installed one counts. Paragraphs without a name are left out.
std::map<std::string, InstalledPackage, std::less<>> parse_dpkg_status(std::string_view text);

}  // namespace holdfast
