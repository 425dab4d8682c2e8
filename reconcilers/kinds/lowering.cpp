#include <reconcilers/kinds/lowering.hpp>

#include <manifests/digest.hpp>
#include <manifests/document.hpp>
#include <manifests/error.hpp>
#include <manifests/formats.hpp>
#include <reconcilers/kinds/source.hpp>

#include <utility>

namespace holdfast {

namespace {

constexpr std::size_t longest_title = 160;

}  // namespace

std::string pointer_to(const std::string& parent, std::string_view member) {
  return parent + "/" + pointer_segment(member);
}

void add_load(Wanted& unit, const PrimitiveId& id) {
  unit.parameters.try_emplace("loads", List{}).first->second.as_list().emplace_back(to_text(id));
}

std::string to_scalar_text(const Value& value) {
  switch (value.type()) {
    case Value::Type::boolean:
      return value.as_bool() ? "true" : "false";
    case Value::Type::integer:
      return std::to_string(value.as_int());
    default:
      return value.as_text();
  }
}

Lowering::Lowering(const Resource& resource, const Inputs& inputs) : resource_(resource), inputs_(inputs) {
  draft.resource = to_text(resource.id);
  draft.place = resource.at(spec().find("path") != nullptr ? "/spec/path" : "/metadata/name");
}

Origin Lowering::origin(const std::string& pointer) const {
  return {.resource = to_text(resource_.id), .position = pointer.empty() ? resource_.position : resource_.at(pointer)};
}

void Lowering::problem(const std::string& pointer, std::string what, std::string hint) {
  if (resource_.partial && (pointer.empty() || pointer == "/spec")) return;  // it may lack what was left out
  Problem found;
  found.where = resource_.at(pointer);
  found.what = std::move(what);
  found.hint = std::move(hint);
  draft.problems.push_back(std::move(found));
}

Wanted& Lowering::add(PrimitiveType type, const std::string& name, Attributes attributes) {
  Wanted wanted;
  wanted.id = {type, name};
  wanted.attributes = std::move(attributes);
  if (type == PrimitiveType::unit) {
    wanted.attributes.try_emplace("daemon", "current");
  } else {
    wanted.attributes.try_emplace("present", true);
  }
  wanted.origin = origin();
  draft.wanted.push_back(std::move(wanted));
  return draft.wanted.back();
}

Wanted& Lowering::add_absent(PrimitiveType type, const std::string& name) {
  return add(type, name, {{"present", false}});
}

Wanted& Lowering::add_file(const std::string& path, const std::string& bytes, const OwnerNames& ownership, int mode) {
  const std::string digest = sha256(bytes);
  Content content;
  content.size = bytes.size();
  content.bytes = bytes;
  draft.contents.try_emplace(digest, std::move(content));
  return add(PrimitiveType::file, path,
             {{"content", digest},
              {"size", static_cast<std::int64_t>(bytes.size())},
              {"owner", ownership.owner},
              {"group", ownership.group},
              {"mode", mode}});
}

void Lowering::refer(const PrimitiveId& from, const std::string& member, ReferenceUse use) {
  const Value* references = spec().find(member);
  if (references == nullptr) return;
  std::size_t index = 0;
  for (const std::string& reference : references->as_texts()) {
    const Position where = resource_.at("/spec/" + member + "/" + std::to_string(index++));
    draft.references.push_back({from, reference, use, where});
  }
}

void Lowering::add_check(const std::string& pointer, const std::string& title, Value check_spec) {
  Check check;
  check.name = to_text(resource_.id) + " " + title.substr(0, longest_title);
  check.spec = std::move(check_spec);
  check.origin = origin(pointer);
  draft.checks.push_back(std::move(check));
}

OwnerNames Lowering::ownership() {
  OwnerNames found;
  const std::string owner = spec().text_or("owner", found.owner);
  const std::size_t colon = owner.find(':');
  found.owner = owner.substr(0, colon);
  if (colon != std::string::npos) found.group = owner.substr(colon + 1);
  if (!is_account_name(found.owner) || !is_account_name(found.group)) {
    problem("/spec/owner", "\"spec.owner\" must be an account or \"account:group\", not \"" + owner + "\"");
    return {};
  }
  if (const Value* group = spec().find("group")) {
    if (colon != std::string::npos && group->as_text() != found.group) {
      problem("/spec/group",
              "\"spec.group\" is \"" + group->as_text() + "\", but \"spec.owner\" says \"" + owner + "\"",
              "say the group once");
    }
    found.group = group->as_text();
  }
  return found;
}

int Lowering::mode(std::string_view otherwise) { return octal_mode(spec().text_or("mode", otherwise)); }

std::string Lowering::content(const Value& holder, const std::string& pointer) {
  const Value* text = holder.find("text");
  const Value* source = holder.find("source");
  if ((text == nullptr) == (source == nullptr)) {
    problem(pointer + (text == nullptr ? "" : "/source"),
            "expected exactly one of \"text\" and \"source\", found " + std::string(text == nullptr ? "none" : "both"),
            "\"text\" holds the content itself, \"source\" names a file beside the manifest");
    return {};
  }
  return text != nullptr ? text->as_text() : read_source(source->as_text(), pointer + "/source");
}

std::string Lowering::read_source(const std::string& source, const std::string& pointer) {
  SourceFile found = read_source_file(inputs_.tree, resource_.folder, source);
  if (found.fault.empty()) return std::move(found.bytes);
  problem(pointer, std::move(found.fault), std::move(found.hint));
  return {};
}

}  // namespace holdfast
