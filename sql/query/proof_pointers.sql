-- Where numbers $2 of campaign $1 show whether they are revoked, in their order: CRL, OCSP; '' none.
SELECT CASE WHEN coalesce(v.cdp, '') <> '' THEN v.cdp ELSE i.crl END, coalesce(v.ocsp, '')
  FROM unnest($2::integer[], ids_of($1, $2::integer[])) WITH ORDINALITY x(number, id, o)
  JOIN certificate k ON k.campaign = $1 AND k.id = x.id
  JOIN issuer i USING (issuer) LEFT JOIN inventory v USING (issuer, serial)
 ORDER BY x.o
