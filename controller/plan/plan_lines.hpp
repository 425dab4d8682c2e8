#pragma once

#include <controller/plan/plan_view.hpp>

#include <string>
#include <vector>

namespace holdfast {

// The words that `plan`, `apply`, `history` and `show` share: whoever tells of a change does it with these.

/// "+", "~", "-"; "create", "change", "remove".
const char* sign_text(ChangeView::Sign sign);
const char* sign_word(ChangeView::Sign sign);

/// What is said of a change behind its name: details and the content's summary.
std::vector<std::string> words_of(const ChangeView& change);
/// "~ file:/etc/motd  mode 0600 -> 0644, +1 -1"
std::string change_line(const ChangeView& change);

/// "about 2.1 s not running, then until it is ready", or in words what is known.
std::string interruption_text(const UnitEffect& effect);
/// "restarts cvd.service: Release/cvd changes; about 2.1 s not running, then until it is ready"
std::string effect_text(const UnitEffect& effect);
/// "takes and verifies backup ledger first, because file:/srv/x changes  (BackupPolicy/ledger app.yaml:30)"
std::string backup_text(const BackupView& backup);
/// "restarts cvd.service and worker.service, reloads nginx.service"; empty where no unit is touched.
std::string units_text(const std::vector<UnitEffect>& effects);

/// "1 to create, 2 to change, 0 to remove; restarts cvd.service": a plan before it is carried out.
std::string summary_text(const PlanView& view);
/// "1 created, 2 changed, restarts cvd.service": the same afterwards, without what is 0.
std::string done_text(const PlanView& view);

/// What happens when the change does not stay healthy, in one sentence; empty where nothing changes.
std::string undo_text(const PlanView& view, std::int64_t health_window_ms);

/// How the hosts of an environment stand: "5 hosts: 2 with changes, 1 as wanted, 1 refused, 1 out of reach; restarts
/// …".
std::string total_text(const std::vector<PlanGroup>& groups);

}  // namespace holdfast
