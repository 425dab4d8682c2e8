#include <reconcilers/host/events.hpp>

#include <algorithm>

namespace holdfast {

namespace {
constexpr std::size_t max_output_bytes = 4U << 20U;
constexpr std::size_t max_text_bytes = 64U << 10U;
}  // namespace

void Events::tell(Map event) { file_.append(std::move(event), Durability::buffered); }

void Events::phase(std::string_view name) { tell({{"kind", "phase"}, {"phase", name}}); }

void Events::action(const PrimitiveId& id, std::string_view state, const std::string& detail, Map more) {
  more.insert(
      {{"kind", "action"}, {"id", to_text(id)}, {"state", state}, {"detail", detail.substr(0, max_text_bytes)}});
  tell(std::move(more));
}

void Events::output(const PrimitiveId& id, std::string_view text) {
  const std::size_t room = max_output_bytes - output_bytes_;
  const std::string_view told = text.substr(0, std::min(room, max_text_bytes));
  if (told.empty()) return;
  output_bytes_ += told.size();
  tell({{"kind", "output"}, {"id", to_text(id)}, {"text", told}});
}

void Events::backup(const std::string& policy, const std::string& text) {
  tell({{"kind", "backup"}, {"policy", policy}, {"text", text.substr(0, max_text_bytes)}});
}

void Events::validator(const std::string& name, bool ok, const std::string& output) {
  tell({{"kind", "validator"}, {"name", name}, {"ok", ok}, {"output", output.substr(0, max_text_bytes)}});
}

}  // namespace holdfast
