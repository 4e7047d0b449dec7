/* A length that no object can have (a negative number gone wrong, as a rule) is a wrong argument wherever bytes or a list go in; nothing is
   read, and nothing is changed. */
/* covers: F28 */
#include "harness.h"
#include "children.h"

int main(void)
{
    static const size_t lengths[] = {(size_t)-1, (size_t)PTRDIFF_MAX + 1, SIZE_MAX / 2 + 2};
    char path[96], bytes[] = "x";
    uint32_t group = 1;
    ps_handoff *handoff = NULL;
    ps_error *error = NULL;
    ps_child *child = NULL;
    size_t index = 0;
    ps_command *command = command_for("/bin/cat", NULL);
    CHECK_STATUS(ps_command_input(command, "kept", 4, NULL), PS_OK);
    snprintf(path, sizeof path, "%s/control", temp_dir());
    CHECK_STATUS(ps_handoff_new(path, &handoff, NULL), PS_OK);
    for (size_t i = 0; i < sizeof lengths / sizeof *lengths; i++) {
        CHECK_ERROR(ps_handoff_set_state(handoff, bytes, lengths[i], &error), PS_ERR_INVALID_ARGUMENT, &error);
        CHECK_ERROR(ps_handoff_pass_connection(handoff, 2, bytes, lengths[i], &error), PS_ERR_INVALID_ARGUMENT, &error);
        CHECK_STR(ps_error_step(error), "data");
        ps_error_free(error);
        CHECK_ERROR(ps_command_input(command, bytes, lengths[i], &error), PS_ERR_INVALID_ARGUMENT, &error);
        CHECK_STR(ps_error_step(error), "data");
        ps_error_free(error);
        CHECK_ERROR(ps_command_credentials(command, 1, 1, &group, lengths[i], &error), PS_ERR_INVALID_ARGUMENT, &error);
        CHECK_STR(ps_error_step(error), "groups");
        ps_error_free(error);
        CHECK_ERROR(ps_command_groups(command, &group, lengths[i], &error), PS_ERR_INVALID_ARGUMENT, &error);
        CHECK_STR(ps_error_step(error), "groups");
        ps_error_free(error);
        CHECK_ERROR(ps_wait_any(&child, lengths[i], 0, &index, &error), PS_ERR_INVALID_ARGUMENT, &error);
        CHECK_STR(ps_error_step(error), "children");
        ps_error_free(error);
        CHECK_ERROR(ps_wait_all(&child, lengths[i], 0, &error), PS_ERR_INVALID_ARGUMENT, &error);
        CHECK_STR(ps_error_step(error), "children");
        ps_error_free(error);
    }
    ps_handoff_free(handoff);
    char *text = output_of(command);
    CHECK_STR(text, "kept");
    free(text);
    strcat(path, ".lock");
    CHECK(unlink(path) == 0);
    *strrchr(path, '/') = 0;
    CHECK(rmdir(path) == 0);
    return 0;
}
