/* The three ways to ask for the version say the same, at compile time and at run time. */
#include "harness.h"
#include "children.h"

int main(void)
{
    uint32_t version = ps_version();
    CHECK_INT(version, (uint32_t)PS_VERSION_MAJOR << 16 | (uint32_t)PS_VERSION_MINOR << 8 | (uint32_t)PS_VERSION_PATCH);
    char expected[32];
    snprintf(expected, sizeof expected, "%u.%u.%u", version >> 16, version >> 8 & 0xff, version & 0xff);
    CHECK_STR(ps_version_string(), expected);
    return 0;
}
