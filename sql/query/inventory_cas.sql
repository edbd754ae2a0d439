-- CA certificates of the inventory.
SELECT issuer, serial FROM inventory WHERE type = 'CA'
