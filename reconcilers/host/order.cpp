#include <reconcilers/host/order.hpp>

#include <manifests/error.hpp>

#include <algorithm>
#include <map>
#include <set>
#include <utility>

namespace holdfast {

namespace {

/// Old units stop before the files change and new ones start after it; what others stand on goes last of all.
int rank_of(const OrderNode& node) {
  constexpr int before_files = 6;
  constexpr int last = 20;
  const int rank = static_cast<int>(node.id.type);
  switch (node.id.type) {
    case PrimitiveType::unit:
      return node.leaving ? before_files : rank + before_files;
    case PrimitiveType::file:
    case PrimitiveType::link:
      return rank + before_files;
    case PrimitiveType::command:
      return rank;  // its undo goes before what it was run with
    case PrimitiveType::package:
      return rank;  // comes and goes in one apt transaction, where nothing forbids it
    default:
      return node.leaving ? last - rank : rank;
  }
}

bool is_foundation(PrimitiveType type) {
  return type != PrimitiveType::file && type != PrimitiveType::link && type != PrimitiveType::unit &&
         type != PrimitiveType::command;
}

/// Whether the edge "node after needed" is walked the other way: what leaves goes before what it needed, and a folder,
/// account or package that leaves goes after whoever still changes away from it. Nothing stands on a command: what
/// waits for one to run waits also where it leaves, but for a unit, which is stopped before.
bool is_turned(const OrderNode& node, const OrderNode& needed) {
  const bool waits = needed.id.type == PrimitiveType::command && !needed.leaving;
  if (waits && node.id.type != PrimitiveType::unit && node.id.type != PrimitiveType::command) return false;
  return node.leaving || (needed.leaving && is_foundation(needed.id.type));
}

class Graph {
 public:
  explicit Graph(const std::vector<OrderNode>& nodes) : nodes_(nodes), next_(nodes.size()), waiting_(nodes.size()) {
    std::map<PrimitiveId, std::size_t> index;
    for (std::size_t i = 0; i < nodes.size(); ++i) index.emplace(nodes[i].id, i);
    for (std::size_t i = 0; i < nodes.size(); ++i) {
      for (const PrimitiveId& id : nodes[i].after) {
        const auto found = index.find(id);
        if (found != index.end()) connect(i, found->second);
      }
    }
    for (std::size_t i = 0; i < nodes.size(); ++i) rest_.insert(key(i));
    for (std::size_t i = 0; i < nodes.size(); ++i) {
      if (free(i)) ready_.insert(key(i));
    }
  }

  std::vector<std::size_t> sort() {
    std::vector<std::size_t> order;
    while (!rest_.empty()) {
      const std::size_t node = ready_.empty() ? let_go() : ready_.begin()->index;
      order.push_back(node);
      take(node);
    }
    return order;
  }

 private:
  struct Key {
    int rank = 0;
    std::int64_t place = 0;
    std::size_t index = 0;
    auto operator<=>(const Key&) const = default;
  };
  struct Edge {
    std::size_t to = 0;
    bool turned = false;
  };
  struct Waiting {
    std::size_t straight = 0;
    std::size_t turned = 0;
  };

  [[nodiscard]] Key key(std::size_t i) const {
    const auto place = static_cast<std::int64_t>(i);
    return {rank_of(nodes_[i]), nodes_[i].leaving ? -place : place, i};
  }

  [[nodiscard]] bool free(std::size_t i) const { return waiting_[i].straight + waiting_[i].turned == 0; }

  void connect(std::size_t node, std::size_t needed) {
    if (is_turned(nodes_[node], nodes_[needed])) {
      next_[node].push_back({needed, true});
      ++waiting_[needed].turned;
    } else {
      next_[needed].push_back({node, false});
      ++waiting_[node].straight;
    }
  }

  void take(std::size_t node) {
    rest_.erase(key(node));
    ready_.erase(key(node));
    for (const Edge& edge : next_[node]) {
      Waiting& waiting = waiting_[edge.to];
      if (edge.turned)
        --waiting.turned;
      else
        --waiting.straight;
      if (free(edge.to) && rest_.contains(key(edge.to))) ready_.insert(key(edge.to));
    }
  }

  /// Turned edges can meet straight ones in a circle (X stops, F that X used changes, S that fronts X loads F). The
  /// straight ones are what was asked for: the first node that only a turned one holds back goes.
  std::size_t let_go() {
    for (const Key& one : rest_) {
      if (waiting_[one.index].straight == 0) return one.index;
    }
    throw Error("these need each other in a circle: " + circle());
  }

  [[nodiscard]] std::string circle() const {
    std::string text;
    int told = 0;
    for (const Key& one : rest_) {
      if (++told > 8) return text + ", …";
      text += (told == 1 ? "" : ", ") + to_text(nodes_[one.index].id);
    }
    return text;
  }

  const std::vector<OrderNode>& nodes_;
  std::vector<std::vector<Edge>> next_;
  std::vector<Waiting> waiting_;
  std::set<Key> rest_;
  std::set<Key> ready_;
};

}  // namespace

std::vector<std::size_t> order_of(const std::vector<OrderNode>& nodes) { return Graph(nodes).sort(); }

}  // namespace holdfast
