-- Acknowledgement of subscriber $2 -> was it the first.
SELECT ack_add($1, $2, $3, $4, $5, $6)
