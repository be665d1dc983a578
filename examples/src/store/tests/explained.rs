//! Databases with many rows or with none that they were told of, and how they do a statement.

use super::*;

/// A database with tens of thousands of rows in each table.
pub(super) struct Explained {
    pub(super) store: SqlStore,
    // Where the store is; it ends with this.
    pub(super) _place: (Option<tempfile::TempDir>, Option<Postgres>),
}

/// What a statement is planned for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Planned {
    /// For whatever values it has, as a look-up is. In SQLite by a connection that reads at once.
    Once,
    /// For the values it has, as PostgreSQL does where that pays. In SQLite by a connection of the pool.
    EachTime,
}

impl Explained {
    /// SQLite without statistics, as the store leaves it, and with them; PostgreSQL makes them itself.
    pub(super) async fn all() -> Vec<Self> {
        // To load them takes its time.
        let limits = Limits { statement: Duration::from_secs(3600), ..Limits::default() };
        let mut all = Vec::new();
        for statistics in [false, true] {
            let folder = tempfile::tempdir().unwrap();
            let store = SqlStore::open_within(&folder.path().join("scim.db"), &limits).await.unwrap();
            all.push(Self::new(store, statistics, (Some(folder), None)).await);
        }
        if let Some(server) = Postgres::start() {
            let url = server.database("explained").await;
            let store = SqlStore::connect_within(&url, &limits).await.unwrap();
            all.push(Self::new(store, true, (None, Some(server))).await);
        }
        all
    }

    /// PostgreSQL as it is after a load, until it makes statistics by itself.
    pub(super) async fn of_postgres_without_statistics() -> Option<Self> {
        let server = Postgres::start()?;
        let limits = Limits { statement: Duration::from_secs(3600), ..Limits::default() };
        let url = server.database("loaded").await;
        let store = SqlStore::connect_within(&url, &limits).await.unwrap();
        Some(Self::new(store, false, (None, Some(server))).await)
    }

    /// Databases that were never told how many rows there are.
    pub(super) async fn empty() -> Vec<Self> {
        let folder = tempfile::tempdir().unwrap();
        let store = SqlStore::open(&folder.path().join("scim.db")).await.unwrap();
        let mut empty = vec![Self { store, _place: (Some(folder), None) }];
        if let Some(server) = Postgres::start() {
            let store = SqlStore::connect(&server.database("empty").await).await.unwrap();
            empty.push(Self { store, _place: (None, Some(server)) });
        }
        empty
    }

    pub(super) async fn new(
        store: SqlStore,
        statistics: bool,
        place: (Option<tempfile::TempDir>, Option<Postgres>),
    ) -> Self {
        let mut tx = store.database.write().await.unwrap();
        let dialect = tx.dialect();
        let mut statements = load::users(dialect, 20_000);
        statements.extend(load::group(dialect, "all", 1, 20_000));
        (2..300)
            .for_each(|number| statements.extend(load::group(dialect, &format!("g{number}"), number, 10)));
        // Enough users are without an `externalId` that the planner takes a page of them for a part, however
        // its sample of the rows comes out: of few it would rather sort all.
        statements.push(
            "DELETE FROM resource_keys WHERE attribute = 'externalId' AND CAST(substr(id, 2) AS INTEGER) % 2 = 0"
                .to_owned(),
        );
        // A licence that one in a hundred has.
        statements.push(format!(
            "INSERT INTO resource_keys (tenant, type, attribute, value, id, claimed, claim) \
             SELECT tenant, type, 'entitlements', 'gold', id, FALSE, '' FROM resources \
             WHERE tenant = '{}' AND type = 'User' AND seq % 100 = 1",
            load::TENANT
        ));
        if statistics {
            statements.push("ANALYZE".to_owned());
        }
        for statement in statements {
            Statement::new(statement).execute(&mut tx).await.unwrap();
        }
        tx.commit().await.unwrap();
        Self { store, _place: place }
    }

    pub(super) fn dialect(&self) -> Dialect {
        self.store.database.dialect()
    }

    /// What a request may make of a list: the statements of its total, of what is told at once if it is, and of
    /// each part.
    pub(super) fn statements(&self, schema: &ResourceSchema, sql: &Sql, query: &Query) -> Vec<Statement> {
        let tenant = TenantId::new(load::TENANT);
        let scope = Scope { tenant: &tenant, schema };
        let order = Order::of(schema, query.sort.as_ref(), self.dialect()).unwrap().unwrap();
        let mut walk = Walk::new(&order, query).unwrap();
        let mut statements = vec![order::count(scope, sql, self.dialect())];
        if let Some(wanted) = query::told_at_once(query, sql, &walk) {
            statements.push(walk.step().unwrap().read(scope, sql, self.dialect(), wanted));
        }
        while let Some(step) = walk.step() {
            let wanted = Wanted { most: 101, ..Wanted::default() };
            statements.extend(step.read_near(scope, sql, wanted));
            statements.push(step.read(scope, sql, self.dialect(), wanted));
            walk.next_part();
        }
        statements
    }

    /// How the statement is done.
    pub(super) async fn plans(&self, statement: &Statement, planned: &[Planned]) -> Vec<Vec<String>> {
        let mut plans = Vec::new();
        for planned in planned {
            plans.push(match &self.store.database {
                Database::Sqlite { direct, .. } => {
                    let (text, values) = statement.parts();
                    let text = format!("EXPLAIN QUERY PLAN {text}");
                    let rows: Vec<(i64, i64, i64, String)> = match planned {
                        Planned::Once => direct.as_ref().unwrap().rows(&text, values).unwrap(),
                        Planned::EachTime => self.told(Statement::new(text).values(values)).await,
                    };
                    rows.into_iter().map(|(.., step)| step).collect()
                }
                Database::Postgres(..) => {
                    let rows: Vec<(String,)> = self.told_by_postgres(statement, *planned).await;
                    rows.into_iter().map(|(step,)| step).collect()
                }
            });
        }
        plans
    }

    pub(super) async fn told_by_postgres(&self, statement: &Statement, planned: Planned) -> Vec<(String,)> {
        let (text, values) = statement.parts();
        if planned == Planned::EachTime {
            return self.told(Statement::new(format!("EXPLAIN {text}")).values(values)).await;
        }
        let mut tx = self.store.database.read().await.unwrap();
        let nulls = vec!["NULL"; values.len()].join(", ");
        for text in [
            format!("PREPARE planned AS {}", statement.for_postgres()),
            "SET LOCAL plan_cache_mode = force_generic_plan".to_owned(),
        ] {
            Statement::new(text).execute(&mut tx).await.unwrap();
        }
        let rows = Statement::new(format!("EXPLAIN EXECUTE planned ({nulls})")).rows(&mut tx).await.unwrap();
        Statement::new("DEALLOCATE planned").execute(&mut tx).await.unwrap();
        rows
    }

    /// The rows that a connection of the pool gives.
    pub(super) async fn told<T: database::Record>(&self, statement: Statement) -> Vec<T> {
        statement.rows(&mut self.store.database.read().await.unwrap()).await.unwrap()
    }
}

/// Whether a plan walks through a table; what is made of the row at hand is none.
pub(super) fn walks_through(plan: &[String]) -> bool {
    plan.iter().any(|step| {
        let of_row = step.contains("SCAN CONSTANT ROW") || step.contains("SCAN scim_e VIRTUAL");
        (step.contains("SCAN") && !of_row) || step.contains("Seq Scan")
    })
}

/// Whether a plan looks at all resources of a type, or at all values of an attribute.
pub(super) fn walks_the_type(plan: &[String]) -> bool {
    let of_many = |column: &str| ["tenant", "type", "attribute"].contains(&column);
    plan.iter().any(|step| {
        let columns: Vec<&str> = match (step.contains("SEARCH"), step.split_once("Index Cond: ")) {
            (true, _) => step.rsplit_once('(').unwrap().1.split(" AND ").collect(),
            (false, Some((_, conditions))) => conditions.split(" AND ").collect(),
            (false, None) => return false,
        };
        let name = |column: &&str| {
            let column = column.trim_start_matches('(');
            of_many(column.split(|c: char| !c.is_ascii_alphabetic()).next().unwrap_or_default())
        };
        columns.iter().all(name)
    })
}
