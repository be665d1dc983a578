//! The databases of the SQL tests: SQLite in memory, and PostgreSQL where it is installed.

#![allow(dead_code, reason = "each test uses a part")]
#![allow(
    clippy::unwrap_used,
    reason = "a test that cannot start its database fails; in unit tests nothing to expect"
)]

pub(crate) mod proxy;

use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::time::Duration;

use scim_filter::sql::{Sql, SqlValue};
use sqlx::{AssertSqlSafe, Connection, PgConnection, SqliteConnection};

pub(crate) async fn sqlite() -> SqliteConnection {
    SqliteConnection::connect("sqlite::memory:").await.unwrap()
}

/// The rows of `text`, which has the parameters of `sql`: a number each, and an answer.
pub(crate) async fn sqlite_rows(
    db: &mut SqliteConnection,
    text: String,
    sql: &Sql,
) -> sqlx::Result<Vec<(i64, Option<bool>)>> {
    let mut query = sqlx::query_as(AssertSqlSafe(text));
    for value in sql.values.clone() {
        query = match value {
            SqlValue::Text(value) => query.bind(value),
            SqlValue::Integer(value) => query.bind(value),
            SqlValue::Float(value) => query.bind(value),
            SqlValue::Boolean(value) => query.bind(value),
        };
    }
    query.fetch_all(db).await
}

/// The same of PostgreSQL.
pub(crate) async fn postgres_rows(
    db: &mut PgConnection,
    text: String,
    sql: &Sql,
) -> sqlx::Result<Vec<(i64, Option<bool>)>> {
    let mut query = sqlx::query_as(AssertSqlSafe(text)).persistent(false);
    for value in sql.values.clone() {
        query = match value {
            SqlValue::Text(value) => query.bind(value),
            SqlValue::Integer(value) => query.bind(value),
            SqlValue::Float(value) => query.bind(value),
            SqlValue::Boolean(value) => query.bind(value),
        };
    }
    query.fetch_all(db).await
}

/// A server of the test's own, in a temporary folder, reached through a socket there.
pub(crate) struct Postgres {
    server: Child,
    programs: PathBuf,
    user: Option<(u32, u32)>,
    folder: tempfile::TempDir,
    port: u16,
    settings: Vec<String>,
}

impl Postgres {
    /// `None`, and a printed line, where PostgreSQL is not installed.
    pub(crate) fn start() -> Option<Self> {
        let Some(programs) = programs() else {
            skipped("no PostgreSQL is installed (`initdb` is not found)");
            return None;
        };
        let folder = tempfile::tempdir().unwrap();
        let user = unprivileged(folder.path());
        let run = |arguments: &[&str]| command(&programs, folder.path(), user, "initdb", arguments).status();
        let data = folder.path().join("data");
        let data = data.to_str().unwrap();
        let common = ["-D", data, "-U", "scim", "-A", "trust", "-E", "UTF8", "--no-sync"];
        // A default order that is not that of code points, where the build knows one.
        let icu =
            [&common[..], &["--locale=C.UTF-8", "--locale-provider=icu", "--icu-locale=en-US"]].concat();
        let plain = [&common[..], &["--locale=C"]].concat();
        if !run(&icu).unwrap().success() {
            let _ = std::fs::remove_dir_all(data);
            assert!(run(&plain).unwrap().success(), "`initdb` failed");
        }
        let (port, settings) = (5432, vec!["listen_addresses=".to_owned()]);
        let server = serve(&programs, folder.path(), user, port, &settings);
        Some(Self { server, programs, user, folder, port, settings })
    }

    /// Starts it again with TLS, also reached at a port of `localhost`, which is returned. The
    /// certificate is for that name, signed by that of `ca.crt` in the folder, which is returned too.
    /// `None`, and a printed line, where `openssl` is not installed.
    pub(crate) fn secure(&mut self) -> Option<(u16, PathBuf)> {
        let folder = self.folder.path();
        let run = |line: &str| {
            let output = Command::new("openssl").args(line.split(' ')).current_dir(folder).output();
            output.is_ok_and(|output| output.status.success())
        };
        if !run("version") {
            skipped("`openssl` is not installed");
            return None;
        }
        std::fs::write(folder.join("names"), "subjectAltName=DNS:localhost").unwrap();
        let key = "-newkey rsa:2048 -nodes";
        assert!(run(&format!("req -x509 {key} -keyout ca.key -out ca.crt -days 2 -subj /CN=authority")));
        assert!(run(&format!("req {key} -keyout server.key -out server.csr -subj /CN=localhost")));
        let sign = "x509 -req -in server.csr -CA ca.crt -CAkey ca.key -set_serial 1 -days 2";
        assert!(run(&format!("{sign} -extfile names -out server.crt")));
        for file in ["server.key", "server.crt"] {
            use std::os::unix::fs::PermissionsExt as _;
            let file = folder.join(file);
            std::fs::set_permissions(&file, std::fs::Permissions::from_mode(0o600)).unwrap();
            if let Some((uid, gid)) = self.user {
                std::os::unix::fs::chown(&file, Some(uid), Some(gid)).unwrap();
            }
        }
        self.port = std::net::TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap().port();
        let file = |name: &str| folder.join(name).to_str().unwrap().to_owned();
        self.settings = vec![
            "listen_addresses=localhost".to_owned(),
            "ssl=on".to_owned(),
            format!("ssl_cert_file={}", file("server.crt")),
            format!("ssl_key_file={}", file("server.key")),
        ];
        let authority = folder.join("ca.crt");
        self.interrupt();
        self.restart();
        Some((self.port, authority))
    }

    pub(crate) async fn connect(&self) -> PgConnection {
        let options = sqlx::postgres::PgConnectOptions::new_without_pgpass()
            .socket(self.folder.path())
            .port(self.port)
            .username("scim")
            .database("postgres")
            // As the documentation of `scim_filter::sql` says.
            .options([("jit", "off")]);
        loop {
            match PgConnection::connect_with(&options).await {
                Ok(connection) => return connection,
                // However long it takes to start or to recover.
                Err(error) => {
                    assert!(self.is_running(), "{error}");
                    tokio::time::sleep(Duration::from_millis(50)).await;
                }
            }
        }
    }

    /// The URL of the database `name`, which is made.
    pub(crate) async fn database(&self, name: &str) -> String {
        let mut connection = self.connect().await;
        let create = AssertSqlSafe(format!("CREATE DATABASE {name}"));
        sqlx::raw_sql(create).execute(&mut connection).await.unwrap();
        self.url(name)
    }

    /// The URL of the database `name`.
    pub(crate) fn url(&self, name: &str) -> String {
        let folder: String =
            url::form_urlencoded::byte_serialize(self.folder.path().to_str().unwrap().as_bytes()).collect();
        format!("postgres://scim@localhost:{}/{name}?host={folder}", self.port)
    }

    /// The same behind a network of one's own.
    pub(crate) async fn behind_proxy(&self, name: &str) -> (proxy::Proxy, String) {
        let socket = self.folder.path().join(format!(".s.PGSQL.{}", self.port));
        let proxy = proxy::Proxy::to(socket).await;
        let url = format!("postgres://scim@127.0.0.1:{}/{name}?sslmode=disable", proxy.port);
        (proxy, url)
    }

    /// Stops the server and each of its processes, which then answer nothing, until they are continued.
    pub(crate) fn freeze(&self) -> Frozen {
        let processes = [vec![self.server.id()], self.children()].concat();
        processes.iter().for_each(|process| signal("-STOP", *process));
        Frozen(processes)
    }

    fn children(&self) -> Vec<u32> {
        let server = self.server.id();
        let children = std::fs::read_dir("/proc").into_iter().flatten().flatten().filter_map(|entry| {
            let id: u32 = entry.file_name().to_str()?.parse().ok()?;
            let stat = std::fs::read_to_string(entry.path().join("stat")).ok()?;
            // `ID (NAME) STATE PARENT …`
            let parent = stat.rsplit_once(')')?.1.split_whitespace().nth(1)?;
            (parent == server.to_string()).then_some(id)
        });
        children.collect()
    }

    /// `SIGKILL` to the server and each of its processes: no chance to write anything more.
    pub(crate) fn kill(&mut self) {
        let children = self.children();
        self.server.kill().unwrap();
        children.into_iter().for_each(|child| signal("-KILL", child));
        let _ = self.server.wait();
        // As after the machine itself was started again; what is left of a server that is gone
        // would have clients try again and again.
        let _ = std::fs::remove_file(self.folder.path().join(format!(".s.PGSQL.{}", self.port)));
    }

    /// Starts it again after it was killed.
    pub(crate) fn restart(&mut self) {
        self.server = serve(&self.programs, self.folder.path(), self.user, self.port, &self.settings);
    }

    /// Starts it again if it has ended: it does so where a process of the one that was killed still has the memory
    /// that they share. Says whether it had.
    pub(crate) fn keep_running(&mut self) -> bool {
        let has_ended = matches!(self.server.try_wait(), Ok(Some(_)));
        if has_ended {
            self.restart();
        }
        has_ended
    }

    /// Whether the server has not ended.
    pub(crate) fn is_running(&self) -> bool {
        let stat = std::fs::read_to_string(format!("/proc/{}/stat", self.server.id()));
        // `ID (NAME) STATE …`, which is `Z` once it has ended.
        !stat.is_ok_and(|stat| {
            stat.rsplit_once(')').is_some_and(|(_, rest)| rest.trim_start().starts_with('Z'))
        })
    }

    /// An interrupt lets the server end its own processes.
    fn interrupt(&mut self) {
        signal("-INT", self.server.id());
        let _ = self.server.wait();
    }
}

/// Says that a test is skipped for what is not there, or fails where all has to be.
fn skipped(why: &str) {
    assert!(std::env::var_os("SCIM_REQUIRE_POSTGRES").is_none(), "SCIM_REQUIRE_POSTGRES is set, and {why}");
    println!("skipped: {why}");
}

/// A server whose processes are stopped, until this is dropped.
pub(crate) struct Frozen(Vec<u32>);

impl Drop for Frozen {
    fn drop(&mut self) {
        self.0.iter().for_each(|process| signal("-CONT", *process));
    }
}

pub(crate) fn signal(name: &str, process: u32) {
    let _ = Command::new("kill").args([name, &process.to_string()]).stderr(Stdio::null()).status();
}

impl Drop for Postgres {
    fn drop(&mut self) {
        self.interrupt();
    }
}

fn serve(programs: &Path, folder: &Path, user: Option<(u32, u32)>, port: u16, settings: &[String]) -> Child {
    let (data, socket) = (folder.join("data"), folder.to_str().unwrap());
    let (data, port) = (data.to_str().unwrap(), port.to_string());
    let mut arguments = vec!["-D", data, "-k", socket, "-p", &port, "-c", "fsync=off"];
    arguments.extend(settings.iter().flat_map(|setting| ["-c", setting]));
    command(programs, folder, user, "postgres", &arguments).spawn().unwrap()
}

fn command(
    programs: &Path,
    folder: &Path,
    user: Option<(u32, u32)>,
    program: &str,
    arguments: &[&str],
) -> Command {
    let mut command = Command::new(programs.join(program));
    command.args(arguments).current_dir(folder).stdout(Stdio::null()).stderr(Stdio::null());
    if let Some((uid, gid)) = user {
        use std::os::unix::process::CommandExt;
        command.uid(uid).gid(gid);
    }
    command
}

/// The folder of `initdb`: on the path, or where Debian has it.
fn programs() -> Option<PathBuf> {
    let path = std::env::var_os("PATH").unwrap_or_default();
    let versions = std::fs::read_dir("/usr/lib/postgresql").into_iter().flatten().flatten();
    versions
        .map(|version| version.path().join("bin"))
        .chain(std::env::split_paths(&path))
        .find(|folder| folder.join("initdb").exists() && folder.join("postgres").exists())
}

/// PostgreSQL does not run as root; another user and group then own the folder and run it.
fn unprivileged(folder: &Path) -> Option<(u32, u32)> {
    let id = |arguments: &[&str]| -> Option<u32> {
        let output = Command::new("id").args(arguments).output().ok()?;
        String::from_utf8(output.stdout).ok()?.trim().parse().ok()
    };
    if id(&["-u"]) != Some(0) {
        return None;
    }
    let user =
        ["postgres", "nobody"].into_iter().find_map(|user| Some((id(&["-u", user])?, id(&["-g", user])?)));
    let (uid, gid) = user.unwrap();
    std::os::unix::fs::chown(folder, Some(uid), Some(gid)).unwrap();
    Some((uid, gid))
}
