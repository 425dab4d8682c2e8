#include <manifests/resolve.hpp>

#include <manifests/formats.hpp>
#include <manifests/json.hpp>
#include <manifests/variables.hpp>

#include <algorithm>

namespace holdfast {

namespace {

ResourceId id_from(const std::string& reference) {
  const std::size_t slash = reference.find('/');
  return {reference.substr(0, slash), reference.substr(slash + 1)};
}

std::string name_of(const Value& root) {
  const Value* metadata = root.find("metadata");
  const Value* name = metadata == nullptr ? nullptr : metadata->find("name");
  return name != nullptr && name->is_text() && is_resource_name(name->as_text()) ? name->as_text() : "";
}

/// The text that a document has at a pointer, before expansion; "" where there is no text.
std::string text_at(const Value& root, std::string_view pointer) {
  const Value* place = &root;
  while (!pointer.empty() && place != nullptr) {
    pointer.remove_prefix(1);
    const std::string_view segment = pointer.substr(0, pointer.find('/'));
    pointer.remove_prefix(segment.size());
    if (place->is_list()) {
      const bool index = segment.find_first_not_of("0123456789") == std::string_view::npos && segment.size() < 7;
      const std::size_t at = index && !segment.empty() ? std::stoul(std::string(segment)) : place->as_list().size();
      place = at < place->as_list().size() ? &place->as_list()[at] : nullptr;
    } else {
      place = place->find(segment);
    }
  }
  return place != nullptr && place->is_text() ? place->as_text() : "";
}

/// Takes the members of the spec away that something is wrong with; true where the rest is a whole manifest.
bool leave_out(const Manifest& manifest, const std::vector<Finding>& findings, Value& root) {
  constexpr std::string_view spec = "/spec/";
  std::set<std::string> wrong = manifest.document.refused;
  for (const Finding& finding : findings) wrong.insert(finding.pointer);
  for (const std::string& pointer : wrong) {
    if (!pointer.starts_with(spec) || !root.at("spec").is_map()) return false;
    root["spec"].as_map().erase(pointer.substr(spec.size(), pointer.find('/', spec.size()) - spec.size()));
  }
  Document rest = manifest.document;
  rest.refused.clear();
  return check_schema(manifest.kind, root, rest).empty();
}

}  // namespace

Resolver::Resolver(const LoadedManifests& loaded, const Environment& environment, std::vector<Problem>& problems)
    : loaded_(loaded), environment_(environment), problems_(problems), made_(loaded.manifests.size()) {
  for (const Manifest& manifest : loaded.manifests) {
    const Value* spec = manifest.document.root.find("spec");
    used_.push_back(spec == nullptr ? std::set<std::string>() : used_variables(*spec));
  }
}

const Resolved& Resolver::resolve(std::size_t index, const Host& host) {
  const Map variables = used_[index].empty() ? Map() : variables_of(host);
  Map used;
  for (const std::string& name : used_[index]) {
    const auto found = variables.find(name);
    if (found != variables.end()) used[name] = found->second;
  }
  std::unique_ptr<Resolved>& made = made_[index][used.empty() ? "" : to_json(used)];
  if (made == nullptr) made = make(index, host, variables_of(host));
  return *made;
}

Map Resolver::variables_of(const Host& host) const {
  Map variables = overlay(environment_.vars, host.vars);
  variables["host"] = host.name;
  variables["environment"] = environment_.name;
  return variables;
}

std::unique_ptr<Resolved> Resolver::make(std::size_t index, const Host& host, const Map& variables) {
  const Manifest& manifest = loaded_.manifests[index];
  const Document& document = manifest.document;
  auto resolved = std::make_unique<Resolved>();
  Resource& resource = resolved->resource;
  resource.id = {manifest.kind, name_of(document.root)};
  resource.position = document.position;
  resource.positions = document.positions;
  resource.folder = manifest.folder;

  Value root = document.root;
  std::vector<Finding> findings;
  if (const Value* spec = document.root.find("spec")) {
    Expansion expansion = expand_variables(*spec, variables, "/spec");
    root["spec"] = std::move(expansion.value);
    findings = std::move(expansion.findings);
  }
  Document judged = document;
  for (const Finding& finding : findings) judged.refused.insert(finding.pointer);
  const std::vector<Finding> wrong = check_schema(manifest.kind, root, judged);
  findings.insert(findings.end(), wrong.begin(), wrong.end());
  tell(findings, manifest, host);
  const Value& schema = *schema_of(manifest.kind);
  resolved->references = find_references(schema, root);
  resolved->good = findings.empty() && document.refused.empty();
  if (!resolved->good && !leave_out(manifest, findings, root)) return resolved;
  read(*resolved, manifest, std::move(root));
  return resolved;
}

void Resolver::read(Resolved& resolved, const Manifest& manifest, Value root) {
  fill_defaults(*schema_of(manifest.kind), root);
  resolved.resource.spec = root.at("spec");
  if (const Value* after = root.at("metadata").find("after")) {
    for (const std::string& reference : after->as_texts()) resolved.resource.after.push_back(id_from(reference));
  }
  resolved.resource.partial = !resolved.good;
  resolved.readable = true;
}

void Resolver::tell(const std::vector<Finding>& findings, const Manifest& manifest, const Host& host) {
  for (const Finding& finding : findings) {
    if (problems_.size() > most_problems) return;
    Problem problem = place_finding(finding, manifest.document, loaded_.texts);
    const bool depends = has_variables(text_at(manifest.document.root, finding.pointer));
    if (depends && finding.needle.empty()) problem.what += " (on host \"" + host.name + "\")";
    problems_.push_back(std::move(problem));
  }
}

}  // namespace holdfast
