//! A store over tables that are there already: `users` and their `emails`, `teams` and their
//! `memberships`, in columns of their own names. Filters, sorts and cursors become SQL over them.
//!
//! It keeps no audit trail of its own (`keeps_audit`), and tells one that a service has
//! (`Service::with_audit`) all that a store has to: who comes into a team and who goes, and which teams a deleted user left.
//! A change of a team is read, made and replaced, so it costs what the team has of members.
//! The resources of the contract (`scim_core::testkit`) have values, and groups members, that these tables have no place for, so
//! its own tests say what holds: `tests/embed_sql.rs`.
//!
//! `cargo run --example embed_sql` prints a request to try.
use scim_core::auth::{Principal, Secret, StaticTokens};
use scim_core::query::{Place, Query, QuerySupport};
use scim_core::resource::{Group, Member, Meta, MultiValued, Name, User};
use scim_core::schema::{Registry, ResourceType, Schema, builtin};
use scim_core::sort::{SortKey, SortOrder};
use scim_core::store::{Deletion, Page, Scope, StoreError};
use scim_core::{Config, CredentialId, Environment, ExternalId, Resource, ResourceId};
use scim_core::{Service, Store, TenantId, Version, projection::Projection, validate::UniqueKey};
use scim_filter::Number;
use scim_filter::compare::fold;
use scim_filter::sql::{Child, Column, Dialect, Mapping, Sort, SortDirection, Sql, SqlValue};
use sqlx::sqlite::{SqliteArguments, SqliteConnection, SqlitePool, SqlitePoolOptions};
use sqlx::{Arguments as _, AssertSqlSafe, Row as _};
type Done<T = ()> = Result<T, StoreError>;

/// Your tables. What SCIM compares without case has a key beside it, written with `fold`, since
/// databases fold only ASCII, or each in its own way.
const TABLES: &str = "
    CREATE TABLE users (
        id TEXT PRIMARY KEY, account TEXT NOT NULL, login TEXT NOT NULL, login_key TEXT NOT NULL, external_id TEXT,
        given_name TEXT, given_key TEXT, family_name TEXT, family_key TEXT, disabled BOOLEAN NOT NULL,
        created TEXT NOT NULL, modified TEXT NOT NULL, version INTEGER NOT NULL, UNIQUE (account, login_key));
    CREATE TABLE emails (
        user_id TEXT NOT NULL REFERENCES users ON DELETE CASCADE, position INTEGER NOT NULL,
        address TEXT, address_key TEXT, kind TEXT, kind_key TEXT, is_main BOOLEAN, PRIMARY KEY (user_id, position));
    CREATE TABLE teams (
        id TEXT PRIMARY KEY, account TEXT NOT NULL, title TEXT NOT NULL, title_key TEXT NOT NULL, external_id TEXT,
        created TEXT NOT NULL, modified TEXT NOT NULL, version INTEGER NOT NULL);
    CREATE TABLE memberships (
        team_id TEXT NOT NULL REFERENCES teams ON DELETE CASCADE,
        user_id TEXT NOT NULL REFERENCES users ON DELETE CASCADE, PRIMARY KEY (team_id, user_id));
    CREATE INDEX memberships_of_user ON memberships (user_id);
    INSERT INTO users VALUES
        ('u1', 'acme', 'BJensen', 'bjensen', NULL, 'Barbara', 'barbara', 'Jensen', 'jensen', FALSE,
         '2011-05-13T04:42:34.000Z', '2011-05-13T04:42:34.000Z', 1),
        ('u2', 'acme', 'jsmith', 'jsmith', NULL, 'John', 'john', 'Smith', 'smith', TRUE,
         '2012-01-01T00:00:00.000Z', '2012-01-01T00:00:00.000Z', 1);
    INSERT INTO emails VALUES ('u1', 0, 'Barbara@Example.com', 'barbara@example.com', 'work', 'work', TRUE);
";

/// Where the attributes of users are in them. What is not here cannot be filtered or sorted by.
pub(crate) fn users() -> Mapping {
    let emails = Child::new("emails AS e", "e.user_id = t.id")
        .column("value", Column::folded("e.address_key"))
        .column("type", Column::folded("e.kind_key"))
        .column("primary", Column::boolean("e.is_main"))
        .in_order("e.position");
    common()
        .column("userName", Column::folded("t.login_key").not_null())
        .column("name.givenName", Column::folded("t.given_key"))
        .column("name.familyName", Column::folded("t.family_key"))
        .column("active", Column::boolean("NOT t.disabled").not_null())
        .child("emails", emails)
}

pub(crate) fn groups() -> Mapping {
    let members = Child::new("memberships AS m", "m.team_id = t.id");
    common()
        .column("displayName", Column::folded("t.title_key").not_null())
        .child("members", members.column("value", Column::exact("m.user_id").not_null()))
}

fn common() -> Mapping {
    Mapping::new()
        .column("id", Column::exact("t.id").not_null())
        .column("externalId", Column::exact("t.external_id"))
        .column("meta.created", Column::rfc3339("t.created", 3).not_null())
        .column("meta.lastModified", Column::rfc3339("t.modified", 3).not_null())
}

/// The attributes there are columns for; of others the service says that it does not have them.
pub(crate) fn registry() -> anyhow::Result<Registry> {
    let keep = |mut schema: Schema, names: &[&str], subs: &[&str]| {
        schema.attributes.retain(|attribute| names.contains(&attribute.name.as_str()));
        for attribute in &mut schema.attributes {
            attribute.sub_attributes.retain(|sub| subs.contains(&sub.name.as_str()));
        }
        schema
    };
    let subs = ["givenName", "familyName", "value", "type", "primary"];
    let user = keep(builtin::user(), &["userName", "name", "active", "emails"], &subs);
    let group = keep(builtin::group(), &["displayName", "members"], &["value"]);
    let types = [builtin::user_resource_type(), builtin::group_resource_type()];
    let types = types.map(|of| ResourceType { schema_extensions: Vec::new(), ..of });
    Ok(Registry::new(vec![user, group], types.into())?)
}

pub(crate) struct Directory(SqlitePool);

impl Directory {
    pub(crate) async fn open() -> anyhow::Result<Self> {
        // A database in memory lives as long as its one connection.
        let pool = SqlitePoolOptions::new().max_connections(1).idle_timeout(None).max_lifetime(None);
        let pool = pool.connect("sqlite::memory:").await?;
        sqlx::raw_sql(TABLES).execute(&pool).await?;
        Ok(Self(pool))
    }

    /// Creates, or replaces what has the version `expected`.
    async fn write(&self, at: Scope<'_>, resource: &Resource, expected: Option<Version>) -> Done {
        let mut db = self.0.begin_with("BEGIN IMMEDIATE").await.map_err(failure)?;
        match at.schema.name() {
            "User" => write_user(&mut db, at, resource, expected).await?,
            _ => write_group(&mut db, at, resource, expected).await?,
        }
        db.commit().await.map_err(failure)
    }
}

impl Store for Directory {
    async fn create(&self, at: Scope<'_>, resource: &Resource, _: &[UniqueKey]) -> Done {
        self.write(at, resource, None).await
    }

    async fn read(&self, at: Scope<'_>, id: &ResourceId, _: &Projection) -> Done<Option<Resource>> {
        let mut db = self.0.acquire().await.map_err(failure)?;
        load(&mut db, at, id.as_str()).await
    }

    fn query_support(&self) -> QuerySupport {
        QuerySupport::ALL
    }

    async fn query(&self, at: Scope<'_>, query: &Query) -> Done<Page> {
        let (table, mapping) = match at.schema.name() {
            "User" => ("users AS t", users()),
            _ => ("teams AS t", groups()),
        };
        let filter = match &query.filter {
            // `?1` is the account.
            Some(filter) => filter
                .to_sql(&mapping, Dialect::Sqlite, 2)
                .map_err(|error| StoreError::UnsupportedFilter(error.to_string()))?,
            None => Sql { text: "TRUE".to_owned(), values: Vec::new() },
        };
        let mut condition = format!("t.account = ?1 AND {}", filter.text);
        let mut values = vec![SqlValue::Text(at.tenant.as_str().to_owned())];
        values.extend(filter.values);

        let mut db = self.0.begin().await.map_err(failure)?;
        let mut total = None;
        if query.start.asks_total() {
            let text = format!("SELECT count(*) FROM {table} WHERE {condition}");
            let count = sqlx::query_scalar_with(AssertSqlSafe(text), arguments(&values)?);
            let count: i64 = count.fetch_one(&mut *db).await.map_err(failure)?;
            total = usize::try_from(count).ok();
        }

        let (order, after) = order(query, &mapping, values.len() + 1)?;
        if let Some(after) = after {
            condition = format!("{condition} AND {}", after.text);
            values.extend(after.values);
        }
        let limit = query.count.saturating_add(1);
        let skip = i64::try_from(query.start.skip()).unwrap_or(i64::MAX);
        let text = format!(
            "SELECT t.rowid, t.id FROM {table} WHERE {condition} ORDER BY {order} LIMIT {limit} OFFSET {skip}"
        );
        let found = sqlx::query_as_with(AssertSqlSafe(text), arguments(&values)?);
        let found: Vec<(i64, String)> = found.fetch_all(&mut *db).await.map_err(failure)?;
        let mut rows = Vec::new();
        for (row, id) in found {
            let Some(resource) = load(&mut db, at, &id).await? else { continue };
            let place = match &query.sort {
                Some(sort) => sort.place(&resource),
                None => Place::Own(row.to_string().into()),
            };
            rows.push((place, resource));
        }
        Ok(Page::of(query, total, rows, |resource| resource))
    }

    async fn replace(&self, at: Scope<'_>, resource: &Resource, _: &[UniqueKey], expected: Version) -> Done {
        self.write(at, resource, Some(expected)).await
    }

    async fn delete(&self, at: Scope<'_>, id: &ResourceId, deletion: &Deletion<'_>) -> Done {
        let table = if at.schema.name() == "User" { "users" } else { "teams" };
        let text =
            format!("DELETE FROM {table} WHERE account = ?1 AND id = ?2 AND (?3 IS NULL OR version = ?3)");
        let mut db = self.0.begin_with("BEGIN IMMEDIATE").await.map_err(failure)?;
        // Whom a team had is noted before it goes.
        if let Some(deleted) = load(&mut db, at, id.as_str()).await? {
            deletion.note_members(&deleted);
        }
        // Rolled back if there is nobody to delete.
        let left = "UPDATE teams SET version = version + 1, modified = ?3
             WHERE account = ?1 AND id IN (SELECT team_id FROM memberships WHERE user_id = ?2) RETURNING id";
        let query = sqlx::query_scalar(left).bind(at.tenant.as_str()).bind(id.as_str());
        let left: Vec<String> =
            query.bind(deletion.last_modified).fetch_all(&mut *db).await.map_err(failure)?;
        for team in left {
            let mut group = Resource::default();
            group.set_id(&ResourceId::new(team));
            group.set_meta(Meta { resource_type: Some("Group".to_owned()), ..Meta::default() });
            deletion.stamp(&mut group);
        }
        let query = sqlx::query(AssertSqlSafe(text)).bind(at.tenant.as_str()).bind(id.as_str());
        let done = query.bind(deletion.expected.map(number)).execute(&mut *db).await.map_err(failure)?;
        changed_one(&mut db, at, id.as_str(), done.rows_affected()).await?;
        db.commit().await.map_err(failure)
    }
}

/// What stands behind `ORDER BY`, and the condition that a row is behind the place where the page
/// begins. The page before a place is the one behind it in the other direction.
fn order(query: &Query, mapping: &Mapping, first_parameter: usize) -> Done<(String, Option<Sql>)> {
    let backward = query.start.is_backward();
    let Some(sort) = &query.sort else {
        let (direction, operator) = if backward { ("DESC", "<") } else { ("ASC", ">") };
        let after = match query.start.place() {
            None => None,
            Some(Place::Own(row)) => Some(Sql {
                text: format!("t.rowid {operator} ?{first_parameter}"),
                values: vec![SqlValue::Integer(row.parse().map_err(|_| StoreError::UnknownPlace)?)],
            }),
            Some(Place::Sorted(..)) => return Err(StoreError::UnknownPlace),
        };
        return Ok((format!("t.rowid {direction}"), after));
    };
    let direction = match (sort.order(), backward) {
        (SortOrder::Ascending, false) | (SortOrder::Descending, true) => SortDirection::Ascending,
        (SortOrder::Descending, false) | (SortOrder::Ascending, true) => SortDirection::Descending,
    };
    let sort = Sort::by(sort.by(), direction, mapping, &Column::exact("t.id").not_null())
        .map_err(|error| StoreError::UnsupportedSort(error.to_string()))?
        // As the sort keys are.
        .up_to(SortKey::LONGEST as u32);
    let after = match query.start.place() {
        None => None,
        Some(Place::Sorted(key, id)) => {
            let id = SqlValue::Text(id.to_string());
            Some(sort.after(key.as_ref().map(value), id, Dialect::Sqlite, first_parameter))
        }
        Some(Place::Own(_)) => return Err(StoreError::UnknownPlace),
    };
    Ok((sort.order_by(Dialect::Sqlite), after))
}

/// A sort key as the columns hold it.
fn value(key: &SortKey) -> SqlValue {
    match key {
        SortKey::Boolean(value) => SqlValue::Boolean(*value),
        SortKey::Number(Number::Int(value)) => SqlValue::Integer(*value),
        SortKey::Number(Number::UInt(value)) => SqlValue::Float(*value as f64),
        SortKey::Number(Number::Float(value)) => SqlValue::Float(*value),
        SortKey::Text(text) => SqlValue::Text(text.to_string()),
        SortKey::Instant { seconds, fraction } => {
            let time = jiff::Timestamp::from_second(*seconds).unwrap_or_default();
            SqlValue::Text(format!("{}.{fraction:0<3}Z", format!("{time:.0}").trim_end_matches('Z')))
        }
    }
}

fn arguments(values: &[SqlValue]) -> Done<SqliteArguments> {
    let mut arguments = SqliteArguments::default();
    for value in values {
        match value {
            SqlValue::Text(value) => arguments.add(value.clone()),
            SqlValue::Integer(value) => arguments.add(*value),
            SqlValue::Float(value) => arguments.add(*value),
            SqlValue::Boolean(value) => arguments.add(*value),
        }
        .map_err(StoreError::Internal)?;
    }
    Ok(arguments)
}

async fn load(db: &mut SqliteConnection, at: Scope<'_>, id: &str) -> Done<Option<Resource>> {
    let table = if at.schema.name() == "User" { "users" } else { "teams" };
    let text = format!("SELECT * FROM {table} WHERE account = ? AND id = ?");
    let query = sqlx::query(AssertSqlSafe(text)).bind(at.tenant.as_str()).bind(id);
    let Some(row) = query.fetch_optional(&mut *db).await.map_err(failure)? else { return Ok(None) };
    let text = |column: &str| row.try_get::<Option<String>, _>(column).map_err(failure);
    let version: i64 = row.try_get("version").map_err(failure)?;
    let external_id = text("external_id")?.map(ExternalId::new);
    let mut resource: Resource = match table {
        "users" => {
            let query = "SELECT address, kind, is_main FROM emails WHERE user_id = ? ORDER BY position";
            let emails: Vec<(Option<String>, Option<String>, Option<bool>)> =
                sqlx::query_as(query).bind(id).fetch_all(&mut *db).await.map_err(failure)?;
            let email =
                |(value, kind, primary)| MultiValued { value, kind, primary, ..MultiValued::default() };
            let (given_name, family_name) = (text("given_name")?, text("family_name")?);
            let has_name = given_name.is_some() || family_name.is_some();
            let name = has_name.then(|| Name { given_name, family_name, ..Name::default() });
            let active = Some(!row.try_get::<bool, _>("disabled").map_err(failure)?);
            let emails = emails.into_iter().map(email).collect();
            User { external_id, name, active, emails, ..User::new(text("login")?.unwrap_or_default()) }.into()
        }
        _ => {
            let query = "SELECT user_id FROM memberships WHERE team_id = ? ORDER BY rowid";
            let members: Vec<String> =
                sqlx::query_scalar(query).bind(id).fetch_all(&mut *db).await.map_err(failure)?;
            let members = members.into_iter().map(|id| Member::new(ResourceId::new(id))).collect();
            Group { external_id, members, ..Group::new(text("title")?.unwrap_or_default()) }.into()
        }
    };
    resource.set_id(&ResourceId::new(id));
    resource.set_meta(Meta {
        resource_type: Some(at.schema.name().to_owned()),
        created: text("created")?,
        last_modified: text("modified")?,
        version: Some(Version(version.cast_unsigned()).to_string()),
        ..Meta::default()
    });
    Ok(Some(resource))
}

async fn write_user(
    db: &mut SqliteConnection,
    at: Scope<'_>,
    resource: &Resource,
    expected: Option<Version>,
) -> Done {
    let (id, meta) = id_and_meta(resource)?;
    let user = User::try_from(resource.clone()).map_err(internal)?;
    let name = user.name.unwrap_or_default();
    let folded = |text: &Option<String>| text.as_deref().map(|text| fold(text).into_owned());
    let text = match expected {
        None => {
            "INSERT INTO users (account, id, version, created, modified, external_id, login, login_key, given_name,
                 given_key, family_name, family_key, disabled)
             VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10, ?11, ?12, ?13)"
        }
        Some(_) => {
            "UPDATE users SET version = ?3, created = ?4, modified = ?5, external_id = ?6, login = ?7, login_key = ?8,
                 given_name = ?9, given_key = ?10, family_name = ?11, family_key = ?12, disabled = ?13
             WHERE account = ?1 AND id = ?2 AND version = ?14"
        }
    };
    let query = sqlx::query(text).bind(at.tenant.as_str()).bind(id.as_str());
    let query = query.bind(resource.version().map(number)).bind(meta.created).bind(meta.last_modified);
    let query = query.bind(user.external_id.map(|id| id.as_str().to_owned()));
    let query = query.bind(&user.user_name).bind(fold(&user.user_name).into_owned());
    let query = query.bind(&name.given_name).bind(folded(&name.given_name));
    let query = query.bind(&name.family_name).bind(folded(&name.family_name));
    let query = query.bind(user.active == Some(false));
    let query = match expected {
        Some(version) => query.bind(number(version)),
        None => query,
    };
    let done = query.execute(&mut *db).await.map_err(failure)?;
    changed_one(db, at, id.as_str(), done.rows_affected()).await?;

    let query = sqlx::query("DELETE FROM emails WHERE user_id = ?").bind(id.as_str());
    query.execute(&mut *db).await.map_err(failure)?;
    for (position, email) in (0_i64..).zip(user.emails) {
        let query =
            sqlx::query("INSERT INTO emails VALUES (?, ?, ?, ?, ?, ?, ?)").bind(id.as_str()).bind(position);
        let query = query.bind(&email.value).bind(folded(&email.value));
        let query = query.bind(&email.kind).bind(folded(&email.kind)).bind(email.primary);
        query.execute(&mut *db).await.map_err(failure)?;
    }
    Ok(())
}

async fn write_group(
    db: &mut SqliteConnection,
    at: Scope<'_>,
    resource: &Resource,
    expected: Option<Version>,
) -> Done {
    let (id, meta) = id_and_meta(resource)?;
    let group = Group::try_from(resource.clone()).map_err(internal)?;
    let text = match expected {
        None => {
            "INSERT INTO teams (account, id, version, created, modified, external_id, title, title_key)
             VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8)"
        }
        Some(_) => {
            "UPDATE teams SET version = ?3, created = ?4, modified = ?5, external_id = ?6, title = ?7, title_key = ?8
             WHERE account = ?1 AND id = ?2 AND version = ?9"
        }
    };
    let query = sqlx::query(text).bind(at.tenant.as_str()).bind(id.as_str());
    let query = query.bind(resource.version().map(number)).bind(meta.created).bind(meta.last_modified);
    let query = query.bind(group.external_id.map(|id| id.as_str().to_owned()));
    let query = query.bind(&group.display_name).bind(fold(&group.display_name).into_owned());
    let query = match expected {
        Some(version) => query.bind(number(version)),
        None => query,
    };
    let done = query.execute(&mut *db).await.map_err(failure)?;
    changed_one(db, at, id.as_str(), done.rows_affected()).await?;

    let query = sqlx::query("DELETE FROM memberships WHERE team_id = ?").bind(id.as_str());
    query.execute(&mut *db).await.map_err(failure)?;
    for user in group.members.into_iter().filter_map(|member| member.value) {
        let query = sqlx::query("INSERT OR IGNORE INTO memberships VALUES (?, ?)").bind(id.as_str());
        query.bind(user.as_str()).execute(&mut *db).await.map_err(failure)?;
    }
    Ok(())
}

fn id_and_meta(resource: &Resource) -> Done<(ResourceId, Meta)> {
    let id = resource.id().ok_or(StoreError::NotFound)?;
    Ok((id, resource.meta().map_err(internal)?))
}

/// What a write that changed no row means.
async fn changed_one(db: &mut SqliteConnection, at: Scope<'_>, id: &str, rows: u64) -> Done {
    match rows {
        0 if load(db, at, id).await?.is_some() => Err(StoreError::VersionMismatch),
        0 => Err(StoreError::NotFound),
        _ => Ok(()),
    }
}

fn number(version: Version) -> i64 {
    version.0.cast_signed()
}

fn internal(error: impl std::error::Error + Send + Sync + 'static) -> StoreError {
    StoreError::Internal(Box::new(error))
}

fn failure(error: sqlx::Error) -> StoreError {
    match error.as_database_error() {
        Some(violation) if violation.is_unique_violation() => {
            StoreError::Conflict { attribute: "userName".to_owned() }
        }
        _ => internal(error),
    }
}

#[tokio::main]
async fn main() -> anyhow::Result<()> {
    let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await?;
    let mut config = Config::new(format!("http://{}/scim/v2", listener.local_addr()?).parse()?);
    config.registry = registry()?;
    let principal = Principal { tenant: TenantId::new("acme"), credential: CredentialId::new("okta") };
    let tokens = StaticTokens::new().with(Secret::new("s3cr3t")?, principal);
    let env = Environment::new(jiff::Timestamp::now, || ResourceId::new(uuid::Uuid::new_v4().to_string()));
    let url = config.base_url.clone();
    println!(
        "curl -H 'Authorization: Bearer s3cr3t' '{url}/Users?filter=emails%5Btype+eq+%22work%22%5D&sortBy=name.familyName'"
    );
    let scim = Service::new(Directory::open().await?, tokens, config, env);
    Ok(axum::serve(listener, axum::Router::new().fallback_service(scim.into_tower())).await?)
}
