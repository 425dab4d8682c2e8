#include <controller/cli/render_plan.hpp>
#include <manifests/digest.hpp>
#include <manifests/json.hpp>

#include <catch2/catch.hpp>

#include <cstdlib>
#include <fstream>
#include <iterator>

#include "plan_samples.hpp"

using namespace holdfast;
using namespace holdfast::test;

namespace {

/// The text is what is kept in tests/golden/plan; HOLDFAST_ACCEPT=1 keeps the new one instead and says so.
void check_golden(const std::string& name, const std::string& text) {
  const std::string path = std::string(HOLDFAST_GOLDEN) + "/plan/" + name;
  if (std::getenv("HOLDFAST_ACCEPT") != nullptr) {
    std::ofstream(path, std::ios::binary | std::ios::trunc) << text;
    WARN("skipped: " << path << " was written anew");
    return;
  }
  std::ifstream stream(path, std::ios::binary);
  const std::string kept{std::istreambuf_iterator<char>(stream), std::istreambuf_iterator<char>()};
  CHECK(text == kept);
}

std::vector<HostPlan> sample() {
  std::vector<HostPlan> hosts = {full_plan("web1"), full_plan("web2")};
  for (HostPlan& plan : quiet_plans()) hosts.push_back(std::move(plan));
  return hosts;
}

HostPlan one_file(const std::string& from, const std::string& to) {
  HostPlan plan{.host = "web1", .environment = "production", .commit = "c"};
  plan.plan.actions.push_back(file_action(plan, "/etc/motd", from, to));
  return plan;
}

bool has(const std::string& text, const std::string& part) { return text.find(part) != std::string::npos; }

}  // namespace

TEST_CASE("a plan's texts are the kept ones", "[cli]") {
  check_golden("full.txt", render_plan_text(sample(), {}));
  check_golden("full.md", render_plan_markdown(sample(), {}));
  check_golden("full.json", render_plan_json(sample(), {}));
}

TEST_CASE("hosts with equal plans are told once, others apart", "[cli]") {
  const std::string text = render_plan_text({full_plan("a"), full_plan("b"), one_file("1\n", "2\n")}, {});
  CHECK(has(text, "a, b: 3 to create, 11 to change"));
  CHECK(has(text, "\nweb1: 0 to create, 1 to change, 0 to remove\n"));
}

TEST_CASE("a sensitive file's bytes are never asked for nor shown", "[cli]") {
  const std::string secret = "correct horse battery";
  const auto mark = GENERATE(0, 1, 2, 3, 4);
  HostPlan plan = one_file("PASSWORD=" + secret + " old\n", "PASSWORD=" + secret + "\n");
  Action& action = plan.plan.actions.front();
  if (mark == 0) action.steps = {{"file.put", {{"sensitive", true}}}};
  if (mark == 1) action.steps = {{"file.put", {{"secrets", Map{}}}}};
  if (mark == 2) action.undo = {{"file.put", {{"sensitive", true}}}};
  if (mark == 3) action.from["content"] = "hmac:" + sha256("x");
  if (mark == 4) action.origin.resource = "EnvFile/cvd";
  int asked = 0;
  const auto content = plan.new_content;
  plan.new_content = [&](const std::string& digest) {
    ++asked;
    return content(digest);
  };
  for (const std::string& text :
       {render_plan_text({plan}, {}), render_plan_markdown({plan}, {}), render_plan_json({plan}, {})}) {
    CHECK(has(text, "content changes (not shown)"));
    CHECK_FALSE(has(text, secret));
    CHECK_FALSE(has(text, "horse"));
  }
  if (mark != 4) CHECK(asked == 0);
}

TEST_CASE("nothing of a repository or a host reaches a terminal unescaped", "[cli]") {
  const std::string bad = "\x1b]0;owned\x07\x1b[2J\r\xe2\x80\xae";
  HostPlan plan = one_file("a\n" + bad + "\n", bad + "b\n");
  plan.host = plan.environment = plan.commit = bad;
  Action& action = plan.plan.actions.front();
  action.id.name += bad;
  action.origin = {.resource = bad, .position = {.file = bad, .line = 1, .column = 1}};
  action.to["owner"] = bad;
  action.irreversible = {bad};
  plan.plan.notes = {bad};
  plan.plan.validators = {{.name = bad}};
  plan.plan.refusals = {{.id = action.id, .what = bad, .hint = bad, .origin = action.origin}};
  HostPlan failed = plan;
  failed.error = bad;
  for (const std::string& text : {render_plan_text({plan, failed}, {}), render_plan_markdown({plan, failed}, {}),
                                  render_plan_json({plan, failed}, {})}) {
    CHECK(text.find_first_of("\x1b\x07\r") == std::string::npos);
    CHECK_FALSE(has(text, "\xe2\x80\xae"));
    CHECK(has(text, "x1b"));
  }
}

TEST_CASE("a file whose bytes can't be had, or are no text, is told by digest and size", "[cli]") {
  SECTION("the host did not send the old ones") {
    HostPlan plan = one_file("old\n", "new\n");
    plan.old_contents.clear();
    CHECK(has(render_plan_text({plan}, {}), "content 4 bytes sha256 " + sha256("old\n").substr(0, 12) + " -> 4 bytes"));
  }
  SECTION("the new ones are others than asked for") {
    HostPlan plan = one_file("old\n", "new\n");
    plan.new_content = [](const std::string&) { return std::string("forged"); };
    CHECK_FALSE(has(render_plan_text({plan}, {}), "forged"));
    CHECK(has(render_plan_text({plan}, {}), "sha256"));
  }
  SECTION("they are large") {
    CHECK(has(render_plan_text({one_file("old\n", std::string(300'000, 'a'))}, {}), "-> 293 KiB sha256"));
  }
}

TEST_CASE("a long diff is cut in the terminal and the rest counted", "[cli]") {
  std::string many;
  for (int i = 0; i < 1000; ++i) many += std::to_string(i) + "\n";
  const std::string text = render_plan_text({one_file("", many)}, {.diff_lines = 50});
  CHECK(has(text, "+48\n"));
  CHECK_FALSE(has(text, "+49\n"));
  CHECK(has(text, "… 951 more lines"));
}

TEST_CASE("a comment stays within its size, and says what it left out", "[cli]") {
  std::vector<HostPlan> hosts;
  for (int host = 0; host < 40; ++host) {
    std::string many;
    for (int i = 0; i < 800; ++i) many += "line " + std::to_string(i * host) + "\n";
    hosts.push_back(one_file("", many));
    hosts.back().host = "web" + std::to_string(host);
  }
  const std::string text = render_plan_markdown(hosts, {});
  CHECK(text.size() <= 60'000);
  CHECK(text.size() > 40'000);
  CHECK(has(text, "`web39`: 0 to create, 1 to change"));
  CHECK(has(text, "**Left out, because this text would get too long:** "));
  const std::string tiny = render_plan_markdown(hosts, {.markdown_bytes = 1000});
  CHECK(tiny.size() <= 1000);
  CHECK(has(tiny, "`holdfast plan` shows all of it"));
}

TEST_CASE("markup in names and diffs stays text in a comment", "[cli]") {
  HostPlan plan = one_file("a\n", "```\n<script>\n````\n");
  Action& action = plan.plan.actions.front();
  action.id.name = "/etc/`a`|b</summary><img src=x>";
  action.origin.resource = "File/@everyone";
  const std::string text = render_plan_markdown({plan}, {});
  CHECK(has(text, "`````diff\n"));
  CHECK(has(text, "| `` file:/etc/`a`\\|b</summary><img src=x> `` |"));
  CHECK(has(text, "<summary><code>file:/etc/`a`|b&lt;/summary&gt;&lt;img src=x&gt;</code>"));
  CHECK(has(text, "`File/@everyone`"));
}

TEST_CASE("colour is only there when it is asked for", "[cli]") {
  const std::vector<HostPlan> hosts = sample();
  CHECK_FALSE(has(render_plan_text(hosts, {}), "\x1b"));
  CHECK(has(render_plan_text(hosts, {.colour = true}), "\x1b[32m"));
}

TEST_CASE("the JSON record tells each host and each change", "[cli]") {
  const Value record = from_json(render_plan_json(sample(), {}));
  CHECK(record.at("version") == Value(1));
  REQUIRE(record.at("hosts").as_list().size() == 5);
  const Value& first = record.at("hosts").as_list()[0];
  CHECK(first.at("changes").as_list().size() == full_plan("x").plan.actions.size());
  CHECK(first.at("nothing_to_do") == Value(false));
  CHECK(record.at("hosts").as_list()[2].at("nothing_to_do") == Value(true));
  CHECK(record.at("hosts").as_list()[3].at("error") == Value("connection refused"));
}
