/* The least that an init of one program must do as the first process of a pid namespace: take the signals that it is sent (all
 * are blocked when it begins) and pass them on to the group of the program, which is number 2; reap; and once the program has
 * ended write down how, into its descriptor 0, and exit with its code. */
#if defined(__x86_64__)
static long call(long number, long a, long b, long c, long d)
{
    register long r10 __asm__("r10") = d;
    long answer;
    __asm__ volatile("syscall" : "=a"(answer) : "a"(number), "D"(a), "S"(b), "d"(c), "r"(r10) : "rcx", "r11", "memory");
    return answer;
}
enum { PWRITE = 18, WAIT4 = 61, KILL = 62, SIGTIMEDWAIT = 128, EXIT = 231 };
#elif defined(__aarch64__)
static long call(long number, long a, long b, long c, long d)
{
    register long x8 __asm__("x8") = number, x0 __asm__("x0") = a, x1 __asm__("x1") = b, x2 __asm__("x2") = c, x3 __asm__("x3") = d;
    __asm__ volatile("svc #0" : "+r"(x0) : "r"(x8), "r"(x1), "r"(x2), "r"(x3) : "memory");
    return x0;
}
enum { PWRITE = 68, WAIT4 = 260, KILL = 129, SIGTIMEDWAIT = 137, EXIT = 94 };
#else
#error "the targets are written for x86_64 and aarch64"
#endif
enum { CHLD = 17, PROGRAM = 2 };

void _start(void)
{
    unsigned long all = ~0UL;
    unsigned status = 0;
    for (;;) {
        long signal = call(SIGTIMEDWAIT, (long)&all, 0, 0, 8);
        if (signal > 0 && signal != CHLD)
            call(KILL, -PROGRAM, signal, 0, 0);
        for (long pid; signal == CHLD && (pid = call(WAIT4, -1, (long)&status, 1, 0)) > 0;)
            if (pid == PROGRAM) {
                call(PWRITE, 0, (long)&status, sizeof status, 0);
                call(EXIT, status >> 8 & 0xFF, 0, 0, 0);
            }
    }
}
