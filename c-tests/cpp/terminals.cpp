// Terminals, from C++.
#include "check.hpp"

using namespace procsup;

static command on_terminal(const char *script)
{
    command made = shell(script);
    for (int stream = 0; stream < 3; stream++)
        made.stdio(stream, stdio_kind::pty);
    return made;
}

static std::string read_until(int fd, const char *word)
{
    std::string text;
    char block[256];
    while (text.find(word) == std::string::npos) {
        const ssize_t got = ::read(fd, block, sizeof block);
        CHECK(got > 0);
        text.append(block, static_cast<std::size_t>(got));
    }
    return text;
}

int main()
{
    child one = spawn(on_terminal("stty size; read a; stty size; exit 3").pty_size(30, 90));
    unique_fd screen = one.pty();
    read_until(screen.get(), "30 90");
    one.resize(31, 91);
    CHECK(::write(screen.get(), "x\n", 2) == 2);
    read_until(screen.get(), "31 91");
    CHECK(one.reap(patience()).code() == 3);
    std::error_code ec;
    CHECK(!one.pty(ec) && ec == errc::not_found);
    one.resize(1, 1, ec);
    CHECK(ec == errc::exited);

    child said = spawn(on_terminal("read a; echo got $a").input("typed\n").capture(100));
    CHECK(said.reap(patience()).success());
    CHECK(said.output() == "typed\r\ngot typed\r\n");

    command wrong("x");
    CHECK_THROWS(wrong.pty_size(0, 1), errc::invalid_argument);
    ec.clear();
    wrong.terminal(-1, ec);
    CHECK(ec == errc::invalid_argument);
    wrong.stdio(0, stdio_kind::pty).foreground();
    CHECK_THROWS(spawn(wrong), errc::invalid_argument);
    return 0;
}
