-- For PostgreSQL alone, in `postgres`: SQLite looks resources up by `id` in the index of the primary key anyway, and would
-- begin a page where the index of the order begins.
SELECT 1;
