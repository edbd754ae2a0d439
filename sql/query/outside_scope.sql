-- Withdrawn certificates that are revoked all the same.
SELECT k.serial, k.issuer FROM certificate k JOIN page p ON p.campaign = k.campaign AND p.page = k.number / 1000
 WHERE k.campaign = $1 AND get_byte(p.states, k.number % 1000) & 15 = state_code('withdrawn') AND get_byte(p.states, k.number % 1000) & 48 <> 0
 ORDER BY k.number
