#pragma once

#include <controller/git/mirror.hpp>
#include <controller/plan/reasons.hpp>

#include <map>
#include <string>
#include <vector>

namespace holdfast {

/// Which commits made manifests what they are, read from the mirror's history: a manifest is its document and the files
/// of the repository that it names, not the file that it shares with others. Remembers what it has read. Used by one
/// thread at a time.
class Provenance {
 public:
  Provenance(const Mirror& mirror, std::string head) : mirror_(mirror), head_(std::move(head)) {}

  /// `live`: the commit that the host is at; empty where it is at none.
  Asked asked(const Origin& origin, bool gone, const std::string& live);

 private:
  struct Thing;
  std::string look(const Thing& thing, const std::string& commit);
  std::string document_of(const std::string& resource, const std::string& blob);
  std::vector<std::string> files_of(const Origin& origin);
  std::optional<Commit> find(const Origin& origin, bool gone);

  const Mirror& mirror_;
  std::string head_;
  std::map<std::string, std::string> documents_;  // by resource and blob
  std::map<std::string, std::optional<Commit>> found_;
};

}  // namespace holdfast
