-- Records an anchor that moves nothing.
SELECT anchor_add($1, $2, $3, $4, $5, $6, $7, $8, $9)
