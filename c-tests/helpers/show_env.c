/* Prints its environment as it is, one variable per line, in the order given. */
#include <stdio.h>

extern char **environ;

int main(void)
{
    for (char **variable = environ; *variable; variable++)
        puts(*variable);
    return 0;
}
