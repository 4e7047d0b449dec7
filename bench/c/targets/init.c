/* The least that the first process of a pid namespace must do: wait for whoever ends, until the program (number 2) has,
 * and exit with its code. */
#if defined(__x86_64__)
__asm__(".globl _start\n"
        "_start: sub $16, %rsp\n"
        "1: mov $61, %eax\n mov $-1, %rdi\n mov %rsp, %rsi\n xor %edx, %edx\n xor %r10d, %r10d\n syscall\n"
        "cmp $2, %rax\n jne 1b\n"
        "mov $60, %eax\n movzbl 1(%rsp), %edi\n syscall\n");
#elif defined(__aarch64__)
__asm__(".globl _start\n"
        "_start: sub sp, sp, #16\n"
        "1: mov x8, #260\n mov x0, #-1\n mov x1, sp\n mov x2, #0\n mov x3, #0\n svc #0\n"
        "cmp x0, #2\n b.ne 1b\n"
        "mov x8, #93\n ldrb w0, [sp, #1]\n svc #0\n");
#else
#error "the targets are written for x86_64 and aarch64"
#endif
