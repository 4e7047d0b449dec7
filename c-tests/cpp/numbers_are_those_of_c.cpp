// Every number that C has a name for has one in C++, and it is the same number, with the same name in text. Numbers are said to the
// compiler: a value of C that is missing below is an error (-Wswitch), and so is one that differs. Names are compared when it runs: from
// the first case all are gone through.
#include "check.hpp"

#include <cstring>
#include <sstream>

#pragma GCC diagnostic error "-Wswitch"
#pragma GCC diagnostic ignored "-Wimplicit-fallthrough"

template <typename Enum> static void named(Enum value, const char *expected)
{
    std::ostringstream told;
    told << value;
    if (std::strcmp(procsup::name(value), expected) != 0 || told.str() != expected)
        failed(__FILE__, __LINE__, expected);
    if (!std::strstr(procsup::name(static_cast<Enum>(999)), "UNKNOWN"))
        failed(__FILE__, __LINE__, procsup::name(static_cast<Enum>(999)));
}

#define SAME(cpp, c)                                           \
    case c:                                                    \
        static_assert(static_cast<int>(procsup::cpp) == c, #c); \
        named(procsup::cpp, #c)

static void same(ps_status_code value)
{
    switch (value) {
    SAME(errc::ok, PS_OK);
    SAME(errc::pending, PS_PENDING);
    SAME(errc::invalid_argument, PS_ERR_INVALID_ARGUMENT);
    SAME(errc::bad_handle, PS_ERR_BAD_HANDLE);
    SAME(errc::state, PS_ERR_STATE);
    SAME(errc::system, PS_ERR_SYSTEM);
    SAME(errc::not_found, PS_ERR_NOT_FOUND);
    SAME(errc::permission, PS_ERR_PERMISSION);
    SAME(errc::limit, PS_ERR_LIMIT);
    SAME(errc::timeout, PS_ERR_TIMEOUT);
    SAME(errc::cancelled, PS_ERR_CANCELLED);
    SAME(errc::shutdown, PS_ERR_SHUTDOWN);
    SAME(errc::forked, PS_ERR_FORKED);
    SAME(errc::unsupported, PS_ERR_UNSUPPORTED);
    SAME(errc::output_exists, PS_ERR_OUTPUT_EXISTS);
    SAME(errc::budget_exhausted, PS_ERR_BUDGET_EXHAUSTED);
    SAME(errc::in_progress, PS_ERR_IN_PROGRESS);
    SAME(errc::locked, PS_ERR_LOCKED);
    SAME(errc::lock_replaced, PS_ERR_LOCK_REPLACED);
    SAME(errc::exited, PS_ERR_EXITED);
    SAME(errc::protocol, PS_ERR_PROTOCOL);
    SAME(errc::version_mismatch, PS_ERR_VERSION_MISMATCH);
    SAME(errc::peer_rejected, PS_ERR_PEER_REJECTED);
    SAME(errc::aborted, PS_ERR_ABORTED);
    SAME(errc::internal, PS_ERR_INTERNAL);
    SAME(errc::interrupted, PS_ERR_INTERRUPTED);
    }
}

static void same(ps_render_format value)
{
    switch (value) {
    SAME(render_format::text, PS_RENDER_TEXT);
    SAME(render_format::json, PS_RENDER_JSON);
    SAME(render_format::html, PS_RENDER_HTML);
    SAME(render_format::html_brief, PS_RENDER_HTML_BRIEF);
    }
}

static void same(ps_error_text_kind value)
{
    switch (value) {
    SAME(error_text::id, PS_ERROR_TEXT_ID);
    SAME(error_text::summary, PS_ERROR_TEXT_SUMMARY);
    SAME(error_text::problem, PS_ERROR_TEXT_PROBLEM);
    SAME(error_text::solution, PS_ERROR_TEXT_SOLUTION);
    SAME(error_text::advanced, PS_ERROR_TEXT_ADVANCED);
    }
}

static void same(ps_preloader_protocol value)
{
    switch (value) {
    SAME(preloader_protocol::passenger, PS_PRELOADER_PASSENGER);
    SAME(preloader_protocol::native, PS_PRELOADER_NATIVE);
    }
}

static void same(ps_worker_kind value)
{
    switch (value) {
    SAME(worker_kind::direct, PS_WORKER_DIRECT);
    SAME(worker_kind::forked, PS_WORKER_FORKED);
    SAME(worker_kind::sibling, PS_WORKER_SIBLING);
    }
}

static void same(ps_fork_way value)
{
    switch (value) {
    SAME(fork_way::libc, PS_FORK_LIBC);
    SAME(fork_way::sibling, PS_FORK_SIBLING);
    }
}

static void same(ps_preload_role value)
{
    switch (value) {
    SAME(preload_role::preloader, PS_ROLE_PRELOADER);
    SAME(preload_role::worker, PS_ROLE_WORKER);
    SAME(preload_role::stop, PS_ROLE_STOP);
    }
}

static void same(ps_worker_wish value)
{
    switch (value) {
    SAME(worker_asked::nothing, PS_ASKED_NOTHING);
    SAME(worker_asked::promote, PS_ASKED_PROMOTE);
    SAME(worker_asked::stop, PS_ASKED_STOP);
    }
}

static void same(ps_env_base value)
{
    switch (value) {
    SAME(environment::inherit, PS_ENV_INHERIT);
    SAME(environment::clear, PS_ENV_CLEAR);
    SAME(environment::baseline, PS_ENV_BASELINE);
    }
}

static void same(ps_stdio_kind value)
{
    switch (value) {
    SAME(stdio_kind::inherit, PS_STDIO_INHERIT);
    SAME(stdio_kind::null, PS_STDIO_NULL);
    SAME(stdio_kind::pipe, PS_STDIO_PIPE);
    case PS_STDIO_FD: // C++ is given the descriptor itself
    SAME(stdio_kind::merge, PS_STDIO_MERGE);
    SAME(stdio_kind::pty, PS_STDIO_PTY);
    }
}

static void same(ps_pipe_direction value)
{
    switch (value) {
    SAME(pipe_direction::to_child, PS_PIPE_TO_CHILD);
    SAME(pipe_direction::from_child, PS_PIPE_FROM_CHILD);
    }
}

static void same(ps_isolation value)
{
    switch (value) {
    SAME(isolation::none, PS_ISOLATE_NONE);
    SAME(isolation::group, PS_ISOLATE_GROUP);
    SAME(isolation::session, PS_ISOLATE_SESSION);
    SAME(isolation::contained, PS_ISOLATE_CONTAINED);
    }
}

static void same(ps_survivors_policy value)
{
    switch (value) {
    SAME(survivors_policy::sweep, PS_SURVIVORS_SWEEP);
    SAME(survivors_policy::leave, PS_SURVIVORS_LEAVE);
    }
}

static void same(ps_stop_scope value)
{
    switch (value) {
    SAME(scope::group, PS_SCOPE_GROUP);
    SAME(scope::mixed, PS_SCOPE_MIXED);
    SAME(scope::leader, PS_SCOPE_LEADER);
    }
}

static void same(ps_output_if_exists value)
{
    switch (value) {
    SAME(output_exists_policy::refuse, PS_OUTPUT_REFUSE);
    SAME(output_exists_policy::replace, PS_OUTPUT_REPLACE);
    }
}

static void same(ps_output_failure_policy value)
{
    switch (value) {
    SAME(output_failure_policy::keep, PS_OUTPUT_KEEP);
    SAME(output_failure_policy::drop, PS_OUTPUT_DROP);
    }
}

static void same(ps_restart_policy value)
{
    switch (value) {
    SAME(restart_policy::never, PS_RESTART_NEVER);
    SAME(restart_policy::on_failure, PS_RESTART_ON_FAILURE);
    SAME(restart_policy::always, PS_RESTART_ALWAYS);
    }
}

static void same(ps_readiness_kind value)
{
    switch (value) {
    SAME(readiness_kind::exec, PS_READY_EXEC);
    SAME(readiness_kind::notify, PS_READY_NOTIFY);
    SAME(readiness_kind::fd, PS_READY_FD);
    SAME(readiness_kind::socket, PS_READY_SOCKET);
    }
}

static void same(ps_exit_kind value)
{
    switch (value) {
    SAME(exit_kind::exited, PS_EXIT_EXITED);
    SAME(exit_kind::signaled, PS_EXIT_SIGNALED);
    SAME(exit_kind::lost, PS_EXIT_LOST);
    }
}

static void same(ps_exit_oom value)
{
    switch (value) {
    SAME(exit_oom::none, PS_OOM_NONE);
    SAME(exit_oom::own, PS_OOM_OWN);
    SAME(exit_oom::above, PS_OOM_ABOVE);
    SAME(exit_oom::probable, PS_OOM_PROBABLE);
    }
}

static void same(ps_exit_cause value)
{
    switch (value) {
    SAME(exit_cause::self, PS_CAUSE_SELF);
    SAME(exit_cause::stop, PS_CAUSE_STOP);
    SAME(exit_cause::deadline, PS_CAUSE_DEADLINE);
    SAME(exit_cause::shutdown, PS_CAUSE_SHUTDOWN);
    SAME(exit_cause::kill_all, PS_CAUSE_KILL_ALL);
    SAME(exit_cause::owner, PS_CAUSE_OWNER);
    SAME(exit_cause::not_ready, PS_CAUSE_NOT_READY);
    SAME(exit_cause::watchdog, PS_CAUSE_WATCHDOG);
    }
}

static void same(ps_child_state_code value)
{
    switch (value) {
    SAME(child_state::pending, PS_STATE_PENDING);
    SAME(child_state::running, PS_STATE_RUNNING);
    SAME(child_state::stopping, PS_STATE_STOPPING);
    SAME(child_state::exited, PS_STATE_EXITED);
    SAME(child_state::cancelled, PS_STATE_CANCELLED);
    }
}

static void same(ps_spawn_tier value)
{
    switch (value) {
    SAME(spawn_tier::clone3, PS_TIER_CLONE3);
    SAME(spawn_tier::clone, PS_TIER_CLONE);
    SAME(spawn_tier::fork, PS_TIER_FORK);
    SAME(spawn_tier::preloader, PS_TIER_PRELOADER);
    SAME(spawn_tier::spawner, PS_TIER_SPAWNER);
    }
}

static void same(ps_event_kind value)
{
    switch (value) {
    SAME(event_kind::started, PS_EVENT_STARTED);
    SAME(event_kind::exited, PS_EVENT_EXITED);
    SAME(event_kind::output, PS_EVENT_OUTPUT);
    SAME(event_kind::ready, PS_EVENT_READY);
    SAME(event_kind::restarting, PS_EVENT_RESTARTING);
    SAME(event_kind::gave_up, PS_EVENT_GAVE_UP);
    SAME(event_kind::cancelled, PS_EVENT_CANCELLED);
    SAME(event_kind::shutdown_done, PS_EVENT_SHUTDOWN_DONE);
    SAME(event_kind::failed, PS_EVENT_FAILED);
    SAME(event_kind::output_lost, PS_EVENT_OUTPUT_LOST);
    SAME(event_kind::notified, PS_EVENT_NOTIFIED);
    SAME(event_kind::input_room, PS_EVENT_INPUT_ROOM);
    SAME(event_kind::stopped, PS_EVENT_STOPPED);
    SAME(event_kind::continued, PS_EVENT_CONTINUED);
    }
}

static void same(ps_spawn_lock_event_kind value)
{
    switch (value) {
    SAME(spawn_lock_event_kind::acquired, PS_SPAWN_LOCK_ACQUIRED);
    SAME(spawn_lock_event_kind::failed, PS_SPAWN_LOCK_FAILED);
    }
}

static void same(ps_handoff_role_code value)
{
    switch (value) {
    SAME(handoff_role::first, PS_HANDOFF_FIRST);
    SAME(handoff_role::successor, PS_HANDOFF_SUCCESSOR);
    }
}

static void same(ps_handoff_mode value)
{
    switch (value) {
    SAME(handoff_mode::exclusive, PS_HANDOFF_EXCLUSIVE);
    SAME(handoff_mode::overlap, PS_HANDOFF_OVERLAP);
    }
}

static void same(ps_handoff_timeout value)
{
    switch (value) {
    SAME(handoff_timeout::drain, PS_HANDOFF_TIMEOUT_DRAIN);
    SAME(handoff_timeout::seal, PS_HANDOFF_TIMEOUT_SEAL);
    SAME(handoff_timeout::live, PS_HANDOFF_TIMEOUT_LIVE);
    SAME(handoff_timeout::probation, PS_HANDOFF_TIMEOUT_PROBATION);
    SAME(handoff_timeout::takeover, PS_HANDOFF_TIMEOUT_TAKEOVER);
    }
}

static void same(ps_handoff_event_kind value)
{
    switch (value) {
    SAME(handoff_event_kind::drain, PS_HANDOFF_DRAIN);
    SAME(handoff_event_kind::seal, PS_HANDOFF_SEAL);
    SAME(handoff_event_kind::live, PS_HANDOFF_LIVE);
    SAME(handoff_event_kind::resume, PS_HANDOFF_RESUME);
    SAME(handoff_event_kind::retire, PS_HANDOFF_RETIRE);
    SAME(handoff_event_kind::committed, PS_HANDOFF_COMMITTED);
    SAME(handoff_event_kind::aborted, PS_HANDOFF_ABORTED);
    SAME(handoff_event_kind::path_changed, PS_HANDOFF_PATH_CHANGED);
    }
}

static void same(ps_handoff_protocol value)
{
    switch (value) {
    SAME(handoff_protocol::native, PS_HANDOFF_PROTOCOL_NATIVE);
    SAME(handoff_protocol::notify, PS_HANDOFF_PROTOCOL_NOTIFY);
    SAME(handoff_protocol::v1, PS_HANDOFF_PROTOCOL_V1);
    }
}

static void same(ps_health_kind value)
{
    switch (value) {
    SAME(health_kind::none, PS_HEALTH_NONE);
    SAME(health_kind::socket, PS_HEALTH_SOCKET);
    SAME(health_kind::http, PS_HEALTH_HTTP);
    }
}

static void same(ps_handoff_supervisor_event_kind value)
{
    switch (value) {
    SAME(handoff_supervisor_event_kind::started, PS_HANDOFF_SUPERVISOR_STARTED);
    SAME(handoff_supervisor_event_kind::serving, PS_HANDOFF_SUPERVISOR_SERVING);
    SAME(handoff_supervisor_event_kind::progress, PS_HANDOFF_SUPERVISOR_PROGRESS);
    SAME(handoff_supervisor_event_kind::committed, PS_HANDOFF_SUPERVISOR_COMMITTED);
    SAME(handoff_supervisor_event_kind::aborted, PS_HANDOFF_SUPERVISOR_ABORTED);
    SAME(handoff_supervisor_event_kind::owner_ended, PS_HANDOFF_SUPERVISOR_OWNER_ENDED);
    SAME(handoff_supervisor_event_kind::gave_up, PS_HANDOFF_SUPERVISOR_GAVE_UP);
    SAME(handoff_supervisor_event_kind::stopped, PS_HANDOFF_SUPERVISOR_STOPPED);
    }
}

static void same(ps_notify_access value)
{
    switch (value) {
    SAME(notify_access::main, PS_NOTIFY_MAIN);
    SAME(notify_access::group, PS_NOTIFY_GROUP);
    }
}

static void same(ps_reason value)
{
    switch (value) {
    SAME(reason::none, PS_REASON_NONE);
    SAME(reason::ended, PS_REASON_ENDED);
    SAME(reason::failed, PS_REASON_FAILED);
    SAME(reason::early_exit, PS_REASON_EARLY_EXIT);
    SAME(reason::not_started, PS_REASON_NOT_STARTED);
    SAME(reason::not_ready, PS_REASON_NOT_READY);
    SAME(reason::watchdog, PS_REASON_WATCHDOG);
    SAME(reason::deadline, PS_REASON_DEADLINE);
    SAME(reason::failures, PS_REASON_FAILURES);
    SAME(reason::budget, PS_REASON_BUDGET);
    SAME(reason::in_progress, PS_REASON_IN_PROGRESS);
    }
}

static void same(ps_handoff_phase_code value)
{
    switch (value) {
    SAME(handoff_phase::loading, PS_HANDOFF_PHASE_LOADING);
    SAME(handoff_phase::warm, PS_HANDOFF_PHASE_WARM);
    SAME(handoff_phase::opening, PS_HANDOFF_PHASE_OPENING);
    SAME(handoff_phase::probation, PS_HANDOFF_PHASE_PROBATION);
    SAME(handoff_phase::settled, PS_HANDOFF_PHASE_SETTLED);
    SAME(handoff_phase::owner, PS_HANDOFF_PHASE_OWNER);
    SAME(handoff_phase::draining, PS_HANDOFF_PHASE_DRAINING);
    SAME(handoff_phase::sealing, PS_HANDOFF_PHASE_SEALING);
    SAME(handoff_phase::sealed, PS_HANDOFF_PHASE_SEALED);
    SAME(handoff_phase::overlap, PS_HANDOFF_PHASE_OVERLAP);
    SAME(handoff_phase::standby, PS_HANDOFF_PHASE_STANDBY);
    SAME(handoff_phase::gone, PS_HANDOFF_PHASE_GONE);
    }
}

int main()
{
    same(PS_OK);
    same(PS_RENDER_TEXT);
    same(PS_ERROR_TEXT_ID);
    same(PS_ENV_INHERIT);
    same(PS_STDIO_INHERIT);
    same(PS_PIPE_TO_CHILD);
    same(PS_ISOLATE_NONE);
    same(PS_SURVIVORS_SWEEP);
    same(PS_SCOPE_GROUP);
    same(PS_OUTPUT_REFUSE);
    same(PS_OUTPUT_KEEP);
    same(PS_RESTART_NEVER);
    same(PS_READY_EXEC);
    same(PS_EXIT_EXITED);
    same(PS_CAUSE_SELF);
    same(PS_OOM_NONE);
    same(PS_STATE_PENDING);
    same(PS_TIER_CLONE3);
    same(PS_EVENT_STARTED);
    same(PS_SPAWN_LOCK_ACQUIRED);
    same(PS_WORKER_DIRECT);
    same(PS_PRELOADER_PASSENGER);
    same(PS_FORK_LIBC);
    same(PS_ROLE_PRELOADER);
    same(PS_ASKED_NOTHING);
    same(PS_HANDOFF_FIRST);
    same(PS_HANDOFF_EXCLUSIVE);
    same(PS_HANDOFF_TIMEOUT_DRAIN);
    same(PS_HANDOFF_DRAIN);
    same(PS_HANDOFF_PROTOCOL_NATIVE);
    same(PS_HEALTH_NONE);
    same(PS_HANDOFF_SUPERVISOR_STARTED);
    same(PS_NOTIFY_MAIN);
    same(PS_REASON_NONE);
    same(PS_HANDOFF_PHASE_LOADING);
    return 0;
}
