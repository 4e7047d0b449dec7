/* A host that is root, and beside it a process of the application's user that does what it can to the sessions: links in the place of files and
   directories, another directory in the place of the whole, directories that are deep, full and closed, FIFOs, likenesses of leftovers. Every spawn ends
   well or with a typed error in its time, nothing of root's is read, given away or removed, no descriptor is left, and what has kept its name is removed. */
/* covers: PA-20, PA-21, PA-23, PA-24, PA-31, LAW-17 */
/* as-root */
/* variants: none: it is about files */
/* timeout: 120 */
#include "direct.h"

#include <grp.h>
#include <sys/prctl.h>

#define SPAWNS 20
#define TIME_MS 300

static char canary[96];
static unsigned dice = 1;

static unsigned roll(unsigned sides) { return (dice = dice * 1103515245 + 12345) / 65536 % sides; }

/* One thing that is done to a session. */
static void harm(const char *top)
{
    static const char *const files[] = {"response/error/summary", "response/properties.json", "response/finish", "envdump/annotations/x",
                                        "response/steps/subprocess_listen/state", "envdump/envvars"};
    static const char *const directories[] = {"response", "response/error", "envdump/annotations", "args", "response/steps", "apps.s"};
    char path[300], other[320], target[128];
    snprintf(path, sizeof path, "%s/%s", top, files[roll(6)]);
    switch (roll(9)) {
    case 0:
        snprintf(target, sizeof target, "%s/secret", canary);
        unlink(path);
        if (symlink(target, path)) {
        }
        break;
    case 1:
        unlink(path);
        mkfifo(path, 0600);
        break;
    case 2:
        unlink(path);
        mkdir(path, 0700);
        break;
    case 3:
        snprintf(path, sizeof path, "%s/%s", top, directories[roll(6)]);
        snprintf(other, sizeof other, "%s.aside", path);
        rename(path, other);
        if (symlink(canary, path)) {
        }
        break;
    case 4:
        snprintf(path, sizeof path, "%s/%s", top, directories[roll(6)]);
        chmod(path, 0);
        break;
    case 5:
        snprintf(other, sizeof other, "%s.aside", top);
        rename(top, other);
        if (symlink(canary, top)) {
        }
        break;
    case 6:
        snprintf(path, sizeof path, "%s/deep", top);
        for (int level = 0; level < 100 && mkdir(path, 0700) == 0 && strlen(path) + 3 < sizeof path; level++)
            strcat(path, "/d");
        break;
    case 7:
        for (int number = 0; number < 100; number++) {
            snprintf(path, sizeof path, "%s/envdump/annotations/%d", top, number);
            close(open(path, O_CREAT | O_WRONLY | O_CLOEXEC, 0600));
        }
        break;
    default:
        snprintf(path, sizeof path, "%s/procsup.%016d", apps_dir(), (int)roll(32000));
        mkdir(path, 0700);
        strcat(path, "/link");
        if (symlink(canary, path)) {
        }
    }
}

static pid_t hostile(void)
{
    pid_t pid = fork();
    if (pid != 0)
        return pid;
    prctl(PR_SET_PDEATHSIG, SIGKILL);
    alarm(100);
    if (setgroups(0, NULL) || setgid(65534) || setuid(65534))
        _exit(1);
    prctl(PR_SET_PDEATHSIG, SIGKILL); /* a change of the user clears it */
    for (;;) {
        DIR *dir = opendir(apps_dir());
        for (struct dirent *entry; dir && (entry = readdir(dir));)
            if (strncmp(entry->d_name, "procsup.", 8) == 0 && !strchr(entry->d_name + 8, '.')) {
                char top[160];
                snprintf(top, sizeof top, "%s/%.64s", apps_dir(), entry->d_name);
                harm(top);
            }
        if (dir)
            closedir(dir);
        usleep(500);
    }
}

/* What is root's here is as it was. */
static void canary_is_well(void)
{
    char path[128];
    struct stat found;
    int count = 0;
    DIR *dir = opendir(canary);
    CHECK(dir != NULL);
    for (struct dirent *entry; (entry = readdir(dir));)
        count++;
    closedir(dir);
    CHECK_INT(count, 4);
    CHECK(stat(canary, &found) == 0 && found.st_uid == 0 && (found.st_mode & 07777) == 0755);
    snprintf(path, sizeof path, "%s/secret", canary);
    CHECK(stat(path, &found) == 0 && found.st_uid == 0 && (found.st_mode & 07777) == 0600 && found.st_size == 10);
    snprintf(path, sizeof path, "%s/below", canary);
    CHECK(stat(path, &found) == 0 && found.st_uid == 0 && (found.st_mode & 07777) == 0711);
}

/* Directories that have a session's name still, and are no likeness. */
static int left(void)
{
    int count = 0;
    DIR *dir = opendir(apps_dir());
    CHECK(dir != NULL);
    for (struct dirent *entry; (entry = readdir(dir));)
        count += strncmp(entry->d_name, "procsup.", 8) == 0 && strlen(entry->d_name) == 24 && strspn(entry->d_name + 8, "0123456789") < 16 &&
                 entry->d_type == DT_DIR;
    closedir(dir);
    ps_supervisor *supervisor = supervisor_new();
    ps_event event = {.size = sizeof event};
    ps_supervisor_next_event(supervisor, 0, &event, NULL);
    ps_supervisor_free(supervisor);
    return count;
}

int main(void)
{
    char path[128];
    int ready = 0;
    if (geteuid() != 0)
        SKIP("it takes root");
    warm_up_direct();
    CHECK(chmod(apps_dir(), 01777) == 0);
    snprintf(canary, sizeof canary, "%s.canary", apps_dir());
    CHECK(mkdir(canary, 0755) == 0);
    snprintf(path, sizeof path, "%s/secret", canary);
    int fd = open(path, O_CREAT | O_WRONLY | O_CLOEXEC, 0600);
    CHECK(fd >= 0 && write(fd, "TOP SECRET", 10) == 10 && close(fd) == 0);
    snprintf(path, sizeof path, "%s/below", canary);
    CHECK(mkdir(path, 0711) == 0);

    leak_guard guard = leak_guard_begin();
    pid_t enemy = hostile();
    for (int i = 0; i < SPAWNS; i++) {
        ps_worker *worker = NULL;
        ps_error *error = NULL;
        ps_command *command =
            i % 3 ? serving() : app("nap=5", "write=response/error/summary:it does not want to", "step=subprocess_listen:STEP_ERRORED", "finish=0", "hang", NULL);
        say_argument(command, "user", "nobody");
        int64_t began = now_ns();
        ps_status status = ps_spawn_direct(NULL, command, TIME_MS, &worker, &error);
        CHECK(elapsed_ms(began) < PATIENCE_MS);
        ps_command_free(command);
        if (status == PS_OK) {
            ready++;
            end(worker);
            continue;
        }
        CHECK(error && ps_error_status(error) == status && ps_error_step(error)[0]);
        CHECK(status != PS_ERR_INTERNAL);
        for (int32_t format = PS_RENDER_TEXT; format <= PS_RENDER_HTML; format++) {
            char *text = text_of(error, format);
            CHECK(!strstr(text, "TOP SECRET"));
            free(text);
        }
        ps_error_free(error);
    }
    CHECK(kill(enemy, SIGKILL) == 0 && waitpid(enemy, NULL, 0) == enemy);
    printf("%d of %d were ready\n", ready, SPAWNS);
    canary_is_well();
    CHECK(wait_until(left() == 0, 60000));
    canary_is_well();
    leak_guard_end(&guard);
    CHECK(rmdir(path) == 0);
    CHECK(nftw(canary, remove_one, 16, FTW_DEPTH | FTW_PHYS) == 0);
    return 0;
}
