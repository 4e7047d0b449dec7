/* ps_event_kind_name and its siblings give the name of each constant of the header, and one that says so for every other number; ps_signal_name agrees
   with the C library, real-time signals included. */
/* variants: none: nothing of the kernel is asked */
#define _GNU_SOURCE
#include "harness.h"
#include "children.h"

#include <string.h>

#define OF(call, constant) {call, constant, #constant}
static const struct { const char *(*call)(int32_t); int32_t number; const char *name; } names[] = {
    OF(ps_event_kind_name, PS_EVENT_STARTED), OF(ps_event_kind_name, PS_EVENT_EXITED), OF(ps_event_kind_name, PS_EVENT_OUTPUT),
    OF(ps_event_kind_name, PS_EVENT_READY), OF(ps_event_kind_name, PS_EVENT_RESTARTING), OF(ps_event_kind_name, PS_EVENT_GAVE_UP),
    OF(ps_event_kind_name, PS_EVENT_CANCELLED), OF(ps_event_kind_name, PS_EVENT_SHUTDOWN_DONE), OF(ps_event_kind_name, PS_EVENT_FAILED),
    OF(ps_event_kind_name, PS_EVENT_OUTPUT_LOST), OF(ps_event_kind_name, PS_EVENT_NOTIFIED),
    OF(ps_event_kind_name, PS_EVENT_INPUT_ROOM),
    OF(ps_event_kind_name, PS_EVENT_STOPPED), OF(ps_event_kind_name, PS_EVENT_CONTINUED),
    OF(ps_reason_name, PS_REASON_NONE), OF(ps_reason_name, PS_REASON_ENDED), OF(ps_reason_name, PS_REASON_FAILED),
    OF(ps_reason_name, PS_REASON_EARLY_EXIT), OF(ps_reason_name, PS_REASON_NOT_READY), OF(ps_reason_name, PS_REASON_WATCHDOG),
    OF(ps_exit_kind_name, PS_EXIT_EXITED), OF(ps_exit_kind_name, PS_EXIT_SIGNALED), OF(ps_exit_kind_name, PS_EXIT_LOST),
    OF(ps_cause_name, PS_CAUSE_SELF), OF(ps_cause_name, PS_CAUSE_STOP), OF(ps_cause_name, PS_CAUSE_DEADLINE),
    OF(ps_cause_name, PS_CAUSE_SHUTDOWN), OF(ps_cause_name, PS_CAUSE_KILL_ALL), OF(ps_cause_name, PS_CAUSE_OWNER),
    OF(ps_cause_name, PS_CAUSE_NOT_READY), OF(ps_cause_name, PS_CAUSE_WATCHDOG),
    OF(ps_oom_name, PS_OOM_NONE), OF(ps_oom_name, PS_OOM_OWN), OF(ps_oom_name, PS_OOM_ABOVE), OF(ps_oom_name, PS_OOM_PROBABLE),
    OF(ps_state_name, PS_STATE_PENDING), OF(ps_state_name, PS_STATE_RUNNING), OF(ps_state_name, PS_STATE_STOPPING),
    OF(ps_state_name, PS_STATE_EXITED), OF(ps_state_name, PS_STATE_CANCELLED),
    OF(ps_tier_name, PS_TIER_CLONE3), OF(ps_tier_name, PS_TIER_CLONE), OF(ps_tier_name, PS_TIER_FORK), OF(ps_tier_name, PS_TIER_PRELOADER),
    OF(ps_tier_name, PS_TIER_SPAWNER),
};

int main(void)
{
    for (size_t i = 0; i < sizeof names / sizeof *names; i++)
        CHECK_STR(names[i].call(names[i].number), names[i].name);
    static const int32_t none[] = {-1, 99, 256, 257, INT32_MAX, INT32_MIN};
    for (size_t i = 0; i < sizeof none / sizeof *none; i++) {
        CHECK_STR(ps_event_kind_name(none[i]), "PS_EVENT_UNKNOWN");
        CHECK_STR(ps_reason_name(none[i]), "PS_REASON_UNKNOWN");
        CHECK_STR(ps_exit_kind_name(none[i]), "PS_EXIT_UNKNOWN");
        CHECK_STR(ps_cause_name(none[i]), "PS_CAUSE_UNKNOWN");
        CHECK_STR(ps_oom_name(none[i]), "PS_OOM_UNKNOWN");
        CHECK_STR(ps_state_name(none[i]), "PS_STATE_UNKNOWN");
        CHECK_STR(ps_tier_name(none[i]), "PS_TIER_UNKNOWN");
        CHECK_STR(ps_signal_name(none[i]), "SIGUNKNOWN");
    }
    for (int signal = 0; signal < SIGRTMIN; signal++) {
        char name[32] = "SIGUNKNOWN";
        if (sigabbrev_np(signal))
            snprintf(name, sizeof name, "SIG%s", sigabbrev_np(signal));
        CHECK_STR(ps_signal_name(signal), signal == SIGPOLL ? "SIGIO" : name);
    }
    for (int offset = 0; SIGRTMIN + offset <= SIGRTMAX; offset++) {
        char name[32] = "SIGRTMIN";
        if (offset)
            snprintf(name, sizeof name, "SIGRTMIN+%d", offset);
        CHECK_STR(ps_signal_name(SIGRTMIN + offset), name);
    }
    return 0;
}
