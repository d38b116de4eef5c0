// What the module of the web signer asks of the page that it runs in; the page's script answers.
#ifndef ROUNDROBIN_PAGE_H
#define ROUNDROBIN_PAGE_H

#include <stddef.h>
#include <stdint.h>

// Hands a message to the page, and returns the length of its answer in bytes once there is one. Meanwhile the module is
// suspended: its stack is kept aside (Binaryen's asyncify), and the page goes on.
__attribute__((import_module("page"), import_name("ask"))) size_t page_ask(const uint8_t *message, size_t count);

// Copies the last answer to `answer`, which has room for it. The page forgets it.
__attribute__((import_module("page"), import_name("take"))) void page_take(uint8_t *answer);

// Whole seconds since 1970-01-01T00:00:00Z by the machine's clock.
__attribute__((import_module("page"), import_name("now"))) double page_now(void);

// Milliseconds since the page was opened, by a clock that nobody sets.
__attribute__((import_module("page"), import_name("elapsed"))) double page_elapsed(void);

#endif
