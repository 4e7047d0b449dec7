/* A hook in the worker draws random numbers anew: a thousand ids of twenty workers are a thousand. Without one all workers have the same. */
/* covers: C15-1, FS-5, CO-passenger-219, CO-simple_uuid-2 */
/* variants: few */
#include "native_app.h"

enum { WORKERS = 20, EACH = 50 };

static int by_value(const void *a, const void *b)
{
    long x = *(const long *)a, y = *(const long *)b;
    return (x > y) - (x < y);
}

static int distinct(const place *p, const char *what, int expected)
{
    static long numbers[WORKERS * EACH + 1];
    char line[64];
    int count = 0, different = 0;
    FILE *file = fopen(p->log, "re");
    CHECK(file != NULL);
    while (fgets(line, sizeof line, file))
        if (strncmp(line, what, strlen(what)) == 0 && line[strlen(what)] == ' ' && count <= WORKERS * EACH)
            numbers[count++] = atol(line + strlen(what) + 1);
    fclose(file);
    CHECK_INT(count, expected);
    qsort(numbers, (size_t)count, sizeof *numbers, by_value);
    for (int i = 0; i < count; i++)
        different += i == 0 || numbers[i] != numbers[i - 1];
    return different;
}

static place workers(const char *word, int count)
{
    place p = app_begin("how=sibling", "ids=50", word, NULL);
    for (int i = 0; i < count; i++)
        end_native(smart_worker(&p));
    return p;
}

int main(void)
{
    place p = workers("hooks", WORKERS);
    CHECK_INT(distinct(&p, "random", WORKERS * EACH), WORKERS * EACH);
    place_end(&p);

    p = workers(NULL, 3);
    CHECK_INT(distinct(&p, "random", 3 * EACH), EACH);
    place_end(&p);
}
