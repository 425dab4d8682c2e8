#pragma once

#include <controller/plan/plan_view.hpp>

#include <cstddef>
#include <string>
#include <vector>

namespace holdfast {

struct RenderOptions {
  bool colour = false;
  std::size_t width = 100;              // columns; a change's words go on in the next line where they don't fit
  bool fit = false;                     // a terminal: sentences are wrapped and a diff's lines cut to the width
  std::size_t diff_lines = 0;           // of one file, the rest is counted; 0: all
  std::size_t markdown_bytes = 60'000;  // of the whole text: GitHub takes 65,536 characters
};

/// For people at a terminal. Hosts whose plans are equal are told once. Everything that comes from a repository or a
/// host is made printable; contents of sensitive files are never asked for.
std::string render_plan_text(const EnvironmentPlan& plan, const RenderOptions& options);

/// One group of hosts of it, without heading and total.
std::string render_group_text(const PlanGroup& group, std::int64_t health_window_ms, const RenderOptions& options);

/// For a pull request's comment: a table of hosts, tables of changes, and diffs that fold away. Texts are in code spans
/// and fences that nothing in them can end.
std::string render_plan_markdown(const EnvironmentPlan& plan, const RenderOptions& options);

/// For programs: what schemas/plan.schema.json describes, as indented JSON text.
std::string render_plan_json(const EnvironmentPlan& plan);

}  // namespace holdfast
