/* A worker that fills its directory with what cannot be read (gigabytes, FIFOs, directories, garbage), or puts another one in its place: each is a typed
   error in time, the directory is removed, and nothing outside of it is touched. */
/* covers: PA-23, PA-24, PA-25, PA-31, P-b12, LAW-17, C14-must-hostile */
#include "direct.h"

static void survive(ps_status status, ps_command *command)
{
    int64_t began = now_ns();
    ps_error *error = fails(NULL, command, PATIENCE_MS, status);
    CHECK(elapsed_ms(began) < PATIENCE_MS);
    ps_error_free(error);
    ps_command_free(command);
    NOTHING_IS_LEFT();
}

int main(void)
{
    warm_up_direct();
    leak_guard guard = leak_guard_begin();
    survive(PS_ERR_ABORTED, app("sparse=response/error/summary:4000000000", "sparse=response/error/problem_description.txt:4000000000",
                                "sparse=envdump/envvars:4000000000", "sparse=response/steps/subprocess_listen/state:4000000000", "finish=0", "hang", NULL));
    survive(PS_ERR_PROTOCOL, app("sparse=response/properties.json:4000000000", "finish", "hang", NULL));
    survive(PS_ERR_ABORTED, app("fifo=response/error/summary", "fifo=response/error/category", "rm=envdump/envvars", "fifo=envdump/envvars",
                                "fifo=envdump/annotations/x", "fifo=response/steps/subprocess_listen/state", "finish=0", "hang", NULL));
    survive(PS_ERR_PROTOCOL, app("fifo=response/properties.json", "finish", "hang", NULL));
    survive(PS_ERR_ABORTED, app("dir=response/error/summary", "dir=response/error/category", "dir=response/steps/subprocess_listen/state",
                                "write=response/error/advanced_problem_details:\\xff\\0\\xff", "finish=0", "hang", NULL));
    survive(PS_ERR_ABORTED, app("write=response/error/category:FILE_SYSTEM_ERROR", "finish=0", "hang", NULL));
    survive(PS_ERR_ABORTED, app("write=response/error/category:WHATEVER\\n\\0", "step=subprocess_listen:NONSENSE", "finish=0", "hang", NULL));
    survive(PS_ERR_EXITED, app("rm=response/finish", "fifo=response/finish", "exit=1", NULL));

    /* Another directory in its place: what the host has open is the old one, and the new one's is not touched. */
    char elsewhere[96], word[128], kept[128];
    snprintf(elsewhere, sizeof elsewhere, "%s.else", apps_dir());
    snprintf(kept, sizeof kept, "%s/kept", elsewhere);
    CHECK(mkdir(elsewhere, 0700) == 0 && close(open(kept, O_CREAT | O_WRONLY | O_CLOEXEC, 0600)) == 0);
    snprintf(word, sizeof word, "replace=%s", elsewhere);
    ps_command *command = app(word, "exit=1", NULL);
    ps_error_free(fails(NULL, command, PATIENCE_MS, PS_ERR_EXITED));
    ps_command_free(command);
    CHECK(access(kept, F_OK) == 0);
    remove_apps(); /* what it has moved aside is its own affair */
    CHECK(mkdir(apps_dir(), 0700) == 0 && unlink(kept) == 0 && rmdir(elsewhere) == 0);
    leak_guard_end(&guard);
    return 0;
}
