#pragma once

#include <reconcilers/host/journal.hpp>
#include <reconcilers/primitive.hpp>

#include <string>
#include <string_view>

namespace holdfast {

/// What a transaction tells people while it runs (docs/protocol.md, events): kept in a file beside its journal, so that
/// a client that comes later sees everything from the first one on. Not synced: losing the last ones loses nothing.
class Events {
 public:
  explicit Events(const std::string& path) : file_(path) {}

  void phase(std::string_view name);
  /// `more` are further members of the event, such as how long it took.
  void action(const PrimitiveId& id, std::string_view state, const std::string& detail = "", Map more = {});
  /// Of a build step or a package transaction; told up to a limit for the whole transaction.
  void output(const PrimitiveId& id, std::string_view text);
  void backup(const std::string& policy, const std::string& text);
  void validator(const std::string& name, bool ok, const std::string& output);

 private:
  void tell(Map event);

  Journal file_;
  std::size_t output_bytes_ = 0;
};

}  // namespace holdfast
