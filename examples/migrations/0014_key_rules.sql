-- By which rules the comparison keys of this database are made. A rule that came after the keys is followed when the
-- database is served for the first time since (`store/renew.rs`): which text compares with which case, the schemas say.
CREATE TABLE key_rules (
    rule TEXT NOT NULL PRIMARY KEY
);
