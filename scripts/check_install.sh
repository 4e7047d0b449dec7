#!/usr/bin/env bash
# check_install.sh CMAKE BUILD_DIR CC VERSION SONAME: installs into an empty DESTDIR and builds programs against what is there, as users do: by
# find_package(procsup), shared and static, and by pkg-config. The tree is moved first: nothing in it may know where it was.
set -eu
cmake=$1 build=$2 cc=$3 version=$4 soname=$5
tmp=$(mktemp -d)
trap 'rm -rf "$tmp"' EXIT
step() { echo "== $*"; }
cached() { sed -n "s/^$1:[A-Z]*=//p" "$build/CMakeCache.txt"; }

step "install with DESTDIR"
DESTDIR="$tmp/dest" "$cmake" --install "$build" --prefix /opt/procsup >"$tmp/install.log"
mv "$tmp/dest/opt/procsup" "$tmp/moved"
root=$tmp/moved
lib=$(dirname "$(find "$root" -name libprocsup.a)")
[ "$(readlink "$lib/libprocsup.so")" = "$soname" ]
[ "$(readlink "$lib/$soname")" = "libprocsup.so.$version" ]
[ -f "$lib/libprocsup.so.$version" ]
[ -f "$root/include/procsup.h" ]
(cd "$root" && find . -type f -o -type l | sort)

mkdir "$tmp/consumer"
cat >"$tmp/consumer/main.c" <<'C'
#include <procsup.h>
#include <stdio.h>

int main(void)
{
    ps_command *command = NULL;
    ps_child *child = NULL;
    ps_exit ended;
    ended.size = (uint32_t)sizeof ended;
    if (ps_command_new("true", &command, NULL) != PS_OK || ps_spawn(NULL, command, &child, NULL) != PS_OK ||
        ps_reap(child, 10000, &ended, NULL) != PS_OK)
        return 1;
    printf("procsup %s: true ended with %d\n", ps_version_string(), (int)ended.code);
    ps_child_free(child);
    ps_command_free(command);
    return ended.code;
}
C
cat >"$tmp/consumer/CMakeLists.txt" <<'CMAKE'
cmake_minimum_required(VERSION 3.16...3.31)
project(consumer C)
find_package(procsup ${WANTED} REQUIRED CONFIG)
add_executable(shared main.c)
target_link_libraries(shared procsup::procsup)
add_executable(static main.c)
target_link_libraries(static procsup::procsup_static)
CMAKE

step "find_package"
configure() { # WANTED FOLDER
  "$cmake" -S "$tmp/consumer" -B "$tmp/$2" -G "$(cached CMAKE_GENERATOR)" -DCMAKE_MAKE_PROGRAM="$(cached CMAKE_MAKE_PROGRAM)" \
    -DCMAKE_C_COMPILER="$cc" -DCMAKE_PREFIX_PATH="$root" -DWANTED="$1" >"$tmp/configure.log" 2>&1
}
configure "${version%.*}" out || { cat "$tmp/configure.log"; exit 1; }
"$cmake" --build "$tmp/out" >"$tmp/build.log" || { cat "$tmp/build.log"; exit 1; }
"$tmp/out/shared"
"$tmp/out/static"
readelf --dynamic "$tmp/out/shared" | grep -q "NEEDED.*\[$soname\]"

step "find_package of another interface is refused"
IFS=. read -r major minor _ <<<"$version"
if [ "$major" = 0 ]; then # below 1.0 a minor version may change the interface, in either direction
  others="0.$((minor + 1)) $([ "$minor" = 0 ] || echo "0.$((minor - 1))")"
else
  others="$((major + 1)).0 $((major - 1)).0"
fi
for other in $others; do
  if configure "$other" refused; then
    echo "find_package(procsup $other) takes $version"
    exit 1
  fi
  grep -q compatible "$tmp/configure.log" || { cat "$tmp/configure.log"; exit 1; }
done

if command -v pkg-config >/dev/null; then
  step "pkg-config"
  export PKG_CONFIG_PATH=$lib/pkgconfig
  # shellcheck disable=SC2046  # words are wanted
  "$cc" -o "$tmp/by-pkg-config" "$tmp/consumer/main.c" $(pkg-config --cflags --libs procsup)
  LD_LIBRARY_PATH=$lib "$tmp/by-pkg-config"
else
  step "pkg-config is not here: its file is not checked"
fi
