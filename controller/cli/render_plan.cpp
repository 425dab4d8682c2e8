#include <controller/cli/render_plan.hpp>

#include <controller/cli/terminal.hpp>
#include <controller/plan/plan_lines.hpp>
#include <controller/plan/plan_words.hpp>
#include <controller/plan/times.hpp>

#include <algorithm>
#include <sstream>

namespace holdfast {

namespace {

constexpr std::size_t widest_id = 48;
constexpr std::size_t id_column = 6;  // behind the indent and the sign
constexpr const char* diff_indent = "        ";

Style style_of(ChangeView::Sign sign) {
  if (sign == ChangeView::Sign::create) return Style::good;
  return sign == ChangeView::Sign::remove ? Style::bad : Style::warning;
}

Style style_of_line(const std::string& line) {
  if (line.starts_with("@@")) return Style::note;
  if (line.starts_with("+")) return Style::good;
  return line.starts_with("-") ? Style::bad : Style::plain;
}

/// Writes the plan of one group of hosts.
class TextWriter {
 public:
  explicit TextWriter(const RenderOptions& options) : options_(options) {}

  void write(const PlanGroup& group, std::int64_t health_window_ms) {
    const PlanView& view = group.view;
    text_ += paint(Style::bold, group.name()) + ": " + view.counts() + "\n";
    if (!view.error.empty()) sentence("  ", view.error, Style::bad);
    for (const BackupView& backup : view.backups) sentence("  ", backup_text(backup), Style::plain);
    for (const ManifestView& manifest : view.manifests) write(manifest);
    write_effects(view.effects);
    list("validated before anything changes:", view.validators, Style::plain);
    if (const std::string undo = undo_text(view, health_window_ms); !undo.empty()) {
      sentence("  ", "undo: " + undo, Style::plain);
    }
    list("can't be undone in full:", view.irreversible, Style::warning);
    list("refused, nothing will be applied:", view.refusals, Style::bad);
    list("notes:", view.notes, Style::dim);
  }

  void line(const std::string& indent, const std::string& text) { text_ += indent + text + "\n"; }

  /// A text that goes on in the next line where the terminal ends.
  void sentence(const std::string& indent, const std::string& text, Style style) {
    if (!options_.fit || indent.size() + columns_of(text) <= options_.width) return line(indent, paint(style, text));
    std::istringstream words(text);
    std::string now;
    std::string margin = indent;
    for (std::string word; words >> word;) {
      if (!now.empty() && margin.size() + columns_of(now) + 1 + columns_of(word) > options_.width) {
        line(margin, paint(style, now));
        now.clear();
        margin = indent + "  ";
      }
      now += (now.empty() ? "" : " ") + word;
    }
    line(margin, paint(style, now));
  }

  [[nodiscard]] std::string take() { return std::move(text_); }
  [[nodiscard]] std::string paint(Style style, const std::string& text) const {
    return styled(style, text, options_.colour);
  }

 private:
  void write(const ManifestView& manifest) {
    line("  ", paint(Style::bold, manifest.resource) +
                   (manifest.where.empty() ? "" : "  " + paint(Style::dim, manifest.where)));
    std::size_t width = 0;
    for (const ChangeView& change : manifest.changes) width = std::max(width, columns_of(change.id));
    width = std::min(width, widest_id);
    const bool alike = has_one_reason(manifest);
    if (alike) write_why(manifest.changes.front(), "    ");
    for (const ChangeView& change : manifest.changes) write(change, width, !alike);
  }

  /// What is true of all changes of a manifest is said once.
  static bool has_one_reason(const ManifestView& manifest) {
    const std::vector<ChangeView>& changes = manifest.changes;
    return changes.size() > 1 && !changes.front().why.empty() &&
           std::ranges::all_of(changes, [&](const ChangeView& one) { return one.why == changes.front().why; });
  }

  void write_why(const ChangeView& change, const std::string& indent) {
    for (const std::string& why : change.why) sentence(indent, "why: " + why, Style::note);
  }

  void write(const ChangeView& change, std::size_t width, bool with_why) {
    const std::vector<std::string> words = words_of(change);
    std::string text = paint(style_of(change.sign), std::string(sign_text(change.sign)) + " " + change.id);
    std::size_t column = id_column + columns_of(change.id);
    const std::size_t behind = id_column + std::min(std::max(width, columns_of(change.id)), widest_id) + 2;
    for (std::size_t i = 0; i < words.size(); ++i) {
      const std::string word = words[i] + (i + 1 < words.size() ? "," : "");
      const std::size_t begin = i == 0 ? std::max(behind, column + 2) : column + 1;
      if (i > 0 && begin + columns_of(word) > options_.width) {
        text += "\n" + std::string(behind, ' ') + word;
        column = behind + columns_of(word);
      } else {
        text += std::string(begin - column, ' ') + word;
        column = begin + columns_of(word);
      }
    }
    line("    ", text);
    if (with_why) write_why(change, diff_indent);
    if (!change.why.empty() && !change.undo.empty()) {
      sentence(diff_indent, "undo: " + change.undo, Style::note);
    }
    write_diff(change.content.diff);
  }

  void write_diff(const std::string& diff) {
    std::size_t lines = 0;
    const std::size_t most = options_.diff_lines;
    for (std::size_t at = 0; at < diff.size(); ++lines) {
      const std::size_t end = std::min(diff.find('\n', at), diff.size());
      const std::string one = diff.substr(at, end - at);
      const std::size_t room = options_.width > 20 ? options_.width - 8 : 12;
      if (most == 0 || lines < most) {
        line(diff_indent, paint(style_of_line(one), options_.fit ? cut_to(one, room) : one));
      }
      at = end + 1;
    }
    if (most != 0 && lines > most) {
      line(diff_indent, paint(Style::dim, "… " + number_of(lines - most, "more line") + "; --full shows them"));
    }
  }

  void write_effects(const std::vector<UnitEffect>& effects) {
    if (effects.empty()) return;
    line("  ", "units:");
    for (const UnitEffect& effect : effects) {
      const bool harmless = effect.verb == "reloads" || effect.verb == "starts";
      sentence("    ", effect_text(effect), harmless ? Style::plain : Style::bold);
    }
  }

  void list(const std::string& title, const std::vector<std::string>& entries, Style style) {
    if (entries.empty()) return;
    line("  ", title);
    for (const std::string& entry : entries) sentence("    ", entry, style);
  }

  const RenderOptions& options_;
  std::string text_;
};

void write_heading(TextWriter& writer, const EnvironmentPlan& plan) {
  writer.line("", "plan for " + one_line(plan.environment) +
                      (plan.commit.empty() ? "" : " at " + with_short_ids(one_line(plan.commit))) +
                      (plan.tracked.empty() ? "" : ", " + one_line(plan.tracked)));
  if (!plan.subject.empty()) {
    writer.sentence(
        "  ", one_line(plan.subject) + " (" + one_line(plan.author) + ", " + utc_text(plan.committed_s * 1000) + ")",
        Style::dim);
  }
  if (!plan.refused.empty()) writer.sentence("", "refused: " + one_line(plan.refused), Style::bad);
  for (const std::string& problem : plan.problems) writer.line("", problem);
  if (!plan.problems.empty()) {
    writer.line("", number_of(plan.problems.size(), "problem") + ": the commit is refused");
  }
}

}  // namespace

std::string render_group_text(const PlanGroup& group, std::int64_t health_window_ms, const RenderOptions& options) {
  TextWriter writer(options);
  writer.write(group, health_window_ms);
  return writer.take();
}

std::string render_plan_text(const EnvironmentPlan& plan, const RenderOptions& options) {
  TextWriter writer(options);
  write_heading(writer, plan);
  const std::vector<PlanGroup> groups = group_plans(plan.hosts);
  for (const PlanGroup& group : groups) {
    writer.line("", "");
    writer.write(group, plan.health_window_ms);
  }
  if (!groups.empty()) {
    writer.line("", "");
    writer.sentence("", total_text(groups), Style::bold);
  }
  return writer.take();
}

}  // namespace holdfast
