#include <controller/health/watch.hpp>

#include <algorithm>
#include <set>

namespace holdfast {

namespace {

/// What the samples say of one check.
struct Tally {
  const Check* check = nullptr;
  int streak = 0;                   // passes in a row up to the newest sample
  std::int64_t first_failure = -1;  // index among the samples
  std::string found{};              // of the newest sample that failed
  std::int64_t restarts = -1;       // the newest counter
  std::int64_t moved = 0;           // how far the counter rose
  bool gave_up = false;
};

void count(Tally& tally, const Sample& sample, std::int64_t index) {
  if (sample.restarts >= 0) {
    if (tally.restarts >= 0) tally.moved += std::max<std::int64_t>(0, sample.restarts - tally.restarts);
    tally.restarts = sample.restarts;
  }
  tally.gave_up = sample.gave_up;
  if (sample.passed) {
    ++tally.streak;
    return;
  }
  tally.streak = 0;
  tally.found = sample.detail;
  if (tally.first_failure < 0) tally.first_failure = index;
}

bool counts_restarts(const Check& check) {
  const Value* unit = check.spec.find("unit");
  return unit != nullptr && unit->text_or("restarts", "unmoved") == "unmoved";
}

bool flaps(const Tally& tally) { return tally.moved >= 2 && counts_restarts(*tally.check); }

std::set<std::string> failed_before(const std::vector<Sample>& baseline) {
  std::set<std::string> names;
  for (const Sample& sample : baseline) {
    if (sample.passed) {
      names.erase(sample.check);
    } else {
      names.insert(sample.check);
    }
  }
  return names;
}

std::string finding(const Tally& tally, int passes) {
  if (tally.gave_up) return tally.found;
  if (flaps(tally)) return "restarted " + std::to_string(tally.moved) + " times: " + tally.found;
  if (tally.streak > 0 || tally.found.empty()) {
    return "passed " + std::to_string(tally.streak) + " of " + std::to_string(passes) + " times in a row" +
           (tally.found.empty() ? "" : ", before that: " + tally.found);
  }
  return tally.found;
}

/// Names the culprits: those that decide first, then by who failed first.
void blame(Verdict& verdict, std::vector<Tally> culprits, int passes) {
  constexpr std::size_t told = 3;
  verdict.state = Verdict::State::unhealthy;
  const auto rank = [](const Tally& tally) {
    const bool never_failed = tally.first_failure < 0;
    return std::tuple(!(tally.gave_up || flaps(tally)), never_failed, tally.first_failure);
  };
  std::stable_sort(culprits.begin(), culprits.end(), [&](const Tally& a, const Tally& b) { return rank(a) < rank(b); });
  for (const Tally& tally : culprits) {
    verdict.blamed.push_back(tally.check->name);
    if (verdict.blamed.size() > told) continue;
    if (!verdict.why.empty()) verdict.why += "; ";
    verdict.why += "\"" + tally.check->name + "\": " + finding(tally, passes);
  }
  if (culprits.size() > told) verdict.why += "; and " + std::to_string(culprits.size() - told) + " more";
}

std::vector<Tally> tally_up(const std::vector<Check>& checks, const std::vector<Sample>& baseline,
                            const std::vector<Sample>& samples, std::int64_t deadline) {
  std::vector<Tally> tallies;
  std::map<std::string_view, std::size_t> places;
  for (const Check& check : checks) {
    places.emplace(check.name, tallies.size());
    tallies.push_back({.check = &check});
  }
  // Restarts are counted from before the change: the first round may come late, after many of them.
  for (const Sample& sample : baseline) {
    if (const auto place = places.find(sample.check); place != places.end()) {
      tallies[place->second].restarts = sample.restarts;
    }
  }
  for (std::size_t index = 0; index < samples.size(); ++index) {
    const auto place = places.find(samples[index].check);
    if (place == places.end() || samples[index].at_ms > deadline) continue;
    count(tallies[place->second], samples[index], static_cast<std::int64_t>(index));
  }
  return tallies;
}

}  // namespace

Verdict judge(const std::vector<Check>& checks, const std::vector<Sample>& baseline, const std::vector<Sample>& samples,
              const HealthPolicy& policy, std::int64_t begun_ms, std::int64_t now_ms, bool blame_baseline) {
  const int passes = std::max(1, policy.passes);
  const std::int64_t deadline = begun_ms + policy.window_ms;
  std::vector<Tally> tallies = tally_up(checks, baseline, samples, deadline);
  Verdict verdict;
  bool recovering = false;  // what failed before gets the whole window to pass: the change may be what mends it
  if (!blame_baseline) {
    const std::set<std::string> already = failed_before(baseline);
    const auto was_failing = [&](const Tally& tally) { return already.contains(tally.check->name); };
    for (const Tally& tally : tallies) {
      if (was_failing(tally) && tally.streak < passes) verdict.already.push_back(tally.check->name);
    }
    recovering = !verdict.already.empty() && now_ms + round_interval_ms(policy) <= deadline;
    std::erase_if(tallies, was_failing);
  }

  bool hopeless = false;
  int least = passes;
  for (const Tally& tally : tallies) {
    hopeless = hopeless || tally.gave_up || flaps(tally);
    least = std::min(least, tally.streak);
  }
  if (!hopeless && least >= passes) {
    if (recovering) return verdict;
    verdict.state = Verdict::State::healthy;
    return verdict;
  }
  // The next round can begin now at the earliest, and each further one an interval later.
  const std::int64_t earliest = now_ms + (passes - least - 1) * round_interval_ms(policy);
  if (!hopeless && now_ms < deadline && (samples.empty() || earliest <= deadline)) return verdict;
  std::erase_if(tallies, [&](const Tally& tally) {
    const bool decides = tally.gave_up || flaps(tally);
    return !decides && tally.streak >= (hopeless ? 1 : passes);
  });
  blame(verdict, std::move(tallies), passes);
  return verdict;
}

}  // namespace holdfast
