-- Certificates in the inventory: the base of a request's share.
SELECT count(*) FROM inventory
