#include "release.h"

#ifndef ROUNDROBIN_COMMIT
#define ROUNDROBIN_COMMIT "unknown"
#endif

const char *roundrobin_version(void) { return ROUNDROBIN_VERSION; }

const char *roundrobin_commit(void) { return ROUNDROBIN_COMMIT; }
