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
    pub(crate) fn is_kept(&self) -> bool {
        !matches!(self, Self::Sqlite(file) if file.as_os_str() == ":memory:")
    }

    /// Whether it is one of PostgreSQL.
    pub(super) fn is_postgres(&self) -> bool {
        matches!(self, Self::Postgres(_))
    }

    /// How it is named on a command line.
    ///
    /// # Errors
    ///
    /// There is no working directory that a file could be in.
    pub(crate) fn shown(&self) -> anyhow::Result<Shown> {
        Ok(match self {
            Self::Sqlite(file) => {
                let file = std::path::absolute(file).context("cannot tell where the database is")?;
                let option = format!("--database {}", shell_word(&file.to_string_lossy()));
                Shown { option, has_password: false }
            }
            Self::Postgres(url) => {
                let (url, has_password) = without_password(url.clone());
                Shown { option: format!("--database-url {}", shell_word(url.as_str())), has_password }
            }
        })
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

/// A database on a command line.
pub(crate) struct Shown {
    /// The option, as a shell takes it.
    pub(crate) option: String,
    /// Whether a password was left out.
    pub(crate) has_password: bool,
}

/// The URL without its password, and whether it had one.
fn without_password(mut url: Url) -> (Url, bool) {
    let is_password = |name: &str| name == "password";
    let in_query = url.query_pairs().any(|(name, _)| is_password(&name));
    let has_password = url.password().is_some() || in_query;
    if in_query {
        let rest: Vec<(String, String)> = url.query_pairs().into_owned().collect();
        let rest = rest.into_iter().filter(|(name, _)| !is_password(name));
        url.query_pairs_mut().clear().extend_pairs(rest);
    }
    // A URL that can have no password has none.
    let _ = url.set_password(None);
    (url, has_password)
}

/// `text` as one word of a POSIX shell.
pub(crate) fn shell_word(text: &str) -> String {
    let is_plain = |c: char| c.is_ascii_alphanumeric() || "_@%+=:,./-".contains(c);
    if !text.is_empty() && text.chars().all(is_plain) {
        return text.to_owned();
    }
    format!("'{}'", text.replace('\'', "'\\''"))
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

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_shown_is_typed_and_has_no_password() {
        let shown = |url: &str| DatabaseUrl::parse(url).unwrap().shown().unwrap();
        for (url, option, has_password) in [
            ("sqlite:/var/scim.db", "--database /var/scim.db", false),
            ("sqlite:/my files/it's.db", r"--database '/my files/it'\''s.db'", false),
            ("postgres://scim:pa55@db:6432/scim", "--database-url postgres://scim@db:6432/scim", true),
            (
                "postgres://db/scim?sslmode=require",
                "--database-url 'postgres://db/scim?sslmode=require'",
                false,
            ),
            (
                "postgres://scim@db/scim?password=pa55&sslmode=require",
                "--database-url 'postgres://scim@db/scim?sslmode=require'",
                true,
            ),
        ] {
            let shown = shown(url);
            assert_eq!((shown.option.as_str(), shown.has_password), (option, has_password), "{url}");
            assert!(!shown.option.contains("pa55"));
        }
        let relative = shown("sqlite:scim.db").option;
        let folder = std::env::current_dir().unwrap();
        assert_eq!(relative, format!("--database {}", shell_word(folder.join("scim.db").to_str().unwrap())));
        assert_eq!(shell_word(""), "''");
    }
}
