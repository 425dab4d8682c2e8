#pragma once

#include <reconcilers/primitives/primitive_kind.hpp>

#include <optional>
#include <string>

namespace holdfast {

// Secrets that are made on the host and never leave it. A file with secrets is described by a template (in the vault)
// with placeholders; only the host knows the digest of what it renders to. So that observed and wanted content can be
// compared, the planner first passes every wanted state through resolve_wanted(); and before attributes or steps leave
// the host, through disclose(), which puts `hmac:…` in the place of every digest that would tell something.

/// The attributes to compare with what was observed: for a file with secrets `content` becomes the digest of the
/// rendered content, or "pending:<template digest>" (which equals nothing) while a secret is still to be made or the
/// template isn't on the host; for a user whose groups are "at least these", `groups` gets those that it has; a
/// package's `state` is to be "installed". Other attributes are as wanted. Writes nothing.
Attributes resolve_wanted(const System& system, const Vault& vault, const Wanted& wanted);

/// The same for a wanted state that steps are made of: what `content` named becomes the parameter `template`.
void resolve_in_place(const System& system, const Vault& vault, Wanted& wanted);

/// True where content was given as "pending:…".
bool is_pending(const Value& content);

/// What may leave the host of a file's attributes, observed or wanted: the content of a file with secrets, or of a
/// `sensitive` one, as "hmac:<HMAC-SHA-256>" under `key`, and no size. Everything else unchanged.
Attributes disclose(const Wanted& wanted, const Attributes& attributes, const std::string& key);
/// The same for a step of that primitive.
Step disclose(const Wanted& wanted, const Step& step, const std::string& key);

/// The host's key for disclose(): the kept one, else (before the first effect ever, when nothing may be written) one
/// that holds for this process only. Effects on sensitive files make the kept one.
std::string disclosure_key(const System& system);
void ensure_disclosure_key(System& system);

/// The template with each placeholder of `secrets` replaced; makes the secrets that are missing. Throws Error on a
/// placeholder that the template doesn't have.
std::string render_secrets(System& system, std::string text, const Map& secrets);

/// Remembers what the template of `arguments` (a file step) rendered to, so that resolve_wanted() doesn't need it
/// again.
void remember_rendering(System& system, const Map& arguments, const std::string& content);

/// The kept secret; nullopt where it was not made yet.
std::optional<std::string> read_secret(const System& system, const std::string& id);
/// Where a secret is kept: below the state folder, one file each.
std::string secret_path(const std::string& id);

}  // namespace holdfast
