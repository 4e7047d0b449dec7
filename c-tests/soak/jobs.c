/* A storm of jobs: four threads start children of every kind under supervisors with limits (plain, failing, missing, captured, by lines,
   to files, restarted, with deadlines) and kill, stop, reap and free them at random, while one thread takes the events and now and then
   shuts a supervisor down or frees it in full flight. A ledger holds every event against what may be: nothing is lost, nothing comes
   twice, nothing starts after its end. At the end nobody lives, and descriptors, memory and files are as they should be.
   Arguments: how many jobs (by default 50 000, less where everything is slow; ./x soak gives its own count), and the seed. It decides what
   each thread asks for, not how the threads meet. */
/* covers: LAW-12, SC-17 */
/* timeout: 300 */
/* serial */
/* variants: none: a load, not a behaviour */
#include "harness.h"
#include "children.h"

enum { WORKERS = 4, STATIONS = 2, SLOTS = 64, SUPERVISORS = 4096, NOBODY = -1, RESERVED = -2, FLOOD_LINES = 6 * 64 };

enum kind {
    NOTHING, FAILS, PAUSES, LATE, DEAF, MISSING, CAPTURED, LINES, FLOOD, FILE_NEW, FILE_DROPPED, FILE_KEPT, FILE_SHARED, FILE_TAKEN,
    FLAKY, STEADY, HOPELESS, PIPED, OWNING, KINDS
};
static const int weight[KINDS] = {20, 6, 8, 5, 2, 5, 7, 9, 1, 6, 4, 3, 4, 3, 6, 5, 2, 3, 3};

static bool comes_back(int kind) { return kind == FLAKY || kind == STEADY || kind == HOPELESS; }
static bool has_own_file(int kind) { return kind == FILE_NEW || kind == FILE_DROPPED || kind == FILE_KEPT; }
static bool ends_by_itself(int kind) { return kind != PAUSES && kind != STEADY; }

/* One accepted or refused wish for a child. */
typedef struct job {
    ps_child *child;
    int64_t stopped_ns;   /* when a call that ends it for good had answered */
    uint64_t verdict;     /* what reaping it answered: the same to all */
    int32_t station, kind;
    int32_t touched;      /* threads in a call on it */
    bool accepted, freed, taken;
    /* of the thread that takes events */
    uint64_t last_exit;
    uint32_t runs, said;
    bool open, over, failed, cancelled, resting, resting_late, complained;
} job;

typedef struct station {
    ps_supervisor *supervisor;
    uint32_t most_running, most_pending, comeback; /* the largest limits that it ever had; jobs that come back */
    bool unlimited, asked_to_shut_down, freed, done;
    int open;
} station;

static job *jobs;
static long total, used, accepted, concluded, runs, refused, events;
static station stations[SUPERVISORS];
static int current[STATIONS], stations_made;
static long slots[SLOTS];
static char directory[] = "/tmp/procsup-storm-XXXXXX";
static bool workers_are_done;
static uint64_t first_seed;

#define READ(place) __atomic_load_n(&(place), __ATOMIC_SEQ_CST)
#define WRITE(place, value) __atomic_store_n(&(place), (value), __ATOMIC_SEQ_CST)
#define ADD(place, count) __atomic_add_fetch(&(place), (count), __ATOMIC_SEQ_CST)

static uint64_t dice(uint64_t *state)
{
    *state ^= *state << 13, *state ^= *state >> 7, *state ^= *state << 17;
    return *state * 0x2545F4914F6CDD1Dull >> 16;
}

static void say_where_it_hangs(void); /* below */

/* What is wrong with a job, with all that is known of it. */
#define CHECK_JOB(condition, what) ((condition) ? (void)0 : job_is_wrong(__LINE__, #condition, what))
static void print_job(const job *of)
{
    fprintf(stderr,
            "job %ld: kind %d supervisor %d accepted %d freed %d taken %d touched %d verdict %" PRIx64 " last exit %" PRIx64
            " runs %u said %u open %d over %d failed %d cancelled %d resting %d/%d complained %d stopped at %" PRId64 " of %" PRId64 "\n",
            (long)(of - jobs), of->kind, of->station, of->accepted, of->freed, of->taken, of->touched, of->verdict, of->last_exit, of->runs,
            of->said, of->open, of->over, of->failed, of->cancelled, of->resting, of->resting_late, of->complained, of->stopped_ns,
            now_ns());
}

static _Noreturn void job_is_wrong(int line, const char *condition, const job *wrong)
{
    print_job(wrong);
    harness_fail(__FILE__, line, "%s, seed %" PRIu64, condition, first_seed);
}

static const char *file_of(long id, char *path)
{
    snprintf(path, 128, "%s/out-%ld", directory, id);
    return path;
}

/* ---- supervisors --------------------------------------------------------------------------------------------------------- */

static int open_station(uint64_t *seed)
{
    int index = stations_made;
    CHECK(index < SUPERVISORS);
    station *made = &stations[index];
    ps_error *error = NULL;
    made->supervisor = supervisor_new();
    made->unlimited = dice(seed) % 8 == 0;
    made->most_running = made->unlimited ? 0 : 2 + dice(seed) % 12;
    made->most_pending = dice(seed) % 3 == 0 ? 0 : 1 + dice(seed) % 12;
    CHECK_OK(ps_supervisor_set_max_running(made->supervisor, made->most_running, &error), error);
    CHECK_OK(ps_supervisor_set_max_pending(made->supervisor, made->most_pending, &error), error);
    WRITE(stations_made, index + 1);
    return index;
}

/* Statuses of a call on a supervisor that another thread may have shut down or freed. */
static bool is_gone(const station *of, ps_status status)
{
    return (status == PS_ERR_BAD_HANDLE && READ(of->freed)) ||
           (status == PS_ERR_SHUTDOWN && (READ(of->asked_to_shut_down) || READ(of->freed)));
}

static void check_counts(station *of)
{
    uint32_t pending = 0, running = 0, stopping = 0;
    ps_error *error = NULL;
    ps_status status = ps_supervisor_counts(of->supervisor, &pending, &running, &stopping, &error);
    if (status != PS_OK) {
        CHECK(is_gone(of, status));
        ps_error_free(error);
        return;
    }
    uint32_t most = READ(of->most_running);
    if (!of->unlimited && running + stopping > most)
        harness_fail(__FILE__, __LINE__, "%u run and %u are stopped, but %u may", running, stopping, most);
    if (of->most_pending != 0 && pending > of->most_pending + READ(of->comeback))
        harness_fail(__FILE__, __LINE__, "%u wait, but %u may, and %u come back", pending, of->most_pending, of->comeback);
    CHECK(running < 10000 && stopping < 10000 && pending < 10000); /* none below 0 */
}

/* A limit that is changed in full flight; the ledger holds against the largest. */
static void change_limit(station *of, uint64_t *seed)
{
    if (of->unlimited)
        return;
    uint32_t limit = 1 + dice(seed) % 12, most = READ(of->most_running);
    while (most < limit && !__atomic_compare_exchange_n(&of->most_running, &most, limit, false, __ATOMIC_SEQ_CST, __ATOMIC_SEQ_CST)) {}
    ps_error *error = NULL;
    ps_status status = ps_supervisor_set_max_running(of->supervisor, limit, &error);
    CHECK(status == PS_OK || is_gone(of, status));
    ps_error_free(error);
}

/* ---- the ledger: what events say ----------------------------------------------------------------------------------------- */

static uint64_t exit_word(const ps_exit *end)
{
    return (uint64_t)end->kind << 48 | (uint64_t)(uint16_t)end->code << 32 | (uint64_t)end->signal << 16 | (uint64_t)(end->cause + 1);
}

static bool succeeded(uint64_t word) { return word >> 48 == PS_EXIT_EXITED && (uint16_t)(word >> 32) == 0; }

/* Its owner has seen the end and let go, or is about to: its events may be missing. */
static bool events_may_be_missing(const job *of) { return READ(of->freed) && (READ(of->taken) || READ(of->touched) != 0); }

static void check_slots_in_use(station *of, int index)
{
    if (of->unlimited || (uint32_t)of->open <= READ(of->most_running))
        return;
    of->open = 0;
    for (long id = 0; id < READ(used) && id < total; id++)
        of->open += jobs[id].station == index && jobs[id].open && !events_may_be_missing(&jobs[id]);
    if ((uint32_t)of->open > READ(of->most_running))
        harness_fail(__FILE__, __LINE__, "by the events %d run at once, but %u may", of->open, of->most_running);
}

static void on_output(station *of, job *said, const ps_event *event)
{
    char line[2048];
    size_t length = 0;
    ps_error *error = NULL;
    CHECK_OK(ps_event_data(of->supervisor, line, sizeof line, &length, &error), error);
    CHECK_JOB(said->open && (said->kind == LINES || said->kind == FLOOD), said);
    CHECK_JOB(event->stream == 1 && event->run == said->runs, said);
    if (said->kind == LINES)
        CHECK_JOB(length == 6 && memcmp(line, "line ", 5) == 0 && line[5] == (char)('a' + said->said) && event->status == PS_OK, said);
    else
        CHECK_JOB(event->status == PS_OK ? length == 1023 : length < 1024, said); /* a killed child may end within a line */
    said->said++;
}

static void on_exit_event(job *ended, const ps_event *event)
{
    CHECK_JOB(ended->open && event->run == ended->runs, ended);
    CHECK_JOB(event->exit.kind == PS_EXIT_EXITED || event->exit.kind == PS_EXIT_SIGNALED, ended);
    CHECK_JOB(event->status == PS_OK || (ended->kind == FILE_TAKEN && event->status == PS_ERR_OUTPUT_EXISTS), ended);
    ended->complained = event->status != PS_OK;
    ended->open = false;
    ended->last_exit = exit_word(&event->exit);
    if (succeeded(ended->last_exit)) {
        CHECK_JOB(ended->kind != LINES || ended->said == 5, ended);
        CHECK_JOB(ended->kind != FLOOD || ended->said == FLOOD_LINES, ended);
    }
    if (!comes_back(ended->kind))
        ended->over = true;
}

static void on_event(int index, const ps_event *event)
{
    station *of = &stations[index];
    if (of->done) /* SHUTDOWN_DONE is the last one, and comes once */
        harness_fail(__FILE__, __LINE__, "event %d of job %" PRIu64 " (kind %d) after SHUTDOWN_DONE", event->kind, event->user_data - 1,
                     event->child ? jobs[event->user_data - 1].kind : -1);
    ADD(events, 1);
    if (event->kind == PS_EVENT_SHUTDOWN_DONE) {
        CHECK(event->child == NULL && of->asked_to_shut_down);
        of->done = true;
        return;
    }
    CHECK(event->user_data >= 1 && event->user_data <= (uint64_t)total);
    job *about = &jobs[event->user_data - 1];
    CHECK_JOB(about->station == index && !about->failed && !about->cancelled, about);
    CHECK_JOB(READ(about->child) == NULL || READ(about->child) == event->child, about);
    bool again = about->resting;
    switch (event->kind) {
    case PS_EVENT_STARTED:
        CHECK_JOB(!about->open && !about->over && event->run == about->runs + 1 && (about->runs == 0 || again), about);
        CHECK_JOB(!about->resting_late, about); /* it was stopped for good */
        CHECK_JOB(about->kind != MISSING && about->kind != HOPELESS && event->pid > 0, about);
        about->runs++, about->said = 0;
        about->open = true, about->resting = false;
        of->open++;
        ADD(runs, 1);
        check_slots_in_use(of, index);
        return;
    case PS_EVENT_OUTPUT:
        on_output(of, about, event);
        return;
    case PS_EVENT_EXITED:
        on_exit_event(about, event);
        of->open--;
        break;
    case PS_EVENT_FAILED:
        CHECK_JOB(!about->open && !about->over && event->status != PS_OK, about);
        CHECK_JOB(about->kind == MISSING || about->kind == HOPELESS || about->kind == FILE_TAKEN, about);
        about->failed = about->over = !comes_back(about->kind);
        about->resting = false;
        break;
    case PS_EVENT_CANCELLED:
        CHECK_JOB(!about->open && !about->over && (about->runs == 0 || comes_back(about->kind)), about);
        about->cancelled = about->over = true;
        about->resting = false;
        break;
    case PS_EVENT_RESTARTING:
        CHECK_JOB(!about->open && !about->over && comes_back(about->kind) && !again, about);
        about->resting = true;
        about->resting_late = READ(about->stopped_ns) != 0 && event->time_ns > READ(about->stopped_ns);
        break;
    case PS_EVENT_GAVE_UP:
        CHECK_JOB(!about->open && !about->over && (about->kind == FLAKY || about->kind == HOPELESS) && !again, about);
        CHECK_JOB(about->kind != FLAKY || event->run >= 3, about);
        about->over = true;
        break;
    default:
        harness_fail(__FILE__, __LINE__, "an event of kind %d", event->kind);
    }
    ADD(concluded, 1);
}

/* Takes up to `most` events; false: the supervisor has none now. */
static bool take_events(int index, int most)
{
    for (int i = 0; i < most; i++) {
        ps_event event = {.size = sizeof event};
        ps_error *error = NULL;
        ps_status status = ps_supervisor_next_event(stations[index].supervisor, 0, &event, &error);
        if (status == PS_PENDING)
            return false;
        CHECK_OK(status, error);
        on_event(index, &event);
    }
    return true;
}

/* Waits on the descriptors, as an event loop does, for as long as nothing is to be done. */
static void wait_for_events(const int *index, int count, int ms)
{
    struct pollfd on[8];
    ps_error *error = NULL;
    for (int i = 0; i < count; i++) {
        int32_t fd = -1;
        CHECK_OK(ps_supervisor_fd(stations[index[i]].supervisor, &fd, &error), error);
        on[i] = (struct pollfd){.fd = fd, .events = POLLIN};
    }
    int ready = poll(on, (nfds_t)count, ms);
    CHECK(ready >= 0 || errno == EINTR);
    for (int i = 0; i < count; i++)
        if (on[i].revents)
            take_events(index[i], 200);
}

static void free_station(int index)
{
    station *of = &stations[index];
    WRITE(of->freed, true);
    ps_supervisor_free(of->supervisor);
}

static void shut_down(int index, uint64_t *seed)
{
    station *of = &stations[index];
    ps_error *error = NULL;
    WRITE(of->asked_to_shut_down, true);
    int64_t grace = (int64_t)(dice(seed) % 30) - 1;
    CHECK_OK(ps_supervisor_shutdown(of->supervisor, grace, &error), error);
    if (dice(seed) % 2)
        CHECK_OK(ps_supervisor_shutdown(of->supervisor, 0, &error), error);
    int64_t began = now_ms();
    while (!of->done) {
        wait_for_events(&index, 1, 100);
        if (now_ms() - began > PATIENCE_MS) {
            say_where_it_hangs();
            harness_fail(__FILE__, __LINE__, "no end of the shutdown of supervisor %d, seed %" PRIu64, index, first_seed);
        }
    }
    uint32_t pending = 1, running = 1, stopping = 1;
    CHECK(!take_events(index, 1));
    /* A spawn that is about to be refused may still be on its way into the line. */
    CHECK(wait_until(ps_supervisor_counts(of->supervisor, &pending, &running, &stopping, &error) == PS_OK && pending == 0, PATIENCE_MS));
    CHECK(running == 0 && stopping == 0);
    free_station(index);
}

static void *take_all(void *seed_of_thread)
{
    uint64_t *seed = seed_of_thread;
    long next_change = READ(used) + 200;
    while (!READ(workers_are_done)) {
        wait_for_events(current, STATIONS, 20);
        if (READ(used) < next_change)
            continue;
        next_change = READ(used) + 300 + (long)(dice(seed) % 500);
        int place = (int)(dice(seed) % STATIONS), old = current[place];
        WRITE(current[place], open_station(seed));
        if (dice(seed) % 3)
            shut_down(old, seed);
        else
            free_station(old);
    }
    for (int place = 0; place < STATIONS; place++)
        shut_down(current[place], seed);
    return NULL;
}

/* ---- the threads that start and end them --------------------------------------------------------------------------------- */

static void make_commands(ps_command **command)
{
    static const char *const does[KINDS] = {
        [FAILS] = "3",        [PAUSES] = "p",        [LATE] = "p",          [DEAF] = "dp",      [CAPTURED] = "lll", [LINES] = "lllll",
        [FLOOD] = "bbbbbb",   [FILE_NEW] = "lll",    [FILE_DROPPED] = "l3", [FILE_KEPT] = "l3", [FILE_SHARED] = "l", [FILE_TAKEN] = "l",
        [FLAKY] = "3",        [PIPED] = "l",
    };
    char path[128];
    ps_error *error = NULL;
    for (int kind = 0; kind < KINDS; kind++) {
        bool missing = kind == MISSING || kind == HOPELESS;
        command[kind] = missing      ? command_for("/nonexistent/program", NULL)
                        : does[kind] ? helper_command("storm", does[kind], NULL)
                                     : helper_command("nothing", NULL);
    }
    CHECK_OK(ps_command_deadline(command[LATE], 5, &error), error);
    CHECK_OK(ps_command_deadline(command[DEAF], 3, &error), error);
    CHECK_OK(ps_command_stop_step(command[DEAF], SIGTERM, 2, &error), error);
    CHECK_OK(ps_command_stop_step(command[DEAF], SIGKILL, -1, &error), error);
    CHECK_OK(ps_command_capture(command[CAPTURED], 64, &error), error);
    CHECK_OK(ps_command_output_lines(command[LINES], 1, &error), error);
    CHECK_OK(ps_command_output_lines(command[FLOOD], 1, &error), error);
    CHECK_OK(ps_command_output_on_failure(command[FILE_DROPPED], PS_OUTPUT_DROP, &error), error);
    snprintf(path, sizeof path, "%s/shared", directory);
    CHECK_OK(ps_command_output_file(command[FILE_SHARED], path, PS_OUTPUT_REPLACE, &error), error);
    CHECK_OK(ps_command_output_on_failure(command[FILE_SHARED], PS_OUTPUT_DROP, &error), error);
    snprintf(path, sizeof path, "%s/taken", directory);
    CHECK_OK(ps_command_output_file(command[FILE_TAKEN], path, PS_OUTPUT_REFUSE, &error), error);
    CHECK_OK(ps_command_restart(command[FLAKY], PS_RESTART_ON_FAILURE, 0, 2, &error), error);
    CHECK_OK(ps_command_restart_limit(command[FLAKY], 3, 10000, &error), error);
    CHECK_OK(ps_command_restart(command[STEADY], PS_RESTART_ALWAYS, 1, 5, &error), error);
    CHECK_OK(ps_command_restart_early_exit(command[STEADY], 0, &error), error);
    CHECK_OK(ps_command_restart(command[HOPELESS], PS_RESTART_ALWAYS, 0, 1, &error), error);
    CHECK_OK(ps_command_restart_limit(command[HOPELESS], 3, 10000, &error), error);
    for (int stream = 0; stream < 3; stream++)
        CHECK_OK(ps_command_stdio(command[PIPED], stream, PS_STDIO_PIPE, -1, &error), error);
}

static int any_kind(uint64_t *seed)
{
    int sum = 0, kind = 0;
    for (int i = 0; i < KINDS; i++)
        sum += weight[i];
    for (int left = (int)(dice(seed) % (unsigned)sum); left >= weight[kind]; kind++)
        left -= weight[kind];
    return kind;
}

/* One of its own for OWNING; the command has it until a child takes it over. */
static void give_descriptor(ps_command *command, bool *armed)
{
    ps_error *error = NULL;
    if (!*armed)
        CHECK_OK(ps_command_own_fd(command, open("/dev/null", O_RDONLY | O_CLOEXEC), &error), error);
    *armed = true;
}

/* False: there are no jobs left to start. */
static bool start_one(ps_command **command, long slot, bool *armed, uint64_t *seed)
{
    long id = ADD(used, 1) - 1;
    if (id >= total)
        return false;
    job *made = &jobs[id];
    int kind = made->kind = any_kind(seed);
    char path[128];
    ps_error *error = NULL;
    CHECK_OK(ps_command_user_data(command[kind], (uint64_t)id + 1, &error), error);
    if (has_own_file(kind))
        CHECK_OK(ps_command_output_file(command[kind], file_of(id, path), PS_OUTPUT_REFUSE, &error), error);
    if (kind == OWNING)
        give_descriptor(command[OWNING], armed);
    for (;;) {
        int index = READ(current[dice(seed) % STATIONS]);
        station *at = &stations[index];
        WRITE(made->station, index);
        if (comes_back(kind))
            ADD(at->comeback, 1);
        ps_child *child = NULL;
        ps_status status = ps_spawn(at->supervisor, command[kind], &child, &error);
        if (status == PS_OK) {
            WRITE(made->child, child);
            WRITE(made->accepted, true);
            WRITE(slots[slot], id);
            ADD(accepted, 1);
            *armed = *armed && kind != OWNING;
            return true;
        }
        bool full = status == PS_ERR_LIMIT && strcmp(ps_error_step(error), "queue") == 0;
        bool expected = (status == PS_ERR_NOT_FOUND && (kind == MISSING || kind == HOPELESS)) ||
                        (status == PS_ERR_OUTPUT_EXISTS && kind == FILE_TAKEN);
        if (!full && !expected && !is_gone(at, status))
            harness_fail_status(__FILE__, __LINE__, "ps_spawn", status, PS_OK, error);
        ps_error_free(error);
        error = NULL;
        if (expected) {
            WRITE(slots[slot], NOBODY);
            return true;
        }
        if (full) {
            ADD(refused, 1);
            WRITE(slots[slot], NOBODY);
            WRITE(made->kind, NOTHING);
            return true;
        }
    }
}

/* Another thread may have freed the handle meanwhile. */
static bool is_freed(const job *of, ps_status status) { return status == PS_ERR_BAD_HANDLE && READ(of->freed); }

/* Whatever reaping answers, it answers to all, and for ever. */
static void note_verdict(job *of, ps_status status, const ps_exit *end, ps_error *error)
{
    if (status == PS_ERR_TIMEOUT || status == PS_PENDING || is_freed(of, status)) {
        ps_error_free(error);
        return;
    }
    WRITE(of->taken, true);
    bool known = status == PS_OK || status == PS_ERR_CANCELLED || status == PS_ERR_SHUTDOWN ||
                 (status == PS_ERR_OUTPUT_EXISTS && of->kind == FILE_TAKEN) ||
                 (status == PS_ERR_NOT_FOUND && (of->kind == MISSING || of->kind == HOPELESS));
    if (!known)
        harness_fail_status(__FILE__, __LINE__, "reap or terminate", status, PS_OK, error);
    ps_error_free(error);
    uint64_t verdict = status == PS_OK ? exit_word(end) : (uint64_t)-status, before = 0;
    if (!__atomic_compare_exchange_n(&of->verdict, &before, verdict, false, __ATOMIC_SEQ_CST, __ATOMIC_SEQ_CST) && before != verdict) {
        fprintf(stderr, "now %" PRIx64 "\n", verdict);
        CHECK_JOB(!"two verdicts", of);
    }
}

static void stop_for_good(job *of, uint64_t *seed)
{
    static const int64_t graces[] = {0, 2, -1};
    ps_error *error = NULL;
    ps_status status = ps_terminate_begin(of->child, graces[dice(seed) % 3], &error);
    CHECK_JOB(status == PS_OK || is_freed(of, status), of);
    if (status == PS_OK)
        WRITE(of->stopped_ns, now_ns());
    ps_error_free(error);
}

static void look_at(job *of)
{
    char output[64];
    size_t length = 0;
    int32_t state = -1, pid = -1;
    ps_status status = ps_child_state(of->child, &state, NULL);
    CHECK_JOB((status == PS_OK && state >= PS_STATE_PENDING && state <= PS_STATE_CANCELLED) || is_freed(of, status), of);
    status = ps_child_pid(of->child, &pid, NULL);
    CHECK_JOB((status == PS_OK && pid > 0) || status == PS_ERR_STATE || is_freed(of, status), of);
    if (of->kind != CAPTURED)
        return;
    status = ps_child_output(of->child, output, sizeof output, &length, NULL);
    CHECK_JOB(status != PS_OK || (length <= 21 && memcmp(output, "line a\nline b\nline c\n", length) == 0), of);
}

static void free_job(long slot, job *of, uint64_t *seed)
{
    long id = of - jobs;
    if (!__atomic_compare_exchange_n(&slots[slot], &id, RESERVED, false, __ATOMIC_SEQ_CST, __ATOMIC_SEQ_CST))
        return; /* somebody else does */
    if (!ends_by_itself(of->kind))
        stop_for_good(of, seed); /* nobody could end it any more */
    WRITE(of->freed, true);
    ps_child_free(of->child);
    WRITE(slots[slot], NOBODY);
}

static void do_something(long slot, long id, uint64_t *seed)
{
    job *of = &jobs[id];
    ps_exit end = {.size = sizeof end};
    ps_error *error = NULL;
    ADD(of->touched, 1);
    switch (dice(seed) % 16) {
    case 0: case 1: case 2: {
        ps_status status = ps_signal(of->child, SIGKILL, &error);
        CHECK_JOB(status == PS_OK || status == PS_ERR_STATE || status == PS_ERR_EXITED || is_freed(of, status), of);
        ps_error_free(error);
        break;
    }
    case 3: case 4:
        stop_for_good(of, seed);
        break;
    case 5: {
        ps_status status = ps_terminate(of->child, (int64_t)(dice(seed) % 4) - 1, &end, &error);
        if (status != PS_ERR_BAD_HANDLE)
            WRITE(of->stopped_ns, now_ns());
        note_verdict(of, status, &end, error);
        break;
    }
    case 6: case 7: {
        ps_status status = ps_reap(of->child, (int64_t)(dice(seed) % 6), &end, &error);
        note_verdict(of, status, &end, error);
        break;
    }
    case 8: case 9: {
        ps_status status = ps_reap_nonblock(of->child, &end, &error);
        note_verdict(of, status, &end, error);
        break;
    }
    case 10: case 11:
        check_counts(&stations[of->station]);
        break;
    case 12:
        look_at(of);
        break;
    case 13:
        if (dice(seed) % 8 == 0)
            change_limit(&stations[of->station], seed);
        break;
    default:
        free_job(slot, of, seed);
    }
    ADD(of->touched, -1);
}

static void *work(void *seed_of_thread)
{
    uint64_t *seed = seed_of_thread;
    ps_command *command[KINDS];
    char taken[128];
    bool armed = false;
    make_commands(command);
    snprintf(taken, sizeof taken, "%s/taken", directory);
    for (;;) {
        long slot = (long)(dice(seed) % SLOTS), id = READ(slots[slot]);
        if (id >= 0) {
            do_something(slot, id, seed);
        } else if (id == NOBODY && __atomic_compare_exchange_n(&slots[slot], &id, RESERVED, false, __ATOMIC_SEQ_CST, __ATOMIC_SEQ_CST)) {
            if (!start_one(command, slot, &armed, seed)) {
                WRITE(slots[slot], NOBODY);
                break;
            }
            if (dice(seed) % 64 == 0)
                unlink(taken);
        }
    }
    for (int kind = 0; kind < KINDS; kind++)
        ps_command_free(command[kind]);
    return NULL;
}

/* ---- the end ------------------------------------------------------------------------------------------------------------- */

static void check_job(const job *of)
{
    if (!of->accepted) {
        CHECK_JOB(of->runs == 0 && !of->open && !of->over && !of->failed && !of->cancelled, of);
        return;
    }
    CHECK_JOB(of->touched == 0 && of->taken, of);
    bool reaped = of->verdict >> 48 != 0;
    if (reaped && ends_by_itself(of->kind) && of->stopped_ns == 0 && of->kind != MISSING)
        CHECK_JOB(of->runs == 0 || of->last_exit == 0 || of->last_exit == of->verdict || comes_back(of->kind) || of->freed, of);
    /* Events went with the handle, or with the supervisor. */
    if (of->freed || (!stations[of->station].asked_to_shut_down && stations[of->station].freed))
        return;
    CHECK_JOB(!of->open && !of->resting && (of->over || comes_back(of->kind)), of);
    CHECK_JOB(reaped ? of->last_exit == of->verdict : of->cancelled || of->failed || of->complained || of->kind == HOPELESS, of);
}

/* Freed without having been reaped: its supervisor still tells of its end. */
static void check_freed_job(const job *of)
{
    if (!of->accepted || of->taken || (!stations[of->station].asked_to_shut_down && stations[of->station].freed))
        return;
    CHECK_JOB(!of->open && !of->resting && (of->over || (comes_back(of->kind) && (of->runs > 0 || of->kind == HOPELESS))), of);
}

static char *text_of(const char *path)
{
    int fd = open(path, O_RDONLY | O_CLOEXEC);
    if (fd < 0)
        return NULL;
    char *text = read_all(fd);
    close(fd);
    return text;
}

/* A file is there if its job has put it there, whole if it had the time; and nothing else is. */
static void check_files(void)
{
    char path[128];
    long files = 0, expected = 0;
    for (long id = 0; id < total; id++) {
        const job *of = &jobs[id];
        if (!has_own_file(of->kind))
            continue;
        char *text = text_of(file_of(id, path));
        uint64_t end = of->verdict >> 48 ? of->verdict : of->last_exit;
        bool ended_by_itself = end >> 48 == PS_EXIT_EXITED;
        expected += text != NULL;
        CHECK_JOB(of->accepted || !text, of);
        if (of->kind == FILE_DROPPED)
            CHECK_JOB(!text, of);
        if (of->kind == FILE_NEW && ended_by_itself)
            CHECK_JOB(text && strcmp(text, "line a\nline b\nline c\n") == 0, of);
        if (of->kind == FILE_KEPT && end)
            CHECK_JOB(text && (!ended_by_itself || strcmp(text, "line a\n") == 0), of);
        if (of->verdict && !end)
            CHECK_JOB(!text, of); /* it was never started */
        CHECK_JOB(!text || strncmp(text, "line a\nline b\nline c\n", strlen(text)) == 0, of);
        free(text);
    }
    DIR *all = opendir(directory);
    CHECK(all != NULL);
    for (struct dirent *entry; (entry = readdir(all));) {
        if (strcmp(entry->d_name, ".") == 0 || strcmp(entry->d_name, "..") == 0)
            continue;
        snprintf(path, sizeof path, "%s/%.60s", directory, entry->d_name);
        if (strncmp(entry->d_name, "out-", 4) == 0) {
            files++;
        } else {
            if (strcmp(entry->d_name, "shared") != 0 && strcmp(entry->d_name, "taken") != 0)
                harness_fail(__FILE__, __LINE__, "what is %s?", path);
            char *text = text_of(path);
            CHECK(strcmp(entry->d_name, "taken") == 0 || strcmp(text, "line a\n") == 0);
            free(text);
        }
        CHECK(unlink(path) == 0);
    }
    closedir(all);
    CHECK_INT(files, expected);
}

static void say_where_it_hangs(void)
{
    for (int index = 0; index < READ(stations_made); index++) {
        uint32_t pending = 0, running = 0, stopping = 0;
        const station *of = &stations[index];
        if (!READ(of->freed) && ps_supervisor_counts(of->supervisor, &pending, &running, &stopping, NULL) == PS_OK)
            fprintf(stderr, "supervisor %d: %u wait, %u run, %u stop, %u may\n", index, pending, running, stopping, of->most_running);
    }
    for (const job *of = jobs; of < jobs + total; of++)
        if (of->accepted && (!of->freed || of->touched))
            print_job(of);
}

static void storm(long count, uint64_t seed)
{
    uint64_t seeds[WORKERS + 2];
    pthread_t worker[WORKERS], taker;
    for (int i = 0; i < WORKERS + 2; i++) {
        seeds[i] = (seed + 1) * 0x9E3779B97F4A7C15ull + (uint64_t)i * 0xD1B54A32D192ED03ull;
        dice(&seeds[i]);
    }
    total = count;
    used = accepted = concluded = runs = refused = events = 0;
    stations_made = 0;
    workers_are_done = false;
    memset(jobs, 0, sizeof *jobs * (size_t)count);
    memset(stations, 0, sizeof stations);
    for (int i = 0; i < SLOTS; i++)
        slots[i] = NOBODY;
    for (int place = 0; place < STATIONS; place++)
        current[place] = open_station(&seeds[WORKERS]);
    int64_t began = now_ms();
    for (int i = 0; i < WORKERS; i++)
        thread_start(&worker[i], work, &seeds[i]);
    thread_start(&taker, take_all, &seeds[WORKERS]);

    /* Without progress for so long something hangs: that shall be seen, not time out. */
    for (long before = -1, now; READ(used) < total + WORKERS; before = now) {
        now = READ(used) + READ(concluded);
        if (!wait_until(READ(used) >= total + WORKERS || READ(used) + READ(concluded) > now, 30000) && now == before) {
            say_where_it_hangs();
            harness_fail(__FILE__, __LINE__, "no progress, seed %" PRIu64, seed);
        }
    }
    for (int i = 0; i < WORKERS; i++)
        pthread_join(worker[i], NULL);
    WRITE(workers_are_done, true);
    pthread_join(taker, NULL);

    /* Nobody runs any more: what is left answers at once. */
    for (int slot = 0; slot < SLOTS; slot++) {
        if (slots[slot] < 0)
            continue;
        job *of = &jobs[slots[slot]];
        ps_exit end = {.size = sizeof end};
        ps_error *error = NULL;
        note_verdict(of, ps_reap(of->child, 0, &end, &error), &end, error);
        CHECK_JOB(of->taken, of);
    }
    for (long id = 0; id < total; id++) {
        if (jobs[id].accepted && jobs[id].freed)
            check_freed_job(&jobs[id]);
        else
            check_job(&jobs[id]);
    }
    for (int slot = 0; slot < SLOTS; slot++)
        if (slots[slot] >= 0)
            ps_child_free(jobs[slots[slot]].child);
    CHECK_INT(ps_live_count(), 0);
    CHECK_INT(zombie_count(), 0);
    CHECK(has_no_child());
    check_files();
    printf("%ld jobs: %ld accepted, %ld refused by a full line, %ld runs, %ld events, %d supervisors, %.1f s\n", count, accepted, refused,
           runs, events, stations_made, (double)(now_ms() - began) / 1000);
    fflush(stdout);
}

int main(int argc, char **argv)
{
    long count = argc > 1 ? atol(argv[1]) : slowness() == 1 ? 50000 : slowness() < 10 ? 25000 : 500;
    first_seed = argc > 2 ? strtoull(argv[2], NULL, 10) : (uint64_t)now_ns();
    printf("seed %" PRIu64 "\n", first_seed);
    fflush(stdout);
    CHECK(count >= 10 && mkdtemp(directory));
    jobs = malloc(sizeof *jobs * (size_t)count);
    CHECK(jobs != NULL);
    memset(jobs, 1, sizeof *jobs * (size_t)count);

    /* A first storm brings the allocator and the library to their size. */
    warm_up();
    storm(count / 5, first_seed);
    leak_guard guard = leak_guard_begin();
    long resident = resident_kib();
    storm(count - count / 5, first_seed + 1);
    leak_guard_end(&guard);
    long grown = resident_kib() - resident;
    printf("%d descriptors, %ld KiB resident, %+ld KiB since the first fifth\n", guard.fds, resident, grown);
    CHECK(slowness() > 1 || grown < 2048);
    CHECK(rmdir(directory) == 0);
    free(jobs);
    return 0;
}
