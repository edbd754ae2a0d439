-- Certificates of the inventory with the keys of the staged ones that are not staged themselves.
SELECT * FROM keys_expand()
