/* dump_core MIB: fills so much memory and ends itself by SIGSEGV, so that its core (in the directory where it stands, if the limits allow one)
   takes a while to write. */
#include <signal.h>
#include <stdlib.h>
#include <string.h>

int main(int argc, char **argv)
{
    size_t size = (size_t)(argc > 1 ? atoi(argv[1]) : 1) << 20;
    char *memory = malloc(size);
    if (!memory)
        return 98;
    memset(memory, 0x5a, size);
    __asm__ volatile("" : : "r"(memory) : "memory");
    raise(SIGSEGV);
    return 99;
}
