// A fork server from C++, both sides of it in one program: opened, hooked, asked, promoted, refused; the pool and its limits; a spawner.
/* covers: C15-6 */
#include "check.hpp"

using namespace procsup;

static_assert(!std::is_copy_constructible_v<preload> && std::is_nothrow_move_constructible_v<preload>);

namespace {

int told;

// The application. A worker that is asked to becomes the next preloader.
int application()
{
    preload self = preload::open();
    std::error_code ec;
    CHECK(self && self.fd() >= 0);
    CHECK(!preload::open(ec) && ec == errc::state);
    self.on_fork(nullptr, nullptr, [](void *data) { ++*static_cast<int *>(data); }, &told);
    self.ready(fork_way::sibling);
    for (;;) {
        const preload_role role = self.serve();
        if (role == preload_role::stop)
            return 0;
        CHECK(told >= 1);
        self.worker_ready();
        const worker_asked what = self.asked(forever);
        if (what == worker_asked::stop)
            return 3;
        CHECK(what == worker_asked::promote);
        self.ready(fork_way::sibling);
    }
}

int broken()
{
    preload self = preload::open();
    self.failed("no such book");
    return 1;
}

command app(const char *mode)
{
    char self[4096];
    const ssize_t length = ::readlink("/proc/self/exe", self, sizeof self);
    CHECK(length > 0);
    command made(std::string(self, static_cast<std::size_t>(length)));
    made.arg(mode);
    return made;
}

} // namespace

int main(int argc, char **argv)
{
    if (argc > 1)
        return std::string(argv[1]) == "broken" ? broken() : application();
    std::error_code ec;
    CHECK_THROWS(preload::open(), errc::not_found);
    CHECK(!preload::open(ec) && ec == errc::not_found);
    CHECK_THROWS(preload().ready(), errc::bad_handle);

    supervisor all;
    preloader one(app("application"));
    one.protocol(preloader_protocol::native).pool(2).limits(std::uint64_t(1) << 40, 5);
    one.warm(all, patience());
    CHECK(one.generation() == 1 && one.pid() > 1);

    worker first = one.spawn(all, patience());
    const worker_info info = first.info();
    CHECK(info.kind() == worker_kind::sibling && info.generation() == 1 && first.socket_count() == 0);
    child process = first.take_child();
    CHECK(process.terminate(patience()).cause() == exit_cause::stop);

    command own("worker");
    own.user_data(7).stop_step(SIGKILL, 0ms);
    worker second = one.begin(all, own, patience());
    second.wait(patience());
    one.promote(second, patience());
    ec.clear();
    worker third = one.spawn(all, own, patience(), ec);
    CHECK(!ec && third.generation() == 2 && one.generation() == 2);

    one.reload(ec);
    CHECK(!ec);
    CHECK(one.spawn(all, patience()).generation() == 3);
    CHECK_THROWS(one.protocol(preloader_protocol::passenger), errc::state);

    preloader never(app("broken"));
    never.protocol(preloader_protocol::native);
    error_info why;
    CHECK(!never.spawn(all, own, patience(), ec, why) && ec == errc::aborted);
    CHECK(std::string(why.render()).find("no such book") != std::string::npos);

    one.stop(patience(), ec);
    CHECK(!ec && one.pid() == 0);

    supervisor through;
    through.set_spawner();
    child remote = through.spawn(shell("exit 5"));
    CHECK(remote.reap(patience()).code() == 5);
    through.set_spawner(false, ec);
    CHECK(!ec);
}
