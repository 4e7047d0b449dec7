/* The lock is held, and nobody listens: that the owner which the lock file names is dead is said if its number is nobody's, or that of a process which
   began at another time. Of a number of another pid namespace, another boot or an older release nothing is said, however dead it looks. */
/* covers: F35 */
/* variants: none: nothing of it depends on how processes are made */
#include "harness.h"
#include "children.h"

#include <sys/file.h>
#include <sys/stat.h>

static char path[128], lock[140];
static int file;

/* What ps_handoff_new says where the lock file says this. */
static const char *told(const char *format, ...)
{
    static char said[1024];
    char text[512], all[600];
    ps_handoff *handoff = NULL;
    ps_error *error = NULL;
    size_t needed = 0;
    uint64_t sum = 0xCBF29CE484222325u;
    va_list list;
    va_start(list, format);
    vsnprintf(text, sizeof text, format, list);
    va_end(list);
    for (const char *c = text; *c; c++)
        sum = (sum ^ (unsigned char)*c) * 0x100000001B3u;
    int length = snprintf(all, sizeof all, "%ssum %016" PRIx64 "\n", text, sum);
    CHECK(ftruncate(file, 0) == 0 && pwrite(file, all, (size_t)length, 0) == length);
    CHECK_STATUS(ps_handoff_new(path, &handoff, &error), PS_ERR_LOCKED);
    CHECK_OK(ps_error_render(error, PS_RENDER_TEXT, said, sizeof said - 1, &needed), NULL);
    said[needed] = 0;
    ps_error_free(error);
    return said;
}

static unsigned long long began(pid_t pid)
{
    char name[64], text[1024];
    unsigned long long start = 0;
    snprintf(name, sizeof name, "/proc/%d/stat", (int)pid);
    int fd = open(name, O_RDONLY | O_CLOEXEC);
    ssize_t length = read(fd, text, sizeof text - 1);
    CHECK(fd >= 0 && length > 0);
    close(fd);
    text[length] = 0;
    char *at = strrchr(text, ')');
    for (int field = 2; field < 22; field++)
        at = strchr(at + 1, ' ');
    CHECK(sscanf(at, " %llu", &start) == 1);
    return start;
}

#define RECORD "procsup handoff 1\ngeneration 4\nlast 4\nowner %d\nboot %s\nstart %llu\npidns %lu\n"

int main(void)
{
    const char *dir = temp_dir();
    char boot[64] = "", mine[64];
    struct stat namespace;
    snprintf(path, sizeof path, "%s/control", dir);
    snprintf(lock, sizeof lock, "%s.lock", path);
    file = open(lock, O_RDWR | O_CREAT | O_CLOEXEC, 0600);
    CHECK(file >= 0 && flock(file, LOCK_EX | LOCK_NB) == 0);
    int fd = open("/proc/sys/kernel/random/boot_id", O_RDONLY | O_CLOEXEC);
    CHECK(fd >= 0 && read_line(fd, boot, sizeof boot) && stat("/proc/self/ns/pid", &namespace) == 0);
    close(fd);
    boot[strcspn(boot, "\n")] = 0;

    pid_t own = getpid(), gone = fork();
    unsigned long long start = began(own);
    unsigned long here = (unsigned long)namespace.st_ino;
    if (gone == 0)
        _exit(0);
    CHECK(waitpid(gone, NULL, 0) == gone);

    snprintf(mine, sizeof mine, "process %d", own);
    const char *text = told(RECORD, own, boot, start, here);
    CHECK(!strstr(text, "dead") && strstr(text, mine));
    CHECK(strstr(told(RECORD, own, boot, start - 1, here), "is dead"));
    text = told(RECORD, gone, boot, start, here);
    for (int i = 1; i < slowness() && !strstr(text, mine); i++) /* he is looked for in 200 ms */
        text = told(RECORD, gone, boot, start, here);
    CHECK(strstr(text, "is dead") && strstr(text, mine)); /* who holds it */
    CHECK(!strstr(told(RECORD, gone, boot, start, here + 1), "dead"));
    CHECK(!strstr(told(RECORD, gone, "another", start, here), "dead"));
    CHECK(!strstr(told("procsup handoff 1\ngeneration 4\nlast 4\nowner %d\nboot %s\n", gone, boot), "dead"));
    close(file);
    unlink(lock);
    CHECK(rmdir(dir) == 0);
    return 0;
}
