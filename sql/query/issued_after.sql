-- Places in the staged list that were issued after $1.
SELECT issued_after($1)
