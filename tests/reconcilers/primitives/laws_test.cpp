// The laws that make everything above the primitives simple. Each holds for many generated pairs of what is there and
// what is wanted; what a seed generates is always the same.
#include "machine.hpp"

#include <manifests/json.hpp>
#include <reconcilers/primitives/place.hpp>
#include <reconcilers/primitives/tree_record.hpp>
#include <reconcilers/tree_digest.hpp>

#include <catch2/catch.hpp>

#include <functional>
#include <random>

namespace holdfast {
namespace {

constexpr int rounds = 150;

class Dice {
 public:
  explicit Dice(unsigned seed) : engine_(seed) {}
  unsigned roll(unsigned sides) { return std::uniform_int_distribution<unsigned>(0, sides - 1)(engine_); }
  template <typename T>
  T one_of(const std::vector<T>& choices) {
    return choices[roll(static_cast<unsigned>(choices.size()))];
  }

 private:
  std::mt19937 engine_;
};

const std::vector<std::string> contents = {"", "one\n", "two\n", std::string(300'000, 'x'),
                                           std::string("\0bin\xff", 5)};
const std::vector<unsigned> modes = {0644, 0600, 0755, 0640, 02755, 0400};
const std::vector<unsigned> ids = {0, 1001, 1002};
const std::vector<std::string> names = {"root", "alice", "bob", "1001"};

using Snapshot = std::map<std::string, std::string>;

/// What is in one snapshot only, line by line; empty for equal ones.
std::string difference(const Snapshot& left, const Snapshot& right) {
  std::string text;
  for (const auto& entry : left) {
    const auto other = right.find(entry.first);
    if (other == right.end() || other->second != entry.second) text += "- " + entry.first + " " + entry.second + "\n";
  }
  for (const auto& entry : right) {
    const auto other = left.find(entry.first);
    if (other == left.end() || other->second != entry.second) text += "+ " + entry.first + " " + entry.second + "\n";
  }
  return text;
}

/// One law after the other for one pair. `keep` saves in the vault what the undo needs, as the engine does.
void hold_laws(TestMachine& machine, TestVault& vault, const Wanted& wanted, const std::string& below) {
  const auto before = machine.snapshot(below, false);
  const auto untouched = machine.snapshot("/", true);
  const Attributes from = observe_one(*machine.system, wanted);
  const Attributes to = goal_of(*machine.system, vault, wanted, from);
  REQUIRE(difference(untouched, machine.snapshot("/", true)) == "");  // observe writes nothing

  const Steps steps = steps_of(wanted, from, to);
  const Steps undo = steps_of(wanted, to, from);
  INFO(to_text(wanted.id) << "\nfrom " << to_json(from) << "\nto " << to_json(to));
  if (wanted.id.type == PrimitiveType::file && is_present(from)) vault.put(machine.read(wanted.id.name));

  execute_all(machine, vault, wanted, steps);
  const Attributes after = observe_one(*machine.system, wanted);
  for (const auto& [key, value] : goal_of(*machine.system, vault, wanted, from)) {
    if (wanted.attributes.contains(key)) CHECK(after.at(key) == value);  // apply then observe = wanted
  }
  const auto applied = machine.snapshot(below, false);
  CHECK(steps_of(wanted, after, goal_of(*machine.system, vault, wanted, after)).list.empty());  // again = nothing to do
  execute_all(machine, vault, wanted, steps);
  CHECK(difference(applied, machine.snapshot(below, false)) == "");  // a step done twice is a step done once

  if (!steps.irreversible.empty()) return;
  execute_all(machine, vault, wanted, undo);
  execute_all(machine, vault, wanted, undo);
  auto undone = machine.snapshot(below, false);
  std::erase_if(undone, [](const auto& entry) { return entry.first.find("/.holdfast-removed-") != std::string::npos; });
  CHECK(difference(before, undone) == "");  // undo = as before
}

void for_each_pair(const std::function<void(TestMachine&, TestVault&, Dice&)>& pair) {
  for (unsigned seed = 0; seed < rounds; ++seed) {
    INFO("seed " << seed);
    TestMachine machine;
    TestVault vault(machine);
    Dice dice(seed);
    pair(machine, vault, dice);
  }
}

void want_owner(Dice& dice, Attributes& attributes) {
  if (dice.roll(3) > 0) attributes["owner"] = dice.one_of(names);
  if (dice.roll(3) > 0) attributes["group"] = dice.one_of(names);
}

}  // namespace

TEST_CASE("the laws hold for files") {
  for_each_pair([](TestMachine& machine, TestVault& vault, Dice& dice) {
    if (dice.roll(4) > 0) {
      machine.write("/srv/f", dice.one_of(contents), dice.one_of(modes), dice.one_of(ids), dice.one_of(ids));
    }
    Wanted wanted{.id = {PrimitiveType::file, "/srv/f"}, .attributes = {{"present", false}}};
    if (dice.roll(5) > 0) {
      wanted.attributes = {
          {"present", true}, {"content", vault.put(dice.one_of(contents))}, {"mode", dice.one_of(modes)}};
      want_owner(dice, wanted.attributes);
    }
    hold_laws(machine, vault, wanted, "/srv");
  });
}

TEST_CASE("the laws hold for directories") {
  for_each_pair([](TestMachine& machine, TestVault& vault, Dice& dice) {
    if (dice.roll(4) > 0) {
      machine.folder("/srv/d", dice.one_of(modes), dice.one_of(ids), dice.one_of(ids));
    }
    Wanted wanted{.id = {PrimitiveType::directory, "/srv/d"}, .attributes = {{"present", false}}};
    if (dice.roll(5) > 0) {
      wanted.attributes = {{"present", true}, {"mode", dice.one_of(modes)}};
      want_owner(dice, wanted.attributes);
      if (machine.system->stat("/srv/d") && dice.roll(2) > 0) {
        machine.write("/srv/d/inner", "x", 04755, dice.one_of(ids), dice.one_of(ids));
        machine.link("/srv/d/link", "/etc/passwd");
        wanted.attributes["foreign"] = 0;
        wanted.parameters["recursive"] = true;
      }
    }
    hold_laws(machine, vault, wanted, "/srv");
  });
}

TEST_CASE("the laws hold for links") {
  const std::vector<std::string> targets = {"a", "/etc/passwd", "../nowhere", "releases/b"};
  for_each_pair([&](TestMachine& machine, TestVault& vault, Dice& dice) {
    if (dice.roll(3) > 0) machine.link("/srv/l", dice.one_of(targets));
    Wanted wanted{.id = {PrimitiveType::link, "/srv/l"}, .attributes = {{"present", false}}};
    if (dice.roll(4) > 0) wanted.attributes = {{"present", true}, {"target", dice.one_of(targets)}};
    hold_laws(machine, vault, wanted, "/srv");
  });
}

namespace {

Value entry_of(TestVault& vault, Dice& dice, const std::string& path) {
  if (dice.roll(5) == 0) return Map{{"path", path}, {"target", "elsewhere"}};
  const std::string content = dice.one_of(contents);
  return Map{{"path", path},
             {"mode", dice.roll(2) > 0 ? 0644 : 0755},
             {"content", vault.put(content)},
             {"size", static_cast<std::uint64_t>(content.size())}};
}

Wanted random_tree(TestVault& vault, Dice& dice) {
  List entries;
  for (const char* path : {"README", "a/b/deep", "a/file", "bin/run"}) {
    if (dice.roll(4) > 0) entries.push_back(entry_of(vault, dice, path));
  }
  Wanted wanted{.id = {PrimitiveType::tree, "/srv/releases/c0ffee"}};
  wanted.attributes = {{"present", true}, {"digest", tree_digest(entries)}};
  want_owner(dice, wanted.attributes);
  wanted.parameters["entries"] = entries;
  if (dice.roll(2) > 0) wanted.parameters["revision_file"] = Map{{"name", "REVISION"}, {"text", "c0ffee\n"}};
  if (dice.roll(3) == 0) {
    wanted.attributes["built"] = sha256("build");
    wanted.parameters["build"] =
        Map{{"steps", List{Value::texts({"mkdir", "-p", "built"}), Value::texts({"cp", "/bin/true", "built/true"})}}};
  }
  return wanted;
}

void damage(TestMachine& machine, Dice& dice) {
  const std::string base = "/srv/releases/c0ffee";
  const auto entries = machine.snapshot(base, false);
  for (const auto& [path, description] : entries) {
    if (description.starts_with("100") && dice.roll(3) == 0) machine.write(path.substr(machine.root.size()), "damaged");
  }
}

}  // namespace

TEST_CASE("the laws hold for trees") {
  for_each_pair([](TestMachine& machine, TestVault& vault, Dice& dice) {
    machine.folder("/srv/releases");
    Wanted wanted = random_tree(vault, dice);
    const unsigned start = dice.roll(4);
    if (start > 0) converge(machine, vault, wanted);
    if (start == 2) damage(machine, dice);
    if (start == 3) wanted.attributes = {{"present", false}};
    hold_laws(machine, vault, wanted, "/srv");
  });
}

}  // namespace holdfast
