/* What takes several system calls fails by any of them, and the error names the one that did: each call is refused once, in front of each
   function of the library that makes it. */
/* covers: F28, LAW-18 */
/* variants: not asan, valgrind: the calls of the C library that are refused are theirs, too */
#include "harness.h"
#include "children.h"
#include "handoff.h"

#include <dlfcn.h>
#include <sys/epoll.h>
#include <sys/eventfd.h>
#include <sys/mman.h>
#include <sys/timerfd.h>

static const char *refused; /* the call that fails now, with EMFILE, which each of these may answer or need not */

#define REFUSABLE(type, name, parameters, ...)                                                                                     \
    type name parameters                                                                                                           \
    {                                                                                                                              \
        type(*real) parameters = (type(*) parameters)dlsym(RTLD_NEXT, #name);                                                      \
        if (refused && strcmp(refused, #name) == 0) {                                                                              \
            errno = EMFILE;                                                                                                        \
            return -1;                                                                                                             \
        }                                                                                                                          \
        return real(__VA_ARGS__);                                                                                                  \
    }
REFUSABLE(int, epoll_create1, (int flags), flags)
REFUSABLE(int, epoll_ctl, (int set, int what, int fd, struct epoll_event *event), set, what, fd, event)
REFUSABLE(int, eventfd, (unsigned count, int flags), count, flags)
REFUSABLE(int, timerfd_create, (int clock, int flags), clock, flags)
REFUSABLE(int, memfd_create, (const char *name, unsigned flags), name, flags)
REFUSABLE(int, getrlimit, (__rlimit_resource_t what, struct rlimit *limit), what, limit)
REFUSABLE(int, fchmod, (int fd, mode_t mode), fd, mode)
REFUSABLE(int, ftruncate, (int fd, off_t length), fd, length)
REFUSABLE(int, socket, (int domain, int type, int protocol), domain, type, protocol)
REFUSABLE(int, socketpair, (int domain, int type, int protocol, int fds[2]), domain, type, protocol, fds)
REFUSABLE(int, setsockopt, (int fd, int level, int name, const void *value, socklen_t length), fd, level, name, value, length)
REFUSABLE(int, bind, (int fd, const struct sockaddr *address, socklen_t length), fd, address, length)
REFUSABLE(int, listen, (int fd, int backlog), fd, backlog)

/* `call` succeeds, and fails by name while that call of the C library is refused. */
#define NAMES(name, call)                                                                                                          \
    do {                                                                                                                           \
        ps_error *error = NULL;                                                                                                    \
        refused = name;                                                                                                            \
        ps_status status = (call);                                                                                                 \
        refused = NULL;                                                                                                            \
        if (status != PS_ERR_LIMIT || ps_error_errno(error) != EMFILE || strcmp(ps_error_step(error), name) != 0)                  \
            harness_fail(__FILE__, __LINE__, "%s with %s refused: %s", #call, name, ps_error_message(error));                      \
        if (!strstr(ps_error_message(error), name " failed"))                                                                      \
            harness_fail(__FILE__, __LINE__, "%s: %s", name, ps_error_message(error));                                             \
        ps_error_free(error);                                                                                                      \
    } while (0)

int main(void)
{
    ps_supervisor *supervisor = NULL;
    ps_handoff *handoff = NULL;
    ps_child *child = NULL;
    char file[128];
    int fd;
    stage_begin();
    warm_up();

    NAMES("epoll_create1", ps_supervisor_new(&supervisor, &error));
    supervisor = supervisor_new();
    NAMES("eventfd", ps_supervisor_fd(supervisor, &fd, &error));
    NAMES("epoll_create1", ps_supervisor_fd(supervisor, &fd, &error));
    NAMES("epoll_ctl", ps_supervisor_fd(supervisor, &fd, &error));

    NAMES("getrlimit", ps_supervisor_set_subreaper(supervisor, 1, &error));

    ps_command *command = pausing();
    NAMES("getrlimit", ps_command_input(command, "x", 1, &error));
    NAMES("memfd_create", ps_command_input(command, "x", 1, &error));
    CHECK_STATUS(ps_command_deadline(command, 60000, NULL), PS_OK);
    NAMES("timerfd_create", ps_spawn(supervisor, command, &child, &error));
    CHECK_STATUS(ps_command_restart(command, PS_RESTART_ALWAYS, 1000, 1000, NULL), PS_OK);
    NAMES("timerfd_create", ps_spawn(supervisor, command, &child, &error));
    NAMES("epoll_ctl", ps_spawn(supervisor, command, &child, &error));

    ps_command *filed = pausing();
    snprintf(file, sizeof file, "%s/file", stage.dir);
    CHECK_STATUS(ps_command_output_file(filed, file, PS_OUTPUT_REFUSE, NULL), PS_OK);
    NAMES("fchmod", ps_spawn(NULL, filed, &child, &error));
    ps_command_free(filed);

    const char *const calls[] = {"epoll_create1", "eventfd", "timerfd_create", "epoll_ctl", "getrlimit", "memfd_create", "ftruncate",
                                 "socket", "setsockopt", "bind", "listen"};
    for (size_t i = 0; i < sizeof calls / sizeof *calls; i++) {
        ps_error *error = NULL;
        refused = calls[i];
        ps_status status = ps_handoff_new(stage.path, &handoff, &error);
        refused = NULL;
        if (status != PS_ERR_LIMIT || strcmp(ps_error_step(error), calls[i]) != 0)
            harness_fail(__FILE__, __LINE__, "ps_handoff_new with %s refused: %s", calls[i], ps_error_message(error));
        ps_error_free(error);
        CHECK(!exists(stage.path));
    }
    ps_error *error = NULL;
    CHECK_OK(ps_handoff_new(stage.path, &handoff, &error), error);
    NAMES("getrlimit", ps_handoff_set_state(handoff, "x", 1, &error));
    NAMES("memfd_create", ps_handoff_set_state(handoff, "x", 1, &error));
    ps_handoff_event event = {.size = sizeof event};
    CHECK_STATUS(ps_handoff_next_event(handoff, 0, &event, NULL), PS_OK);
    CHECK_STATUS(ps_handoff_live(handoff, NULL), PS_OK);
    ps_command *plain = exiting("0");
    NAMES("socketpair", ps_handoff_upgrade(handoff, plain, 1000, &error));
    NAMES("setsockopt", ps_handoff_upgrade(handoff, plain, 1000, &error));

    /* no call has failed: what would be written does not fit, and a write would kill this process by SIGXFSZ */
    struct rlimit old, tiny = {.rlim_cur = 4, .rlim_max = RLIM_INFINITY};
    CHECK(getrlimit(RLIMIT_FSIZE, &old) == 0);
    tiny.rlim_max = old.rlim_max;
    CHECK(setrlimit(RLIMIT_FSIZE, &tiny) == 0);
    CHECK_ERROR(ps_command_input(command, "12345", 5, &error), PS_ERR_SYSTEM, &error);
    CHECK_INT(ps_error_errno(error), EFBIG);
    CHECK_STR(ps_error_step(error), "RLIMIT_FSIZE");
    ps_error_free(error);
    CHECK(setrlimit(RLIMIT_FSIZE, &old) == 0);

    ps_handoff_free(handoff);
    ps_command_free(plain);
    ps_command_free(command);
    ps_supervisor_free(supervisor);
    stage_end();
    return 0;
}
