//! Which database the program works on.

use std::ffi::{OsStr, OsString};
use std::fmt;
use std::path::PathBuf;

use anyhow::Context as _;
use clap::builder::TypedValueParser;
use url::Url;

use crate::{Limits, SqlStore};

/// The URL of a database, which may hold a password: its `Debug` form is where the database is.
#[derive(Clone)]
pub enum DatabaseUrl {
    /// A file, or `:memory:`.
    Sqlite(PathBuf),
    /// The URL of a PostgreSQL database.
    Postgres(Url),
}

impl DatabaseUrl {
    fn parse(text: &str) -> Option<Self> {
        if let Some(file) = text.strip_prefix("sqlite:") {
            let file = file.strip_prefix("//").unwrap_or(file);
            return (!file.is_empty()).then(|| Self::Sqlite(file.into()));
        }
        let url = Url::parse(text).ok()?;
        matches!(url.scheme(), "postgres" | "postgresql").then_some(Self::Postgres(url))
    }

    /// The URL in the environment, if there is one.
    ///
    /// # Errors
    ///
    /// It is of no database.
    pub(super) fn of_environment() -> anyhow::Result<Option<Self>> {
        let text = std::env::var_os("DATABASE_URL").filter(|text| !text.is_empty());
        let url = |text: OsString| text.to_str().and_then(Self::parse).context(NO_DATABASE);
        text.map(url).transpose()
    }

    /// Whether other processes reach it, now and later.
    pub(super) fn is_kept(&self) -> bool {
        !matches!(self, Self::Sqlite(file) if file.as_os_str() == ":memory:")
    }

    /// Whether it is one of PostgreSQL.
    pub(super) fn is_postgres(&self) -> bool {
        matches!(self, Self::Postgres(_))
    }

    pub(crate) async fn open(&self) -> anyhow::Result<SqlStore> {
        self.open_within(&Limits::default()).await
    }

    pub(super) async fn open_within(&self, limits: &Limits) -> anyhow::Result<SqlStore> {
        match self {
            Self::Sqlite(file) if file.as_os_str() == ":memory:" => SqlStore::in_memory_within(limits).await,
            Self::Sqlite(file) => SqlStore::open_within(file, limits).await,
            Self::Postgres(url) => SqlStore::connect_within(url.as_str(), limits).await,
        }
    }
}

impl fmt::Debug for DatabaseUrl {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(self, f)
    }
}

/// Where the database is, without credentials.
impl fmt::Display for DatabaseUrl {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Sqlite(file) if file.as_os_str() == ":memory:" => {
                f.write_str("in memory, gone when this ends")
            }
            Self::Sqlite(file) => write!(f, "{}, kept when this ends", file.display()),
            Self::Postgres(url) => {
                let port = url.port().map(|port| format!(":{port}")).unwrap_or_default();
                let (host, name) =
                    (url.host_str().unwrap_or("localhost"), url.path().trim_start_matches('/'));
                write!(f, "`{name}` of PostgreSQL at {host}{port}")
            }
        }
    }
}

/// Does not repeat what it refuses: it may hold a password.
#[derive(Clone)]
pub(super) struct DatabaseUrlParser;

impl TypedValueParser for DatabaseUrlParser {
    type Value = DatabaseUrl;

    fn parse_ref(
        &self,
        command: &clap::Command,
        _: Option<&clap::Arg>,
        value: &OsStr,
    ) -> Result<DatabaseUrl, clap::Error> {
        value.to_str().and_then(DatabaseUrl::parse).ok_or_else(|| {
            let reason = format!("{NO_DATABASE}\n");
            clap::Error::raw(clap::error::ErrorKind::ValueValidation, reason).with_cmd(command)
        })
    }
}

/// Without the URL: it may hold a password.
const NO_DATABASE: &str = "the database URL (`--database-url` or DATABASE_URL) is neither \
                           `postgres://USER:PASSWORD@HOST/NAME` nor `sqlite:FILE`";
