#include <controller/git/last_change.hpp>

namespace holdfast {

std::optional<Commit> last_change(const Mirror& mirror, const std::string& head,
                                  const std::function<std::string(const std::string& commit)>& look, std::size_t most) {
  std::optional<Commit> now = mirror.commit(head);
  if (!now) return std::nullopt;
  const std::string answer = look(head);
  for (std::size_t looked = 0; looked < most; ++looked) {
    std::optional<Commit> same;
    for (const std::string& parent : now->parents) {
      if (look(parent) != answer) continue;
      same = mirror.commit(parent);
      break;
    }
    if (!same) return now->parents.empty() && answer.empty() ? std::nullopt : now;
    now = std::move(same);
  }
  return std::nullopt;
}

}  // namespace holdfast
