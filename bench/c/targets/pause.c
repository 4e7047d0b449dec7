/* A child that lives until it is killed and costs nothing meanwhile: pause() for ever (ppoll without a set on aarch64,
 * which has no pause). Before that it asks to die with its parent (PR_SET_PDEATHSIG), for thousands of these, each in a
 * process group of its own, would outlive a harness that was interrupted. */
#if defined(__x86_64__)
__asm__(".globl _start\n"
        "_start: mov $157, %eax\n mov $1, %edi\n mov $9, %esi\n syscall\n"
        "1: mov $34, %eax\n syscall\n jmp 1b\n");
#elif defined(__aarch64__)
__asm__(".globl _start\n"
        "_start: mov x8, #167\n mov x0, #1\n mov x1, #9\n svc #0\n"
        "1: mov x0, #0\n mov x1, #0\n mov x2, #0\n mov x3, #0\n mov x8, #73\n svc #0\n b 1b\n");
#else
#error "the targets are written for x86_64 and aarch64"
#endif
