-- The text of a delay names each certificate (conduct_hold.c). Those of before counted their whole cohort and named none:
-- what waits for its approval is asked for anew.
UPDATE request r SET void_reason = 'it names no certificates: ask for the delay anew'
  FROM hold h
 WHERE r.what = 'hold' AND r.void_reason = '' AND h.campaign = r.campaign AND h.hold = r.hold
   AND NOT h.active AND h.ended_at IS NULL;
