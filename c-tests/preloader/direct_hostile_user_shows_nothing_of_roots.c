/* A host that is root, an application that is nobody: a hard link to a file of root's in the place of what is read of the application is refused, and so is
   whatever is mounted there; and the search for leftovers does not go into a mount. Root makes them here, as a user could by fs.protected_hardlinks=0, by
   a fusermount, or by a container of its own. */
/* covers: PA-24, PA-65, PA-31, LAW-17 */
/* as-root */
/* variants: few */
#include "direct.h"

#include <sched.h>
#include <sys/mount.h>

static char go[96], secret[128], session[160], place[256];

static void find_session(void)
{
    DIR *dir = opendir(apps_dir());
    CHECK(dir != NULL);
    session[0] = 0;
    for (struct dirent *entry; (entry = readdir(dir));) {
        char path[160];
        snprintf(path, sizeof path, "%s/%.64s/args", apps_dir(), entry->d_name);
        if (access(path, F_OK) == 0)
            snprintf(session, sizeof session, "%s/%.64s", apps_dir(), entry->d_name);
    }
    closedir(dir);
    CHECK(session[0]);
}

static const char *in(const char *path)
{
    snprintf(place, sizeof place, "%s/%s", session, path);
    return place;
}

static void put(const char *path, const char *text)
{
    int fd = open(path, O_WRONLY | O_CREAT | O_CLOEXEC, 0644);
    CHECK(fd >= 0 && write(fd, text, strlen(text)) == (ssize_t)strlen(text) && close(fd) == 0);
}

typedef void prepare(void);

/* It is stopped before it says anything, until that was done to its directory. */
static void refused(ps_command *command, prepare *meanwhile, ps_status status, const char *why)
{
    ps_error *error = NULL;
    say_argument(command, "user", "nobody");
    ps_worker *worker = direct_begin(NULL, command);
    find_session();
    meanwhile();
    put(go, "");
    CHECK_ERROR(ps_worker_wait(worker, PATIENCE_MS, &error), status, &error);
    for (int32_t format = PS_RENDER_TEXT; format <= PS_RENDER_HTML; format++) {
        char *text = text_of(error, format);
        CHECK(!strstr(text, "TOP SECRET"));
        free(text);
    }
    CHECK(says(error, why));
    ps_error_free(error);
    ps_worker_free(worker);
    ps_command_free(command);
    CHECK(unlink(go) == 0);
}

static void link_texts(void)
{
    CHECK(link(secret, in("response/error/summary")) == 0 && link(secret, in("envdump/annotations/more")) == 0);
}

static void link_properties(void) { CHECK(link(secret, in("response/properties.json")) == 0); }

static void mount_text(void)
{
    char own[128];
    put(in("response/error/summary"), "");
    snprintf(own, sizeof own, "%s.own/secret", apps_dir());
    CHECK(mount(own, in("response/error/summary"), NULL, MS_BIND, NULL) == 0);
}

int main(void)
{
    char own[96], stale[160], word[128];
    if (geteuid() != 0)
        SKIP("it takes root");
    if (unshare(CLONE_NEWNS) != 0 || mount(NULL, "/", NULL, MS_REC | MS_PRIVATE, NULL) != 0)
        SKIP("no mount namespace of its own");
    warm_up_direct();
    CHECK(chmod(apps_dir(), 0755) == 0);
    leak_guard guard = leak_guard_begin();
    snprintf(go, sizeof go, "%s/go", apps_dir());
    snprintf(secret, sizeof secret, "%s/secret", apps_dir());
    snprintf(word, sizeof word, "await=%s", go);
    put(secret, "{\"sockets\": [{\"address\": \"tcp://127.0.0.1:9\", \"protocol\": \"http\", \"concurrency\": 1, \"accept_http_requests\": true,"
                " \"description\": \"TOP SECRET\"}]}");
    refused(app(word, "finish=0", "hang", NULL), link_texts, PS_ERR_ABORTED, "summary belongs to user 0");
    refused(app(word, "finish", "hang", NULL), link_properties, PS_ERR_PROTOCOL, "properties.json belongs to user 0");
    CHECK(unlink(secret) == 0);
    NOTHING_IS_LEFT();

    snprintf(own, sizeof own, "%s.own", apps_dir());
    CHECK(mkdir(own, 0755) == 0 && mount("none", own, "tmpfs", 0, "size=64k") == 0);
    snprintf(secret, sizeof secret, "%s/secret", own);
    put(secret, "TOP SECRET");
    CHECK(chown(secret, 65534, 65534) == 0);
    refused(app(word, "finish=0", "hang", NULL), mount_text, PS_ERR_ABORTED, "summary is a mount");
    CHECK(umount(in("response/error/summary")) == 0);
    CHECK(wait_until(apps_dir_is_empty(), 10000));

    /* A mount that has the name of a leftover, in a place at which nobody has looked yet. */
    char other[112];
    snprintf(other, sizeof other, "%s/other", apps_dir());
    snprintf(stale, sizeof stale, "%s/procsup.0123456789abcdef", other);
    CHECK(mkdir(other, 0755) == 0 && mkdir(stale, 0755) == 0 && mount(own, stale, NULL, MS_BIND, NULL) == 0);
    ps_command *command = serving();
    say_argument(command, "spawn_dir", other);
    end(direct(NULL, command));
    ps_command_free(command);
    CHECK(access(secret, F_OK) == 0);
    CHECK(umount(stale) == 0 && umount(own) == 0);
    CHECK(rmdir(own) == 0 && rmdir(stale) == 0 && rmdir(other) == 0);
    leak_guard_end(&guard);
    return 0;
}
