/* Every public function that takes a handle, as a table, so that one test per kind of bad handle covers them all. The other arguments
   are good ones: only the handle can be what is refused. Out parameters point into `out`, which a refused call must leave alone. */
#ifndef PROCSUP_TEST_EVERY_CALL_H
#define PROCSUP_TEST_EVERY_CALL_H

#include "children.h"
#include "preload_greeting.h"

static struct {
    ps_child *child;
    int32_t number;
    uint32_t count;
    size_t needed;
    char bytes[32];
    uint64_t big;
    ps_exit exit;
    ps_event event;
    ps_handoff_event handoff_event;
    ps_outcome outcome;
    ps_handoff_supervisor_event supervised_event;
    ps_budget_state budget_state;
    ps_spawn_lock_event lock_event;
    ps_notified notified;
    struct ps_worker_socket worker_socket;
    ps_worker_info worker_info;
    ps_worker *worker;
    ps_output *output;
} out, untouched;

static ps_command *good_command; /* for the calls that need one beside the bad handle */

#define CALL(type, function, ...)                                                                                                  \
    static ps_status with_##function(void *handle, ps_error **error)                                                              \
    {                                                                                                                              \
        return function((type *)handle, __VA_ARGS__, error);                                                                       \
    }

static const char *const some_args[] = {"a", "b", NULL};
static const uint32_t some_groups[] = {1, 2};

CALL(ps_command, ps_command_arg, "a")
CALL(ps_command, ps_command_args, some_args)
CALL(ps_command, ps_command_arg0, "a")
CALL(ps_command, ps_command_env, "A", "b")
CALL(ps_command, ps_command_env_base, PS_ENV_CLEAR)
CALL(ps_command, ps_command_cwd, "/")
CALL(ps_command, ps_command_stdio, 1, PS_STDIO_NULL, -1)
CALL(ps_command, ps_command_pass_fd, 2, 9)
CALL(ps_command, ps_command_listen_fd, 2, "name")
CALL(ps_command, ps_command_credentials, 1, 1, some_groups, 2)
CALL(ps_command, ps_command_user, 1)
CALL(ps_command, ps_command_group, 1)
CALL(ps_command, ps_command_groups, some_groups, 2)
CALL(ps_command, ps_command_keep_groups, 1)
CALL(ps_command, ps_command_chdir_first, 1)
CALL(ps_command, ps_command_umask, 022)
CALL(ps_command, ps_command_nice, 1)
CALL(ps_command, ps_command_rlimit, RLIMIT_CORE, 0, 0)
CALL(ps_command, ps_command_affinity, some_groups, 1)
CALL(ps_command, ps_command_scheduling, PS_SCHED_BATCH, 0)
CALL(ps_command, ps_command_landlock, "/", PS_ALLOW_READ)
CALL(ps_command, ps_command_no_new_privs, 1)
CALL(ps_command, ps_command_die_with_host, 1)
CALL(ps_command, ps_command_isolate, PS_ISOLATE_GROUP)
CALL(ps_command, ps_command_pty_size, 25, 81)
CALL(ps_command, ps_command_terminal, 2)
CALL(ps_command, ps_command_foreground, 1)
CALL(ps_command, ps_command_sandbox_dir, "/nonexistent/sandbox")
CALL(ps_command, ps_command_own_fd, 2)
CALL(ps_command, ps_command_stop_step, SIGTERM, 10)
CALL(ps_command, ps_command_deadline, 1000)
CALL(ps_command, ps_command_core_wait, 1000)
CALL(ps_command, ps_command_survivors, PS_SURVIVORS_LEAVE)
CALL(ps_command, ps_command_stop_scope, PS_SCOPE_MIXED)
CALL(ps_command, ps_command_capture, 10)
CALL(ps_command, ps_command_capture_apart, 1)
CALL(ps_command, ps_command_render, out.bytes, sizeof out.bytes, &out.needed)
CALL(ps_command, ps_run, 1000, 10, &out.exit, &out.output)
CALL(ps_command, ps_run_checked, 1000, 10, &out.output)
CALL(ps_output, ps_output_data, 1, out.bytes, sizeof out.bytes, &out.needed)
CALL(ps_output, ps_output_lost, 1, &out.big)
CALL(ps_command, ps_command_output_lines, 1)
CALL(ps_command, ps_command_output_line_limit, 100)
CALL(ps_command, ps_command_output_partial, 100)
CALL(ps_command, ps_command_watch_stops, 100)
CALL(ps_command, ps_command_output_file, "/nonexistent/file", PS_OUTPUT_REFUSE)
CALL(ps_command, ps_command_output_on_failure, PS_OUTPUT_DROP)
CALL(ps_command, ps_command_input, "a", 1)
CALL(ps_command, ps_command_input_stream, 10)
CALL(ps_command, ps_command_pipe, 9, PS_PIPE_TO_CHILD)
CALL(ps_command, ps_command_cgroup, "/nonexistent/group")
CALL(ps_command, ps_command_cgroup_set, "pids.max", "1")
CALL(ps_command, ps_command_restart, PS_RESTART_ALWAYS, 1, 2)
CALL(ps_command, ps_command_restart_limit, 1, 2)
CALL(ps_command, ps_command_restart_early_exit, 1)
CALL(ps_command, ps_command_budget, NULL, "key")
CALL(ps_command, ps_command_budget_wait, 1)
CALL(ps_command, ps_command_readiness, PS_READY_EXEC, NULL, 10)
CALL(ps_command, ps_command_notify_access, PS_NOTIFY_MAIN)
CALL(ps_command, ps_command_watchdog, 1000)
CALL(ps_command, ps_command_user_data, 1)
static const char *const some_block[] = {"A=b", "C=", NULL};
static const int32_t some_fds[] = {2}, some_numbers[] = {11};
CALL(ps_command, ps_command_arg_bytes, "a", 1)
CALL(ps_command, ps_command_env_bytes, "A", 1, "b", 1)
CALL(ps_command, ps_command_env_block, some_block)
CALL(ps_command, ps_command_cwd_bytes, "/", 1)
CALL(ps_command, ps_command_pass_fds, some_fds, some_numbers, 1)
CALL(ps_command, ps_command_priority, 1)
static const int32_t some_signals[] = {SIGHUP};
CALL(ps_command, ps_command_oom_score_adj, 1000)
CALL(ps_command, ps_command_keep_ignored, some_signals, 1)
CALL(ps_command, ps_command_keep_mask, 1)
CALL(ps_command, ps_command_process_group, 0)
CALL(ps_child, ps_signal, SIGKILL)
CALL(ps_child, ps_terminate, 0, &out.exit)
CALL(ps_child, ps_terminate_begin, 0)
CALL(ps_child, ps_reap, 0, &out.exit)
CALL(ps_child, ps_reap_nonblock, &out.exit)
CALL(ps_child, ps_child_pid, &out.number)
CALL(ps_child, ps_child_pidfd, &out.number)
CALL(ps_child, ps_child_state, &out.number)
CALL(ps_child, ps_child_stopped, &out.number)
CALL(ps_child, ps_child_stdio, 1, &out.number)
CALL(ps_child, ps_child_pty, &out.number)
CALL(ps_child, ps_child_resize, 25, 81)
CALL(ps_child, ps_child_write, "a", 1, &out.needed)
CALL(ps_child, ps_child_output, out.bytes, sizeof out.bytes, &out.needed)
CALL(ps_child, ps_child_output_of, 1, out.bytes, sizeof out.bytes, &out.needed)
CALL(ps_child, ps_child_output_lost, 0, &out.big)
CALL(ps_child, ps_child_spawn_tier, &out.number)
CALL(ps_child, ps_wait_ready, 0)
CALL(ps_child, ps_signal_process, 0)
CALL(ps_child, ps_child_notified, &out.notified)
CALL(ps_child, ps_child_status_text, out.bytes, sizeof out.bytes, &out.needed)
CALL(ps_supervisor, ps_supervisor_fd, &out.number)
CALL(ps_supervisor, ps_supervisor_next_event, 0, &out.event)
CALL(ps_supervisor, ps_supervisor_set_max_running, 1)
CALL(ps_supervisor, ps_supervisor_set_max_pending, 1)
CALL(ps_supervisor, ps_supervisor_set_subreaper, 0)
CALL(ps_supervisor, ps_supervisor_set_spawner, 0)
CALL(ps_supervisor, ps_supervisor_set_hold_processor, 0)
CALL(ps_supervisor, ps_supervisor_counts, &out.count, &out.count, &out.count)
CALL(ps_supervisor, ps_supervisor_shutdown, 0)
CALL(ps_supervisor, ps_event_data, out.bytes, sizeof out.bytes, &out.needed)
CALL(ps_handoff, ps_handoff_role, &out.number)
CALL(ps_handoff, ps_handoff_phase, &out.number)
CALL(ps_handoff, ps_handoff_generation, &out.big)
CALL(ps_handoff, ps_handoff_set_mode, PS_HANDOFF_OVERLAP)
CALL(ps_handoff, ps_handoff_set_timeout, PS_HANDOFF_TIMEOUT_LIVE, 10)
CALL(ps_handoff, ps_handoff_set_service_check, 1)
CALL(ps_handoff, ps_handoff_set_fd, "name", 2)
CALL(ps_handoff, ps_handoff_take_fd, "name", &out.number)
CALL(ps_handoff, ps_handoff_pass_connection, 2, "a", 1)
CALL(ps_handoff, ps_handoff_keep_connection, 2)
CALL(ps_handoff, ps_handoff_take_connection, &out.number, out.bytes, sizeof out.bytes, &out.needed)
CALL(ps_handoff, ps_handoff_fd_names, out.bytes, sizeof out.bytes, &out.needed)
CALL(ps_handoff, ps_handoff_set_state, "a", 1)
CALL(ps_handoff, ps_handoff_state, out.bytes, sizeof out.bytes, &out.needed)
CALL(ps_handoff, ps_handoff_fd, &out.number)
CALL(ps_handoff, ps_handoff_next_event, 0, &out.handoff_event)
CALL(ps_handoff, ps_handoff_drained, 0)
CALL(ps_handoff, ps_handoff_sealed, 1)
CALL(ps_handoff, ps_handoff_failed, "a")
CALL(ps_handoff, ps_handoff_upgrade, good_command, 1000)
CALL(ps_handoff, ps_handoff_reason, out.bytes, sizeof out.bytes, &out.needed)
CALL(ps_handoff, ps_handoff_outcome, 0, &out.outcome)
CALL(ps_handoff, ps_handoff_outcome_text, 0, PS_RENDER_JSON, out.bytes, sizeof out.bytes, &out.needed)
CALL(ps_handoff, ps_handoff_set_build_id, "v1")
CALL(ps_handoff_supervisor, ps_handoff_supervisor_listener, "name", 2)
CALL(ps_handoff_supervisor, ps_handoff_supervisor_set_protocol, PS_HANDOFF_PROTOCOL_NATIVE)
CALL(ps_handoff_supervisor, ps_handoff_supervisor_set_journal, "/nonexistent/journal")
CALL(ps_handoff_supervisor, ps_handoff_supervisor_set_build_id, "v1")
CALL(ps_handoff_supervisor, ps_handoff_supervisor_set_health, PS_HEALTH_SOCKET, "tcp:127.0.0.1:1", 1000)
CALL(ps_handoff_supervisor, ps_handoff_supervisor_set_health_command, good_command, 1000)
CALL(ps_handoff_supervisor, ps_handoff_supervisor_set_probation, 10)
CALL(ps_handoff_supervisor, ps_handoff_supervisor_set_restart, 3, 1000)
CALL(ps_handoff_supervisor, ps_handoff_supervisor_start, good_command)
CALL(ps_handoff_supervisor, ps_handoff_supervisor_replace, good_command, 1000, 1000)
CALL(ps_handoff_supervisor, ps_handoff_supervisor_stop, 10)
CALL(ps_handoff_supervisor, ps_handoff_supervisor_owner, &out.number, &out.big)
CALL(ps_handoff_supervisor, ps_handoff_supervisor_outcome, 0, &out.outcome)
CALL(ps_handoff_supervisor, ps_handoff_supervisor_outcome_text, 0, PS_RENDER_JSON, out.bytes, sizeof out.bytes, &out.needed)
CALL(ps_handoff_supervisor, ps_handoff_supervisor_metrics, out.bytes, sizeof out.bytes, &out.needed)
CALL(ps_handoff_supervisor, ps_handoff_supervisor_fd, &out.number)
CALL(ps_handoff_supervisor, ps_handoff_supervisor_next_event, 0, &out.supervised_event)
CALL(ps_budget, ps_budget_set_lease, 1000)
CALL(ps_budget, ps_budget_set_healthy, 10)
CALL(ps_budget, ps_budget_begin, "key", &out.big)
CALL(ps_budget, ps_budget_finish, 1, 1)
CALL(ps_budget, ps_budget_reset, "key")
CALL(ps_budget, ps_budget_snapshot, "key", &out.budget_state)
CALL(ps_command, ps_command_session, "app_type", "a")
CALL(ps_worker, ps_worker_wait, 0)
CALL(ps_worker, ps_worker_child, &out.child)
CALL(ps_worker, ps_worker_socket_count, &out.count)
CALL(ps_worker, ps_worker_socket, 0, &out.worker_socket)
CALL(ps_worker, ps_worker_generation, &out.count)
CALL(ps_worker, ps_worker_stdin, &out.number)
CALL(ps_worker, ps_worker_get_info, &out.worker_info)
CALL(ps_worker, ps_worker_journey, PS_RENDER_TEXT, out.bytes, sizeof out.bytes, &out.needed)
CALL(ps_spawn_lock, ps_spawn_lock_fd, &out.number)
CALL(ps_spawn_lock, ps_spawn_lock_next_event, 0, &out.lock_event)

static ps_status with_ps_wait_any(void *handle, ps_error **error)
{
    return ps_wait_any((ps_child *[]){handle}, 1, 0, &out.needed, error);
}
static ps_status with_ps_wait_all(void *handle, ps_error **error) { return ps_wait_all((ps_child *[]){handle}, 1, 0, error); }
static ps_status with_ps_spawn(void *handle, ps_error **error) { return ps_spawn(NULL, handle, &out.child, error); }
static ps_status with_ps_spawn_into(void *handle, ps_error **error) { return ps_spawn(handle, good_command, &out.child, error); }
static ps_status with_ps_handoff_warm(void *handle, ps_error **error) { return ps_handoff_warm(handle, error); }
static ps_status with_ps_handoff_live(void *handle, ps_error **error) { return ps_handoff_live(handle, error); }
static ps_status with_ps_spawn_lock_check(void *handle, ps_error **error) { return ps_spawn_lock_check(handle, error); }
static ps_status with_ps_handoff_supervisor_cancel(void *handle, ps_error **error)
{
    return ps_handoff_supervisor_cancel(handle, error);
}
static ps_status with_ps_handoff_supervisor_recover(void *handle, ps_error **error)
{
    return ps_handoff_supervisor_recover(handle, error);
}
static ps_status with_ps_handoff_cancel(void *handle, ps_error **error) { return ps_handoff_cancel(handle, error); }
static ps_status with_ps_spawn_direct(void *handle, ps_error **error) { return ps_spawn_direct(NULL, handle, 1000, &out.worker, error); }
static ps_status with_ps_spawn_direct_into(void *handle, ps_error **error)
{
    return ps_spawn_direct(handle, good_command, 1000, &out.worker, error);
}
static ps_status with_ps_spawn_direct_begin(void *handle, ps_error **error)
{
    return ps_spawn_direct_begin(NULL, handle, 1000, &out.worker, error);
}
static ps_status with_ps_spawn_direct_begin_into(void *handle, ps_error **error)
{
    return ps_spawn_direct_begin(handle, good_command, 1000, &out.worker, error);
}
static ps_status with_ps_spawn_once(void *handle, ps_error **error)
{
    return ps_spawn_once(NULL, "/nowhere", "a", handle, NULL, 0, &out.child, error);
}
static ps_status with_ps_spawn_once_into(void *handle, ps_error **error)
{
    return ps_spawn_once(handle, "/nowhere", "a", good_command, NULL, 0, &out.child, error);
}
static ps_status with_ps_child_write_end(void *handle, ps_error **error) { return ps_child_write_end(handle, error); }
static ps_status with_ps_spawn_pipeline(void *handle, ps_error **error)
{
    const ps_command *commands[] = {good_command, handle};
    return ps_spawn_pipeline(NULL, commands, 2, &out.child, error);
}
static ps_status with_ps_spawn_pipeline_into(void *handle, ps_error **error)
{
    const ps_command *commands[] = {good_command, good_command};
    return ps_spawn_pipeline(handle, commands, 2, &out.child, error);
}
static ps_status with_ps_spawn_replicas(void *handle, ps_error **error)
{
    return ps_spawn_replicas(handle, good_command, 1, &out.child, error);
}

CALL(ps_preload, ps_preload_on_fork, NULL, NULL, NULL, NULL)
CALL(ps_preload, ps_preload_ready, PS_FORK_LIBC)
CALL(ps_preload, ps_preload_failed, "a")
CALL(ps_preload, ps_preload_fork, 0, &out.number)
CALL(ps_preload, ps_preload_accept, 0, &out.big)
CALL(ps_preload, ps_preload_forked, 1, 1)
CALL(ps_preload, ps_preload_fd, &out.number)
CALL(ps_preload, ps_worker_asked, 0, &out.number)
static ps_status with_ps_preload_collapse(void *handle, ps_error **error) { return ps_preload_collapse(handle, error); }
static ps_status with_ps_worker_ready(void *handle, ps_error **error) { return ps_worker_ready(handle, error); }

static ps_status with_ps_preloader_set(void *handle, ps_error **error) { return ps_preloader_set(handle, "app_env", "x", error); }
static ps_status with_ps_preloader_set_protocol(void *handle, ps_error **error)
{
    return ps_preloader_set_protocol(handle, PS_PRELOADER_PASSENGER, error);
}
static ps_status with_ps_preloader_set_idle_stop(void *handle, ps_error **error) { return ps_preloader_set_idle_stop(handle, -1, error); }
static ps_status with_ps_preloader_new(void *handle, ps_error **error)
{
    ps_preloader *made = NULL;
    ps_status status = ps_preloader_new(handle, &made, error);
    ps_preloader_free(made);
    return status;
}
static ps_status with_ps_preloader_spawn(void *handle, ps_error **error)
{
    ps_worker *made = NULL;
    ps_status status = ps_preloader_spawn(handle, NULL, NULL, 1, &made, error);
    ps_worker_free(made);
    return status == PS_ERR_TIMEOUT || status == PS_ERR_NOT_FOUND ? PS_OK : status;
}
static ps_status with_ps_preloader_spawn_begin(void *handle, ps_error **error)
{
    ps_worker *made = NULL;
    ps_status status = ps_preloader_spawn_begin(handle, NULL, NULL, 1, &made, error);
    ps_worker_free(made);
    return status;
}
static ps_status with_ps_preloader_reload(void *handle, ps_error **error) { return ps_preloader_reload(handle, error); }
static ps_status with_ps_preloader_generation(void *handle, ps_error **error)
{
    uint32_t generation;
    return ps_preloader_generation(handle, &generation, error);
}
static ps_status with_ps_preloader_pid(void *handle, ps_error **error)
{
    int32_t pid;
    return ps_preloader_pid(handle, &pid, error);
}
static ps_status with_ps_preloader_last_used(void *handle, ps_error **error)
{
    int64_t time_ns;
    return ps_preloader_last_used(handle, &time_ns, error);
}
CALL(ps_preloader, ps_preloader_set_pool, 0, -1)
CALL(ps_preloader, ps_preloader_set_limits, 0, 0)
static ps_status with_ps_preloader_warm(void *handle, ps_error **error) { return ps_preloader_warm(handle, NULL, 0, error); }
static ps_status with_ps_preloader_promote(void *handle, ps_error **error) { return ps_preloader_promote(handle, NULL, 0, error); }
static ps_status with_ps_preloader_stop(void *handle, ps_error **error) { return ps_preloader_stop(handle, 0, error); }

enum handle_kind { COMMAND, CHILD, SUPERVISOR, HANDOFF, BUDGET, LOCK, WORKER, PRELOADER, PRELOAD, OVERSEER, OUTPUT, ERROR, KINDS };

#define ENTRY(kind, function) {#function, kind, with_##function}
static const struct call {
    const char *name;
    enum handle_kind kind;
    ps_status (*call)(void *handle, ps_error **error);
} every_call[] = {
    ENTRY(COMMAND, ps_command_arg),         ENTRY(COMMAND, ps_command_args),          ENTRY(COMMAND, ps_command_arg0),
    ENTRY(COMMAND, ps_command_env),         ENTRY(COMMAND, ps_command_env_base),      ENTRY(COMMAND, ps_command_cwd),
    ENTRY(COMMAND, ps_command_stdio),       ENTRY(COMMAND, ps_command_pass_fd),       ENTRY(COMMAND, ps_command_listen_fd),
    ENTRY(COMMAND, ps_command_credentials), ENTRY(COMMAND, ps_command_umask),         ENTRY(COMMAND, ps_command_nice),
    ENTRY(COMMAND, ps_command_user),        ENTRY(COMMAND, ps_command_group),         ENTRY(COMMAND, ps_command_groups),
    ENTRY(COMMAND, ps_command_keep_groups), ENTRY(COMMAND, ps_command_chdir_first),
    ENTRY(COMMAND, ps_command_rlimit),      ENTRY(COMMAND, ps_command_no_new_privs),  ENTRY(COMMAND, ps_command_die_with_host),
    ENTRY(COMMAND, ps_command_isolate),     ENTRY(COMMAND, ps_command_sandbox_dir),   ENTRY(COMMAND, ps_command_own_fd),
    ENTRY(COMMAND, ps_command_stop_step),   ENTRY(COMMAND, ps_command_deadline),      ENTRY(COMMAND, ps_command_survivors),
    ENTRY(COMMAND, ps_command_core_wait),
    ENTRY(COMMAND, ps_command_affinity),    ENTRY(COMMAND, ps_command_scheduling),    ENTRY(COMMAND, ps_command_landlock),
    ENTRY(COMMAND, ps_command_core_wait),   ENTRY(COMMAND, ps_command_stop_scope),
    ENTRY(COMMAND, ps_command_capture_apart), ENTRY(COMMAND, ps_command_render),      ENTRY(COMMAND, ps_run),
    ENTRY(COMMAND, ps_run_checked),         ENTRY(OUTPUT, ps_output_data),            ENTRY(OUTPUT, ps_output_lost),
    ENTRY(CHILD, ps_child_output_of),       ENTRY(CHILD, ps_child_output_lost),
    ENTRY(COMMAND, ps_command_output_partial), ENTRY(COMMAND, ps_command_watch_stops), ENTRY(CHILD, ps_child_stopped),
    ENTRY(COMMAND, ps_command_capture),     ENTRY(COMMAND, ps_command_readiness),     ENTRY(COMMAND, ps_command_user_data),
    ENTRY(COMMAND, ps_command_output_lines), ENTRY(COMMAND, ps_command_output_line_limit), ENTRY(COMMAND, ps_command_output_file),
    ENTRY(COMMAND, ps_command_output_on_failure), ENTRY(COMMAND, ps_command_input),    ENTRY(COMMAND, ps_command_cgroup),
    ENTRY(COMMAND, ps_command_cgroup_set),  ENTRY(COMMAND, ps_command_restart),       ENTRY(COMMAND, ps_command_restart_limit),
    ENTRY(COMMAND, ps_command_restart_early_exit), ENTRY(COMMAND, ps_command_notify_access), ENTRY(COMMAND, ps_command_watchdog),
    ENTRY(COMMAND, ps_command_budget),      ENTRY(COMMAND, ps_command_budget_wait),
    ENTRY(COMMAND, ps_command_arg_bytes),   ENTRY(COMMAND, ps_command_env_bytes),     ENTRY(COMMAND, ps_command_env_block),
    ENTRY(COMMAND, ps_command_cwd_bytes),   ENTRY(COMMAND, ps_command_pass_fds),      ENTRY(COMMAND, ps_command_priority),
    ENTRY(COMMAND, ps_command_oom_score_adj), ENTRY(COMMAND, ps_command_keep_ignored), ENTRY(COMMAND, ps_command_keep_mask),
    ENTRY(COMMAND, ps_command_process_group),
    ENTRY(COMMAND, ps_command_input_stream), ENTRY(COMMAND, ps_command_pipe),
    ENTRY(CHILD, ps_child_write),           ENTRY(CHILD, ps_child_write_end),
    ENTRY(COMMAND, ps_command_input_stream), ENTRY(COMMAND, ps_command_pipe),         ENTRY(COMMAND, ps_spawn_pipeline),
    ENTRY(CHILD, ps_child_write),           ENTRY(CHILD, ps_child_write_end),         ENTRY(SUPERVISOR, ps_spawn_pipeline_into),
    ENTRY(COMMAND, ps_spawn_once),          ENTRY(COMMAND, ps_command_session),
    ENTRY(COMMAND, ps_command_pty_size),    ENTRY(COMMAND, ps_command_terminal),      ENTRY(COMMAND, ps_command_foreground),
    ENTRY(CHILD, ps_child_pty),             ENTRY(CHILD, ps_child_resize),
    ENTRY(COMMAND, ps_spawn_direct),        ENTRY(COMMAND, ps_spawn_direct_begin),
    ENTRY(SUPERVISOR, ps_spawn_direct_into), ENTRY(SUPERVISOR, ps_spawn_direct_begin_into),
    ENTRY(WORKER, ps_worker_wait),          ENTRY(WORKER, ps_worker_child),           ENTRY(WORKER, ps_worker_socket_count),
    ENTRY(WORKER, ps_worker_socket),        ENTRY(WORKER, ps_worker_generation),      ENTRY(WORKER, ps_worker_stdin),
    ENTRY(WORKER, ps_worker_get_info),      ENTRY(WORKER, ps_worker_journey),
    ENTRY(COMMAND, ps_preloader_new),       ENTRY(PRELOADER, ps_preloader_set),       ENTRY(PRELOADER, ps_preloader_set_protocol),
    ENTRY(PRELOADER, ps_preloader_set_idle_stop), ENTRY(PRELOADER, ps_preloader_spawn), ENTRY(PRELOADER, ps_preloader_spawn_begin),
    ENTRY(PRELOADER, ps_preloader_reload),  ENTRY(PRELOADER, ps_preloader_generation), ENTRY(PRELOADER, ps_preloader_pid),
    ENTRY(PRELOADER, ps_preloader_last_used), ENTRY(PRELOADER, ps_preloader_stop),    ENTRY(PRELOADER, ps_preloader_promote),
    ENTRY(PRELOADER, ps_preloader_set_pool), ENTRY(PRELOADER, ps_preloader_set_limits), ENTRY(PRELOADER, ps_preloader_warm),
    ENTRY(PRELOAD, ps_preload_collapse),    ENTRY(PRELOAD, ps_preload_on_fork),       ENTRY(PRELOAD, ps_preload_ready),
    ENTRY(PRELOAD, ps_preload_failed),      ENTRY(PRELOAD, ps_preload_fork),          ENTRY(PRELOAD, ps_preload_accept),
    ENTRY(PRELOAD, ps_preload_forked),      ENTRY(PRELOAD, ps_preload_fd),            ENTRY(PRELOAD, ps_worker_ready),
    ENTRY(PRELOAD, ps_worker_asked),
    ENTRY(COMMAND, ps_spawn),               ENTRY(CHILD, ps_signal),                  ENTRY(CHILD, ps_terminate),
    ENTRY(CHILD, ps_signal_process),        ENTRY(CHILD, ps_wait_any),                ENTRY(CHILD, ps_wait_all),
    ENTRY(CHILD, ps_terminate_begin),       ENTRY(CHILD, ps_reap),                    ENTRY(CHILD, ps_reap_nonblock),
    ENTRY(CHILD, ps_child_pid),             ENTRY(CHILD, ps_child_pidfd),             ENTRY(CHILD, ps_child_state),
    ENTRY(CHILD, ps_child_stdio),           ENTRY(CHILD, ps_child_output),            ENTRY(CHILD, ps_child_spawn_tier),
    ENTRY(CHILD, ps_wait_ready),            ENTRY(CHILD, ps_child_notified),          ENTRY(CHILD, ps_child_status_text),
    ENTRY(SUPERVISOR, ps_supervisor_fd),    ENTRY(SUPERVISOR, ps_supervisor_next_event), ENTRY(SUPERVISOR, ps_spawn_into),
    ENTRY(SUPERVISOR, ps_supervisor_set_max_running), ENTRY(SUPERVISOR, ps_supervisor_set_max_pending),
    ENTRY(SUPERVISOR, ps_supervisor_set_subreaper), ENTRY(SUPERVISOR, ps_supervisor_set_spawner), ENTRY(SUPERVISOR, ps_supervisor_counts),
    ENTRY(SUPERVISOR, ps_supervisor_shutdown), ENTRY(SUPERVISOR, ps_event_data), ENTRY(SUPERVISOR, ps_spawn_replicas),
    ENTRY(SUPERVISOR, ps_spawn_once_into),  ENTRY(SUPERVISOR, ps_supervisor_set_hold_processor),
    ENTRY(HANDOFF, ps_handoff_role),        ENTRY(HANDOFF, ps_handoff_generation),    ENTRY(HANDOFF, ps_handoff_set_mode),
    ENTRY(HANDOFF, ps_handoff_set_service_check),
    ENTRY(HANDOFF, ps_handoff_set_timeout), ENTRY(HANDOFF, ps_handoff_set_fd),        ENTRY(HANDOFF, ps_handoff_take_fd),
    ENTRY(HANDOFF, ps_handoff_fd_names),    ENTRY(HANDOFF, ps_handoff_set_state),     ENTRY(HANDOFF, ps_handoff_state),
    ENTRY(HANDOFF, ps_handoff_fd),          ENTRY(HANDOFF, ps_handoff_next_event),    ENTRY(HANDOFF, ps_handoff_warm),
    ENTRY(HANDOFF, ps_handoff_drained),     ENTRY(HANDOFF, ps_handoff_sealed),        ENTRY(HANDOFF, ps_handoff_live),
    ENTRY(HANDOFF, ps_handoff_failed),      ENTRY(HANDOFF, ps_handoff_upgrade),       ENTRY(HANDOFF, ps_handoff_cancel),
    ENTRY(HANDOFF, ps_handoff_reason),      ENTRY(HANDOFF, ps_handoff_pass_connection), ENTRY(HANDOFF, ps_handoff_keep_connection),
    ENTRY(HANDOFF, ps_handoff_take_connection), ENTRY(HANDOFF, ps_handoff_phase),
    ENTRY(HANDOFF, ps_handoff_outcome),     ENTRY(HANDOFF, ps_handoff_outcome_text),  ENTRY(HANDOFF, ps_handoff_set_build_id),
    ENTRY(OVERSEER, ps_handoff_supervisor_listener),
    ENTRY(OVERSEER, ps_handoff_supervisor_set_protocol),
    ENTRY(OVERSEER, ps_handoff_supervisor_set_journal),
    ENTRY(OVERSEER, ps_handoff_supervisor_set_build_id),
    ENTRY(OVERSEER, ps_handoff_supervisor_set_health),
    ENTRY(OVERSEER, ps_handoff_supervisor_set_health_command),
    ENTRY(OVERSEER, ps_handoff_supervisor_set_probation),
    ENTRY(OVERSEER, ps_handoff_supervisor_set_restart),
    ENTRY(OVERSEER, ps_handoff_supervisor_start),
    ENTRY(OVERSEER, ps_handoff_supervisor_replace),
    ENTRY(OVERSEER, ps_handoff_supervisor_cancel),
    ENTRY(OVERSEER, ps_handoff_supervisor_stop),
    ENTRY(OVERSEER, ps_handoff_supervisor_recover),
    ENTRY(OVERSEER, ps_handoff_supervisor_owner),
    ENTRY(OVERSEER, ps_handoff_supervisor_outcome),
    ENTRY(OVERSEER, ps_handoff_supervisor_outcome_text),
    ENTRY(OVERSEER, ps_handoff_supervisor_metrics),
    ENTRY(OVERSEER, ps_handoff_supervisor_fd),
    ENTRY(OVERSEER, ps_handoff_supervisor_next_event),
    ENTRY(BUDGET, ps_budget_set_lease),     ENTRY(BUDGET, ps_budget_set_healthy),     ENTRY(BUDGET, ps_budget_begin),
    ENTRY(BUDGET, ps_budget_finish),        ENTRY(BUDGET, ps_budget_reset),           ENTRY(BUDGET, ps_budget_snapshot),
    ENTRY(LOCK, ps_spawn_lock_fd),          ENTRY(LOCK, ps_spawn_lock_next_event),    ENTRY(LOCK, ps_spawn_lock_check),
};

/* Calls every function of this kind with this handle: each must answer `expected` and leave the out parameters alone. */
HARNESS void check_every_call(enum handle_kind kind, void *handle, ps_status expected)
{
    memset(&out, 0x5a, sizeof out);
    out.exit.size = sizeof out.exit;
    out.event.size = sizeof out.event;
    out.handoff_event.size = sizeof out.handoff_event;
    out.outcome.size = sizeof out.outcome;
    out.supervised_event.size = sizeof out.supervised_event;
    out.budget_state.size = sizeof out.budget_state;
    out.lock_event.size = sizeof out.lock_event;
    out.notified.size = sizeof out.notified;
    out.worker_socket.size = sizeof out.worker_socket;
    out.worker_info.size = sizeof out.worker_info;
    untouched = out;
    if (!good_command)
        good_command = exiting("0");
    for (size_t i = 0; i < sizeof every_call / sizeof *every_call; i++) {
        const struct call *c = &every_call[i];
        if (c->kind != kind || (handle == NULL && strstr(c->name, "_into"))) /* no supervisor is the default one */
            continue;
        ps_error *error = NULL;
        ps_status status = c->call(handle, &error);
        if (status != expected || ps_error_status(error) != expected || memcmp(&out, &untouched, sizeof out) != 0)
            harness_fail(__FILE__, __LINE__, "%s(%p): %s, error %s, out parameters %s", c->name, handle, ps_status_name(status),
                         ps_status_name(ps_error_status(error)), memcmp(&out, &untouched, sizeof out) ? "written" : "untouched");
        ps_error_free(error);
        CHECK_STATUS(c->call(handle, NULL), expected);
    }
}

HARNESS void free_as(enum handle_kind kind, void *handle)
{
    switch (kind) {
    case COMMAND: ps_command_free(handle); break;
    case CHILD: ps_child_free(handle); break;
    case SUPERVISOR: ps_supervisor_free(handle); break;
    case HANDOFF: ps_handoff_free(handle); break;
    case BUDGET: ps_budget_free(handle); break;
    case LOCK: ps_spawn_lock_release(handle); break;
    case WORKER: ps_worker_free(handle); break;
    case PRELOADER: ps_preloader_free(handle); break;
    case PRELOAD: ps_preload_free(handle); break;
    case OVERSEER: ps_handoff_supervisor_free(handle); break;
    case OUTPUT: ps_output_free(handle); break;
    default: ps_error_free(handle); break;
    }
}

static char handoff_dir[64];
static int handoff_count;

HARNESS void remove_handoff_dir(void)
{
    char path[96];
    for (int i = 0; i < handoff_count; i++) {
        snprintf(path, sizeof path, "%s/%d.lock", handoff_dir, i);
        unlink(path);
    }
    rmdir(handoff_dir);
}

/* A first generation at a path of its own. */
HARNESS ps_handoff *some_handoff(void)
{
    char path[96];
    ps_handoff *handoff = NULL;
    ps_error *error = NULL;
    if (handoff_count == 0) {
        strcpy(handoff_dir, temp_dir());
        atexit(remove_handoff_dir);
    }
    snprintf(path, sizeof path, "%s/%d", handoff_dir, handoff_count++);
    CHECK_OK(ps_handoff_new(path, &handoff, &error), error);
    return handoff;
}

static char lock_dir[64];
static int lock_count;

HARNESS void remove_lock_dir(void)
{
    char path[96];
    for (int i = 0; i < lock_count; i++) {
        snprintf(path, sizeof path, "%s/%d", lock_dir, i);
        unlink(path);
    }
    rmdir(lock_dir);
}

/* A lock at a path of its own, of the pollable kind: each call can be made with it. */
HARNESS ps_spawn_lock *some_lock(void)
{
    char path[96];
    ps_spawn_lock *lock = NULL;
    ps_error *error = NULL;
    if (lock_count == 0) {
        strcpy(lock_dir, temp_dir());
        atexit(remove_lock_dir);
    }
    snprintf(path, sizeof path, "%s/%d", lock_dir, lock_count++);
    CHECK_OK(ps_spawn_lock_begin(path, 0, &lock, &error), error);
    return lock;
}

/* A worker of a program that is none: begun, and to fail when its time is over. */
HARNESS ps_worker *some_worker(ps_supervisor *supervisor)
{
    ps_command *command = pausing();
    ps_worker *worker = NULL;
    ps_error *error = NULL;
    CHECK_OK(ps_spawn_direct_begin(supervisor, command, 1000000, &worker, &error), error);
    ps_command_free(command);
    return worker;
}

/* This process as a preloader, of a host that asks for nothing. A process is one only once: NULL from the second time on. */
HARNESS ps_preload *some_preload(void)
{
    static int host;
    ps_preload *preload = NULL;
    ps_error *error = NULL;
    if (host != 0)
        return NULL;
    host = greet_ourselves(); /* stays open */
    CHECK_OK(ps_preload_open(&preload, &error), error);
    CHECK(unsetenv("PROCSUP_PRELOAD_FD") == 0);
    return preload;
}

/* A good handle of each kind. */
HARNESS void make_handles(void *handle[KINDS])
{
    ps_error *error = NULL;
    CHECK(ps_command_new("", (ps_command **)&handle[COMMAND], &error) == PS_ERR_INVALID_ARGUMENT);
    handle[ERROR] = error;
    handle[COMMAND] = exiting("0");
    CHECK_OK(ps_run(handle[COMMAND], PATIENCE_MS, 10, NULL, (ps_output **)&handle[OUTPUT], &error), error);
    handle[SUPERVISOR] = supervisor_new();
    handle[CHILD] = spawn(handle[SUPERVISOR], handle[COMMAND]);
    handle[HANDOFF] = some_handoff();
    CHECK_OK(ps_budget_new(0, 0, (ps_budget **)&handle[BUDGET], &error), error);
    handle[LOCK] = some_lock();
    handle[WORKER] = some_worker(handle[SUPERVISOR]);
    CHECK_OK(ps_preloader_new(handle[COMMAND], (ps_preloader **)&handle[PRELOADER], &error), error);
    handle[PRELOAD] = some_preload();
    CHECK_OK(ps_handoff_supervisor_new("/nonexistent/control", (ps_handoff_supervisor **)&handle[OVERSEER], &error), error);
}

#endif
