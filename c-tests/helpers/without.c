/*
 * without RULE... -- PROGRAM [ARGS]: runs a program in a world where the kernel refuses some calls, as an older kernel or a
 * container's seccomp profile does. A rule is CALL=ERRNO (`clone3=ENOSYS`) or one of these, which look at an argument too:
 *
 *   waitid-pidfd=ERRNO    waitid(2) on a pidfd (P_PIDFD)
 *   pidfd-group=ERRNO     pidfd_send_signal(2) with any flag (PIDFD_SIGNAL_PROCESS_GROUP)
 *   pidfd-info=ERRNO      ioctl(2) PIDFD_GET_INFO, of whatever structure size
 *   peer-pidfd=ERRNO      getsockopt(2) SO_PEERPIDFD
 *
 * In place of an errno KILL or KILL_THREAD: the filter kills the process, or the thread, that makes the call.
 *
 * A process with CAP_SYS_ADMIN keeps the right to gain privileges; for others no_new_privs is set, which seccomp then wants.
 * Exit 77 (a skipped test) where no filter can be installed.
 */
#define _GNU_SOURCE
#include "names.h"
#include <linux/audit.h>
#include <linux/filter.h>
#include <linux/seccomp.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/prctl.h>
#include <unistd.h>

#if defined(__x86_64__)
#define OUR_ARCH AUDIT_ARCH_X86_64
#elif defined(__aarch64__)
#define OUR_ARCH AUDIT_ARCH_AARCH64
#else
#error "without.c: which AUDIT_ARCH_* is this processor?"
#endif

#define LOAD(field) BPF_STMT(BPF_LD | BPF_W | BPF_ABS, offsetof(struct seccomp_data, field))
#define SKIP_UNLESS(value, count) BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, (uint32_t)(value), 0, count)
#define SKIP_IF(value, count) BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, (uint32_t)(value), count, 0)
#define ANSWER(verdict) BPF_STMT(BPF_RET | BPF_K, (uint32_t)(verdict))
#define ALLOW BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_ALLOW)

/* Arguments are 64 bits wide; all that are looked at fit into the low half, which comes first on both processors. */

static struct sock_filter program[512];
static unsigned short length;

static void add(const struct sock_filter *instructions, size_t count)
{
    if (length + count > sizeof program / sizeof *program) {
        fprintf(stderr, "without: too many rules\n");
        exit(125);
    }
    memcpy(program + length, instructions, count * sizeof *instructions);
    length += (unsigned short)count;
}
#define ADD(...) add((const struct sock_filter[]){__VA_ARGS__}, sizeof((struct sock_filter[]){__VA_ARGS__}) / sizeof *program)

static void add_rule(const char *call, uint32_t verdict)
{
    if (strcmp(call, "waitid-pidfd") == 0)
        ADD(LOAD(nr), SKIP_UNLESS(SYS_waitid, 3), LOAD(args[0]), SKIP_UNLESS(WAIT_ON_PIDFD, 1), ANSWER(verdict));
    else if (strcmp(call, "pidfd-group") == 0)
        ADD(LOAD(nr), SKIP_UNLESS(SYS_pidfd_send_signal, 3), LOAD(args[3]), SKIP_IF(0, 1), ANSWER(verdict));
    else if (strcmp(call, "pidfd-info") == 0)
        ADD(LOAD(nr), SKIP_UNLESS(SYS_ioctl, 4), LOAD(args[1]), BPF_STMT(BPF_ALU | BPF_AND | BPF_K, 0xFFFF),
            SKIP_UNLESS(PIDFD_GET_INFO_LOW, 1), ANSWER(verdict));
    else if (strcmp(call, "peer-pidfd") == 0)
        ADD(LOAD(nr), SKIP_UNLESS(SYS_getsockopt, 3), LOAD(args[2]), SKIP_UNLESS(PEER_PIDFD, 1), ANSWER(verdict));
    else if (call_number(call) >= 0)
        ADD(LOAD(nr), SKIP_UNLESS(call_number(call), 1), ANSWER(verdict));
    else {
        fprintf(stderr, "without: unknown call '%s'\n", call);
        exit(125);
    }
}

/* What a filter returns for the right side of a rule; ALLOW, which no rule means, if it is none. */
static uint32_t verdict_of(const char *text)
{
    int error = errno_number(text);
    if (strcmp(text, "KILL") == 0)
        return SECCOMP_RET_KILL_PROCESS;
    if (strcmp(text, "KILL_THREAD") == 0)
        return SECCOMP_RET_KILL_THREAD;
    return error < 0 ? SECCOMP_RET_ALLOW : SECCOMP_RET_ERRNO | ((uint32_t)error & SECCOMP_RET_DATA);
}

static int install(void)
{
    struct sock_fprog filter = {.len = length, .filter = program};
    if (syscall(SYS_seccomp, SECCOMP_SET_MODE_FILTER, 0, &filter) == 0)
        return 0;
    if (errno != EACCES || prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) != 0)
        return -1;
    return (int)syscall(SYS_seccomp, SECCOMP_SET_MODE_FILTER, 0, &filter);
}

int main(int argc, char **argv)
{
    int i;
    ADD(LOAD(arch), SKIP_IF(OUR_ARCH, 1), ALLOW);
    for (i = 1; i < argc && strcmp(argv[i], "--") != 0; i++) {
        char *equals = strchr(argv[i], '=');
        uint32_t verdict = equals ? verdict_of(equals + 1) : SECCOMP_RET_ALLOW;
        if (verdict == SECCOMP_RET_ALLOW) {
            fprintf(stderr, "without: '%s' is not CALL=ERRNO\n", argv[i]);
            return 125;
        }
        *equals = 0;
        add_rule(argv[i], verdict);
    }
    if (i + 1 >= argc) {
        fprintf(stderr, "usage: without CALL=ERRNO... -- PROGRAM [ARGS]\n");
        return 125;
    }
    ADD(ALLOW);
    if (install() != 0) {
        fprintf(stderr, "skipped: no seccomp filter can be installed here: %s\n", strerror(errno));
        return 77;
    }
    execvp(argv[i + 1], argv + i + 1);
    fprintf(stderr, "without: %s: %s\n", argv[i + 1], strerror(errno));
    return 125;
}
