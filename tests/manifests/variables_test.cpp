#include <manifests/json.hpp>
#include <manifests/variables.hpp>

#include <catch2/catch.hpp>

using namespace holdfast;

namespace {

const Map variables = {
    {"domain", "example.com"}, {"workers", 4}, {"debug", false}, {"ratio", 0.5}, {"app.name", "cvd"}};

Value expanded(const Value& value) {
  const Expansion expansion = expand_variables(value, variables, "/spec");
  REQUIRE(expansion.findings.empty());
  return expansion.value;
}

std::string complaint(const std::string& text) {
  const Expansion expansion = expand_variables(text, variables, "/spec/text");
  return expansion.findings.empty() ? "" : expansion.findings.front().what + ": " + expansion.findings.front().hint;
}

}  // namespace

TEST_CASE("a text that is one variable takes its type", "[variables]") {
  CHECK(expanded("${workers}") == Value(4));
  CHECK(expanded("${debug}") == Value(false));
  CHECK(expanded("${domain}") == Value("example.com"));
}

TEST_CASE("inside a text a variable is its text", "[variables]") {
  CHECK(expanded("https://${domain}:${workers}/${debug}/${ratio}/${app.name}") ==
        Value("https://example.com:4/false/0.5/cvd"));
}

TEST_CASE("variables are expanded in lists and maps, but not in keys", "[variables]") {
  CHECK(to_json(expanded(Map{{"${domain}", List{"${workers}", "x"}}})) == R"({"${domain}":[4,"x"]})");
}

TEST_CASE("what is no name in braces stays: nginx and shells have their own", "[variables]") {
  for (const char* text : {"$host", "$", "$$", "${1}", "${}", "${#x}", "${x:-y}", "a$", "$(id)", "{workers}"}) {
    CHECK(expanded(text) == Value(text));
  }
}

TEST_CASE("two dollars stand for one before a brace", "[variables]") {
  CHECK(expanded("$${workers} ${workers}") == Value("${workers} 4"));
  CHECK(expanded("$$") == Value("$$"));
}

TEST_CASE("the value of a variable is data and never expanded again", "[variables]") {
  const Map hostile = {{"a", "${b}"}, {"b", "secret"}};
  CHECK(expand_variables("x ${a}", hostile, "").value == Value("x ${b}"));
  CHECK(expand_variables("${a}", hostile, "").value == Value("${b}"));
}

TEST_CASE("an undefined variable is a problem that names the nearest", "[variables]") {
  CHECK(complaint("${domian}") == "undefined variable \"${domian}\": did you mean \"domain\"?");
  CHECK(complaint("x ${nothing.here}").find("write $${nothing.here} for the text itself") != std::string::npos);
}

TEST_CASE("an unclosed variable is a problem", "[variables]") {
  CHECK(complaint("a ${domain").find("unclosed \"${domain\"") == 0);
  CHECK(complaint("a ${domain\n}").find("unclosed \"${domain\"") == 0);
  CHECK(complaint("a ${").find("unclosed \"${\"") == 0);
  CHECK(complaint("${ domain }").find("space inside") == 0);
}

TEST_CASE("expansion has a limit", "[variables]") {
  const Map large = {{"x", std::string(100'000, 'x')}};
  const Expansion one = expand_variables("${x}${x}${x}", large, "/spec/text");
  REQUIRE(one.findings.size() == 1);
  CHECK(one.findings.front().what.find("too long") != std::string::npos);
  List many(30, Value("a${x}"));
  CHECK_FALSE(expand_variables(many, large, "/spec").findings.empty());
}

TEST_CASE("the variables that a spec uses are known", "[variables]") {
  const Value spec = Map{{"a", "${x} $${y} $z"}, {"b", List{"${w}", 5}}};
  CHECK(used_variables(spec) == std::set<std::string>{"w", "x"});
}
