/* What the preloader has written and its C library has not passed on yet is passed on before the fork: a copy of it in each worker would come again
   when that exits. So it is with what a hook writes. */
/* covers: FS-3, CO-cpython-98552, C15-1 */
#include "preloading.h"

enum { WORKERS = 3 };

static void before(void *data)
{
    static int times;
    (void)data;
    printf("before%d;", times++);
}

static void loaded(ps_preload *preload, const char *mode)
{
    ps_error *error = NULL;
    CHECK(setvbuf(stdout, NULL, _IOFBF, 1 << 16) == 0);
    printf("loaded"); /* no newline, no flush */
    if (strcmp(mode, "hooked") == 0)
        CHECK_OK(ps_preload_on_fork(preload, before, NULL, NULL, NULL, &error), error);
}

static void say(const char *question, char *answer, size_t cap)
{
    snprintf(answer, cap, "%s", question);
}

static int times(const char *text, const char *word)
{
    int count = 0;
    for (const char *at = text; (at = strstr(at, word)) != NULL; at++)
        count++;
    return count;
}

static void comes_once(const char *mode, int hooked)
{
    int ends[2];
    CHECK(pipe2(ends, O_CLOEXEC) == 0);
    ps_command *command = application_command(mode);
    set_stdio(command, 1, PS_STDIO_FD, ends[1]);
    house h = house_under(supervisor_new(), command);
    worker workers[WORKERS];
    for (int i = 0; i < WORKERS; i++)
        workers[i] = house_worker(&h);
    close(ends[1]);
    for (int i = 0; i < WORKERS; i++)
        CHECK_INT(worker_end(&workers[i]).code, 0); /* it returns from main: what is unwritten is written */
    house_end(&h);
    char *text = read_all(ends[0]);
    CHECK_INT(times(text, "loaded"), 1);
    CHECK(hooked ? times(text, "before") >= WORKERS : times(text, "before") == 0);
    for (int i = 0; hooked && i < WORKERS; i++) {
        char word[16];
        snprintf(word, sizeof word, "before%d;", i);
        CHECK_INT(times(text, word), 1);
    }
    free(text);
    close(ends[0]);
}

int main(int argc, char **argv)
{
    if (is_application(argc, argv))
        return be_application(argv[2], strcmp(argv[2], "libc") == 0 ? PS_FORK_LIBC : PS_FORK_SIBLING, loaded, say);
    comes_once("libc", 0);
    comes_once("sibling", 0);
    comes_once("hooked", 1);
    return 0;
}
