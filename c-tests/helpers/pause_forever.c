/* Does nothing until a signal ends it. With an argument it prints that as a line first ("pause_forever ready"). */
#include "forever.h"
#include <stdio.h>

int main(int argc, char **argv)
{
    if (argc > 1) {
        puts(argv[1]);
        fflush(stdout);
    }
    pause_forever();
}
