-- The mark of who is to write the resource next, after others came first too often; 0 where there is none. Each write
-- takes it off.
ALTER TABLE resources ADD COLUMN marked BIGINT NOT NULL DEFAULT 0;
