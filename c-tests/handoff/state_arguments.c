/* ps_handoff_state and ps_handoff_set_state: conventions of buffers, NULL. */
#include "harness.h"
#include "handoff.h"

int main(void)
{
    ps_handoff *handoff = NULL;
    ps_error *error = NULL;
    char bytes[8] = "abcdefg", path[96];
    size_t needed = 99;
    snprintf(path, sizeof path, "%s/control", temp_dir());
    CHECK_OK(ps_handoff_new(path, &handoff, &error), error);
    CHECK_STATUS(ps_handoff_set_state(handoff, NULL, 3, NULL), PS_ERR_INVALID_ARGUMENT);
    CHECK_STATUS(ps_handoff_set_state(handoff, NULL, 0, NULL), PS_OK);
    CHECK_STATUS(ps_handoff_set_state(handoff, bytes, 3, NULL), PS_OK);
    CHECK_STATUS(ps_handoff_state(handoff, bytes, sizeof bytes, &needed, NULL), PS_OK); /* its own is for the next */
    CHECK_INT(needed, 0);
    CHECK_STR(bytes, "abcdefg");
    CHECK_STATUS(ps_handoff_state(handoff, NULL, 0, &needed, NULL), PS_OK);
    CHECK_STATUS(ps_handoff_state(handoff, NULL, 0, NULL, NULL), PS_ERR_INVALID_ARGUMENT);
    CHECK_STATUS(ps_handoff_fd_names(handoff, bytes, sizeof bytes, &needed, NULL), PS_OK);
    CHECK_INT(needed, 0);
    CHECK_STATUS(ps_handoff_reason(handoff, bytes, sizeof bytes, &needed, NULL), PS_OK); /* none came to nothing */
    CHECK_INT(needed, 0);
    ps_handoff_free(handoff);
    return 0;
}
