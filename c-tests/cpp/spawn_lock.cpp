// A lock from C++: taken, refused, waited for by a loop, given up and moved, in both styles of errors.
#include "check.hpp"

using namespace procsup;

static_assert(!std::is_copy_constructible_v<spawn_lock> && std::is_nothrow_move_constructible_v<spawn_lock>);
static_assert(std::is_nothrow_destructible_v<spawn_lock> && std::is_trivially_copyable_v<spawn_lock_event>);
static std::error_code ec_for_types;
static_assert(noexcept(spawn_lock("x", forever, ec_for_types)) && noexcept(spawn_lock::begin("x", forever, ec_for_types)));
static_assert(noexcept(std::declval<spawn_lock &>().next_event(forever, ec_for_types)));

int main()
{
    char directory[] = "/tmp/procsup-test-XXXXXX";
    CHECK(::mkdtemp(directory));
    const std::string path = std::string(directory) + "/lock";
    std::error_code ec;
    {
        spawn_lock lock(path);
        CHECK(lock && lock.check());
        CHECK_THROWS(spawn_lock(path), errc::locked);
        spawn_lock other(path, 1ms, ec);
        CHECK(!other && ec == errc::locked);
        CHECK_THROWS(other.check(), errc::bad_handle);
        CHECK_THROWS(lock.fd(), errc::state);

        spawn_lock waiting = spawn_lock::begin(path, forever);
        CHECK(waiting.fd() > 2 && !waiting.check() && !waiting.next_event());
        spawn_lock moved = std::move(lock);
        CHECK(!lock && moved.check());
        moved.reset();
        auto event = waiting.next_event(patience());
        CHECK(event && event->kind() == spawn_lock_event_kind::acquired && event->status() == errc::ok && event->pid() == 0);
        CHECK(waiting.check(ec) && !ec);

        spawn_lock late = spawn_lock::begin(path, 0ms, ec);
        CHECK(!ec && late.fd(ec) > 2);
        event = late.next_event(patience(), ec);
        CHECK(event && event->kind() == spawn_lock_event_kind::failed && event->status() == errc::locked && event->pid() == ::getpid());
        CHECK(!late.check(ec) && ec == errc::locked);

        CHECK(::unlink(path.c_str()) == 0);
        CHECK(!waiting.check(ec) && ec == errc::lock_replaced);
        CHECK_THROWS(waiting.check(), errc::lock_replaced);
        CHECK_THROWS(spawn_lock::begin(path + "/nowhere/lock", forever), errc::not_found);
    }
    spawn_lock again(path); // the destructors have released
    ps_spawn_lock *c = again.release();
    CHECK(!again && ps_spawn_lock_check(c, nullptr) == PS_OK);
    spawn_lock(c).reset();
    CHECK(::unlink(path.c_str()) == 0 && ::rmdir(directory) == 0);
}
