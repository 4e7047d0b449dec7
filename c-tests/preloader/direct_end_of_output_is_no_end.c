/* A worker that closes its streams lives and becomes ready; one that dies is seen to, though a grandchild holds its output, and at once. */
/* covers: P-b3, PA-50 */
#include "direct.h"

int main(void)
{
    warm_up();
    ps_command *command = app("say=before\\n", "closeout", "nap=20", "listen", "properties", "finish", "serve", NULL);
    ps_worker *worker = direct(NULL, command);
    end(worker);
    ps_command_free(command);

    char file[96], word[128];
    snprintf(file, sizeof file, "%s.holder", apps_dir());
    snprintf(word, sizeof word, "holder=%s", file);
    command = app("say=before\\n", word, "exit=4", NULL);
    int64_t began = now_ns();
    ps_error *error = fails(NULL, command, 60000 * slowness(), PS_ERR_EXITED);
    CHECK(elapsed_ms(began) < 30000 * slowness()); /* the grandchild has a minute */
    CHECK(says(error, "before") && says(error, "code 4"));
    ps_error_free(error);
    ps_command_free(command);
    FILE *number = fopen(file, "r");
    int pid = 0;
    CHECK(number && fscanf(number, "%d", &pid) == 1 && pid > 1);
    fclose(number);
    kill(pid, SIGKILL);
    unlink(file);
    NOTHING_IS_LEFT();
    return 0;
}
