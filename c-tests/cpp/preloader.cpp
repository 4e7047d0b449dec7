// A preloader from C++: made, told, refused; a program that knows nothing of sessions fails in time.
#include "check.hpp"

using namespace procsup;

static_assert(!std::is_copy_constructible_v<preloader> && std::is_nothrow_move_constructible_v<preloader>);

int main()
{
    supervisor all;
    command nothing("/bin/true");
    preloader one(nothing);
    one.set("app_env", "test").protocol(preloader_protocol::passenger).idle_stop(std::chrono::seconds(1));
    CHECK(one.generation() == 0 && one.pid() == 0);
    const auto made = one.last_used();
    CHECK(made <= std::chrono::steady_clock::now());
    std::error_code ec;
    worker none = one.spawn(all, std::chrono::seconds(20), ec);
    CHECK(ec == errc::exited && !none);
    CHECK(one.generation() == 1 && one.last_used() >= made);
    one.reload();
    one.stop(1s, ec);
    CHECK(!ec && one.pid(ec) == 0 && one.generation(ec) == 1 && !ec);
    preloader moved = std::move(one);
    CHECK(!one && moved);
    try {
        moved.protocol(preloader_protocol::native);
        CHECK(false);
    } catch (const std::system_error &refused) {
        CHECK(refused.code() == errc::state); // it has been started
    }
}
