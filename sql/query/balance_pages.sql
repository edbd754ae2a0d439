-- How many pages campaign $1 has numbered.
SELECT next_page FROM campaign WHERE campaign = $1
