// Nothing but the public C++ header, compiled by every language standard that we promise (see cmake/cpp.cmake).
#include "procsup.hpp"
// A second time: the include guard.
#include "procsup.hpp"

#include <array>
#include <map>
#include <ostream>
#include <string>
#include <string_view>
#include <vector>

std::error_code cpp_header_is_usable(procsup::supervisor &supervisor, const std::vector<std::string> &words, std::ostream &told);

// The templates too, and both styles of errors.
std::error_code cpp_header_is_usable(procsup::supervisor &supervisor, const std::vector<std::string> &words, std::ostream &told)
{
    std::error_code ec;
    procsup::command command("true", ec);
    command.args(words, ec).args({"a", words[0]}, ec).user_pointer(&ec, ec).deadline(std::chrono::hours(1), ec);
    const procsup::child child = supervisor.spawn(command, ec);
    const auto made = procsup::command(words[0], {"b", "c"}).args(words).args({"d"}).user_pointer(&ec);
    const procsup::child other = procsup::spawn(made);
    if (auto event = supervisor.next_event())
        ec = *event->user_pointer<std::error_code>();
    std::map<std::string, std::string_view> variables;
    const std::array<unsigned char, 1> bytes{};
    procsup::command more(std::string_view("true"), words, ec);
    more.envs(variables).envs({{"A", "a"}, {"B", nullptr}}).envs(variables, ec).input(bytes).cwd(std::string_view("/"));
    more.credentials(0, 0, std::array<std::uint32_t, 1>{});
    told << child.reap(std::chrono::duration<double>(0.5)).cause() << procsup::errc::ok << supervisor.next_event(std::chrono::minutes(1))->kind();
    child.terminate(std::nullopt);
    child.reap(procsup::until(std::chrono::steady_clock::now()), ec);
    procsup::notify_fds("FDSTORE=1", std::vector<std::int32_t>{0});
    return child == other ? ec : std::error_code(procsup::errc::state);
}
