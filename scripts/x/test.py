from . import kernels, languages
from .build import build_library, cmake_build_begin
from .runners import cargo_test, conclude, ctest, ctest_filter
from .talk import Background, step
from .tools import Wanted, taken_out


def test(arguments):
    """All tests: cargo, C behaviours plain and in every variant, fault injection, header, symbols, installation.
    ./x test NAME runs those whose name holds NAME; ./x test --plain leaves the variants out; other options go to ctest.
    ./x test languages: also the examples in Node, Go, Java and Rust, which it gets and builds first; without that word they are skipped.

    Takes a quarter of an hour on two CPUs; with a NAME, what that takes, and a minute and a half to build the library.

    Gets what it needs and is not here:
    by pip into target/tools: cmake ninja, if there is no CMake >= 3.16 (by apt, if pip cannot: cmake make);
    by apt, as root: pkg-config libuv1-dev libevent-dev libglib2.0-dev libasio-dev, for the event loops of the examples; systemd, whose
    programs tests of notification and socket activation speak with (it is not started); passenger ruby ruby-rack python3 nodejs, whose loaders
    and preloader c-tests/interop drives (./x test interop: these alone); meson ninja-build abigail-tools, which build against what is
    installed and compare the binary interface; luajit lua-luv php-cli python3-cffi, which read the flat header. For ./x test languages also npm
    golang-go default-jdk-headless libjna-java, by npm into target/languages koffi, by cargo into target/languages tokio.
    As root, and where no name is given, also qemu-system-x86 cpio zstd and two of Debian's kernels, for what ./x kernels --bounded runs.

    --plain         each behaviour once: not again on each spawn tier and under simulated older kernels
    --no-install    installs nothing; the tests of what is absent are skipped

    Exit code 0: all passed or skipped; 1: not so; 125: no test has that name (so git bisect run skips the commit)."""
    arguments, (plain, no_install) = taken_out(arguments, "--plain", "--no-install")
    name = arguments[0] if arguments and not arguments[0].startswith("-") else None
    beside = Background(Wanted(languages.packages(name), "the tests of or against these are skipped", not no_install).fetch)
    build_library(beside)
    for line in beside.end():
        print(line, flush=True)
    languages.prepare(name, not no_install)
    build = cmake_build_begin("cmake", f"-DPROCSUP_VARIANTS={'OFF' if plain else 'ON'}")
    step("Tests through Rust, beside that")  # of which hardly one has more than one thread
    counts = [cargo_test([name] if name else [])]
    folder = build.end()
    step("Tests through C")
    counts.append(ctest(folder, ctest_filter(arguments)))
    if not arguments:
        counts += kernels.in_test(folder, not no_install)
    code = conclude(counts)
    if name and code == 0 and not any(c.passed + c.skipped for c in counts):
        print(f"no test has a name with {name} in it")
        return 125
    return code
