/* A successor that cannot be started at all is an error of ps_handoff_upgrade, as of ps_spawn; no handoff has begun, and no
   event says that one ended. */
/* covers: S7, S8 */
#include "harness.h"
#include "handoff.h"

int main(void)
{
    stage_begin();
    party *o = first("old");
    char *before = snapshot(o);
    for (int i = 0; i < 5; i++) {
        ask_for(o, PS_ERR_NOT_FOUND, "upgrade 1000 /nonexistent/program");
        ask_for(o, PS_ERR_PERMISSION, "upgrade 1000 %s", stage.dir);
        quiet(o);
        ask_for(o, PS_ERR_STATE, "cancel");
    }
    as_before(o, before);
    party *n = upgrade(o, "new", 20000);
    bring(o, n, MET, SERVING);
    served_by(n);
    stage_end();
    return 0;
}
