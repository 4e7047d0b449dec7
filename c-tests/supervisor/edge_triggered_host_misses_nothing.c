/* Mixtures of two hundred children (captured output, lines, deadlines, stop plans, restarts, a line before few slots; beside one that never stops
   talking, or not), and a host that acts on edges only, lets things pile up, and takes until there is nothing: every child's last event comes,
   and every line before it. */
/* covers: F9 */
/* timeout: 240 */
#include "harness.h"
#include "supervising.h"
#include <sys/epoll.h>

enum { CHILDREN = 200, ROUNDS = 8, FLOOD = CHILDREN + 1 };

static uint64_t state;

static unsigned any(unsigned below)
{
    state ^= state << 13, state ^= state >> 7, state ^= state << 17;
    return (unsigned)(state >> 33) % below;
}

static unsigned quiet; /* percent of those that say something, which is no event, and stay */
static pid_t asked[CHILDREN];
static int asks;

/* They have said it. */
static bool all_have_spoken(void)
{
    for (; asks > 0; asks--) {
        char path[64], name[32] = "";
        snprintf(path, sizeof path, "/proc/%d/comm", (int)asked[asks - 1]);
        FILE *file = fopen(path, "re");
        bool spoken = file && fgets(name, sizeof name, file) && strcmp(name, "sleep\n") == 0;
        if (file)
            fclose(file);
        if (!spoken)
            return false;
    }
    return true;
}

/* Lines that it will say; -1: it does not end. */
static int spawn_one(ps_supervisor *supervisor, uint64_t name)
{
    ps_error *error = NULL;
    ps_command *command = NULL;
    char number[16];
    int lines = 0, stops = 0;
    switch (any(100) < quiet ? 99 : any(7)) {
    case 0: /* more than a look reads, and than a pipe holds */
        snprintf(number, sizeof number, "%u", any(300000));
        command = shell("head -c $1 /dev/zero", number);
        CHECK_OK(ps_command_capture(command, 1 + any(400000), &error), error);
        break;
    case 1:
        lines = (int)any(400);
        snprintf(number, sizeof number, "%d", lines);
        command = shell("seq $1", number);
        CHECK_OK(ps_command_output_lines(command, 1, &error), error);
        break;
    case 2: /* at both ends, and with an end that is not seen */
        lines = 2;
        command = shell("echo a; echo b >&2; sleep 0.0$1", any(2) ? "1" : "3");
        CHECK_OK(ps_command_output_lines(command, 1, &error), error);
        CHECK_OK(ps_command_capture(command, 10, &error), error);
        break;
    case 3:
        command = pausing();
        CHECK_OK(ps_command_deadline(command, any(60), &error), error);
        break;
    case 4:
        command = helper_command("ignore_term", NULL);
        set_stdio(command, 1, PS_STDIO_NULL, -1);
        CHECK_OK(ps_command_stop_step(command, SIGTERM, any(30), &error), error);
        CHECK_OK(ps_command_stop_step(command, SIGKILL, -1, &error), error);
        stops = 1;
        break;
    case 5:
        command = giving_up_after(restarting(exiting("1"), PS_RESTART_ON_FAILURE, any(3), 5), 3);
        break;
    case 6:
        command = helper_command("nothing", NULL);
        break;
    default: /* says something, which makes no event, and stays */
        command = shell("echo x; exec sleep 1000", "");
        CHECK_OK(ps_command_capture(command, 10, &error), error);
        lines = -1;
    }
    ps_child *child = spawn_named(supervisor, command, name);
    int32_t pid = 0;
    if (lines < 0 && ps_child_pid(child, &pid, NULL) == PS_OK && pid > 0) /* no call that looks: only edges drive */
        asked[asks++] = pid;
    if (stops && any(4))
        CHECK_OK(ps_terminate_begin(child, -1, &error), error);
    else if (stops)
        CHECK_OK(ps_terminate_begin(child, 0, &error), error);
    ps_child_free(child);
    return lines;
}

int main(void)
{
    ps_error *error = NULL;
    for (int round = 0; round < ROUNDS; round++) {
        static const unsigned percent[ROUNDS] = {100, 0, 100, 50, 90, 30, 50, 90};
        quiet = percent[round];
        asks = 0;
        state = 0x9e3779b97f4a7c15u * (uint64_t)(round + 1);
        int lines[CHILDREN + 1] = {0}, told[CHILDREN + 1] = {0}, over[CHILDREN + 1] = {0}, left = CHILDREN, spawned = 0;
        ps_supervisor *supervisor = new_supervisor(0);
        int loop = epoll_create1(EPOLL_CLOEXEC);
        struct epoll_event interest = {.events = EPOLLIN | EPOLLET}, ready;
        CHECK(epoll_ctl(loop, EPOLL_CTL_ADD, fd_of(supervisor), &interest) == 0);
        ps_command *endless = round == 3 ? shell("exec yes", "") : pausing();
        CHECK_OK(ps_command_capture(endless, 100, &error), error);
        ps_child *flood = spawn_named(supervisor, endless, FLOOD);
        limit_running(supervisor, round % 2 ? 190 : 0);
        while (left > 0) {
            for (unsigned n = round % 2 ? any(40) : CHILDREN; n > 0 && spawned < CHILDREN; n--) {
                if (round % 2 == 0 && spawned == CHILDREN * 3 / 4) { /* the others stand behind them */
                    CHECK(wait_until(all_have_spoken(), 20000));
                    quiet = 0;
                }
                spawned++;
                lines[spawned] = spawn_one(supervisor, (uint64_t)spawned);
                left -= over[spawned] = lines[spawned] < 0;
            }
            poll(NULL, 0, round % 2 ? 0 : 100); /* much becomes ready at once */
            if (epoll_wait(loop, &ready, 1, spawned < CHILDREN ? 0 : PATIENCE_MS) == 0) {
                if (spawned < CHILDREN)
                    continue;
                for (int i = 1; i <= CHILDREN; i++)
                    if (!over[i])
                        fprintf(stderr, "nothing more of %d (%d lines)\n", i, told[i]);
                harness_fail(__FILE__, __LINE__, "round %d: no edge, and %d children are not over", round, left);
            }
            for (;;) {
                ps_event event = {.size = sizeof event};
                ps_status status = ps_supervisor_next_event(supervisor, 0, &event, &error);
                if (status == PS_PENDING)
                    break;
                CHECK_OK(status, error);
                uint64_t name = event.user_data;
                if (name == FLOOD || lines[name] < 0)
                    continue;
                CHECK(!over[name]);
                told[name] += event.kind == PS_EVENT_OUTPUT;
                bool failed = event.kind == PS_EVENT_EXITED && event.exit.code == 1 && event.exit.kind == PS_EXIT_EXITED;
                if ((event.kind == PS_EVENT_EXITED && !failed) || event.kind == PS_EVENT_GAVE_UP || event.kind == PS_EVENT_CANCELLED) {
                    over[name] = 1;
                    left--;
                    CHECK_INT(told[name], lines[name]);
                }
            }
        }
        ps_supervisor_free(supervisor);
        ps_child_free(flood);
        close(loop);
    }
    return 0;
}
