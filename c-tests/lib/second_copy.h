/* A second copy of the library in this process, as a plugin brings one: the same file under another name, loaded with RTLD_LOCAL.
   SECOND(ps_spawn)(...) calls its function of that name. */
#ifndef PROCSUP_TEST_SECOND_COPY_H
#define PROCSUP_TEST_SECOND_COPY_H

#include "children.h"

#include <dlfcn.h>
#include <sys/sendfile.h>

static void *second_copy;

#define SECOND(function) ((__typeof__(&function))second_symbol(#function))

HARNESS void *second_symbol(const char *name)
{
    void *found = dlsym(second_copy, name);
    if (!found)
        harness_fail(__FILE__, __LINE__, "%s", dlerror());
    return found;
}

HARNESS void second_copy_load(void)
{
    Dl_info library;
    char path[128];
    CHECK(dladdr((void *)(uintptr_t)&ps_version, &library) != 0);
    if (!strstr(library.dli_fname, ".so"))
        SKIP("the library is linked into the program: there is no file to load a second time");
    snprintf(path, sizeof path, "%s/plugin.so", temp_dir());
    int from = open(library.dli_fname, O_RDONLY | O_CLOEXEC), to = open(path, O_WRONLY | O_CREAT | O_CLOEXEC, 0700);
    struct stat st;
    CHECK(from >= 0 && to >= 0 && fstat(from, &st) == 0);
    while (lseek(to, 0, SEEK_CUR) < st.st_size)
        CHECK(sendfile(to, from, NULL, (size_t)st.st_size) > 0);
    close(from);
    close(to);
    second_copy = dlopen(path, RTLD_NOW | RTLD_LOCAL);
    if (!second_copy)
        harness_fail(__FILE__, __LINE__, "%s", dlerror());
    CHECK(unlink(path) == 0);
    *strrchr(path, '/') = 0;
    CHECK(rmdir(path) == 0);
    CHECK(SECOND(ps_spawn) != ps_spawn);
}

#endif
