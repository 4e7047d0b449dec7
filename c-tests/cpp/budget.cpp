// A budget from C++: a permit says what came of it, or its destructor says that it has failed; errors know when to try again, and the storm.
/* covers: C13-1 */
#include "check.hpp"

#include <stdexcept>

using namespace procsup;

template <typename T>
constexpr bool owns = !std::is_copy_constructible_v<T> && !std::is_copy_assignable_v<T> && std::is_nothrow_move_constructible_v<T> &&
                      std::is_nothrow_move_assignable_v<T> && std::is_nothrow_destructible_v<T>;
static_assert(owns<budget> && owns<permit>);

static void a_permit_ends_by_a_word_or_by_its_destructor()
{
    budget starts(4, 60s);
    {
        const permit forgotten = starts.begin("a");
        CHECK(forgotten && starts.snapshot("a").in_flight);
        CHECK_THROWS(starts.begin("a"), errc::in_progress);
    }
    budget::state now = starts.snapshot("a");
    CHECK(!now.in_flight && now.attempts_used == 1 && now.remaining == 3 && now.retry_after == 0ms);
    try {
        const permit lost = starts.begin("a");
        throw std::runtime_error("the launch failed");
    } catch (const std::runtime_error &) {
    }
    permit first = starts.begin("a");
    permit moved = std::move(first);
    CHECK(!first && moved && starts.snapshot("a").in_flight);
    first = starts.begin("b");
    moved = std::move(first); // what it held has failed
    CHECK(!starts.snapshot("a").in_flight && starts.snapshot("b").in_flight);
    moved.finish(true);
    CHECK(starts.snapshot("b").attempts_used == 0);
    CHECK_THROWS(moved.finish(true), errc::state);

    permit mine = starts.begin("a");
    const std::uint64_t number = mine.release();
    CHECK(!mine && number != 0 && starts.snapshot("a").in_flight);
    permit(starts.handle(), number).finish(true);
    CHECK(starts.snapshot("a").attempts_used == 0);
}

static void a_success_can_be_taken_back()
{
    budget starts(1, 60s);
    starts.set_healthy(60s);
    permit it = starts.begin("a");
    it.finish(true);
    CHECK(!starts.snapshot("a").in_flight && starts.snapshot("a").remaining == 0);
    it.finish(false); // ready, and dead at once
    std::error_code ec;
    it.finish(false, ec);
    CHECK(ec == errc::state);
    starts.reset_key("a");
    CHECK(starts.begin("a"));
}

static void a_refusal_says_why()
{
    budget starts(1, 60s);
    starts.begin("a").finish(false);
    try {
        const permit none = starts.begin("a");
        CHECK(!"granted");
    } catch (const error &refused) {
        CHECK(refused.code() == errc::budget_exhausted && refused.is_storm());
        CHECK(refused.retry_after() && *refused.retry_after() > 0s && *refused.retry_after() <= 60s);
    }
    std::error_code ec;
    error_info why;
    CHECK(!starts.begin("a", ec, why) && ec == errc::budget_exhausted && !why.is_storm() && why.retry_after());
    CHECK(starts.snapshot("a").storm);
    CHECK(!starts.begin(std::string("a\0b", 3), ec) && ec == errc::invalid_argument);
    CHECK_THROWS(budget(1, -1s), errc::invalid_argument);
    starts.set_lease(forever);
    starts.set_lease(-2ms, ec);
    CHECK(ec == errc::invalid_argument);

    // A permit may outlive its budget.
    permit left = starts.begin("b");
    starts.reset();
    left.finish(true, ec);
    CHECK(!starts && ec == errc::bad_handle);
}

int main()
{
    a_permit_ends_by_a_word_or_by_its_destructor();
    a_success_can_be_taken_back();
    a_refusal_says_why();
    return 0;
}
