/* The faults of output_file.c on a file system without nameless files: the hidden name goes, whatever fails. */
/* variants: none */
#define FILES_NEED_A_NAME
/* share: 5 */
#include "output_file.c"
