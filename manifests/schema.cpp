#include <manifests/schema.hpp>

#include <manifests/diagnosis.hpp>
#include <manifests/error.hpp>
#include <manifests/json.hpp>
#include <manifests/text.hpp>

// The bundled header uses both without including them.
#include <limits>
#include <nlohmann/json.hpp>

#include <valijson_nlohmann_bundled.hpp>

#include <map>
#include <memory>
#include <mutex>

namespace holdfast {

namespace {

using Json = nlohmann::json;
using Adapter = valijson::adapters::NlohmannJsonAdapter;

/// The compiled schema of a kind or a record: made once, only read afterwards, so that threads share it.
const valijson::Schema& compiled(std::string_view kind) {
  static std::mutex mutex;
  static std::map<std::string, std::unique_ptr<valijson::Schema>, std::less<>> schemas;
  const std::lock_guard lock(mutex);
  std::unique_ptr<valijson::Schema>& held = schemas[std::string(kind)];
  if (held == nullptr) {
    const Value* schema = schema_of(kind) != nullptr ? schema_of(kind) : record_schema(kind);
    if (schema == nullptr) throw Error("expected a known kind, found \"" + std::string(kind) + "\"");
    auto made = std::make_unique<valijson::Schema>();
    const Json json = Json::parse(to_json(*schema));
    valijson::SchemaParser(valijson::SchemaParser::kDraft7).populateSchema(Adapter(json), *made);
    held = std::move(made);
  }
  return *held;
}

/// "<root>", "[spec]", "[port]" as "/spec/port".
std::string pointer_of(const std::vector<std::string>& context) {
  std::string pointer;
  for (std::size_t index = 1; index < context.size(); ++index) {
    std::string segment = context[index];
    if (segment.size() >= 2 && segment.front() == '[') segment = segment.substr(1, segment.size() - 2);
    pointer += "/" + pointer_segment(segment);
  }
  return pointer;
}

std::string as_words(std::string text) {
  if (!text.empty() && text.front() >= 'A' && text.front() <= 'Z') text.front() = static_cast<char>(text.front() + 32);
  if (text.ends_with('.')) text.pop_back();
  return text;
}

/// The validator's own verdict: only the deepest of the failures that it reports on the way up.
std::vector<Finding> judge(std::string_view kind, const Value& root) {
  thread_local valijson::Validator validator;
  const Json json = Json::parse(to_json(root));
  valijson::ValidationResults results;
  if (validator.validate(compiled(kind), Adapter(json), &results)) return {};
  std::vector<Finding> findings;
  std::size_t deepest = 0;
  for (const auto& error : results) {
    if (error.context.size() < deepest) continue;
    if (error.context.size() > deepest) findings.clear();
    deepest = error.context.size();
    findings.push_back({pointer_of(error.context), as_words(error.description), "", Finding::Place::value, ""});
  }
  return findings;
}

}  // namespace

std::vector<Finding> check_schema(std::string_view kind, const Value& root, const Document& document) {
  const Value* schema = schema_of(kind);
  if (schema == nullptr) throw Error("expected a known kind, found \"" + std::string(kind) + "\"");
  std::vector<Finding> findings = diagnose(*schema, root, document);
  // Texts that are too long for its patterns were refused just now, so it is asked only about what passed.
  if (findings.empty() && document.refused.empty()) findings = judge(kind, root);
  return findings;
}

std::vector<Finding> check_record(std::string_view record, const Value& value) { return judge(record, value); }

Problem to_problem(const Finding& finding, const Document& document) {
  Problem problem;
  problem.where =
      finding.place == Finding::Place::key ? document.key_at(finding.pointer) : document.at(finding.pointer);
  problem.what = finding.what;
  problem.hint = finding.hint;
  return problem;
}

}  // namespace holdfast
