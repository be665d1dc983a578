//! SQL as it is written: text and values.

use super::{Dialect, Sql, SqlError, SqlErrorKind, SqlValue};

pub(super) struct Writer {
    pub(super) dialect: Dialect,
    first: usize,
    sql: Sql,
}

impl Writer {
    pub(super) fn new(dialect: Dialect, first: usize) -> Self {
        Self { dialect, first: first.max(1), sql: Sql::default() }
    }

    pub(super) fn push(&mut self, text: &str) {
        self.sql.text.push_str(text);
    }

    /// A parameter for `value`. Values reach SQL in no other way.
    pub(super) fn bind(&mut self, value: SqlValue) -> String {
        let number = self.first.saturating_add(self.sql.values.len());
        self.sql.values.push(value);
        match self.dialect {
            Dialect::Sqlite => format!("?{number}"),
            Dialect::Postgres => format!("${number}"),
        }
    }

    /// `test`, made two-valued if `expression` may be `NULL`.
    pub(super) fn guarded(&mut self, expression: &str, not_null: bool, test: &str) {
        if not_null {
            self.push(test);
        } else {
            self.push(&format!("({expression} IS NOT NULL AND {test})"));
        }
    }

    /// `EXISTS`, such that SQLite 3.51 leaves it one: what it joins instead, it counts once for each
    /// value when it comes to `OFFSET`.
    pub(super) fn exists(&self) -> &'static str {
        match self.dialect {
            Dialect::Sqlite => "+EXISTS",
            Dialect::Postgres => "EXISTS",
        }
    }

    pub(super) fn into_sql(self) -> Sql {
        self.sql
    }

    pub(super) fn finish(self) -> Result<Sql, SqlError> {
        let limit = match self.dialect {
            Dialect::Sqlite => 32_766,
            Dialect::Postgres => 65_535,
        };
        if self.first.saturating_add(self.sql.values.len()) > limit + 1 {
            return Err(SqlError::new(SqlErrorKind::TooManyValues { limit }, String::new()));
        }
        Ok(self.sql)
    }
}
