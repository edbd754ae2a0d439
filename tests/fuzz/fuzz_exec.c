/* Any bytes as a line of a CA's command line: no crash, no serial that is not in the line, and never
 * "revoked" out of Boulder's or certutil's. */
#include "massrevoke/backend_exec.h"

#include <ctype.h>
#include <stdio.h>
#include <stdlib.h>

static struct arena memory;
static struct backend_exec backends[3];

int LLVMFuzzerInitialize(int *argc, char ***argv);
int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerInitialize(int *argc, char ***argv)
{
    static const char *const names[] = {"lines", "boulder", "certutil"};
    (void)argc;
    (void)argv;
    for (size_t i = 0; i < 3; i++) {
        struct fault f;
        if (!backend_exec_read(NULL, names[i], &memory, &backends[i], &f)) {
            fprintf(stderr, "%s\n", f.text);
            abort();
        }
    }
    return 0;
}

/* The first byte chooses profile and call. */
int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    if (size < 1)
        return 0;
    const struct backend_exec *b = &backends[data[0] % 3];
    bool ask = (data[0] & 64) != 0 && b->status.given;
    struct backend_said said;
    struct str line = {(const char *)data + 1, size - 1};
    if (!backend_exec_judge(b, ask ? &b->status : &b->revoke, line, &said))
        return 0;
    if (said.verdict.meaning == BACKEND_REVOKED && b != &backends[0])
        abort();
    if (!said.whole && (said.serial.n < 1 || said.serial.n > SERIAL_MAX || said.serial.bytes[0] == 0))
        abort();
    if (said.verdict.reason > 10 || said.verdict.reason < -1)
        abort();
    return 0;
}
