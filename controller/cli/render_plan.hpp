#pragma once

#include <reconcilers/host/plan.hpp>

#include <cstddef>
#include <functional>
#include <map>
#include <string>
#include <vector>

namespace holdfast {

/// One host's plan and what is needed to show it.
struct HostPlan {
  std::string host{};
  std::string environment{};
  std::string commit{};
  Plan plan{};
  std::map<std::string, std::string> old_contents{};  // digest -> bytes, what the host told of files that may be shown
  /// Bytes of a digest of the new state; where it throws Error or gives other bytes, digests are shown. Never asked for
  /// a sensitive file.
  std::function<std::string(const std::string& digest)> new_content{};
  std::string error{};  // not empty: there is no plan, and this is why
};

struct RenderOptions {
  bool colour = false;
  std::size_t width = 100;              // columns; a change's words go on in the next line where they don't fit
  std::size_t diff_lines = 400;         // of one file, the rest is counted
  std::size_t markdown_bytes = 60'000;  // of the whole text: GitHub takes 65,536 characters
};

/// For people at a terminal. Hosts whose plans are equal are told once. Everything that comes from a repository or a
/// host is made printable; contents of sensitive files are never asked for.
std::string render_plan_text(const std::vector<HostPlan>& hosts, const RenderOptions& options);

/// For a pull request's comment: tables, and diffs that fold away. Texts are in code spans, so that they are no markup.
std::string render_plan_markdown(const std::vector<HostPlan>& hosts, const RenderOptions& options);

/// For programs: {"kind": "plan", "version": 1, "hosts": […]}, one member per host, as indented JSON text.
std::string render_plan_json(const std::vector<HostPlan>& hosts, const RenderOptions& options);

}  // namespace holdfast
