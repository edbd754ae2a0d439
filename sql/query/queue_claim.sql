-- Claims due chunks.
SELECT chunk, plan, cohort, issuer, epoch, generation, numbers, states, intents FROM queue_claim($1, $2, $3, $4, $5, $6, $7)
