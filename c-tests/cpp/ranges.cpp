// What C++20 adds: views that make their elements as they go, spans, std::format.
/* standard: 20 */
#include "check.hpp"

#if __cplusplus >= 202002L && __has_include(<ranges>) && __has_include(<span>)
#include <algorithm>
#include <array>
#include <ranges>
#include <span>
#include <sstream>
#include <vector>

using namespace procsup;

static std::string output_of(const command &what)
{
    child job = spawn(what);
    CHECK(job.reap(patience()).success());
    return job.output();
}

int main()
{
    const std::vector<int> numbers{1, 2, 3, 4};
    auto text = [](int number) { return std::string(40, 'x') + std::to_string(number); }; // longer than what a string has inside
    auto even = [](int number) { return number % 2 == 0; };
    // Strings that are gone at the next step; a view whose begin is not const.
    auto made = numbers | std::views::filter(even) | std::views::transform(text);
    CHECK(output_of(command("echo").args(made).args(std::views::single("end")).capture(1000)) == text(2) + " " + text(4) + " end\n");
    CHECK(output_of(command("echo", numbers | std::views::transform(text) | std::views::take(1)).capture(1000)) == text(1) + "\n");
    auto variables = numbers | std::views::transform([&](int number) { return std::pair("A" + std::to_string(number), text(number)); });
    CHECK(output_of(command("sh", {"-c", "echo $A1 $A4"}).envs(variables).capture(1000)) == text(1) + " " + text(4) + "\n");
    const std::string words = "one two";
    auto pieces = words | std::views::split(' ') | std::views::transform([](auto &&word) {
        return std::string_view(&*word.begin(), static_cast<std::size_t>(std::ranges::distance(word)));
    });
    CHECK(output_of(command("echo").args(pieces).capture(1000)) == "one two\n");

    std::array<std::byte, 3> bytes{std::byte{'a'}, std::byte{'b'}, std::byte{'c'}};
    CHECK(output_of(command("cat").input(std::span<const std::byte>(bytes).first(2)).capture(100)) == "ab");
    CHECK(output_of(command("cat").input(std::as_writable_bytes(std::span(bytes))).capture(100)) == "abc");
    const char *const arguments[] = {"x", "y"};
    CHECK(output_of(command("echo").args(std::span(arguments)).capture(100)) == "x y\n");
    std::vector<std::uint32_t> groups{0, 1};
    command("true").credentials(0, 0, std::span(groups).first(1));

    std::ostringstream told;
    told << exit_cause::deadline << ' ' << errc::timeout << ' ' << handoff_phase::owner;
    CHECK(told.str() == "PS_CAUSE_DEADLINE PS_ERR_TIMEOUT PS_HANDOFF_PHASE_OWNER");
#if defined(__cpp_lib_format)
    CHECK(std::format("{:>20}|{}", exit_cause::deadline, errc::timeout) == "   PS_CAUSE_DEADLINE|PS_ERR_TIMEOUT");
#endif
    CHECK(live_count() == 0);
}
#else
int main() { return 77; }
#endif
