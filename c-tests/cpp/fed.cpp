// Pipes and input that is fed, from C++.
#include "check.hpp"

using namespace procsup;

static std::string read_all(int fd)
{
    std::string text;
    char block[256];
    for (ssize_t got; (got = ::read(fd, block, sizeof block)) > 0;)
        text.append(block, static_cast<std::size_t>(got));
    return text;
}

static void pipes_of_any_number()
{
    child talker = spawn(shell("cat <&3 >&4").pipe(3, pipe_direction::to_child).pipe(4, pipe_direction::from_child));
    unique_fd to = talker.stdio(3), from = talker.stdio(4);
    CHECK(::write(to.get(), "hello", 5) == 5);
    to.reset();
    CHECK(read_all(from.get()) == "hello");
    std::error_code ec;
    CHECK(!talker.stdio(5, ec) && ec == errc::not_found);
    command wrong("x");
    CHECK_THROWS(wrong.pipe(0, pipe_direction::from_child), errc::invalid_argument);
    CHECK(talker.reap(patience()).success());
}

static void fed_while_it_runs()
{
    supervisor owner;
    const std::string text(300000, 'x');
    child counter = owner.spawn(shell("exec wc -c").input_stream(1000).capture(100));
    std::string_view left = text;
    bool ended = false;
    while (!ended) {
        if (!left.empty()) {
            left.remove_prefix(counter.write(left).value_or(0));
            if (left.empty())
                counter.write_end();
        }
        const std::optional<event> next = owner.next_event(patience());
        CHECK(next);
        CHECK(next->kind() != event_kind::input_room || next->child() == counter);
        ended = next->kind() == event_kind::exited;
    }
    CHECK(counter.output() == "300000\n");
    std::error_code ec;
    CHECK(!counter.write("x", ec) && ec == errc::exited);
    counter.write_end(ec);
    CHECK(!ec);
    child quiet = owner.spawn(pausing().input_stream(1));
    while (quiet.write(text)) {
    }
    CHECK(!quiet.write("x"));
}

int main()
{
    pipes_of_any_number();
    fed_while_it_runs();
    return 0;
}
