// A worker from C++: spawned, begun, refused and moved, in both styles of errors; what is known of it as values.
#include "check.hpp"

using namespace procsup;

static_assert(!std::is_copy_constructible_v<worker> && std::is_nothrow_move_constructible_v<worker>);
static_assert(std::is_trivially_copyable_v<worker_socket> && std::is_trivially_copyable_v<worker_info>);

static command app(std::initializer_list<const char *> words, const std::string &directory)
{
    command made(std::string(HELPER_DIR "/session_app"));
    for (const char *word : words)
        made.arg(word);
    made.session("spawn_dir", directory);
    return made;
}

int main()
{
    char directory[] = "/tmp/procsup-test-XXXXXX";
    CHECK(::mkdtemp(directory));
    std::error_code ec;
    {
        supervisor all;
        command serving = app({"listen", "properties", "finish", "serve"}, directory).session("app_type", "custom");
        worker one = worker::spawn(all, serving, patience());
        CHECK(one && one.socket_count() == 1 && one.generation() == 0);
        const worker_socket at = one.socket(0);
        CHECK(at.name() == std::string("main") && at.protocol() == std::string("session") && at.accepts_http() && at.concurrency() == 1);
        CHECK_THROWS(one.socket(1), errc::not_found);
        const worker_info info = one.info();
        CHECK(info.kind() == worker_kind::direct && info.pid() > 1 && info.app_type() == std::string("custom") && info.began() < info.ready());
        CHECK(info.began_wall() < info.ready_wall() && info.gupid()[0] && info.generation() == 0);
        CHECK(one.journey().find("SUBPROCESS_LISTEN") != std::string::npos && one.journey(render_format::json, ec)[0] == '{' && !ec);
        one.wait();

        worker moved = std::move(one);
        CHECK(!one && moved);
        one.wait(0ms, ec);
        CHECK(ec == errc::bad_handle);
        child process = moved.take_child();
        CHECK(process.pid() == info.pid());
        moved.take_stdin().reset();
        CHECK(process.reap(patience()).code() == 0);

        worker broken = worker::begin(all, app({"say=oops", "finish=0", "serve"}, directory), patience());
        error_info why;
        broken.wait(patience(), ec, why);
        CHECK(ec == errc::aborted && why.output() == "oops");
        CHECK_THROWS(broken.socket_count(), errc::aborted);

        ec.clear();
        worker late = worker::spawn(all, app({"hang"}, directory), 1ms, ec, why);
        CHECK(!late && ec == errc::timeout && why);
        CHECK_THROWS(worker::spawn(serving, 0ms), errc::invalid_argument);
        ec.clear();
        worker alone = worker::spawn(serving, patience(), ec);
        CHECK(!ec && alone.socket_count(ec) == 1 && alone.take_child(ec).terminate(0ms).cause() == exit_cause::stop);
    }
    CHECK(::rmdir(directory) == 0); // nothing is left in it
}
