#include <controller/cli/render_plan.hpp>

#include <controller/cli/plan_view.hpp>
#include <controller/cli/plan_words.hpp>
#include <controller/cli/terminal.hpp>

#include <algorithm>

namespace holdfast {

namespace {

constexpr std::size_t widest_id = 48;
constexpr std::size_t id_column = 6;  // behind the indent and the sign

Style style_of(ChangeView::Sign sign) {
  if (sign == ChangeView::Sign::create) return Style::good;
  return sign == ChangeView::Sign::remove ? Style::bad : Style::warning;
}

const char* sign_text(ChangeView::Sign sign) {
  if (sign == ChangeView::Sign::create) return "+";
  return sign == ChangeView::Sign::remove ? "-" : "~";
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

  void write(const PlanGroup& group) {
    std::string hosts;
    for (const std::string& host : group.hosts) hosts += (hosts.empty() ? "" : ", ") + host;
    text_ += paint(Style::bold, hosts) + ": " + group.view.counts() + "\n";
    if (!group.view.error.empty()) line("  ", paint(Style::bad, group.view.error));
    for (const ManifestView& manifest : group.view.manifests) write(manifest);
    write(group.view.effects);
    list("validated before anything changes:", group.view.validators, Style::plain);
    list("can't be undone in full:", group.view.irreversible, Style::warning);
    list("refused, nothing will be applied:", group.view.refusals, Style::bad);
    list("notes:", group.view.notes, Style::dim);
  }

  void line(const std::string& indent, const std::string& text) { text_ += indent + text + "\n"; }
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
    for (const ChangeView& change : manifest.changes) write(change, width);
  }

  void write(const ChangeView& change, std::size_t width) {
    std::vector<std::string> words = change.details;
    if (change.content.kind != ContentView::Kind::none) words.push_back(change.content.summary);
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
    write_diff(change.content.diff);
  }

  void write_diff(const std::string& diff) {
    std::size_t lines = 0;
    for (std::size_t at = 0; at < diff.size(); ++lines) {
      const std::size_t end = std::min(diff.find('\n', at), diff.size());
      const std::string one = diff.substr(at, end - at);
      if (lines < options_.diff_lines) line("        ", paint(style_of_line(one), one));
      at = end + 1;
    }
    if (lines > options_.diff_lines) {
      line("        ", paint(Style::dim, "… " + std::to_string(lines - options_.diff_lines) + " more lines"));
    }
  }

  void write(const std::vector<UnitEffect>& effects) {
    for (const UnitEffect& effect : effects) {
      line("  ",
           paint(Style::bold, effect.verb + " " + effect.unit) + (effect.because.empty() ? "" : ": " + effect.because));
    }
  }

  void list(const std::string& title, const std::vector<std::string>& entries, Style style) {
    if (entries.empty()) return;
    line("  ", title);
    for (const std::string& entry : entries) line("    ", paint(style, entry));
  }

  const RenderOptions& options_;
  std::string text_;
};

}  // namespace

std::string render_plan_text(const std::vector<HostPlan>& hosts, const RenderOptions& options) {
  TextWriter writer(options);
  std::string environment;
  for (const HostPlan& host : hosts) {
    const std::string heading =
        "plan for " + one_line(host.environment) + " at " + with_short_ids(one_line(host.commit));
    if (heading == environment) continue;
    environment = heading;
    writer.line("", heading);
  }
  for (const PlanGroup& group : group_plans(hosts)) {
    writer.line("", "");
    writer.write(group);
  }
  return writer.take();
}

}  // namespace holdfast
