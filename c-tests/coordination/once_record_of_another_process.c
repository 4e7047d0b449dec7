/* What stands in the record is believed only of the process that was born with it: a number that another process has now, an empty file, and one that
   is no record are none; nor does a record of another boot count. */
/* covers: C13-6, CO-stellar-core-883, CO-paseo-4803 */
#include "children.h"
#include "once.h"

static char record[2048];
static size_t length;

static void write_record(void)
{
    int fd = open(once_path(ONCE_NAME ".run"), O_WRONLY | O_TRUNC | O_CLOEXEC);
    CHECK(fd >= 0);
    CHECK_INT(write(fd, record, length), length);
    close(fd);
}

static void read_record(void)
{
    int fd = open(once_path(ONCE_NAME ".run"), O_RDONLY | O_CLOEXEC);
    CHECK(fd >= 0);
    length = (size_t)read(fd, record, sizeof record - 1);
    CHECK(length > 0);
    record[length] = 0;
    close(fd);
}

static void expect_a_start(ps_command *command, int starts)
{
    ps_error *error = NULL;
    ps_child *child = NULL;
    CHECK_OK(ps_spawn_once(NULL, once_dir, ONCE_NAME, command, NULL, ONCE_WAIT, &child, &error), error);
    CHECK(child != NULL);
    CHECK(wait_until(once_starts() == starts, 20000));
    read_record();
    CHECK_OK(ps_terminate(child, 0, NULL, &error), error);
    ps_child_free(child);
}

int main(void)
{
    char digits[16];
    let_a_tick_pass(); /* else a daemon might be born in that of our own birth, and could not be told from us by its start time alone */
    once_begin();
    ps_command *command = once_command("silent", NULL);
    expect_a_start(command, 1);
    /* A number that is ours now; with its start time and inode it was another process. */
    snprintf(digits, sizeof digits, "%010d", (int)getpid());
    memcpy(strstr(record, "\npid ") + 5, digits, 10);
    write_record();
    expect_a_start(command, 2);
    /* Where the kernel has no inode for it, the start time says so: of a line that is of another number it is none, so it is made one of ours. */
    char *stat = strstr(record, "\nstat ") + 6, *rest = strchr(stat, ' ');
    char line[512];
    snprintf(line, sizeof line, "%d%s", (int)getpid(), rest);
    memcpy(stat, line, (size_t)(record + length - stat));
    memcpy(strstr(record, "\npid ") + 5, digits, 10);
    memset(strstr(record, "\npidfs ") + 7, '0', 16);
    write_record();
    expect_a_start(command, 3);
    length = 0;
    write_record();
    expect_a_start(command, 4);
    length = (size_t)snprintf(record, sizeof record, "%d\n", (int)getpid());
    write_record();
    expect_a_start(command, 5);
    /* Of another boot. */
    char *boot = strstr(record, "\nboot ") + 6;
    boot[0] = boot[0] == '0' ? '1' : '0';
    write_record();
    expect_a_start(command, 6);
    ps_command_free(command);
    once_end();
    return 0;
}
