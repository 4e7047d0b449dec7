/* As root: a command that names a user and nothing else has a session of that user, with the host's group and groups; its process is just that. */
/* variants: few */
/* as-root */
#include "direct.h"

static ps_command *of_a_user(void)
{
    ps_error *error = NULL;
    ps_command *command = serving();
    say_argument(command, "app_root", "/");
    CHECK_OK(ps_command_user(command, 54321, &error), error);
    return command;
}

int main(void)
{
    if (geteuid() != 0)
        SKIP("only root has other users");
    warm_up_direct();
    CHECK(chmod(apps_dir(), 0755) == 0);
    ps_error *error = NULL;
    ps_command *command = of_a_user();
    ps_worker *worker = direct(NULL, command);
    ps_child *child = child_of(worker);
    char path[64], text[4096] = "", expected[128];
    snprintf(path, sizeof path, "/proc/%d/status", (int)pid_of(child));
    int fd = open(path, O_RDONLY | O_CLOEXEC);
    CHECK(read(fd, text, sizeof text - 1) > 0);
    close(fd);
    gid_t gid = getgid();
    snprintf(expected, sizeof expected, "\nUid:\t54321\t54321\t54321\t54321\nGid:\t%u\t%u\t%u\t%u\n", gid, gid, gid, gid);
    CHECK(strstr(text, expected) != NULL);
    end(worker);
    ps_command_free(command);

    /* its session says another one: refused before anything is made */
    command = of_a_user();
    say_argument(command, "user", "65534");
    error = fails(NULL, command, PATIENCE_MS, PS_ERR_INVALID_ARGUMENT);
    CHECK(says(error, "credentials") && says(error, "54321"));
    ps_error_free(error);
    ps_command_free(command);
    return 0;
}
