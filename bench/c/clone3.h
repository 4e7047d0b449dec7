/* clone3 by hand, for the floors (floor.c has it). */
#ifndef PROCSUP_BENCH_CLONE3_H
#define PROCSUP_BENCH_CLONE3_H

#include <stddef.h>
#include <stdint.h>

#define FLAG_VM 0x00000100ULL
#define FLAG_PIDFD 0x00001000ULL
#define FLAG_VFORK 0x00004000ULL
#define FLAG_NEWUSER 0x10000000ULL
#define FLAG_NEWPID 0x20000000ULL
#define FLAG_CLEAR_SIGHAND 0x100000000ULL
#define ID_PIDFD 3 /* P_PIDFD of waitid */

struct clone_arguments { /* struct clone_args of the kernel, first version (64 bytes): older headers lack it */
    uint64_t flags, pidfd, child_tid, parent_tid, exit_signal, stack, stack_size, tls;
};

/* Returns the pid in the parent. The child runs entry(argument) on the stack named in the arguments and never comes
 * back: C must not see one call return twice. */
long bench_clone3(struct clone_arguments *arguments, size_t size, void (*entry)(void *), void *argument);

#endif
