// Programs in a row, from C++: from a list, a container, or pointers; all of them, or an error.
#include "check.hpp"

#include <vector>

using namespace procsup;

static void commands_in_a_row()
{
    command first = shell("echo one; echo two"), last = shell("tr a-z A-Z");
    last.capture(100);
    std::vector<child> children = spawn_pipeline({first, last});
    CHECK(children.size() == 2 && children[0].reap(patience()).success() && children[1].reap(patience()).success());
    CHECK(children[1].output() == "ONE\nTWO\n");

    std::vector<command> list;
    list.push_back(shell("echo three"));
    list.push_back(shell("cat"));
    list.back().capture(100);
    supervisor owner;
    children = owner.spawn_pipeline(list);
    CHECK(children.back().reap(patience()).success() && children.back().output() == "three\n");
    const std::vector<const command *> pointers{&first, &last};
    std::error_code ec;
    CHECK(owner.spawn_pipeline(pointers, ec).size() == 2 && !ec);
}

static void all_or_none()
{
    command good = pausing(), bad("/no/such/program");
    CHECK_THROWS(spawn_pipeline({bad, good}), errc::not_found);
    try {
        (void)spawn_pipeline({good, bad, good});
        CHECK(false);
    } catch (const error &why) {
        CHECK(std::string(why.what()).find("commands[1]: ") == 0 && std::string(why.step()) == "exec");
    }
    std::error_code ec;
    supervisor owner;
    CHECK(owner.spawn_pipeline({good, bad}, ec).empty() && ec == errc::not_found);
    CHECK(owner.spawn_pipeline({good, good}, ec).empty() && ec == errc::not_found); // left alone
    CHECK_THROWS(owner.spawn_pipeline(std::vector<command>()), errc::invalid_argument);
    owner.set_max_running(1);
    CHECK_THROWS(owner.spawn_pipeline({good, good}), errc::limit);
    CHECK(live_count() == 0);
}

int main()
{
    commands_in_a_row();
    all_or_none();
    return 0;
}
