// procsup from C++17, with a unique_ptr for each handle: whatever happens, everything is freed.
//
//   c++ -std=c++17 hello.cpp $(pkg-config --cflags --libs procsup) -o hello && ./hello
//
// Freeing a child's handle does not stop the process; freeing its supervisor does.
/* ctest */
#include <procsup.h>

#include <cstdio>
#include <cstdlib>
#include <memory>
#include <stdexcept>
#include <string>

namespace ps {

// A deleter for each kind of handle.
template <auto Free> struct Freed {
    template <typename T> void operator()(T *handle) const { Free(handle); }
};
using Error = std::unique_ptr<ps_error, Freed<ps_error_free>>;
using Command = std::unique_ptr<ps_command, Freed<ps_command_free>>;
using Child = std::unique_ptr<ps_child, Freed<ps_child_free>>;
using Supervisor = std::unique_ptr<ps_supervisor, Freed<ps_supervisor_free>>;

// Calls a function of procsup, with the place for its error as the last argument; a failure becomes an exception.
template <typename Function, typename... Arguments> ps_status call(Function function, Arguments... arguments)
{
    ps_error *raw = nullptr;
    ps_status status = function(arguments..., &raw);
    if (status >= 0)
        return status; // PS_OK, or PS_PENDING: nothing yet
    Error error(raw);
    throw std::runtime_error(ps_error_message(error.get()));
}

// Calls a function that makes an object: the place for it is the last argument but one.
template <typename Handle, typename Function, typename... Arguments> Handle make(Function function, Arguments... arguments)
{
    typename Handle::pointer raw = nullptr;
    call(function, arguments..., &raw);
    return Handle(raw);
}

} // namespace ps

int main()
try {
    auto supervisor = ps::make<ps::Supervisor>(ps_supervisor_new);
    auto command = ps::make<ps::Command>(ps_command_new, "echo");
    ps::call(ps_command_arg, command.get(), "hello from a child");
    ps::call(ps_command_capture, command.get(), std::size_t{4096});
    auto child = ps::make<ps::Child>(ps_spawn, supervisor.get(), command.get());

    ps_event event{};
    event.size = sizeof event;
    while (ps::call(ps_supervisor_next_event, supervisor.get(), std::int64_t{5000}, &event) == PS_OK && event.kind != PS_EVENT_EXITED)
        continue;

    std::size_t length = 0;
    ps::call(ps_child_output, child.get(), static_cast<char *>(nullptr), std::size_t{0}, &length);
    std::string output(length, '\0');
    ps::call(ps_child_output, child.get(), output.data(), output.size(), &length);
    std::printf("%sexit code %d\n", output.c_str(), event.exit.code);
    return event.kind == PS_EVENT_EXITED && event.exit.code == 0 ? EXIT_SUCCESS : EXIT_FAILURE;
} catch (const std::exception &error) {
    std::fprintf(stderr, "%s\n", error.what());
    return EXIT_FAILURE;
}
