/* LISTEN_FDNAMES: the first of a name, and the name of each; several may share one, one may be empty, and without the variable all are
   "unknown". Only the one that is found is made close-on-exec. */
/* covers: C13-7 */
#include "service.h"

static void is_called(int fd, const char *expected)
{
    ps_error *error = NULL;
    char name[300];
    size_t needed = 0;
    memset(name, '#', sizeof name);
    CHECK_OK(ps_listen_fd_name(fd, NULL, 0, &needed, &error), error);
    CHECK_INT(needed, strlen(expected) + 1);
    CHECK_ERROR(ps_listen_fd_name(fd, name, needed - 1, &needed, &error), PS_ERR_LIMIT, &error);
    CHECK(name[0] == '#');
    CHECK_OK(ps_listen_fd_name(fd, name, needed, NULL, &error), error);
    CHECK_STR(name, expected);
}

static void is_at(const char *name, int expected)
{
    ps_error *error = NULL;
    int32_t fd = -7;
    if (expected < 0) {
        CHECK_STATUS(ps_listen_fd_named(name, &fd, &error), PS_ERR_NOT_FOUND);
        CHECK(strstr(ps_error_message(error), name) != NULL);
        ps_error_free(error);
        CHECK_INT(fd, -7);
        return;
    }
    CHECK_OK(ps_listen_fd_named(name, &fd, &error), error);
    CHECK_INT(fd, expected);
    CHECK(closes_on_exec(fd));
}

int main(void)
{
    ps_error *error = NULL;
    open_from_three(5);
    listen_variables("5", own_pid(), "http:admin::http:b c");
    is_at("admin", 4);
    CHECK(!closes_on_exec(3) && !closes_on_exec(5) && !closes_on_exec(6));
    is_at("http", 3);
    is_at("", 5);
    is_at("b c", 7);
    is_at("htt", -1);
    is_at("http:admin", -1);
    is_at("unknown", -1);
    is_called(3, "http");
    is_called(5, "");
    is_called(6, "http");
    is_called(7, "b c");
    CHECK_ERROR(ps_listen_fd_name(2, NULL, 0, &(size_t){0}, &error), PS_ERR_NOT_FOUND, &error);
    CHECK_ERROR(ps_listen_fd_name(8, NULL, 0, &(size_t){0}, &error), PS_ERR_NOT_FOUND, &error);
    CHECK_ERROR(ps_listen_fd_name(INT32_MIN, NULL, 0, &(size_t){0}, &error), PS_ERR_NOT_FOUND, &error);
    CHECK_ERROR(ps_listen_fd_name(INT32_MAX, NULL, 0, &(size_t){0}, &error), PS_ERR_NOT_FOUND, &error);
    CHECK_ERROR(ps_listen_fd_named(NULL, &(int32_t){0}, &error), PS_ERR_INVALID_ARGUMENT, &error);
    CHECK_ERROR(ps_listen_fd_named("http", NULL, &error), PS_ERR_INVALID_ARGUMENT, &error);
    CHECK_ERROR(ps_listen_fds(NULL, &error), PS_ERR_INVALID_ARGUMENT, &error);

    listen_variables("2", own_pid(), NULL);
    is_at("unknown", 3);
    is_at("http", -1);
    is_called(4, "unknown");
    /* One descriptor with an empty name. */
    listen_variables("1", own_pid(), "");
    is_at("", 3);
    is_called(3, "");
    return 0;
}
