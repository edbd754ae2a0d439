/* fault.h - errors as values.
 *
 * A function that can fail returns bool, is MUST_USE and takes a struct fault last; it returns false exactly
 * when the fault is set. Expected answers of the world (a refused address, an unknown serial) are values, not
 * faults. Pure. Does not print: only main prints a fault, once, with its hint. Called by: everything. */
#ifndef MASSREVOKE_FAULT_H
#define MASSREVOKE_FAULT_H

#include <stdbool.h>

#define MUST_USE __attribute__((warn_unused_result))
#define PRINTF_LIKE(fmt, args) __attribute__((format(printf, fmt, args)))

/* The kinds, from fault.def; each has one exit code of the contract. */
enum fault_kind {
    FAULT_NONE,
#define FAULT(kind, exit, word, meaning) FAULT_##kind,
#include "../../orchestrator/base/fault.def"
#undef FAULT
    FAULT_COUNT
};

/* One failure: lower case text without full stop, naming what and where; hint: the next thing to do, or
 * empty. */
struct fault {
    enum fault_kind kind;
    char text[1024];
    char hint[512];
};

/* Sets kind and text; always returns false, so that `return fault_set(...)` reads well. */
bool fault_set(struct fault *f, enum fault_kind kind, const char *format, ...) PRINTF_LIKE(3, 4);

/* Puts "context: " in front of the text already there; always returns false. */
bool fault_wrap(struct fault *f, const char *format, ...) PRINTF_LIKE(2, 3);

/* Sets the hint (the remedy, as a command when there is one); always returns false. */
bool fault_hint(struct fault *f, const char *format, ...) PRINTF_LIKE(2, 3);

/* Exit code of the contract for a kind; FAULT_NONE is 0. */
int fault_exit_code(enum fault_kind kind);

/* One word for a kind ("refused"); static storage. */
const char *fault_word(enum fault_kind kind);

/* The sentence of a kind for `help exit-codes`; static storage. */
const char *fault_meaning(enum fault_kind kind);

#endif
