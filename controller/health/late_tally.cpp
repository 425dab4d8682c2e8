#include <controller/health/late_tally.hpp>

#include <controller/health/match.hpp>
#include <manifests/error.hpp>
#include <manifests/problem.hpp>

#include <algorithm>
#include <array>
#include <cmath>
#include <cstdio>

namespace holdfast {

namespace {

constexpr double minute_s = 60;
constexpr std::size_t most_loads = 61;

std::string percent(double share) {
  std::array<char, 32> text{};
  std::snprintf(text.data(), text.size(), "%.1f", share * 100);
  std::string shown = text.data();
  if (shown.ends_with(".0")) shown.resize(shown.size() - 2);
  return shown + "%";
}

/// More of `samples` than `most` (a share) are bad: surely so when as many are as the whole watch may have, and as soon
/// as twice the samples are there in which one is to be expected. One alone is chance.
bool is_over(std::int64_t bad, std::int64_t samples, double most, std::int64_t expected) {
  if (bad < 2) return false;
  const auto budget = static_cast<std::int64_t>(std::floor(most * static_cast<double>(expected)));
  if (bad > std::max<std::int64_t>(budget, 1)) return true;
  constexpr double least = 20;
  const double enough = std::max(least, 2 / std::max(most, 1e-9));
  const auto all = static_cast<double>(samples);
  return all >= enough && static_cast<double>(bad) / all > most;
}

bool counts_restarts(const Check& check) {
  const Value* unit = check.spec.find("unit");
  return unit != nullptr && unit->text_or("restarts", "unmoved") == "unmoved";
}

Value to_list(const HostLoad& load) {
  // Thousandths: numbers of JSON are whole here.
  const auto thousandths = [](double value) { return static_cast<std::int64_t>(std::llround(value * 1000)); };
  return List{thousandths(load.uptime_s), thousandths(load.cpu_s), thousandths(load.processors),
              thousandths(load.memory)};
}

HostLoad load_from(const Value& value) {
  const List& list = value.as_list();
  const auto at = [&](std::size_t i) { return static_cast<double>(list.at(i).as_int()) / 1000; };
  return {.uptime_s = at(0), .cpu_s = at(1), .processors = at(2), .memory = at(3)};
}

}  // namespace

LateTally::LateTally(std::map<std::string, std::int64_t> restarts, const std::vector<std::string>& already) {
  for (const auto& [check, counter] : restarts) counts_[check].restarts = counter;
  for (const std::string& check : already) counts_[check].already = true;
}

LateTally LateTally::from(const Value& value) {
  LateTally tally({}, {});
  try {
    tally.watched_ms_ = std::max<std::int64_t>(0, value.at("watched_ms").as_int());
    tally.rounds_ = value.at("rounds").as_int();
    for (const auto& [name, one] : value.at("checks").as_map()) {
      tally.counts_[name] = {.samples = one.at("samples").as_int(),
                             .failed = one.at("failed").as_int(),
                             .slow = one.at("slow").as_int(),
                             .streak = one.at("streak").as_int(),
                             .restarts = one.at("restarts").as_int(),
                             .moved = one.at("moved").as_int(),
                             .gave_up = false,
                             .already = one.at("already").as_bool(),
                             .slowest_ms = one.at("slowest_ms").as_int(),
                             .found = one.at("found").as_text()};
    }
    for (const Value& load : value.at("loads").as_list()) tally.loads_.push_back(load_from(load));
    return tally;
  } catch (const std::exception&) {
    return {{}, {}};
  }
}

Value LateTally::to_value() const {
  Map checks;
  for (const auto& [name, one] : counts_) {
    checks[name] = Map{{"samples", one.samples},       {"failed", one.failed},     {"slow", one.slow},
                       {"streak", one.streak},         {"restarts", one.restarts}, {"moved", one.moved},
                       {"already", one.already},       {"found", one.found},       {"slowest_ms", one.slowest_ms}};
  }
  List loads;
  for (const HostLoad& load : loads_) loads.push_back(to_list(load));
  return Map{{"watched_ms", watched_ms_}, {"rounds", rounds_}, {"checks", checks}, {"loads", loads}};
}

void LateTally::add(const std::vector<Check>& checks, const LateRound& round, const LateWatchPolicy& policy) {
  ++rounds_;
  watched_ms_ += std::max<std::int64_t>(0, round.passed_ms);
  for (const Sample& sample : round.samples) {
    Count& count = counts_[sample.check];
    ++count.samples;
    count.gave_up = sample.gave_up;
    if (sample.restarts >= 0) {
      if (count.restarts >= 0) count.moved += std::max<std::int64_t>(0, sample.restarts - count.restarts);
      count.restarts = sample.restarts;
    }
    const auto check = std::ranges::find(checks, sample.check, &Check::name);
    if (check != checks.end() && check->spec.find("http") != nullptr) {
      count.slowest_ms = std::max(count.slowest_ms, sample.took_ms);
      if (policy.latency_ms && sample.took_ms > *policy.latency_ms) ++count.slow;
    }
    count.streak = sample.passed ? 0 : count.streak + 1;
    if (sample.passed) continue;
    ++count.failed;
    count.found = sample.detail;
  }
  if (!round.load) return;
  if (!loads_.empty() && round.load->uptime_s <= loads_.back().uptime_s) loads_.clear();  // it was booted
  loads_.push_back(*round.load);
  while (loads_.size() > most_loads || (loads_.size() > 2 && loads_.back().uptime_s - loads_[1].uptime_s >= minute_s)) {
    loads_.pop_front();
  }
}

Verdict LateTally::judge(const std::vector<Check>& checks, const LateWatchPolicy& policy) const {
  Verdict verdict;
  for (const Check& check : checks) {
    const auto found = counts_.find(check.name);
    if (found == counts_.end()) continue;
    if (found->second.already) {
      verdict.already.push_back(check.name);
      continue;
    }
    const std::string why = broken(check, found->second, policy);
    if (why.empty()) continue;
    verdict.why += (verdict.why.empty() ? "" : "; ") + ("\"" + check.name + "\" " + why);
    verdict.blamed.push_back(check.name);
  }
  if (const std::string why = overloaded(policy); !why.empty()) verdict.why += (verdict.why.empty() ? "" : "; ") + why;
  if (!verdict.why.empty()) {
    verdict.state = Verdict::State::unhealthy;
  } else if (watched_ms_ >= policy.for_ms) {
    verdict.state = Verdict::State::healthy;
  }
  return verdict;
}

std::string LateTally::broken(const Check& check, const Count& count, const LateWatchPolicy& policy) const {
  const std::string found = count.found.empty() ? "" : ": " + count.found;
  if (counts_restarts(check)) {
    if (count.gave_up) return "is given up by systemd" + found;
    if (count.moved > policy.restarts) {
      return "was restarted by systemd " + std::to_string(count.moved) + " times, at most " +
             std::to_string(policy.restarts) + " may be";
    }
  }
  if (count.streak >= policy.failures) return "failed " + std::to_string(count.streak) + " times in a row" + found;
  if (check.spec.find("http") == nullptr) return "";
  const std::int64_t expected = std::max(policy.for_ms / std::max<std::int64_t>(policy.every_ms, 1), count.samples);
  const auto share = [&](std::int64_t bad) { return static_cast<double>(bad) / static_cast<double>(count.samples); };
  const std::string of = " of " + std::to_string(count.samples) + " answers (";
  if (policy.latency_ms && is_over(count.slow, count.samples, 1 - policy.percentile, expected)) {
    return "was slow: " + std::to_string(count.slow) + of + percent(share(count.slow)) + ") took longer than " +
           milliseconds_text(*policy.latency_ms) + ", at most " + percent(1 - policy.percentile) +
           " may; the slowest took " + milliseconds_text(count.slowest_ms);
  }
  if (policy.errors && is_over(count.failed, count.samples, *policy.errors, expected)) {
    return "failed too often: " + std::to_string(count.failed) + of + percent(share(count.failed)) + "), at most " +
           percent(*policy.errors) + " may" + found;
  }
  return "";
}

/// Over a minute, or half of a watch that is shorter than two.
std::string LateTally::overloaded(const LateWatchPolicy& policy) const {
  constexpr double milliseconds = 1000;
  if (loads_.size() < 2) return "";
  const double time = loads_.back().uptime_s - loads_.front().uptime_s;
  const double least = std::min(minute_s, static_cast<double>(policy.for_ms) / milliseconds / 2);
  if (time < least && watched_ms_ < policy.for_ms) return "";
  const std::string span = " in the last " + std::to_string(static_cast<int>(std::lround(time))) + " s, at most ";
  const auto busy = busy_between(loads_.front(), loads_.back());
  if (policy.cpu && busy && *busy > *policy.cpu) {
    return "the host's processors were " + percent(*busy) + " busy" + span + percent(*policy.cpu) + " may be";
  }
  double memory = 0;
  for (const HostLoad& load : loads_) memory += load.memory / static_cast<double>(loads_.size());
  if (policy.memory && memory > *policy.memory) {
    return percent(memory) + " of the host's memory were used" + span + percent(*policy.memory) + " may be";
  }
  return "";
}

std::string LateTally::failing() const {
  for (const auto& [name, count] : counts_) {
    if (count.streak > 0 && !count.already) return "\"" + name + "\": " + count.found;
  }
  return "";
}

std::string LateTally::summary() const {
  std::int64_t failed = 0;
  std::int64_t slowest_ms = 0;
  for (const auto& [name, count] : counts_) {
    failed += count.already ? 0 : count.failed;
    slowest_ms = std::max(slowest_ms, count.slowest_ms);
  }
  std::string text = std::to_string(rounds_) + (rounds_ == 1 ? " round, " : " rounds, ") +
                     (failed == 0 ? "no failure" : std::to_string(failed) + (failed == 1 ? " failure" : " failures"));
  if (slowest_ms > 0) text += ", slowest answer " + milliseconds_text(slowest_ms);
  return text;
}

}  // namespace holdfast
