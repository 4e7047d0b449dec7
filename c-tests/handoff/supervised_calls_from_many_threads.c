/*
 * While other threads take events, each call that starts something still answers what came of it: a program that is not there is told to who asked, whoever
 * has carried it out. Calls of all kinds beside each other, and a free in the middle of them, end typed, and leave nobody behind.
 */
/* covers: C16-1, LAW-4, LAW-5 */
/* variants: few */
#include "supervised.h"

enum { TAKERS = 3, TRIES = 60 };
static ps_handoff_supervisor *shared;
static atomic_bool over;
static atomic_int refused;

static void *taker(void *unused)
{
    (void)unused;
    ps_handoff_supervisor_event event = {.size = sizeof event};
    ps_status status;
    do {
        status = ps_handoff_supervisor_next_event(shared, 20, &event, NULL);
        CHECK(status == PS_OK || status == PS_PENDING || status == PS_ERR_SHUTDOWN || status == PS_ERR_BAD_HANDLE);
    } while (!over && (status == PS_OK || status == PS_PENDING));
    refused += status == PS_ERR_SHUTDOWN || status == PS_ERR_BAD_HANDLE;
    return NULL;
}

static void *meddler(void *unused)
{
    (void)unused;
    int32_t pid;
    uint64_t generation;
    char text[4096];
    size_t needed;
    ps_status status;
    do {
        status = ps_handoff_supervisor_owner(shared, &pid, &generation, NULL);
        CHECK(status == PS_OK || status == PS_ERR_NOT_FOUND || status == PS_ERR_SHUTDOWN || status == PS_ERR_BAD_HANDLE);
        ps_handoff_supervisor_cancel(shared, NULL);
        ps_handoff_supervisor_metrics(shared, text, sizeof text, &needed, NULL);
        ps_handoff_supervisor_set_probation(shared, 10, NULL);
        usleep(500);
    } while (!over);
    return NULL;
}

int main(void)
{
    pthread_t takers[TAKERS], meddles;
    ps_command *nowhere = NULL;
    scene_begin();
    sup_new();
    shared = sup;
    CHECK_STATUS(ps_command_new("/nowhere/at/all", &nowhere, NULL), PS_OK);
    for (int i = 0; i < TAKERS; i++)
        thread_start(&takers[i], taker, NULL);
    for (int i = 0; i < TRIES; i++)
        CHECK_STATUS(ps_handoff_supervisor_start(sup, nowhere, NULL), PS_ERR_NOT_FOUND);
    sup_start("");
    int32_t pid;
    CHECK(wait_until(ps_handoff_supervisor_owner(sup, &pid, NULL, NULL) == PS_OK, IN_TIME));
    answered_by(pid);
    for (int i = 0; i < TRIES; i++)
        CHECK_STATUS(ps_handoff_supervisor_replace(sup, nowhere, 0, 0, NULL), PS_ERR_NOT_FOUND);

    /* Replaced and called off from several sides, and freed under them all. */
    thread_start(&meddles, meddler, NULL);
    for (int i = 0; i < 5; i++) {
        ps_status status = sup_replace_status(0, "");
        CHECK(status == PS_OK || status == PS_ERR_IN_PROGRESS || status == PS_ERR_STATE);
        usleep(5000);
    }
    goes_on();
    ps_handoff_supervisor_free(sup);
    for (int i = 0; i < TAKERS; i++)
        CHECK(pthread_join(takers[i], NULL) == 0);
    CHECK_INT(refused, TAKERS);
    over = true;
    CHECK(pthread_join(meddles, NULL) == 0);
    goes_on();
    ps_command_free(nowhere);
    sup = NULL;
    scene_end();
    return 0;
}
