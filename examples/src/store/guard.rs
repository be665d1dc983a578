//! The ledger of the guards: rows of `guards` and `guard_charges`, which all servers of a database share.

use jiff::Timestamp;
use scim_core::TenantId;
use scim_core::store::StoreError;
use scim_filter::sql::Dialect;
use scim_profiles::guard::{Charge, Charged, Clock, GuardLedger, Hold, Lift, Noted};

use super::audit::number;
use super::database::{Statement, Tx, retrying};
use super::{SqlStore, internal};

impl GuardLedger for SqlStore {
    async fn charge(
        &self,
        tenant: &TenantId,
        now: Timestamp,
        charges: &[Charge],
    ) -> Result<Charged, StoreError> {
        retrying(|| self.charge_once(tenant, now, charges)).await
    }

    async fn release(
        &self,
        tenant: &TenantId,
        then: Timestamp,
        charges: &[Charge],
    ) -> Result<(), StoreError> {
        let release = async || {
            let mut tx = self.database.write().await?;
            for charge in charges {
                Statement::new(
                    "UPDATE guard_charges SET amount = CASE WHEN amount > ?4 THEN amount - ?4 ELSE 0 END \
                     WHERE tenant = ?1 AND noted = ?2 AND step = ?3",
                )
                .text(tenant.as_str())
                .text(&*charge.key)
                .number(number(charge.step(then)))
                .number(signed(charge.amount))
                .execute(&mut tx)
                .await?;
            }
            tx.commit().await
        };
        retrying(release).await
    }

    async fn lift(&self, tenant: &TenantId, lift: Option<Lift>) -> Result<(), StoreError> {
        let (until, protection) = lift.map_or((0, false), |lift| (number(lift.until), lift.protection));
        let write = async || {
            let mut tx = self.database.write().await?;
            Statement::new(
                "INSERT INTO guards (tenant, lifted_until, lifts_protection) VALUES (?1, ?2, ?3) \
                 ON CONFLICT (tenant) DO UPDATE SET lifted_until = excluded.lifted_until, \
                 lifts_protection = excluded.lifts_protection",
            )
            .text(tenant.as_str())
            .number(until)
            .flag(protection)
            .execute(&mut tx)
            .await?;
            tx.commit().await
        };
        retrying(write).await
    }

    async fn lifted(&self, tenant: &TenantId) -> Result<Option<Lift>, StoreError> {
        let select = Statement::new(
            "SELECT lifted_until, lifts_protection FROM guards WHERE tenant = ?1 AND lifted_until <> 0",
        );
        let row: Option<(i64, bool)> =
            select.text(tenant.as_str()).row(&mut self.database.once().await?).await?;
        row.map(|(until, protection)| Ok(Lift { until: time(until)?, protection })).transpose()
    }

    async fn hold(&self, tenant: &TenantId, keys: &[Box<str>], now: &Clock) -> Result<Hold, StoreError> {
        self.hold_keys(tenant, keys, now).await
    }
}

impl SqlStore {
    /// What is noted of a tenant and counts at `now`: of what, and how many.
    ///
    /// # Errors
    ///
    /// The database does not answer.
    pub async fn guard_charges(
        &self,
        tenant: &TenantId,
        now: Timestamp,
    ) -> Result<Vec<(String, u64)>, StoreError> {
        let rows: Vec<(String, i64)> = Statement::new(
            "SELECT noted, CAST(sum(amount) AS BIGINT) FROM guard_charges \
             WHERE tenant = ?1 AND ends > ?2 AND amount > 0 GROUP BY noted ORDER BY noted",
        )
        .text(tenant.as_str())
        .number(number(now))
        .rows(&mut self.database.once().await?)
        .await?;
        Ok(rows.into_iter().map(|(noted, amount)| (noted, amount.unsigned_abs())).collect())
    }

    async fn charge_once(
        &self,
        tenant: &TenantId,
        now: Timestamp,
        charges: &[Charge],
    ) -> Result<Charged, StoreError> {
        let mut tx = self.database.write().await?;
        Statement::new(
            "INSERT INTO guards (tenant, lifted_until, lifts_protection) VALUES (?1, 0, ?2) \
             ON CONFLICT (tenant) DO UPDATE SET tenant = excluded.tenant",
        )
        .text(tenant.as_str())
        .flag(false)
        .execute(&mut tx)
        .await?;
        let mut all = Vec::with_capacity(charges.len());
        for charge in charges {
            all.push(noted(&mut tx, tenant, charge, now).await?);
        }
        let mut of_charge = all.iter();
        let charged =
            Charged::judge(now, charges, |_| of_charge.next().map(Vec::as_slice).unwrap_or_default());
        let wanted: Vec<Charge> = match charged {
            Charged::Noted => charges.to_vec(),
            Charged::Refused(..) => charges.iter().filter_map(Charge::measure).collect(),
            Charged::Unmeasured(_) => Vec::new(),
        };
        if wanted.is_empty() {
            tx.rollback().await?;
            return Ok(charged);
        }
        throw_away(tenant, now, tx.dialect()).execute(&mut tx).await?;
        for charge in &wanted {
            note(&mut tx, tenant, charge, now).await?;
        }
        tx.commit().await?;
        Ok(charged)
    }
}

/// What counts for `charge` at `now`, the oldest first.
async fn noted(
    tx: &mut Tx,
    tenant: &TenantId,
    charge: &Charge,
    now: Timestamp,
) -> Result<Vec<Noted>, StoreError> {
    let rows: Vec<(i64, i64, i64)> = select(tenant, charge, now).rows(tx).await?;
    let noted = |(step, amount, population): (i64, i64, i64)| {
        let population = u64::try_from(population).ok();
        Ok(Noted { step: time(step)?, amount: amount.unsigned_abs(), population })
    };
    rows.into_iter().map(noted).collect()
}

pub(super) fn select(tenant: &TenantId, charge: &Charge, now: Timestamp) -> Statement {
    Statement::new(
        "SELECT step, amount, population FROM guard_charges \
         WHERE tenant = ?1 AND noted = ?2 AND step >= ?3 ORDER BY step",
    )
    .text(tenant.as_str())
    .text(&*charge.key)
    .number(number(charge.since(now)))
}

/// Throws the oldest of what counts no more away: of however much there may be, more than a change adds.
pub(super) fn throw_away(tenant: &TenantId, now: Timestamp, dialect: Dialect) -> Statement {
    let (row, among) = match dialect {
        Dialect::Sqlite => ("rowid", "IN (SELECT"),
        Dialect::Postgres => ("ctid", "= ANY (ARRAY(SELECT"),
    };
    let end = if dialect == Dialect::Postgres { "))" } else { ")" };
    Statement::new(format!(
        "DELETE FROM guard_charges WHERE {row} {among} {row} FROM guard_charges \
         WHERE tenant = ?1 AND ends <= ?2 ORDER BY ends LIMIT {MOST_THROWN_AWAY}{end}"
    ))
    .text(tenant.as_str())
    .number(number(now))
}

async fn note(tx: &mut Tx, tenant: &TenantId, charge: &Charge, now: Timestamp) -> Result<(), StoreError> {
    Statement::new(
        "INSERT INTO guard_charges (tenant, noted, step, ends, amount, population) \
         VALUES (?1, ?2, ?3, ?4, ?5, ?6) ON CONFLICT (tenant, noted, step) DO UPDATE SET \
         ends = CASE WHEN excluded.ends > guard_charges.ends THEN excluded.ends ELSE guard_charges.ends END, \
         amount = guard_charges.amount + excluded.amount, \
         population = CASE WHEN excluded.population > guard_charges.population \
         THEN excluded.population ELSE guard_charges.population END",
    )
    .text(tenant.as_str())
    .text(&*charge.key)
    .number(number(charge.step(now)))
    .number(number(charge.end(now)))
    .number(signed(charge.amount))
    .number(charge.population.map_or(-1, signed))
    .execute(tx)
    .await?;
    Ok(())
}

fn time(nanoseconds: i64) -> Result<Timestamp, StoreError> {
    Timestamp::from_nanosecond(nanoseconds.into()).map_err(|_| internal("a guard of no time there is"))
}

/// How many rows that count no more a charge throws away.
pub(super) const MOST_THROWN_AWAY: u32 = 256;

/// No number of people is larger than that.
fn signed(number: u64) -> i64 {
    i64::try_from(number).unwrap_or(i64::MAX)
}
