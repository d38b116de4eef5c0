// Which release this is. The commit is set by Package.swift.
#ifndef ROUNDROBIN_RELEASE_H
#define ROUNDROBIN_RELEASE_H

// The only place where the version stands; the packages read it from this line.
#define ROUNDROBIN_VERSION "0.9.0"

// The version, such as "0.9.0".
const char *roundrobin_version(void);

// The commit that was built, 40 hexadecimal digits, with "+" if files were changed since; "unknown" without git.
const char *roundrobin_commit(void);

#endif
