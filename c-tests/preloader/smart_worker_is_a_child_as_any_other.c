/* A worker that a preloader has forked has all that a child has: pid, sockets, standard input, output, an exit; and the preloader is used again. */
/* covers: PA-6, PA-79, PA-80, PA-81, PA-83, PA-92, P-b3, LAW-7, D-2 */
#include "smart.h"

int main(void)
{
    place p = place_begin("good", 0);
    CHECK_INT(preloader_pid(&p), 0);
    CHECK_INT(preloader_generation(&p), 0);
    ps_worker *first = smart_worker(&p), *second = smart_worker(&p);
    ps_error *error = NULL;
    pid_t last = 0;
    CHECK_INT(logged(&p, "preloader", NULL), 1);
    CHECK_INT(logged(&p, "worker", &last), 2);
    CHECK(preloader_pid(&p) > 0 && preloader_pid(&p) != last);
    CHECK_INT(preloader_generation(&p), 1);
    CHECK_INT(generation_of(first), 1);
    uint32_t count = 0;
    CHECK_OK(ps_worker_socket_count(second, &count, &error), error);
    CHECK_INT(count, 1);
    ps_child *child = child_of(second);
    int32_t pid = 0, tier = 0;
    CHECK_OK(ps_child_pid(child, &pid, &error), error);
    CHECK_INT(pid, last);
    CHECK_OK(ps_child_spawn_tier(child, &tier, &error), error);
    CHECK_INT(tier, PS_TIER_PRELOADER);
    char text[256], wanted[64];
    CHECK_OK(ps_child_output(child, text, sizeof text, NULL, &error), error);
    snprintf(wanted, sizeof wanted, "worker %d begins\n", (int)last);
    CHECK(strncmp(text, wanted, strlen(wanted)) == 0);
    ps_exit exit = end_worker(second);
    CHECK(exit.kind == PS_EXIT_EXITED || exit.kind == PS_EXIT_LOST);
    CHECK_INT(exit.code, exit.kind == PS_EXIT_EXITED ? 0 : -1);
    end_worker(first);
    place_end(&p);
}
