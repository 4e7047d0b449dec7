#!/usr/bin/env bash
# check_install.sh CMAKE BUILD_DIR CC VERSION SONAME SOURCE: installs into an empty DESTDIR and builds programs against what is there, as users do: by
# find_package(procsup), by pkg-config and by Meson, shared, static, and as one file without a loader; then a program that has the sources beside its own
# and is installed with the library; then Debian packages. The tree is moved first: nothing in it may know where it was.
set -eu
cmake=$1 build=$2 cc=$3 version=$4 soname=$5 source=$6
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
[ -f "$root/share/procsup/tsan.supp" ]
if [ -n "$(cached CMAKE_OBJCOPY)" ]; then
  step "stripped, and a debugger finds the rest"
  readelf --sections --wide "$lib/libprocsup.so.$version" | grep -qE '\.(symtab|debug_)' && { echo "not stripped"; exit 1; }
  readelf --string-dump=.gnu_debuglink "$lib/libprocsup.so.$version" | grep -q "libprocsup.so.$version.debug"
  readelf --sections --wide "$lib/.debug/libprocsup.so.$version.debug" | grep -q '\.debug_line'
  echo "libprocsup.so.$version: $(stat -c %s "$lib/libprocsup.so.$version") bytes"
fi
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
  # The archive asks for getaddrinfo, of which glibc says that it wants a loader after all; we ask for no name.
  for how in -static -static-pie; do
    step "pkg-config, $how"
    # shellcheck disable=SC2046
    "$cc" $how -o "$tmp/one-file$how" "$tmp/consumer/main.c" $(pkg-config --static --cflags --libs procsup) 2>"$tmp/link.log" || { cat "$tmp/link.log"; exit 1; }
    readelf --dynamic "$tmp/one-file$how" | grep NEEDED && { echo "$how needs libraries"; exit 1; }
    "$tmp/one-file$how"
  done
else
  step "pkg-config is not here: its file is not checked"
fi

if command -v meson >/dev/null && command -v ninja >/dev/null && command -v pkg-config >/dev/null; then
  step "Meson"
  cat >"$tmp/consumer/meson.build" <<'MESON'
project('consumer', 'c')
executable('shared', 'main.c', dependencies: dependency('procsup'))
executable('static', 'main.c', dependencies: dependency('procsup', static: true))
MESON
  CC=$cc meson setup "$tmp/by-meson" "$tmp/consumer" >"$tmp/meson.log" 2>&1 && meson compile -C "$tmp/by-meson" >>"$tmp/meson.log" 2>&1 || { cat "$tmp/meson.log"; exit 1; }
  "$tmp/by-meson/shared" # by the path that Meson puts in while it is not installed
  "$tmp/by-meson/static"
  readelf --dynamic "$tmp/by-meson/static" | grep -q procsup && { echo "not static"; exit 1; }
else
  step "Meson is not here: it is not tried"
fi

step "the sources beside a program's own, which is installed"
mkdir "$tmp/beside"
cp "$tmp/consumer/main.c" "$tmp/beside"
cat >"$tmp/beside/CMakeLists.txt" <<'CMAKE'
cmake_minimum_required(VERSION 3.16...3.31)
project(beside C)
include(GNUInstallDirs)
set(CMAKE_INSTALL_RPATH "$ORIGIN/../${CMAKE_INSTALL_LIBDIR}")
if(FETCH)
  include(FetchContent)
  FetchContent_Declare(procsup SOURCE_DIR "${SOURCE}")
  FetchContent_MakeAvailable(procsup)
else()
  add_subdirectory("${SOURCE}" procsup)
endif()
add_executable(server main.c)
target_link_libraries(server procsup::procsup)
install(TARGETS server)
CMAKE
for fetch in OFF ON; do
  "$cmake" -S "$tmp/beside" -B "$tmp/beside-$fetch" -G "$(cached CMAKE_GENERATOR)" -DCMAKE_MAKE_PROGRAM="$(cached CMAKE_MAKE_PROGRAM)" -DFETCH=$fetch \
    -DCMAKE_C_COMPILER="$cc" -DSOURCE="$source" -DPROCSUP_LIBRARY_DIR="$(cached PROCSUP_LIBRARY_DIR)" -DPROCSUP_STRIP=OFF >"$tmp/beside.log" 2>&1 &&
    "$cmake" --build "$tmp/beside-$fetch" >>"$tmp/beside.log" 2>&1 &&
    DESTDIR="$tmp/beside-root-$fetch" "$cmake" --install "$tmp/beside-$fetch" --prefix /srv >>"$tmp/beside.log" || { cat "$tmp/beside.log"; exit 1; }
  [ -z "$(find "$tmp/beside-$fetch" -name 'ctest*')" ] || { echo "its tests are built, too"; exit 1; }
  "$tmp/beside-$fetch/server"
  "$tmp/beside-root-$fetch/srv/bin/server"
done

if command -v dpkg-deb >/dev/null; then
  step "Debian packages"
  cpack=$(dirname "$cmake")/cpack
  (cd "$tmp" && "$cpack" -G DEB -D "CPACK_COMPONENTS_ALL=runtime;development" -D CPACK_DEBIAN_COMPRESSION_TYPE=none --config "$build/CPackConfig.cmake" -B "$tmp/packages" >"$tmp/cpack.log" 2>&1) || { cat "$tmp/cpack.log"; exit 1; }
  short=${soname#libprocsup.so.}
  for package in "libprocsup$short" libprocsup-dev; do
    file=$(echo "$tmp/packages/${package}_${version}_"*.deb)
    dpkg-deb --extract "$file" "$tmp/debian"
    dpkg-deb --field "$file" Package Version Depends
    [ -f "$tmp/debian/usr/share/doc/$package/copyright" ]
  done
  include=$tmp/debian/usr/include
  place=$(dirname "$(find "$tmp/debian" -name libprocsup.a)")
  "$cc" -I"$include" -o "$tmp/packaged" "$tmp/consumer/main.c" -L"$place" -lprocsup
  LD_LIBRARY_PATH=$place "$tmp/packaged"
else
  step "dpkg is not here: no packages are made"
fi
