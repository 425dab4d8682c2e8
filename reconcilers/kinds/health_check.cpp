#include <reconcilers/kinds/checks.hpp>
#include <reconcilers/kinds/kind.hpp>

namespace holdfast {

namespace {

void lower_health_check(Lowering& to) { add_written_check(to, to.spec(), "/spec"); }

}  // namespace

Kind health_check_kind() { return {"HealthCheck", lower_health_check}; }

}  // namespace holdfast
