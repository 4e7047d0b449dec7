// A supervisor of a handoff from C++: what is absent is no error, what is wrong is an exception or a code, and it may be moved.
/* covers: C16-1 */
#include "check.hpp"

using namespace procsup;

static_assert(!std::is_copy_constructible_v<handoff_supervisor> && std::is_nothrow_move_constructible_v<handoff_supervisor>);
static_assert(std::is_trivially_copyable_v<handoff_supervisor_event>);

int main()
{
    std::error_code ec;
    handoff_supervisor overseer("/nonexistent/control");
    handoff_supervisor moved = std::move(overseer);
    CHECK(!overseer && moved && moved.fd() >= 0);
    CHECK(!moved.owner() && !moved.outcome() && !moved.recover() && !moved.next_event());
    CHECK(moved.metrics().find("handoff_committed_total 0") != std::string::npos);
    moved.set_restart(1, 1000ms);
    moved.set_health(health_kind::none);
    moved.set_build_id("v1");
    CHECK_THROWS(moved.set_protocol(handoff_protocol::native), errc::state); // it was looked for already
    CHECK_THROWS(moved.cancel(), errc::state);
    moved.stop(10ms, ec);
    CHECK(ec == errc::state);
    command child("/nowhere/at/all");
    CHECK_THROWS(moved.start(child), errc::not_found);
    moved.replace(child, 0ms, 0ms, ec = {});
    CHECK(ec == errc::state);
    handoff_supervisor none = handoff_supervisor::without_path();
    CHECK_THROWS(none.start(child), errc::invalid_argument);
    return 0;
}
