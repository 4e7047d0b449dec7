/* Many children with one target under REFUSE: all start, one of them publishes, all others say that it exists. */
#include "outputs.h"

enum { CHILDREN = 8 };
static ps_child *children[CHILDREN];
static ps_status answers[CHILDREN];

static void *reap_one(void *number)
{
    size_t i = (size_t)number;
    answers[i] = ps_reap(children[i], PATIENCE_MS, NULL, NULL);
    return NULL;
}

static void race(void)
{
    const char *dir = new_dir();
    int go[2], winners = 0;
    pthread_t threads[CHILDREN];
    CHECK_INT(pipe(go), 0);
    for (int i = 0; i < CHILDREN; i++) {
        char text[16];
        snprintf(text, sizeof text, "%d", i);
        ps_command *command = shell("read go; echo $1$1$1", text);
        set_stdio(command, 0, PS_STDIO_FD, go[0]);
        to_file(command, in_dir(dir, "out"), PS_OUTPUT_REFUSE);
        children[i] = spawn_once(NULL, command);
    }
    for (size_t i = 0; i < CHILDREN; i++)
        thread_start(&threads[i], reap_one, (void *)i);
    close(go[0]);
    close(go[1]);
    for (int i = 0; i < CHILDREN; i++)
        pthread_join(threads[i], NULL);
    for (int i = 0; i < CHILDREN; i++) {
        if (answers[i] == PS_OK) {
            char expected[16];
            snprintf(expected, sizeof expected, "%d%d%d\n", i, i, i);
            CHECK(content_is(in_dir(dir, "out"), expected));
            winners++;
        } else
            CHECK_INT(answers[i], PS_ERR_OUTPUT_EXISTS);
        ps_child_free(children[i]);
    }
    CHECK_INT(winners, 1);
    CHECK_INT(entries(dir), 1);
    remove_dir(dir);
}

static void race_without_nameless(void)
{
    without_nameless_files(EOPNOTSUPP);
    race();
}

int main(void)
{
    race();
    in_forked_process(race_without_nameless);
    return 0;
}
