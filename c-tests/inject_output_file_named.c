/* The faults of inject_output_file.c on a file system without nameless files: the hidden name goes, whatever fails. */
/* variants: none */
#define FILES_NEED_A_NAME
#include "inject_output_file.c"
