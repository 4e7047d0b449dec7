/* A host that has closed 0, 1 and 2, as daemons do, gets the ends of pipes there: nothing that a process is given lands on another thing that it is given.
   Directly and through a preloader, the input is its own, and the output whole. */
/* covers: P-b22, D-7 */
/* variants: few */
#include "smart.h"

static void worker_is_whole(ps_worker *worker)
{
    ps_error *error = NULL;
    ps_child *child = child_of(worker);
    int32_t lifeline = -1;
    char said[4096];
    size_t length = 0;
    CHECK_OK(ps_worker_stdin(worker, &lifeline, &error), error);
    CHECK(lifeline >= 0 && close(lifeline) == 0);
    ps_exit exit = {.size = sizeof exit};
    CHECK_OK(ps_reap(child, PATIENCE_MS, &exit, &error), error); /* it has seen the end of its input */
    CHECK_OK(ps_child_output(child, said, sizeof said, &length, &error), error);
    ps_child_free(child);
    ps_worker_free(worker);
}

int main(void)
{
    ps_error *error = NULL;
    char words[32] = "";
    place p = place_begin("good", 0);
    int kept[3];
    for (int fd = 0; fd < 3; fd++)
        CHECK((kept[fd] = fcntl(fd, F_DUPFD_CLOEXEC, 50)) >= 50);
    for (int fd = 0; fd < 5; fd++)
        close(fd);
    ps_command *command = helper_command("session_app", "say=whole\\n", "err=and more\\n", "listen", "properties", "finish", "serve", NULL);
    session(command, "spawn_dir", p.base);
    ps_worker *direct = NULL;
    ps_status by_itself = ps_spawn_direct(p.supervisor, command, PATIENCE_MS, &direct, &error), through = PS_OK;
    ps_child *child = NULL;
    size_t length = 0;
    ps_worker *smart = NULL;
    if (by_itself == PS_OK && (by_itself = ps_worker_child(direct, &child, &error)) == PS_OK) {
        by_itself = ps_child_output(child, words, sizeof words - 1, &length, &error);
        through = ps_preloader_spawn(p.preloader, p.supervisor, NULL, PATIENCE_MS, &smart, &error);
    }
    for (int fd = 0; fd < 3; fd++) /* what the library has there moves aside, for the words of this test */
        if (fcntl(fd, F_GETFD) < 0)
            dup2(kept[fd], fd);
    CHECK_OK(by_itself, error);
    CHECK_OK(through, error);
    CHECK_STR(words, "whole\nand more\n");
    worker_is_whole(direct);
    worker_is_whole(smart);
    ps_command_free(command);
    /* As it was, when nothing of the library's is left: which of these numbers it had, and has given back, is chance. */
    ps_preloader_free(p.preloader);
    ps_supervisor_free(p.supervisor);
    all_are_gone(&p);
    for (int fd = 0; fd < 5; fd++)
        if (fd < 3)
            dup2(kept[fd], fd), close(kept[fd]);
        else if (fcntl(fd, F_GETFD) < 0)
            dup2(0, fd);
    place_end(&p);
    return 0;
}
