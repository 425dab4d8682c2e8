#include <controller/cli/app.hpp>
#include <controller/git/mirror.hpp>
#include <reconcilers/failpoint.hpp>

#include <cstdlib>
#include <iostream>
#include <string_view>

int main(int argc, char** argv) {
  // Before anything else is set up: the child that fetches holds nothing of the controller.
  if (argc == 2 && std::string_view(argv[1]) == "fetch-child") return holdfast::fetch_child();
  if (argc == 2 && std::string_view(argv[1]) == "--list-failpoints") return holdfast::list_failpoints(std::cout);
  if (const char* file = std::getenv("HOLDFAST_FAILPOINTS")) holdfast::set_failpoint_file(file, "controller");
  return holdfast::run_app(argc, argv);
}
