/*
 * The two marker system calls between which `helpers/inject` looks at a program and lets calls fail. They are getpriority(2) with
 * a `which` that no kernel knows: without a tracer they do nothing but answer EINVAL.
 */
#ifndef PROCSUP_INJECT_MARKERS_H
#define PROCSUP_INJECT_MARKERS_H

/* Sent to itself just before the first marker: a process that is not traced ignores it. */
#define INJECT_MARK_SIGNAL SIGURG
#define INJECT_MARK_BEGIN 0x50530001
#define INJECT_MARK_END 0x50530002

#endif
