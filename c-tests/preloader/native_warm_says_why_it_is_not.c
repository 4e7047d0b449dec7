/* A pool that cannot be filled: refused forks, a program that ends, one that does not answer in time; and what is no pool at all. */
/* covers: C15-2, FS-9, LAW-15 */
/* variants: few */
#include "pool.h"

static void refused(const char *mode, uint32_t count, int64_t timeout_ms, ps_status expected, const char *what)
{
    place p = native_begin(mode, -1);
    ps_error *error = NULL;
    set_pool(&p, count, -1);
    CHECK_ERROR(ps_preloader_warm(p.preloader, p.supervisor, timeout_ms, &error), expected, &error);
    says(error, what);
    ps_error_free(error);
    place_end(&p);
}

int main(void)
{
    refused("refuse", 1, PATIENCE_MS, PS_ERR_STATE, "3 threads: main, worker, gc");
    refused("exit", 1, PATIENCE_MS, PS_ERR_EXITED, "loads exit");
    refused("die", 1, PATIENCE_MS, PS_ERR_EXITED, "died over");
    refused("silent", 1, 50, PS_ERR_TIMEOUT, "preloader");

    place p = native_begin("ok", 0);
    ps_error *error = NULL;
    CHECK_ERROR(ps_preloader_set_pool(p.preloader, 1025, -1, &error), PS_ERR_INVALID_ARGUMENT, &error);
    ps_error_free(error);
    CHECK_ERROR(ps_preloader_set_pool(p.preloader, 1, -2, &error), PS_ERR_INVALID_ARGUMENT, &error);
    ps_error_free(error);
    CHECK_ERROR(ps_preloader_warm(p.preloader, p.supervisor, 0, &error), PS_ERR_INVALID_ARGUMENT, &error);
    ps_error_free(error);
    warm(&p);
    CHECK_INT(logged(&p, "preloader", NULL), 1);
    CHECK_INT(idle(0), 0);
    CHECK_ERROR(ps_preloader_set_protocol(p.preloader, PS_PRELOADER_PASSENGER, &error), PS_ERR_STATE, &error);
    ps_error_free(error);
    place_end(&p);

    ps_command *command = helper_command("raw_preloader", NULL);
    ps_preloader *other;
    CHECK_OK(ps_preloader_new(command, &other, &error), error);
    CHECK_ERROR(ps_preloader_set_pool(other, 1, -1, &error), PS_ERR_UNSUPPORTED, &error);
    ps_error_free(error);
    CHECK_ERROR(ps_preloader_set_limits(other, 1, 1, &error), PS_ERR_UNSUPPORTED, &error);
    ps_error_free(error);
    CHECK_ERROR(ps_preloader_warm(other, NULL, 1000, &error), PS_ERR_UNSUPPORTED, &error);
    ps_error_free(error);
    ps_preloader_free(other);
    ps_command_free(command);
}
