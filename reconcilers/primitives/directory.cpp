#include <reconcilers/primitives/kinds.hpp>
#include <reconcilers/primitives/place.hpp>

#include <manifests/error.hpp>

#include <algorithm>
#include <functional>

namespace holdfast {

namespace {

constexpr std::uint32_t default_mode = 0755;
constexpr std::size_t max_entries = 1'000'000;

using Visit = std::function<void(const std::string& path, const FileStat& stat)>;

/// Everything below a directory, on its own file system, without what is managed on its own.
class Below {
 public:
  Below(const System& system, std::vector<std::string> except, const Visit& visit)
      : system_(system), except_(std::move(except)), visit_(visit) {
    std::ranges::sort(except_);
  }

  void walk(const std::string& folder, std::uint64_t device) {
    const std::string prefix = folder == "/" ? "/" : folder + "/";
    for (const std::string& name : system_.list(folder)) {
      const std::string path = prefix + name;
      if (std::ranges::binary_search(except_, path)) continue;
      const std::optional<FileStat> stat = system_.stat(path);
      if (!stat || stat->device != device) continue;
      if (++entries_ > max_entries) throw Error("\"" + folder + "\" has too many entries below it");
      visit_(path, *stat);
      if (stat->type == FileType::directory) walk(path, device);
    }
  }

 private:
  const System& system_;
  std::vector<std::string> except_;
  const Visit& visit_;
  std::size_t entries_ = 0;
};

/// Whether something below has another owner than it should.
bool is_foreign(const FileStat& stat, const FileMeta& meta) {
  return (meta.uid && *meta.uid != stat.uid) || (meta.gid && *meta.gid != stat.gid);
}

std::vector<std::string> texts_of(const Value& arguments, std::string_view key) {
  const Value* list = arguments.find(key);
  return list == nullptr ? std::vector<std::string>() : list->as_texts();
}

std::int64_t count_foreign(const System& system, const Ownership& ownership, const Wanted& wanted,
                           const FileStat& folder) {
  FileMeta meta;
  try {
    meta = ownership.meta(wanted.attributes, default_mode);
  } catch (const Error&) {
    meta.uid = static_cast<std::uint32_t>(-1);  // an account that is still to be made owns nothing yet
  }
  std::int64_t foreign = 0;
  const Visit visit = [&](const std::string&, const FileStat& stat) { foreign += is_foreign(stat, meta) ? 1 : 0; };
  Below(system, texts_of(wanted.parameters, "except"), visit).walk(wanted.id.name, folder.device);
  return foreign;
}

void own_everything(System& system, const Value& arguments) {
  const std::string& path = arguments.at("path").as_text();
  const std::optional<FileStat> folder = system.stat(path);
  if (!folder) throw Error("cannot set the owner below \"" + path + "\": it does not exist");
  const FileMeta meta = Ownership(system).meta(arguments.as_map(), default_mode);
  const Visit visit = [&](const std::string& below, const FileStat& stat) {
    if (is_foreign(stat, meta)) system.set_owner(below, meta.uid, meta.gid);
  };
  Below(system, texts_of(arguments, "except"), visit).walk(path, folder->device);
}

class DirectoryPrimitive : public PrimitiveKind {
 public:
  [[nodiscard]] PrimitiveType type() const override { return PrimitiveType::directory; }

  [[nodiscard]] std::vector<Attributes> observe(const System& system,
                                                std::span<const Wanted* const> wanted) const override {
    const Ownership ownership(system);
    std::vector<Attributes> observed;
    for (const Wanted* one : wanted) {
      const auto look = [&](const FileStat& stat, Attributes& attributes) {
        ownership.tell(stat, *one, attributes);
        if (one->attributes.contains("foreign")) attributes["foreign"] = count_foreign(system, ownership, *one, stat);
      };
      observed.push_back(observe_path(system, one->id.name, FileType::directory, look));
    }
    return observed;
  }

  [[nodiscard]] Steps steps(const Wanted& wanted, const Attributes& from, const Attributes& to) const override {
    Steps steps;
    Map arguments = overlay(pick(to, {"owner", "group", "mode"}), {{"path", wanted.id.name}});
    if (!is_present(to)) {
      if (is_present(from)) steps.list.push_back({"directory.remove", {{"path", wanted.id.name}}});
      return steps;
    }
    if (!is_present(from)) {
      steps.list.push_back({"directory.make", std::move(arguments)});
      return steps;
    }
    if (differs(from, to, "owner") || differs(from, to, "group") || differs(from, to, "mode")) {
      steps.list.push_back({"directory.set", arguments});
    }
    const auto foreign = to.find("foreign");
    if (foreign != to.end() && foreign->second == Value(0) && differs(from, to, "foreign")) {
      const auto except = wanted.parameters.find("except");
      if (except != wanted.parameters.end()) arguments["except"] = except->second;
      steps.list.push_back({"directory.own", std::move(arguments)});
      steps.irreversible.push_back("the former owners of what lies below \"" + wanted.id.name + "\" are not kept");
    }
    return steps;
  }

  void execute(Effects& effects, const Step& step) const override {
    System& system = effects.system;
    const Value arguments = step.arguments;
    const std::string& path = arguments.at("path").as_text();
    if (step.verb == "directory.make") {
      system.make_directory(path, Ownership(system).meta(step.arguments, default_mode));
      if (effects.extended != nullptr) system.set_extended(path, *effects.extended);
    } else if (step.verb == "directory.set") {
      system.set_meta(path, Ownership(system).meta(step.arguments, default_mode));
      if (effects.extended != nullptr) system.set_extended(path, *effects.extended);
    } else if (step.verb == "directory.own") {
      own_everything(system, arguments);
    } else if (step.verb == "directory.remove") {
      if (!system.remove_directory(path) && effects.tell) effects.tell("kept \"" + path + "\": it is not empty\n");
    } else {
      refuse_verb(step.verb);
    }
  }
};

}  // namespace

const PrimitiveKind& directory_primitive() {
  static const DirectoryPrimitive primitive;
  return primitive;
}

}  // namespace holdfast
