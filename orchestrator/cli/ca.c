/* ca new: a demo CA to practise on. */
#include "command.h"
#include "massrevoke/ca_new.h"
#include "massrevoke/clock.h"

#include <stdio.h>

bool cmd_ca_new(struct invocation *in, int *exit_code, struct fault *f)
{
    struct clock clock = clock_system();
    int64_t count = 0, subscribers = 0, seed = 1;
    (void)exit_code;
    if (!option_required(in, OPTION_CERTIFICATES, f) || !option_required(in, OPTION_SUBSCRIBERS, f) ||
        !option_int(in, OPTION_CERTIFICATES, 1, CA_NEW_MOST, &count, f) ||
        !option_int(in, OPTION_SUBSCRIBERS, 1, CA_NEW_MOST, &subscribers, f) ||
        !option_int(in, OPTION_SEED, 0, INT64_MAX, &seed, f))
        return false;
    struct ca_new_spec spec = {.directory = in->args[0],
                               .count = (int)count,
                               .subscribers = (int)subscribers,
                               .seed = (uint64_t)seed,
                               .ocsp_url = in->values[OPTION_OCSP],
                               .now = clock.now(clock.self)};
    if (!ca_new(&spec, f))
        return false;
    printf("%s: a demo CA with %lld certificates of %lld subscribers.\n"
           "Next: massrevoke --config %s/massrevoke.cfg open NAME --rule 4.9.1.1-12 --received TIME\n",
           in->args[0], (long long)count, (long long)subscribers, in->args[0]);
    return true;
}
