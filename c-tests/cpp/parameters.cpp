// What the calls take: texts of every kind with or without a NUL behind them, lists and maps of them, bytes, any duration. What C would cut or
// misread is refused, and refuses the whole list.
#include "check.hpp"

#include <array>
#include <deque>
#include <filesystem>
#include <limits>
#include <map>
#include <set>
#include <unordered_map>
#include <vector>

using namespace procsup;
using namespace std::string_view_literals;

static std::string output_of(const command &what)
{
    child job = spawn(what);
    CHECK(job.reap(patience()).success());
    return job.output();
}

// Somebody's own string, which has nothing but a conversion.
struct plain_text {
    const char *at;
    std::size_t length;
    operator std::string_view() const { return {at, length}; }
};

static command echo() { return command("printf", {"%s,"}).capture(4096); }

static void any_text_is_taken_as_it_is()
{
    const std::string_view middle = "abcdef"sv.substr(1, 3); // no NUL behind it
    char buffer[8] = "buf";
    const std::optional<std::string> some = "some", none;
    CHECK(output_of(echo().arg(middle).arg(plain_text{"xyz", 2}).arg(std::string("s")).arg(buffer).arg(std::filesystem::path("/p/q"))
                        .arg(some).arg(""sv).arg(std::string_view()).arg(std::string(5000, 'l').substr(0, 1))) == "bcd,xy,s,buf,/p/q,some,,,l,");
    CHECK(output_of(command("/bin/shxx"sv.substr(0, 7), {"-c"sv, "echo $A ${B-none} ${C-none} ${D-none}"sv})
                        .env("A=b"sv.substr(0, 1), middle).env("B", nullptr)
                        .env("C", none).env("D", std::nullopt).capture(100)) == "bcd none none none\n");
    const std::string big(100'000, 'b');
    CHECK(output_of(command("wc", {"-c"}).input(std::string_view(big).substr(1)).capture(100)) == "99999\n");
    CHECK(output_of(command("sh", {"-c", "echo ${#0}"}).arg(std::string_view(big).substr(0, 90'000)).capture(100)) == "90000\n");
    std::error_code ec;
    CHECK(!listen_fd_named("http"sv, ec) && ec == errc::not_found);
}

static void a_nul_is_refused_wherever_it_stands()
{
    std::error_code ec;
    for (const std::string_view torn : {"to\0rn"sv, "\0"sv, "a\0"sv}) {
        command it = echo().arg("whole");
        CHECK_THROWS(command(torn), errc::invalid_argument);
        CHECK_THROWS(it.arg(torn), errc::invalid_argument);
        CHECK_THROWS(it.arg(plain_text{torn.data(), torn.size()}), errc::invalid_argument);
        CHECK_THROWS(it.arg(std::filesystem::path(torn)), errc::invalid_argument);
        CHECK_THROWS(it.env("A", torn), errc::invalid_argument);
        CHECK_THROWS(it.env(torn, "A"), errc::invalid_argument);
        CHECK_THROWS(it.args({"a", torn}), errc::invalid_argument);
        CHECK_THROWS(it.args(std::vector{"a"sv, torn}), errc::invalid_argument);
        CHECK_THROWS(it.args(std::vector<const char *>{"a", nullptr, "b"}), errc::invalid_argument); // C would end the list there
        it.args(std::array{torn}, ec);
        CHECK(ec == errc::invalid_argument);
        ec.clear();
        it.envs(std::map<std::string_view, std::string_view>{{"A", torn}}, ec);
        CHECK(ec == errc::invalid_argument);
        ec.clear();
        CHECK(output_of(it) == "whole,");
    }
}

static void any_container_is_a_list()
{
    const std::vector<std::string> strings{"a", "b"};
    const std::array views{"cc"sv.substr(1), "dd"sv.substr(1)};
    const char *pointers[] = {"e", "f"};
    CHECK(output_of(echo().args(strings).args(views).args(pointers).args(std::deque<std::filesystem::path>{"g"}).args(std::set<std::string>{"i", "h"})
                        .args({"j", "k"sv, strings[0]}).args(std::vector<std::string>())) == "a,b,c,d,e,f,g,h,i,j,k,a,");
    CHECK(output_of(command("echo", strings).capture(100)) == "a b\n");
    std::error_code ec;
    CHECK(output_of(command("echo", strings, ec).args(views, ec).capture(100, ec)) == "a b c d\n" && !ec);
    CHECK(output_of(command("echo", {"x"}, ec).capture(100)) == "x\n" && !ec);
    ec = errc::state;
    CHECK(output_of(echo().arg("kept").args(strings, ec)) == "kept," && ec == errc::state);
}

static command environment_of() { return command("sh", {"-c", "echo ${A-none} ${B-none} ${C-none}"}).capture(100); }

static void maps_and_pairs_are_an_environment()
{
    const std::map<std::string, std::string> map{{"A", "1"}, {"B", "2"}};
    const std::unordered_map<std::string_view, int> none;
    static_assert(!detail::has_pairs<decltype(none)>::value && !detail::has_pairs<std::string>::value && !detail::has_texts<std::string>::value);
    static_assert(!detail::has_texts<std::filesystem::path>::value && detail::has_texts<std::vector<std::filesystem::path>>::value);
    CHECK(output_of(environment_of().envs(map)) == "1 2 none\n");
    CHECK(output_of(environment_of().envs(std::unordered_map<std::string, std::filesystem::path>{{"C", "/c"}})) == "none none /c\n");
    const std::vector<std::pair<std::string, std::optional<std::string>>> changes{{"A", std::nullopt}, {"B", "b"}};
    CHECK(output_of(environment_of().envs(map).envs(changes)) == "none b none\n");
    CHECK(output_of(environment_of().envs({{"A", "x"}, {"B", nullptr}, {"C", map.at("A")}})) == "x none 1\n");
    std::error_code ec;
    command refused = environment_of();
    refused.envs({{"A", "x"}, {"B=", "x"}, {"C", "x"}}, ec);
    CHECK(ec == errc::invalid_argument);
    CHECK_THROWS(refused.envs(std::multimap<std::string, std::string>{{"A", "x"}, {"", "x"}}), errc::invalid_argument);
    CHECK(output_of(refused) == "none none none\n");
    CHECK(output_of(environment_of().envs({{"A", "x"}, {"A", nullptr}, {"B", nullptr}, {"B", "y"}})) == "none y none\n");
}

static void bytes_come_in_many_types()
{
    const std::array<unsigned char, 3> numbers{'a', 0, 'b'};
    const std::vector<std::byte> bytes{std::byte{'c'}};
    const std::vector<char> chars;
    CHECK(output_of(command("od", {"-An", "-tx1"}).input(numbers).capture(100)) == " 61 00 62\n");
    CHECK(output_of(command("cat").input(bytes).capture(100)) == "c");
    CHECK(output_of(command("cat").input(chars).capture(100)).empty());
    CHECK(output_of(command("wc", {"-c"}).input("a\0b"sv).capture(100)) == "3\n");
    CHECK(output_of(command("cat").input("text").capture(100)) == "text");
    CHECK(output_of(command("cat").input({}).capture(100)).empty());
    CHECK(output_of(command("cat").input({numbers.data(), 1}).capture(100)) == "a");
    const std::vector<std::uint32_t> groups{0};
    std::error_code ec;
    command("true").credentials(0, 0, groups).credentials(0, 0, groups, ec);
    command("true").groups(groups).groups(groups, ec);
    CHECK(!ec);
}

template <typename Duration> constexpr std::int64_t ms(Duration time) { return time_limit(time).count(); }

static void any_duration_is_rounded_up()
{
    using std::chrono::duration;
    using std::chrono::hours;
    using std::chrono::microseconds;
    using std::chrono::nanoseconds;
    constexpr auto most = std::numeric_limits<std::int64_t>::max() / 1'000'000; // 292 years
    static_assert(ms(0ns) == 0 && ms(1ns) == 1 && ms(1'000'000ns) == 1 && ms(1'000'001ns) == 2 && ms(999us) == 1);
    static_assert(ms(3s) == 3000 && ms(2h) == 7'200'000);
    static_assert(ms(duration<int, std::ratio<1, 30>>(1)) == 34 && ms(duration<int, std::ratio<1, 30>>(30)) == 1000);
    static_assert(ms(duration<unsigned char, std::milli>(255)) == 255);
    static_assert(ms(duration<std::uint64_t>(std::numeric_limits<std::uint64_t>::max())) == most);
    static_assert(ms(duration<float>(0.5f)) == 500 && ms(duration<double>(1.0001)) == 1001 && ms(duration<double, std::milli>(0.1)) == 1);
    static_assert(ms(hours::max()) == most && ms(milliseconds::max()) == most && ms(nanoseconds::max()) == most);
    static_assert(ms(duration<double>(1e300)) == most && ms(duration<double>(std::numeric_limits<double>::infinity())) == most);
    static_assert(ms(forever) == -1 && time_limit(std::nullopt).count() == -1);
    static_assert(ms(std::optional<milliseconds>()) == -1 && ms(std::optional(2s)) == 2000);
    // Less than nothing is not for ever, but for C's own -1.
    constexpr auto none = std::numeric_limits<double>::quiet_NaN();
    for (const std::int64_t wrong : {ms(-1ns), ms(-1'000'000ns), ms(-1s), ms(-1us), ms(microseconds::min()), ms(milliseconds(-2)),
                                     ms(duration<double>(-0.001)), ms(duration<double>(none))})
        CHECK(wrong < -1);

    child job = spawn(pausing());
    CHECK_THROWS(job.reap(1ns), errc::timeout);
    CHECK_THROWS(job.reap(-1s), errc::invalid_argument);
    CHECK_THROWS(job.reap(-1'000'000ns), errc::invalid_argument);
    CHECK_THROWS(job.reap(duration<double>(0.001)), errc::timeout);
    CHECK_THROWS(job.reap(until(std::chrono::steady_clock::now() - 1h)), errc::timeout);
    CHECK_THROWS(job.reap(until(std::chrono::steady_clock::now() + 1ms)), errc::timeout);
    CHECK(until(std::chrono::steady_clock::time_point::max()).count() == -1);
    CHECK(until(std::chrono::system_clock::now() + 1h).count() > 3'590'000);
    job.signal(SIGKILL);
    CHECK(job.reap(hours::max()).signal() == SIGKILL); // it ends by the child, not by an overflow
    CHECK(job.reap(std::nullopt).signal() == SIGKILL);
}

// Where C keeps a time for later it takes the longest there is, too.
static void the_longest_time_is_accepted_everywhere()
{
    constexpr auto most = std::chrono::hours::max();
    command everything = pausing();
    everything.stop_step(SIGTERM, most).deadline(most).core_wait(most).watchdog(most).readiness(readiness_kind::exec, most);
    everything.restart(restart_policy::never, most, most).restart_limit(3, most).restart_early_exit(0ms);
    supervisor owner;
    child job = owner.spawn(everything);
    job.wait_ready(most);
    job.signal(SIGTERM);
    CHECK(job.reap(most).signal() == SIGTERM);
    bool exited = false;
    while (!exited)
        exited = owner.next_event(most)->kind() == event_kind::exited;
    budget starts(1, most);
    starts.set_lease(most);
    starts.set_healthy(most);
    starts.begin("a").finish(true);
    child slow = owner.spawn(pausing());
    slow.terminate_begin(most);
    CHECK(slow.reap(most).signal() == SIGTERM);
    owner.shutdown(most);
    CHECK(kill_and_reap_all(most) == 0);
}

int main()
{
    any_text_is_taken_as_it_is();
    a_nul_is_refused_wherever_it_stands();
    any_container_is_a_list();
    maps_and_pairs_are_an_environment();
    bytes_come_in_many_types();
    any_duration_is_rounded_up();
    the_longest_time_is_accepted_everywhere();
    CHECK(live_count() == 0);
}
