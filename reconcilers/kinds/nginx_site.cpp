#include <reconcilers/kinds/checks.hpp>
#include <reconcilers/kinds/kind.hpp>
#include <reconcilers/kinds/nginx_text.hpp>

#include <manifests/formats.hpp>

namespace holdfast {

namespace {

const std::string nginx = "/etc/nginx/";

bool is_file_name(const std::string& name) { return is_relative_path(name) && name.find('/') == std::string::npos; }

/// Files by name out of `spec.<member>`; `path` puts a name where nginx reads it.
template <typename Path>
void add_files(Lowering& to, const char* member, Path path) {
  const Value* files = to.spec().find(member);
  if (files == nullptr) return;
  for (const auto& [name, content] : files->as_map()) {
    const std::string pointer = pointer_to(pointer_to("/spec", member), name);
    if (!is_file_name(name)) {
      to.problem(pointer, "\"" + name + "\" is no name of a file", "a name without a slash");
      continue;
    }
    to.offer(to.add_file(path(name), to.content(content, pointer), {}, 0644).id);
  }
}

std::string fragment_path(const std::string& site, const std::string& name) {
  return nginx + "conf.d/" + site + "-" + name + (name.ends_with(".conf") ? "" : ".conf");
}

std::string add_site(Lowering& to) {
  const std::string text = to.content(to.spec(), "/spec");
  const std::string available = nginx + "sites-available/" + to.name();
  const std::string enabled = nginx + "sites-enabled/" + to.name();
  to.offer(to.add_file(available, text, {}, 0644).id);
  to.offer(to.spec().bool_or("enabled", true) ? to.add(PrimitiveType::link, enabled, {{"target", available}}).id
                                              : to.add_absent(PrimitiveType::link, enabled).id);
  return text;
}

/// The site that Debian's package brings takes requests away from every other one.
void add_default_site(Lowering& to) {
  const PrimitiveId link{PrimitiveType::link, nginx + "sites-enabled/default"};
  const std::string wish = to.spec().text_or("defaultSite", "");
  if (to.name() == "default") return;
  if (wish == "kept") {
    to.draft.kept.insert(link);
    return;
  }
  to.offer(to.add_absent(link.type, link.name).id);
  to.draft.shared[link] = wish.empty() ? Sharing::unless_kept : Sharing::always;
}

void add_unit(Lowering& to) {
  Wanted& unit = to.add(PrimitiveType::unit, "nginx.service", {{"enabled", "enabled"}, {"active", "running"}});
  for (const PrimitiveId& id : to.draft.content) add_load(unit, id);
  unit.parameters["on_change_default"] = "reload";
  to.refer(unit.id, "upstreams", ReferenceUse::order);
}

/// Any answer of the site counts: whether it is a good one is for its own checks to say.
void add_answer(Lowering& to, const std::string& text) {
  if (!to.spec().bool_or("enabled", true)) return;
  if (const Value* answers = to.spec().find("answers")) {
    add_http_check(to, *answers, "/spec/answers");
    return;
  }
  const std::optional<SiteAddress> address = site_address(text);
  if (!address) return;
  List any_status;
  for (int status = 200; status < 600; ++status) any_status.emplace_back(status);
  add_http_check(to,
                 Map{{"url", address->url},
                     {"connect", address->connect},
                     {"status", std::move(any_status)},
                     {"within", "5s"},
                     {"verifyTls", false}},
                 "/spec");
}

void lower_nginx_site(Lowering& to) {
  if (!is_file_name(to.name())) {
    to.problem("/metadata/name", "\"" + to.name() + "\" is no name of a file", "a site's name is its file's name");
    return;
  }
  const std::string text = add_site(to);
  add_files(to, "snippets", [](const std::string& name) { return nginx + "snippets/" + name; });
  add_files(to, "http", [&to](const std::string& name) { return fragment_path(to.name(), name); });
  add_default_site(to);
  add_unit(to);
  Validator validator;
  validator.name = "nginx -t";
  validator.argv = {"nginx", "-t"};
  validator.folders = {"/etc/nginx"};
  validator.origin = to.origin();
  to.draft.validators.push_back(std::move(validator));
  add_answer(to, text);
}

}  // namespace

Kind nginx_site_kind() { return {"NginxSite", lower_nginx_site}; }

}  // namespace holdfast
