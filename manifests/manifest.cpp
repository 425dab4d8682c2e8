#include <manifests/manifest.hpp>

#include <manifests/error.hpp>
#include <manifests/source_text.hpp>
#include <manifests/text.hpp>

#include <algorithm>
#include <cctype>

namespace holdfast {

namespace {

constexpr std::size_t most_bytes = 16U << 20U;  // of all manifests of a commit together
constexpr std::size_t most_nodes = 500'000;

bool is_yaml(std::string_view path) { return path.ends_with(".yaml") || path.ends_with(".yml"); }

/// Hidden files, and folders named `files`: content for `source:`, not manifests.
bool is_content(std::string_view path) {
  for (std::size_t begin = 0; begin < path.size();) {
    const std::size_t end = std::min(path.find('/', begin), path.size());
    const std::string_view segment = path.substr(begin, end - begin);
    if (segment.starts_with('.') || (segment == "files" && end < path.size())) return true;
    begin = end + 1;
  }
  return false;
}

std::string lowered(const std::string& path) {
  std::string result = path;
  std::transform(result.begin(), result.end(), result.begin(),
                 [](unsigned char letter) { return static_cast<char>(std::tolower(letter)); });
  return result;
}

bool is_plain_path(const std::string& path) {
  for (std::size_t at = 0; at < path.size();) {
    const CodePoint point = code_point_at(path, at);
    if (point.bytes == 0 || point.value < 0x20 || is_hidden_character(point.value)) return false;
    at += point.bytes;
  }
  return true;
}

class Loader {
 public:
  explicit Loader(const Tree& tree) : tree_(tree) {}

  LoadedManifests take() { return std::move(loaded_); }

  /// Finds the manifests of a folder and what must not be among them.
  void find(const std::string& folder) {
    for (const TreeEntry& entry : tree_.list(folder)) {
      if (is_content(entry.path)) continue;
      // In a whole tree lies the application's own source too, whose links are its own business.
      const bool refused_link = entry.type == EntryType::symlink && (!folder.empty() || is_yaml(entry.path));
      if (refused_link) {
        add(entry.path, "symbolic links are not allowed among manifests", "put the file itself here");
      } else if (entry.type == EntryType::submodule) {
        add(entry.path, "submodules are not allowed among manifests", "put the files themselves here");
      } else if (entry.type != EntryType::symlink && is_yaml(entry.path)) {
        find_file(entry);
      }
    }
  }

  void read() {
    std::size_t bytes = 0;
    for (const auto& [path, size] : files_) {
      bytes += size;
      if (bytes > most_bytes) {
        add(path, "the manifests are larger than " + std::to_string(most_bytes) + " bytes together",
            "keep content in folders named files");
      }
      loaded_.complete = bytes <= most_bytes && loaded_.problems.size() <= most_problems && nodes_ <= most_nodes;
      if (!loaded_.complete) return;
      read_file(path, size);
    }
  }

 private:
  void add(const std::string& path, std::string what, std::string hint) {
    loaded_.problems.push_back({{path, 0, 0}, std::move(what), std::move(hint), "", {}});
  }

  void find_file(const TreeEntry& entry) {
    if (!is_plain_path(entry.path))
      return add(entry.path, "forbidden character in the path of a manifest", "rename the file");
    const auto [other, is_new] = folded_.emplace(lowered(entry.path), entry.path);
    if (!is_new && other->second != entry.path) {
      add(entry.path, "the path differs from \"" + other->second + "\" in upper and lower case only",
          "rename one of them");
    }
    files_.emplace(entry.path, entry.size);
  }

  void read_file(const std::string& path, std::uint64_t size) {
    const DocumentLimits limits;
    if (size > limits.bytes) {
      return add(path, "file of " + std::to_string(size) + " bytes",
                 "a manifest file has at most " + std::to_string(limits.bytes) + " bytes: split it");
    }
    const std::optional<std::string> text = tree_.read(path, limits.bytes);
    if (!text) return add(path, "the file can't be read", "it must be a plain file");
    loaded_.texts[path] = *text;
    Parsed parsed = parse_documents(path, *text, limits);
    nodes_ += parsed.nodes;
    if (nodes_ > most_nodes) {
      add(path, "the manifests hold more than " + std::to_string(most_nodes) + " values together", "");
    }
    std::move(parsed.problems.begin(), parsed.problems.end(), std::back_inserter(loaded_.problems));
    for (Document& document : parsed.documents) take_document(path, std::move(document));
  }

  void take_document(const std::string& path, Document document) {
    const Value* kind = document.root.find("kind");
    if (document.refused.contains("/kind")) return;
    if (document.root.find("apiVersion") == nullptr && kind == nullptr) {
      if (document.refused.contains("/apiVersion")) return;
      tell(document, "", "this is no manifest: it has neither apiVersion nor kind",
           "put other YAML files into a folder named files");
      return;
    }
    if (kind == nullptr) return tell(document, "", "the manifest lacks the key \"kind\"", "for example kind: File");
    if (!kind->is_text()) return tell(document, "/kind", "\"kind\" must be a text", "for example kind: File");
    const std::string& name = kind->as_text();
    const std::vector<std::string>& known = fleet_kinds();
    if (std::find(known.begin(), known.end(), name) == known.end()) {
      const std::string hint = nearest_hint(name, known);
      const bool own = name == "Controller";
      return tell(document, "/kind", (own ? "misplaced kind \"" : "unknown kind \"") + name + "\"",
                  own ? "the controller's settings don't belong in a fleet"
                      : (hint.empty() ? "known kinds: " + quoted_list(known, "and", 30) : hint));
    }
    const std::size_t slash = path.rfind('/');
    loaded_.manifests.push_back({name, std::move(document), slash == std::string::npos ? "" : path.substr(0, slash)});
  }

  void tell(const Document& document, const std::string& pointer, std::string what, std::string hint) {
    loaded_.problems.push_back({document.at(pointer), std::move(what), std::move(hint), "", {}});
  }

  const Tree& tree_;
  LoadedManifests loaded_{};
  std::map<std::string, std::uint64_t> files_{};  // path -> size
  std::map<std::string, std::string> folded_{};   // path in lower case -> path
  std::size_t nodes_ = 0;
};

}  // namespace

std::string fleet_folder(const Tree& tree, const LoadOptions& options) {
  if (!options.folder.empty()) return options.folder;
  return tree.list("deploy").empty() ? "" : "deploy";
}

std::vector<std::string> manifest_paths(const Tree& tree, const LoadOptions& options) {
  std::vector<std::string> paths;
  for (const TreeEntry& entry : tree.list(fleet_folder(tree, options))) {
    const bool file = entry.type == EntryType::file || entry.type == EntryType::executable;
    if (file && is_yaml(entry.path) && !is_content(entry.path)) paths.push_back(entry.path);
  }
  return paths;
}

LoadedManifests load_manifests(const Tree& tree, const std::vector<std::string>& folders) {
  Loader loader(tree);
  for (const std::string& folder : folders) loader.find(folder);
  loader.read();
  return loader.take();
}

Problem place_finding(const Finding& finding, const Document& document,
                      const std::map<std::string, std::string>& texts) {
  Problem problem = to_problem(finding, document);
  const auto text = texts.find(problem.where.file);
  if (finding.needle.empty() || text == texts.end()) return problem;
  constexpr int lines_looked_at = 2000;
  std::string_view rest = from_line(text->second, problem.where.line);
  for (int number = problem.where.line; number < problem.where.line + lines_looked_at && !rest.empty(); ++number) {
    const std::string_view line = first_line(rest);
    const std::size_t skipped = number == problem.where.line ? static_cast<std::size_t>(problem.where.column - 1) : 0;
    const std::size_t at = skipped > line.size() ? std::string_view::npos : line.find(finding.needle, skipped);
    if (at != std::string_view::npos) {
      problem.where.line = number;
      problem.where.column = static_cast<int>(count_characters(line.substr(0, at))) + 1;
      return problem;
    }
    rest = from_line(rest, 2);
  }
  return problem;
}

void finish_problems(std::vector<Problem>& problems, const std::map<std::string, std::string>& texts) {
  sort_problems(problems);
  if (problems.size() > most_problems) problems.resize(most_problems);
  for (Problem& problem : problems) {
    const auto text = texts.find(problem.where.file);
    if (text != texts.end() && problem.line_text.empty()) quote_line(problem, text->second);
  }
}

}  // namespace holdfast
