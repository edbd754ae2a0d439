/* Any text as a link, a SHA-256 and a serial: what is read can be written and read again. */
#include "massrevoke/intake.h"

#include <stdlib.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void check_serial(struct str text, enum intake_base base)
{
    struct serial serial, again;
    char spelled[SERIAL_SPELLING_TEXT];
    if (intake_serial(text, base, &serial) != NULL)
        return;
    if (serial.n == 0 || serial.n > SERIAL_MAX || serial.bytes[0] == 0)
        abort();
    for (int i = 0; i < SERIAL_SPELLING_COUNT; i++) {
        serial_spell(&serial, (enum serial_spelling)i, spelled);
        const char *why = i == SERIAL_DECIMAL ? serial_from_decimal(str_of(spelled), &again)
                                              : serial_from_hex(str_of(spelled), &again);
        if (why != NULL || !serial_equal(&serial, &again))
            abort();
    }
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct str text = {(const char *)data, size};
    struct digest sha256, again;
    char hex[DIGEST_TEXT], link[DIGEST_TEXT + 32] = "https://crt.sh/?sha256=";
    if (intake_sha256(text, &sha256) && (!intake_sha256(str_of(digest_hex(sha256, hex)), &again) ||
                                         memcmp(&sha256, &again, sizeof again) != 0))
        abort();
    if (intake_link(text, &sha256) == NULL) {
        strcat(link, digest_hex(sha256, hex));
        if (intake_link(str_of(link), &again) != NULL || memcmp(&sha256, &again, sizeof again) != 0)
            abort();
    }
    for (int base = 0; base < 3; base++)
        check_serial(text, (enum intake_base)base);
    (void)intake_detect(text);
    return 0;
}
