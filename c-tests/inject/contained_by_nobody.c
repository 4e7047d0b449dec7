/* The same in a user namespace: the host has given up root, so its maps are written by a process of their own. */
/* share: 5 */
/* variants: none */
#define AS_NOBODY
#include "contained.c"
