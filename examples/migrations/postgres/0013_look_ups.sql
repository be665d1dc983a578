-- A resource is looked up by its `id` in the index of the primary key. Where PostgreSQL does not know yet how many rows
-- a tenant has, the index of the order of lists would seem as good to it, which begins with the same columns: it would
-- walk through all resources of the type. It is taken by those alone who ask for the places that it is for, which are
-- never less than 0.
DROP INDEX resources_in_order;
CREATE UNIQUE INDEX resources_in_order ON resources (tenant, type, seq) WHERE seq >= 0;
