// Linked like the host runner: everything of the machine must work in a static program with nothing to load.
#include <manifests/digest.hpp>
#include <manifests/error.hpp>
#include <reconcilers/host/accounts.hpp>
#include <reconcilers/host/system.hpp>

#include <cstdio>

int main() {
  try {
    const auto system = holdfast::make_linux_system("/");
    const holdfast::Output output = system->run({.argv = {"cat"}, .input = "static"});
    const bool good = output.ok() && output.out == "static" &&
                      holdfast::is_sha256(system->digest("/etc/passwd").value_or("")) &&
                      holdfast::read_accounts(*system).uid_of("root") == 0;
    if (!good) std::printf("expected the text back, found \"%s\" %s\n", output.out.c_str(), output.err.c_str());
    return good ? 0 : 1;
  } catch (const holdfast::Error& error) {
    std::printf("%s\n", error.what());
    return 1;
  }
}
