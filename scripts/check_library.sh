#!/usr/bin/env bash
# check_library.sh LIBRARY SYMBOLS SONAME: the shared library exports exactly the committed list, has this soname (and the examples that load
# it by name know it), must not be unloaded,
# wants no executable stack, and needs nothing but the C library's own family, in a version that is promised. A release build is no larger than it was, and
# has the profile by which it is fast.
set -u
library=$1 symbols=$2 soname=$3
bad=0
complain() { echo "$*" >&2; bad=1; }

if ! diff -u --label "$symbols (committed)" --label "$library" <(LC_ALL=C sort "$symbols") \
    <(nm -D --defined-only "$library" | awk '{print $3}' | LC_ALL=C sort) >&2; then
  complain "The exported symbols are not the committed ones. If the change is meant, run ./x symbols and commit symbols.txt;" \
    "a symbol that goes away breaks every program that was linked with it."
fi
dynamic=$(readelf --dynamic --wide "$library")
[ "$(sed -n 's/.*(SONAME).*\[\(.*\)\]/\1/p' <<<"$dynamic")" = "$soname" ] || complain "the soname is not $soname"
other=$(grep -noE 'libprocsup\.so\.[0-9.]*[0-9]' "$(dirname "$0")"/../examples/*.py | grep -v ":$soname\$")
[ -z "$other" ] || complain "not this version's $soname: $other"
grep -q 'FLAGS_1.*NODELETE' <<<"$dynamic" || complain "not linked with -z nodelete: dlclose could unmap code that threads still run"
foreign=$(sed -n 's/.*(NEEDED).*\[\(.*\)\]/\1/p' <<<"$dynamic" | grep -vE '^(libc|libgcc_s|libm|libpthread|libdl|librt|libutil|ld-linux.*)\.so(\.|$)')
[ -z "$foreign" ] || complain "needs other libraries: $foreign"
readelf --segments --wide "$library" | grep GNU_STACK | grep -q E && complain "wants an executable stack (assembly without .note.GNU-stack)"
# What README says. An older libc does not load it at all ("version GLIBC_2.x not found").
newest=$(objdump -T "$library" | grep -oE 'GLIBC_[0-9.]+' | sort -Vu | tail -1)
[ "$(printf '%s\n' GLIBC_2.34 "$newest" | sort -V | tail -1)" = GLIBC_2.34 ] || complain "needs $newest, and promised is 2.34"
# As it is installed. Where the bytes are: docs/evidence/size.md.
most=3750000
if [[ $library == */release/* ]]; then
  stripped=$(mktemp) && strip --strip-all -o "$stripped" "$library" && bytes=$(stat -c %s "$stripped")
  rm -f "$stripped"
  [ "${bytes:-0}" -le $most ] || complain "stripped it has $bytes bytes, and should have $most at most: scripts/size.py says where they are. (cargo build leaves out link-time optimization: ./x does not)"
fi
# By the toolchain that hot.profdata is for, with it. A function that has changed since is built without it: a few are no matter.
instructions=6500
channel=$(sed -n 's/^channel = "\(.*\)"/\1/p' "$(dirname "$0")/../rust-toolchain.toml")
if [[ $library == */release/* ]] && readelf --string-dump=.comment "$library" | grep -q "rustc version $channel " && readelf --file-header "$library" | grep -q X86-64; then
  steps=$(python3 -B "$(dirname "$0")/steps.py" "$library") || complain "scripts/steps.py $library: it failed"
  spawn=$(awk '/a spawn and its reap/ {print $1}' <<<"$steps")
  [ "${spawn:-0}" -le $instructions ] || complain "a spawn and its reap are $spawn instructions, and should be $instructions at most: built without release.args (./x and CMake give it), or hot.profdata is of other sources (./x profile)"
fi
[ $bad = 0 ] && echo "$(wc -l <"$symbols") symbols, soname, nodelete, stack: as they should be"
exit $bad
