#include <controller/cli/app.hpp>
#include <controller/git/mirror.hpp>

#include <string_view>

int main(int argc, char** argv) {
  // Before anything else is set up: the child that fetches holds nothing of the controller.
  if (argc == 2 && std::string_view(argv[1]) == "fetch-child") return holdfast::fetch_child();
  return holdfast::run_app(argc, argv);
}
