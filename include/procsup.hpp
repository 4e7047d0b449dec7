// SPDX-License-Identifier: MIT OR Apache-2.0
//
// procsup for C++17: classes over procsup.h, in this header alone. Link with the same library.
//
//     #include <procsup.hpp>
//     #include <iostream>
//
//     int main() try {
//         procsup::supervisor supervisor;
//         auto sort = procsup::command("sort").arg("-u").input("pear\napple\n").capture(4096);
//         procsup::child child = supervisor.spawn(sort);
//         procsup::exit_record end = child.reap(std::chrono::seconds(5));
//         std::cout << child.output() << "exit code " << end.code() << '\n';
//     } catch (const procsup::error &error) {
//         std::cerr << error.what() << '\n'; // "cannot run sort: exec failed: No such file or directory (ENOENT)"
//     }
//
// The manual of each call is procsup.h: a method `frob` of `command`, `child`, `supervisor`, `spawn_lock`, `worker` or `handoff` is ps_command_frob,
// ps_child_frob (or ps_frob), ps_supervisor_frob, ps_spawn_lock_frob, ps_worker_frob, ps_handoff_frob. Here is what C++ adds. No thread, no callback, no state beside the handle.
//
// OWNERSHIP. command, child, supervisor, worker, preloader, preload, handoff, budget, permit, spawn_lock, error_info and unique_fd own one thing
// each: they can be moved, not copied, and release it in their destructors. What was moved from is empty: it is false, and every call on it fails
// with errc::bad_handle (a permit's: errc::state).
//     ~command      frees the description; children of it run on
//     ~child        frees the handle. THE PROCESS RUNS ON: it belongs to its supervisor. ~worker the same
//     ~supervisor   kills and reaps its children; blocks until they are gone, 5 seconds at the most
//     ~preloader    stops its process; its workers live on
//     ~permit       says that the start has failed, unless it was said how it ended
//     ~spawn_lock   releases the lock, or waits for it no more
//     ~handoff      calls off what is not committed; kills and reaps a successor that owns nothing, 5 seconds at the most. That is an end in good
//                   order, also on the way of an exception. Where an owner shall count as crashed, so that a warm successor goes on in its place,
//                   let no destructor run: catch, and std::_Exit
// child_ref, event and exit_record are values. A child_ref borrows: it is a number, costs nothing to copy, keeps nothing alive, and
// once the child's handle is freed its calls fail with errc::bad_handle. Events name their child by one.
//
// PARAMETERS take what you have:
//     text      "literals", std::string, std::string_view, std::filesystem::path; nullptr and std::nullopt where a call says what nothing means
//     a time    any std::chrono::duration, rounded up to milliseconds; `forever`; std::nullopt where -1 has a meaning; until(time point)
//     lists     braces, or any container or C++20 range of texts (args) or of pairs of them (envs: std::map, a vector of pairs)
//     bytes     text, or char, unsigned char or std::byte in one piece: std::vector, std::array, std::span
// They are read during the call only. Enums have name(), and can be written to a stream, or by std::format where there is one.
//
// ERRORS come in two styles; each call that can fail has both.
//     f(arguments)                throws procsup::error: a std::system_error that also knows status, errno and step
//     f(arguments, ec)            throws nothing of its own and sets the std::error_code: ec is cleared when the call succeeds
// The setters of command, and spawn, leave an `ec` that is set already alone and do nothing: check once after a chain of them. Calls
// with an `ec` are noexcept unless they take or return a container (which may run out of memory). Codes are those of errc, in the category
// "procsup"; where C says PS_ERR_SYSTEM, the code is the errno itself, in std::system_category. They compare with std::errc
// (ec == std::errc::no_such_file_or_directory). With -fno-exceptions the throwing calls print the message and abort.
//
// BLOCKING. As in C: only calls that take a time to wait, terminate(), the destructors above and the constructor of a handoff (until it was
// offered everything) wait for anything. `forever` is a time too.
//
// THREADS. As in C, any thread may call anything on one object at any time, but a thread that moves, assigns or destroys the C++
// object needs it for itself, as with every C++ object. In a forked copy of the host all calls on what it inherited fail with
// errc::forked, and the destructors end nobody and wait for nothing; those of a handoff, its supervisor and a
// spawn_lock close what the copy has of them.
#ifndef PROCSUP_HPP
#define PROCSUP_HPP

#if !defined(__cplusplus) || __cplusplus < 201703L
#error "procsup.hpp needs C++17; procsup.h serves older standards and C"
#endif

#include "procsup.h"

#include <chrono>
#include <cstddef>
#include <cstdint>
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <functional>
#include <initializer_list>
#include <iosfwd>
#include <iterator>
#include <limits>
#include <memory>
#include <new>
#include <optional>
#include <string>
#include <string_view>
#include <system_error>
#include <type_traits>
#include <unistd.h>
#include <utility>
#include <vector>
#if __cplusplus >= 202002L && __has_include(<format>)
#include <format> // which <chrono> brings along there
#endif

namespace procsup {

using std::chrono::milliseconds;

/// A time to wait that does not end.
inline constexpr milliseconds forever{-1};

/// A parameter that takes a time: any std::chrono::duration, rounded up to whole milliseconds, so that a short wait is not cut to none. What is
/// longer than 292 years (duration::max(), infinity) is cut to that: it never ends. `forever`, and std::nullopt, are C's -1. Other times below
/// zero are refused by the call (errc::invalid_argument): for what is left until a moment, which may have passed, see until.
class time_limit {
  public:
    template <typename Rep, typename Period>
    constexpr time_limit(const std::chrono::duration<Rep, Period> &time) noexcept : ms_(rounded_up(time))
    {
    }
    constexpr time_limit(std::nullopt_t) noexcept : ms_(forever.count()) {}
    template <typename Rep, typename Period>
    constexpr time_limit(const std::optional<std::chrono::duration<Rep, Period>> &time) noexcept
        : ms_(time ? rounded_up(*time) : forever.count())
    {
    }
    /// As C has it.
    constexpr std::int64_t count() const noexcept { return ms_; }

  private:
    /// 292 years: as much as can be counted in nanoseconds.
    static constexpr std::int64_t most = (std::numeric_limits<std::int64_t>::max)() / 1'000'000;
    static constexpr std::int64_t refused = (std::numeric_limits<std::int64_t>::min)();

    template <typename Rep, typename Period> static constexpr std::int64_t rounded_up(const std::chrono::duration<Rep, Period> &time) noexcept
    {
        using per_milli = std::ratio_divide<Period, std::milli>;
        if constexpr (std::is_integral_v<Rep>) {
            if constexpr (std::is_signed_v<Rep>)
                if (time.count() < 0)
                    return std::is_same_v<typename Period::type, std::milli> ? static_cast<std::int64_t>(time.count()) : refused;
            const auto count = static_cast<std::uint64_t>(time.count());
            constexpr auto num = static_cast<std::uint64_t>(per_milli::num), den = static_cast<std::uint64_t>(per_milli::den);
            if (count / den > static_cast<std::uint64_t>(most) / num)
                return most;
            const std::uint64_t ms = count / den * num + (count % den * num + den - 1) / den;
            return ms < static_cast<std::uint64_t>(most) ? static_cast<std::int64_t>(ms) : most;
        } else {
            const auto ms = std::chrono::duration<std::common_type_t<Rep, double>, std::milli>(time).count();
            if (!(ms >= 0)) // or not a number
                return std::is_same_v<typename Period::type, std::milli> && ms == -1 ? -1 : refused;
            if (ms >= static_cast<double>(most))
                return most;
            const auto whole = static_cast<std::int64_t>(ms);
            return whole + (static_cast<std::common_type_t<Rep, double>>(whole) < ms);
        }
    }

    std::int64_t ms_;
};

/// The time that is left until a moment of any clock, by that clock's time of now; 0 if it has come: child.reap(until(deadline)). time_point::max()
/// never comes.
template <typename Clock, typename Duration> time_limit until(const std::chrono::time_point<Clock, Duration> &moment)
{
    if (moment == (std::chrono::time_point<Clock, Duration>::max)())
        return forever;
    const auto now = Clock::now();
    return moment > now ? time_limit(moment - now) : milliseconds(0);
}

// ---- names of numbers -------------------------------------------------------------------------------------------------------------

/// Statuses: PS_ERR_NOT_FOUND is errc::not_found. Each converts to a std::error_code.
enum class errc : std::int32_t {
    ok = PS_OK,
    pending = PS_PENDING,
    invalid_argument = PS_ERR_INVALID_ARGUMENT,
    bad_handle = PS_ERR_BAD_HANDLE,
    state = PS_ERR_STATE,
    system = PS_ERR_SYSTEM,
    not_found = PS_ERR_NOT_FOUND,
    permission = PS_ERR_PERMISSION,
    limit = PS_ERR_LIMIT,
    timeout = PS_ERR_TIMEOUT,
    cancelled = PS_ERR_CANCELLED,
    shutdown = PS_ERR_SHUTDOWN,
    forked = PS_ERR_FORKED,
    unsupported = PS_ERR_UNSUPPORTED,
    output_exists = PS_ERR_OUTPUT_EXISTS,
    budget_exhausted = PS_ERR_BUDGET_EXHAUSTED,
    in_progress = PS_ERR_IN_PROGRESS,
    locked = PS_ERR_LOCKED,
    lock_replaced = PS_ERR_LOCK_REPLACED,
    exited = PS_ERR_EXITED,
    protocol = PS_ERR_PROTOCOL,
    version_mismatch = PS_ERR_VERSION_MISMATCH,
    peer_rejected = PS_ERR_PEER_REJECTED,
    aborted = PS_ERR_ABORTED,
    internal = PS_ERR_INTERNAL,
    interrupted = PS_ERR_INTERRUPTED,
};

enum class render_format : std::int32_t {
    text = PS_RENDER_TEXT,
    json = PS_RENDER_JSON,
    html = PS_RENDER_HTML,
    html_brief = PS_RENDER_HTML_BRIEF,
};
/// What is told to people of an application that failed to start.
enum class error_text : std::int32_t {
    id = PS_ERROR_TEXT_ID,
    summary = PS_ERROR_TEXT_SUMMARY,
    problem = PS_ERROR_TEXT_PROBLEM,
    solution = PS_ERROR_TEXT_SOLUTION,
    advanced = PS_ERROR_TEXT_ADVANCED,
};
enum class environment : std::int32_t { inherit = PS_ENV_INHERIT, clear = PS_ENV_CLEAR, baseline = PS_ENV_BASELINE };
enum class stdio_kind : std::int32_t {
    inherit = PS_STDIO_INHERIT,
    null = PS_STDIO_NULL,
    pipe = PS_STDIO_PIPE,
    merge = PS_STDIO_MERGE,
    pty = PS_STDIO_PTY
};
enum class pipe_direction : std::int32_t { to_child = PS_PIPE_TO_CHILD, from_child = PS_PIPE_FROM_CHILD };
enum class scheduling_policy : std::int32_t {
    inherit = PS_SCHED_INHERIT,
    other = PS_SCHED_OTHER,
    batch = PS_SCHED_BATCH,
    idle = PS_SCHED_IDLE,
    fifo = PS_SCHED_FIFO,
    rr = PS_SCHED_RR
};
/// What a path is opened to: allow::read | allow::execute.
enum class allow : std::int32_t { read = PS_ALLOW_READ, write = PS_ALLOW_WRITE, execute = PS_ALLOW_EXECUTE };
constexpr allow operator|(allow a, allow b) noexcept { return allow(std::int32_t(a) | std::int32_t(b)); }
enum class isolation : std::int32_t {
    none = PS_ISOLATE_NONE,
    group = PS_ISOLATE_GROUP,
    session = PS_ISOLATE_SESSION,
    contained = PS_ISOLATE_CONTAINED,
};
enum class survivors_policy : std::int32_t { sweep = PS_SURVIVORS_SWEEP, leave = PS_SURVIVORS_LEAVE };
enum class scope : std::int32_t { group = PS_SCOPE_GROUP, mixed = PS_SCOPE_MIXED, leader = PS_SCOPE_LEADER };
enum class output_exists_policy : std::int32_t { refuse = PS_OUTPUT_REFUSE, replace = PS_OUTPUT_REPLACE };
enum class output_failure_policy : std::int32_t { keep = PS_OUTPUT_KEEP, drop = PS_OUTPUT_DROP };
enum class restart_policy : std::int32_t { never = PS_RESTART_NEVER, on_failure = PS_RESTART_ON_FAILURE, always = PS_RESTART_ALWAYS };
enum class readiness_kind : std::int32_t { exec = PS_READY_EXEC, notify = PS_READY_NOTIFY, fd = PS_READY_FD, socket = PS_READY_SOCKET };
enum class notify_access : std::int32_t { main = PS_NOTIFY_MAIN, group = PS_NOTIFY_GROUP };
enum class spawn_tier : std::int32_t {
    clone3 = PS_TIER_CLONE3,
    clone = PS_TIER_CLONE,
    fork = PS_TIER_FORK,
    preloader = PS_TIER_PRELOADER,
    spawner = PS_TIER_SPAWNER
};

enum class child_state : std::int32_t {
    pending = PS_STATE_PENDING,
    running = PS_STATE_RUNNING,
    stopping = PS_STATE_STOPPING,
    exited = PS_STATE_EXITED,
    cancelled = PS_STATE_CANCELLED,
};

enum class exit_kind : std::int32_t { exited = PS_EXIT_EXITED, signaled = PS_EXIT_SIGNALED, lost = PS_EXIT_LOST };

enum class exit_cause : std::int32_t {
    self = PS_CAUSE_SELF,
    stop = PS_CAUSE_STOP,
    deadline = PS_CAUSE_DEADLINE,
    shutdown = PS_CAUSE_SHUTDOWN,
    kill_all = PS_CAUSE_KILL_ALL,
    owner = PS_CAUSE_OWNER,
    not_ready = PS_CAUSE_NOT_READY,
    watchdog = PS_CAUSE_WATCHDOG,
};

enum class exit_oom : std::int32_t { none = PS_OOM_NONE, own = PS_OOM_OWN, above = PS_OOM_ABOVE, probable = PS_OOM_PROBABLE };

enum class handoff_role : std::int32_t { first = PS_HANDOFF_FIRST, successor = PS_HANDOFF_SUCCESSOR };
enum class handoff_mode : std::int32_t { exclusive = PS_HANDOFF_EXCLUSIVE, overlap = PS_HANDOFF_OVERLAP };

enum class handoff_timeout : std::int32_t {
    drain = PS_HANDOFF_TIMEOUT_DRAIN,
    seal = PS_HANDOFF_TIMEOUT_SEAL,
    live = PS_HANDOFF_TIMEOUT_LIVE,
    probation = PS_HANDOFF_TIMEOUT_PROBATION,
    takeover = PS_HANDOFF_TIMEOUT_TAKEOVER,
};

enum class handoff_phase : std::int32_t {
    loading = PS_HANDOFF_PHASE_LOADING,
    warm = PS_HANDOFF_PHASE_WARM,
    opening = PS_HANDOFF_PHASE_OPENING,
    probation = PS_HANDOFF_PHASE_PROBATION,
    settled = PS_HANDOFF_PHASE_SETTLED,
    owner = PS_HANDOFF_PHASE_OWNER,
    draining = PS_HANDOFF_PHASE_DRAINING,
    sealing = PS_HANDOFF_PHASE_SEALING,
    sealed = PS_HANDOFF_PHASE_SEALED,
    overlap = PS_HANDOFF_PHASE_OVERLAP,
    standby = PS_HANDOFF_PHASE_STANDBY,
    gone = PS_HANDOFF_PHASE_GONE,
};

enum class handoff_event_kind : std::int32_t {
    drain = PS_HANDOFF_DRAIN,
    seal = PS_HANDOFF_SEAL,
    live = PS_HANDOFF_LIVE,
    resume = PS_HANDOFF_RESUME,
    retire = PS_HANDOFF_RETIRE,
    committed = PS_HANDOFF_COMMITTED,
    aborted = PS_HANDOFF_ABORTED,
    path_changed = PS_HANDOFF_PATH_CHANGED,
};

enum class handoff_protocol : std::int32_t {
    native = PS_HANDOFF_PROTOCOL_NATIVE,
    notify = PS_HANDOFF_PROTOCOL_NOTIFY,
    v1 = PS_HANDOFF_PROTOCOL_V1,
};

enum class health_kind : std::int32_t { none = PS_HEALTH_NONE, socket = PS_HEALTH_SOCKET, http = PS_HEALTH_HTTP };

enum class handoff_supervisor_event_kind : std::int32_t {
    started = PS_HANDOFF_SUPERVISOR_STARTED,
    serving = PS_HANDOFF_SUPERVISOR_SERVING,
    progress = PS_HANDOFF_SUPERVISOR_PROGRESS,
    committed = PS_HANDOFF_SUPERVISOR_COMMITTED,
    aborted = PS_HANDOFF_SUPERVISOR_ABORTED,
    owner_ended = PS_HANDOFF_SUPERVISOR_OWNER_ENDED,
    gave_up = PS_HANDOFF_SUPERVISOR_GAVE_UP,
    stopped = PS_HANDOFF_SUPERVISOR_STOPPED,
};

enum class preloader_protocol : std::int32_t { passenger = PS_PRELOADER_PASSENGER, native = PS_PRELOADER_NATIVE };

enum class worker_kind : std::int32_t { direct = PS_WORKER_DIRECT, forked = PS_WORKER_FORKED, sibling = PS_WORKER_SIBLING };

/// How a preloader forks.
enum class fork_way : std::int32_t { libc = PS_FORK_LIBC, sibling = PS_FORK_SIBLING };
/// What a process is when preload::fork returns.
enum class preload_role : std::int32_t { preloader = PS_ROLE_PRELOADER, worker = PS_ROLE_WORKER, stop = PS_ROLE_STOP };
/// What a worker is asked for.
enum class worker_asked : std::int32_t { nothing = PS_ASKED_NOTHING, promote = PS_ASKED_PROMOTE, stop = PS_ASKED_STOP };

enum class spawn_lock_event_kind : std::int32_t { acquired = PS_SPAWN_LOCK_ACQUIRED, failed = PS_SPAWN_LOCK_FAILED };

enum class event_kind : std::int32_t {
    started = PS_EVENT_STARTED,
    exited = PS_EVENT_EXITED,
    output = PS_EVENT_OUTPUT,
    ready = PS_EVENT_READY,
    restarting = PS_EVENT_RESTARTING,
    gave_up = PS_EVENT_GAVE_UP,
    cancelled = PS_EVENT_CANCELLED,
    shutdown_done = PS_EVENT_SHUTDOWN_DONE,
    failed = PS_EVENT_FAILED,
    output_lost = PS_EVENT_OUTPUT_LOST,
    notified = PS_EVENT_NOTIFIED,
    input_room = PS_EVENT_INPUT_ROOM,
    stopped = PS_EVENT_STOPPED,
    continued = PS_EVENT_CONTINUED,
};

/// Why a child is started again, or is not.
enum class reason : std::int32_t {
    none = PS_REASON_NONE,
    ended = PS_REASON_ENDED,
    failed = PS_REASON_FAILED,
    early_exit = PS_REASON_EARLY_EXIT,
    not_started = PS_REASON_NOT_STARTED,
    not_ready = PS_REASON_NOT_READY,
    watchdog = PS_REASON_WATCHDOG,
    deadline = PS_REASON_DEADLINE,
    failures = PS_REASON_FAILURES,
    budget = PS_REASON_BUDGET,
    in_progress = PS_REASON_IN_PROGRESS,
};

// ---- errors -----------------------------------------------------------------------------------------------------------------------

/// The name of a status as in C: "PS_ERR_NOT_FOUND".
inline const char *name(errc status) noexcept { return ps_status_name(static_cast<ps_status>(status)); }

/// The same of other numbers: "PS_EVENT_STARTED", "PS_CAUSE_DEADLINE".
inline const char *name(event_kind kind) noexcept { return ps_event_kind_name(static_cast<std::int32_t>(kind)); }
inline const char *name(reason why) noexcept { return ps_reason_name(static_cast<std::int32_t>(why)); }
inline const char *name(exit_kind kind) noexcept { return ps_exit_kind_name(static_cast<std::int32_t>(kind)); }
inline const char *name(exit_cause cause) noexcept { return ps_cause_name(static_cast<std::int32_t>(cause)); }
inline const char *name(exit_oom oom) noexcept { return ps_oom_name(static_cast<std::int32_t>(oom)); }
inline const char *name(child_state state) noexcept { return ps_state_name(static_cast<std::int32_t>(state)); }
inline const char *name(spawn_tier tier) noexcept { return ps_tier_name(static_cast<std::int32_t>(tier)); }

// C has no function for these.
constexpr const char *name(render_format value) noexcept
{
    switch (value) {
    case render_format::text: return "PS_RENDER_TEXT";
    case render_format::json: return "PS_RENDER_JSON";
    case render_format::html: return "PS_RENDER_HTML";
    case render_format::html_brief: return "PS_RENDER_HTML_BRIEF";
    }
    return "PS_RENDER_UNKNOWN";
}

constexpr const char *name(error_text value) noexcept
{
    switch (value) {
    case error_text::id: return "PS_ERROR_TEXT_ID";
    case error_text::summary: return "PS_ERROR_TEXT_SUMMARY";
    case error_text::problem: return "PS_ERROR_TEXT_PROBLEM";
    case error_text::solution: return "PS_ERROR_TEXT_SOLUTION";
    case error_text::advanced: return "PS_ERROR_TEXT_ADVANCED";
    }
    return "PS_ERROR_TEXT_UNKNOWN";
}

constexpr const char *name(environment value) noexcept
{
    switch (value) {
    case environment::inherit: return "PS_ENV_INHERIT";
    case environment::clear: return "PS_ENV_CLEAR";
    case environment::baseline: return "PS_ENV_BASELINE";
    }
    return "PS_ENV_UNKNOWN";
}

constexpr const char *name(stdio_kind value) noexcept
{
    switch (value) {
    case stdio_kind::inherit: return "PS_STDIO_INHERIT";
    case stdio_kind::null: return "PS_STDIO_NULL";
    case stdio_kind::pipe: return "PS_STDIO_PIPE";
    case stdio_kind::merge: return "PS_STDIO_MERGE";
    case stdio_kind::pty: return "PS_STDIO_PTY";
    }
    return "PS_STDIO_UNKNOWN";
}

constexpr const char *name(pipe_direction value) noexcept
{
    switch (value) {
    case pipe_direction::to_child: return "PS_PIPE_TO_CHILD";
    case pipe_direction::from_child: return "PS_PIPE_FROM_CHILD";
    }
    return "PS_PIPE_UNKNOWN";
}

constexpr const char *name(isolation value) noexcept
{
    switch (value) {
    case isolation::none: return "PS_ISOLATE_NONE";
    case isolation::group: return "PS_ISOLATE_GROUP";
    case isolation::session: return "PS_ISOLATE_SESSION";
    case isolation::contained: return "PS_ISOLATE_CONTAINED";
    }
    return "PS_ISOLATE_UNKNOWN";
}

constexpr const char *name(survivors_policy value) noexcept
{
    switch (value) {
    case survivors_policy::sweep: return "PS_SURVIVORS_SWEEP";
    case survivors_policy::leave: return "PS_SURVIVORS_LEAVE";
    }
    return "PS_SURVIVORS_UNKNOWN";
}

constexpr const char *name(scope value) noexcept
{
    switch (value) {
    case scope::group: return "PS_SCOPE_GROUP";
    case scope::mixed: return "PS_SCOPE_MIXED";
    case scope::leader: return "PS_SCOPE_LEADER";
    }
    return "PS_SCOPE_UNKNOWN";
}

constexpr const char *name(output_exists_policy value) noexcept
{
    switch (value) {
    case output_exists_policy::refuse: return "PS_OUTPUT_REFUSE";
    case output_exists_policy::replace: return "PS_OUTPUT_REPLACE";
    }
    return "PS_OUTPUT_UNKNOWN";
}

constexpr const char *name(output_failure_policy value) noexcept
{
    switch (value) {
    case output_failure_policy::keep: return "PS_OUTPUT_KEEP";
    case output_failure_policy::drop: return "PS_OUTPUT_DROP";
    }
    return "PS_OUTPUT_UNKNOWN";
}

constexpr const char *name(restart_policy value) noexcept
{
    switch (value) {
    case restart_policy::never: return "PS_RESTART_NEVER";
    case restart_policy::on_failure: return "PS_RESTART_ON_FAILURE";
    case restart_policy::always: return "PS_RESTART_ALWAYS";
    }
    return "PS_RESTART_UNKNOWN";
}

constexpr const char *name(readiness_kind value) noexcept
{
    switch (value) {
    case readiness_kind::exec: return "PS_READY_EXEC";
    case readiness_kind::notify: return "PS_READY_NOTIFY";
    case readiness_kind::fd: return "PS_READY_FD";
    case readiness_kind::socket: return "PS_READY_SOCKET";
    }
    return "PS_READY_UNKNOWN";
}

constexpr const char *name(notify_access value) noexcept
{
    switch (value) {
    case notify_access::main: return "PS_NOTIFY_MAIN";
    case notify_access::group: return "PS_NOTIFY_GROUP";
    }
    return "PS_NOTIFY_UNKNOWN";
}

constexpr const char *name(handoff_role value) noexcept
{
    switch (value) {
    case handoff_role::first: return "PS_HANDOFF_FIRST";
    case handoff_role::successor: return "PS_HANDOFF_SUCCESSOR";
    }
    return "PS_HANDOFF_UNKNOWN";
}

constexpr const char *name(handoff_mode value) noexcept
{
    switch (value) {
    case handoff_mode::exclusive: return "PS_HANDOFF_EXCLUSIVE";
    case handoff_mode::overlap: return "PS_HANDOFF_OVERLAP";
    }
    return "PS_HANDOFF_UNKNOWN";
}

constexpr const char *name(handoff_timeout value) noexcept
{
    switch (value) {
    case handoff_timeout::drain: return "PS_HANDOFF_TIMEOUT_DRAIN";
    case handoff_timeout::seal: return "PS_HANDOFF_TIMEOUT_SEAL";
    case handoff_timeout::live: return "PS_HANDOFF_TIMEOUT_LIVE";
    case handoff_timeout::probation: return "PS_HANDOFF_TIMEOUT_PROBATION";
    case handoff_timeout::takeover: return "PS_HANDOFF_TIMEOUT_TAKEOVER";
    }
    return "PS_HANDOFF_TIMEOUT_UNKNOWN";
}

constexpr const char *name(handoff_phase value) noexcept
{
    switch (value) {
    case handoff_phase::loading: return "PS_HANDOFF_PHASE_LOADING";
    case handoff_phase::warm: return "PS_HANDOFF_PHASE_WARM";
    case handoff_phase::opening: return "PS_HANDOFF_PHASE_OPENING";
    case handoff_phase::probation: return "PS_HANDOFF_PHASE_PROBATION";
    case handoff_phase::settled: return "PS_HANDOFF_PHASE_SETTLED";
    case handoff_phase::owner: return "PS_HANDOFF_PHASE_OWNER";
    case handoff_phase::draining: return "PS_HANDOFF_PHASE_DRAINING";
    case handoff_phase::sealing: return "PS_HANDOFF_PHASE_SEALING";
    case handoff_phase::sealed: return "PS_HANDOFF_PHASE_SEALED";
    case handoff_phase::overlap: return "PS_HANDOFF_PHASE_OVERLAP";
    case handoff_phase::standby: return "PS_HANDOFF_PHASE_STANDBY";
    case handoff_phase::gone: return "PS_HANDOFF_PHASE_GONE";
    }
    return "PS_HANDOFF_PHASE_UNKNOWN";
}

constexpr const char *name(handoff_event_kind value) noexcept
{
    switch (value) {
    case handoff_event_kind::drain: return "PS_HANDOFF_DRAIN";
    case handoff_event_kind::seal: return "PS_HANDOFF_SEAL";
    case handoff_event_kind::live: return "PS_HANDOFF_LIVE";
    case handoff_event_kind::resume: return "PS_HANDOFF_RESUME";
    case handoff_event_kind::retire: return "PS_HANDOFF_RETIRE";
    case handoff_event_kind::committed: return "PS_HANDOFF_COMMITTED";
    case handoff_event_kind::aborted: return "PS_HANDOFF_ABORTED";
    case handoff_event_kind::path_changed: return "PS_HANDOFF_PATH_CHANGED";
    }
    return "PS_HANDOFF_UNKNOWN";
}

constexpr const char *name(handoff_protocol value) noexcept
{
    switch (value) {
    case handoff_protocol::native: return "PS_HANDOFF_PROTOCOL_NATIVE";
    case handoff_protocol::notify: return "PS_HANDOFF_PROTOCOL_NOTIFY";
    case handoff_protocol::v1: return "PS_HANDOFF_PROTOCOL_V1";
    }
    return "PS_HANDOFF_PROTOCOL_UNKNOWN";
}

constexpr const char *name(health_kind value) noexcept
{
    switch (value) {
    case health_kind::none: return "PS_HEALTH_NONE";
    case health_kind::socket: return "PS_HEALTH_SOCKET";
    case health_kind::http: return "PS_HEALTH_HTTP";
    }
    return "PS_HEALTH_UNKNOWN";
}

constexpr const char *name(handoff_supervisor_event_kind value) noexcept
{
    switch (value) {
    case handoff_supervisor_event_kind::started: return "PS_HANDOFF_SUPERVISOR_STARTED";
    case handoff_supervisor_event_kind::serving: return "PS_HANDOFF_SUPERVISOR_SERVING";
    case handoff_supervisor_event_kind::progress: return "PS_HANDOFF_SUPERVISOR_PROGRESS";
    case handoff_supervisor_event_kind::committed: return "PS_HANDOFF_SUPERVISOR_COMMITTED";
    case handoff_supervisor_event_kind::aborted: return "PS_HANDOFF_SUPERVISOR_ABORTED";
    case handoff_supervisor_event_kind::owner_ended: return "PS_HANDOFF_SUPERVISOR_OWNER_ENDED";
    case handoff_supervisor_event_kind::gave_up: return "PS_HANDOFF_SUPERVISOR_GAVE_UP";
    case handoff_supervisor_event_kind::stopped: return "PS_HANDOFF_SUPERVISOR_STOPPED";
    }
    return "PS_HANDOFF_SUPERVISOR_UNKNOWN";
}

constexpr const char *name(preloader_protocol value) noexcept
{
    switch (value) {
    case preloader_protocol::passenger: return "PS_PRELOADER_PASSENGER";
    case preloader_protocol::native: return "PS_PRELOADER_NATIVE";
    }
    return "PS_PRELOADER_UNKNOWN";
}

constexpr const char *name(worker_kind value) noexcept
{
    switch (value) {
    case worker_kind::direct: return "PS_WORKER_DIRECT";
    case worker_kind::forked: return "PS_WORKER_FORKED";
    case worker_kind::sibling: return "PS_WORKER_SIBLING";
    }
    return "PS_WORKER_UNKNOWN";
}

constexpr const char *name(fork_way value) noexcept
{
    switch (value) {
    case fork_way::libc: return "PS_FORK_LIBC";
    case fork_way::sibling: return "PS_FORK_SIBLING";
    }
    return "PS_FORK_UNKNOWN";
}

constexpr const char *name(preload_role value) noexcept
{
    switch (value) {
    case preload_role::preloader: return "PS_ROLE_PRELOADER";
    case preload_role::worker: return "PS_ROLE_WORKER";
    case preload_role::stop: return "PS_ROLE_STOP";
    }
    return "PS_ROLE_UNKNOWN";
}

constexpr const char *name(worker_asked value) noexcept
{
    switch (value) {
    case worker_asked::nothing: return "PS_ASKED_NOTHING";
    case worker_asked::promote: return "PS_ASKED_PROMOTE";
    case worker_asked::stop: return "PS_ASKED_STOP";
    }
    return "PS_ASKED_UNKNOWN";
}

constexpr const char *name(spawn_lock_event_kind value) noexcept
{
    switch (value) {
    case spawn_lock_event_kind::acquired: return "PS_SPAWN_LOCK_ACQUIRED";
    case spawn_lock_event_kind::failed: return "PS_SPAWN_LOCK_FAILED";
    }
    return "PS_SPAWN_LOCK_UNKNOWN";
}

/// "SIGTERM".
inline const char *signal_name(int signal) noexcept { return ps_signal_name(signal); }

namespace detail {

class category final : public std::error_category {
  public:
    const char *name() const noexcept override { return "procsup"; }

    std::string message(int value) const override
    {
        switch (static_cast<errc>(value)) {
        case errc::ok: return "done";
        case errc::pending: return "nothing yet";
        case errc::invalid_argument: return "an argument is wrong";
        case errc::bad_handle: return "the handle is empty or was freed";
        case errc::state: return "the object is not in a state that allows this";
        case errc::system: return "a system call failed";
        case errc::not_found: return "a file, a directory or a name is not there";
        case errc::permission: return "not permitted";
        case errc::limit: return "a limit was reached";
        case errc::timeout: return "the time was over first";
        case errc::cancelled: return "it was cancelled";
        case errc::shutdown: return "the supervisor has been closed";
        case errc::forked: return "the handle belongs to the process that this one was forked from";
        case errc::unsupported: return "not to be had here";
        case errc::output_exists: return "the output file exists";
        case errc::budget_exhausted: return "too many attempts";
        case errc::in_progress: return "the same is being done already";
        case errc::locked: return "another process holds the lock";
        case errc::lock_replaced: return "the lock file was replaced by another one";
        case errc::exited: return "the child has ended";
        case errc::protocol: return "the peer broke the protocol";
        case errc::version_mismatch: return "the peer speaks another version";
        case errc::peer_rejected: return "the peer is not who it must be";
        case errc::aborted: return "it was given up half-way and undone";
        case errc::internal: return "a defect of procsup";
        case errc::interrupted: return "a signal handler of this process has ended the wait";
        }
        return "unknown status";
    }

    std::error_condition default_error_condition(int value) const noexcept override
    {
        switch (static_cast<errc>(value)) {
        case errc::invalid_argument: return std::errc::invalid_argument;
        case errc::not_found: return std::errc::no_such_file_or_directory;
        case errc::permission: return std::errc::permission_denied;
        case errc::timeout: return std::errc::timed_out;
        case errc::cancelled: return std::errc::operation_canceled;
        case errc::unsupported: return std::errc::not_supported;
        case errc::output_exists: return std::errc::file_exists;
        case errc::in_progress: return std::errc::operation_in_progress;
        case errc::protocol: return std::errc::protocol_error;
        case errc::interrupted: return std::errc::interrupted;
        default: return {value, *this};
        }
    }
};

} // namespace detail

/// The category of errc.
inline const std::error_category &category() noexcept
{
    static const detail::category it;
    return it;
}

inline std::error_code make_error_code(errc status) noexcept { return {static_cast<int>(status), category()}; }

} // namespace procsup

template <> struct std::is_error_code_enum<procsup::errc> : std::true_type {};

namespace procsup {

namespace detail {

/// One handle and the function that frees it: the base of everything that owns. Freeing is harmless in C also when it comes twice.
template <typename Handle, void (*Free)(Handle *)> class owner {
  public:
    owner() noexcept = default;
    explicit owner(Handle *handle) noexcept : handle_(handle) {}
    owner(owner &&other) noexcept : handle_(std::exchange(other.handle_, nullptr)) {}
    owner &operator=(owner &&other) noexcept
    {
        reset(std::exchange(other.handle_, nullptr)); // *this = std::move(*this) leaves it as it was
        return *this;
    }
    ~owner() { Free(handle_); }

    /// For C functions. Borrowed.
    Handle *handle() const noexcept { return handle_; }
    /// Gives the handle up without freeing it: it is the caller's.
    [[nodiscard]] Handle *release() noexcept { return std::exchange(handle_, nullptr); }
    /// Frees what it holds and takes another handle instead.
    void reset(Handle *handle = nullptr) noexcept { Free(std::exchange(handle_, handle)); }
    explicit operator bool() const noexcept { return handle_ != nullptr; }

  private:
    Handle *handle_ = nullptr;
};

} // namespace detail

/// The details of one failure. Empty (false) by default; spawn, reap and terminate fill one that they are given beside an `ec`.
class error_info : private detail::owner<ps_error, ps_error_free> {
    using base = detail::owner<ps_error, ps_error_free>;

  public:
    error_info() noexcept = default;
    /// Takes an error of the C interface.
    explicit error_info(ps_error *handle) noexcept : base(handle), status_(handle ? ps_error_status(handle) : PS_OK) {}
    error_info(ps_status status, ps_error *handle) noexcept : base(handle), status_(status) {}
    error_info(error_info &&other) noexcept : base(std::move(other)), status_(std::exchange(other.status_, PS_OK)) {}
    error_info &operator=(error_info &&other) noexcept
    {
        base::operator=(std::move(other));
        status_ = std::exchange(other.status_, PS_OK);
        return *this;
    }

    explicit operator bool() const noexcept { return status_ < 0; }
    /// What the C function answered.
    errc status() const noexcept { return static_cast<errc>(status_); }
    /// The errno of the system call that failed; 0 if none did.
    int error_number() const noexcept { return ps_error_errno(handle()); }
    /// The system call or step that failed ("exec", "chdir", ...), or the argument that was refused. Valid as long as this object.
    const char *step() const noexcept { return handle() ? ps_error_step(handle()) : ""; }
    /// One sentence. Valid as long as this object.
    const char *message() const noexcept
    {
        if (handle())
            return ps_error_message(handle());
        return status_ == PS_ERR_INVALID_ARGUMENT ? "a string holds a NUL byte, a list no string, or a name is none" // what is refused before C sees it
               : status_ == PS_ERR_LIMIT          ? "no memory for a copy of a string"
                                                  : "";
    }
    /// When another try makes sense, if that is known.
    std::optional<milliseconds> retry_after() const noexcept
    {
        const std::int64_t ms = ps_error_retry_after_ms(handle());
        return ms < 0 ? std::nullopt : std::optional<milliseconds>(ms);
    }
    /// The first refusal of a budget in its window.
    bool is_storm() const noexcept { return ps_error_is_storm(handle()) != 0; }
    /// Of an application that failed to start: the kind ("TIMEOUT_ERROR"), and what is told to people. Else empty. Valid as long as this object.
    const char *category() const noexcept { return ps_error_category(handle()); }
    const char *text(error_text which) const noexcept { return ps_error_text(handle(), static_cast<std::int32_t>(which)); }
    /// What the failed process had written, as far as it was captured.
    inline std::string output() const;
    /// The whole error for a reader.
    inline std::string render(render_format format = render_format::text) const;

    /// As in the second style: an errc, or the errno itself where the status says no more than that.
    std::error_code code() const noexcept
    {
        const int number = status_ == PS_ERR_SYSTEM ? error_number() : 0;
        return number > 0 ? std::error_code(number, std::system_category()) : make_error_code(status());
    }

  private:
    ps_status status_ = PS_OK;
};

/// What the first style throws. Copies share the details.
class error : public std::system_error {
  public:
    explicit error(error_info &&info)
        : std::system_error(info.code()), info_(std::make_shared<const error_info>(std::move(info)))
    {
    }

    /// One sentence, with step and errno where there are.
    const char *what() const noexcept override { return info_->message(); }
    const error_info &info() const noexcept { return *info_; }
    errc status() const noexcept { return info_->status(); }
    int error_number() const noexcept { return info_->error_number(); }
    const char *step() const noexcept { return info_->step(); }
    std::optional<milliseconds> retry_after() const noexcept { return info_->retry_after(); }
    bool is_storm() const noexcept { return info_->is_storm(); }

  private:
    std::shared_ptr<const error_info> info_;
};

// ---- strings, descriptors ---------------------------------------------------------------------------------------------------------

class zstring;

namespace detail {

template <typename String, typename = void> struct has_c_str : std::false_type {};
template <typename String>
struct has_c_str<String, std::void_t<decltype(std::declval<const String &>().c_str())>>
    : std::is_convertible<decltype(std::declval<const String &>().c_str()), const char *> {};

template <typename Path, typename = void> struct has_native : std::false_type {};
template <typename Path>
struct has_native<Path, std::void_t<decltype(std::declval<const Path &>().native())>>
    : std::is_convertible<decltype(std::declval<const Path &>().native()), std::string_view> {};

template <typename String>
inline constexpr bool is_view = std::is_convertible_v<const String &, std::string_view> && !std::is_convertible_v<const String &, const char *>;

} // namespace detail

/// A parameter that takes text: "literals", std::string, std::string_view, std::filesystem::path, whatever is a C string, has c_str() or is a
/// std::string_view to the compiler; nullptr, std::nullopt and an empty std::optional where the call says what nothing means (an empty
/// std::string_view is an empty text). Read during the call only. A NUL in it, where C would cut it, is refused (errc::invalid_argument).
class zstring {
  public:
    constexpr zstring(const char *text) noexcept : text_(text) {}
    constexpr zstring(std::nullopt_t) noexcept : zstring(static_cast<const char *>(nullptr)) {}
    template <typename String, typename = std::enable_if_t<detail::has_c_str<String>::value || detail::is_view<String>>>
    constexpr zstring(const String &text) noexcept
    {
        if constexpr (detail::has_c_str<String>::value) {
            text_ = text.c_str();
            if constexpr (detail::is_view<String>)
                size_ = std::string_view(text).size();
            else if constexpr (detail::has_native<String>::value)
                size_ = std::string_view(text.native()).size();
        } else {
            const std::string_view view(text);
            text_ = view.data() ? view.data() : "";
            size_ = view.size();
            terminated_ = view.data() == nullptr;
        }
    }
    template <typename String, typename = std::enable_if_t<std::is_convertible_v<const String &, zstring>>>
    constexpr zstring(const std::optional<String> &text) noexcept : zstring(text ? zstring(*text) : zstring(std::nullopt))
    {
    }

    /// Where it begins; nullptr: it is none.
    constexpr const char *data() const noexcept { return text_; }
    constexpr std::size_t size() const noexcept { return size_ != unknown ? size_ : text_ ? std::string_view(text_).size() : 0; }
    /// Whether its length is known, or is where its NUL is.
    constexpr bool is_sized() const noexcept { return size_ != unknown; }
    /// Whether there is a NUL behind it.
    constexpr bool is_terminated() const noexcept { return terminated_; }
    /// Whether there is one in it.
    constexpr bool is_cut() const noexcept
    {
        return size_ != unknown && std::string_view(text_, size_).find('\0') != std::string_view::npos;
    }

  private:
    static constexpr std::size_t unknown = static_cast<std::size_t>(-1);

    const char *text_ = nullptr;
    std::size_t size_ = unknown;
    bool terminated_ = true;
};

namespace detail {

/// Whether a type is bytes in one piece: std::vector<unsigned char>, std::array<std::byte, 3>, std::span<const char>.
template <typename Bytes, typename = void> struct has_bytes : std::false_type {};
template <typename Bytes>
struct has_bytes<Bytes, std::void_t<decltype(std::data(std::declval<const Bytes &>())), decltype(std::size(std::declval<const Bytes &>()))>> {
    using byte = std::remove_cv_t<std::remove_pointer_t<decltype(std::data(std::declval<const Bytes &>()))>>;
    static constexpr bool value = std::is_same_v<byte, char> || std::is_same_v<byte, unsigned char> || std::is_same_v<byte, std::byte>;
};

} // namespace detail

/// A parameter that takes bytes: text (a C string up to its NUL), or a container of char, unsigned char or std::byte that has them in one piece.
/// Read during the call only.
class byte_view {
  public:
    constexpr byte_view() noexcept = default;
    constexpr byte_view(const void *at, std::size_t size) noexcept : at_(at), size_(size) {}
    template <typename Bytes,
              typename = std::enable_if_t<std::is_convertible_v<const Bytes &, std::string_view> || detail::has_bytes<Bytes>::value>>
    constexpr byte_view(const Bytes &bytes) noexcept
    {
        if constexpr (std::is_convertible_v<const Bytes &, std::string_view>) {
            const std::string_view text(bytes);
            at_ = text.data();
            size_ = text.size();
        } else {
            at_ = std::data(bytes);
            size_ = std::size(bytes);
        }
        if (!at_)
            at_ = ""; // NULL with a length of 0 might be a mistake in C; empty bytes are none
    }
    constexpr const void *data() const noexcept { return at_; }
    constexpr std::size_t size() const noexcept { return size_; }

  private:
    const void *at_ = "";
    std::size_t size_ = 0;
};

/// A descriptor that is closed in the end.
class unique_fd {
  public:
    unique_fd() noexcept = default;
    explicit unique_fd(int fd) noexcept : fd_(fd) {}
    unique_fd(unique_fd &&other) noexcept : fd_(other.release()) {}
    unique_fd &operator=(unique_fd &&other) noexcept
    {
        reset(other.release());
        return *this;
    }
    ~unique_fd() { reset(); }

    int get() const noexcept { return fd_; }
    [[nodiscard]] int release() noexcept { return std::exchange(fd_, -1); }
    void reset(int fd = -1) noexcept
    {
        const int old = std::exchange(fd_, fd);
        if (old >= 0)
            ::close(old);
    }
    explicit operator bool() const noexcept { return fd_ >= 0; }

  private:
    int fd_ = -1;
};

// ---- how the C functions are called -----------------------------------------------------------------------------------------------

namespace detail {

[[noreturn]] inline void raise(error_info &&info)
{
#if defined(__cpp_exceptions)
    throw error(std::move(info));
#else
    std::fprintf(stderr, "procsup: %s: %s\n", name(info.status()), info.message());
    std::abort();
#endif
}

/// A text on its way to C, which wants a NUL behind it: lent where there is one, a copy where there is none. This is the one place that knows.
class c_text {
  public:
    explicit c_text(zstring text) noexcept : text_(text.data())
    {
        if (text.is_cut()) {
            refusal_ = PS_ERR_INVALID_ARGUMENT;
        } else if (!text.is_terminated()) {
            copy_.reset(new (std::nothrow) char[text.size() + 1]);
            if (copy_) {
                std::memcpy(copy_.get(), text.data(), text.size());
                copy_[text.size()] = '\0';
            } else {
                refusal_ = PS_ERR_LIMIT;
            }
            text_ = copy_.get();
        }
    }
    const char *get() const noexcept { return text_; }
    ps_status refusal() const noexcept { return refusal_; }

  private:
    std::unique_ptr<char[]> copy_;
    const char *text_;
    ps_status refusal_ = PS_OK;
};

/// A parameter on its way to C.
template <typename T> constexpr auto lend(const T &value) noexcept
{
    if constexpr (std::is_same_v<T, zstring>)
        return c_text(value);
    else if constexpr (std::is_same_v<T, time_limit> || std::is_same_v<T, milliseconds>)
        return static_cast<std::int64_t>(value.count());
    else if constexpr (std::is_same_v<T, bool> || std::is_enum_v<T>)
        return static_cast<std::int32_t>(value);
    else
        return value;
}
template <typename T> constexpr const T &as_c(const T &lent) noexcept { return lent; }
inline const char *as_c(const c_text &lent) noexcept { return lent.get(); }
template <typename T> constexpr ps_status refusal(const T &) noexcept { return PS_OK; }
inline ps_status refusal(const c_text &lent) noexcept { return lent.refusal(); }

template <typename Function, typename... Lent> ps_status call_lent(error_info &info, Function function, const Lent &...lent) noexcept
{
    ps_status status = PS_OK;
    if ((((status = refusal(lent)) < 0) || ...)) {
        info = error_info(status, nullptr);
        return status;
    }
    ps_error *failure = nullptr;
    status = function(as_c(lent)..., &failure);
    if (status < 0)
        info = error_info(status, failure);
    return status;
}

/// Calls a function whose last parameter, not given here, is the place for the error. Gives PS_OK or PS_PENDING, or sets `info`.
template <typename Function, typename... Arguments>
ps_status call_into(error_info &info, Function function, const Arguments &...arguments) noexcept
{
    return call_lent(info, function, lend(arguments)...);
}

template <typename Function, typename... Arguments> ps_status call(Function function, const Arguments &...arguments)
{
    error_info info;
    const ps_status status = call_into(info, function, arguments...);
    if (status < 0)
        raise(std::move(info));
    return status;
}

template <typename Function, typename... Arguments>
ps_status call(std::error_code &ec, Function function, const Arguments &...arguments) noexcept
{
    error_info info;
    const ps_status status = call_into(info, function, arguments...);
    ec = info.code();
    return status;
}

/// What a function that copies bytes out has to give: copy(buf, cap, &needed) until it fits, for a child may write between the
/// question for the length and the copy. Empty if it fails.
template <typename Copy> ps_status read_all(std::string &text, Copy copy)
{
    std::size_t needed = 0;
    ps_status status;
    do {
        text.resize(needed);
        status = copy(text.empty() ? nullptr : &text[0], text.size(), &needed);
    } while ((status == PS_OK || status == PS_ERR_LIMIT) && needed > text.size());
    text.resize(status == PS_OK ? needed : 0);
    return status;
}

template <typename Function, typename... Arguments>
ps_status bytes_into(error_info &info, std::string &text, Function function, const Arguments &...arguments)
{
    return read_all(text, [&](char *buf, std::size_t cap, std::size_t *needed) {
        info = error_info();
        return call_into(info, function, arguments..., buf, cap, needed);
    });
}

template <typename Function, typename... Arguments> std::string bytes(Function function, const Arguments &...arguments)
{
    error_info info;
    std::string text;
    if (bytes_into(info, text, function, arguments...) < 0)
        raise(std::move(info));
    return text;
}

template <typename Function, typename... Arguments>
std::string bytes(std::error_code &ec, Function function, const Arguments &...arguments)
{
    error_info info;
    std::string text;
    bytes_into(info, text, function, arguments...);
    ec = info.code();
    return text;
}

namespace begins {

using std::begin;
template <typename Range> using element = decltype(*begin(std::declval<Range &>()));

} // namespace begins

/// Whether a type is a range of texts, and none itself (a std::filesystem::path is both).
template <typename Range, typename = void> struct has_texts : std::false_type {};
template <typename Range>
struct has_texts<Range, std::void_t<begins::element<Range>>>
    : std::bool_constant<std::is_convertible_v<begins::element<Range>, zstring> && !std::is_convertible_v<Range, zstring>> {};
template <typename Range> using if_texts = std::enable_if_t<has_texts<Range>::value>;

/// Whether a type is a range of pairs of texts.
template <typename Range, typename = void> struct has_pairs : std::false_type {};
template <typename Range>
struct has_pairs<Range, std::void_t<decltype(std::declval<begins::element<Range>>().first), decltype(std::declval<begins::element<Range>>().second)>>
    : std::bool_constant<std::is_convertible_v<decltype((std::declval<begins::element<Range>>().first)), zstring> &&
                         std::is_convertible_v<decltype((std::declval<begins::element<Range>>().second)), zstring>> {};
template <typename Range> using if_pairs = std::enable_if_t<has_pairs<Range>::value>;

/// Whether a type has numbers in one piece.
template <typename Number, typename List>
using if_list = std::enable_if_t<std::is_convertible_v<decltype(std::data(std::declval<const List &>())), const Number *>>;

/// Texts one behind the other, each with a NUL: what a range gives may be gone at its next step, and need not end with one.
class texts {
  public:
    void add(zstring text)
    {
        refused_ = refused_ || !text.data() || text.is_cut();
        places_.push_back(all_.size());
        all_.append(text.data() ? text.data() : "", text.size()).push_back('\0');
    }
    /// One has a NUL in it, or is none (nullptr).
    bool refused() const noexcept { return refused_; }
    /// As execve(2) has them; valid until the next add.
    std::vector<const char *> pointers() const
    {
        std::vector<const char *> list(places_.size() + 1, nullptr);
        for (std::size_t i = 0; i < places_.size(); i++)
            list[i] = all_.data() + places_[i];
        return list;
    }

  protected:
    void refuse() noexcept { refused_ = true; }

  private:
    std::string all_;
    std::vector<std::size_t> places_;
    bool refused_ = false;
};

/// "NAME=VALUE" one behind the other, and the names that have no value.
class variables : public texts {
  public:
    void add(zstring name, zstring value)
    {
        const std::string_view key = name.data() ? std::string_view(name.data(), name.size()) : std::string_view();
        if (key.empty() || key.find('=') != std::string_view::npos || name.is_cut() || value.is_cut())
            return refuse();
        for (auto it = removed_.begin(); it != removed_.end(); ++it)
            if (*it == key) { // the last counts
                removed_.erase(it);
                break;
            }
        if (value.data())
            texts::add(std::string(key).append("=").append(value.data(), value.size()));
        else
            removed_.emplace_back(key);
    }
    const std::vector<std::string> &removed() const noexcept { return removed_; }

  private:
    std::vector<std::string> removed_;
};

} // namespace detail

inline std::string error_info::output() const
{
    std::string text;
    detail::read_all(text, [&](char *buf, std::size_t cap, std::size_t *needed) { return ps_error_output(handle(), buf, cap, needed); });
    return text;
}

inline std::string error_info::render(render_format format) const
{
    std::string text;
    detail::read_all(text, [&](char *buf, std::size_t cap, std::size_t *needed) {
        return ps_error_render(handle(), static_cast<std::int32_t>(format), buf, cap, needed);
    });
    if (!text.empty())
        text.pop_back(); // the NUL
    return text;
}

// ---- how a child ended ------------------------------------------------------------------------------------------------------------

/// How a child ended: ps_exit. A value.
class exit_record {
  public:
    using time_point = std::chrono::steady_clock::time_point; // CLOCK_MONOTONIC

    exit_record() noexcept { raw_.size = static_cast<std::uint32_t>(sizeof raw_); }
    explicit exit_record(const ps_exit &raw) noexcept : raw_(raw) {}

    exit_kind kind() const noexcept { return static_cast<exit_kind>(raw_.kind); }
    /// Exit code 0.
    bool success() const noexcept { return raw_.kind == PS_EXIT_EXITED && raw_.code == 0; }
    /// The exit code; -1 if it did not exit.
    int code() const noexcept { return raw_.code; }
    /// The signal that ended it; 0 if none did.
    int signal() const noexcept { return raw_.signal; }
    bool core_dumped() const noexcept { return raw_.core_dumped != 0; }
    /// Who ended it.
    exit_cause cause() const noexcept { return static_cast<exit_cause>(raw_.cause); }
    /// Whether it was killed for want of memory, and by whose limit. See ps_exit.
    exit_oom oom() const noexcept { return static_cast<exit_oom>(raw_.oom); }
    /// How many processes of its control group were; -1 if unknown.
    int oom_kills() const noexcept { return raw_.oom_kills; }
    /// The most memory that its control group had, bytes; -1 if unknown.
    std::int64_t memory_peak() const noexcept { return raw_.memory_peak; }
    /// CPU time; -1 us if unknown (somebody else reaped it).
    std::chrono::microseconds user_time() const noexcept { return std::chrono::microseconds(raw_.user_us); }
    std::chrono::microseconds system_time() const noexcept { return std::chrono::microseconds(raw_.system_us); }
    /// Largest resident memory; -1 if unknown. See ps_exit.
    std::int64_t max_rss_kib() const noexcept { return raw_.max_rss_kib; }
    time_point started() const noexcept { return time_point(std::chrono::nanoseconds(raw_.started_ns)); }
    time_point ended() const noexcept { return time_point(std::chrono::nanoseconds(raw_.ended_ns)); }

    /// errc::ok, or why its sandbox directory could not be removed with it. See ps_exit.
    errc removal() const noexcept { return static_cast<errc>(raw_.removal); }

    const ps_exit &raw() const noexcept { return raw_; }
    ps_exit *out() noexcept { return &raw_; }

  private:
    ps_exit raw_{};
};

// ---- commands ---------------------------------------------------------------------------------------------------------------------

class budget;

/// What to run; a builder. Can be spawned any number of times, from several threads at once. Setters never block.
///
///     auto job = procsup::command("tar").arg("-cf").arg("-").cwd("/srv").deadline(1min);   // a chain makes a command ...
///     job.capture(4096).user_data(17);                                                     // ... or goes on with one
///
/// Three forms of each setter: for a command that has a name, for one that has none (so that a chain can be moved from), with `ec`.
class command : private detail::owner<ps_command, ps_command_free> {
    using base = detail::owner<ps_command, ps_command_free>;
    using ec_t = std::error_code;

  public:
    using base::handle;
    using base::release;
    using base::reset;
    using base::operator bool;

    /// @param program  a path; without a slash it is searched in the PATH that the child will have
    explicit command(zstring program) : base(make(program)) {}
    command(zstring program, std::initializer_list<zstring> arguments) : base(make(program)) { args(arguments); }
    template <typename Range, typename = detail::if_texts<Range>> command(zstring program, Range &&arguments) : base(make(program))
    {
        add(arguments);
    }
    command(zstring program, ec_t &ec) noexcept
    {
        ps_command *made = nullptr;
        if (program.is_sized())
            detail::call(ec, ps_command_new_bytes, program.data(), program.size(), &made);
        else
            detail::call(ec, ps_command_new, program, &made);
        reset(made);
    }
    command(zstring program, std::initializer_list<zstring> arguments, ec_t &ec) : command(program, ec) { args(arguments, ec); }
    template <typename Range, typename = detail::if_texts<Range>> command(zstring program, Range &&arguments, ec_t &ec) : command(program, ec)
    {
        add(arguments, ec);
    }
    /// Takes a handle of the C interface.
    explicit command(ps_command *handle) noexcept : base(handle) {}

    /// The command of a line: its words, as a POSIX shell splits and unquotes them. Nothing is expanded, and there are no operators.
    static command parse(zstring line)
    {
        ps_command *made = nullptr;
        detail::call(ps_command_parse, line, &made);
        return command(made);
    }
    static command parse(zstring line, ec_t &ec) noexcept
    {
        ps_command *made = nullptr;
        detail::call(ec, ps_command_parse, line, &made);
        return command(made);
    }

    /// Program and arguments, and nothing else of it, as a line that a POSIX shell would run, and parse reads back.
    std::string render() const { return without_nul(detail::bytes(ps_command_render, handle())); }
    std::string render(ec_t &ec) const { return without_nul(detail::bytes(ec, ps_command_render, handle())); }

    /// Appends an argument.
    command &arg(zstring value) & { return set_text(ps_command_arg, ps_command_arg_bytes, value); }
    command &&arg(zstring value) && { return std::move(arg(value)); }
    command &arg(zstring value, ec_t &ec) noexcept { return set_text(ec, ps_command_arg, ps_command_arg_bytes, value); }

    /// Appends several: args({"-c", path, name}), or all of a container or C++20 range of texts. All or none.
    command &args(std::initializer_list<zstring> values) & { return add(values); }
    command &&args(std::initializer_list<zstring> values) && { return std::move(add(values)); }
    command &args(std::initializer_list<zstring> values, ec_t &ec) { return add(values, ec); }
    template <typename Range, typename = detail::if_texts<Range>> command &args(Range &&values) & { return add(values); }
    template <typename Range, typename = detail::if_texts<Range>> command &&args(Range &&values) && { return std::move(add(values)); }
    template <typename Range, typename = detail::if_texts<Range>> command &args(Range &&values, ec_t &ec) { return add(values, ec); }

    /// What the child sees as argv[0]. Default: the program as it was named.
    command &arg0(zstring value) & { return set(ps_command_arg0, value); }
    command &&arg0(zstring value) && { return std::move(arg0(value)); }
    command &arg0(zstring value, ec_t &ec) noexcept { return set(ec, ps_command_arg0, value); }

    /// Sets a variable of the child's environment; nullptr removes it.
    command &env(zstring name, zstring value) &
    {
        if (!name.is_sized() && !value.is_sized())
            return set(ps_command_env, name, value);
        return set(ps_command_env_bytes, name.data(), name.size(), value.data(), value.data() ? value.size() : SIZE_MAX);
    }
    command &&env(zstring name, zstring value) && { return std::move(env(name, value)); }
    command &env(zstring name, zstring value, ec_t &ec) noexcept
    {
        if (!name.is_sized() && !value.is_sized())
            return set(ec, ps_command_env, name, value);
        return set(ec, ps_command_env_bytes, name.data(), name.size(), value.data(), value.data() ? value.size() : SIZE_MAX);
    }

    /// Sets several: envs({{"A", "b"}, {"C", path}}), or all of a std::map, a vector of pairs. A value that is nullptr or an empty std::optional
    /// removes. All or none; of one name the last counts, and names that are not among them stay as they are.
    command &envs(std::initializer_list<std::pair<zstring, zstring>> variables) & { return put(variables); }
    command &&envs(std::initializer_list<std::pair<zstring, zstring>> variables) && { return std::move(put(variables)); }
    command &envs(std::initializer_list<std::pair<zstring, zstring>> variables, ec_t &ec) { return put(variables, ec); }
    template <typename Range, typename = detail::if_pairs<Range>> command &envs(Range &&variables) & { return put(variables); }
    template <typename Range, typename = detail::if_pairs<Range>> command &&envs(Range &&variables) && { return std::move(put(variables)); }
    template <typename Range, typename = detail::if_pairs<Range>> command &envs(Range &&variables, ec_t &ec) { return put(variables, ec); }
    /// The same of an array as environ: "NAME=VALUE", nullptr at its end.
    command &env_block(const char *const *block) & { return set(ps_command_env_block, block); }
    command &&env_block(const char *const *block) && { return std::move(env_block(block)); }
    command &env_block(const char *const *block, ec_t &ec) noexcept { return set(ec, ps_command_env_block, block); }

    /// What the environment begins with: all that the host has (default), nothing, or a small baseline.
    command &env_base(environment start) & { return set(ps_command_env_base, start); }
    command &&env_base(environment start) && { return std::move(env_base(start)); }
    command &env_base(environment start, ec_t &ec) noexcept { return set(ec, ps_command_env_base, start); }

    /// The child's working directory.
    command &cwd(zstring dir) & { return set_text(ps_command_cwd, ps_command_cwd_bytes, dir); }
    command &&cwd(zstring dir) && { return std::move(cwd(dir)); }
    command &cwd(zstring dir, ec_t &ec) noexcept { return set_text(ec, ps_command_cwd, ps_command_cwd_bytes, dir); }

    /// What stream 0, 1 or 2 of the child is. child::stdio gives our end of a pipe, child::pty that of a terminal.
    command &stdio(int stream, stdio_kind how) & { return set(ps_command_stdio, stream, how, -1); }
    command &&stdio(int stream, stdio_kind how) && { return std::move(stdio(stream, how)); }
    command &stdio(int stream, stdio_kind how, ec_t &ec) noexcept { return set(ec, ps_command_stdio, stream, how, -1); }

    /// Makes a descriptor of the host a standard stream. Borrowed: it must be open at each spawn.
    command &stdio_fd(int stream, int fd) & { return set(ps_command_stdio, stream, int{PS_STDIO_FD}, fd); }
    command &&stdio_fd(int stream, int fd) && { return std::move(stdio_fd(stream, fd)); }
    command &stdio_fd(int stream, int fd, ec_t &ec) noexcept { return set(ec, ps_command_stdio, stream, int{PS_STDIO_FD}, fd); }

    /// Standard input from memory. The bytes are copied.
    command &input(byte_view data) & { return set(ps_command_input, data.data(), data.size()); }
    command &&input(byte_view data) && { return std::move(input(data)); }
    command &input(byte_view data, ec_t &ec) noexcept { return set(ec, ps_command_input, data.data(), data.size()); }

    /// Standard input that is fed while the child runs: child::write. So many bytes may wait for it in the host.
    command &input_stream(std::size_t max_bytes) & { return set(ps_command_input_stream, max_bytes); }
    command &&input_stream(std::size_t max_bytes) && { return std::move(input_stream(max_bytes)); }
    command &input_stream(std::size_t max_bytes, ec_t &ec) noexcept { return set(ec, ps_command_input_stream, max_bytes); }

    /// Gives the child one end of a pipe as descriptor `child_fd`; child::stdio(child_fd) gives our end.
    command &pipe(int child_fd, pipe_direction direction) & { return set(ps_command_pipe, child_fd, direction); }
    command &&pipe(int child_fd, pipe_direction direction) && { return std::move(pipe(child_fd, direction)); }
    command &pipe(int child_fd, pipe_direction direction, ec_t &ec) noexcept { return set(ec, ps_command_pipe, child_fd, direction); }

    /// Stream 1 (and 2, if merged) goes to a file, which appears complete once the child has been reaped.
    command &output_file(zstring path, output_exists_policy exists = output_exists_policy::refuse) &
    {
        return set(ps_command_output_file, path, exists);
    }
    command &&output_file(zstring path, output_exists_policy exists = output_exists_policy::refuse) &&
    {
        return std::move(output_file(path, exists));
    }
    command &output_file(zstring path, output_exists_policy exists, ec_t &ec) noexcept
    {
        return set(ec, ps_command_output_file, path, exists);
    }

    /// Whether the file appears also when the child failed: keep (default) or drop.
    command &output_on_failure(output_failure_policy policy) & { return set(ps_command_output_on_failure, policy); }
    command &&output_on_failure(output_failure_policy policy) && { return std::move(output_on_failure(policy)); }
    command &output_on_failure(output_failure_policy policy, ec_t &ec) noexcept { return set(ec, ps_command_output_on_failure, policy); }

    /// An output event for each line the child writes. Needs a supervisor.
    command &output_lines(bool on = true) & { return set(ps_command_output_lines, on); }
    command &&output_lines(bool on = true) && { return std::move(output_lines(on)); }
    command &output_lines(bool on, ec_t &ec) noexcept { return set(ec, ps_command_output_lines, on); }

    /// Longer lines come in pieces. Default 64 KiB.
    command &output_line_limit(std::size_t max) & { return set(ps_command_output_line_limit, max); }
    command &&output_line_limit(std::size_t max) && { return std::move(output_line_limit(max)); }
    command &output_line_limit(std::size_t max, ec_t &ec) noexcept { return set(ec, ps_command_output_line_limit, max); }

    /// A piece of a line that has lain there for so long is told as it is: a prompt, a bar of progress. 0ms (default): it waits for its end.
    command &output_partial(time_limit after) & { return set(ps_command_output_partial, after); }
    command &&output_partial(time_limit after) && { return std::move(output_partial(after)); }
    command &output_partial(time_limit after, ec_t &ec) noexcept { return set(ec, ps_command_output_partial, after); }

    /// Keeps the last bytes of what the child writes to streams 1 and 2, as far as they are not redirected: child::output.
    command &capture(std::size_t max_bytes) & { return set(ps_command_capture, max_bytes); }
    command &&capture(std::size_t max_bytes) && { return std::move(capture(max_bytes)); }
    command &capture(std::size_t max_bytes, ec_t &ec) noexcept { return set(ec, ps_command_capture, max_bytes); }

    /// So many of each stream, apart: child::output_of. For a program that is run for what it says: procsup::run.
    command &capture_apart(bool on = true) & { return set(ps_command_capture_apart, on); }
    command &&capture_apart(bool on = true) && { return std::move(capture_apart(on)); }
    command &capture_apart(bool on, ec_t &ec) noexcept { return set(ec, ps_command_capture_apart, on); }

    /// Gives the child a descriptor of the host under a number of its own. Borrowed: it must be open at each spawn.
    command &pass_fd(int fd, int child_fd) & { return set(ps_command_pass_fd, fd, child_fd); }
    command &&pass_fd(int fd, int child_fd) && { return std::move(pass_fd(fd, child_fd)); }
    command &pass_fd(int fd, int child_fd, ec_t &ec) noexcept { return set(ec, ps_command_pass_fd, fd, child_fd); }

    /// Gives it many at once, all or none: descriptors that keep their numbers, or pairs of a descriptor and its number in the child.
    template <typename Range, typename = decltype(std::begin(std::declval<const Range &>()))> command &pass_fds(const Range &fds) &
    {
        return pass(fds);
    }
    template <typename Range, typename = decltype(std::begin(std::declval<const Range &>()))> command &&pass_fds(const Range &fds) &&
    {
        return std::move(pass(fds));
    }
    template <typename Range, typename = decltype(std::begin(std::declval<const Range &>()))> command &pass_fds(const Range &fds, ec_t &ec)
    {
        return pass(fds, ec);
    }
    command &pass_fds(std::initializer_list<int> fds) & { return pass(fds); }
    command &&pass_fds(std::initializer_list<int> fds) && { return std::move(pass(fds)); }
    command &pass_fds(std::initializer_list<int> fds, ec_t &ec) { return pass(fds, ec); }
    command &pass_fds(std::initializer_list<std::pair<int, int>> fds) & { return pass(fds); }
    command &&pass_fds(std::initializer_list<std::pair<int, int>> fds) && { return std::move(pass(fds)); }
    command &pass_fds(std::initializer_list<std::pair<int, int>> fds, ec_t &ec) { return pass(fds, ec); }

    /// Gives the child a listening descriptor as systemd does; nullptr: a name is not needed. Borrowed.
    command &listen_fd(int fd, zstring name = nullptr) & { return set(ps_command_listen_fd, fd, name); }
    command &&listen_fd(int fd, zstring name = nullptr) && { return std::move(listen_fd(fd, name)); }
    command &listen_fd(int fd, zstring name, ec_t &ec) noexcept { return set(ec, ps_command_listen_fd, fd, name); }

    /// Takes a descriptor and closes it after the reap of the next child of this command. If it is refused, it stays with the caller.
    command &own_fd(unique_fd &&fd) &
    {
        set(ps_command_own_fd, fd.get());
        (void)fd.release();
        return *this;
    }
    command &&own_fd(unique_fd &&fd) && { return std::move(own_fd(std::move(fd))); }
    command &own_fd(unique_fd &&fd, ec_t &ec) noexcept
    {
        if (ec)
            return *this;
        set(ec, ps_command_own_fd, fd.get());
        if (!ec)
            (void)fd.release();
        return *this;
    }

    /// The user and groups the child becomes. Such a child is made by fork: see ps_command_credentials for the cost.
    command &credentials(std::uint32_t uid, std::uint32_t gid, std::initializer_list<std::uint32_t> groups = {}) &
    {
        return set(ps_command_credentials, uid, gid, groups.begin(), groups.size());
    }
    command &&credentials(std::uint32_t uid, std::uint32_t gid, std::initializer_list<std::uint32_t> groups = {}) &&
    {
        return std::move(credentials(uid, gid, groups));
    }
    template <typename List, typename = detail::if_list<std::uint32_t, List>>
    command &credentials(std::uint32_t uid, std::uint32_t gid, const List &groups) &
    {
        return set(ps_command_credentials, uid, gid, std::data(groups), std::size(groups));
    }
    template <typename List, typename = detail::if_list<std::uint32_t, List>>
    command &&credentials(std::uint32_t uid, std::uint32_t gid, const List &groups) &&
    {
        return std::move(credentials(uid, gid, groups));
    }
    template <typename List, typename = detail::if_list<std::uint32_t, List>>
    command &credentials(std::uint32_t uid, std::uint32_t gid, const List &groups, ec_t &ec) noexcept
    {
        return set(ec, ps_command_credentials, uid, gid, std::data(groups), std::size(groups));
    }
    command &credentials(std::uint32_t uid, std::uint32_t gid, const std::uint32_t *groups, std::size_t n) &
    {
        return set(ps_command_credentials, uid, gid, groups, n);
    }
    command &credentials(std::uint32_t uid, std::uint32_t gid, const std::uint32_t *groups, std::size_t n, ec_t &ec) noexcept
    {
        return set(ec, ps_command_credentials, uid, gid, groups, n);
    }

    /// Each part by itself; what is not said stays the host's: see ps_command_user, and its table.
    command &user(std::uint32_t uid) & { return set(ps_command_user, uid); }
    command &&user(std::uint32_t uid) && { return std::move(user(uid)); }
    command &user(std::uint32_t uid, ec_t &ec) noexcept { return set(ec, ps_command_user, uid); }
    command &group(std::uint32_t gid) & { return set(ps_command_group, gid); }
    command &&group(std::uint32_t gid) && { return std::move(group(gid)); }
    command &group(std::uint32_t gid, ec_t &ec) noexcept { return set(ec, ps_command_group, gid); }

    /// The supplementary groups: these and no other.
    command &groups(std::initializer_list<std::uint32_t> list) & { return set(ps_command_groups, list.begin(), list.size()); }
    command &&groups(std::initializer_list<std::uint32_t> list) && { return std::move(groups(list)); }
    template <typename List, typename = detail::if_list<std::uint32_t, List>>
    command &groups(const List &list) &
    {
        return set(ps_command_groups, std::data(list), std::size(list));
    }
    template <typename List, typename = detail::if_list<std::uint32_t, List>>
    command &&groups(const List &list) &&
    {
        return std::move(groups(list));
    }
    template <typename List, typename = detail::if_list<std::uint32_t, List>>
    command &groups(const List &list, ec_t &ec) noexcept
    {
        return set(ec, ps_command_groups, std::data(list), std::size(list));
    }
    command &groups(const std::uint32_t *list, std::size_t n) & { return set(ps_command_groups, list, n); }
    command &groups(const std::uint32_t *list, std::size_t n, ec_t &ec) noexcept { return set(ec, ps_command_groups, list, n); }
    command &keep_groups(bool on = true) & { return set(ps_command_keep_groups, on ? 1 : 0); }
    command &&keep_groups(bool on = true) && { return std::move(keep_groups(on)); }
    command &keep_groups(bool on, ec_t &ec) noexcept { return set(ec, ps_command_keep_groups, on ? 1 : 0); }

    /// Enters the directory (cwd) with the host's rights, before the change of user.
    command &chdir_first(bool on = true) & { return set(ps_command_chdir_first, on ? 1 : 0); }
    command &&chdir_first(bool on = true) && { return std::move(chdir_first(on)); }
    command &chdir_first(bool on, ec_t &ec) noexcept { return set(ec, ps_command_chdir_first, on ? 1 : 0); }

    command &umask(std::uint32_t mask) & { return set(ps_command_umask, mask); }
    command &&umask(std::uint32_t mask) && { return std::move(umask(mask)); }
    command &umask(std::uint32_t mask, ec_t &ec) noexcept { return set(ec, ps_command_umask, mask); }

    /// -20 (most favoured) to 19.
    command &nice(int value) & { return set(ps_command_nice, value); }
    command &&nice(int value) && { return std::move(nice(value)); }
    command &nice(int value, ec_t &ec) noexcept { return set(ec, ps_command_nice, value); }

    /// A resource limit (RLIMIT_*); UINT64_MAX for none.
    command &rlimit(int resource, std::uint64_t soft, std::uint64_t hard) & { return set(ps_command_rlimit, resource, soft, hard); }
    command &&rlimit(int resource, std::uint64_t soft, std::uint64_t hard) && { return std::move(rlimit(resource, soft, hard)); }
    command &rlimit(int resource, std::uint64_t soft, std::uint64_t hard, ec_t &ec) noexcept
    {
        return set(ec, ps_command_rlimit, resource, soft, hard);
    }

    /// The processors it may run on; none: the host's.
    command &affinity(std::initializer_list<std::uint32_t> cpus) & { return set(ps_command_affinity, cpus.begin(), cpus.size()); }
    command &&affinity(std::initializer_list<std::uint32_t> cpus) && { return std::move(affinity(cpus)); }
    command &affinity(std::initializer_list<std::uint32_t> cpus, ec_t &ec) noexcept
    {
        return set(ec, ps_command_affinity, cpus.begin(), cpus.size());
    }
    template <typename List, typename = detail::if_list<std::uint32_t, List>> command &affinity(const List &cpus) &
    {
        return set(ps_command_affinity, std::data(cpus), std::size(cpus));
    }
    template <typename List, typename = detail::if_list<std::uint32_t, List>> command &&affinity(const List &cpus) &&
    {
        return std::move(affinity(cpus));
    }
    template <typename List, typename = detail::if_list<std::uint32_t, List>> command &affinity(const List &cpus, ec_t &ec) noexcept
    {
        return set(ec, ps_command_affinity, std::data(cpus), std::size(cpus));
    }

    /// The policy of the scheduler; priority 1 to 99 for fifo and rr, else 0.
    command &scheduling(scheduling_policy policy, int priority = 0) & { return set(ps_command_scheduling, policy, priority); }
    command &&scheduling(scheduling_policy policy, int priority = 0) && { return std::move(scheduling(policy, priority)); }
    command &scheduling(scheduling_policy policy, int priority, ec_t &ec) noexcept
    {
        return set(ec, ps_command_scheduling, policy, priority);
    }

    /// Opens a path, and all below it; with the first of these all other files are closed to the child (Landlock).
    command &landlock(zstring path, allow access) & { return set(ps_command_landlock, path, access); }
    command &&landlock(zstring path, allow access) && { return std::move(landlock(path, access)); }
    command &landlock(zstring path, allow access, ec_t &ec) noexcept { return set(ec, ps_command_landlock, path, access); }

    command &no_new_privs(bool on = true) & { return set(ps_command_no_new_privs, on); }
    command &&no_new_privs(bool on = true) && { return std::move(no_new_privs(on)); }
    command &no_new_privs(bool on, ec_t &ec) noexcept { return set(ec, ps_command_no_new_privs, on); }

    /// The child is killed when this process ends, however it ends.
    command &die_with_host(bool on = true) & { return set(ps_command_die_with_host, on); }
    command &&die_with_host(bool on = true) && { return std::move(die_with_host(on)); }
    command &die_with_host(bool on, ec_t &ec) noexcept { return set(ec, ps_command_die_with_host, on); }

    /// A process group of its own (default), a session, or none; or contained: nobody below it outlives it.
    command &isolate(isolation how) & { return set(ps_command_isolate, how); }
    command &&isolate(isolation how) && { return std::move(isolate(how)); }
    command &isolate(isolation how, ec_t &ec) noexcept { return set(ec, ps_command_isolate, how); }

    /// Joins a process group that is there: signals go to the child alone. 0: a group of its own. Of this and isolate the last counts.
    command &process_group(int pgid) & { return set(ps_command_process_group, pgid); }
    command &&process_group(int pgid) && { return std::move(process_group(pgid)); }
    command &process_group(int pgid, ec_t &ec) noexcept { return set(ec, ps_command_process_group, pgid); }

    /// -1000 (the kernel never ends it when memory is out) to 1000 (first).
    command &oom_score_adj(int adj) & { return set(ps_command_oom_score_adj, adj); }
    command &&oom_score_adj(int adj) && { return std::move(oom_score_adj(adj)); }
    command &oom_score_adj(int adj, ec_t &ec) noexcept { return set(ec, ps_command_oom_score_adj, adj); }

    /// Signals that the child ignores, whether or not the host does: SIGHUP for nohup(1).
    command &keep_ignored(std::initializer_list<std::int32_t> signals) & { return keep_ignored(std::data(signals), signals.size()); }
    command &&keep_ignored(std::initializer_list<std::int32_t> signals) && { return std::move(keep_ignored(signals)); }
    template <typename List, typename = detail::if_list<std::int32_t, List>> command &keep_ignored(const List &signals) &
    {
        return keep_ignored(std::data(signals), std::size(signals));
    }
    template <typename List, typename = detail::if_list<std::int32_t, List>> command &&keep_ignored(const List &signals) &&
    {
        return std::move(keep_ignored(signals));
    }
    template <typename List, typename = detail::if_list<std::int32_t, List>>
    command &keep_ignored(const List &signals, ec_t &ec) noexcept
    {
        return set(ec, ps_command_keep_ignored, std::data(signals), std::size(signals));
    }
    command &keep_ignored(const std::int32_t *signals, std::size_t n) & { return set(ps_command_keep_ignored, signals, n); }
    command &keep_ignored(const std::int32_t *signals, std::size_t n, ec_t &ec) noexcept
    {
        return set(ec, ps_command_keep_ignored, signals, n);
    }

    /// The child begins with those signals blocked that are blocked in the thread that spawns it.
    command &keep_mask(bool on = true) & { return set(ps_command_keep_mask, on); }
    command &&keep_mask(bool on = true) && { return std::move(keep_mask(on)); }
    command &keep_mask(bool on, ec_t &ec) noexcept { return set(ec, ps_command_keep_mask, on); }
    /// The size of its pseudo-terminal (stdio_kind::pty).
    command &pty_size(int rows, int columns) & { return set(ps_command_pty_size, rows, columns); }
    command &&pty_size(int rows, int columns) && { return std::move(pty_size(rows, columns)); }
    command &pty_size(int rows, int columns, ec_t &ec) noexcept { return set(ec, ps_command_pty_size, rows, columns); }

    /// A terminal of ours becomes the controlling one of the session that the child leads. Borrowed: it must be open at each spawn.
    command &terminal(int fd) & { return set(ps_command_terminal, fd); }
    command &&terminal(int fd) && { return std::move(terminal(fd)); }
    command &terminal(int fd, ec_t &ec) noexcept { return set(ec, ps_command_terminal, fd); }

    /// The child's group is the foreground of our own terminal while it is there.
    command &foreground(bool on = true) & { return set(ps_command_foreground, on); }
    command &&foreground(bool on = true) && { return std::move(foreground(on)); }
    command &foreground(bool on, ec_t &ec) noexcept { return set(ec, ps_command_foreground, on); }

    /// A cgroup v2 directory, made and removed by procsup; with a slash at its end a fresh one in it for every child.
    command &cgroup(zstring dir) & { return set(ps_command_cgroup, dir); }
    command &&cgroup(zstring dir) && { return std::move(cgroup(dir)); }
    command &cgroup(zstring dir, ec_t &ec) noexcept { return set(ec, ps_command_cgroup, dir); }

    /// What is written into a file of the new cgroup before the child is born: cgroup_set("pids.max", "64").
    command &cgroup_set(zstring file, zstring value) & { return set(ps_command_cgroup_set, file, value); }
    command &&cgroup_set(zstring file, zstring value) && { return std::move(cgroup_set(file, value)); }
    command &cgroup_set(zstring file, zstring value, ec_t &ec) noexcept { return set(ec, ps_command_cgroup_set, file, value); }

    /// A directory that is removed, with everything in it, after the reap.
    command &sandbox_dir(zstring dir) & { return set(ps_command_sandbox_dir, dir); }
    command &&sandbox_dir(zstring dir) && { return std::move(sandbox_dir(dir)); }
    command &sandbox_dir(zstring dir, ec_t &ec) noexcept { return set(ec, ps_command_sandbox_dir, dir); }

    /// Adds a step to the stop plan; the first one replaces the default plan. Without a time: as long as procsup waits for the killed.
    command &stop_step(int signal, time_limit wait = milliseconds(-1)) & { return set(ps_command_stop_step, signal, wait); }
    command &&stop_step(int signal, time_limit wait = milliseconds(-1)) && { return std::move(stop_step(signal, wait)); }
    command &stop_step(int signal, time_limit wait, ec_t &ec) noexcept { return set(ec, ps_command_stop_step, signal, wait); }

    /// The time after which the stop plan runs by itself.
    command &deadline(time_limit after) & { return set(ps_command_deadline, after); }
    command &&deadline(time_limit after) && { return std::move(deadline(after)); }
    command &deadline(time_limit after, ec_t &ec) noexcept { return set(ec, ps_command_deadline, after); }

    /// How long a child that is dumping its core is left to finish before its stop plan kills it.
    command &core_wait(time_limit most) & { return set(ps_command_core_wait, most); }
    command &&core_wait(time_limit most) && { return std::move(core_wait(most)); }
    command &core_wait(time_limit most, ec_t &ec) noexcept { return set(ec, ps_command_core_wait, most); }

    /// A stopped and a continued event when the child is stopped and goes on, by a look at each interval (1 ms to an hour). 0ms (default): none.
    command &watch_stops(time_limit interval) & { return set(ps_command_watch_stops, interval); }
    command &&watch_stops(time_limit interval) && { return std::move(watch_stops(interval)); }
    command &watch_stops(time_limit interval, ec_t &ec) noexcept { return set(ec, ps_command_watch_stops, interval); }

    /// What happens to the rest of the group when the child ends: it is killed (default), or left.
    command &survivors(survivors_policy policy) & { return set(ps_command_survivors, policy); }
    command &&survivors(survivors_policy policy) && { return std::move(survivors(policy)); }
    command &survivors(survivors_policy policy, ec_t &ec) noexcept { return set(ec, ps_command_survivors, policy); }

    command &stop_scope(scope reach) & { return set(ps_command_stop_scope, reach); }
    command &&stop_scope(scope reach) && { return std::move(stop_scope(reach)); }
    command &stop_scope(scope reach, ec_t &ec) noexcept { return set(ec, ps_command_stop_scope, reach); }

    /// Starts the program again when it ends; the pauses grow from min to max. Needs a supervisor.
    command &restart(restart_policy policy, time_limit min, time_limit max) & { return set(ps_command_restart, policy, min, max); }
    command &&restart(restart_policy policy, time_limit min, time_limit max) && { return std::move(restart(policy, min, max)); }
    command &restart(restart_policy policy, time_limit min, time_limit max, ec_t &ec) noexcept
    {
        return set(ec, ps_command_restart, policy, min, max);
    }

    /// Gives up after so many failed runs in a row (0: never); a run of `healthy` starts the count anew, and so does a late exit with 0.
    command &restart_limit(std::uint32_t failures, time_limit healthy) & { return set(ps_command_restart_limit, failures, healthy); }
    command &&restart_limit(std::uint32_t failures, time_limit healthy) && { return std::move(restart_limit(failures, healthy)); }
    command &restart_limit(std::uint32_t failures, time_limit healthy, ec_t &ec) noexcept
    {
        return set(ec, ps_command_restart_limit, failures, healthy);
    }
    /// A run that exits with 0 sooner than this counts as failed, under restart_policy::always (default 1 s; 0: never).
    command &restart_early_exit(time_limit early) & { return set(ps_command_restart_early_exit, early); }
    command &&restart_early_exit(time_limit early) && { return std::move(restart_early_exit(early)); }
    command &restart_early_exit(time_limit early, ec_t &ec) noexcept { return set(ec, ps_command_restart_early_exit, early); }

    /// Each start of a child takes a permit of this key, and what comes of it is booked. The budget may go before the command.
    command &budget(const procsup::budget &of, zstring key) &;
    command &&budget(const procsup::budget &of, zstring key) && { return std::move(budget(of, key)); }
    command &budget(const procsup::budget &of, zstring key, ec_t &ec) noexcept;
    /// An argument of the session of a worker that runs it; nullptr: as if it had never been set.
    command &session(zstring name, zstring value) & { return set(ps_command_session, name, value); }
    command &&session(zstring name, zstring value) && { return std::move(session(name, value)); }
    command &session(zstring name, zstring value, ec_t &ec) noexcept { return set(ec, ps_command_session, name, value); }
    /// Its starts take no permits.
    command &no_budget() & { return set(ps_command_budget, nullptr, nullptr); }
    command &&no_budget() && { return std::move(no_budget()); }
    command &no_budget(ec_t &ec) noexcept { return set(ec, ps_command_budget, nullptr, nullptr); }
    /// A child in line, or about to be restarted, that finds no attempts goes on when there are some, rather than be given up.
    command &budget_wait(bool on = true) & { return set(ps_command_budget_wait, on); }
    command &&budget_wait(bool on = true) && { return std::move(budget_wait(on)); }
    command &budget_wait(bool on, ec_t &ec) noexcept { return set(ec, ps_command_budget_wait, on); }

    /// When the child counts as ready; detail: nullptr, a number (fd) or an address (socket). 0: a minute, forever: no limit.
    command &readiness(readiness_kind kind, zstring detail, time_limit timeout) &
    {
        return set(ps_command_readiness, kind, detail, timeout);
    }
    command &&readiness(readiness_kind kind, zstring detail, time_limit timeout) &&
    {
        return std::move(readiness(kind, detail, timeout));
    }
    command &readiness(readiness_kind kind, zstring detail, time_limit timeout, ec_t &ec) noexcept
    {
        return set(ec, ps_command_readiness, kind, detail, timeout);
    }
    /// The same for a kind without a detail.
    command &readiness(readiness_kind kind, time_limit timeout) & { return readiness(kind, nullptr, timeout); }
    command &&readiness(readiness_kind kind, time_limit timeout) && { return std::move(readiness(kind, nullptr, timeout)); }
    command &readiness(readiness_kind kind, time_limit timeout, ec_t &ec) noexcept { return readiness(kind, nullptr, timeout, ec); }

    /// Whose messages to its NOTIFY_SOCKET count: those of its own process (default), or of its whole group.
    command &notify_access(procsup::notify_access access) & { return set(ps_command_notify_access, access); }
    command &&notify_access(procsup::notify_access access) && { return std::move(notify_access(access)); }
    command &notify_access(procsup::notify_access access, ec_t &ec) noexcept { return set(ec, ps_command_notify_access, access); }

    /// Ends the child, leaving a core, when it has not said WATCHDOG=1 for so long; 0: never.
    command &watchdog(time_limit silence) & { return set(ps_command_watchdog, silence); }
    command &&watchdog(time_limit silence) && { return std::move(watchdog(silence)); }
    command &watchdog(time_limit silence, ec_t &ec) noexcept { return set(ec, ps_command_watchdog, silence); }

    /// Who goes first where more wait than may run: the higher, -100 to 100. Default 0.
    command &priority(int value) & { return set(ps_command_priority, value); }
    command &&priority(int value) && { return std::move(priority(value)); }
    command &priority(int value, ec_t &ec) noexcept { return set(ec, ps_command_priority, value); }

    /// A word of yours that comes back with every event of the child; user_pointer is the same for a pointer, which is borrowed.
    command &user_data(std::uint64_t word) & { return set(ps_command_user_data, word); }
    command &&user_data(std::uint64_t word) && { return std::move(user_data(word)); }
    command &user_data(std::uint64_t word, ec_t &ec) noexcept { return set(ec, ps_command_user_data, word); }
    command &user_pointer(void *at) & { return user_data(reinterpret_cast<std::uintptr_t>(at)); }
    command &&user_pointer(void *at) && { return std::move(user_pointer(at)); }
    command &user_pointer(void *at, ec_t &ec) noexcept { return user_data(reinterpret_cast<std::uintptr_t>(at), ec); }

  private:
    static std::string without_nul(std::string text)
    {
        if (!text.empty())
            text.pop_back();
        return text;
    }

    static ps_command *make(zstring program)
    {
        ps_command *made = nullptr;
        if (program.is_sized())
            detail::call(ps_command_new_bytes, program.data(), program.size(), &made);
        else
            detail::call(ps_command_new, program, &made);
        return made;
    }

    template <typename Function, typename... Arguments> command &set(Function function, const Arguments &...arguments)
    {
        detail::call(function, handle(), arguments...);
        return *this;
    }

    template <typename Function, typename... Arguments>
    command &set(std::error_code &ec, Function function, const Arguments &...arguments) noexcept
    {
        if (!ec)
            detail::call(ec, function, handle(), arguments...);
        return *this;
    }

    /// With its length where that is known: nothing is copied here, and C says where a NUL stands.
    template <typename Function, typename Bytes> command &set_text(Function function, Bytes bytes, zstring text)
    {
        return text.is_sized() ? set(bytes, text.data(), text.size()) : set(function, text);
    }
    template <typename Function, typename Bytes>
    command &set_text(std::error_code &ec, Function function, Bytes bytes, zstring text) noexcept
    {
        return text.is_sized() ? set(ec, bytes, text.data(), text.size()) : set(ec, function, text);
    }

    template <typename Range> static void collect_fds(const Range &given, std::vector<std::int32_t> &fds, std::vector<std::int32_t> &numbers)
    {
        for (const auto &one : given)
            if constexpr (std::is_convertible_v<decltype(one), std::int32_t>) {
                fds.push_back(one);
                numbers.push_back(one);
            } else {
                fds.push_back(one.first);
                numbers.push_back(one.second);
            }
    }

    template <typename Range> command &pass(const Range &given)
    {
        std::vector<std::int32_t> fds, numbers;
        collect_fds(given, fds, numbers);
        return set(ps_command_pass_fds, fds.data(), numbers.data(), fds.size());
    }

    template <typename Range> command &pass(const Range &given, std::error_code &ec)
    {
        std::vector<std::int32_t> fds, numbers;
        collect_fds(given, fds, numbers);
        return set(ec, ps_command_pass_fds, fds.data(), numbers.data(), fds.size());
    }

    /// All or none, as ps_command_args does.
    template <typename Range> command &add(Range &values)
    {
        detail::texts list;
        for (auto &&value : values)
            list.add(value);
        if (list.refused())
            detail::raise(error_info(PS_ERR_INVALID_ARGUMENT, nullptr));
        return set(ps_command_args, static_cast<const char *const *>(list.pointers().data()));
    }
    template <typename Range> command &add(Range &values, std::error_code &ec)
    {
        detail::texts list;
        for (auto &&value : values)
            list.add(value);
        if (!ec && list.refused())
            ec = errc::invalid_argument;
        return set(ec, ps_command_args, static_cast<const char *const *>(list.pointers().data()));
    }

    template <typename Range> command &put(Range &variables)
    {
        detail::variables list;
        for (auto &&variable : variables)
            list.add(variable.first, variable.second);
        if (list.refused())
            detail::raise(error_info(PS_ERR_INVALID_ARGUMENT, nullptr));
        set(ps_command_env_block, static_cast<const char *const *>(list.pointers().data()));
        for (const std::string &name : list.removed())
            env(name, nullptr);
        return *this;
    }
    template <typename Range> command &put(Range &variables, std::error_code &ec)
    {
        detail::variables list;
        for (auto &&variable : variables)
            list.add(variable.first, variable.second);
        if (!ec && list.refused())
            ec = errc::invalid_argument;
        set(ec, ps_command_env_block, static_cast<const char *const *>(list.pointers().data()));
        for (const std::string &name : list.removed())
            env(name, nullptr, ec);
        return *this;
    }
};

// ---- children ---------------------------------------------------------------------------------------------------------------------

/// What can be asked of a child, by its owner and by those who only know it: see child and child_ref.
class child_calls {
  public:
    /// For C functions. Borrowed.
    ps_child *handle() const noexcept { return handle_; }
    explicit operator bool() const noexcept { return handle_ != nullptr; }

    /// Sends a signal to the child's whole group. It can never reach a stranger.
    void signal(int number) const { detail::call(ps_signal, handle_, number); }
    void signal(int number, std::error_code &ec) const noexcept { detail::call(ec, ps_signal, handle_, number); }
    /// The same to its process alone.
    void signal_process(int number) const { detail::call(ps_signal_process, handle_, number); }
    void signal_process(int number, std::error_code &ec) const noexcept { detail::call(ec, ps_signal_process, handle_, number); }

    /// Runs the stop plan and reaps. Blocks at most as long as the plan's waits add up to; ends as soon as the child does.
    /// @param grace  replaces the wait of the plan's first step; without it the plan's own
    exit_record terminate(time_limit grace = milliseconds(-1)) const
    {
        exit_record end;
        detail::call(ps_terminate, handle_, grace, end.out());
        return end;
    }
    exit_record terminate(time_limit grace, std::error_code &ec) const noexcept
    {
        exit_record end;
        detail::call(ec, ps_terminate, handle_, grace, end.out());
        return end;
    }
    exit_record terminate(time_limit grace, std::error_code &ec, error_info &why) const noexcept
    {
        return explained(ec, why, ps_terminate, grace);
    }

    /// Starts the stop plan and returns at once; cancels a child that is pending.
    void terminate_begin(time_limit grace = milliseconds(-1)) const { detail::call(ps_terminate_begin, handle_, grace); }
    void terminate_begin(time_limit grace, std::error_code &ec) const noexcept
    {
        detail::call(ec, ps_terminate_begin, handle_, grace);
    }

    /// Waits for the child to end, up to `timeout`, and reaps it. As often as you like: the record stays. errc::timeout if it still
    /// runs; a child that was never started answers why.
    exit_record reap(time_limit timeout) const
    {
        exit_record end;
        detail::call(ps_reap, handle_, timeout, end.out());
        return end;
    }
    exit_record reap(time_limit timeout, std::error_code &ec) const noexcept
    {
        exit_record end;
        detail::call(ec, ps_reap, handle_, timeout, end.out());
        return end;
    }
    exit_record reap(time_limit timeout, std::error_code &ec, error_info &why) const noexcept
    {
        return explained(ec, why, ps_reap, timeout);
    }

    /// The same without waiting (ps_reap_nonblock): nothing while it runs.
    std::optional<exit_record> try_reap() const
    {
        exit_record end;
        const ps_status status = detail::call(ps_reap_nonblock, handle_, end.out());
        return status == PS_OK ? std::optional<exit_record>(end) : std::nullopt;
    }
    std::optional<exit_record> try_reap(std::error_code &ec) const noexcept
    {
        exit_record end;
        const ps_status status = detail::call(ec, ps_reap_nonblock, handle_, end.out());
        return status == PS_OK ? std::optional<exit_record>(end) : std::nullopt;
    }

    /// Waits until the child is ready, up to `timeout`. info().step() is "ready" if the child failed, "wait" if only this time was over, or
    /// a signal handler of yours has run (errc::interrupted).
    void wait_ready(time_limit timeout = forever) const { detail::call(ps_wait_ready, handle_, timeout); }
    void wait_ready(time_limit timeout, std::error_code &ec) const noexcept { detail::call(ec, ps_wait_ready, handle_, timeout); }
    void wait_ready(time_limit timeout, std::error_code &ec, error_info &why) const noexcept
    {
        why = error_info();
        detail::call_into(why, ps_wait_ready, handle_, timeout);
        ec = why.code();
    }

    /// What the child has said of itself through its NOTIFY_SOCKET, and whether it is ready.
    ps_notified notified() const
    {
        ps_notified said{};
        said.size = static_cast<std::uint32_t>(sizeof said);
        detail::call(ps_child_notified, handle_, &said);
        return said;
    }
    ps_notified notified(std::error_code &ec) const noexcept
    {
        ps_notified said{};
        said.size = static_cast<std::uint32_t>(sizeof said);
        detail::call(ec, ps_child_notified, handle_, &said);
        return said;
    }
    /// The text of its state, as it sent it.
    std::string status_text() const { return detail::bytes(ps_child_status_text, handle_); }
    std::string status_text(std::error_code &ec) const { return detail::bytes(ec, ps_child_status_text, handle_); }

    /// For display: after the exit it may be another's.
    int pid() const { return number(ps_child_pid); }
    int pid(std::error_code &ec) const noexcept { return number(ec, ps_child_pid); }

    /// A duplicate of the pidfd, readable once the child has ended. The caller's.
    unique_fd pidfd() const { return unique_fd(number(ps_child_pidfd)); }
    unique_fd pidfd(std::error_code &ec) const noexcept { return unique_fd(number(ec, ps_child_pidfd)); }

    child_state state() const { return static_cast<child_state>(number(ps_child_state)); }
    child_state state(std::error_code &ec) const noexcept { return static_cast<child_state>(number(ec, ps_child_state)); }

    /// By which signal it is stopped; 0 if it is not, -1 if nobody knows. Its state knows nothing of that.
    int stopped() const { return number(ps_child_stopped); }
    int stopped(std::error_code &ec) const noexcept { return number(ec, ps_child_stopped); }

    /// Our end of a pipe, by its number in the child; it can be taken once.
    unique_fd stdio(int stream) const
    {
        std::int32_t fd = -1;
        detail::call(ps_child_stdio, handle_, stream, &fd);
        return unique_fd(fd);
    }
    unique_fd stdio(int stream, std::error_code &ec) const noexcept
    {
        std::int32_t fd = -1;
        detail::call(ec, ps_child_stdio, handle_, stream, &fd);
        return unique_fd(fd);
    }

    /// Our end of its pseudo-terminal (stdio_kind::pty); it can be taken once. Who closes it hangs the terminal up.
    unique_fd pty() const
    {
        std::int32_t fd = -1;
        detail::call(ps_child_pty, handle_, &fd);
        return unique_fd(fd);
    }
    unique_fd pty(std::error_code &ec) const noexcept
    {
        std::int32_t fd = -1;
        detail::call(ec, ps_child_pty, handle_, &fd);
        return unique_fd(fd);
    }
    /// Gives it another size; its foreground gets SIGWINCH.
    void resize(int rows, int columns) const { detail::call(ps_child_resize, handle_, rows, columns); }
    void resize(int rows, int columns, std::error_code &ec) const noexcept { detail::call(ec, ps_child_resize, handle_, rows, columns); }

    /// Feeds standard input (command::input_stream); never blocks. How many bytes were taken; nothing: there is no room. After less than all an
    /// input_room event tells when there is.
    std::optional<std::size_t> write(byte_view data) const
    {
        std::size_t taken = 0;
        const ps_status status = detail::call(ps_child_write, handle_, data.data(), data.size(), &taken);
        return status == PS_OK ? std::optional<std::size_t>(taken) : std::nullopt;
    }
    std::optional<std::size_t> write(byte_view data, std::error_code &ec) const noexcept
    {
        std::size_t taken = 0;
        const ps_status status = detail::call(ec, ps_child_write, handle_, data.data(), data.size(), &taken);
        return status == PS_OK ? std::optional<std::size_t>(taken) : std::nullopt;
    }
    /// It ends behind what was taken so far.
    void write_end() const { detail::call(ps_child_write_end, handle_); }
    void write_end(std::error_code &ec) const noexcept { detail::call(ec, ps_child_write_end, handle_); }

    /// The captured output so far.
    std::string output() const { return detail::bytes(ps_child_output, handle_); }
    std::string output(std::error_code &ec) const { return detail::bytes(ec, ps_child_output, handle_); }
    /// The same of stream 1 or 2, where they are kept apart (command::capture_apart).
    std::string output_of(int stream) const { return detail::bytes(ps_child_output_of, handle_, stream); }
    std::string output_of(int stream, std::error_code &ec) const { return detail::bytes(ec, ps_child_output_of, handle_, stream); }
    /// How many bytes of it are missing: of both streams together (0), or of one that is kept apart.
    std::uint64_t output_lost(int stream = 0) const
    {
        std::uint64_t bytes = 0;
        detail::call(ps_child_output_lost, handle_, stream, &bytes);
        return bytes;
    }
    std::uint64_t output_lost(int stream, std::error_code &ec) const noexcept
    {
        std::uint64_t bytes = 0;
        detail::call(ec, ps_child_output_lost, handle_, stream, &bytes);
        return bytes;
    }

    /// How the kernel was asked to make it.
    procsup::spawn_tier spawn_tier() const { return static_cast<procsup::spawn_tier>(number(ps_child_spawn_tier)); }
    procsup::spawn_tier spawn_tier(std::error_code &ec) const noexcept { return static_cast<procsup::spawn_tier>(number(ec, ps_child_spawn_tier)); }

  protected:
    child_calls() noexcept = default;
    explicit child_calls(ps_child *handle) noexcept : handle_(handle) {}
    child_calls(const child_calls &) noexcept = default;
    child_calls &operator=(const child_calls &) noexcept = default;
    ~child_calls() = default;

    ps_child *handle_ = nullptr;

  private:
    using asks_number = ps_status (*)(const ps_child *, std::int32_t *, ps_error **);

    std::int32_t number(asks_number function) const
    {
        std::int32_t value = -1;
        detail::call(function, handle_, &value);
        return value;
    }
    std::int32_t number(std::error_code &ec, asks_number function) const noexcept
    {
        std::int32_t value = -1;
        detail::call(ec, function, handle_, &value);
        return value;
    }

    template <typename Function>
    exit_record explained(std::error_code &ec, error_info &why, Function function, time_limit time) const noexcept
    {
        exit_record end;
        why = error_info();
        detail::call_into(why, function, handle_, time, end.out());
        ec = why.code();
        return end;
    }
};

/// A child that somebody else owns. Copied freely; good as a key (==, <, std::hash).
class child_ref : public child_calls {
  public:
    child_ref() noexcept = default;
    explicit child_ref(ps_child *handle) noexcept : child_calls(handle) {}
};

/// The owner of a child's handle. Destroying it does not stop the process.
class child : public child_calls {
  public:
    child() noexcept = default;
    /// Takes a handle of the C interface; also the one of an event, if the owner had released it.
    explicit child(ps_child *handle) noexcept : child_calls(handle) {}
    child(child &&other) noexcept : child_calls(other.release()) {}
    child &operator=(child &&other) noexcept
    {
        reset(other.release());
        return *this;
    }
    ~child() { ps_child_free(handle_); }

    operator child_ref() const noexcept { return ref(); }
    child_ref ref() const noexcept { return child_ref(handle_); }
    /// Gives the handle up without freeing it.
    [[nodiscard]] ps_child *release() noexcept { return std::exchange(handle_, nullptr); }
    void reset(ps_child *handle = nullptr) noexcept { ps_child_free(std::exchange(handle_, handle)); }
};

inline bool operator==(child_ref a, child_ref b) noexcept { return a.handle() == b.handle(); }
inline bool operator!=(child_ref a, child_ref b) noexcept { return a.handle() != b.handle(); }
inline bool operator<(child_ref a, child_ref b) noexcept { return std::less<ps_child *>()(a.handle(), b.handle()); }

// ---- several children -------------------------------------------------------------------------------------------------------------

namespace detail {
inline ps_child *handle_of(const child_calls &one) noexcept { return one.handle(); }
inline ps_child *handle_of(ps_child *one) noexcept { return one; }

template <typename Range> std::vector<ps_child *> handles_of(const Range &children)
{
    std::vector<ps_child *> handles;
    for (const auto &one : children)
        handles.push_back(handle_of(one));
    return handles;
}
} // namespace detail

/// Waits until one of these has ended, for good, and says which: its place in the range (of child, child_ref or ps_child *), from 0; the
/// first that has, if there are several. Takes nothing: reap has its record. errc::timeout; errc::interrupted by a signal handler of yours.
/// With an `ec`: how many there are, if none.
template <typename Range> std::size_t wait_any(const Range &children, time_limit timeout = forever)
{
    const std::vector<ps_child *> handles = detail::handles_of(children);
    std::size_t index = handles.size();
    detail::call(ps_wait_any, handles.data(), handles.size(), timeout, &index);
    return index;
}
template <typename Range> std::size_t wait_any(const Range &children, time_limit timeout, std::error_code &ec)
{
    const std::vector<ps_child *> handles = detail::handles_of(children);
    std::size_t index = handles.size();
    detail::call(ec, ps_wait_any, handles.data(), handles.size(), timeout, &index);
    return index;
}
inline std::size_t wait_any(std::initializer_list<child_ref> children, time_limit timeout = forever)
{
    return wait_any<std::initializer_list<child_ref>>(children, timeout);
}
inline std::size_t wait_any(std::initializer_list<child_ref> children, time_limit timeout, std::error_code &ec)
{
    return wait_any<std::initializer_list<child_ref>>(children, timeout, ec);
}

/// The same until all of them have.
template <typename Range> void wait_all(const Range &children, time_limit timeout = forever)
{
    const std::vector<ps_child *> handles = detail::handles_of(children);
    detail::call(ps_wait_all, handles.data(), handles.size(), timeout);
}
template <typename Range> void wait_all(const Range &children, time_limit timeout, std::error_code &ec)
{
    const std::vector<ps_child *> handles = detail::handles_of(children);
    detail::call(ec, ps_wait_all, handles.data(), handles.size(), timeout);
}
inline void wait_all(std::initializer_list<child_ref> children, time_limit timeout = forever)
{
    wait_all<std::initializer_list<child_ref>>(children, timeout);
}
inline void wait_all(std::initializer_list<child_ref> children, time_limit timeout, std::error_code &ec)
{
    wait_all<std::initializer_list<child_ref>>(children, timeout, ec);
}

// ---- events -----------------------------------------------------------------------------------------------------------------------

/// Something that happened to a child: ps_event. A value.
class event {
  public:
    explicit event(const ps_event &raw) noexcept : raw_(raw) {}

    event_kind kind() const noexcept { return static_cast<event_kind>(raw_.kind); }
    /// Borrowed; empty for shutdown_done. If its handle was freed meanwhile, its calls fail, but it can still be compared.
    child_ref child() const noexcept { return child_ref(raw_.child); }
    /// For display.
    int pid() const noexcept { return raw_.pid; }
    /// output: 1 or 2. The bytes: supervisor::event_data.
    int stream() const noexcept { return raw_.stream; }
    /// output: false for a piece of a line that is longer than the limit or told by its time, and for a last line without a newline.
    bool whole_line() const noexcept { return raw_.status == PS_OK; }
    std::uint64_t user_data() const noexcept { return raw_.user_data; }
    template <typename T> T *user_pointer() const noexcept { return reinterpret_cast<T *>(static_cast<std::uintptr_t>(raw_.user_data)); }
    exit_record::time_point time() const noexcept { return exit_record::time_point(std::chrono::nanoseconds(raw_.time_ns)); }
    /// exited, restarting, gave_up: how the run ended.
    exit_record exit() const noexcept { return exit_record(raw_.exit); }
    /// failed: why it could not be started. exited: errc::ok, or why it could not be ready (exit_cause::not_ready), its
    /// output file was not published, or its sandbox not removed.
    errc status() const noexcept { return static_cast<errc>(raw_.status); }
    /// Which run of the child it is about; 1 is the first.
    std::uint32_t run() const noexcept { return raw_.run; }
    /// restarting: until the next run.
    milliseconds delay() const noexcept { return milliseconds(raw_.delay_ms); }
    /// output_lost: how many lines are missing, and their bytes, newlines included.
    std::uint64_t lost_lines() const noexcept { return raw_.lost_lines; }
    std::uint64_t lost_bytes() const noexcept { return raw_.lost_bytes; }
    /// stopped: by which signal, -1 if nobody knows; else 0.
    int signal() const noexcept { return raw_.signal; }
    /// restarting, gave_up: why.
    procsup::reason reason() const noexcept { return static_cast<procsup::reason>(raw_.reason); }
    /// reason::budget: the first refusal in its window; when there are attempts again.
    bool is_storm() const noexcept { return raw_.storm != 0; }
    std::optional<milliseconds> retry_after() const
    {
        return raw_.retry_after_ms < 0 ? std::nullopt : std::optional(milliseconds(raw_.retry_after_ms));
    }

    const ps_event &raw() const noexcept { return raw_; }

  private:
    ps_event raw_;
};

// ---- pipelines --------------------------------------------------------------------------------------------------------------------

namespace detail {

inline const ps_command *handle_of(const command &what) noexcept { return what.handle(); }
inline const ps_command *handle_of(const command *what) noexcept { return what->handle(); }

/// Commands, references to some, or pointers.
template <typename Range> std::vector<child> pipeline(error_info &info, ps_supervisor *of, const Range &commands)
{
    std::vector<const ps_command *> handles;
    for (const auto &each : commands)
        handles.push_back(handle_of(each));
    std::vector<ps_child *> made(handles.size() + 1); // never without a place
    std::vector<child> children(handles.size());      // before the spawn: nothing may fail after it
    if (call_into(info, ps_spawn_pipeline, of, static_cast<const ps_command *const *>(handles.data()), handles.size(), made.data()) < 0)
        return {};
    for (std::size_t i = 0; i < children.size(); i++)
        children[i].reset(made[i]);
    return children;
}

template <typename Range> std::vector<child> pipeline(ps_supervisor *of, const Range &commands)
{
    error_info info;
    std::vector<child> children = pipeline(info, of, commands);
    if (info)
        raise(std::move(info));
    return children;
}

template <typename Range> std::vector<child> pipeline(std::error_code &ec, ps_supervisor *of, const Range &commands)
{
    error_info info;
    std::vector<child> children;
    if (!ec) {
        children = pipeline(info, of, commands);
        ec = info.code();
    }
    return children;
}

} // namespace detail

/// What a pipeline can be written as, beside a range of commands, references to them or pointers: spawn_pipeline({list, sort, first}).
using command_list = std::initializer_list<std::reference_wrapper<const command>>;

// ---- supervisors ------------------------------------------------------------------------------------------------------------------

/// Looks after children: one descriptor to wait on, events to take. No thread: it works inside the calls that you make.
///
///     while (auto event = supervisor.next_event())      // when fd() is readable
///         if (event->kind() == procsup::event_kind::exited) ...
class supervisor : private detail::owner<ps_supervisor, ps_supervisor_free> {
    using base = detail::owner<ps_supervisor, ps_supervisor_free>;

  public:
    struct count {
        std::uint32_t pending, running, stopping;
    };

    using base::handle;
    using base::release;
    /// As the destructor: kills and reaps the children, blocks until they are gone.
    using base::reset;
    using base::operator bool;

    supervisor() : base(make()) {}
    explicit supervisor(std::error_code &ec) noexcept
    {
        ps_supervisor *made = nullptr;
        detail::call(ec, ps_supervisor_new, &made);
        reset(made);
    }
    /// An empty one, or one of the C interface, which it takes.
    explicit supervisor(ps_supervisor *handle) noexcept : base(handle) {}

    /// The descriptor to wait on, for reading. Borrowed: do not read or close it.
    int fd() const
    {
        std::int32_t fd = -1;
        detail::call(ps_supervisor_fd, handle(), &fd);
        return fd;
    }
    int fd(std::error_code &ec) const noexcept
    {
        std::int32_t fd = -1;
        detail::call(ec, ps_supervisor_fd, handle(), &fd);
        return fd;
    }

    /// Starts a command, or queues it if no slot is free: then the child is pending. `why` gets errno and step of a failure.
    [[nodiscard]] child spawn(const command &what)
    {
        ps_child *made = nullptr;
        detail::call(ps_spawn, handle(), what.handle(), &made);
        return child(made);
    }
    [[nodiscard]] child spawn(const command &what, std::error_code &ec) noexcept
    {
        ps_child *made = nullptr;
        if (!ec)
            detail::call(ec, ps_spawn, handle(), what.handle(), &made);
        return child(made);
    }
    [[nodiscard]] child spawn(const command &what, std::error_code &ec, error_info &why) noexcept
    {
        ps_child *made = nullptr;
        if (!ec) {
            why = error_info();
            detail::call_into(why, ps_spawn, handle(), what.handle(), &made);
            ec = why.code();
        }
        return child(made);
    }

    /// Starts a daemon, unless it runs already, and waits until it can be used. The child is empty if somebody else's runs. It ends with this
    /// supervisor. `connect_to` nullptr: nowhere.
    [[nodiscard]] child spawn_once(zstring dir, zstring name, const command &what, zstring connect_to, time_limit timeout)
    {
        ps_child *made = nullptr;
        detail::call(ps_spawn_once, handle(), dir, name, what.handle(), connect_to, timeout, &made);
        return child(made);
    }
    [[nodiscard]] child spawn_once(zstring dir, zstring name, const command &what, zstring connect_to, time_limit timeout,
                                   std::error_code &ec) noexcept
    {
        ps_child *made = nullptr;
        if (!ec)
            detail::call(ec, ps_spawn_once, handle(), dir, name, what.handle(), connect_to, timeout, &made);
        return child(made);
    }
    /// The same, with the whole error: the step at which it ended, and how long each took (render).
    [[nodiscard]] child spawn_once(zstring dir, zstring name, const command &what, zstring connect_to, time_limit timeout,
                                   std::error_code &ec, error_info &why) noexcept
    {
        ps_child *made = nullptr;
        if (!ec) {
            why = error_info();
            detail::call_into(why, ps_spawn_once, handle(), dir, name, what.handle(), connect_to, timeout, &made);
            ec = why.code();
        }
        return child(made);
    }

    /// n children that are kept alive (restart_policy::always unless the command says otherwise). All or none.
    [[nodiscard]] std::vector<child> spawn_replicas(const command &what, std::uint32_t n)
    {
        std::vector<ps_child *> made(n);
        std::vector<child> children(n); // before the spawn: nothing may fail after it
        detail::call(ps_spawn_replicas, handle(), what.handle(), n, made.data());
        for (std::size_t i = 0; i < made.size(); i++)
            children[i].reset(made[i]);
        return children;
    }
    [[nodiscard]] std::vector<child> spawn_replicas(const command &what, std::uint32_t n, std::error_code &ec)
    {
        if (ec)
            return {};
        std::vector<ps_child *> made(n);
        std::vector<child> children(n);
        if (detail::call(ec, ps_spawn_replicas, handle(), what.handle(), n, made.data()) < 0)
            return {};
        for (std::size_t i = 0; i < made.size(); i++)
            children[i].reset(made[i]);
        return children;
    }

    /// Programs of which each reads what the one before it writes. All or none. See ps_spawn_pipeline.
    template <typename Range> [[nodiscard]] std::vector<child> spawn_pipeline(const Range &commands)
    {
        return detail::pipeline(handle(), commands);
    }
    template <typename Range> [[nodiscard]] std::vector<child> spawn_pipeline(const Range &commands, std::error_code &ec)
    {
        return detail::pipeline(ec, handle(), commands);
    }
    [[nodiscard]] std::vector<child> spawn_pipeline(command_list commands) { return detail::pipeline(handle(), commands); }
    [[nodiscard]] std::vector<child> spawn_pipeline(command_list commands, std::error_code &ec)
    {
        return detail::pipeline(ec, handle(), commands);
    }

    /// Takes the next event and does whatever is due. Without a time it does not wait. Nothing: there is none, or a signal handler of yours
    /// has run meanwhile (and no error).
    std::optional<event> next_event(time_limit timeout = milliseconds(0))
    {
        ps_event raw = empty();
        const ps_status status = detail::call(ps_supervisor_next_event, handle(), timeout, &raw);
        return status == PS_OK ? std::optional<event>(raw) : std::nullopt;
    }
    std::optional<event> next_event(time_limit timeout, std::error_code &ec) noexcept
    {
        ps_event raw = empty();
        const ps_status status = detail::call(ec, ps_supervisor_next_event, handle(), timeout, &raw);
        return status == PS_OK ? std::optional<event>(raw) : std::nullopt;
    }

    /// The bytes of the output event that was taken last: a line without its newline.
    std::string event_data() { return detail::bytes(ps_event_data, handle()); }
    std::string event_data(std::error_code &ec) { return detail::bytes(ec, ps_event_data, handle()); }

    /// How many may run at the same time; 0: no limit.
    void set_max_running(std::uint32_t n) { detail::call(ps_supervisor_set_max_running, handle(), n); }
    void set_max_running(std::uint32_t n, std::error_code &ec) noexcept { detail::call(ec, ps_supervisor_set_max_running, handle(), n); }

    /// How many may be queued; 0: no limit. spawn fails with errc::limit beyond it.
    void set_max_pending(std::uint32_t n) { detail::call(ps_supervisor_set_max_pending, handle(), n); }
    void set_max_pending(std::uint32_t n, std::error_code &ec) noexcept { detail::call(ec, ps_supervisor_set_max_pending, handle(), n); }

    /// From here on a tiny process beside this one makes its children: spawning waits for no exec. See ps_supervisor_set_spawner.
    void set_spawner(bool on = true) { detail::call(ps_supervisor_set_spawner, handle(), on); }
    void set_spawner(bool on, std::error_code &ec) noexcept { detail::call(ec, ps_supervisor_set_spawner, handle(), on); }
    /// A thread stays on its processor while it starts children from the line. See ps_supervisor_set_hold_processor.
    void set_hold_processor(bool on = true) { detail::call(ps_supervisor_set_hold_processor, handle(), on); }
    void set_hold_processor(bool on, std::error_code &ec) noexcept { detail::call(ec, ps_supervisor_set_hold_processor, handle(), on); }
    /// Orphans of its children are reaped here. Changes the whole process (PR_SET_CHILD_SUBREAPER).
    void set_subreaper(bool on) { detail::call(ps_supervisor_set_subreaper, handle(), on); }
    void set_subreaper(bool on, std::error_code &ec) noexcept { detail::call(ec, ps_supervisor_set_subreaper, handle(), on); }

    /// running + stopping is what max_running limits.
    count counts() const
    {
        count n{};
        detail::call(ps_supervisor_counts, handle(), &n.pending, &n.running, &n.stopping);
        return n;
    }
    count counts(std::error_code &ec) const noexcept
    {
        count n{};
        detail::call(ec, ps_supervisor_counts, handle(), &n.pending, &n.running, &n.stopping);
        return n;
    }

    /// Cancels what is pending, stops what runs, then one shutdown_done event. Returns at once; may be called again.
    void shutdown(time_limit grace) { detail::call(ps_supervisor_shutdown, handle(), grace); }
    void shutdown(time_limit grace, std::error_code &ec) noexcept { detail::call(ec, ps_supervisor_shutdown, handle(), grace); }

  private:
    static ps_supervisor *make()
    {
        ps_supervisor *made = nullptr;
        detail::call(ps_supervisor_new, &made);
        return made;
    }

    static ps_event empty() noexcept
    {
        ps_event raw{};
        raw.size = static_cast<std::uint32_t>(sizeof raw);
        return raw;
    }
};

// ---- budgets ----------------------------------------------------------------------------------------------------------------------

/// The right to start something once, and the duty to say what came of it. Who says nothing has failed: so does the destructor.
class permit {
  public:
    permit() noexcept = default;
    /// Takes a permit of the C interface. The budget is borrowed.
    permit(ps_budget *budget, std::uint64_t number) noexcept : budget_(budget), number_(number) {}
    permit(permit &&other) noexcept
        : budget_(other.budget_), number_(std::exchange(other.number_, 0)), said_(std::exchange(other.said_, false))
    {
    }
    permit &operator=(permit &&other) noexcept
    {
        if (this != &other) {
            forsake();
            budget_ = other.budget_;
            number_ = std::exchange(other.number_, 0);
            said_ = std::exchange(other.said_, false);
        }
        return *this;
    }
    ~permit() { forsake(); }

    /// It was launched and verified (true), or has failed. After a success that is still to prove itself (budget::set_healthy)
    /// finish(false) says that it has ended too soon. errc::state: the permit is stale, and nothing was changed.
    void finish(bool succeeded)
    {
        said_ = true;
        detail::call(ps_budget_finish, budget_, number_, succeeded);
    }
    void finish(bool succeeded, std::error_code &ec) noexcept
    {
        said_ = true;
        detail::call(ec, ps_budget_finish, budget_, number_, succeeded);
    }

    /// The number, for C functions.
    std::uint64_t number() const noexcept { return number_; }
    /// Gives it up without a word: what becomes of it is the caller's to say.
    [[nodiscard]] std::uint64_t release() noexcept { return std::exchange(number_, 0); }
    explicit operator bool() const noexcept { return number_ != 0; }

  private:
    void forsake() noexcept
    {
        if (number_ != 0 && !said_)
            ps_budget_finish(budget_, number_, 0, nullptr);
    }

    ps_budget *budget_ = nullptr;
    std::uint64_t number_ = 0;
    bool said_ = false;
};

/// How often each of any number of keys may be started. See procsup.h.
///
///     procsup::budget budget(3, 30s);
///     auto permit = budget.begin("indexer 1.4");       // throws errc::budget_exhausted, with retry_after(); errc::in_progress
///     permit.finish(launch());
class budget : private detail::owner<ps_budget, ps_budget_free> {
    using base = detail::owner<ps_budget, ps_budget_free>;

  public:
    /// How a key looks: ps_budget_state.
    struct state {
        std::uint32_t attempts_used, remaining;
        bool in_flight, storm;
        std::optional<milliseconds> retry_after; ///< 0: a begin would be granted; nothing: who knows
    };

    using base::handle;
    using base::release;
    using base::reset;
    using base::operator bool;

    /// 0: 3 attempts, in 30 seconds.
    explicit budget(std::uint32_t max_attempts = 0, time_limit window = milliseconds(0)) : base(make(max_attempts, window)) {}
    budget(std::uint32_t max_attempts, time_limit window, std::error_code &ec) noexcept
    {
        ps_budget *made = nullptr;
        detail::call(ec, ps_budget_new, max_attempts, window, &made);
        reset(made);
    }
    /// An empty one, or one of the C interface, which it takes.
    explicit budget(ps_budget *handle) noexcept : base(handle) {}

    /// A permit that nobody finishes is freed after this time; 0: 60 seconds; forever: never.
    void set_lease(time_limit time) { detail::call(ps_budget_set_lease, handle(), time); }
    void set_lease(time_limit time, std::error_code &ec) noexcept { detail::call(ec, ps_budget_set_lease, handle(), time); }

    /// What was started must stay up for this time before its success counts.
    void set_healthy(time_limit time) { detail::call(ps_budget_set_healthy, handle(), time); }
    void set_healthy(time_limit time, std::error_code &ec) noexcept { detail::call(ec, ps_budget_set_healthy, handle(), time); }

    /// The permit to start what a key stands for.
    [[nodiscard]] permit begin(zstring key)
    {
        std::uint64_t number = 0;
        detail::call(ps_budget_begin, handle(), key, &number);
        return permit(handle(), number);
    }
    [[nodiscard]] permit begin(zstring key, std::error_code &ec) noexcept
    {
        std::uint64_t number = 0;
        detail::call(ec, ps_budget_begin, handle(), key, &number);
        return permit(handle(), number);
    }
    [[nodiscard]] permit begin(zstring key, std::error_code &ec, error_info &why) noexcept
    {
        std::uint64_t number = 0;
        why = error_info();
        detail::call_into(why, ps_budget_begin, handle(), key, &number);
        ec = why.code();
        return permit(handle(), number);
    }

    /// Makes a key as if it had never been tried.
    void reset_key(zstring key) { detail::call(ps_budget_reset, handle(), key); }
    void reset_key(zstring key, std::error_code &ec) noexcept { detail::call(ec, ps_budget_reset, handle(), key); }

    /// How a key looks. Changes nothing.
    state snapshot(zstring key) const
    {
        ps_budget_state raw = empty();
        detail::call(ps_budget_snapshot, handle(), key, &raw);
        return plain(raw);
    }
    state snapshot(zstring key, std::error_code &ec) const noexcept
    {
        ps_budget_state raw = empty();
        detail::call(ec, ps_budget_snapshot, handle(), key, &raw);
        return plain(raw);
    }

  private:
    static ps_budget *make(std::uint32_t max_attempts, time_limit window)
    {
        ps_budget *made = nullptr;
        detail::call(ps_budget_new, max_attempts, window, &made);
        return made;
    }
    static ps_budget_state empty() noexcept
    {
        ps_budget_state raw{};
        raw.size = static_cast<std::uint32_t>(sizeof raw);
        return raw;
    }
    static state plain(const ps_budget_state &raw) noexcept
    {
        const auto after = raw.retry_after_ms < 0 ? std::nullopt : std::optional<milliseconds>(raw.retry_after_ms);
        return {raw.attempts_used, raw.remaining, raw.in_flight != 0, raw.storm != 0, after};
    }
};

inline command &command::budget(const procsup::budget &of, zstring key) & { return set(ps_command_budget, of.handle(), key); }
inline command &command::budget(const procsup::budget &of, zstring key, std::error_code &ec) noexcept
{
    return set(ec, ps_command_budget, of.handle(), key);
}

// ---- spawn locks ------------------------------------------------------------------------------------------------------------------

/// What came of spawn_lock::begin: ps_spawn_lock_event. A value.
class spawn_lock_event {
  public:
    using time_point = std::chrono::steady_clock::time_point; // CLOCK_MONOTONIC

    explicit spawn_lock_event(const ps_spawn_lock_event &raw) noexcept : raw_(raw) {}

    spawn_lock_event_kind kind() const noexcept { return static_cast<spawn_lock_event_kind>(raw_.kind); }
    /// failed: why; spawn_lock::check has the whole error.
    errc status() const noexcept { return static_cast<errc>(raw_.status); }
    /// errc::locked: the process that the file names, for display; 0 if it names none.
    int pid() const noexcept { return raw_.pid; }
    time_point time() const noexcept { return time_point(std::chrono::nanoseconds(raw_.time_ns)); }

    const ps_spawn_lock_event &raw() const noexcept { return raw_; }

  private:
    ps_spawn_lock_event raw_;
};

/// One process at a time, as long as the object lives:
///
///     procsup::spawn_lock lock("/run/name/lock", std::chrono::seconds(5)); // throws errc::locked
///     lock.check();                                                        // the path still names what is locked
///     launch();
class spawn_lock : private detail::owner<ps_spawn_lock, ps_spawn_lock_release> {
    using base = detail::owner<ps_spawn_lock, ps_spawn_lock_release>;

  public:
    using base::handle;
    /// Gives the handle away, to the C interface: the lock stays held. (reset() releases the lock.)
    using base::release;
    /// As the destructor: releases the lock, or waits for it no more.
    using base::reset;
    using base::operator bool;

    /// Takes the lock, and waits for it. Without a time it tries once.
    explicit spawn_lock(zstring path, time_limit timeout = milliseconds(0)) : base(make(ps_spawn_lock_acquire, path, timeout)) {}
    spawn_lock(zstring path, time_limit timeout, std::error_code &ec) noexcept
    {
        ps_spawn_lock *made = nullptr;
        detail::call(ec, ps_spawn_lock_acquire, path, timeout, &made);
        reset(made);
    }
    /// An empty one, or one of the C interface, which it takes.
    explicit spawn_lock(ps_spawn_lock *handle) noexcept : base(handle) {}

    /// For an event loop: tries once and does not wait. What comes of it is told by next_event, when fd is readable.
    [[nodiscard]] static spawn_lock begin(zstring path, time_limit timeout)
    {
        return spawn_lock(make(ps_spawn_lock_begin, path, timeout));
    }
    [[nodiscard]] static spawn_lock begin(zstring path, time_limit timeout, std::error_code &ec) noexcept
    {
        ps_spawn_lock *made = nullptr;
        detail::call(ec, ps_spawn_lock_begin, path, timeout, &made);
        return spawn_lock(made);
    }

    /// The descriptor to wait on, for reading. Borrowed: do not read or close it.
    int fd() const
    {
        std::int32_t fd = -1;
        detail::call(ps_spawn_lock_fd, handle(), &fd);
        return fd;
    }
    int fd(std::error_code &ec) const noexcept
    {
        std::int32_t fd = -1;
        detail::call(ec, ps_spawn_lock_fd, handle(), &fd);
        return fd;
    }

    /// Takes what has come of begin. Without a time it does not wait. Nothing: not yet, or it was taken (and no error).
    std::optional<spawn_lock_event> next_event(time_limit timeout = milliseconds(0))
    {
        ps_spawn_lock_event raw = empty();
        const ps_status status = detail::call(ps_spawn_lock_next_event, handle(), timeout, &raw);
        return status == PS_OK ? std::optional<spawn_lock_event>(raw) : std::nullopt;
    }
    std::optional<spawn_lock_event> next_event(time_limit timeout, std::error_code &ec) noexcept
    {
        ps_spawn_lock_event raw = empty();
        const ps_status status = detail::call(ec, ps_spawn_lock_next_event, handle(), timeout, &raw);
        return status == PS_OK ? std::optional<spawn_lock_event>(raw) : std::nullopt;
    }

    /// True: it is held, and the path still names what is locked. False: it is waited for (and no error). Else errc::lock_replaced, or why
    /// begin has failed.
    bool check() const { return detail::call(ps_spawn_lock_check, handle()) == PS_OK; }
    bool check(std::error_code &ec) const noexcept { return detail::call(ec, ps_spawn_lock_check, handle()) == PS_OK; }

  private:
    using maker = ps_status(const char *, std::int64_t, ps_spawn_lock **, ps_error **);

    static ps_spawn_lock *make(maker *how, zstring path, time_limit timeout)
    {
        ps_spawn_lock *made = nullptr;
        detail::call(how, path, timeout, &made);
        return made;
    }

    static ps_spawn_lock_event empty() noexcept
    {
        ps_spawn_lock_event raw = {};
        raw.size = sizeof raw;
        return raw;
    }
};

// ---- workers ----------------------------------------------------------------------------------------------------------------------

/// Somewhere a worker is to be found: struct ps_worker_socket. A value.
class worker_socket {
  public:
    explicit worker_socket(const struct ::ps_worker_socket &raw) noexcept : raw_(raw) {}

    const char *name() const noexcept { return raw_.name; }
    const char *address() const noexcept { return raw_.address; }
    const char *protocol() const noexcept { return raw_.protocol; }
    /// 0: no limit; less: not known.
    int concurrency() const noexcept { return raw_.concurrency; }
    bool accepts_http() const noexcept { return raw_.accepts_http != 0; }

    const struct ::ps_worker_socket &raw() const noexcept { return raw_; }

  private:
    struct ::ps_worker_socket raw_;
};

/// What is known of a worker beside its sockets: ps_worker_info. A value.
class worker_info {
  public:
    using time_point = std::chrono::steady_clock::time_point; // CLOCK_MONOTONIC
    using wall_point = std::chrono::time_point<std::chrono::system_clock, std::chrono::nanoseconds>;

    explicit worker_info(const ps_worker_info &raw) noexcept : raw_(raw) {}

    worker_kind kind() const noexcept { return static_cast<worker_kind>(raw_.kind); }
    int pid() const noexcept { return raw_.pid; }
    std::uint32_t generation() const noexcept { return raw_.generation; }
    time_point began() const noexcept { return time_point(std::chrono::nanoseconds(raw_.began_ns)); }
    time_point ready() const noexcept { return time_point(std::chrono::nanoseconds(raw_.ready_ns)); }
    wall_point began_wall() const noexcept { return wall_point(std::chrono::nanoseconds(raw_.began_wall_ns)); }
    wall_point ready_wall() const noexcept { return wall_point(std::chrono::nanoseconds(raw_.ready_wall_ns)); }
    const char *gupid() const noexcept { return raw_.gupid; }
    const char *app_type() const noexcept { return raw_.app_type; }

    const ps_worker_info &raw() const noexcept { return raw_; }

  private:
    ps_worker_info raw_;
};

/// A process that serves, or is on its way there:
///
///     procsup::worker worker = procsup::worker::spawn(supervisor, command.session("generic_app", "true"), std::chrono::seconds(30));
///     std::cout << worker.socket(0).address() << '\n';
///
/// ~worker frees the handle. THE PROCESS RUNS ON: it belongs to its supervisor; its standard input is closed unless its child was taken.
class worker : private detail::owner<ps_worker, ps_worker_free> {
    using base = detail::owner<ps_worker, ps_worker_free>;
    using maker = ps_status(ps_supervisor *, const ps_command *, std::int64_t, ps_worker **, ps_error **);

  public:
    using base::handle;
    using base::release;
    using base::reset;
    using base::operator bool;

    worker() noexcept = default;
    /// One of the C interface, which it takes.
    explicit worker(ps_worker *handle) noexcept : base(handle) {}

    /// Starts one by itself, and waits until it is ready.
    [[nodiscard]] static worker spawn(supervisor &of, const command &what, time_limit timeout = milliseconds(-1))
    {
        return make(ps_spawn_direct, of.handle(), what, timeout);
    }
    [[nodiscard]] static worker spawn(supervisor &of, const command &what, time_limit timeout, std::error_code &ec) noexcept
    {
        return make(ec, ps_spawn_direct, of.handle(), what, timeout);
    }
    /// `why` gets the whole error: journey, output, and what it has said of its failure.
    [[nodiscard]] static worker spawn(supervisor &of, const command &what, time_limit timeout, std::error_code &ec,
                                      error_info &why) noexcept
    {
        ps_worker *made = nullptr;
        if (!ec) {
            why = error_info();
            detail::call_into(why, ps_spawn_direct, of.handle(), what.handle(), timeout, &made);
            ec = why.code();
        }
        return worker(made);
    }
    /// Under no supervisor.
    [[nodiscard]] static worker spawn(const command &what, time_limit timeout = milliseconds(-1))
    {
        return make(ps_spawn_direct, nullptr, what, timeout);
    }
    [[nodiscard]] static worker spawn(const command &what, time_limit timeout, std::error_code &ec) noexcept
    {
        return make(ec, ps_spawn_direct, nullptr, what, timeout);
    }

    /// Begins to: event_kind::ready or event_kind::failed says what has come of it.
    [[nodiscard]] static worker begin(supervisor &of, const command &what, time_limit timeout = milliseconds(-1))
    {
        return make(ps_spawn_direct_begin, of.handle(), what, timeout);
    }
    [[nodiscard]] static worker begin(supervisor &of, const command &what, time_limit timeout, std::error_code &ec) noexcept
    {
        return make(ec, ps_spawn_direct_begin, of.handle(), what, timeout);
    }

    /// Waits until it is ready, or never will be. errc::timeout: not yet.
    void wait(time_limit timeout = forever) { detail::call(ps_worker_wait, handle(), timeout); }
    void wait(time_limit timeout, std::error_code &ec) noexcept { detail::call(ec, ps_worker_wait, handle(), timeout); }
    void wait(time_limit timeout, std::error_code &ec, error_info &why) noexcept
    {
        why = error_info();
        detail::call_into(why, ps_worker_wait, handle(), timeout);
        ec = why.code();
    }

    /// Its child: from now on that handle is the caller's, and outlives this object. Once: a second one would free the same.
    [[nodiscard]] child take_child()
    {
        ps_child *taken = nullptr;
        detail::call(ps_worker_child, handle(), &taken);
        return child(taken);
    }
    [[nodiscard]] child take_child(std::error_code &ec) noexcept
    {
        ps_child *taken = nullptr;
        detail::call(ec, ps_worker_child, handle(), &taken);
        return child(taken);
    }
    /// The writing end of its standard input; closed, it asks the worker to end.
    [[nodiscard]] unique_fd take_stdin()
    {
        std::int32_t fd = -1;
        detail::call(ps_worker_stdin, handle(), &fd);
        return unique_fd(fd);
    }
    [[nodiscard]] unique_fd take_stdin(std::error_code &ec) noexcept
    {
        std::int32_t fd = -1;
        detail::call(ec, ps_worker_stdin, handle(), &fd);
        return unique_fd(fd);
    }

    std::uint32_t socket_count() const { return number(ps_worker_socket_count); }
    std::uint32_t socket_count(std::error_code &ec) const noexcept { return number(ec, ps_worker_socket_count); }
    /// 0 for one that was started by itself.
    std::uint32_t generation() const { return number(ps_worker_generation); }
    std::uint32_t generation(std::error_code &ec) const noexcept { return number(ec, ps_worker_generation); }

    worker_socket socket(std::uint32_t index) const
    {
        auto raw = empty<struct ::ps_worker_socket>();
        detail::call(::ps_worker_socket, handle(), index, &raw);
        return worker_socket(raw);
    }
    worker_socket socket(std::uint32_t index, std::error_code &ec) const noexcept
    {
        auto raw = empty<struct ::ps_worker_socket>();
        detail::call(ec, ::ps_worker_socket, handle(), index, &raw);
        return worker_socket(raw);
    }
    worker_info info() const
    {
        auto raw = empty<ps_worker_info>();
        detail::call(ps_worker_get_info, handle(), &raw);
        return worker_info(raw);
    }
    worker_info info(std::error_code &ec) const noexcept
    {
        auto raw = empty<ps_worker_info>();
        detail::call(ec, ps_worker_get_info, handle(), &raw);
        return worker_info(raw);
    }

    /// The way it took until it was ready, or failed.
    std::string journey(render_format format = render_format::text) const { return cut(detail::bytes(ps_worker_journey, handle(), format)); }
    std::string journey(render_format format, std::error_code &ec) const
    {
        return cut(detail::bytes(ec, ps_worker_journey, handle(), format));
    }

  private:
    using asks_number = ps_status(const ps_worker *, std::uint32_t *, ps_error **);

    static worker make(maker *how, ps_supervisor *of, const command &what, time_limit timeout)
    {
        ps_worker *made = nullptr;
        detail::call(how, of, what.handle(), timeout, &made);
        return worker(made);
    }
    static worker make(std::error_code &ec, maker *how, ps_supervisor *of, const command &what, time_limit timeout) noexcept
    {
        ps_worker *made = nullptr;
        if (!ec)
            detail::call(ec, how, of, what.handle(), timeout, &made);
        return worker(made);
    }
    std::uint32_t number(asks_number *ask) const
    {
        std::uint32_t value = 0;
        detail::call(ask, handle(), &value);
        return value;
    }
    std::uint32_t number(std::error_code &ec, asks_number *ask) const noexcept
    {
        std::uint32_t value = 0;
        detail::call(ec, ask, handle(), &value);
        return value;
    }
    /// Without the NUL behind it.
    static std::string cut(std::string text)
    {
        if (!text.empty())
            text.pop_back();
        return text;
    }
    template <typename Raw> static Raw empty() noexcept
    {
        Raw raw = {};
        raw.size = sizeof raw;
        return raw;
    }
};

/// An application that is loaded once, and forks its workers:
///
///     procsup::preloader preloader(command);
///     procsup::worker worker = preloader.spawn(supervisor, std::chrono::seconds(30));
///
/// ~preloader stops it, which takes a second at the most, as a rule none; its workers live on.
class preloader : private detail::owner<ps_preloader, ps_preloader_free> {
    using base = detail::owner<ps_preloader, ps_preloader_free>;

  public:
    using base::handle;
    using base::release;
    using base::reset;
    using base::operator bool;

    preloader() noexcept = default;
    /// One of the C interface, which it takes.
    explicit preloader(ps_preloader *handle) noexcept : base(handle) {}
    /// One that will run this command when the first worker is asked for.
    explicit preloader(const command &what) : base(make(what)) {}

    /// An argument of its session, and of those of its workers; nullptr takes it away.
    preloader &set(zstring name, zstring value)
    {
        detail::call(ps_preloader_set, handle(), name, value);
        return *this;
    }
    preloader &set(zstring name, zstring value, std::error_code &ec) noexcept
    {
        detail::call(ec, ps_preloader_set, handle(), name, value);
        return *this;
    }
    preloader &protocol(preloader_protocol which)
    {
        detail::call(ps_preloader_set_protocol, handle(), which);
        return *this;
    }
    preloader &protocol(preloader_protocol which, std::error_code &ec) noexcept
    {
        detail::call(ec, ps_preloader_set_protocol, handle(), which);
        return *this;
    }
    /// How long it may be of no use before it is stopped.
    preloader &idle_stop(time_limit after)
    {
        detail::call(ps_preloader_set_idle_stop, handle(), after);
        return *this;
    }
    preloader &idle_stop(time_limit after, std::error_code &ec) noexcept
    {
        detail::call(ec, ps_preloader_set_idle_stop, handle(), after);
        return *this;
    }

    /// Keeps so many workers that wait, none of them for longer than `max_age`. Of preloader_protocol::native alone.
    preloader &pool(std::uint32_t idle, time_limit max_age = forever)
    {
        detail::call(ps_preloader_set_pool, handle(), idle, max_age);
        return *this;
    }
    preloader &pool(std::uint32_t idle, time_limit max_age, std::error_code &ec) noexcept
    {
        detail::call(ec, ps_preloader_set_pool, handle(), idle, max_age);
        return *this;
    }
    /// Replaced as by reload() when its own memory has grown beyond this; no more spawns after so many births in a row that came to nothing. 0: none.
    preloader &limits(std::uint64_t memory_bytes, std::uint32_t dead_births)
    {
        detail::call(ps_preloader_set_limits, handle(), memory_bytes, dead_births);
        return *this;
    }
    preloader &limits(std::uint64_t memory_bytes, std::uint32_t dead_births, std::error_code &ec) noexcept
    {
        detail::call(ec, ps_preloader_set_limits, handle(), memory_bytes, dead_births);
        return *this;
    }
    /// Starts the process and fills the pool; blocks.
    void warm(supervisor &of, time_limit timeout = milliseconds(-1)) { detail::call(ps_preloader_warm, handle(), of.handle(), timeout); }
    void warm(supervisor &of, time_limit timeout, std::error_code &ec) noexcept
    {
        detail::call(ec, ps_preloader_warm, handle(), of.handle(), timeout);
    }

    /// Starts a worker, and waits until it is ready.
    [[nodiscard]] worker spawn(supervisor &of, time_limit timeout = milliseconds(-1))
    {
        return make(ps_preloader_spawn, of, nullptr, timeout);
    }
    [[nodiscard]] worker spawn(supervisor &of, time_limit timeout, std::error_code &ec) noexcept
    {
        ps_worker *made = nullptr;
        detail::call(ec, ps_preloader_spawn, handle(), of.handle(), static_cast<const ps_command *>(nullptr), timeout, &made);
        return worker(made);
    }
    /// With what is this worker's own: descriptors, streams, stop plan, user data.
    [[nodiscard]] worker spawn(supervisor &of, const command &what, time_limit timeout = milliseconds(-1))
    {
        return make(ps_preloader_spawn, of, what.handle(), timeout);
    }
    [[nodiscard]] worker spawn(supervisor &of, const command &what, time_limit timeout, std::error_code &ec) noexcept
    {
        ps_worker *made = nullptr;
        if (!ec)
            detail::call(ec, ps_preloader_spawn, handle(), of.handle(), what.handle(), timeout, &made);
        return worker(made);
    }
    /// `why` gets the whole error: journey, output, and what it has said of its failure.
    [[nodiscard]] worker spawn(supervisor &of, const command &what, time_limit timeout, std::error_code &ec, error_info &why) noexcept
    {
        ps_worker *made = nullptr;
        if (!ec) {
            why = error_info();
            detail::call_into(why, ps_preloader_spawn, handle(), of.handle(), what.handle(), timeout, &made);
            ec = why.code();
        }
        return worker(made);
    }
    /// Begins to: event_kind::ready or event_kind::failed says what has come of it.
    [[nodiscard]] worker begin(supervisor &of, time_limit timeout = milliseconds(-1))
    {
        return make(ps_preloader_spawn_begin, of, nullptr, timeout);
    }
    [[nodiscard]] worker begin(supervisor &of, time_limit timeout, std::error_code &ec) noexcept
    {
        ps_worker *made = nullptr;
        detail::call(ec, ps_preloader_spawn_begin, handle(), of.handle(), static_cast<const ps_command *>(nullptr), timeout, &made);
        return worker(made);
    }
    [[nodiscard]] worker begin(supervisor &of, const command &what, time_limit timeout = milliseconds(-1))
    {
        return make(ps_preloader_spawn_begin, of, what.handle(), timeout);
    }
    [[nodiscard]] worker begin(supervisor &of, const command &what, time_limit timeout, std::error_code &ec) noexcept
    {
        ps_worker *made = nullptr;
        if (!ec)
            detail::call(ec, ps_preloader_spawn_begin, handle(), of.handle(), what.handle(), timeout, &made);
        return worker(made);
    }

    /// A worker of it that is ready becomes its next process, warm as it is.
    void promote(worker &successor, time_limit timeout = milliseconds(-1))
    {
        detail::call(ps_preloader_promote, handle(), successor.handle(), timeout);
    }
    void promote(worker &successor, time_limit timeout, std::error_code &ec) noexcept
    {
        detail::call(ec, ps_preloader_promote, handle(), successor.handle(), timeout);
    }

    /// The application has changed: no worker is taken from its process of before any more.
    void reload() { detail::call(ps_preloader_reload, handle()); }
    void reload(std::error_code &ec) noexcept { detail::call(ec, ps_preloader_reload, handle()); }
    /// Stops its process; it comes back when it is needed.
    void stop(time_limit grace = milliseconds(-1)) { detail::call(ps_preloader_stop, handle(), grace); }
    void stop(time_limit grace, std::error_code &ec) noexcept { detail::call(ec, ps_preloader_stop, handle(), grace); }

    std::uint32_t generation() const { return value<std::uint32_t>(ps_preloader_generation); }
    std::uint32_t generation(std::error_code &ec) const noexcept { return value<std::uint32_t>(ec, ps_preloader_generation); }
    /// 0: it does not run.
    int pid() const { return value<std::int32_t>(ps_preloader_pid); }
    int pid(std::error_code &ec) const noexcept { return value<std::int32_t>(ec, ps_preloader_pid); }
    /// Before its first use: when it was made.
    exit_record::time_point last_used() const { return moment(value<std::int64_t>(ps_preloader_last_used)); }
    exit_record::time_point last_used(std::error_code &ec) const noexcept { return moment(value<std::int64_t>(ec, ps_preloader_last_used)); }

  private:
    static ps_preloader *make(const command &what)
    {
        ps_preloader *made = nullptr;
        detail::call(ps_preloader_new, what.handle(), &made);
        return made;
    }
    template <typename Value> Value value(ps_status ask(const ps_preloader *, Value *, ps_error **)) const
    {
        Value value = 0;
        detail::call(ask, handle(), &value);
        return value;
    }
    template <typename Value> Value value(std::error_code &ec, ps_status ask(const ps_preloader *, Value *, ps_error **)) const noexcept
    {
        Value value = 0;
        detail::call(ec, ask, handle(), &value);
        return value;
    }
    static exit_record::time_point moment(std::int64_t ns) noexcept { return exit_record::time_point(std::chrono::nanoseconds(ns)); }

    using starter = ps_status(ps_preloader *, ps_supervisor *, const ps_command *, std::int64_t, ps_worker **, ps_error **);

    worker make(starter *how, supervisor &of, const ps_command *what, time_limit timeout)
    {
        ps_worker *made = nullptr;
        detail::call(how, handle(), of.handle(), what, timeout, &made);
        return worker(made);
    }
};

// ---- inside a preloader -----------------------------------------------------------------------------------------------------------

/// A process that a host has started as its preloader, and a worker that was forked from it, as they see themselves:
///
///     auto self = procsup::preload::open();
///     load_everything();
///     self.ready(procsup::fork_way::sibling);
///     if (self.serve() == procsup::preload_role::worker) {
///         self.worker_ready();
///         work();
///     }
///
/// In a worker the same object stands for the worker. ~preload gives the channel to the host up: a preloader that does so is asked for nothing more.
class preload : private detail::owner<ps_preload, ps_preload_free> {
    using base = detail::owner<ps_preload, ps_preload_free>;

  public:
    /// Called around each fork, on the stack of who calls fork(). They must not throw: a C function calls them.
    using hook = void(void *);

    using base::handle;
    using base::release;
    using base::reset;
    using base::operator bool;

    preload() noexcept = default;
    /// One of the C interface, which it takes.
    explicit preload(ps_preload *handle) noexcept : base(handle) {}

    /// From the environment, once. errc::not_found: no host has started this process as a preloader.
    [[nodiscard]] static preload open()
    {
        ps_preload *made = nullptr;
        detail::call(ps_preload_open, &made);
        return preload(made);
    }
    [[nodiscard]] static preload open(std::error_code &ec) noexcept
    {
        ps_preload *made = nullptr;
        detail::call(ec, ps_preload_open, &made);
        return preload(made);
    }

    /// Huge pages for what was loaded, once. errc::unsupported before Linux 6.1.
    void collapse() { detail::call(ps_preload_collapse, handle()); }
    void collapse(std::error_code &ec) noexcept { detail::call(ec, ps_preload_collapse, handle()); }

    /// What is called before each fork, after it in the preloader, and in the worker when its gate has opened. nullptr: nothing.
    void on_fork(hook *before, hook *in_preloader, hook *in_worker, void *data = nullptr)
    {
        detail::call(ps_preload_on_fork, handle(), before, in_preloader, in_worker, data);
    }
    void on_fork(hook *before, hook *in_preloader, hook *in_worker, void *data, std::error_code &ec) noexcept
    {
        detail::call(ec, ps_preload_on_fork, handle(), before, in_preloader, in_worker, data);
    }

    /// Loaded: workers may be asked for.
    void ready(fork_way how = fork_way::libc, bool collapse_pages = false)
    {
        detail::call(ps_preload_ready, handle(), flags(how, collapse_pages));
    }
    void ready(fork_way how, bool collapse_pages, std::error_code &ec) noexcept
    {
        detail::call(ec, ps_preload_ready, handle(), flags(how, collapse_pages));
    }
    /// Loading has failed: the host's error has this text.
    void failed(zstring text) { detail::call(ps_preload_failed, handle(), text); }
    void failed(zstring text, std::error_code &ec) noexcept { detail::call(ec, ps_preload_failed, handle(), text); }

    /// Does what the host asks for next: forks once at the most. errc::timeout: it asked for nothing. errc::state: refused, for other threads run.
    preload_role fork(time_limit timeout = forever)
    {
        std::int32_t role = PS_ROLE_PRELOADER;
        detail::call(ps_preload_fork, handle(), timeout, &role);
        return static_cast<preload_role>(role);
    }
    preload_role fork(time_limit timeout, std::error_code &ec) noexcept
    {
        std::int32_t role = PS_ROLE_PRELOADER;
        detail::call(ec, ps_preload_fork, handle(), timeout, &role);
        return static_cast<preload_role>(role);
    }
    /// Forks for as long as the host wants workers: returns in each worker, and in the preloader when it is to stop. Throws as fork(), and may be
    /// called again.
    preload_role serve()
    {
        preload_role role = preload_role::preloader;
        while (role == preload_role::preloader)
            role = fork();
        return role;
    }

    /// For a runtime that forks by itself: the next request; 0: it is to stop. Nothing: a signal handler has run meanwhile (and no error).
    std::optional<std::uint64_t> accept(time_limit timeout = forever)
    {
        std::uint64_t request = 0;
        const ps_status status = detail::call(ps_preload_accept, handle(), timeout, &request);
        return status == PS_OK ? std::optional<std::uint64_t>(request) : std::nullopt;
    }
    std::optional<std::uint64_t> accept(time_limit timeout, std::error_code &ec) noexcept
    {
        std::uint64_t request = 0;
        const ps_status status = detail::call(ec, ps_preload_accept, handle(), timeout, &request);
        return status == PS_OK ? std::optional<std::uint64_t>(request) : std::nullopt;
    }
    /// It has forked: what fork(2) gave, or -errno. In the worker it returns when the gate has opened.
    void forked(std::uint64_t request, int pid) { detail::call(ps_preload_forked, handle(), request, static_cast<std::int32_t>(pid)); }
    void forked(std::uint64_t request, int pid, std::error_code &ec) noexcept
    {
        detail::call(ec, ps_preload_forked, handle(), request, static_cast<std::int32_t>(pid));
    }

    /// The descriptor to wait on, for reading. Borrowed: do not read or close it.
    int fd() const
    {
        std::int32_t fd = -1;
        detail::call(ps_preload_fd, handle(), &fd);
        return fd;
    }
    int fd(std::error_code &ec) const noexcept
    {
        std::int32_t fd = -1;
        detail::call(ec, ps_preload_fd, handle(), &fd);
        return fd;
    }

    /// A worker: it serves.
    void worker_ready() { detail::call(ps_worker_ready, handle()); }
    void worker_ready(std::error_code &ec) noexcept { detail::call(ec, ps_worker_ready, handle()); }
    /// A worker: what the host wants of it. Without a time it does not wait.
    worker_asked asked(time_limit timeout = milliseconds(0))
    {
        std::int32_t what = PS_ASKED_NOTHING;
        detail::call(ps_worker_asked, handle(), timeout, &what);
        return static_cast<worker_asked>(what);
    }
    worker_asked asked(time_limit timeout, std::error_code &ec) noexcept
    {
        std::int32_t what = PS_ASKED_NOTHING;
        detail::call(ec, ps_worker_asked, handle(), timeout, &what);
        return static_cast<worker_asked>(what);
    }

  private:
    static std::int32_t flags(fork_way how, bool collapse_pages) noexcept
    {
        return static_cast<std::int32_t>(how) | (collapse_pages ? PS_PRELOAD_COLLAPSE : 0);
    }
};

// ---- handoff ----------------------------------------------------------------------------------------------------------------------

/// What a server is told in the course of a handoff: ps_handoff_event. A value.
class handoff_event {
  public:
    using time_point = std::chrono::steady_clock::time_point; // CLOCK_MONOTONIC

    explicit handoff_event(const ps_handoff_event &raw) noexcept : raw_(raw) {}

    handoff_event_kind kind() const noexcept { return static_cast<handoff_event_kind>(raw_.kind); }
    /// Which handoff; the same number on both sides.
    std::uint64_t handoff_id() const noexcept { return raw_.handoff_id; }
    /// live: what the last owner has sealed.
    std::uint64_t revision() const noexcept { return raw_.revision; }
    /// live: the owner died before it had sealed. resume: the successor may have written.
    bool unsealed() const noexcept { return raw_.unsealed != 0; }
    /// The other process, for display; 0 if there was none.
    int peer_pid() const noexcept { return raw_.peer_pid; }
    /// aborted: why; handoff::reason has the words.
    errc reason() const noexcept { return static_cast<errc>(raw_.reason); }
    /// drain, seal, live: answer before this. Nothing: no answer is awaited.
    std::optional<time_point> deadline() const noexcept
    {
        return raw_.deadline_ns == 0 ? std::nullopt : std::optional<time_point>(time_point(std::chrono::nanoseconds(raw_.deadline_ns)));
    }
    time_point time() const noexcept { return time_point(std::chrono::nanoseconds(raw_.time_ns)); }
    /// Where this event puts this process; so which side of committed and aborted it is.
    handoff_phase phase() const noexcept { return static_cast<handoff_phase>(raw_.phase); }

    const ps_handoff_event &raw() const noexcept { return raw_; }

  private:
    ps_handoff_event raw_;
};

/// What came of one handoff: ps_outcome. A value.
class handoff_outcome {
  public:
    using time_point = std::chrono::steady_clock::time_point; // CLOCK_MONOTONIC

    explicit handoff_outcome(const ps_outcome &raw) noexcept : raw_(raw) {}

    /// The successor owns; else it came to nothing, and the old generation went on.
    bool committed() const noexcept { return raw_.committed != 0; }
    std::uint64_t handoff_id() const noexcept { return raw_.handoff_id; }
    /// Why it came to nothing; the rendered text has the words.
    errc reason() const noexcept { return static_cast<errc>(raw_.reason); }
    /// How far it had come.
    handoff_phase phase() const noexcept { return static_cast<handoff_phase>(raw_.phase); }
    handoff_mode mode() const noexcept { return static_cast<handoff_mode>(raw_.mode); }
    /// Storage had to be read anew.
    bool unsealed() const noexcept { return raw_.unsealed != 0; }
    int old_pid() const noexcept { return raw_.old_pid; }
    int new_pid() const noexcept { return raw_.new_pid; }
    std::uint64_t old_generation() const noexcept { return raw_.old_generation; }
    std::uint64_t new_generation() const noexcept { return raw_.new_generation; }
    std::string old_build_id() const { return raw_.old_build_id; }
    std::string new_build_id() const { return raw_.new_build_id; }
    time_point began() const noexcept { return time_point(std::chrono::nanoseconds(raw_.began_ns)); }
    time_point ended() const noexcept { return time_point(std::chrono::nanoseconds(raw_.ended_ns)); }
    /// How long nobody served.
    std::chrono::nanoseconds gap() const noexcept { return std::chrono::nanoseconds(raw_.gap_ns); }
    std::uint32_t connections_open() const noexcept { return raw_.connections_open; }
    std::uint32_t connections_passed() const noexcept { return raw_.connections_passed; }
    std::uint32_t connections_taken() const noexcept { return raw_.connections_taken; }
    std::uint32_t connections_left() const noexcept { return raw_.connections_left; }

    /// Each time stamp is there.
    const ps_outcome &raw() const noexcept { return raw_; }

  private:
    ps_outcome raw_;
};

/// One generation's end of a handoff. procsup.h shows how a server uses it; here is the part that C++ changes:
///
///     procsup::handoff handoff("/run/kv.sock");
///     procsup::unique_fd listener = handoff.take_fd("http");       // empty: this is the first generation
///     if (!listener)
///         handoff.set_fd("http", (listener = bind_and_listen()).get());
///     load_everything();
///     if (handoff.role() == procsup::handoff_role::successor)
///         handoff.warm();
///     while (auto event = handoff.next_event(procsup::forever))
///         switch (event->kind()) { ... }
class handoff : private detail::owner<ps_handoff, ps_handoff_free> {
    using base = detail::owner<ps_handoff, ps_handoff_free>;

  public:
    using base::handle;
    using base::release;
    /// As the destructor: calls off what is not committed.
    using base::reset;
    using base::operator bool;

    /// Blocks only for a successor, until everything was offered: 5 seconds at the most.
    explicit handoff(zstring control_path) : base(make(control_path)) {}
    handoff(zstring control_path, std::error_code &ec) noexcept
    {
        ps_handoff *made = nullptr;
        detail::call(ec, ps_handoff_new, control_path, &made);
        reset(made);
    }
    /// An empty one, or one of the C interface, which it takes.
    explicit handoff(ps_handoff *handle) noexcept : base(handle) {}

    /// Whether this process started cold.
    handoff_role role() const { return static_cast<handoff_role>(number(ps_handoff_role)); }
    handoff_role role(std::error_code &ec) const noexcept { return static_cast<handoff_role>(number(ec, ps_handoff_role)); }

    /// Whether this process was spawned to be a successor: asked before all else, by a server that daemonizes. Without a path: of any.
    static bool was_spawned(zstring control_path) { return spawned(control_path); }
    static bool was_spawned() { return spawned(nullptr); }

    /// Where this process stands: what it may do now.
    handoff_phase phase() const { return static_cast<handoff_phase>(number(ps_handoff_phase)); }
    handoff_phase phase(std::error_code &ec) const noexcept { return static_cast<handoff_phase>(number(ec, ps_handoff_phase)); }

    /// Which generation owns, as this process sees it.
    std::uint64_t generation() const
    {
        std::uint64_t value = 0;
        detail::call(ps_handoff_generation, handle(), &value);
        return value;
    }
    std::uint64_t generation(std::error_code &ec) const noexcept
    {
        std::uint64_t value = 0;
        detail::call(ec, ps_handoff_generation, handle(), &value);
        return value;
    }

    /// Whether this process can be replaced where it runs: errc::unsupported in a unit of systemd that hears nobody.
    static void check_service() { detail::call(ps_handoff_check_service); }
    static void check_service(std::error_code &ec) noexcept { detail::call(ec, ps_handoff_check_service); }
    /// Whether upgrade() refuses there.
    void set_service_check(bool on) { detail::call(ps_handoff_set_service_check, handle(), on); }
    void set_service_check(bool on, std::error_code &ec) noexcept { detail::call(ec, ps_handoff_set_service_check, handle(), on); }
    /// Whether two generations may serve at once.
    void set_mode(handoff_mode mode) { detail::call(ps_handoff_set_mode, handle(), mode); }
    void set_mode(handoff_mode mode, std::error_code &ec) noexcept { detail::call(ec, ps_handoff_set_mode, handle(), mode); }

    /// How long the next handoffs wait for what.
    void set_timeout(handoff_timeout which, time_limit time) { detail::call(ps_handoff_set_timeout, handle(), which, time); }
    void set_timeout(handoff_timeout which, time_limit time, std::error_code &ec) noexcept
    {
        detail::call(ec, ps_handoff_set_timeout, handle(), which, time);
    }

    /// Hands a descriptor on under a name. A duplicate is kept.
    void set_fd(zstring name, int fd) { detail::call(ps_handoff_set_fd, handle(), name, fd); }
    void set_fd(zstring name, int fd, std::error_code &ec) noexcept { detail::call(ec, ps_handoff_set_fd, handle(), name, fd); }

    /// It is handed on no more.
    void remove_fd(zstring name) { set_fd(name, -1); }
    void remove_fd(zstring name, std::error_code &ec) noexcept { set_fd(name, -1, ec); }

    /// Claims a descriptor that was handed on. Empty: there is none of this name (and no error).
    [[nodiscard]] unique_fd take_fd(zstring name)
    {
        error_info info;
        unique_fd fd = take(info, name);
        if (info)
            detail::raise(std::move(info));
        return fd;
    }
    [[nodiscard]] unique_fd take_fd(zstring name, std::error_code &ec) noexcept
    {
        error_info info;
        unique_fd fd = take(info, name);
        ec = info.code();
        return fd;
    }

    /// The names that were handed on and not taken, in the order of their bytes.
    std::vector<std::string> fd_names() const { return lines(detail::bytes(ps_handoff_fd_names, handle())); }
    std::vector<std::string> fd_names(std::error_code &ec) const { return lines(detail::bytes(ec, ps_handoff_fd_names, handle())); }

    /// Passes an open connection on, with what was read of it and is not answered yet (see CONNECTIONS in procsup.h).
    void pass_connection(int fd, byte_view read = {})
    {
        detail::call(ps_handoff_pass_connection, handle(), fd, read.data(), read.size());
    }
    void pass_connection(int fd, byte_view read, std::error_code &ec) noexcept
    {
        detail::call(ec, ps_handoff_pass_connection, handle(), fd, read.data(), read.size());
    }

    /// Passes it on no more: before you close it. False: it was not passed on (and no error).
    bool keep_connection(int fd)
    {
        error_info info;
        const bool kept = keep(info, fd);
        if (info)
            detail::raise(std::move(info));
        return kept;
    }
    bool keep_connection(int fd, std::error_code &ec) noexcept
    {
        error_info info;
        const bool kept = keep(info, fd);
        ec = info.code();
        return kept;
    }

    /// A connection that was passed on; empty: none.
    struct connection {
        unique_fd fd;
        std::string read; ///< what the last generation has read of it and not answered
        explicit operator bool() const noexcept { return bool(fd); }
    };

    /// Claims the next connection. Empty: none is left (and no error).
    [[nodiscard]] connection take_connection()
    {
        error_info info;
        connection taken = next_connection(info);
        if (info)
            detail::raise(std::move(info));
        return taken;
    }
    [[nodiscard]] connection take_connection(std::error_code &ec)
    {
        error_info info;
        connection taken = next_connection(info);
        ec = info.code();
        return taken;
    }

    /// The state for the next generation: any bytes, copied.
    void set_state(byte_view bytes) { detail::call(ps_handoff_set_state, handle(), bytes.data(), bytes.size()); }
    void set_state(byte_view bytes, std::error_code &ec) noexcept
    {
        detail::call(ec, ps_handoff_set_state, handle(), bytes.data(), bytes.size());
    }

    /// The state that was handed on; empty if there is none.
    std::string state() const { return detail::bytes(state_of, handle()); }
    std::string state(std::error_code &ec) const { return detail::bytes(ec, state_of, handle()); }

    /// The descriptor to wait on, for reading. Borrowed: do not read or close it.
    int fd() const { return number(ps_handoff_fd); }
    int fd(std::error_code &ec) const noexcept { return number(ec, ps_handoff_fd); }

    /// Takes the next event and does what is due. Without a time it does not wait. Nothing: there is none (and no error).
    std::optional<handoff_event> next_event(time_limit timeout = milliseconds(0))
    {
        ps_handoff_event raw = empty();
        const ps_status status = detail::call(ps_handoff_next_event, handle(), timeout, &raw);
        return status == PS_OK ? std::optional<handoff_event>(raw) : std::nullopt;
    }
    std::optional<handoff_event> next_event(time_limit timeout, std::error_code &ec) noexcept
    {
        ps_handoff_event raw = empty();
        const ps_status status = detail::call(ec, ps_handoff_next_event, handle(), timeout, &raw);
        return status == PS_OK ? std::optional<handoff_event>(raw) : std::nullopt;
    }

    /// Successor: everything is loaded.
    void warm() { detail::call(ps_handoff_warm, handle()); }
    void warm(std::error_code &ec) noexcept { detail::call(ec, ps_handoff_warm, handle()); }

    /// Answers drain.
    void drained(std::uint32_t open_connections = 0) { detail::call(ps_handoff_drained, handle(), open_connections); }
    void drained(std::uint32_t open_connections, std::error_code &ec) noexcept
    {
        detail::call(ec, ps_handoff_drained, handle(), open_connections);
    }

    /// Answers seal: this is the commit.
    void sealed(std::uint64_t revision) { detail::call(ps_handoff_sealed, handle(), revision); }
    void sealed(std::uint64_t revision, std::error_code &ec) noexcept { detail::call(ec, ps_handoff_sealed, handle(), revision); }

    /// Answers live: this process serves.
    void live() { detail::call(ps_handoff_live, handle()); }
    void live(std::error_code &ec) noexcept { detail::call(ec, ps_handoff_live, handle()); }

    /// This side cannot go on.
    void failed(zstring reason) { detail::call(ps_handoff_failed, handle(), reason); }
    void failed(zstring reason, std::error_code &ec) noexcept { detail::call(ec, ps_handoff_failed, handle(), reason); }

    /// Owner: spawns its successor and hands over to it. `why` gets errno and step of a failure.
    void upgrade(const command &successor, time_limit deadline)
    {
        detail::call(ps_handoff_upgrade, handle(), successor.handle(), deadline);
    }
    void upgrade(const command &successor, time_limit deadline, std::error_code &ec) noexcept
    {
        if (!ec)
            detail::call(ec, ps_handoff_upgrade, handle(), successor.handle(), deadline);
    }
    void upgrade(const command &successor, time_limit deadline, std::error_code &ec, error_info &why) noexcept
    {
        if (!ec) {
            why = error_info();
            detail::call_into(why, ps_handoff_upgrade, handle(), successor.handle(), deadline);
            ec = why.code();
        }
    }

    /// Owner: calls the handoff off; possible until the commit.
    void cancel() { detail::call(ps_handoff_cancel, handle()); }
    void cancel(std::error_code &ec) noexcept { detail::call(ec, ps_handoff_cancel, handle()); }

    /// Why the last handoff came to nothing, in words.
    std::string reason() const { return detail::bytes(ps_handoff_reason, handle()); }
    std::string reason(std::error_code &ec) const { return detail::bytes(ec, ps_handoff_reason, handle()); }

    /// Which build this process is, for the records of handoffs.
    void set_build_id(zstring build_id) { detail::call(ps_handoff_set_build_id, handle(), build_id); }
    void set_build_id(zstring build_id, std::error_code &ec) noexcept { detail::call(ec, ps_handoff_set_build_id, handle(), build_id); }

    /// What came of a handoff that is over: 0 is the last. Nothing: there were not so many (and no error).
    std::optional<handoff_outcome> outcome(std::uint32_t index = 0) const
    {
        error_info info;
        auto found = record(info, index);
        if (info)
            detail::raise(std::move(info));
        return found;
    }
    std::optional<handoff_outcome> outcome(std::uint32_t index, std::error_code &ec) const noexcept
    {
        error_info info;
        auto found = record(info, index);
        ec = info.code();
        return found;
    }
    /// The same for people and programs.
    std::string outcome_text(std::uint32_t index = 0, render_format format = render_format::text) const
    {
        return cut(detail::bytes(ps_handoff_outcome_text, handle(), index, format));
    }
    std::string outcome_text(std::uint32_t index, render_format format, std::error_code &ec) const
    {
        return cut(detail::bytes(ec, ps_handoff_outcome_text, handle(), index, format));
    }

  private:
    using asks_number = ps_status (*)(const ps_handoff *, std::int32_t *, ps_error **);

    template <typename Path> static bool spawned(Path control_path)
    {
        std::int32_t value = 0;
        detail::call(ps_handoff_was_spawned, control_path, &value);
        return value != 0;
    }
    static ps_handoff *make(zstring control_path)
    {
        ps_handoff *made = nullptr;
        detail::call(ps_handoff_new, control_path, &made);
        return made;
    }

    static ps_handoff_event empty() noexcept
    {
        ps_handoff_event raw{};
        raw.size = static_cast<std::uint32_t>(sizeof raw);
        return raw;
    }

    std::optional<handoff_outcome> record(error_info &info, std::uint32_t index) const noexcept
    {
        ps_outcome raw{};
        raw.size = static_cast<std::uint32_t>(sizeof raw);
        const ps_status status = detail::call_into(info, ps_handoff_outcome, handle(), index, &raw);
        if (status == PS_ERR_NOT_FOUND)
            info = error_info();
        return status == PS_OK ? std::optional<handoff_outcome>(raw) : std::nullopt;
    }

    /// Without the NUL that C wants.
    static std::string cut(std::string text)
    {
        if (!text.empty())
            text.pop_back();
        return text;
    }

    /// As the other functions that copy bytes out have it.
    static ps_status state_of(const ps_handoff *handle, char *buf, std::size_t cap, std::size_t *needed, ps_error **failure)
    {
        return ps_handoff_state(handle, buf, cap, needed, failure);
    }

    static std::vector<std::string> lines(std::string_view text)
    {
        std::vector<std::string> all;
        for (std::size_t end; (end = text.find('\n')) != std::string_view::npos; text.remove_prefix(end + 1))
            all.emplace_back(text.substr(0, end));
        return all;
    }

    std::int32_t number(asks_number function) const
    {
        std::int32_t value = -1;
        detail::call(function, handle(), &value);
        return value;
    }
    std::int32_t number(std::error_code &ec, asks_number function) const noexcept
    {
        std::int32_t value = -1;
        detail::call(ec, function, handle(), &value);
        return value;
    }

    unique_fd take(error_info &info, zstring name) noexcept
    {
        std::int32_t fd = -1;
        if (detail::call_into(info, ps_handoff_take_fd, handle(), name, &fd) == PS_ERR_NOT_FOUND)
            info = error_info();
        return unique_fd(fd);
    }

    bool keep(error_info &info, int fd) noexcept
    {
        const ps_status status = detail::call_into(info, ps_handoff_keep_connection, handle(), fd);
        if (status == PS_ERR_NOT_FOUND)
            info = error_info();
        return status == PS_OK;
    }

    connection next_connection(error_info &info)
    {
        connection taken;
        std::int32_t fd = -1;
        std::size_t needed = 0;
        ps_status status;
        while ((status = detail::call_into(info, ps_handoff_take_connection, handle(), &fd, taken.read.empty() ? nullptr : &taken.read[0],
                                           taken.read.size(), &needed)) == PS_ERR_LIMIT &&
               needed > taken.read.size()) {
            info = error_info();
            taken.read.resize(needed);
        }
        if (status == PS_ERR_NOT_FOUND)
            info = error_info();
        if (status != PS_OK)
            return connection();
        taken.read.resize(needed);
        taken.fd = unique_fd(fd);
        return taken;
    }
};

// ---- without a supervisor, and everything at once ---------------------------------------------------------------------------------

/// Starts a command under no supervisor: no limits, no events; reap or terminate look after the child.
[[nodiscard]] inline child spawn(const command &what)
{
    ps_child *made = nullptr;
    detail::call(ps_spawn, static_cast<ps_supervisor *>(nullptr), what.handle(), &made);
    return child(made);
}
[[nodiscard]] inline child spawn(const command &what, std::error_code &ec) noexcept
{
    ps_child *made = nullptr;
    if (!ec)
        detail::call(ec, ps_spawn, static_cast<ps_supervisor *>(nullptr), what.handle(), &made);
    return child(made);
}
[[nodiscard]] inline child spawn(const command &what, std::error_code &ec, error_info &why) noexcept
{
    ps_child *made = nullptr;
    if (!ec) {
        why = error_info();
        detail::call_into(why, ps_spawn, static_cast<ps_supervisor *>(nullptr), what.handle(), &made);
        ec = why.code();
    }
    return child(made);
}

/// Programs of which each reads what the one before it writes, under no supervisor. All or none.
template <typename Range> [[nodiscard]] std::vector<child> spawn_pipeline(const Range &commands)
{
    return detail::pipeline(nullptr, commands);
}
template <typename Range> [[nodiscard]] std::vector<child> spawn_pipeline(const Range &commands, std::error_code &ec)
{
    return detail::pipeline(ec, nullptr, commands);
}
[[nodiscard]] inline std::vector<child> spawn_pipeline(command_list commands) { return detail::pipeline(nullptr, commands); }
[[nodiscard]] inline std::vector<child> spawn_pipeline(command_list commands, std::error_code &ec)
{
    return detail::pipeline(ec, nullptr, commands);
}

/// Starts a daemon, unless it runs already, and waits until it can be used. The child is empty if somebody else's runs. It goes on when this
/// process ends. `connect_to` nullptr: nowhere.
[[nodiscard]] inline child spawn_once(zstring dir, zstring name, const command &what, zstring connect_to, time_limit timeout)
{
    ps_child *made = nullptr;
    detail::call(ps_spawn_once, static_cast<ps_supervisor *>(nullptr), dir, name, what.handle(), connect_to, timeout, &made);
    return child(made);
}
[[nodiscard]] inline child spawn_once(zstring dir, zstring name, const command &what, zstring connect_to, time_limit timeout,
                                      std::error_code &ec) noexcept
{
    ps_child *made = nullptr;
    if (!ec)
        detail::call(ec, ps_spawn_once, static_cast<ps_supervisor *>(nullptr), dir, name, what.handle(), connect_to, timeout, &made);
    return child(made);
}
[[nodiscard]] inline child spawn_once(zstring dir, zstring name, const command &what, zstring connect_to, time_limit timeout,
                                      std::error_code &ec, error_info &why) noexcept
{
    ps_child *made = nullptr;
    if (!ec) {
        why = error_info();
        detail::call_into(why, ps_spawn_once, static_cast<ps_supervisor *>(nullptr), dir, name, what.handle(), connect_to, timeout, &made);
        ec = why.code();
    }
    return child(made);
}

/// What a program has said, its streams apart: the first bytes of each. A value.
struct output_text {
    std::string out, err;
    /// How many bytes followed that are not there.
    std::uint64_t out_lost = 0, err_lost = 0;

    bool out_cut() const noexcept { return out_lost != 0; }
    bool err_cut() const noexcept { return err_lost != 0; }
};

/// That, and how it ended.
struct answer : output_text {
    exit_record exit;

    bool success() const noexcept { return exit.success(); }
};

namespace detail {

inline void hear(error_info &info, output_text &text, ps_output *handle)
{
    const owner<ps_output, ps_output_free> said(handle);
    if (bytes_into(info, text.out, ps_output_data, handle, 1) >= 0 && bytes_into(info, text.err, ps_output_data, handle, 2) >= 0
        && call_into(info, ps_output_lost, handle, 1, &text.out_lost) >= 0)
        call_into(info, ps_output_lost, handle, 2, &text.err_lost);
}

inline answer run_into(error_info &info, const command &what, time_limit timeout, std::size_t max_bytes)
{
    answer it;
    ps_output *made = nullptr;
    if (call_into(info, ps_run, what.handle(), timeout, max_bytes, it.exit.out(), &made) >= 0)
        hear(info, it, made);
    return it;
}

inline output_text run_checked_into(error_info &info, const command &what, time_limit timeout, std::size_t max_bytes)
{
    output_text it;
    ps_output *made = nullptr;
    if (call_into(info, ps_run_checked, what.handle(), timeout, max_bytes, &made) >= 0)
        hear(info, it, made);
    return it;
}

} // namespace detail

/// Runs a command to its end and gives what it has said, the first max_bytes of each stream. Any end is an answer: look at exit.
/// errc::timeout: its stop plan has ended it; info().output() is what it had said.
///
///     auto log = procsup::run(procsup::command("git", {"log", "-1"}), 5s);
///     if (log.success())
///         std::cout << log.out;
inline answer run(const command &what, time_limit timeout = forever, std::size_t max_bytes = 1 << 20)
{
    error_info info;
    answer it = detail::run_into(info, what, timeout, max_bytes);
    if (info)
        detail::raise(std::move(info));
    return it;
}
inline answer run(const command &what, time_limit timeout, std::size_t max_bytes, std::error_code &ec, error_info &why)
{
    if (ec)
        return {};
    why = error_info();
    answer it = detail::run_into(why, what, timeout, max_bytes);
    ec = why.code();
    return it;
}
inline answer run(const command &what, time_limit timeout, std::size_t max_bytes, std::error_code &ec)
{
    error_info why;
    return run(what, timeout, max_bytes, ec, why);
}

/// The same, and an end that is no exit with 0 is an error: errc::exited, which says how it ended, and info().output() what it has said.
inline output_text run_checked(const command &what, time_limit timeout = forever, std::size_t max_bytes = 1 << 20)
{
    error_info info;
    output_text it = detail::run_checked_into(info, what, timeout, max_bytes);
    if (info)
        detail::raise(std::move(info));
    return it;
}
inline output_text run_checked(const command &what, time_limit timeout, std::size_t max_bytes, std::error_code &ec, error_info &why)
{
    if (ec)
        return {};
    why = error_info();
    output_text it = detail::run_checked_into(why, what, timeout, max_bytes);
    ec = why.code();
    return it;
}
inline output_text run_checked(const command &what, time_limit timeout, std::size_t max_bytes, std::error_code &ec)
{
    error_info why;
    return run_checked(what, timeout, max_bytes, ec, why);
}

// These three may be called from a signal handler.

/// Sends a signal to every child of this process. False for a number that is none.
inline bool signal_all(int number) noexcept { return ps_signal_all(number) == PS_OK; }
/// Kills and reaps every child of this process; blocks until all are reaped, at most `timeout`. How many are left.
inline std::uint32_t kill_and_reap_all(time_limit timeout) noexcept
{
    std::uint32_t left = 0;
    ps_kill_and_reap_all(timeout.count(), &left);
    return left;
}
/// How many children of this process have not been reaped.
inline std::uint32_t live_count() noexcept { return ps_live_count(); }

// A program that is itself a child, of procsup or of systemd: what its starter has given it, and how it answers.

/// How many descriptors it was given, from PS_LISTEN_FDS_START upwards; all are close-on-exec from then on.
inline int listen_fds()
{
    std::int32_t count = 0;
    detail::call(ps_listen_fds, &count);
    return count;
}
inline int listen_fds(std::error_code &ec) noexcept
{
    std::int32_t count = 0;
    detail::call(ec, ps_listen_fds, &count);
    return count;
}
/// The first of this name: errc::not_found if there is none. It is yours.
[[nodiscard]] inline unique_fd listen_fd_named(zstring name)
{
    std::int32_t fd = -1;
    detail::call(ps_listen_fd_named, name, &fd);
    return unique_fd(fd);
}
[[nodiscard]] inline unique_fd listen_fd_named(zstring name, std::error_code &ec) noexcept
{
    std::int32_t fd = -1;
    detail::call(ec, ps_listen_fd_named, name, &fd);
    return unique_fd(fd);
}
/// The name of one of them.
inline std::string listen_fd_name(int fd)
{
    std::string name = detail::bytes(ps_listen_fd_name, static_cast<std::int32_t>(fd));
    name.pop_back(); // the NUL
    return name;
}
inline std::string listen_fd_name(int fd, std::error_code &ec)
{
    std::string name = detail::bytes(ec, ps_listen_fd_name, static_cast<std::int32_t>(fd));
    if (!name.empty())
        name.pop_back();
    return name;
}
/// Tells the starter. False: NOT sent, for it has not read the last messages; see ps_notify for what must arrive.
inline bool notify(zstring state) { return detail::call(ps_notify, state) == PS_OK; }
inline bool notify(zstring state, std::error_code &ec) noexcept { return detail::call(ec, ps_notify, state) == PS_OK; }
/// The same with descriptors, for systemd's descriptor store ("FDSTORE=1\nFDNAME=http"); they stay yours.
template <typename List, typename = detail::if_list<std::int32_t, List>> bool notify_fds(zstring state, const List &fds)
{
    return detail::call(ps_notify_fds, state, std::data(fds), std::size(fds)) == PS_OK;
}
template <typename List, typename = detail::if_list<std::int32_t, List>>
bool notify_fds(zstring state, const List &fds, std::error_code &ec) noexcept
{
    return detail::call(ec, ps_notify_fds, state, std::data(fds), std::size(fds)) == PS_OK;
}
inline bool notify_fds(zstring state, std::initializer_list<std::int32_t> fds)
{
    return detail::call(ps_notify_fds, state, fds.begin(), fds.size()) == PS_OK;
}
inline bool notify_fds(zstring state, std::initializer_list<std::int32_t> fds, std::error_code &ec) noexcept
{
    return detail::call(ec, ps_notify_fds, state, fds.begin(), fds.size()) == PS_OK;
}
/// Who the main process is from now on, 0: this one; `state` are more lines for the same message.
inline bool notify_main_process(int pid = 0) { return detail::call(ps_notify_main_process, pid, nullptr) == PS_OK; }
inline bool notify_main_process(int pid, zstring state) { return detail::call(ps_notify_main_process, pid, state) == PS_OK; }
inline bool notify_main_process(int pid, zstring state, std::error_code &ec) noexcept
{
    return detail::call(ec, ps_notify_main_process, pid, state) == PS_OK;
}
/// A reload has begun; READY=1 ends it.
inline bool notify_reloading() { return detail::call(ps_notify_reloading) == PS_OK; }
inline bool notify_reloading(std::error_code &ec) noexcept { return detail::call(ec, ps_notify_reloading) == PS_OK; }
/// Blocks until all that was told has been read.
inline void notify_barrier(time_limit timeout) { detail::call(ps_notify_barrier, timeout); }
inline void notify_barrier(time_limit timeout, std::error_code &ec) noexcept { detail::call(ec, ps_notify_barrier, timeout); }
/// How long it may be silent; nothing if nobody watches.
inline std::optional<std::chrono::microseconds> watchdog_enabled()
{
    std::int64_t usec = 0;
    detail::call(ps_watchdog_enabled, &usec);
    return usec > 0 ? std::optional<std::chrono::microseconds>(usec) : std::nullopt;
}
inline std::optional<std::chrono::microseconds> watchdog_enabled(std::error_code &ec) noexcept
{
    std::int64_t usec = 0;
    detail::call(ec, ps_watchdog_enabled, &usec);
    return usec > 0 ? std::optional<std::chrono::microseconds>(usec) : std::nullopt;
}

/// The version of the library that is running: major << 16 | minor << 8 | patch; and as text.
inline std::uint32_t version() noexcept { return ps_version(); }
inline const char *version_string() noexcept { return ps_version_string(); }

// ---- a separate supervisor of a handoff --------------------------------------------------------------------------------------------

/// What a supervisor of a handoff is told: ps_handoff_supervisor_event. A value.
class handoff_supervisor_event {
  public:
    using time_point = std::chrono::steady_clock::time_point; // CLOCK_MONOTONIC

    explicit handoff_supervisor_event(const ps_handoff_supervisor_event &raw) noexcept : raw_(raw) {}

    handoff_supervisor_event_kind kind() const noexcept { return static_cast<handoff_supervisor_event_kind>(raw_.kind); }
    std::uint64_t handoff_id() const noexcept { return raw_.handoff_id; }
    /// Of whom, and the other one; for display.
    int pid() const noexcept { return raw_.pid; }
    int peer_pid() const noexcept { return raw_.peer_pid; }
    std::uint64_t generation() const noexcept { return raw_.generation; }
    /// progress: of the old generation.
    handoff_phase phase() const noexcept { return static_cast<handoff_phase>(raw_.phase); }
    errc reason() const noexcept { return static_cast<errc>(raw_.reason); }
    /// owner_ended, stopped: how.
    int exit_code() const noexcept { return raw_.exit_code; }
    int exit_signal() const noexcept { return raw_.exit_signal; }
    time_point time() const noexcept { return time_point(std::chrono::nanoseconds(raw_.time_ns)); }

    const ps_handoff_supervisor_event &raw() const noexcept { return raw_; }

  private:
    ps_handoff_supervisor_event raw_;
};

/// A process beside the generations of a server: it starts the first, has it replaced, and starts another when none is left.
class handoff_supervisor : private detail::owner<ps_handoff_supervisor, ps_handoff_supervisor_free> {
    using base = detail::owner<ps_handoff_supervisor, ps_handoff_supervisor_free>;

  public:
    using base::handle;
    using base::release;
    using base::reset;
    using base::operator bool;

    explicit handoff_supervisor(zstring control_path) : base(make(control_path)) {}
    handoff_supervisor(zstring control_path, std::error_code &ec) noexcept
    {
        ps_handoff_supervisor *made = nullptr;
        detail::call(ec, ps_handoff_supervisor_new, control_path, &made);
        reset(made);
    }
    /// An empty one, or one of the C interface, which it takes.
    explicit handoff_supervisor(ps_handoff_supervisor *handle) noexcept : base(handle) {}

    /// Without a control path: for handoff_protocol::notify.
    [[nodiscard]] static handoff_supervisor without_path()
    {
        ps_handoff_supervisor *made = nullptr;
        detail::call(ps_handoff_supervisor_new, static_cast<const char *>(nullptr), &made);
        return handoff_supervisor(made);
    }

    /// Holds a duplicate of a listener for the generations to come.
    void listener(zstring name, int fd) { detail::call(ps_handoff_supervisor_listener, handle(), name, fd); }
    void listener(zstring name, int fd, std::error_code &ec) noexcept
    {
        detail::call(ec, ps_handoff_supervisor_listener, handle(), name, fd);
    }

    /// Before start and recover.
    void set_protocol(handoff_protocol protocol) { detail::call(ps_handoff_supervisor_set_protocol, handle(), protocol); }
    void set_protocol(handoff_protocol protocol, std::error_code &ec) noexcept
    {
        detail::call(ec, ps_handoff_supervisor_set_protocol, handle(), protocol);
    }

    /// Before start and recover.
    void set_journal(zstring path) { detail::call(ps_handoff_supervisor_set_journal, handle(), path); }
    void set_journal(zstring path, std::error_code &ec) noexcept
    {
        detail::call(ec, ps_handoff_supervisor_set_journal, handle(), path);
    }

    /// Of the generations to come, unless they say their own.
    void set_build_id(zstring build_id) { detail::call(ps_handoff_supervisor_set_build_id, handle(), build_id); }
    void set_build_id(zstring build_id, std::error_code &ec) noexcept
    {
        detail::call(ec, ps_handoff_supervisor_set_build_id, handle(), build_id);
    }

    /// What is asked of a new generation before the old one goes; none: no detail.
    void set_health(health_kind kind, zstring asked = nullptr, time_limit timeout = milliseconds(0))
    {
        detail::call(ps_handoff_supervisor_set_health, handle(), kind, asked, timeout);
    }
    void set_health(health_kind kind, zstring asked, time_limit timeout, std::error_code &ec) noexcept
    {
        detail::call(ec, ps_handoff_supervisor_set_health, handle(), kind, asked, timeout);
    }
    /// The same by a command that ends with 0.
    void set_health(const command &asked, time_limit timeout = milliseconds(0))
    {
        detail::call(ps_handoff_supervisor_set_health_command, handle(), asked.handle(), timeout);
    }
    void set_health(const command &asked, time_limit timeout, std::error_code &ec) noexcept
    {
        detail::call(ec, ps_handoff_supervisor_set_health_command, handle(), asked.handle(), timeout);
    }

    /// How long a new generation must be healthy before the old one is stopped.
    void set_probation(time_limit time) { detail::call(ps_handoff_supervisor_set_probation, handle(), time); }
    void set_probation(time_limit time, std::error_code &ec) noexcept
    {
        detail::call(ec, ps_handoff_supervisor_set_probation, handle(), time);
    }

    /// How often another is started in the place of one that has ended by itself; 0: never.
    void set_restart(std::uint32_t max_attempts, time_limit window)
    {
        detail::call(ps_handoff_supervisor_set_restart, handle(), max_attempts, window);
    }
    void set_restart(std::uint32_t max_attempts, time_limit window, std::error_code &ec) noexcept
    {
        detail::call(ec, ps_handoff_supervisor_set_restart, handle(), max_attempts, window);
    }

    /// Starts the first generation. `ec` that is set already changes nothing.
    void start(const command &first) { detail::call(ps_handoff_supervisor_start, handle(), first.handle()); }
    void start(const command &first, std::error_code &ec) noexcept
    {
        if (!ec)
            detail::call(ec, ps_handoff_supervisor_start, handle(), first.handle());
    }
    /// Has it replaced. Without times: 300 s, and 60 s to drain.
    void replace(const command &next, time_limit deadline = milliseconds(0), time_limit drain = milliseconds(0))
    {
        detail::call(ps_handoff_supervisor_replace, handle(), next.handle(), deadline, drain);
    }
    void replace(const command &next, time_limit deadline, time_limit drain, std::error_code &ec) noexcept
    {
        if (!ec)
            detail::call(ec, ps_handoff_supervisor_replace, handle(), next.handle(), deadline, drain);
    }

    /// Calls the replacement off: what came of it the events say.
    void cancel() { detail::call(ps_handoff_supervisor_cancel, handle()); }
    void cancel(std::error_code &ec) noexcept
    {
        detail::call(ec, ps_handoff_supervisor_cancel, handle());
    }

    /// Ends the generation. Without a time: as any child's stop plan has it.
    void stop(time_limit grace = std::nullopt) { detail::call(ps_handoff_supervisor_stop, handle(), grace); }
    void stop(time_limit grace, std::error_code &ec) noexcept
    {
        detail::call(ec, ps_handoff_supervisor_stop, handle(), grace);
    }
    /// After a restart: finds what runs, or what is held; waits at most 5 seconds. True: owner() has who serves, or nobody does and
    /// listeners are held. False: nothing runs, and nothing is held (and no error).
    bool recover()
    {
        error_info info;
        const bool found = recovered(info);
        if (info)
            detail::raise(std::move(info));
        return found;
    }
    bool recover(std::error_code &ec) noexcept
    {
        error_info info;
        const bool found = recovered(info);
        ec = info.code();
        return found;
    }

    /// Who owns, as far as it is known: pid and generation. Nothing: nobody is known to (and no error).
    struct owning {
        int pid;
        std::uint64_t generation;
    };
    std::optional<owning> owner() const
    {
        error_info info;
        auto found = who(info);
        if (info)
            detail::raise(std::move(info));
        return found;
    }
    std::optional<owning> owner(std::error_code &ec) const noexcept
    {
        error_info info;
        auto found = who(info);
        ec = info.code();
        return found;
    }

    /// What came of a handoff that is over: 0 is the last. Nothing: there were not so many (and no error).
    std::optional<handoff_outcome> outcome(std::uint32_t index = 0) const
    {
        error_info info;
        auto found = record(info, index);
        if (info)
            detail::raise(std::move(info));
        return found;
    }
    std::optional<handoff_outcome> outcome(std::uint32_t index, std::error_code &ec) const noexcept
    {
        error_info info;
        auto found = record(info, index);
        ec = info.code();
        return found;
    }
    /// The same for people and programs.
    std::string outcome_text(std::uint32_t index = 0, render_format format = render_format::text) const
    {
        return cut(detail::bytes(ps_handoff_supervisor_outcome_text, handle(), index, format));
    }
    std::string outcome_text(std::uint32_t index, render_format format, std::error_code &ec) const
    {
        return cut(detail::bytes(ec, ps_handoff_supervisor_outcome_text, handle(), index, format));
    }
    /// Counters, in Prometheus' text format.
    std::string metrics() const { return detail::bytes(ps_handoff_supervisor_metrics, handle()); }
    std::string metrics(std::error_code &ec) const { return detail::bytes(ec, ps_handoff_supervisor_metrics, handle()); }

    /// The descriptor to wait on, for reading. Borrowed: do not read or close it.
    int fd() const
    {
        std::int32_t value = -1;
        detail::call(ps_handoff_supervisor_fd, handle(), &value);
        return value;
    }
    int fd(std::error_code &ec) const noexcept
    {
        std::int32_t value = -1;
        detail::call(ec, ps_handoff_supervisor_fd, handle(), &value);
        return value;
    }

    /// Takes the next event and does what is due. Without a time it does not wait. Nothing: there is none (and no error).
    std::optional<handoff_supervisor_event> next_event(time_limit timeout = milliseconds(0))
    {
        ps_handoff_supervisor_event raw = empty();
        const ps_status status = detail::call(ps_handoff_supervisor_next_event, handle(), timeout, &raw);
        return status == PS_OK ? std::optional<handoff_supervisor_event>(raw) : std::nullopt;
    }
    std::optional<handoff_supervisor_event> next_event(time_limit timeout, std::error_code &ec) noexcept
    {
        ps_handoff_supervisor_event raw = empty();
        const ps_status status = detail::call(ec, ps_handoff_supervisor_next_event, handle(), timeout, &raw);
        return status == PS_OK ? std::optional<handoff_supervisor_event>(raw) : std::nullopt;
    }

  private:
    static ps_handoff_supervisor *make(zstring control_path)
    {
        ps_handoff_supervisor *made = nullptr;
        detail::call(ps_handoff_supervisor_new, control_path, &made);
        return made;
    }
    static ps_handoff_supervisor_event empty() noexcept
    {
        ps_handoff_supervisor_event raw{};
        raw.size = sizeof raw;
        return raw;
    }
    static std::string cut(std::string text)
    {
        if (!text.empty())
            text.pop_back();
        return text;
    }
    bool recovered(error_info &info) noexcept
    {
        detail::call_into(info, ps_handoff_supervisor_recover, handle());
        const bool found = !info;
        if (info.code() == errc::not_found)
            info = error_info();
        return found;
    }
    std::optional<owning> who(error_info &info) const noexcept
    {
        std::int32_t pid = 0;
        std::uint64_t generation = 0;
        detail::call_into(info, ps_handoff_supervisor_owner, handle(), &pid, &generation);
        if (!info)
            return owning{pid, generation};
        if (info.code() == errc::not_found)
            info = error_info();
        return std::nullopt;
    }
    std::optional<handoff_outcome> record(error_info &info, std::uint32_t index) const noexcept
    {
        ps_outcome raw{};
        raw.size = sizeof raw;
        detail::call_into(info, ps_handoff_supervisor_outcome, handle(), index, &raw);
        if (!info)
            return handoff_outcome(raw);
        if (info.code() == errc::not_found)
            info = error_info();
        return std::nullopt;
    }
};

// ---- enums in text ----------------------------------------------------------------------------------------------------------------

namespace detail {

template <typename Enum, typename = void> struct has_name : std::false_type {};
template <typename Enum>
struct has_name<Enum, std::enable_if_t<std::is_enum_v<Enum> && std::is_same_v<decltype(procsup::name(std::declval<Enum>())), const char *>>>
    : std::true_type {};

} // namespace detail

/// An enum goes to a stream by its name in C.
template <typename Traits, typename Enum, typename = std::enable_if_t<detail::has_name<Enum>::value>>
std::basic_ostream<char, Traits> &operator<<(std::basic_ostream<char, Traits> &out, Enum value)
{
    return out << name(value);
}

} // namespace procsup

template <> struct std::hash<procsup::child_ref> {
    std::size_t operator()(procsup::child_ref child) const noexcept { return std::hash<ps_child *>()(child.handle()); }
};

#if defined(__cpp_lib_format)
/// std::format("{:>20}", event.kind()): what can be asked of a text.
template <typename Enum>
    requires procsup::detail::has_name<Enum>::value
struct std::formatter<Enum, char> : std::formatter<std::string_view, char> {
    template <typename Context> auto format(Enum value, Context &context) const
    {
        return std::formatter<std::string_view, char>::format(procsup::name(value), context);
    }
};
#endif

#endif
