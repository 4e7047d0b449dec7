/* Nothing but the public header, compiled by every language standard that we promise (see cmake/tests.cmake). */
#include "procsup.h"
/* A second time: the include guard. */
#include "procsup.h"

int header_is_usable(ps_child *child, ps_error **error);

int header_is_usable(ps_child *child, ps_error **error)
{
    ps_exit ended;
    ended.size = (uint32_t)sizeof ended;
    return ps_reap(child, 0, &ended, error) == PS_PENDING;
}

/* Where each field stands: a program that was compiled with this header reads them there. As array sizes, for C99. */
#define AT(type, field, offset) extern char at_##type##_##field[offsetof(type, field) == (offset) ? 1 : -1]
#define SIZE(type, size) extern char size_##type[sizeof(type) == (size) ? 1 : -1]

AT(ps_exit, size, 0);
AT(ps_exit, kind, 4);
AT(ps_exit, code, 8);
AT(ps_exit, signal, 12);
AT(ps_exit, core_dumped, 16);
AT(ps_exit, cause, 20);
AT(ps_exit, user_us, 24);
AT(ps_exit, system_us, 32);
AT(ps_exit, max_rss_kib, 40);
AT(ps_exit, started_ns, 48);
AT(ps_exit, ended_ns, 56);
AT(ps_exit, removal, 64);
AT(ps_exit, removal_errno, 68);
AT(ps_exit, oom, 72);
AT(ps_exit, oom_kills, 76);
AT(ps_exit, memory_peak, 80);
AT(ps_exit, reserved, 88);
SIZE(ps_exit, 96);

AT(ps_event, size, 0);
AT(ps_event, kind, 4);
AT(ps_event, child, 8);
AT(ps_event, pid, 16);
AT(ps_event, stream, 20);
AT(ps_event, user_data, 24);
AT(ps_event, time_ns, 32);
AT(ps_event, exit, 40);
AT(ps_event, status, 136);
AT(ps_event, run, 140);
AT(ps_event, delay_ms, 144);
AT(ps_event, lost_lines, 152);
AT(ps_event, lost_bytes, 160);
AT(ps_event, reason, 168);
AT(ps_event, storm, 172);
AT(ps_event, retry_after_ms, 176);
AT(ps_event, signal, 184);
AT(ps_event, reserved, 188);
SIZE(ps_event, 192);

AT(ps_notified, size, 0);
AT(ps_notified, ready, 4);
AT(ps_notified, reloading, 8);
AT(ps_notified, stopping, 12);
AT(ps_notified, errno_said, 16);
AT(ps_notified, refused, 20);
AT(ps_notified, messages, 24);
AT(ps_notified, ready_ns, 32);
AT(ps_notified, reloading_ns, 40);
SIZE(ps_notified, 48);

AT(ps_handoff_event, size, 0);
AT(ps_handoff_event, kind, 4);
AT(ps_handoff_event, handoff_id, 8);
AT(ps_handoff_event, revision, 16);
AT(ps_handoff_event, unsealed, 24);
AT(ps_handoff_event, peer_pid, 28);
AT(ps_handoff_event, reason, 32);
AT(ps_handoff_event, deadline_ns, 40);
AT(ps_handoff_event, time_ns, 48);
AT(ps_handoff_event, phase, 56);
AT(ps_handoff_event, reserved, 60);
SIZE(ps_handoff_event, 64);

AT(ps_outcome, size, 0);
AT(ps_outcome, committed, 4);
AT(ps_outcome, handoff_id, 8);
AT(ps_outcome, reason, 16);
AT(ps_outcome, phase, 20);
AT(ps_outcome, mode, 24);
AT(ps_outcome, unsealed, 28);
AT(ps_outcome, old_pid, 32);
AT(ps_outcome, new_pid, 36);
AT(ps_outcome, old_generation, 40);
AT(ps_outcome, new_generation, 48);
AT(ps_outcome, began_ns, 56);
AT(ps_outcome, began_realtime_ns, 64);
AT(ps_outcome, greeted_ns, 72);
AT(ps_outcome, offered_ns, 80);
AT(ps_outcome, warm_ns, 88);
AT(ps_outcome, drained_ns, 96);
AT(ps_outcome, sealed_ns, 104);
AT(ps_outcome, committed_ns, 112);
AT(ps_outcome, live_ns, 120);
AT(ps_outcome, settled_ns, 128);
AT(ps_outcome, ended_ns, 136);
AT(ps_outcome, gap_ns, 144);
AT(ps_outcome, connections_open, 152);
AT(ps_outcome, connections_passed, 156);
AT(ps_outcome, connections_taken, 160);
AT(ps_outcome, connections_left, 164);
AT(ps_outcome, old_build_id, 168);
AT(ps_outcome, new_build_id, 240);
SIZE(ps_outcome, 312);

AT(ps_handoff_supervisor_event, size, 0);
AT(ps_handoff_supervisor_event, kind, 4);
AT(ps_handoff_supervisor_event, handoff_id, 8);
AT(ps_handoff_supervisor_event, pid, 16);
AT(ps_handoff_supervisor_event, peer_pid, 20);
AT(ps_handoff_supervisor_event, generation, 24);
AT(ps_handoff_supervisor_event, phase, 32);
AT(ps_handoff_supervisor_event, reason, 36);
AT(ps_handoff_supervisor_event, exit_code, 40);
AT(ps_handoff_supervisor_event, exit_signal, 44);
AT(ps_handoff_supervisor_event, time_ns, 48);
AT(ps_handoff_supervisor_event, reserved, 56);
SIZE(ps_handoff_supervisor_event, 64);

AT(ps_budget_state, size, 0);
AT(ps_budget_state, attempts_used, 4);
AT(ps_budget_state, remaining, 8);
AT(ps_budget_state, in_flight, 12);
AT(ps_budget_state, storm, 16);
AT(ps_budget_state, reserved, 20);
AT(ps_budget_state, retry_after_ms, 24);
SIZE(ps_budget_state, 32);

AT(ps_spawn_lock_event, size, 0);
AT(ps_spawn_lock_event, kind, 4);
AT(ps_spawn_lock_event, status, 8);
AT(ps_spawn_lock_event, status_errno, 12);
AT(ps_spawn_lock_event, pid, 16);
AT(ps_spawn_lock_event, reserved, 20);
AT(ps_spawn_lock_event, time_ns, 24);
SIZE(ps_spawn_lock_event, 32);

#define AT_TAG(tag, field, offset) extern char at_##tag##_##field[offsetof(struct tag, field) == (offset) ? 1 : -1]

AT_TAG(ps_worker_socket, size, 0);
AT_TAG(ps_worker_socket, name, 4);
AT_TAG(ps_worker_socket, address, 68);
AT_TAG(ps_worker_socket, protocol, 324);
AT_TAG(ps_worker_socket, concurrency, 356);
AT_TAG(ps_worker_socket, accepts_http, 360);
extern char size_ps_worker_socket[sizeof(struct ps_worker_socket) == 364 ? 1 : -1];

AT(ps_worker_info, size, 0);
AT(ps_worker_info, kind, 4);
AT(ps_worker_info, pid, 8);
AT(ps_worker_info, generation, 12);
AT(ps_worker_info, began_ns, 16);
AT(ps_worker_info, began_wall_ns, 24);
AT(ps_worker_info, ready_ns, 32);
AT(ps_worker_info, ready_wall_ns, 40);
AT(ps_worker_info, gupid, 48);
AT(ps_worker_info, app_type, 112);
SIZE(ps_worker_info, 144);
