/* No room for the record of a daemon: that is told with errno and step, nothing is started and nothing left behind, and what stood there stays; who finds
   one running needs no room. With room again it is started. Read-only: found if it runs, else told. */
/* covers: C13-6 */
/* as-root */
/* variants: none */
#include "outputs.h"

#include "once.h"

static char disk[64];

static void fill(void)
{
    static char block[65536];
    char path[96];
    snprintf(path, sizeof path, "%s/filler", disk);
    int fd = open(path, O_CREAT | O_WRONLY | O_CLOEXEC, 0600);
    CHECK(fd >= 0);
    while (write(fd, block, sizeof block) > 0 || write(fd, block, 1) > 0)
        ;
    CHECK_INT(errno, ENOSPC);
    close(fd);
}

static void make_room(void)
{
    char path[96];
    snprintf(path, sizeof path, "%s/filler", disk);
    CHECK_INT(unlink(path), 0);
}

static bool has(const char *name)
{
    char path[96];
    snprintf(path, sizeof path, "%s/%s", disk, name);
    return access(path, F_OK) == 0;
}

static void cannot(const ps_command *command, int expected, const char *step)
{
    ps_error *error = NULL;
    ps_child *child = NULL;
    CHECK_ERROR(ps_spawn_once(NULL, disk, ONCE_NAME, command, once_address, ONCE_WAIT, &child, &error), PS_ERR_SYSTEM, &error);
    CHECK_INT(ps_error_errno(error), expected);
    CHECK_STR(ps_error_step(error), step);
    CHECK(strstr(ps_error_message(error), disk) != NULL);
    ps_error_free(error);
    CHECK(!has(ONCE_NAME ".run.new"));
    CHECK_INT(once_running(NULL), 0);
}

static ps_child *need(const ps_command *command, const char *address)
{
    ps_error *error = NULL;
    ps_child *child = NULL;
    CHECK_OK(ps_spawn_once(NULL, disk, ONCE_NAME, command, address, ONCE_WAIT, &child, &error), error);
    return child;
}

static void end(ps_child *child)
{
    ps_error *error = NULL;
    CHECK(child != NULL);
    CHECK_OK(ps_terminate(child, 0, NULL, &error), error);
    ps_child_free(child);
}

static void in_its_own_mounts(void)
{
    own_mounts();
    once_begin();
    strcpy(disk, small_disk("size=128k,nr_inodes=16,mode=0700"));
    ps_command *command = once_command(NULL);
    fill();
    cannot(command, ENOSPC, "pwrite");
    CHECK(!has(ONCE_NAME ".run"));
    make_room();
    ps_child *child = need(command, once_address);
    fill();
    CHECK(need(command, once_address) == NULL);
    CHECK(need(command, NULL) == NULL);
    end(child);
    cannot(command, ENOSPC, "pwrite");
    CHECK(has(ONCE_NAME ".run"));
    make_room();
    child = need(command, once_address);
    CHECK(mount(NULL, disk, NULL, MS_REMOUNT | MS_RDONLY, NULL) != 0 || need(command, once_address) == NULL);
    end(child);
    if (mount(NULL, disk, NULL, MS_REMOUNT | MS_RDONLY, NULL) == 0)
        cannot(command, EROFS, "open");
    ps_command_free(command);
    CHECK(umount(disk) == 0 && rmdir(disk) == 0);
    once_end();
}

int main(void)
{
    if (geteuid() != 0)
        SKIP("needs root for a mount namespace");
    in_forked_process(in_its_own_mounts);
    return 0;
}
