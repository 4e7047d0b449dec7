/*
 * A child of the storm (c-tests/soak/jobs.c): does what the letters of its argument say, one after the other, and exits with 0. Like
 * `nothing` it has no C library and no loader, so that many can be started in little time.
 *
 *   l  says the next of "line a", "line b", ...      d  ignores SIGTERM from now on
 *   b  says 64 lines of 1023 bytes                    p  pauses until it is killed (ten minutes at the most)
 *   0 to 9  exits with this code
 */
#include <sys/syscall.h>

#if defined(__x86_64__)
__asm__(".globl _start\n_start:\n\tmov (%rsp), %rdi\n\tlea 8(%rsp), %rsi\n\tand $-16, %rsp\n\tcall begin\n");
static long call(long number, long a, long b, long c, long d, long e)
{
    register long r10 __asm__("r10") = d, r8 __asm__("r8") = e;
    __asm__ volatile("syscall" : "+a"(number) : "D"(a), "S"(b), "d"(c), "r"(r10), "r"(r8) : "rcx", "r11", "memory");
    return number;
}
#elif defined(__aarch64__)
__asm__(".globl _start\n_start:\n\tldr x0, [sp]\n\tadd x1, sp, #8\n\tbl begin\n");
static long call(long number, long a, long b, long c, long d, long e)
{
    register long x8 __asm__("x8") = number, x0 __asm__("x0") = a, x1 __asm__("x1") = b, x2 __asm__("x2") = c;
    register long x3 __asm__("x3") = d, x4 __asm__("x4") = e;
    __asm__ volatile("svc #0" : "+r"(x0) : "r"(x8), "r"(x1), "r"(x2), "r"(x3), "r"(x4) : "memory");
    return x0;
}
#else
#error "storm.c: no system calls yet for this processor"
#endif

static void say(const char *text, long length)
{
    while (length > 0) {
        long written = call(SYS_write, 1, (long)text, length, 0, 0);
        if (written < 0 && written != -4 /* EINTR */)
            call(SYS_exit_group, 9, 0, 0, 0, 0);
        text += written > 0 ? written : 0;
        length -= written > 0 ? written : 0;
    }
}

__attribute__((used, noreturn)) void begin(long argc, char **argv);
void begin(long argc, char **argv)
{
    static char line[] = "line a\n", block[1024];
    static const long ignore[4] = {1}, ten_minutes[2] = {600, 0};
    for (const char *letter = argc > 1 ? argv[1] : ""; *letter; letter++) {
        if (*letter == 'l') {
            say(line, sizeof line - 1);
            line[5]++;
        } else if (*letter == 'b') {
            for (volatile int i = 0; i < 1024; i++)
                block[i] = i == 1023 ? '\n' : 'x';
            for (int i = 0; i < 64; i++)
                say(block, sizeof block);
        } else if (*letter == 'd') {
            call(SYS_rt_sigaction, 15, (long)ignore, 0, 8, 0);
        } else if (*letter == 'p') {
            call(SYS_ppoll, 0, 0, (long)ten_minutes, 0, 8);
        } else {
            call(SYS_exit_group, *letter - '0', 0, 0, 0, 0);
        }
    }
    for (;;)
        call(SYS_exit_group, 0, 0, 0, 0, 0);
}
__asm__(".section .note.GNU-stack,\"\",%progbits\n.previous\n");
