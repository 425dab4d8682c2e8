#include <manifests/references.hpp>

#include <manifests/text.hpp>

#include <algorithm>

namespace holdfast {

namespace {

constexpr std::size_t most_cycles = 20;

std::string hosts_words(const std::set<std::string>& hosts) {
  const std::string first = "host \"" + *hosts.begin() + "\"";
  if (hosts.size() == 1) return first;
  return first + " and " + std::to_string(hosts.size() - 1) + (hosts.size() == 2 ? " other" : " others");
}

ResourceId id_of(const std::string& reference) {
  const std::size_t slash = reference.find('/');
  return {reference.substr(0, slash), reference.substr(slash + 1)};
}

std::string unread_text(const LoadedManifests& loaded) {
  std::set<std::string> files;
  for (const Problem& problem : loaded.problems) files.insert(problem.where.file);
  std::string text;
  for (const std::string& file : files) {
    const auto found = loaded.texts.find(file);
    if (found != loaded.texts.end()) text += found->second;
  }
  return text;
}

}  // namespace

void ReferenceCheck::add_host(const std::string& host, const std::vector<const Resolved*>& resources) {
  std::map<ResourceId, const Resolved*> known;
  std::vector<std::string> names;
  for (const Resolved* resolved : resources) {
    const Resource& resource = resolved->resource;
    if (resource.id.name.empty()) continue;
    const auto [first, is_new] = known.emplace(resource.id, resolved);
    names.push_back(to_text(resource.id));
    everywhere_.insert(names.back());
    if (is_new) continue;
    const Position before = first->second->resource.at("/metadata/name");
    problems_.push_back({resource.at("/metadata/name"),
                         "duplicate resource \"" + names.back() + "\"",
                         "it is also in " + to_text(before),
                         "",
                         {before}});
  }
  Graph graph;
  for (const Resolved* resolved : resources) {
    for (const FoundReference& reference : resolved->references) {
      const ResourceId target = id_of(reference.text);
      const Position where = resolved->resource.at(reference.pointer);
      if (known.contains(target)) {
        if (reference.orders) graph[resolved->resource.id].emplace(target, where);
        continue;
      }
      Missing& missing = missing_[{where, reference.text}];
      if (missing.hosts.empty()) missing.known = names;
      missing.hosts.insert(host);
    }
  }
  find_cycles(graph);
}

void ReferenceCheck::find_cycles(const Graph& graph) {
  enum class State { open, done };
  std::map<ResourceId, State> states;
  struct Step {
    ResourceId id{};
    std::map<ResourceId, Position>::const_iterator next{};
  };
  for (const auto& [start, edges] : graph) {
    if (states.contains(start)) continue;
    // By hand, not by recursion: a chain may be as long as a host has resources.
    std::vector<Step> path = {{start, edges.begin()}};
    states[start] = State::open;
    while (!path.empty()) {
      const auto here = graph.find(path.back().id);
      if (here == graph.end() || path.back().next == here->second.end()) {
        states[path.back().id] = State::done;
        path.pop_back();
        continue;
      }
      const ResourceId target = (path.back().next++)->first;
      const auto state = states.find(target);
      if (state == states.end()) {
        const auto there = graph.find(target);
        states[target] = State::open;
        path.push_back({target, there == graph.end() ? here->second.end() : there->second.begin()});
      } else if (state->second == State::open) {
        const auto begin = std::find_if(path.begin(), path.end(), [&](const Step& step) { return step.id == target; });
        std::vector<ResourceId> cycle;
        std::transform(begin, path.end(), std::back_inserter(cycle), [](const Step& step) { return step.id; });
        add_cycle(graph, std::move(cycle));
      }
    }
  }
}

void ReferenceCheck::add_cycle(const Graph& graph, std::vector<ResourceId> cycle) {
  std::rotate(cycle.begin(), std::min_element(cycle.begin(), cycle.end()), cycle.end());
  std::string text;
  for (const ResourceId& id : cycle) text += to_text(id) + " -> ";
  text += to_text(cycle.front());
  if (cycles_.size() >= most_cycles || !cycles_.insert(text).second) return;
  Problem problem;
  problem.what = "cycle: " + text;
  problem.hint = "each waits for the next one: take one of the references away";
  for (std::size_t index = 0; index < cycle.size(); ++index) {
    const Position where = graph.at(cycle[index]).at(cycle[(index + 1) % cycle.size()]);
    if (index == 0) {
      problem.where = where;
    } else {
      problem.also.push_back(where);
    }
  }
  problems_.push_back(std::move(problem));
}

void ReferenceCheck::tell(const LoadedManifests& loaded, std::vector<Problem>& problems) const {
  const std::string unread = unread_text(loaded);
  problems.insert(problems.end(), problems_.begin(), problems_.end());
  for (const auto& [place, missing] : missing_) {
    const std::string& reference = place.second;
    const std::string kind = id_of(reference).kind;
    const std::vector<std::string>& known = fleet_kinds();
    Problem problem;
    problem.where = place.first;
    if (std::find(known.begin(), known.end(), kind) == known.end()) {
      problem.what = "reference to \"" + reference + "\" of the unknown kind \"" + kind + "\"";
      problem.hint = nearest_hint(kind, known);
    } else if (everywhere_.contains(reference)) {
      problem.what = "reference to \"" + reference + "\", which " + hosts_words(missing.hosts) + " does not have";
      problem.hint = "its metadata.hosts leaves it out there";
    } else {
      problem.what = "reference to \"" + reference + "\", which does not exist";
      problem.hint = nearest_hint(reference, missing.known);
    }
    if (unread.find(id_of(reference).name) == std::string::npos) problems.push_back(std::move(problem));
  }
}

}  // namespace holdfast
