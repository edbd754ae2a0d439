-- Takes over what another campaign's import changed in the inventory -> was there anything?
SELECT facts_renew($1, $2, $3)
