#include <reconcilers/kinds/assembly.hpp>

#include <algorithm>

namespace holdfast {

namespace {

constexpr std::size_t most_cycles = 10;

/// Depth-first search that does not use the call stack: a chain may be as long as the bundle.
class CycleSearch {
 public:
  explicit CycleSearch(Assembly& assembly) : assembly_(assembly), colors_(assembly.wanted.size(), Color::unseen) {}

  void run() {
    for (std::size_t start = 0; start < colors_.size() && found_ < most_cycles; ++start) {
      if (colors_[start] == Color::unseen) search_from(start);
    }
  }

 private:
  enum class Color { unseen, open, done };
  struct Visit {
    std::size_t at = 0;
    std::size_t next = 0;  // edge to follow
  };

  void search_from(std::size_t start) {
    path_ = {{start, 0}};
    colors_[start] = Color::open;
    while (!path_.empty()) {
      Visit& visit = path_.back();
      const std::vector<PrimitiveId>& after = assembly_.wanted[visit.at].after;
      if (visit.next == after.size()) {
        colors_[visit.at] = Color::done;
        path_.pop_back();
        continue;
      }
      const std::size_t target = assembly_.index.at(after[visit.next++]);
      if (colors_[target] == Color::open) tell(target);
      if (colors_[target] != Color::unseen) continue;
      colors_[target] = Color::open;
      path_.push_back({target, 0});
    }
  }

  void tell(std::size_t first) {
    if (++found_ > most_cycles) return;
    auto visit = std::find_if(path_.begin(), path_.end(), [first](const Visit& one) { return one.at == first; });
    const Wanted& wanted = assembly_.wanted[first];
    std::string text;
    std::vector<Position> also;
    for (; visit != path_.end(); ++visit) {
      const Wanted& member = assembly_.wanted[visit->at];
      text += "\"" + to_text(member.id) + "\" (" + member.origin.resource + ") needs ";
      if (member.origin.position != wanted.origin.position) also.push_back(member.origin.position);
    }
    assembly_.problem(wanted.origin.position, "cycle: " + text + "\"" + to_text(wanted.id) + "\"",
                      "take one of these needs away", std::move(also));
  }

  Assembly& assembly_;
  std::vector<Color> colors_;
  std::vector<Visit> path_{};
  std::size_t found_ = 0;
};

}  // namespace

void check_cycles(Assembly& assembly) { CycleSearch(assembly).run(); }

}  // namespace holdfast
