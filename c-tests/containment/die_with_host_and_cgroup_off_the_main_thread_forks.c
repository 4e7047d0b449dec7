/* variants: none (the tier is what is looked at) */
/* covers: F1, LAW-13 */
/* From another thread than the main one a child that dies with its host is made by a relay, and is then no vfork child in the kernel's
   eyes. In a control group of its own it must not share the host's memory: a memory controller kills all who share it. */
#include "harness.h"
#include "containment.h"

static int die_with_host, in_a_group;
static int32_t tier;

static void *spawn_one(void *unused)
{
    ps_error *error = NULL;
    ps_command *command = exiting("0");
    if (die_with_host)
        CHECK_OK(ps_command_die_with_host(command, 1, &error), error);
    if (in_a_group)
        in_cgroup(command, cgroup_path("own"));
    ps_child *child = spawn_once(NULL, command);
    CHECK_OK(ps_child_spawn_tier(child, &tier, &error), error);
    CHECK_INT(reap(child).code, 0);
    ps_child_free(child);
    return unused;
}

static int32_t tier_of(int with_host, int grouped)
{
    pthread_t thread;
    die_with_host = with_host;
    in_a_group = grouped;
    thread_start(&thread, spawn_one, NULL);
    CHECK(pthread_join(thread, NULL) == 0);
    return tier;
}

int main(void)
{
    cgroup_root();
    int32_t fast = tier_of(0, 0);
    CHECK_INT(tier_of(1, 1), PS_TIER_FORK);
    CHECK_INT(tier_of(1, 0), fast);
    CHECK_INT(tier_of(0, 1), fast);
    /* the main thread needs no relay */
    die_with_host = in_a_group = 1;
    spawn_one(NULL);
    CHECK_INT(tier, fast);
    return 0;
}
