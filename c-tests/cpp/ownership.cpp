// What owns a handle can be moved and not copied; what was moved from is empty; nothing is freed twice; a destructor does what it says.
#include "check.hpp"

#include <memory>
#include <unordered_map>

using namespace procsup;

template <typename T>
constexpr bool owns = !std::is_copy_constructible_v<T> && !std::is_copy_assignable_v<T> && std::is_nothrow_move_constructible_v<T> &&
                      std::is_nothrow_move_assignable_v<T> && std::is_nothrow_destructible_v<T>;
static_assert(owns<command> && owns<child> && owns<supervisor> && owns<error_info> && owns<unique_fd>);
static_assert(std::is_trivially_copyable_v<child_ref> && sizeof(child_ref) == sizeof(void *));
static_assert(std::is_trivially_copyable_v<exit_record> && std::is_trivially_copyable_v<event>);
static_assert(std::is_nothrow_copy_constructible_v<error>, "copies of exceptions must not throw");
static_assert(std::is_convertible_v<const child &, child_ref> && !std::is_convertible_v<child_ref, child>);

// Through a reference, so that no compiler sees through it.
template <typename T> void move_to_itself(T &thing)
{
    T &same = thing;
    thing = std::move(same);
}

static void moving_leaves_nothing_behind()
{
    supervisor first;
    const int fd = first.fd();
    supervisor second(std::move(first));
    CHECK(!first && second && second.fd() == fd);
    CHECK_THROWS(first.fd(), errc::bad_handle);
    CHECK_THROWS(first.next_event(), errc::bad_handle);
    move_to_itself(second);
    CHECK(second && second.fd() == fd);

    command description = pausing();
    command moved(std::move(description));
    CHECK(!description && moved);
    CHECK_THROWS(description.arg("x"), errc::bad_handle);
    CHECK_THROWS(second.spawn(description), errc::bad_handle);
    move_to_itself(moved);
    CHECK(moved);

    child one = second.spawn(moved);
    const child_ref known = one;
    child other(std::move(one));
    CHECK(!one && other && known == other && known.pid() > 0);
    CHECK_THROWS(one.pid(), errc::bad_handle);
    move_to_itself(other);
    CHECK(other == known && other.state() == child_state::running);

    other = second.spawn(moved); // the old handle is freed
    CHECK(other != known);
    CHECK_THROWS(known.state(), errc::bad_handle);

    second = supervisor(); // the old one kills and reaps its children
    CHECK(live_count() == 0);
    CHECK(other.reap(0ms).signal() == SIGKILL && other.reap(0ms).cause() == exit_cause::shutdown);
}

static void freeing_twice_is_harmless()
{
    supervisor owner;
    child job = owner.spawn(pausing());
    command description("true");
    ps_child_free(job.handle());
    ps_command_free(description.handle());
    CHECK_THROWS(job.state(), errc::bad_handle);
    job.reset();
    CHECK(!job);
    child again(owner.spawn(pausing()).release()); // the C interface and back
    CHECK(again.state() == child_state::running);
    ps_supervisor_free(owner.handle());
    CHECK(again.state() == child_state::exited);
}

static void a_child_outlives_its_handle_and_not_its_supervisor()
{
    int pid = 0;
    {
        supervisor owner;
        {
            child job = owner.spawn(pausing());
            pid = job.pid();
        }
        CHECK(runs(pid) && live_count() == 1);
    }
    CHECK(!runs(pid) && live_count() == 0);
}

static void descriptors_are_closed_once()
{
    command talk = shell("read line; echo got $line");
    talk.stdio(0, stdio_kind::pipe).stdio(1, stdio_kind::pipe);
    child job = spawn(talk);
    unique_fd to = job.stdio(0), from = job.stdio(1), watch = job.pidfd();
    CHECK_THROWS(job.stdio(1), errc::not_found); // it can be taken once
    const int number = to.get();
    unique_fd moved = std::move(to);
    move_to_itself(moved);
    CHECK(!to && moved.get() == number && is_open(number));
    CHECK(::write(moved.get(), "it\n", 3) == 3);
    moved.reset();
    CHECK(!is_open(number));
    char text[32];
    CHECK(::read(from.get(), text, sizeof text) == 7 && std::string(text, 7) == "got it\n");
    CHECK(job.reap(patience()).success());
    pollfd ended{watch.get(), POLLIN, 0};
    CHECK(::poll(&ended, 1, 0) == 1);

    // own_fd takes it only if it is accepted.
    int ends[2];
    CHECK(::pipe2(ends, O_CLOEXEC) == 0);
    unique_fd kept(ends[0]), given(ends[1]), none;
    command holder("true");
    CHECK_THROWS(holder.own_fd(std::move(none)), errc::invalid_argument);
    std::error_code ec = errc::state;
    holder.own_fd(std::move(kept), ec);
    CHECK(kept && is_open(ends[0]));
    holder.own_fd(std::move(given));
    CHECK(!given && is_open(ends[1]));
    CHECK(spawn(holder).reap(patience()).success());
    CHECK(!is_open(ends[1]));
}

static void references_are_keys()
{
    supervisor owner;
    std::unordered_map<child_ref, child> jobs;
    for (int i = 0; i < 3; i++) {
        child job = owner.spawn(pausing());
        const child_ref key = job;
        jobs.emplace(key, std::move(job));
    }
    CHECK(jobs.size() == 3);
    for (auto &[key, job] : jobs) {
        CHECK(key == job && jobs.find(key)->second == job.ref() && !(key < job) && !(job < key));
        CHECK(key.terminate(0ms).signal() == SIGTERM || key.reap(0ms).signal() == SIGKILL);
    }
}

static void a_forked_copy_of_the_host_owns_nothing()
{
    auto owner = std::make_unique<supervisor>();
    auto job = std::make_unique<child>(owner->spawn(pausing()));
    const int pid = job->pid();
    in_forked_process([&] {
        CHECK_THROWS(job->pid(), errc::forked);
        CHECK_THROWS(owner->next_event(), errc::forked);
        job.reset();
        owner.reset();
    });
    CHECK(runs(pid) && job->pid() == pid && job->state() == child_state::running);
}

int main()
{
    moving_leaves_nothing_behind();
    freeing_twice_is_harmless();
    a_child_outlives_its_handle_and_not_its_supervisor();
    descriptors_are_closed_once();
    references_are_keys();
    a_forked_copy_of_the_host_owns_nothing();
    CHECK(live_count() == 0);
}
