#include <controller/suspend/manifest_change.hpp>

#include <manifests/digest.hpp>
#include <manifests/document.hpp>
#include <manifests/error.hpp>
#include <manifests/scalar_edit.hpp>

#include <algorithm>
#include <array>
#include <cstdio>
#include <optional>

namespace holdfast {

namespace {

constexpr std::size_t most_bytes = 8U << 20U;

/// The manifest as it is written: its bytes, and which of its documents the resource is.
class Manifest {
 public:
  explicit Manifest(const ManifestChange& change) : file_(change.resource.position.file) {
    bytes_ = change.tree.read(file_, DocumentLimits().bytes).value_or("");
    const std::vector<Document> documents = parse_documents(file_, bytes_).documents;
    const auto found = std::ranges::find_if(documents, [&](const Document& one) {
      const Value* metadata = one.root.find("metadata");
      return one.root.text_or("kind", "") == change.resource.id.kind && metadata != nullptr &&
             metadata->text_or("name", "") == change.resource.id.name;
    });
    if (found == documents.end()) throw Error("its manifest in " + file_ + " has variables in its name");
    const auto same = std::ranges::count_if(documents, [&](const Document& one) {
      const Value* metadata = one.root.find("metadata");
      return one.root.text_or("kind", "") == change.resource.id.kind && metadata != nullptr &&
             metadata->text_or("name", "") == change.resource.id.name;
    });
    if (same > 1) throw Error(file_ + " has several manifests of that name for different hosts");
    number_ = static_cast<std::size_t>(found - documents.begin());
    root_ = found->root;
  }

  void set(const std::string& pointer, const Value& value) {
    if (const Value* was = at(pointer);
        was != nullptr && was->is_text() && was->as_text().find("${") != std::string::npos) {
      throw Error("\"" + dotted(pointer) + "\" in " + file_ + " is made of variables (" + excerpt(was->as_text()) +
                  "): which of them should change is for a person to say");
    }
    bytes_ = with_member(file_, bytes_, number_, pointer, value.is_text() ? Value(escaped(value.as_text())) : value);
  }

  void write(std::map<std::string, std::string>& files) { files[file_] = bytes_; }

 private:
  /// Members of maps only; pointers of ours have no escapes but in names of files, which have no slash.
  [[nodiscard]] const Value* at(const std::string& pointer) const {
    const Value* value = &root_;
    for (std::size_t begin = 1; value != nullptr && begin <= pointer.size();) {
      const std::size_t end = std::min(pointer.find('/', begin), pointer.size());
      value = value->is_map() ? value->find(pointer.substr(begin, end - begin)) : nullptr;
      begin = end + 1;
    }
    return value;
  }

  static std::string excerpt(const std::string& text) {
    const std::size_t begin = text.find("${");
    return text.substr(begin, std::min<std::size_t>(text.find('}', begin) - begin + 1, 40));
  }

  static std::string escaped(std::string text) {
    for (std::size_t at = text.find("${"); at != std::string::npos; at = text.find("${", at + 3)) text.insert(at, "$");
    return text;
  }

  std::string file_;
  std::string bytes_{};
  std::size_t number_ = 0;
  Value root_{};
};

/// What holds a file's content: the resource itself, a drop-in, a snippet.
struct Holder {
  std::string pointer{};
  std::string source{};  // path in the tree; empty: it is in `text`
};

std::string source_path(const ManifestChange& change, const std::string& source) {
  return change.resource.folder.empty() ? source : change.resource.folder + "/" + source;
}

std::optional<Holder> holder_at(const ManifestChange& change, const Value& holder, const std::string& pointer) {
  const auto wanted = change.wanted.attributes.find("content");
  if (!holder.is_map() || wanted == change.wanted.attributes.end()) return std::nullopt;
  if (const Value* text = holder.find("text"); text != nullptr && text->is_text()) {
    if (Value(sha256(text->as_text())) == wanted->second) return Holder{pointer, ""};
  }
  if (const Value* source = holder.find("source"); source != nullptr && source->is_text()) {
    const std::string path = source_path(change, source->as_text());
    const auto bytes = change.tree.read(path, most_bytes);
    if (bytes && Value(sha256(*bytes)) == wanted->second) return Holder{pointer, path};
  }
  return std::nullopt;
}

std::optional<Holder> find_holder(const ManifestChange& change) {
  const Value& spec = change.resource.spec;
  if (auto own = holder_at(change, spec, "/spec")) return own;
  for (const char* member : {"dropIns", "snippets", "http"}) {
    const Value* files = spec.find(member);
    if (files == nullptr || !files->is_map()) continue;
    for (const auto& [name, holder] : files->as_map()) {
      if (auto one = holder_at(change, holder, std::string("/spec/") + member + "/" + name)) return one;
    }
  }
  return std::nullopt;
}

bool differs(const Action& action, const char* attribute) {
  const auto to = action.to.find(attribute);
  const auto from = action.from.find(attribute);
  return to != action.to.end() && (from == action.from.end() || from->second != to->second);
}

std::string text_at(const Attributes& attributes, const char* name) {
  const auto found = attributes.find(name);
  return found != attributes.end() && found->second.is_text() ? found->second.as_text() : "";
}

void change_content(const ManifestChange& change, Manifest& manifest, std::map<std::string, std::string>& files) {
  if (change.resource.id.kind == "EnvFile") {
    throw Error("the content of an environment file is never shown: set its values in " +
                to_text(change.resource.position));
  }
  const auto live = change.live.find(text_at(change.action.from, "content"));
  if (live == change.live.end()) {
    throw Error("its content is sensitive, no text, or larger than 256 KiB, so it does not leave the host");
  }
  const auto holder = find_holder(change);
  if (!holder) {
    throw Error("its content is made by holdfast out of other settings of " + to_text(change.resource.position));
  }
  if (holder->source.empty()) {
    manifest.set(holder->pointer + "/text", live->second);
  } else {
    files[holder->source] = live->second;
  }
}

void change_ownership(const ManifestChange& change, Manifest& manifest) {
  const std::string owner = text_at(change.action.from, "owner");
  const std::string group = text_at(change.action.from, "group");
  if (change.resource.spec.find("group") != nullptr) {
    manifest.set("/spec/owner", owner);
    manifest.set("/spec/group", group);
  } else {
    manifest.set("/spec/owner", group == "root" ? owner : owner + ":" + group);
  }
}

void change_mode(const ManifestChange& change, Manifest& manifest) {
  std::array<char, 16> mode{};
  std::snprintf(mode.data(), mode.size(), "%04o", static_cast<unsigned>(change.action.from.at("mode").as_int()));
  manifest.set("/spec/mode", std::string(mode.data()));
}

bool has_own_ownership(const ManifestChange& change) {
  const std::string& kind = change.resource.id.kind;
  return (kind == "File" || kind == "EnvFile" || kind == "Directory") &&
         change.resource.spec.text_or("path", "") == change.wanted.id.name;
}

void change_file(const ManifestChange& change, Manifest& manifest, std::map<std::string, std::string>& files) {
  const bool ownership = differs(change.action, "owner") || differs(change.action, "group");
  if ((ownership || differs(change.action, "mode")) && !has_own_ownership(change)) {
    throw Error("its owner and mode are not for the manifest to say");
  }
  if (differs(change.action, "content")) change_content(change, manifest, files);
  if (ownership) change_ownership(change, manifest);
  if (differs(change.action, "mode")) change_mode(change, manifest);
}

void change_unit(const ManifestChange& change, Manifest& manifest) {
  if (change.resource.id.kind != "SystemdUnit") throw Error("no SystemdUnit says what state it should have");
  if (differs(change.action, "enabled")) {
    const std::string enabled = text_at(change.action.from, "enabled");
    if (enabled != "enabled" && enabled != "disabled")
      throw Error("it is " + enabled + ", which is no value of \"enabled\"");
    manifest.set("/spec/enabled", enabled == "enabled");
  }
  if (differs(change.action, "active")) manifest.set("/spec/state", text_at(change.action.from, "active"));
}

}  // namespace

void change_manifest(const ManifestChange& change, std::map<std::string, std::string>& files) {
  Manifest manifest(change);
  const Attributes& from = change.action.from;
  const auto present = from.find("present");
  const bool gone = present != from.end() && present->second == Value(false);
  const PrimitiveType type = change.wanted.id.type;
  const std::string& kind = change.resource.id.kind;
  if (gone && type == PrimitiveType::link && kind == "NginxSite") {
    manifest.set("/spec/enabled", false);
  } else if (gone && (kind == "File" || kind == "EnvFile" || kind == "Directory" || kind == "Package")) {
    manifest.set("/spec/state", "absent");
  } else if (gone) {
    throw Error("it was removed by hand, which " + kind + " can't say of it");
  } else if (type == PrimitiveType::file || (type == PrimitiveType::directory && has_own_ownership(change))) {
    change_file(change, manifest, files);
  } else if (type == PrimitiveType::unit) {
    change_unit(change, manifest);
  } else if (type == PrimitiveType::package && differs(change.action, "version")) {
    manifest.set("/spec/version", text_at(from, "version"));
  } else {
    throw Error("what changed of a " + std::string(to_text(type)) + " is not for one value of a manifest to say");
  }
  manifest.write(files);
}

}  // namespace holdfast
