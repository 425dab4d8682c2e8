#include <controller/cli/plan_view.hpp>
#include <controller/cli/plan_words.hpp>
#include <controller/cli/render_plan.hpp>

#include <algorithm>

namespace holdfast {

namespace {

constexpr std::size_t kept_for_the_end = 400;

std::size_t longest_run(const std::string& text, char wanted) {
  std::size_t longest = 0;
  std::size_t run = 0;
  for (const char c : text) {
    run = c == wanted ? run + 1 : 0;
    longest = std::max(longest, run);
  }
  return longest;
}

/// A code span, in which nothing is markup; in a table a bar has to be escaped even there.
std::string code(const std::string& text) {
  if (text.empty()) return "";
  std::string inner;
  for (const char c : text) inner += c == '|' ? std::string("\\|") : std::string(1, c);
  const std::string fence(longest_run(inner, '`') + 1, '`');
  return fence.size() > 1 ? fence + " " + inner + " " + fence : fence + inner + fence;
}

std::string html(const std::string& text) {
  std::string safe;
  for (const char c : text) {
    if (c == '&') {
      safe += "&amp;";
    } else if (c == '<') {
      safe += "&lt;";
    } else if (c == '>') {
      safe += "&gt;";
    } else {
      safe += c;
    }
  }
  return "<code>" + safe + "</code>";
}

std::string diff_block(const ChangeView& change) {
  const std::string fence(std::max<std::size_t>(3, longest_run(change.content.diff, '`') + 1), '`');
  const bool ended = !change.content.diff.empty() && change.content.diff.back() == '\n';
  return "<details><summary>" + html(change.id) + " " + change.content.summary + "</summary>\n\n" + fence + "diff\n" +
         change.content.diff + (ended ? "" : "\n") + fence + "\n\n</details>\n\n";
}

/// Writes within a budget of bytes, of which diffs may take a part: what does not fit is counted instead.
class MarkdownWriter {
 public:
  MarkdownWriter(std::size_t budget, std::size_t for_diffs) : budget_(budget), for_diffs_(for_diffs) {}

  void write(const PlanGroup& group) {
    std::string hosts;
    for (const std::string& host : group.hosts) hosts += (hosts.empty() ? "" : ", ") + code(host);
    add("#### " + hosts + ": " + group.view.counts() + "\n\n");
    if (!group.view.error.empty()) add(code(group.view.error) + "\n\n");
    write_table(group.view);
    for (const UnitEffect& effect : group.view.effects) {
      add("- **" + effect.verb + "** " + code(effect.unit) +
          (effect.because.empty() ? "" : ": " + code(effect.because)) + "\n");
    }
    if (!group.view.effects.empty()) add("\n");
    list("Validated before anything changes", group.view.validators);
    list("Can't be undone in full", group.view.irreversible);
    list("Refused, nothing will be applied", group.view.refusals);
    list("Notes", group.view.notes);
    write_diffs(group.view);
  }

  void add(const std::string& text) {
    if (text_.size() + text.size() + kept_for_the_end <= budget_) {
      text_ += text;
    } else {
      ++left_out_;
    }
  }

  std::string take() {
    if (left_out_ == 0 && diffs_left_out_ == 0) return std::move(text_);
    text_ += "\n**Left out, because this text would get too long:** " + std::to_string(diffs_left_out_) + " diffs, " +
             std::to_string(left_out_) + " other parts. `holdfast plan` shows all of it.\n";
    return std::move(text_);
  }

 private:
  void write_table(const PlanView& view) {
    if (view.manifests.empty()) return;
    add("| | what | change | manifest |\n|---|---|---|---|\n");
    for (const ManifestView& manifest : view.manifests) {
      for (const ChangeView& change : manifest.changes) add(row(manifest, change));
    }
    add("\n");
  }

  static std::string row(const ManifestView& manifest, const ChangeView& change) {
    std::string details;
    for (const std::string& detail : change.details) details += (details.empty() ? "" : "<br>") + code(detail);
    if (change.content.kind != ContentView::Kind::none) {
      details += (details.empty() ? "" : "<br>") + code(change.content.summary);
    }
    const char* sign = change.sign == ChangeView::Sign::create   ? "`+`"
                       : change.sign == ChangeView::Sign::remove ? "`-`"
                                                                 : "`~`";
    return std::string("| ") + sign + " | " + code(change.id) + " | " + details + " | " + code(manifest.resource) +
           (manifest.where.empty() ? "" : " " + code(manifest.where)) + " |\n";
  }

  void list(const std::string& title, const std::vector<std::string>& entries) {
    if (entries.empty()) return;
    add("**" + title + "**\n\n");
    for (const std::string& entry : entries) add("- " + code(entry) + "\n");
    add("\n");
  }

  void write_diffs(const PlanView& view) {
    for (const ManifestView& manifest : view.manifests) {
      for (const ChangeView& change : manifest.changes) {
        if (change.content.kind != ContentView::Kind::text) continue;
        const std::string block = diff_block(change);
        if (block.size() <= for_diffs_) {
          for_diffs_ -= block.size();
          text_ += block;
        } else {
          ++diffs_left_out_;
        }
      }
    }
  }

  std::size_t budget_;
  std::size_t for_diffs_;
  std::string text_;
  std::size_t left_out_ = 0;
  std::size_t diffs_left_out_ = 0;
};

std::string write_all(const std::vector<HostPlan>& hosts, const std::vector<PlanGroup>& groups, MarkdownWriter writer) {
  std::string before;
  for (const HostPlan& host : hosts) {
    const std::string heading = "### holdfast plan: " + code(one_line(host.environment)) + " at " +
                                code(with_short_ids(one_line(host.commit))) + "\n\n";
    if (heading == before) continue;
    before = heading;
    writer.add(heading);
  }
  for (const PlanGroup& group : groups) writer.write(group);
  return writer.take();
}

}  // namespace

std::string render_plan_markdown(const std::vector<HostPlan>& hosts, const RenderOptions& options) {
  const std::vector<PlanGroup> groups = group_plans(hosts);
  // What every host comes to is told before any diff takes the room.
  const std::size_t plain = write_all(hosts, groups, {options.markdown_bytes, 0}).size() + kept_for_the_end;
  const std::size_t for_diffs = options.markdown_bytes > plain ? options.markdown_bytes - plain : 0;
  return write_all(hosts, groups, {options.markdown_bytes, for_diffs});
}

}  // namespace holdfast
