// Nothing but the public C++ header, compiled by every language standard that we promise (see cmake/cpp.cmake).
#include "procsup.hpp"
// A second time: the include guard.
#include "procsup.hpp"

#include <string>
#include <vector>

std::error_code cpp_header_is_usable(procsup::supervisor &supervisor, const std::vector<std::string> &words);

// The templates too, and both styles of errors.
std::error_code cpp_header_is_usable(procsup::supervisor &supervisor, const std::vector<std::string> &words)
{
    std::error_code ec;
    procsup::command command("true", ec);
    command.args(words, ec).args({"a", words[0]}, ec).user_pointer(&ec, ec);
    const procsup::child child = supervisor.spawn(command, ec);
    const auto made = procsup::command(words[0], {"b", "c"}).args(words).args({"d"}).user_pointer(&ec);
    const procsup::child other = procsup::spawn(made);
    if (auto event = supervisor.next_event())
        ec = *event->user_pointer<std::error_code>();
    return child == other ? ec : std::error_code(procsup::errc::state);
}
