-- Contacts of the subscribers of cohort $2.
SELECT t.contact, t.subscriber, t.role, t.tier, t.name, t.email, t.language, t.timezone, t.phone, t.class, t.address_bad
  FROM contact t WHERE EXISTS (SELECT 1 FROM certificate k WHERE k.campaign = $1 AND k.cohort = $2 AND k.subscriber = t.subscriber
                                  AND k.excluded IS NULL AND NOT k.withdrawn)
 ORDER BY t.subscriber COLLATE "C", t.role, t.tier, t.contact
