#define _GNU_SOURCE
#include "faulty_disk.h"
#include <dlfcn.h>
#include <errno.h>
#include <signal.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/types.h>
#include <time.h>
#include <unistd.h>

static atomic_int calls;

static int is_meant(const char *call, const char *path) {
    const char *lever = getenv("FAULT_SWITCH");
    if (lever && access(lever, F_OK) != 0) return 0;
    const char *wanted = getenv("FAULT_CALL"), *part = getenv("FAULT_PATH");
    return wanted && strcmp(wanted, call) == 0 && part && strstr(path, part) != NULL;
}

static int is_meant_fd(const char *call, int fd) {
    if (!getenv("FAULT_CALL")) return 0;
    char link[64], path[4096];
    snprintf(link, sizeof link, "/proc/self/fd/%d", fd);
    ssize_t count = readlink(link, path, sizeof path - 1);
    if (count < 0) return 0;
    path[count] = 0;
    return is_meant(call, path);
}

// What happens to this call: 0 nothing, -1 death after the call, otherwise an error number. Death before the call
// happens here.
static int fault(void) {
    int at = atoi(getenv("FAULT_AT")), number = atomic_fetch_add(&calls, 1) + 1;
    const char *action = getenv("FAULT_ACTION");
    if (strcmp(action, "kill-before") == 0) {
        if (number == at) raise(SIGKILL);
        return 0;
    }
    if (strcmp(action, "kill-after") == 0) return number == at ? -1 : 0;
    return number >= at ? atoi(action) : 0;
}

#define FAULTY(meant, type, name, parameters, arguments)                 \
    type name parameters {                                               \
        static type(*real) parameters;                                   \
        if (!real) real = dlsym(RTLD_NEXT, #name);                       \
        int action = (meant) ? fault() : 0;                              \
        if (action > 0) {                                                \
            errno = action;                                              \
            return -1;                                                   \
        }                                                                \
        type result = real arguments;                                    \
        if (action < 0) raise(SIGKILL);                                  \
        return result;                                                   \
    }

FAULTY(is_meant_fd("pwrite", fd), ssize_t, pwrite, (int fd, const void *bytes, size_t count, off_t offset), (fd, bytes, count, offset))
FAULTY(is_meant_fd("pwrite", fd), ssize_t, pwrite64, (int fd, const void *bytes, size_t count, off64_t offset), (fd, bytes, count, offset))
FAULTY(is_meant_fd("pwrite", fd), ssize_t, write, (int fd, const void *bytes, size_t count), (fd, bytes, count))
FAULTY(is_meant_fd("sync", fd), int, fsync, (int fd), (fd))
FAULTY(is_meant_fd("sync", fd), int, fdatasync, (int fd), (fd))
FAULTY(is_meant("rename", to), int, rename, (const char *from, const char *to), (from, to))

int clock_gettime(clockid_t clock, struct timespec *time) {
    static int (*real)(clockid_t, struct timespec *);
    if (!real) real = dlsym(RTLD_NEXT, "clock_gettime");
    int result = real(clock, time);
    // A clock that is set wrong, or time that passes: then the clock that nobody sets goes with it.
    const char *wrong = clock == CLOCK_REALTIME ? getenv("FAULT_CLOCK") : NULL;
    if (!wrong && (clock == CLOCK_REALTIME || clock == CLOCK_BOOTTIME)) wrong = getenv("FAULT_TIME");
    if (result != 0 || !wrong) return result;
    char target[32] = "";
    if (*wrong == '/' && readlink(wrong, target, sizeof target - 1) > 0) wrong = target;
    time->tv_sec += atol(wrong);
    return result;
}
