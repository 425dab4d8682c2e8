#include <controller/cli/render_plan.hpp>
#include <controller/plan/plan_words.hpp>
#include <manifests/digest.hpp>
#include <manifests/json.hpp>
#include <manifests/problem.hpp>
#include <manifests/schema.hpp>

#include <catch2/catch.hpp>

#include <algorithm>
#include <sstream>

#include "golden.hpp"
#include "plan_samples.hpp"

using namespace holdfast;
using namespace holdfast::test;

namespace {

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

std::size_t count_of(const std::string& text, const std::string& part) {
  std::size_t count = 0;
  for (std::size_t at = text.find(part); at != std::string::npos; at = text.find(part, at + 1)) ++count;
  return count;
}

/// What is left of a comment without fences, code spans and <code>, as GitHub would find them.
std::string outside_of_code(const std::string& text) {
  std::string rest;
  std::string fence;
  std::istringstream lines(text);
  for (std::string line; std::getline(lines, line);) {
    // Up to three blanks before a fence, of the diff's context lines for instance, leave it one.
    line.erase(0, std::min<std::size_t>(3, std::min(line.find_first_not_of(' '), line.size())));
    const std::size_t ticks = std::min(line.find_first_not_of('`'), line.size());
    if (!fence.empty()) {
      if (ticks >= fence.size() && ticks == line.size()) fence.clear();
      continue;
    }
    if (ticks >= 3) {
      fence = line.substr(0, ticks);
      continue;
    }
    for (std::size_t at = 0; at < line.size();) {
      if (line.compare(at, 6, "<code>") == 0) {
        at = line.find("</code>", at) + 7;
      } else if (line[at] == '`') {
        const std::size_t run = line.find_first_not_of('`', at) - at;
        std::size_t end = at + run;
        for (;;) {
          end = line.find('`', end);
          if (end == std::string::npos) break;
          const std::size_t other = std::min(line.find_first_not_of('`', end), line.size()) - end;
          if (other == run) break;
          end += other;
        }
        if (end == std::string::npos) {
          rest += line.substr(at);
          break;
        }
        at = end + run;
      } else {
        rest += line[at++];
      }
    }
    rest += "\n";
  }
  return rest;
}

bool has(const std::string& text, const std::string& part) { return text.find(part) != std::string::npos; }

std::string text_of(std::vector<HostPlan> hosts, const RenderOptions& options = {}) {
  return render_plan_text(of(std::move(hosts)), options);
}
std::string markdown_of(std::vector<HostPlan> hosts, const RenderOptions& options = {}) {
  return render_plan_markdown(of(std::move(hosts)), options);
}
std::string json_of(std::vector<HostPlan> hosts) { return render_plan_json(of(std::move(hosts))); }

}  // namespace

TEST_CASE("a plan's texts are the kept ones", "[cli]") {
  check_golden("full.txt", text_of(sample()));
  check_golden("full.md", markdown_of(sample()));
  check_golden("full.json", json_of(sample()));
  check_golden("terminal.txt", text_of(sample(), {.width = 60, .fit = true, .diff_lines = 3}));
}

TEST_CASE("hosts with equal plans are told once, others apart", "[cli]") {
  const std::string text = text_of({full_plan("a"), full_plan("b"), one_file("1\n", "2\n")}, {});
  CHECK(has(text, "a, b (2 hosts): 3 to create, 11 to change"));
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
  for (const std::string& text : {text_of({plan}, {}), markdown_of({plan}, {}), json_of({plan})}) {
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
  for (const std::string& text :
       {text_of({plan, failed}, {}), markdown_of({plan, failed}, {}), json_of({plan, failed})}) {
    CHECK(text.find_first_of("\x1b\x07\r") == std::string::npos);
    CHECK_FALSE(has(text, "\xe2\x80\xae"));
    CHECK(has(text, "x1b"));
  }
}

TEST_CASE("a file whose bytes can't be had, or are no text, is told by digest and size", "[cli]") {
  SECTION("the host did not send the old ones") {
    HostPlan plan = one_file("old\n", "new\n");
    plan.old_contents.clear();
    CHECK(has(text_of({plan}, {}), "content 4 bytes sha256 " + sha256("old\n").substr(0, 12) + " -> 4 bytes"));
  }
  SECTION("the new ones are others than asked for") {
    HostPlan plan = one_file("old\n", "new\n");
    plan.new_content = [](const std::string&) { return std::string("forged"); };
    CHECK_FALSE(has(text_of({plan}, {}), "forged"));
    CHECK(has(text_of({plan}, {}), "sha256"));
  }
  SECTION("they are large") {
    CHECK(has(text_of({one_file("old\n", std::string(300'000, 'a'))}, {}), "-> 293 KiB sha256"));
  }
}

TEST_CASE("a long diff is cut in the terminal and the rest counted", "[cli]") {
  std::string many;
  for (int i = 0; i < 1000; ++i) many += std::to_string(i) + "\n";
  const std::string text = text_of({one_file("", many)}, {.diff_lines = 50});
  CHECK(has(text, "+48\n"));
  CHECK_FALSE(has(text, "+49\n"));
  CHECK(has(text, "… 951 more lines; --full shows them"));
}

TEST_CASE("a comment stays within its size, and says what it left out", "[cli]") {
  std::vector<HostPlan> hosts;
  for (int host = 0; host < 40; ++host) {
    std::string many;
    for (int i = 0; i < 800; ++i) many += "line " + std::to_string(i * host) + "\n";
    hosts.push_back(one_file("", many));
    hosts.back().host = "web" + std::to_string(host);
  }
  const std::string text = markdown_of(hosts, {});
  CHECK(text.size() <= 60'000);
  CHECK(text.size() > 40'000);
  CHECK(has(text, "`web39`: 0 to create, 1 to change"));
  CHECK(has(text, "**Left out, because this text would get too long:** "));
  const std::string tiny = markdown_of(hosts, {.markdown_bytes = 1000});
  CHECK(tiny.size() <= 1000);
  CHECK(has(tiny, "`holdfast plan` shows all of it"));
}

TEST_CASE("markup in names and diffs stays text in a comment", "[cli]") {
  HostPlan plan = one_file("a\n", "```\n<script>\n````\n");
  Action& action = plan.plan.actions.front();
  action.id.name = "/etc/`a`|b</summary><img src=x>";
  action.origin.resource = "File/@everyone";
  const std::string text = markdown_of({plan}, {});
  CHECK(has(text, "`````diff\n"));
  CHECK(has(text, "| <code>file&#58;/etc/&#96;a&#96;&#124;b&#60;/summary&#62;&#60;img src&#61;x&#62;</code> |"));
  CHECK(has(text, "<summary><code>file&#58;/etc/&#96;a&#96;&#124;b&#60;/summary&#62;&#60;img src&#61;x&#62;</code>"));
  CHECK(has(text, "`File/@everyone`"));
}

TEST_CASE("colour is only there when it is asked for", "[cli]") {
  const std::vector<HostPlan> hosts = sample();
  CHECK_FALSE(has(text_of(hosts, {}), "\x1b"));
  CHECK(has(text_of(hosts, {.colour = true}), "\x1b[32m"));
}

TEST_CASE("the JSON record tells each host and each change", "[cli]") {
  const Value record = from_json(json_of(sample()));
  CHECK(record.at("version") == Value(1));
  REQUIRE(record.at("hosts").as_list().size() == 5);
  const Value& first = record.at("hosts").as_list()[0];
  CHECK(first.at("changes").as_list().size() == full_plan("x").plan.actions.size());
  CHECK(first.at("status") == Value("changes"));
  CHECK(record.at("hosts").as_list()[2].at("status") == Value("nothing_to_do"));
  CHECK(record.at("hosts").as_list()[3].at("error") == Value("connection refused"));
  CHECK(record.at("hosts").as_list()[4].at("status") == Value("refused"));
}

TEST_CASE("the JSON record is what its published schema says", "[cli]") {
  EnvironmentPlan plan = of(sample());
  plan.hosts.front().why[plan.hosts.front().plan.actions.front().id] = {"because"};
  CHECK(check_record("plan", from_json(render_plan_json(plan))).empty());
  EnvironmentPlan refused{.environment = "e", .refused = "rewritten", .problems = {"a.yaml:1:1: wrong"}};
  CHECK(check_record("plan", from_json(render_plan_json(refused))).empty());

  Value other = from_json(render_plan_json(plan));
  SECTION("a member that went away is found") { other["hosts"].as_list()[0].as_map().erase("units"); }
  SECTION("a word that is not in the schema is found") { other["hosts"].as_list()[0]["status"] = "fine"; }
  SECTION("another version is found") { other["version"] = 2; }
  CHECK_FALSE(check_record("plan", other).empty());
}

TEST_CASE("a unit's interruption is told with what was measured, the longest of alike hosts", "[cli]") {
  HostPlan slow = full_plan("b");
  slow.down_ms["cvd.service"] = 12'000;
  const std::string text = text_of({full_plan("a"), slow});
  CHECK(has(text, "a, b (2 hosts)"));
  CHECK(has(text,
            "restarts cvd.service: Release/cvd and EnvFile/cvd change; interruption: stops, and starts again, "
            "about 12 s not running, then until it is ready"));
  CHECK(has(text,
            "restarts worker.service: it runs with something older than what is on the host; interruption: "
            "connections wait in its socket"));
  CHECK(has(text, "which restarts cvd.service and worker.service, reloads nginx.service"));
}

TEST_CASE("reasons stand under the change that they are of, and an undo with them", "[cli]") {
  HostPlan plan = one_file("a\n", "b\n");
  plan.why[{PrimitiveType::file, "/etc/motd"}] = {"content: asked for by 9b1c2d3e4f50"};
  const std::string text = text_of({plan});
  CHECK(has(text, "        why: content: asked for by 9b1c2d3e4f50\n        undo: puts content and mode back\n"));
  CHECK(has(markdown_of({plan}), "- `file:/etc/motd`: `content: asked for by 9b1c2d3e4f50`\n"));
  CHECK_FALSE(has(text_of({one_file("a\n", "b\n")}), "why:"));
}

TEST_CASE("programs of steps are told, whatever primitive they belong to", "[cli]") {
  HostPlan plan = one_file("a\n", "b\n");
  plan.plan.actions.front().steps = {{"other.run", {{"argv", Value::texts({"flask", "db", "up grade"})}}}};
  CHECK(has(text_of({plan}), "runs flask db \"up grade\""));
}

TEST_CASE("hostile texts of every sort break out of nothing in a comment", "[cli]") {
  const std::vector<std::string> hostile = {"`",
                                            "``` @everyone",
                                            "a\\|b",
                                            "</code></summary></details><script>",
                                            "![x](http://evil)",
                                            "\n\n# heading\n",
                                            "| a | b |",
                                            "<!--",
                                            "~~~"};
  for (const std::string& bad : hostile) {
    HostPlan plan = one_file(bad + "\n```\n", bad + "\n```\n" + bad + "@everyone\n");
    Action& action = plan.plan.actions.front();
    action.id.name += bad;
    action.origin.resource = bad;
    action.to["owner"] = bad;
    plan.plan.notes = {bad};
    plan.why[action.id] = {"x" + printable(bad.substr(0, bad.find('\n')))};
    EnvironmentPlan all = of({plan});
    all.subject = all.author = all.environment = bad;
    all.problems = {bad};
    const std::string text = render_plan_markdown(all, {});
    // Outside of spans and fences nothing of it is left: what remains of every line is ours.
    const std::string rest = outside_of_code(text);
    INFO(text << "-----\n" << rest);
    for (const char* sign : {"@everyone", "script", "evil", "heading\n", "<!--", "~~~"}) CHECK_FALSE(has(rest, sign));
    CHECK(count_of(rest, "<details") == count_of(rest, "</details>"));
  }
}

TEST_CASE("a reason that all changes of a manifest have is told once", "[cli]") {
  HostPlan plan = one_file("a\n", "b\n");
  plan.plan.actions.push_back(file_action(plan, "/etc/other", "a\n", "b\n"));
  for (const Action& action : plan.plan.actions) plan.why[action.id] = {"the reason"};
  CHECK(count_of(text_of({plan}), "why: the reason") == 1);
  plan.why[plan.plan.actions.front().id] = {"another reason"};
  CHECK(count_of(text_of({plan}), "why: ") == 2);
}

TEST_CASE("a release is told with its files and bytes, which only the bundle knows", "[cli]") {
  HostPlan plan = full_plan("web1");
  const auto tree =
      std::ranges::find(plan.plan.actions, PrimitiveType::tree, [](const Action& a) { return a.id.type; });
  Bundle bundle;
  bundle.wanted.push_back({.id = tree->id});
  bundle.wanted.back().parameters["entries"] = List{Map{{"path", "a"}, {"size", 5}}, Map{{"path", "b"}, {"size", 6}}};
  tell_release_sizes(plan.plan, bundle);
  CHECK(has(text_of({plan}), "2 files, 11 bytes"));
}
