/* covers: F20, P15 */
/* serial */
/* variants: few */
/* One thread writes programs and runs each at once, while others make children by fork: as another user, or with the host's own fork. Such a
   child has a copy of the descriptor that the program was written through, until its exec; nobody may hear "text file busy" of it. */
#include "harness.h"
#include "children.h"

enum { ROUNDS = 500 };

static int over;

static void *fork_children(void *unused)
{
    ps_error *error = NULL;
    ps_command *command = helper_command("nothing", NULL);
    if (getuid() == 0)
        CHECK_OK(ps_command_credentials(command, 65534, 65534, NULL, 0, &error), error);
    while (!__atomic_load_n(&over, __ATOMIC_RELAXED)) {
        if (getuid() == 0) {
            reap_and_free(spawn(NULL, command));
            continue;
        }
        pid_t pid = fork();
        if (pid == 0) {
            execl(helper_path("nothing"), "nothing", NULL);
            _exit(127);
        }
        wait_for(pid);
    }
    ps_command_free(command);
    return unused;
}

int main(void)
{
    static char bytes[256 * 1024], program[128];
    const char *dir = temp_dir();
    int fd = open(helper_path("nothing"), O_RDONLY | O_CLOEXEC);
    ssize_t length = read(fd, bytes, sizeof bytes);
    CHECK(length > 0 && (size_t)length < sizeof bytes);
    close(fd);
    warm_up();
    pthread_t threads[2];
    for (int i = 0; i < 2; i++)
        thread_start(&threads[i], fork_children, NULL);
    for (int i = 0; i < ROUNDS / slowness(); i++) {
        snprintf(program, sizeof program, "%s/%d", dir, i);
        fd = open(program, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0755);
        CHECK(fd >= 0 && write(fd, bytes, (size_t)length) == length);
        close(fd);
        reap_and_free(spawn_once(NULL, command_for(program, NULL)));
        unlink(program);
    }
    __atomic_store_n(&over, 1, __ATOMIC_RELAXED);
    for (int i = 0; i < 2; i++)
        CHECK(pthread_join(threads[i], NULL) == 0);
    CHECK(rmdir(dir) == 0);
    return 0;
}
