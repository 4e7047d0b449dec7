/* Numbers and addresses that never were handles, among them addresses of real memory: BAD_HANDLE, never dereferenced. */
#include "harness.h"
#include "every_call.h"

int main(void)
{
    static char memory[256];
    char *heap = malloc(64);
    void *const foreign[] = {(void *)(uintptr_t)1, (void *)(uintptr_t)8, (void *)(uintptr_t)0xdeadbeef, (void *)UINTPTR_MAX,
                             (void *)(uintptr_t)0x8000000000000000u, (void *)(UINTPTR_MAX / 2), memory, memory + 1, heap,
                             (void *)(uintptr_t)&main};
    void *good[KINDS];
    make_handles(good); /* so that there is something to hit by mistake */
    for (size_t i = 0; i < sizeof foreign / sizeof *foreign; i++)
        for (int kind = 0; kind < KINDS; kind++) {
            check_every_call(kind, foreign[i], PS_ERR_BAD_HANDLE);
            free_as(kind, foreign[i]);
        }
    /* neighbours of a good handle: one bit of the index, the generation or the type changed (of a command there are two, so that a
       changed index could be the other one) */
    for (int kind = CHILD; kind < ERROR; kind++)
        for (unsigned bit = 0; bit < sizeof(uintptr_t) * CHAR_BIT; bit++) {
            void *near = (void *)((uintptr_t)good[kind] ^ (uintptr_t)1 << bit);
            check_every_call(kind, near, PS_ERR_BAD_HANDLE);
            free_as(kind, near);
        }
    reap_and_free(good[CHILD]);
    for (int kind = 0; kind < ERROR; kind++)
        if (kind != CHILD)
            free_as(kind, good[kind]);
    ps_error_free(good[ERROR]);
    free(heap);
    return 0;
}
