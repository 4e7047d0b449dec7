// A daemon that is started once, from C++: a child for who has started it, an empty one for the others, and errors either way.
#include "check.hpp"

using namespace procsup;

int main()
{
    char dir[] = "/tmp/procsup-once-cpp-XXXXXX";
    CHECK(::mkdtemp(dir) != nullptr);
    const std::string where = dir;
    {
        supervisor owner;
        command daemon(std::string(HELPER_DIR) + "/pause_forever");
        child first = owner.spawn_once(where, "d", daemon, nullptr, 20000ms);
        CHECK(first);
        child second = owner.spawn_once(where, "d", daemon, nullptr, 20000ms);
        CHECK(!second);
        CHECK(!spawn_once(where, "d", daemon, nullptr, 20000ms));
        CHECK_THROWS(owner.spawn_once(where, "a/b", daemon, nullptr, 0ms), errc::invalid_argument);
        std::error_code ec;
        CHECK(!spawn_once(where, "d", daemon, "nowhere", 0ms, ec) && ec == errc::invalid_argument);
        CHECK(!owner.spawn_once(where + "/none", "d", daemon, nullptr, 0ms, ec)); // an error that is there is not overwritten
        CHECK(ec == errc::invalid_argument);

        // With the whole error: which step it was.
        for (supervisor *of : {&owner, static_cast<supervisor *>(nullptr)}) {
            ec.clear();
            error_info why;
            const command ends("false");
            CHECK(of ? !of->spawn_once(where, "e", ends, "unix:" + where + "/none", 20000ms, ec, why)
                     : !spawn_once(where, "e", ends, "unix:" + where + "/none", 20000ms, ec, why));
            CHECK(ec == errc::exited && why.status() == errc::exited);
            CHECK(std::string(why.step()) == "ready");
        }
    }
    {
        // It has ended with its supervisor.
        child again = spawn_once(where, "d", command(std::string(HELPER_DIR) + "/pause_forever"), nullptr, 20000ms);
        CHECK(again);
        CHECK(again.terminate(0ms).signal() != 0);
    }
    ::unlink((where + "/d.lock").c_str());
    ::unlink((where + "/d.run").c_str());
    ::unlink((where + "/e.lock").c_str());
    ::unlink((where + "/e.run").c_str());
    CHECK(::rmdir(dir) == 0);
    return 0;
}
