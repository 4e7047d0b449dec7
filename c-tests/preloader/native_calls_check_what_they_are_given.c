/* What a preloader speaks is chosen before its first use; a native one has no session; what only the maker of a worker could give it is refused; a copy of
   the host has no preloader. */
/* covers: C15-1, LAW-6 */
/* variants: few */
#include "native.h"

static void refused_worker(const place *p, ps_command *command, const char *step)
{
    ps_error *error = NULL;
    ps_worker *worker = NULL;
    CHECK_ERROR(ps_preloader_spawn(p->preloader, p->supervisor, command, PATIENCE_MS, &worker, &error), PS_ERR_INVALID_ARGUMENT, &error);
    CHECK_STR(ps_error_step(error), step);
    ps_error_free(error);
    ps_command_free(command);
}

static void new_refused(ps_command *command, const char *step)
{
    ps_error *error = NULL;
    ps_preloader *preloader = NULL;
    CHECK_OK(ps_preloader_new(command, &preloader, &error), error);
    CHECK_ERROR(ps_preloader_set_protocol(preloader, PS_PRELOADER_NATIVE, &error), PS_ERR_INVALID_ARGUMENT, &error);
    CHECK_STR(ps_error_step(error), step);
    ps_error_free(error);
    ps_preloader_free(preloader);
    ps_command_free(command);
}

int main(void)
{
    ps_error *error = NULL;
    place p = native_begin("ok", 0);

    /* There and back, as long as nobody has used it. */
    CHECK_OK(ps_preloader_set_protocol(p.preloader, PS_PRELOADER_NATIVE, &error), error);
    CHECK_OK(ps_preloader_set_protocol(p.preloader, PS_PRELOADER_PASSENGER, &error), error);
    CHECK_OK(ps_preloader_set_protocol(p.preloader, PS_PRELOADER_NATIVE, &error), error);
    CHECK_ERROR(ps_preloader_set_protocol(p.preloader, 7, &error), PS_ERR_INVALID_ARGUMENT, &error);
    ps_error_free(error);
    CHECK_ERROR(ps_preloader_set(p.preloader, "app_type", "x", &error), PS_ERR_INVALID_ARGUMENT, &error);
    CHECK_STR(ps_error_step(error), "session");
    ps_error_free(error);

    ps_command *command = exiting("0");
    session(command, "app_type", "x");
    refused_worker(&p, command, "session");
    command = exiting("0");
    CHECK_OK(ps_command_readiness(command, PS_READY_EXEC, NULL, -1, &error), error);
    refused_worker(&p, command, "readiness");
    command = exiting("0");
    CHECK_OK(ps_command_umask(command, 022, &error), error);
    refused_worker(&p, command, "umask");
    command = exiting("0");
    CHECK_OK(ps_command_affinity(command, (const uint32_t[]){0}, 1, &error), error);
    refused_worker(&p, command, "affinity");
    command = exiting("0");
    CHECK_OK(ps_command_scheduling(command, PS_SCHED_BATCH, 0, &error), error);
    refused_worker(&p, command, "scheduling");
    command = exiting("0");
    CHECK_OK(ps_command_landlock(command, "/", PS_ALLOW_READ, &error), error);
    refused_worker(&p, command, "landlock");
    command = exiting("0");
    CHECK_OK(ps_command_user(command, geteuid(), &error), error);
    refused_worker(&p, command, "credentials");
    command = exiting("0");
    CHECK_OK(ps_command_output_file(command, "/tmp/never-made", 0, &error), error);
    refused_worker(&p, command, "output_file");
    CHECK_INT(logged(&p, "preloader", NULL), 0);

    ps_worker *worker = smart_worker(&p);
    CHECK_ERROR(ps_preloader_set_protocol(p.preloader, PS_PRELOADER_PASSENGER, &error), PS_ERR_STATE, &error);
    ps_error_free(error);
    CHECK_OK(ps_preloader_set_protocol(p.preloader, PS_PRELOADER_NATIVE, &error), error);
    uint32_t count = 7;
    CHECK_OK(ps_worker_socket_count(worker, &count, &error), error);
    CHECK_INT(count, 0);

    pid_t copy = fork();
    if (copy == 0) {
        int32_t pid;
        bool right = ps_preloader_pid(p.preloader, &pid, NULL) == PS_ERR_FORKED && ps_preloader_stop(p.preloader, 0, NULL) == PS_ERR_FORKED;
        ps_preloader_free(p.preloader);
        ps_worker_free(worker);
        _exit(right ? 0 : 1);
    }
    int status = -1;
    CHECK(waitpid(copy, &status, 0) == copy && status == 0);
    CHECK(!is_gone(preloader_pid(&p)) && !is_gone(info_of(worker).pid));
    end_native(worker);
    worker = smart_worker(&p);
    CHECK_INT(generation_of(worker), 1);
    end_native(worker);
    place_end(&p);

    command = exiting("0");
    session(command, "app_type", "x");
    new_refused(command, "session");
}
