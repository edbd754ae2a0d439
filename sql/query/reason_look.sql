-- Certificates (issuers $2, serials $3) of campaign $1 as a change of reasons finds them, in their order.
SELECT number, state, reason, told, busy FROM reason_look($1, $2, $3)
