/* variants: few */
/* Who is inside may queue init a signal and claim to be nobody, which is how a sender outside looks. Init must pass nothing of that on: it may have rights
   that he has not. And what proves an order cannot be read in init's arguments. */
#include "harness.h"
#include "contained.h"

static int queue(int signal, int code, uint64_t value)
{
    siginfo_t info;
    memset(&info, 0, sizeof info);
    info.si_signo = signal;
    info.si_code = code;
    info.si_pid = 0;
    memcpy(&info.si_value, &value, sizeof value);
    return (int)syscall(SYS_rt_sigqueueinfo, 1, signal, &info);
}

/* All that must not come back to who sends it. Then it waits for what may. */
static int forge(void)
{
    static const int codes[] = {SI_QUEUE, SI_TIMER, SI_MESGQ, SI_ASYNCIO, SI_SIGIO};
    for (size_t i = 0; i < sizeof codes / sizeof *codes; i++)
        if (queue(SIGUSR1, codes[i], 0) != 0 || queue(63, codes[i], SIGUSR1) != 0 || queue(63, codes[i], UINT64_C(0x7073696e69740000) | SIGUSR1) != 0)
            return 2;
    if (puts("forged") < 0 || fflush(stdout) != 0)
        return 3;
    for (;;)
        pause();
}

int main(int argc, char **argv)
{
    char self[256] = "", line[64], path[64], text[256];
    if (argc > 1 && strcmp(argv[1], "forge") == 0)
        return forge();
    need_contained();
    CHECK(readlink("/proc/self/exe", self, sizeof self - 1) > 0);
    ps_command *command = contained(command_for(self, "forge", NULL));
    set_stdio(command, 1, PS_STDIO_PIPE, -1);
    ps_child *child = spawn_once(NULL, command);
    int said = pipe_end(child, 1);
    CHECK(read_line(said, line, sizeof line));
    CHECK_STR(line, "forged");
    int32_t pid = 0;
    ps_error *error = NULL;
    CHECK_OK(ps_child_pid(child, &pid, &error), error);
    snprintf(path, sizeof path, "/proc/%d/cmdline", (int)pid);
    int file = open(path, O_RDONLY | O_CLOEXEC);
    ssize_t length = read(file, text, sizeof text);
    close(file);
    CHECK_INT(length, (ssize_t)(sizeof "procsup-init" + 16 + 8 + 8 + 1));
    if (geteuid() != 0) {
        snprintf(path, sizeof path, "/proc/%d/environ", (int)pid);
        CHECK(open(path, O_RDONLY | O_CLOEXEC) < 0);
    }
    /* The host's come behind them, and are heard. */
    CHECK_OK(ps_signal(child, SIGTERM, &error), error);
    ps_exit end = reap(child);
    CHECK(end.kind == PS_EXIT_SIGNALED && end.signal == SIGTERM);
    close(said);
    ps_child_free(child);
    return 0;
}
