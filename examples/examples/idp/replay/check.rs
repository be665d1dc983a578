//! What a step led to, looked at by this program; no identity provider asks for it.

use serde_json::Value;

use super::cast::Person;
use super::need::Need;
use super::session::{Halt, Session};
use super::target::Target;

/// The source of steps that only look.
pub(crate) const CHECK: &str = "read-back";

/// Reads the user, who must have what is `shown` and no password.
pub(crate) fn shows(
    session: &mut Session<'_>,
    step: &'static str,
    person: &Person,
    shown: Value,
) -> Result<(), Halt> {
    session
        .step(step, CHECK)
        .get(person.path()?)
        .needs(Need::Id(person.id()?.to_owned()))
        .needs(Need::Contains(shown))
        .needs(Need::Lacks("password"))
        .send()?;
    Ok(())
}

/// Reads a user who was deactivated: as `shown`, or gone where that deletes.
pub(crate) fn deactivated(
    session: &mut Session<'_>,
    person: &Person,
    target: &Target,
    shown: Value,
) -> Result<(), Halt> {
    if target.deletes_inactive() {
        session.step("the user is gone", CHECK).get(person.path()?).status(&[404]).send()?;
        return Ok(());
    }
    shows(session, "the user is inactive", person, shown)
}

/// A second group of the name in `group` is refused, where names are distinct.
pub(crate) fn group_name_is_taken(
    session: &mut Session<'_>,
    target: &Target,
    group: Value,
) -> Result<(), Halt> {
    if target.has_distinct_group_names() {
        session
            .step("create a group of the same name", CHECK)
            .post("/Groups", group)
            .status(&target.duplicate())
            .needs(Need::Uniqueness)
            .send()?;
    }
    Ok(())
}
