#pragma once

#include <manifests/problem.hpp>
#include <manifests/value.hpp>

#include <cstdint>
#include <map>
#include <string>
#include <vector>

namespace holdfast {

/// What touches a host. Every kind is lowered to these; idempotence, diff, journal and rollback are written once, for
/// them. docs/primitives.md lists each one's attributes and parameters.
/// The order is the order in which a plan takes them where nothing else decides.
enum class PrimitiveType { package, group, user, directory, tree, command, file, link, unit };

std::string_view to_text(PrimitiveType type);
/// Throws Error for another text.
PrimitiveType primitive_type(std::string_view text);

/// "file:/etc/motd", "unit:nginx.service". Paths are absolute and normalised.
struct PrimitiveId {
  PrimitiveType type = PrimitiveType::file;
  std::string name{};
  friend auto operator<=>(const PrimitiveId&, const PrimitiveId&) = default;
};
std::string to_text(const PrimitiveId& id);
/// Throws Error for a text of another form.
PrimitiveId primitive_id(std::string_view text);

/// Where a primitive comes from: "EnvFile/cvd" at app.yaml:4:1.
struct Origin {
  std::string resource{};
  Position position{};
};

Value to_value(const Origin& origin);
Origin origin_from(const Value& value);

/// The state that one primitive should have.
struct Wanted {
  PrimitiveId id{};
  Attributes attributes{};  // state: compared with what is observed; a member that is not here is not managed
  Map parameters{};         // how to get there (validators, build steps, what a unit loads): never compared
  std::vector<PrimitiveId> after{};
  Origin origin{};
};

/// A program that judges the staged configuration before anything live changes: it is run where the planned files are
/// already in place (a private mount namespace over the real paths) and must exit 0.
struct Validator {
  std::string name{};  // "nginx -t", for messages
  std::vector<std::string> argv{};
  std::vector<std::string> folders{};  // absolute; the validator runs when a planned change lies below one of them
  Origin origin{};
};

/// Everything one host should be, for one commit. Pure data; equal bundles have equal canonical text.
struct Bundle {
  std::string environment{};
  std::string host{};
  std::string commit{};  // told in records; not part of the digest, so that a commit that changes nothing here is none
  bool prune = true;
  std::vector<Wanted> wanted{};
  std::vector<Validator> validators{};
};

Value to_value(const Wanted& wanted);
Wanted wanted_from(const Value& value);
Value to_value(const Validator& validator);
Validator validator_from(const Value& value);
Value to_value(const Bundle& bundle);
/// Throws Error where the value is no bundle: it is checked on the host like any other input.
Bundle bundle_from(const Value& value);
/// SHA-256 of the canonical text without commit and positions: the identity of a desired state, what is held after a
/// failure and compared to know whether anything was asked for.
std::string digest_of(const Bundle& bundle);

}  // namespace holdfast
