#include <reconcilers/kinds/assembly.hpp>

#include <algorithm>
#include <set>

namespace holdfast {

namespace {

void settle_edges(const Assembly& assembly, Wanted& wanted) {
  std::set<PrimitiveId> after;
  for (const PrimitiveId& id : wanted.after) {
    if (assembly.has(id) && id != wanted.id) after.insert(id);
  }
  wanted.after.assign(after.begin(), after.end());
}

void settle_loads(const Assembly& assembly, Wanted& unit) {
  std::set<std::string> loads;
  if (const auto found = unit.parameters.find("loads"); found != unit.parameters.end()) {
    for (const std::string& id : found->second.as_texts()) {
      if (assembly.has(primitive_id(id))) loads.insert(id);
    }
  }
  unit.parameters["loads"] = Value::texts({loads.begin(), loads.end()});
}

void settle_on_change(Wanted& unit) {
  const auto wish = unit.parameters.find("on_change_default");
  const Value otherwise = wish == unit.parameters.end() ? Value("restart") : wish->second;
  unit.parameters.erase("on_change_default");
  unit.parameters.try_emplace("on_change", otherwise);
}

}  // namespace

void settle(Assembly& assembly) {
  for (Wanted& wanted : assembly.wanted) {
    settle_edges(assembly, wanted);
    const bool unit = wanted.id.type == PrimitiveType::unit;
    if (unit || wanted.parameters.contains("loads")) settle_loads(assembly, wanted);
    if (unit) settle_on_change(wanted);
  }
}

}  // namespace holdfast
