#!/usr/bin/env bash
# check_tsan_host.sh CC LIBRARY SONAME SOURCE: a host that is built with ThreadSanitizer against the library, which is not, gets reports that are none of
# its affair; with share/procsup/tsan.supp it gets none, and a race of its own all the same. 77: there is no ThreadSanitizer here.
set -u
cc=$1 library=$2 soname=$3 source=$4
tmp=$(mktemp -d)
trap 'rm -rf "$tmp"' EXIT
skip() { echo "$*"; exit 77; }

printf 'int main(void) { return 0; }\n' >"$tmp/empty.c"
"$cc" -fsanitize=thread -o "$tmp/empty" "$tmp/empty.c" 2>"$tmp/log" || skip "$cc has no ThreadSanitizer"
# Its map of the memory has no place for a kernel's that spreads it more widely (vm.mmap_rnd_bits).
run=()
if ! "$tmp/empty" >"$tmp/log" 2>&1; then
  run=(setarch -R)
  "${run[@]}" "$tmp/empty" >"$tmp/log" 2>&1 || skip "ThreadSanitizer does not run here: $(head -1 "$tmp/log")"
fi

ln -s "$library" "$tmp/$soname"
ln -s "$soname" "$tmp/libprocsup.so"
"$cc" -std=gnu11 -g -Wall -Wextra -fsanitize=thread -I"$source/include" -o "$tmp/host" "$source/c-tests/lib/tsan_host.c" \
  -L"$tmp" -lprocsup -Wl,-rpath,"$tmp" -lpthread || exit 1

reports() { # OPTIONS WORD...: how many there are; the host itself must end well
  if ! TSAN_OPTIONS="exitcode=0 atexit_sleep_ms=0 history_size=4 $1" "${run[@]}" "$tmp/host" "${@:2}" >"$tmp/out" 2>"$tmp/log"; then
    head -100 "$tmp/log" >&2
    echo "the host has failed" >&2
    return 1
  fi
  grep -c '^WARNING: ThreadSanitizer' "$tmp/log" || true
}
suppressions="suppressions=$source/share/procsup/tsan.supp"
plain=$(reports "") || exit 1
silent=$(reports "$suppressions") || exit 1
own=$(reports "$suppressions" race) || exit 1
echo "reports: $plain, with share/procsup/tsan.supp $silent, of a race of the host's own $own"
[ "$silent" = 0 ] || { reports "$suppressions" >/dev/null; head -100 "$tmp/log"; exit 1; }
[ "$own" = 1 ] || { echo "the host's own race is not reported once"; head -100 "$tmp/log"; exit 1; }
# Else the file says what is not so any more.
[ "$plain" -gt 0 ] || { echo "without the file there is nothing to look away from"; exit 1; }
