/* procsup.h for those who read C without a preprocessor (cffi, LuaJIT, PHP, ...): the same declarations, each in one line. The library to load is
   libprocsup.so.0.1. The types of stdint.h and size_t are taken for known. What all of it means stands in procsup.h. Generated; do not edit. */
enum { PS_VERSION_MAJOR = 0 };
enum { PS_VERSION_MINOR = 1 };
enum { PS_VERSION_PATCH = 0 };
uint32_t ps_version(void);
const char *ps_version_string(void);
typedef int32_t ps_status;
typedef enum ps_status_code {
  PS_OK = 0,
  PS_PENDING = 1,
  PS_ERR_INVALID_ARGUMENT = -1,
  PS_ERR_BAD_HANDLE = -2,
  PS_ERR_STATE = -3,
  PS_ERR_SYSTEM = -4,
  PS_ERR_NOT_FOUND = -5,
  PS_ERR_PERMISSION = -6,
  PS_ERR_LIMIT = -7,
  PS_ERR_TIMEOUT = -8,
  PS_ERR_CANCELLED = -9,
  PS_ERR_SHUTDOWN = -10,
  PS_ERR_FORKED = -11,
  PS_ERR_UNSUPPORTED = -12,
  PS_ERR_OUTPUT_EXISTS = -13,
  PS_ERR_BUDGET_EXHAUSTED = -14,
  PS_ERR_IN_PROGRESS = -15,
  PS_ERR_LOCKED = -16,
  PS_ERR_LOCK_REPLACED = -17,
  PS_ERR_EXITED = -18,
  PS_ERR_PROTOCOL = -19,
  PS_ERR_VERSION_MISMATCH = -20,
  PS_ERR_PEER_REJECTED = -21,
  PS_ERR_ABORTED = -22,
  PS_ERR_INTERNAL = -23,
  PS_ERR_INTERRUPTED = -24,
} ps_status_code;
const char *ps_status_name(ps_status status);
typedef struct ps_error ps_error;
ps_status ps_error_status(const ps_error *error);
int32_t ps_error_errno(const ps_error *error);
const char *ps_error_step(const ps_error *error);
const char *ps_error_message(const ps_error *error);
const char *ps_error_category(const ps_error *error);
typedef enum ps_error_text_kind {
  PS_ERROR_TEXT_ID = 1,
  PS_ERROR_TEXT_SUMMARY = 2,
  PS_ERROR_TEXT_PROBLEM = 3,
  PS_ERROR_TEXT_SOLUTION = 4,
  PS_ERROR_TEXT_ADVANCED = 5,
} ps_error_text_kind;
const char *ps_error_text(const ps_error *error, int32_t which);
int64_t ps_error_retry_after_ms(const ps_error *error);
int32_t ps_error_is_storm(const ps_error *error);
ps_status ps_error_output(const ps_error *error, char *buf, size_t cap, size_t *needed);
typedef enum ps_render_format {
  PS_RENDER_TEXT = 1,
  PS_RENDER_JSON = 2,
  PS_RENDER_HTML = 3,
  PS_RENDER_HTML_BRIEF = 4,
} ps_render_format;
ps_status ps_error_render(const ps_error *error, int32_t format, char *buf, size_t cap, size_t *needed);
void ps_error_free(ps_error *error);
typedef struct ps_command ps_command;
ps_status ps_command_new(const char *program, ps_command **command, ps_error **error);
ps_status ps_command_new_bytes(const char *program, size_t len, ps_command **command, ps_error **error);
ps_status ps_command_parse(const char *line, ps_command **command, ps_error **error);
ps_status ps_command_render(const ps_command *command, char *buf, size_t cap, size_t *needed, ps_error **error);
void ps_command_free(ps_command *command);
ps_status ps_command_arg(ps_command *command, const char *arg, ps_error **error);
ps_status ps_command_arg_bytes(ps_command *command, const char *data, size_t len, ps_error **error);
ps_status ps_command_args(ps_command *command, const char *const *args, ps_error **error);
ps_status ps_command_arg0(ps_command *command, const char *arg0, ps_error **error);
ps_status ps_command_env(ps_command *command, const char *name, const char *value, ps_error **error);
ps_status ps_command_env_bytes(ps_command *command, const char *name, size_t name_len, const char *value, size_t value_len, ps_error **error);
ps_status ps_command_env_block(ps_command *command, const char *const *block, ps_error **error);
typedef enum ps_env_base {
  PS_ENV_INHERIT = 0,
  PS_ENV_CLEAR = 1,
  PS_ENV_BASELINE = 2,
} ps_env_base;
ps_status ps_command_env_base(ps_command *command, int32_t base, ps_error **error);
ps_status ps_command_cwd(ps_command *command, const char *dir, ps_error **error);
ps_status ps_command_cwd_bytes(ps_command *command, const char *dir, size_t len, ps_error **error);
typedef enum ps_stdio_kind {
  PS_STDIO_INHERIT = 0,
  PS_STDIO_NULL = 1,
  PS_STDIO_PIPE = 2,
  PS_STDIO_FD = 3,
  PS_STDIO_MERGE = 4,
  PS_STDIO_PTY = 5,
} ps_stdio_kind;
ps_status ps_command_stdio(ps_command *command, int32_t stream, int32_t how, int32_t fd, ps_error **error);
ps_status ps_command_pass_fd(ps_command *command, int32_t fd, int32_t child_fd, ps_error **error);
ps_status ps_command_pass_fds(ps_command *command, const int32_t *fds, const int32_t *child_fds, size_t n, ps_error **error);
typedef enum ps_pipe_direction {
  PS_PIPE_TO_CHILD = 1,
  PS_PIPE_FROM_CHILD = 2,
} ps_pipe_direction;
ps_status ps_command_pipe(ps_command *command, int32_t child_fd, int32_t direction, ps_error **error);
ps_status ps_command_listen_fd(ps_command *command, int32_t fd, const char *name, ps_error **error);
ps_status ps_command_credentials(ps_command *command, uint32_t uid, uint32_t gid, const uint32_t *groups, size_t n, ps_error **error);
ps_status ps_command_umask(ps_command *command, uint32_t mask, ps_error **error);
ps_status ps_command_nice(ps_command *command, int32_t nice, ps_error **error);
ps_status ps_command_rlimit(ps_command *command, int32_t resource, uint64_t soft, uint64_t hard, ps_error **error);
ps_status ps_command_no_new_privs(ps_command *command, int32_t on, ps_error **error);
ps_status ps_command_die_with_host(ps_command *command, int32_t on, ps_error **error);
typedef enum ps_isolation {
  PS_ISOLATE_NONE = 0,
  PS_ISOLATE_GROUP = 1,
  PS_ISOLATE_SESSION = 2,
  PS_ISOLATE_CONTAINED = 3,
} ps_isolation;
ps_status ps_command_isolate(ps_command *command, int32_t isolation, ps_error **error);
ps_status ps_command_sandbox_dir(ps_command *command, const char *dir, ps_error **error);
ps_status ps_command_own_fd(ps_command *command, int32_t fd, ps_error **error);
ps_status ps_command_stop_step(ps_command *command, int32_t signal, int64_t wait_ms, ps_error **error);
ps_status ps_command_deadline(ps_command *command, int64_t ms, ps_error **error);
ps_status ps_command_core_wait(ps_command *command, int64_t ms, ps_error **error);
ps_status ps_command_watch_stops(ps_command *command, int64_t interval_ms, ps_error **error);
typedef enum ps_survivors_policy {
  PS_SURVIVORS_SWEEP = 0,
  PS_SURVIVORS_LEAVE = 1,
} ps_survivors_policy;
ps_status ps_command_survivors(ps_command *command, int32_t policy, ps_error **error);
ps_status ps_command_capture(ps_command *command, size_t max_bytes, ps_error **error);
ps_status ps_command_capture_apart(ps_command *command, int32_t on, ps_error **error);
ps_status ps_command_output_lines(ps_command *command, int32_t on, ps_error **error);
ps_status ps_command_output_line_limit(ps_command *command, size_t max_bytes, ps_error **error);
ps_status ps_command_output_partial(ps_command *command, int64_t ms, ps_error **error);
typedef enum ps_output_if_exists {
  PS_OUTPUT_REFUSE = 0,
  PS_OUTPUT_REPLACE = 1,
} ps_output_if_exists;
ps_status ps_command_output_file(ps_command *command, const char *path, int32_t if_exists, ps_error **error);
typedef enum ps_output_failure_policy {
  PS_OUTPUT_KEEP = 0,
  PS_OUTPUT_DROP = 1,
} ps_output_failure_policy;
ps_status ps_command_output_on_failure(ps_command *command, int32_t policy, ps_error **error);
ps_status ps_command_input(ps_command *command, const void *data, size_t len, ps_error **error);
ps_status ps_command_input_stream(ps_command *command, size_t max_bytes, ps_error **error);
ps_status ps_command_cgroup(ps_command *command, const char *dir, ps_error **error);
ps_status ps_command_cgroup_set(ps_command *command, const char *file, const char *value, ps_error **error);
typedef enum ps_restart_policy {
  PS_RESTART_NEVER = 0,
  PS_RESTART_ON_FAILURE = 1,
  PS_RESTART_ALWAYS = 2,
} ps_restart_policy;
ps_status ps_command_restart(ps_command *command, int32_t policy, int64_t min_delay_ms, int64_t max_delay_ms, ps_error **error);
ps_status ps_command_restart_limit(ps_command *command, uint32_t failures, int64_t healthy_ms, ps_error **error);
ps_status ps_command_restart_early_exit(ps_command *command, int64_t ms, ps_error **error);
ps_status ps_command_priority(ps_command *command, int32_t priority, ps_error **error);
ps_status ps_command_user_data(ps_command *command, uint64_t user_data, ps_error **error);
ps_status ps_command_oom_score_adj(ps_command *command, int32_t adj, ps_error **error);
ps_status ps_command_keep_ignored(ps_command *command, const int32_t *signals, size_t n, ps_error **error);
ps_status ps_command_keep_mask(ps_command *command, int32_t on, ps_error **error);
ps_status ps_command_process_group(ps_command *command, int32_t pgid, ps_error **error);
typedef enum ps_scheduling_policy {
  PS_SCHED_INHERIT = 0,
  PS_SCHED_OTHER = 1,
  PS_SCHED_BATCH = 2,
  PS_SCHED_IDLE = 3,
  PS_SCHED_FIFO = 4,
  PS_SCHED_RR = 5,
} ps_scheduling_policy;
ps_status ps_command_affinity(ps_command *command, const uint32_t *cpus, size_t n, ps_error **error);
ps_status ps_command_scheduling(ps_command *command, int32_t policy, int32_t priority, ps_error **error);
typedef enum ps_allow {
  PS_ALLOW_READ = 1,
  PS_ALLOW_WRITE = 2,
  PS_ALLOW_EXECUTE = 4,
} ps_allow;
ps_status ps_command_landlock(ps_command *command, const char *path, int32_t access, ps_error **error);
typedef enum ps_stop_scope {
  PS_SCOPE_GROUP = 0,
  PS_SCOPE_MIXED = 1,
  PS_SCOPE_LEADER = 2,
} ps_stop_scope;
ps_status ps_command_stop_scope(ps_command *command, int32_t scope, ps_error **error);
ps_status ps_command_user(ps_command *command, uint32_t uid, ps_error **error);
ps_status ps_command_group(ps_command *command, uint32_t gid, ps_error **error);
ps_status ps_command_groups(ps_command *command, const uint32_t *groups, size_t n, ps_error **error);
ps_status ps_command_keep_groups(ps_command *command, int32_t on, ps_error **error);
ps_status ps_command_chdir_first(ps_command *command, int32_t on, ps_error **error);
typedef struct ps_child ps_child;
typedef struct ps_supervisor ps_supervisor;
ps_status ps_spawn(ps_supervisor *supervisor, const ps_command *command, ps_child **child, ps_error **error);
ps_status ps_spawn_pipeline(ps_supervisor *supervisor, const ps_command *const *commands, size_t n, ps_child **children, ps_error **error);
ps_status ps_signal(ps_child *child, int32_t signal, ps_error **error);
ps_status ps_signal_process(ps_child *child, int32_t signal, ps_error **error);
typedef enum ps_exit_kind {
  PS_EXIT_EXITED = 1,
  PS_EXIT_SIGNALED = 2,
  PS_EXIT_LOST = 3,
} ps_exit_kind;
typedef enum ps_exit_cause {
  PS_CAUSE_SELF = 0,
  PS_CAUSE_STOP = 1,
  PS_CAUSE_DEADLINE = 2,
  PS_CAUSE_SHUTDOWN = 3,
  PS_CAUSE_KILL_ALL = 4,
  PS_CAUSE_OWNER = 5,
  PS_CAUSE_NOT_READY = 6,
  PS_CAUSE_WATCHDOG = 7,
} ps_exit_cause;
typedef enum ps_exit_oom {
  PS_OOM_NONE = 0,
  PS_OOM_OWN = 1,
  PS_OOM_ABOVE = 2,
  PS_OOM_PROBABLE = 3,
} ps_exit_oom;
typedef struct ps_exit {
  uint32_t size;
  int32_t kind;
  int32_t code;
  int32_t signal;
  int32_t core_dumped;
  int32_t cause;
  int64_t user_us;
  int64_t system_us;
  int64_t max_rss_kib;
  int64_t started_ns;
  int64_t ended_ns;
  int32_t removal;
  int32_t removal_errno;
  int32_t oom;
  int32_t oom_kills;
  int64_t memory_peak;
  uint64_t reserved[1];
} ps_exit;
ps_status ps_terminate(ps_child *child, int64_t grace_ms, ps_exit *exit, ps_error **error);
ps_status ps_terminate_begin(ps_child *child, int64_t grace_ms, ps_error **error);
ps_status ps_reap(ps_child *child, int64_t timeout_ms, ps_exit *exit, ps_error **error);
ps_status ps_reap_nonblock(ps_child *child, ps_exit *exit, ps_error **error);
ps_status ps_wait_any(ps_child *const *children, size_t n, int64_t timeout_ms, size_t *index, ps_error **error);
ps_status ps_wait_all(ps_child *const *children, size_t n, int64_t timeout_ms, ps_error **error);
ps_status ps_child_pid(const ps_child *child, int32_t *pid, ps_error **error);
ps_status ps_child_pidfd(const ps_child *child, int32_t *fd, ps_error **error);
typedef enum ps_child_state_code {
  PS_STATE_PENDING = 0,
  PS_STATE_RUNNING = 1,
  PS_STATE_STOPPING = 2,
  PS_STATE_EXITED = 3,
  PS_STATE_CANCELLED = 4,
} ps_child_state_code;
ps_status ps_child_state(const ps_child *child, int32_t *state, ps_error **error);
ps_status ps_child_stopped(const ps_child *child, int32_t *signal, ps_error **error);
ps_status ps_child_stdio(ps_child *child, int32_t stream, int32_t *fd, ps_error **error);
ps_status ps_child_write(ps_child *child, const void *data, size_t len, size_t *written, ps_error **error);
ps_status ps_child_write_end(ps_child *child, ps_error **error);
ps_status ps_child_output(const ps_child *child, char *buf, size_t cap, size_t *needed, ps_error **error);
ps_status ps_child_output_of(const ps_child *child, int32_t stream, char *buf, size_t cap, size_t *needed, ps_error **error);
ps_status ps_child_output_lost(const ps_child *child, int32_t stream, uint64_t *bytes, ps_error **error);
typedef enum ps_spawn_tier {
  PS_TIER_CLONE3 = 1,
  PS_TIER_CLONE = 2,
  PS_TIER_FORK = 3,
  PS_TIER_PRELOADER = 4,
  PS_TIER_SPAWNER = 5,
} ps_spawn_tier;
ps_status ps_child_spawn_tier(const ps_child *child, int32_t *tier, ps_error **error);
void ps_child_free(ps_child *child);
ps_status ps_command_pty_size(ps_command *command, int32_t rows, int32_t cols, ps_error **error);
ps_status ps_command_terminal(ps_command *command, int32_t fd, ps_error **error);
ps_status ps_command_foreground(ps_command *command, int32_t on, ps_error **error);
ps_status ps_child_pty(ps_child *child, int32_t *fd, ps_error **error);
ps_status ps_child_resize(ps_child *child, int32_t rows, int32_t cols, ps_error **error);
typedef struct ps_output ps_output;
ps_status ps_run(const ps_command *command, int64_t timeout_ms, size_t max_bytes, ps_exit *exit, ps_output **output, ps_error **error);
ps_status ps_run_checked(const ps_command *command, int64_t timeout_ms, size_t max_bytes, ps_output **output, ps_error **error);
ps_status ps_output_data(const ps_output *output, int32_t stream, char *buf, size_t cap, size_t *needed, ps_error **error);
ps_status ps_output_lost(const ps_output *output, int32_t stream, uint64_t *bytes, ps_error **error);
void ps_output_free(ps_output *output);
const char *ps_event_kind_name(int32_t kind);
const char *ps_reason_name(int32_t reason);
const char *ps_exit_kind_name(int32_t kind);
const char *ps_cause_name(int32_t cause);
const char *ps_oom_name(int32_t oom);
const char *ps_state_name(int32_t state);
const char *ps_tier_name(int32_t tier);
const char *ps_signal_name(int32_t signal);
ps_status ps_signal_all(int32_t signal);
ps_status ps_kill_and_reap_all(int64_t timeout_ms, uint32_t *left);
uint32_t ps_live_count(void);
ps_status ps_supervisor_new(ps_supervisor **supervisor, ps_error **error);
ps_status ps_supervisor_set_max_running(ps_supervisor *supervisor, uint32_t n, ps_error **error);
ps_status ps_supervisor_set_max_pending(ps_supervisor *supervisor, uint32_t n, ps_error **error);
ps_status ps_supervisor_set_subreaper(ps_supervisor *supervisor, int32_t on, ps_error **error);
ps_status ps_supervisor_set_spawner(ps_supervisor *supervisor, int32_t on, ps_error **error);
ps_status ps_supervisor_set_hold_processor(ps_supervisor *supervisor, int32_t on, ps_error **error);
ps_status ps_spawn_replicas(ps_supervisor *supervisor, const ps_command *command, uint32_t n, ps_child **children, ps_error **error);
ps_status ps_supervisor_counts(const ps_supervisor *supervisor, uint32_t *pending, uint32_t *running, uint32_t *stopping, ps_error **error);
ps_status ps_supervisor_fd(const ps_supervisor *supervisor, int32_t *fd, ps_error **error);
typedef enum ps_event_kind {
  PS_EVENT_STARTED = 1,
  PS_EVENT_EXITED = 2,
  PS_EVENT_OUTPUT = 3,
  PS_EVENT_READY = 4,
  PS_EVENT_RESTARTING = 5,
  PS_EVENT_GAVE_UP = 6,
  PS_EVENT_CANCELLED = 7,
  PS_EVENT_SHUTDOWN_DONE = 8,
  PS_EVENT_FAILED = 9,
  PS_EVENT_OUTPUT_LOST = 10,
  PS_EVENT_NOTIFIED = 11,
  PS_EVENT_INPUT_ROOM = 12,
  PS_EVENT_STOPPED = 13,
  PS_EVENT_CONTINUED = 14,
} ps_event_kind;
typedef enum ps_reason {
  PS_REASON_NONE = 0,
  PS_REASON_ENDED = 1,
  PS_REASON_FAILED = 2,
  PS_REASON_EARLY_EXIT = 3,
  PS_REASON_NOT_STARTED = 4,
  PS_REASON_NOT_READY = 5,
  PS_REASON_WATCHDOG = 6,
  PS_REASON_DEADLINE = 7,
  PS_REASON_FAILURES = 8,
  PS_REASON_BUDGET = 9,
  PS_REASON_IN_PROGRESS = 10,
} ps_reason;
typedef struct ps_event {
  uint32_t size;
  int32_t kind;
  ps_child *child;
  int32_t pid;
  int32_t stream;
  uint64_t user_data;
  int64_t time_ns;
  ps_exit exit;
  int32_t status;
  uint32_t run;
  int64_t delay_ms;
  uint64_t lost_lines;
  uint64_t lost_bytes;
  int32_t reason;
  int32_t storm;
  int64_t retry_after_ms;
  int32_t signal;
  int32_t reserved;
} ps_event;
ps_status ps_supervisor_next_event(ps_supervisor *supervisor, int64_t timeout_ms, ps_event *event, ps_error **error);
ps_status ps_event_data(ps_supervisor *supervisor, char *buf, size_t cap, size_t *needed, ps_error **error);
ps_status ps_supervisor_shutdown(ps_supervisor *supervisor, int64_t grace_ms, ps_error **error);
void ps_supervisor_free(ps_supervisor *supervisor);
typedef enum ps_readiness_kind {
  PS_READY_EXEC = 0,
  PS_READY_NOTIFY = 1,
  PS_READY_FD = 2,
  PS_READY_SOCKET = 3,
} ps_readiness_kind;
ps_status ps_command_readiness(ps_command *command, int32_t kind, const char *detail, int64_t timeout_ms, ps_error **error);
ps_status ps_wait_ready(ps_child *child, int64_t timeout_ms, ps_error **error);
typedef struct ps_notified {
  uint32_t size;
  int32_t ready;
  int32_t reloading;
  int32_t stopping;
  int32_t errno_said;
  uint32_t refused;
  uint64_t messages;
  int64_t ready_ns;
  int64_t reloading_ns;
} ps_notified;
ps_status ps_child_notified(ps_child *child, ps_notified *notified, ps_error **error);
ps_status ps_child_status_text(ps_child *child, char *buf, size_t cap, size_t *needed, ps_error **error);
typedef enum ps_notify_access {
  PS_NOTIFY_MAIN = 0,
  PS_NOTIFY_GROUP = 1,
} ps_notify_access;
ps_status ps_command_notify_access(ps_command *command, int32_t access, ps_error **error);
ps_status ps_command_watchdog(ps_command *command, int64_t ms, ps_error **error);
typedef struct ps_budget ps_budget;
ps_status ps_budget_new(uint32_t max_attempts, int64_t window_ms, ps_budget **budget, ps_error **error);
void ps_budget_free(ps_budget *budget);
ps_status ps_budget_set_lease(ps_budget *budget, int64_t ms, ps_error **error);
ps_status ps_budget_set_healthy(ps_budget *budget, int64_t ms, ps_error **error);
ps_status ps_budget_begin(ps_budget *budget, const char *key, uint64_t *permit, ps_error **error);
ps_status ps_budget_finish(ps_budget *budget, uint64_t permit, int32_t succeeded, ps_error **error);
ps_status ps_budget_reset(ps_budget *budget, const char *key, ps_error **error);
typedef struct ps_budget_state {
  uint32_t size;
  uint32_t attempts_used;
  uint32_t remaining;
  int32_t in_flight;
  int32_t storm;
  int32_t reserved;
  int64_t retry_after_ms;
} ps_budget_state;
ps_status ps_budget_snapshot(ps_budget *budget, const char *key, ps_budget_state *state, ps_error **error);
ps_status ps_command_budget(ps_command *command, ps_budget *budget, const char *key, ps_error **error);
ps_status ps_command_budget_wait(ps_command *command, int32_t on, ps_error **error);
typedef struct ps_spawn_lock ps_spawn_lock;
ps_status ps_spawn_lock_acquire(const char *path, int64_t timeout_ms, ps_spawn_lock **lock, ps_error **error);
ps_status ps_spawn_lock_begin(const char *path, int64_t timeout_ms, ps_spawn_lock **lock, ps_error **error);
ps_status ps_spawn_lock_fd(const ps_spawn_lock *lock, int32_t *fd, ps_error **error);
typedef enum ps_spawn_lock_event_kind {
  PS_SPAWN_LOCK_ACQUIRED = 1,
  PS_SPAWN_LOCK_FAILED = 2,
} ps_spawn_lock_event_kind;
typedef struct ps_spawn_lock_event {
  uint32_t size;
  int32_t kind;
  int32_t status;
  int32_t status_errno;
  int32_t pid;
  int32_t reserved;
  int64_t time_ns;
} ps_spawn_lock_event;
ps_status ps_spawn_lock_next_event(ps_spawn_lock *lock, int64_t timeout_ms, ps_spawn_lock_event *event, ps_error **error);
ps_status ps_spawn_lock_check(const ps_spawn_lock *lock, ps_error **error);
void ps_spawn_lock_release(ps_spawn_lock *lock);
ps_status ps_spawn_once(ps_supervisor *supervisor, const char *dir, const char *name, const ps_command *command, const char *connect_to, int64_t timeout_ms, ps_child **child, ps_error **error);
enum { PS_LISTEN_FDS_START = 3 };
ps_status ps_listen_fds(int32_t *count, ps_error **error);
ps_status ps_listen_fd_named(const char *name, int32_t *fd, ps_error **error);
ps_status ps_listen_fd_name(int32_t fd, char *buf, size_t cap, size_t *needed, ps_error **error);
ps_status ps_notify(const char *state, ps_error **error);
ps_status ps_notify_fds(const char *state, const int32_t *fds, size_t n, ps_error **error);
ps_status ps_notify_main_process(int32_t pid, const char *state, ps_error **error);
ps_status ps_notify_reloading(ps_error **error);
ps_status ps_notify_barrier(int64_t timeout_ms, ps_error **error);
ps_status ps_watchdog_enabled(int64_t *usec, ps_error **error);
ps_status ps_command_session(ps_command *command, const char *name, const char *value, ps_error **error);
typedef struct ps_worker ps_worker;
ps_status ps_spawn_direct(ps_supervisor *supervisor, const ps_command *command, int64_t timeout_ms, ps_worker **worker, ps_error **error);
ps_status ps_spawn_direct_begin(ps_supervisor *supervisor, const ps_command *command, int64_t timeout_ms, ps_worker **worker, ps_error **error);
ps_status ps_worker_wait(ps_worker *worker, int64_t timeout_ms, ps_error **error);
ps_status ps_worker_child(const ps_worker *worker, ps_child **child, ps_error **error);
struct ps_worker_socket {
  uint32_t size;
  char name[64];
  char address[256];
  char protocol[32];
  int32_t concurrency;
  int32_t accepts_http;
};
ps_status ps_worker_socket_count(const ps_worker *worker, uint32_t *count, ps_error **error);
ps_status ps_worker_socket(const ps_worker *worker, uint32_t index, struct ps_worker_socket *socket, ps_error **error);
ps_status ps_worker_generation(const ps_worker *worker, uint32_t *generation, ps_error **error);
ps_status ps_worker_stdin(ps_worker *worker, int32_t *fd, ps_error **error);
typedef enum ps_worker_kind {
  PS_WORKER_DIRECT = 0,
  PS_WORKER_FORKED = 1,
  PS_WORKER_SIBLING = 2,
} ps_worker_kind;
typedef struct ps_worker_info {
  uint32_t size;
  int32_t kind;
  int32_t pid;
  uint32_t generation;
  int64_t began_ns;
  int64_t began_wall_ns;
  int64_t ready_ns;
  int64_t ready_wall_ns;
  char gupid[64];
  char app_type[32];
} ps_worker_info;
ps_status ps_worker_get_info(const ps_worker *worker, ps_worker_info *info, ps_error **error);
ps_status ps_worker_journey(const ps_worker *worker, int32_t format, char *buf, size_t cap, size_t *needed, ps_error **error);
void ps_worker_free(ps_worker *worker);
typedef struct ps_preloader ps_preloader;
ps_status ps_preloader_new(const ps_command *command, ps_preloader **preloader, ps_error **error);
ps_status ps_preloader_set(ps_preloader *preloader, const char *name, const char *value, ps_error **error);
typedef enum ps_preloader_protocol {
  PS_PRELOADER_PASSENGER = 0,
  PS_PRELOADER_NATIVE = 1,
} ps_preloader_protocol;
ps_status ps_preloader_set_protocol(ps_preloader *preloader, int32_t protocol, ps_error **error);
ps_status ps_preloader_set_idle_stop(ps_preloader *preloader, int64_t ms, ps_error **error);
ps_status ps_preloader_set_pool(ps_preloader *preloader, uint32_t idle, int64_t max_age_ms, ps_error **error);
ps_status ps_preloader_warm(ps_preloader *preloader, ps_supervisor *supervisor, int64_t timeout_ms, ps_error **error);
ps_status ps_preloader_set_limits(ps_preloader *preloader, uint64_t memory_bytes, uint32_t dead_births, ps_error **error);
ps_status ps_preloader_spawn(ps_preloader *preloader, ps_supervisor *supervisor, const ps_command *worker, int64_t timeout_ms, ps_worker **out, ps_error **error);
ps_status ps_preloader_spawn_begin(ps_preloader *preloader, ps_supervisor *supervisor, const ps_command *worker, int64_t timeout_ms, ps_worker **out, ps_error **error);
ps_status ps_preloader_reload(ps_preloader *preloader, ps_error **error);
ps_status ps_preloader_promote(ps_preloader *preloader, ps_worker *worker, int64_t timeout_ms, ps_error **error);
ps_status ps_preloader_generation(const ps_preloader *preloader, uint32_t *generation, ps_error **error);
ps_status ps_preloader_pid(const ps_preloader *preloader, int32_t *pid, ps_error **error);
ps_status ps_preloader_last_used(const ps_preloader *preloader, int64_t *time_ns, ps_error **error);
ps_status ps_preloader_stop(ps_preloader *preloader, int64_t grace_ms, ps_error **error);
void ps_preloader_free(ps_preloader *preloader);
typedef struct ps_preload ps_preload;
typedef enum ps_preload_role {
  PS_ROLE_PRELOADER = 0,
  PS_ROLE_WORKER = 1,
  PS_ROLE_STOP = 2,
} ps_preload_role;
typedef enum ps_fork_way {
  PS_FORK_LIBC = 0,
  PS_FORK_SIBLING = 1,
} ps_fork_way;
typedef enum ps_worker_wish {
  PS_ASKED_NOTHING = 0,
  PS_ASKED_PROMOTE = 1,
  PS_ASKED_STOP = 2,
} ps_worker_wish;
enum { PS_PRELOAD_COLLAPSE = 256 };
ps_status ps_preload_open(ps_preload **preload, ps_error **error);
void ps_preload_free(ps_preload *preload);
ps_status ps_preload_collapse(ps_preload *preload, ps_error **error);
ps_status ps_preload_on_fork(ps_preload *preload, void (*before)(void *data), void (*in_preloader)(void *data), void (*in_worker)(void *data), void *data, ps_error **error);
ps_status ps_preload_ready(ps_preload *preload, int32_t how, ps_error **error);
ps_status ps_preload_failed(ps_preload *preload, const char *text, ps_error **error);
ps_status ps_preload_fork(ps_preload *preload, int64_t timeout_ms, int32_t *role, ps_error **error);
ps_status ps_preload_accept(ps_preload *preload, int64_t timeout_ms, uint64_t *request, ps_error **error);
ps_status ps_preload_forked(ps_preload *preload, uint64_t request, int32_t pid, ps_error **error);
ps_status ps_preload_fd(const ps_preload *preload, int32_t *fd, ps_error **error);
ps_status ps_worker_ready(ps_preload *preload, ps_error **error);
ps_status ps_worker_asked(ps_preload *preload, int64_t timeout_ms, int32_t *what, ps_error **error);
typedef struct ps_handoff ps_handoff;
ps_status ps_handoff_new(const char *control_path, ps_handoff **handoff, ps_error **error);
void ps_handoff_free(ps_handoff *handoff);
ps_status ps_handoff_was_spawned(const char *control_path, int32_t *spawned, ps_error **error);
ps_status ps_handoff_check_service(ps_error **error);
ps_status ps_handoff_set_service_check(ps_handoff *handoff, int32_t on, ps_error **error);
typedef enum ps_handoff_role_code {
  PS_HANDOFF_FIRST = 0,
  PS_HANDOFF_SUCCESSOR = 1,
} ps_handoff_role_code;
ps_status ps_handoff_role(const ps_handoff *handoff, int32_t *role, ps_error **error);
typedef enum ps_handoff_phase_code {
  PS_HANDOFF_PHASE_LOADING = 1,
  PS_HANDOFF_PHASE_WARM = 2,
  PS_HANDOFF_PHASE_OPENING = 3,
  PS_HANDOFF_PHASE_PROBATION = 4,
  PS_HANDOFF_PHASE_SETTLED = 5,
  PS_HANDOFF_PHASE_OWNER = 6,
  PS_HANDOFF_PHASE_DRAINING = 7,
  PS_HANDOFF_PHASE_SEALING = 8,
  PS_HANDOFF_PHASE_SEALED = 9,
  PS_HANDOFF_PHASE_OVERLAP = 10,
  PS_HANDOFF_PHASE_STANDBY = 11,
  PS_HANDOFF_PHASE_GONE = 12,
} ps_handoff_phase_code;
ps_status ps_handoff_phase(const ps_handoff *handoff, int32_t *phase, ps_error **error);
ps_status ps_handoff_generation(const ps_handoff *handoff, uint64_t *generation, ps_error **error);
typedef enum ps_handoff_mode {
  PS_HANDOFF_EXCLUSIVE = 0,
  PS_HANDOFF_OVERLAP = 1,
} ps_handoff_mode;
ps_status ps_handoff_set_mode(ps_handoff *handoff, int32_t mode, ps_error **error);
typedef enum ps_handoff_timeout {
  PS_HANDOFF_TIMEOUT_DRAIN = 1,
  PS_HANDOFF_TIMEOUT_SEAL = 2,
  PS_HANDOFF_TIMEOUT_LIVE = 3,
  PS_HANDOFF_TIMEOUT_PROBATION = 4,
  PS_HANDOFF_TIMEOUT_TAKEOVER = 5,
} ps_handoff_timeout;
ps_status ps_handoff_set_timeout(ps_handoff *handoff, int32_t which, int64_t ms, ps_error **error);
ps_status ps_handoff_set_fd(ps_handoff *handoff, const char *name, int32_t fd, ps_error **error);
ps_status ps_handoff_take_fd(ps_handoff *handoff, const char *name, int32_t *fd, ps_error **error);
ps_status ps_handoff_fd_names(const ps_handoff *handoff, char *buf, size_t cap, size_t *needed, ps_error **error);
ps_status ps_handoff_pass_connection(ps_handoff *handoff, int32_t fd, const void *data, size_t len, ps_error **error);
ps_status ps_handoff_keep_connection(ps_handoff *handoff, int32_t fd, ps_error **error);
ps_status ps_handoff_take_connection(ps_handoff *handoff, int32_t *fd, void *buf, size_t cap, size_t *needed, ps_error **error);
ps_status ps_handoff_set_state(ps_handoff *handoff, const void *data, size_t len, ps_error **error);
ps_status ps_handoff_state(const ps_handoff *handoff, void *buf, size_t cap, size_t *needed, ps_error **error);
ps_status ps_handoff_fd(const ps_handoff *handoff, int32_t *fd, ps_error **error);
typedef enum ps_handoff_event_kind {
  PS_HANDOFF_DRAIN = 1,
  PS_HANDOFF_SEAL = 2,
  PS_HANDOFF_LIVE = 3,
  PS_HANDOFF_RESUME = 4,
  PS_HANDOFF_RETIRE = 5,
  PS_HANDOFF_COMMITTED = 6,
  PS_HANDOFF_ABORTED = 7,
  PS_HANDOFF_PATH_CHANGED = 8,
} ps_handoff_event_kind;
typedef struct ps_handoff_event {
  uint32_t size;
  int32_t kind;
  uint64_t handoff_id;
  uint64_t revision;
  int32_t unsealed;
  int32_t peer_pid;
  int32_t reason;
  int64_t deadline_ns;
  int64_t time_ns;
  int32_t phase;
  int32_t reserved;
} ps_handoff_event;
ps_status ps_handoff_next_event(ps_handoff *handoff, int64_t timeout_ms, ps_handoff_event *event, ps_error **error);
ps_status ps_handoff_warm(ps_handoff *handoff, ps_error **error);
ps_status ps_handoff_drained(ps_handoff *handoff, uint32_t open_connections, ps_error **error);
ps_status ps_handoff_sealed(ps_handoff *handoff, uint64_t revision, ps_error **error);
ps_status ps_handoff_live(ps_handoff *handoff, ps_error **error);
ps_status ps_handoff_failed(ps_handoff *handoff, const char *reason, ps_error **error);
ps_status ps_handoff_upgrade(ps_handoff *handoff, const ps_command *successor, int64_t deadline_ms, ps_error **error);
ps_status ps_handoff_cancel(ps_handoff *handoff, ps_error **error);
ps_status ps_handoff_reason(const ps_handoff *handoff, char *buf, size_t cap, size_t *needed, ps_error **error);
typedef struct ps_outcome {
  uint32_t size;
  int32_t committed;
  uint64_t handoff_id;
  int32_t reason;
  int32_t phase;
  int32_t mode;
  int32_t unsealed;
  int32_t old_pid;
  int32_t new_pid;
  uint64_t old_generation;
  uint64_t new_generation;
  int64_t began_ns;
  int64_t began_realtime_ns;
  int64_t greeted_ns;
  int64_t offered_ns;
  int64_t warm_ns;
  int64_t drained_ns;
  int64_t sealed_ns;
  int64_t committed_ns;
  int64_t live_ns;
  int64_t settled_ns;
  int64_t ended_ns;
  int64_t gap_ns;
  uint32_t connections_open;
  uint32_t connections_passed;
  uint32_t connections_taken;
  uint32_t connections_left;
  char old_build_id[72];
  char new_build_id[72];
} ps_outcome;
ps_status ps_handoff_outcome(const ps_handoff *handoff, uint32_t index, ps_outcome *outcome, ps_error **error);
ps_status ps_handoff_outcome_text(const ps_handoff *handoff, uint32_t index, int32_t format, char *buf, size_t cap, size_t *needed, ps_error **error);
ps_status ps_handoff_set_build_id(ps_handoff *handoff, const char *build_id, ps_error **error);
typedef struct ps_handoff_supervisor ps_handoff_supervisor;
typedef enum ps_health_kind {
  PS_HEALTH_NONE = 0,
  PS_HEALTH_SOCKET = 1,
  PS_HEALTH_HTTP = 2,
} ps_health_kind;
typedef enum ps_handoff_protocol {
  PS_HANDOFF_PROTOCOL_NATIVE = 0,
  PS_HANDOFF_PROTOCOL_NOTIFY = 1,
  PS_HANDOFF_PROTOCOL_V1 = 2,
} ps_handoff_protocol;
ps_status ps_handoff_supervisor_new(const char *control_path, ps_handoff_supervisor **supervisor, ps_error **error);
void ps_handoff_supervisor_free(ps_handoff_supervisor *supervisor);
ps_status ps_handoff_supervisor_listener(ps_handoff_supervisor *supervisor, const char *name, int32_t fd, ps_error **error);
ps_status ps_handoff_supervisor_set_protocol(ps_handoff_supervisor *supervisor, int32_t protocol, ps_error **error);
ps_status ps_handoff_supervisor_set_journal(ps_handoff_supervisor *supervisor, const char *path, ps_error **error);
ps_status ps_handoff_supervisor_set_build_id(ps_handoff_supervisor *supervisor, const char *build_id, ps_error **error);
ps_status ps_handoff_supervisor_set_health(ps_handoff_supervisor *supervisor, int32_t kind, const char *detail, int64_t timeout_ms, ps_error **error);
ps_status ps_handoff_supervisor_set_health_command(ps_handoff_supervisor *supervisor, const ps_command *command, int64_t timeout_ms, ps_error **error);
ps_status ps_handoff_supervisor_set_probation(ps_handoff_supervisor *supervisor, int64_t ms, ps_error **error);
ps_status ps_handoff_supervisor_set_restart(ps_handoff_supervisor *supervisor, uint32_t max_attempts, int64_t window_ms, ps_error **error);
ps_status ps_handoff_supervisor_start(ps_handoff_supervisor *supervisor, const ps_command *command, ps_error **error);
ps_status ps_handoff_supervisor_replace(ps_handoff_supervisor *supervisor, const ps_command *command, int64_t deadline_ms, int64_t drain_ms, ps_error **error);
ps_status ps_handoff_supervisor_cancel(ps_handoff_supervisor *supervisor, ps_error **error);
ps_status ps_handoff_supervisor_stop(ps_handoff_supervisor *supervisor, int64_t grace_ms, ps_error **error);
ps_status ps_handoff_supervisor_recover(ps_handoff_supervisor *supervisor, ps_error **error);
ps_status ps_handoff_supervisor_owner(const ps_handoff_supervisor *supervisor, int32_t *pid, uint64_t *generation, ps_error **error);
ps_status ps_handoff_supervisor_outcome(const ps_handoff_supervisor *supervisor, uint32_t index, ps_outcome *outcome, ps_error **error);
ps_status ps_handoff_supervisor_outcome_text(const ps_handoff_supervisor *supervisor, uint32_t index, int32_t format, char *buf, size_t cap, size_t *needed, ps_error **error);
ps_status ps_handoff_supervisor_metrics(const ps_handoff_supervisor *supervisor, char *buf, size_t cap, size_t *needed, ps_error **error);
ps_status ps_handoff_supervisor_fd(const ps_handoff_supervisor *supervisor, int32_t *fd, ps_error **error);
typedef enum ps_handoff_supervisor_event_kind {
  PS_HANDOFF_SUPERVISOR_STARTED = 1,
  PS_HANDOFF_SUPERVISOR_SERVING = 2,
  PS_HANDOFF_SUPERVISOR_PROGRESS = 3,
  PS_HANDOFF_SUPERVISOR_COMMITTED = 4,
  PS_HANDOFF_SUPERVISOR_ABORTED = 5,
  PS_HANDOFF_SUPERVISOR_OWNER_ENDED = 6,
  PS_HANDOFF_SUPERVISOR_GAVE_UP = 7,
  PS_HANDOFF_SUPERVISOR_STOPPED = 8,
} ps_handoff_supervisor_event_kind;
typedef struct ps_handoff_supervisor_event {
  uint32_t size;
  int32_t kind;
  uint64_t handoff_id;
  int32_t pid;
  int32_t peer_pid;
  uint64_t generation;
  int32_t phase;
  int32_t reason;
  int32_t exit_code;
  int32_t exit_signal;
  int64_t time_ns;
  uint64_t reserved;
} ps_handoff_supervisor_event;
ps_status ps_handoff_supervisor_next_event(ps_handoff_supervisor *supervisor, int64_t timeout_ms, ps_handoff_supervisor_event *event, ps_error **error);
