#include <manifests/explain.hpp>

#include <controller/cli/basic_commands.hpp>

#include <algorithm>
#include <ostream>

namespace holdfast {

int explain_command(const std::string& topic, std::ostream& out) {
  std::string text;
  if (topic.empty()) {
    text = explain_kinds();
  } else {
    const std::size_t dot = std::min(topic.find('.'), topic.size());
    text = explain(topic.substr(0, dot), dot < topic.size() ? topic.substr(dot + 1) : "");
  }
  out << text;
  if (text.empty() || text.back() != '\n') out << "\n";
  return 0;
}

}  // namespace holdfast
