/* listed.h - certificates named one by one as parameters and in events. Does not: leave store/. */
#ifndef MASSREVOKE_STORE_LISTED_H
#define MASSREVOKE_STORE_LISTED_H

#include "internal.h"
#include "massrevoke/store_campaign.h"

/* Two parameters: issuers and serials, of one length. */
void put_listed(struct parameters *p, const struct listed *items, size_t n);

/* Serials with their issuer, for the log: identity is issuer + serial. */
json_t *listed_json(const struct listed *items, size_t n);

#endif
