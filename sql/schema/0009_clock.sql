-- The clock: anchors with the text of their time as typed, changes that wait for an approval, and what people did
-- about their tasks.

-- `nth` keeps the order in which anchors were recorded; `raw` is the time as somebody typed it, so that a local time
-- taken for UTC can be told apart later.
ALTER TABLE clock ADD COLUMN raw text NOT NULL DEFAULT '';
ALTER TABLE clock ADD COLUMN nth bigint GENERATED ALWAYS AS IDENTITY;
