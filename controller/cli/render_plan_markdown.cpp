#include <controller/cli/markdown.hpp>
#include <controller/cli/render_plan.hpp>
#include <controller/plan/plan_lines.hpp>
#include <controller/plan/plan_words.hpp>
#include <controller/plan/times.hpp>

namespace holdfast {

namespace {

constexpr std::size_t kept_for_the_end = 500;
constexpr std::size_t most_names = 20;  // of hosts in one group
constexpr std::size_t few_changes = 6;  // are not folded away
constexpr std::size_t most_problems = 50;

const char* closing = "</details>\n\n";

std::string names_of(const PlanGroup& group) {
  std::string text;
  for (std::size_t i = 0; i < group.hosts.size() && i < most_names; ++i) {
    text += (text.empty() ? "" : ", ") + markdown_code(group.hosts[i]);
  }
  if (group.hosts.size() > most_names) text += " and " + std::to_string(group.hosts.size() - most_names) + " more";
  return group.hosts.size() == 1 ? text : text + " (" + std::to_string(group.hosts.size()) + " hosts)";
}

std::string units_cell(const PlanView& view) {
  std::string text;
  for (const UnitEffect& effect : view.effects) {
    text += (text.empty() ? "" : "<br>") + effect.verb + " " + markdown_code(effect.unit);
  }
  return text;
}

std::string row_of(const ManifestView& manifest, const ChangeView& change) {
  std::string details;
  for (const std::string& word : words_of(change)) details += (details.empty() ? "" : "<br>") + markdown_code(word);
  return "| `" + std::string(sign_text(change.sign)) + "` | " + markdown_code(change.id) + " | " + details + " | " +
         markdown_code(manifest.resource) + (manifest.where.empty() ? "" : " " + markdown_code(manifest.where)) +
         " |\n";
}

std::string diff_block(const ChangeView& change) {
  return "<details><summary>" + html_code(change.id) + " " + change.content.summary + "</summary>\n\n" +
         markdown_fence("diff", change.content.diff) + "\n" + closing;
}

/// Writes within a budget of bytes, of which diffs may take a part: what does not fit is counted instead.
class MarkdownWriter {
 public:
  MarkdownWriter(std::size_t budget, std::size_t for_diffs) : budget_(budget), for_diffs_(for_diffs) {}

  void write_heading(const EnvironmentPlan& plan) {
    add("### holdfast plan: " + markdown_code(one_line(plan.environment)) +
        (plan.commit.empty() ? "" : " at " + markdown_code(with_short_ids(one_line(plan.commit)))) + "\n\n");
    if (!plan.subject.empty()) {
      add(markdown_code(one_line(plan.subject)) + " by " + markdown_code(one_line(plan.author)) + "\n\n");
    }
    if (!plan.refused.empty()) add("**Refused:** " + markdown_code(one_line(plan.refused)) + "\n\n");
    if (plan.problems.empty()) return;
    add("**" + number_of(plan.problems.size(), "problem") + ": the commit is refused**\n\n");
    for (std::size_t i = 0; i < plan.problems.size() && i < most_problems; ++i) {
      add(markdown_fence("", plan.problems[i]) + "\n");
    }
  }

  void write_hosts(const std::vector<PlanGroup>& groups) {
    if (groups.empty()) return;
    add("**" + total_line(groups) + "**\n\n");
    add("| hosts | plan | units |\n|---|---|---|\n");
    for (const PlanGroup& group : groups) {
      add("| " + names_of(group) + " | " + group.view.counts() + " | " + units_cell(group.view) + " |\n");
    }
    add("\n");
  }

  void write(const PlanGroup& group, std::int64_t health_window_ms) {
    const PlanView& view = group.view;
    if (view.nothing_to_do() && view.notes.empty()) return;
    add("#### " + names_of(group) + ": " + view.counts() + "\n\n");
    if (!view.error.empty()) add(markdown_code(view.error) + "\n\n");
    for (const BackupView& backup : view.backups) add("- " + markdown_code(backup_text(backup)) + "\n");
    for (const UnitEffect& effect : view.effects) write(effect);
    if (!view.effects.empty() || !view.backups.empty()) add("\n");
    list("Can't be undone in full", view.irreversible);
    list("Refused, nothing will be applied", view.refusals);
    write_changes(view);
    list("Validated before anything changes", view.validators);
    if (const std::string undo = undo_text(view, health_window_ms); !undo.empty()) {
      add("**Undo:** " + markdown_code(undo) + "\n\n");
    }
    list("Notes", view.notes);
  }

  std::string take() {
    if (left_out_ == 0 && diffs_left_out_ == 0) return std::move(text_);
    text_ += "\n**Left out, because this text would get too long:** " + std::to_string(diffs_left_out_) + " diffs, " +
             std::to_string(left_out_) + " other parts. `holdfast plan` shows all of it.\n";
    return std::move(text_);
  }

 private:
  bool add(const std::string& text) {
    const bool fits = text_.size() + text.size() + kept_for_the_end <= budget_;
    if (fits) {
      text_ += text;
    } else {
      ++left_out_;
    }
    return fits;
  }

  /// Without the units' names, which stand in the table: they may be markup.
  static std::string total_line(const std::vector<PlanGroup>& groups) {
    const std::string text = total_text(groups);
    return text.substr(0, text.find(';'));
  }

  void write(const UnitEffect& effect) {
    add("- **" + effect.verb + "** " + markdown_code(effect.unit) +
        (effect.because.empty() ? "" : ": " + markdown_code(effect.because)) +
        (effect.interruption.empty() ? "" : "; interruption: " + interruption_text(effect)) + "\n");
  }

  void write_changes(const PlanView& view) {
    if (!view.has_changes()) return;
    const std::size_t count = view.created + view.changed + view.removed;
    const bool opened = add(std::string(count <= few_changes ? "<details open>" : "<details>") + "<summary>" +
                            number_of(count, "change") + "</summary>\n\n");
    add("| | what | change | manifest |\n|---|---|---|---|\n");
    for (const ManifestView& manifest : view.manifests) {
      for (const ChangeView& change : manifest.changes) add(row_of(manifest, change));
    }
    add("\n");
    write_reasons(view);
    write_diffs(view);
    if (opened) text_ += closing;  // there is room for it at the end
  }

  void write_reasons(const PlanView& view) {
    for (const ManifestView& manifest : view.manifests) {
      for (const ChangeView& change : manifest.changes) {
        for (const std::string& why : change.why) {
          add("- " + markdown_code(change.id) + ": " + markdown_code(why) + "\n");
        }
      }
    }
    add("\n");
  }

  void list(const std::string& title, const std::vector<std::string>& entries) {
    if (entries.empty()) return;
    add("**" + title + "**\n\n");
    for (const std::string& entry : entries) add("- " + markdown_code(entry) + "\n");
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

std::string write_all(const EnvironmentPlan& plan, const std::vector<PlanGroup>& groups, MarkdownWriter writer) {
  writer.write_heading(plan);
  writer.write_hosts(groups);
  for (const PlanGroup& group : groups) writer.write(group, plan.health_window_ms);
  return writer.take();
}

}  // namespace

std::string render_plan_markdown(const EnvironmentPlan& plan, const RenderOptions& options) {
  const std::vector<PlanGroup> groups = group_plans(plan.hosts);
  // What every host comes to is told before any diff takes the room.
  const std::size_t plain = write_all(plan, groups, {options.markdown_bytes, 0}).size() + kept_for_the_end;
  const std::size_t for_diffs = options.markdown_bytes > plain ? options.markdown_bytes - plain : 0;
  return write_all(plan, groups, {options.markdown_bytes, for_diffs});
}

}  // namespace holdfast
