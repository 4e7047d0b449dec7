#!/usr/bin/env python3
"""steps.py LIBRARY [hot.ld]: how many instructions (of x86_64) the operations of docs/evidence/size.md take in a release build, the C library's
included: by single steps of a program that does nothing else. Each is done thrice after a warm-up; the least is told. With hot.ld it writes that
file anew: the functions that these operations have passed, in their order, for the linker to put side by side (build.rs).

The trap: names end in a hash of the compiler's that is another one in each version, and a generic function has one name for all its kinds. So what
is written are patterns; one that would take along much that is not hot is for what a profile (hot.profdata) has found hot, alone."""
import bisect
import os
import re
import subprocess
import sys
import tempfile
from pathlib import Path

INCLUDE = Path(__file__).resolve().parent.parent / "include"
TOLERATED = 2048  # bytes that a pattern may take along
OPERATIONS = ("a spawn and its reap", "the same by a supervisor and its events", "a command made, two setters, freed", "a signal of 0 to a child",
              "a call that fails, and its error freed")
HOT = range(4)  # all but the failure
NOTHING = "void _start(void) { __asm__ volatile(\"mov $60, %eax; xor %edi, %edi; syscall\"); }"
PROGRAM = r"""
#include <procsup.h>
#include <stdlib.h>
#include <string.h>
#define MARK __asm__ volatile("int3" ::: "memory")
#define BETWEEN(marked, what) do { if (marked) MARK; what; if (marked) MARK; } while (0)
static void ok(ps_status status) {
  if (status < 0) exit(3);
}
static void reaped(ps_child *child) {
  ps_exit exit;
  memset(&exit, 0, sizeof exit);
  exit.size = sizeof exit;
  ok(ps_reap(child, -1, &exit, NULL));
}
static void spawned(const ps_command *command) {
  ps_child *child;
  ok(ps_spawn(NULL, command, &child, NULL));
  reaped(child);
  ps_child_free(child);
}
static void supervised(ps_supervisor *supervisor, const ps_command *command) {
  ps_child *child;
  ps_event event;
  ok(ps_spawn(supervisor, command, &child, NULL));
  do {
    memset(&event, 0, sizeof event);
    event.size = sizeof event;
    ok(ps_supervisor_next_event(supervisor, -1, &event, NULL));
  } while (event.kind != PS_EVENT_EXITED);
  ps_child_free(child);
}
static void made(void) {
  ps_command *command;
  ok(ps_command_new("/bin/true", &command, NULL));
  ok(ps_command_arg(command, "a", NULL));
  ok(ps_command_arg(command, "b", NULL));
  ps_command_free(command);
}
static void failed(void) {
  ps_command *command;
  ps_error *error;
  if (ps_command_new(NULL, &command, &error) >= 0) exit(3);
  ps_error_free(error);
}
int main(int argc, char **argv) {
  ps_command *nothing, *sleep;
  ps_supervisor *supervisor;
  ps_child *child;
  (void)argc;
  ok(ps_command_new(argv[1], &nothing, NULL));
  ok(ps_command_new("/bin/sleep", &sleep, NULL));
  ok(ps_command_arg(sleep, "1000", NULL));
  ok(ps_supervisor_new(&supervisor, NULL));
  ok(ps_spawn(NULL, sleep, &child, NULL));
  for (int i = 0; i < 12; i++) {
    int marked = i >= 9;
    BETWEEN(marked, spawned(nothing));
    BETWEEN(marked, supervised(supervisor, nothing));
    BETWEEN(marked, made());
    BETWEEN(marked, ok(ps_signal(child, 0, NULL)));
    BETWEEN(marked, failed());
  }
  ok(ps_signal(child, 9, NULL));
  reaped(child);
  return 0;
}
"""
STEPPER = r"""
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ptrace.h>
#include <sys/user.h>
#include <sys/wait.h>
#include <unistd.h>
/* Where the library begins in the process. */
static unsigned long base_of(pid_t pid, const char *library) {
  char path[64], line[4096];
  unsigned long base = 0;
  snprintf(path, sizeof path, "/proc/%d/maps", pid);
  FILE *maps = fopen(path, "r");
  while (maps != NULL && base == 0 && fgets(line, sizeof line, maps) != NULL)
    if (strstr(line, library) != NULL) base = strtoul(line, NULL, 16);
  return base;
}
int main(int argc, char **argv) {
  int status, on = 0;
  unsigned long base = 0;
  struct user_regs_struct registers;
  pid_t pid = fork();
  if (pid == 0) {
    ptrace(PTRACE_TRACEME, 0, 0, 0);
    execv(argv[2], argv + 2);
    _exit(9);
  }
  for (;;) {
    if (waitpid(pid, &status, __WALL) < 0 || !WIFSTOPPED(status)) return argc < 3 || !WIFEXITED(status) || WEXITSTATUS(status) != 0;
    siginfo_t why;
    int passed = WSTOPSIG(status) == SIGTRAP ? 0 : WSTOPSIG(status);
    if (passed == 0) {
      ptrace(PTRACE_GETSIGINFO, pid, 0, &why);
      if (why.si_code == SI_KERNEL) {
        on = !on;
        if (base == 0) base = base_of(pid, argv[1]);
        puts(on ? "begin" : "end");
      } else if (on) {
        ptrace(PTRACE_GETREGS, pid, 0, &registers);
        printf("%lx\n", (unsigned long)registers.rip - base);
      }
    }
    ptrace(on ? PTRACE_SINGLESTEP : PTRACE_CONT, pid, 0, passed);
  }
}
"""


def compiled(folder, name, source, *options):
    (folder / f"{name}.c").write_text(source)
    subprocess.run([os.environ.get("CC", "cc"), "-O1", "-o", folder / name, folder / f"{name}.c", *options], check=True)
    return folder / name


def walked(library, folder):
    """Of each operation, in their order and thrice: the places within the library, and beyond it, that its instructions were at."""
    loaded = folder / "libprocsup.so"
    loaded.symlink_to(library)
    nothing = compiled(folder, "nothing", NOTHING, "-nostdlib", "-static", "-fno-stack-protector")
    program = compiled(folder, "program", PROGRAM, f"-I{INCLUDE}", loaded, f"-Wl,-rpath,{folder}")
    soname = re.search(r"SONAME.*\[(.*)\]", subprocess.run(["readelf", "-d", library], check=True, capture_output=True, text=True).stdout)[1]
    if soname != loaded.name:
        (folder / soname).symlink_to(library)
    stepper = compiled(folder, "stepper", STEPPER)
    told = subprocess.run([stepper, library.name, program, nothing], check=True, capture_output=True, text=True).stdout
    return [[int(place, 16) for place in walk.split("\n")[1:-1]] for walk in told.split("end\n")[:-1]]


def functions(library):
    """Begin, size, name; in the order of their places."""
    for line in subprocess.run(["nm", "--numeric-sort", "--print-size", "--defined-only", library], check=True, capture_output=True,
                               text=True).stdout.splitlines():
        words = line.split(" ", 3)
        if len(words) == 4 and words[2] in "tTwW":
            yield int(words[0], 16), int(words[1], 16), words[3]


def pattern(name):
    """What finds it in another build, too."""
    return re.sub(r"17h[0-9a-f]{16}E.*$", "17h*", re.sub(r"Cs[0-9A-Za-z]+_", "Cs*_", name))


def passed(library, walks):
    """The patterns, in the order in which they were first passed, and the bytes of what they find."""
    known = list(functions(library))
    begins = [begin for begin, _, _ in known]
    hot = {}
    for walk in walks:
        for place in walk:
            at = bisect.bisect_right(begins, place) - 1
            if at >= 0 and place < known[at][0] + known[at][1]:
                hot.setdefault(known[at][2], known[at][1])
    whole, wanted = {}, {}
    for _, size, name in known:
        whole[pattern(name)] = whole.get(pattern(name), 0) + size
    for name, size in hot.items():
        wanted[pattern(name)] = wanted.get(pattern(name), 0) + size
    return {it: whole[it] - wanted[it] <= TOLERATED for it in wanted}, sum(wanted.values())


def script(patterns, head):
    """What the profile has found hot is in sections of that name, and what has not been profiled in others."""
    lines = "".join(f"    *(.text.hot.{it}{f' .text.{it}' if alone else ''})\n" for it, alone in patterns.items())
    return f"/* {head} */\nSECTIONS\n{{\n  .text :\n  {{\n{lines}    *(.text.hot .text.hot.*)\n  }}\n}}\nINSERT AFTER .init;\n"


HEAD = """What a spawn, a reap, an event, a command and a signal pass, side by side: written by scripts/steps.py, given to the linker by build.rs.
   Behind it all else that is hot by hot.profdata. What is not found is no error, and what is new is only not beside the rest: no law hangs on it.
   docs/evidence/size.md"""


def main(library, written=None):
    library = Path(library).resolve()
    with tempfile.TemporaryDirectory() as folder:
        walks = walked(library, Path(folder))
    for number, name in enumerate(OPERATIONS):
        print(f"{min(len(walk) for walk in walks[number::len(OPERATIONS)]):6} {name}")
    if written:
        hot = [walk for number, walk in enumerate(walks) if number % len(OPERATIONS) in HOT]
        patterns, size = passed(library, hot)
        Path(written).write_text(script(patterns, HEAD))
        print(f"{written}: {len(patterns)} patterns, {size} bytes")


if __name__ == "__main__":
    if len(sys.argv) not in (2, 3):
        sys.exit(__doc__)
    main(*sys.argv[1:])
