//! What the bridge itself takes away, held up by guards.

use std::time::Duration;

use jiff::{SignedDuration, Timestamp};
use scim_core::TenantId;
use scim_profiles::guard::{Ceiling, GuardLedger as _, Guards, Lift, MemoryLedger, Protected};
use scim_profiles::pagerduty::TeamRole;
use scim_profiles::pagerduty::teams::{
    Deletion, DesiredGroup, MemberOutcome, Mode, Problem, Report, TeamConfig, TeamOptions, TeamOutcome,
    TeamState, TeamSync,
};

use crate::model::{Membership, PagerDuty};
use crate::run::{Fault, clock, ready, run_sync, with};

/// An account with people, and runs one after the other on one ledger.
struct World {
    model: PagerDuty,
    state: TeamState,
    ledger: MemoryLedger,
    now: Duration,
    lift: Option<Lift>,
    /// The SCIM users who are protected by what the bridge does not remember.
    protected: Vec<String>,
}

impl World {
    fn new() -> Self {
        let people = (0..20)
            .fold(PagerDuty::new(), |model, number| model.with_user(&format!("PU{number}"), &email(number)));
        Self {
            model: people,
            state: TeamState::default(),
            ledger: MemoryLedger::new(),
            // As the clock of the runs against the model.
            now: Duration::from_secs(1_000),
            lift: None,
            protected: Vec::new(),
        }
    }

    fn run(&mut self, config: &TeamConfig, groups: &[DesiredGroup]) -> Report {
        let sync = TeamSync::new(config.clone(), groups.to_vec(), self.state.clone())
            .with_lift(self.lift)
            .with_protected_users(self.protected.clone());
        let Self { model, state, ledger, .. } = self;
        model.log.clear();
        run_sync(sync, (model, config, state), ledger, || Fault::None, |_, _, _| {}).unwrap()
    }

    fn members(&self, team: &str) -> usize {
        self.model.team_named(team).map_or(0, |(_, team)| team.members.len())
    }
}

fn email(number: usize) -> String {
    format!("user{number}@example.com")
}

fn group(id: &str, name: &str, members: std::ops::Range<usize>) -> DesiredGroup {
    members.fold(DesiredGroup::new(id, name), |group, number| {
        group.with_member(format!("s{number}"), email(number))
    })
}

fn day() -> Ceiling {
    Ceiling::within(SignedDuration::from_hours(24)).unwrap()
}

fn guarded(guards: Guards, change: impl FnOnce(&mut TeamOptions)) -> TeamConfig {
    with(change).with_guards(guards.with_remedy("Ann can lift that", "Bo can lift that"))
}

fn told(report: &Report) -> Vec<&str> {
    let refusals = report.problems().filter_map(|problem| match problem {
        Problem::Guarded(refusal) => Some(refusal.rule),
        _ => None,
    });
    refusals.collect()
}

#[test]
pub(crate) fn a_group_that_is_emptied_by_mistake_does_not_empty_its_team() {
    let mut world = World::new();
    let config = guarded(Guards::new().with_member_removals(day().with_count(3)), |_| {});
    world.run(&config, &[group("g1", "Ops", 0..10), group("g2", "Dev", 0..5)]);
    // One leaves Dev by right; somebody comes to Ops all the same.
    let pushed = [group("g1", "Ops", 10..11), group("g2", "Dev", 0..4)];
    let report = world.run(&config, &pushed);
    assert_eq!((world.members("Ops"), world.members("Dev")), (11, 4));
    assert_eq!(told(&report), ["guard-team-removals"; 10]);
    assert_eq!(report.guarded.len(), 10);
    assert_eq!(
        report.guarded[0].refusal.detail,
        "no more than 3 removals from teams within 24h, and with this there would be 10; Ann can lift that, \
         and otherwise time alone is no help, since this is more than that by itself (guard-team-removals)"
    );
    let json = serde_json::to_value(&report).unwrap();
    let first = &json["guarded"][0];
    assert_eq!(
        (first["action"].as_str(), first["rule"].as_str()),
        (Some("remove-member"), Some("guard-team-removals"))
    );
    let dev = report.group("g2").unwrap();
    assert_eq!(dev.members.last().unwrap().outcome, MemberOutcome::Removed);
    // What is refused does not count: two more may go, and then none.
    world.run(&config, &[group("g1", "Ops", 0..11), group("g2", "Dev", 0..2)]);
    assert_eq!(world.members("Dev"), 2);
    let report = world.run(&config, &[group("g1", "Ops", 0..11), group("g2", "Dev", 0..1)]);
    assert_eq!((world.members("Dev"), told(&report).len()), (2, 1));
    // An operator lifts it.
    world.lift = Some(Lift::ceilings(Timestamp::MAX));
    let report = world.run(&config, &pushed);
    assert_eq!((world.members("Ops"), report.guarded.len()), (1, 0));
}

#[test]
pub(crate) fn a_share_is_of_each_team() {
    let mut world = World::new();
    let ceiling = day().with_share(20, 5).unwrap();
    let config = guarded(Guards::new().with_member_removals(ceiling), |_| {});
    world.run(&config, &[group("g1", "Ops", 0..10), group("g2", "Dev", 0..4)]);
    // Of a few one is a large share: that is no matter.
    let report = world.run(&config, &[group("g1", "Ops", 0..8), group("g2", "Dev", 0..1)]);
    assert_eq!((world.members("Ops"), world.members("Dev"), report.guarded.len()), (8, 1, 0));
    let report = world.run(&config, &[group("g1", "Ops", 0..7), group("g2", "Dev", 0..1)]);
    assert_eq!((world.members("Ops"), report.guarded.len()), (8, 1));
    assert!(report.guarded[0].refusal.detail.contains("which is 20 % of 10 members of the team"));
}

#[test]
pub(crate) fn teams_are_deleted_up_to_a_ceiling() {
    let mut world = World::new();
    let guards = Guards::new().with_team_deletions(day().with_count(1));
    let config = guarded(guards, |options| options.deletion = Deletion::Delete);
    world.run(&config, &[group("g1", "A", 0..2), group("g2", "B", 0..2), group("g3", "C", 0..1)]);
    let report = world.run(&config, &[]);
    assert_eq!(world.model.teams.len(), 2);
    assert_eq!(told(&report), ["guard-team-deletions"; 2]);
    // The others stay as they are, and are remembered.
    assert_eq!((world.members("B"), world.members("C"), world.state.groups.len()), (2, 1, 2));
    // Whoever is on a team that is deleted leaves it.
    let guards = Guards::new().with_member_removals(day().with_count(1));
    let config = guarded(guards, |options| options.deletion = Deletion::Delete);
    let report = world.run(&config, &[]);
    assert_eq!(world.model.teams.values().map(|team| team.name.as_str()).collect::<Vec<_>>(), ["B"]);
    assert_eq!(told(&report), ["guard-team-removals"]);
}

#[test]
pub(crate) fn what_pagerduty_refuses_does_not_count() {
    let mut world = World::new();
    let config = guarded(Guards::new().with_member_removals(day().with_count(2)), |_| {});
    world.run(&config, &[group("g1", "Ops", 0..4)]);
    let ops = world.model.team_named("Ops").unwrap().0.clone();
    let policy = &mut world.model.teams.get_mut(&ops).unwrap().on_escalation_policy;
    policy.extend(["PU2".to_owned(), "PU3".to_owned()]);
    for _ in 0..3 {
        let report = world.run(&config, &[group("g1", "Ops", 0..2)]);
        assert!(report.problems().all(|problem| matches!(problem, Problem::EscalationPolicy(_))), "{report}");
    }
    world.run(&config, &[group("g1", "Ops", 2..4)]);
    assert_eq!(world.members("Ops"), 2);
    // What was made does.
    world.model.teams.get_mut(&ops).unwrap().on_escalation_policy.clear();
    assert_eq!(told(&world.run(&config, &[group("g1", "Ops", 0..0)])).len(), 2);
    let noted = ready(world.ledger.lifted(&TenantId::new("t-123"))).unwrap();
    assert_eq!(noted, None);
}

#[test]
pub(crate) fn what_is_protected_stays_until_that_is_lifted() {
    let mut world = World::new();
    let protected =
        || Protected::new().with_user("S1").with_user("s1").with_user("USER2@example.com").with_group("ops");
    let guards = || Guards::new().with_protected(protected());
    let config = guarded(guards(), |options| options.deletion = Deletion::Delete);
    world.run(&config, &[group("g1", "Ops", 0..2), group("g2", "Dev", 1..5)]);
    // By the id and by the address; the others leave.
    let report = world.run(&config, &[group("g1", "Operations", 5..5), group("g2", "Dev", 4..5)]);
    assert_eq!(world.members("Dev"), 3);
    let mut rules = told(&report);
    rules.sort_unstable();
    // Ops keeps its name and is not emptied; of Dev two stay.
    assert_eq!(world.members("Ops"), 1, "{report}");
    assert!(world.model.team_named("Operations").is_none());
    assert_eq!(
        rules,
        ["guard-protected-group", "guard-protected-user", "guard-protected-user", "guard-protected-user"]
    );
    // Without protected users it would be emptied, or deleted with its group.
    let of_group = Guards::new().with_protected(Protected::new().with_group("g1"));
    let report = world.run(&guarded(of_group, |_| {}), &[group("g1", "Ops", 5..5), group("g2", "Dev", 0..5)]);
    assert_eq!((told(&report), world.members("Ops")), (vec!["guard-protected-group"], 1));
    assert_eq!(
        report.guarded[0].refusal.detail,
        "the group `Ops` is protected: its team cannot be emptied; Bo can lift that (guard-protected-group)"
    );
    let report = world.run(&config, &[group("g2", "Dev", 4..5)]);
    assert_eq!((told(&report)[0], world.members("Ops")), ("guard-protected-user", 1));
    assert!(told(&report).contains(&"guard-protected-group") && world.members("Dev") == 3, "{report}");
    // The ceilings alone are no matter of protection.
    world.lift = Some(Lift::ceilings(Timestamp::MAX));
    assert_eq!(told(&world.run(&config, &[group("g2", "Dev", 4..5)])).len(), 3);
    world.lift = Some(Lift::everything(Timestamp::MAX));
    let report = world.run(&config, &[group("g2", "Dev", 4..5)]);
    assert_eq!((told(&report).len(), world.members("Dev"), world.model.teams.len()), (0, 1, 1));
    assert_eq!(report.group("g1").unwrap().outcomes, [TeamOutcome::Deleted]);
}

/// With the team they would leave it: it stays as it is, with everybody, until that is lifted.
#[test]
pub(crate) fn a_team_with_a_protected_user_is_not_deleted() {
    for protected in [Protected::new().with_user("s1"), Protected::new().with_user("USER1@example.com")] {
        let mut world = World::new();
        let config = guarded(Guards::new().with_protected(protected), |options| {
            options.deletion = Deletion::Delete;
        });
        world.run(&config, &[group("g1", "Ops", 0..3), group("g2", "Dev", 3..5)]);
        let mut dry = config.clone();
        dry.options.mode = Mode::DryRun;
        assert_eq!(told(&world.run(&dry, &[])), ["guard-protected-user"]);
        for _ in 0..2 {
            let report = world.run(&config, &[]);
            assert_eq!((told(&report), world.members("Ops")), (vec!["guard-protected-user"], 3), "{report}");
            let [refused] = report.guarded.as_slice() else { panic!("{report}") };
            assert_eq!((refused.write.action(), refused.write.group()), ("delete-team", "g1"));
            assert_eq!(
                refused.refusal.detail,
                "the user `user1@example.com` is protected: a team it is on cannot be deleted; Bo can lift that \
                 (guard-protected-user)"
            );
            assert!(world.model.team_named("Dev").is_none());
        }
        world.lift = Some(Lift::ceilings(Timestamp::MAX));
        assert_eq!((told(&world.run(&config, &[])).len(), world.members("Ops")), (1, 3));
        // Somebody else on the team is another reason, and then the others leave.
        let ops = world.model.team_named("Ops").unwrap().0.clone();
        let somebody = Membership { role: "responder".into(), before: None };
        world.model.teams.get_mut(&ops).unwrap().members.insert("PU9".to_owned(), somebody);
        let report = world.run(&config, &[]);
        assert!(report.problems().any(|problem| matches!(problem, Problem::OtherMembers(1))), "{report}");
        assert_eq!((told(&report), world.members("Ops")), (vec!["guard-protected-user"], 2));
        world.model.teams.get_mut(&ops).unwrap().members.remove("PU9");
        world.lift = Some(Lift::everything(Timestamp::MAX));
        let report = world.run(&config, &[]);
        assert_eq!((told(&report).len(), world.model.teams.len()), (0, 0), "{report}");
    }
    // By what the directory alone knows.
    let mut world = World::new();
    world.protected = vec!["s1".to_owned()];
    let config = guarded(Guards::new(), |options| options.deletion = Deletion::Delete);
    world.run(&config, &[group("g1", "Ops", 0..3)]);
    let report = world.run(&config, &[]);
    assert_eq!((told(&report), world.members("Ops")), (vec!["guard-protected-user"], 3));
}

/// A role that was raised by hand is put back, but not that of who is protected: a higher one they get.
#[test]
pub(crate) fn a_protected_user_gets_no_lower_role_on_a_team() {
    let mut world = World::new();
    let protected = || Guards::new().with_protected(Protected::new().with_user("USER1@example.com"));
    let config = guarded(protected(), |_| {});
    let groups = [group("g1", "Ops", 0..3)];
    let ops = |model: &mut PagerDuty, role: &str| {
        let id = model.team_named("Ops").unwrap().0.clone();
        for user in ["PU1", "PU2"] {
            model.teams.get_mut(&id).unwrap().members.get_mut(user).unwrap().role = role.to_owned();
        }
    };
    let roles = |model: &PagerDuty| {
        let members = &model.team_named("Ops").unwrap().1.members;
        ["PU1", "PU2"].map(|user| members[user].role.clone())
    };
    world.run(&config, &groups);
    for role in ["observer", "manager"] {
        ops(&mut world.model, role);
        world.run(&config, &groups);
    }
    assert_eq!(roles(&world.model), ["manager", "responder"]);
    let refused = |report: &Report| {
        assert_eq!((told(report), report.plan.is_empty()), (vec!["guard-protected-user"], true), "{report}");
        let [refused] = report.guarded.as_slice() else { panic!("{report}") };
        assert_eq!(refused.write.to_string(), "set-role PT0001 user1@example.com manager -> responder");
        assert_eq!(
            refused.refusal.detail,
            "the user `user1@example.com` is protected: it cannot get a lower role on a team; Bo can lift that \
             (guard-protected-user)"
        );
    };
    // Each run says so, a dry one too, and none remembers a request that it did not send.
    let mut dry = config.clone();
    dry.options.mode = Mode::DryRun;
    refused(&world.run(&dry, &groups));
    let before = world.state.clone();
    for _ in 0..2 {
        let sync = TeamSync::new(config.clone(), groups.to_vec(), world.state.clone()).at(clock(world.now));
        let World { model, state, ledger, .. } = &mut world;
        let fault = || Fault::None;
        refused(&run_sync(sync, (model, &config, state), ledger, fault, |_, _, _| {}).unwrap());
    }
    assert_eq!((&world.state, roles(&world.model)), (&before, ["manager".into(), "responder".into()]));
    // By another role of the group, and by what the directory alone knows.
    let observers = guarded(Guards::new(), |options| options.role = Some(TeamRole::Observer));
    world.protected = vec!["s1".to_owned()];
    assert_eq!(told(&world.run(&observers, &groups)), ["guard-protected-user"]);
    assert_eq!(roles(&world.model), ["manager", "observer"]);
    // The ceilings alone are no matter of protection.
    world.lift = Some(Lift::ceilings(Timestamp::MAX));
    assert_eq!(told(&world.run(&config, &groups)), ["guard-protected-user"]);
    world.lift = Some(Lift::everything(Timestamp::MAX));
    assert_eq!(told(&world.run(&config, &groups)), [""; 0]);
    assert_eq!(roles(&world.model), ["responder", "responder"]);
}

/// The first so many of them managers.
fn managers(group: DesiredGroup, number: usize) -> DesiredGroup {
    let mut group = group;
    group.members.iter_mut().take(number).for_each(|member| member.role = Some(TeamRole::Manager));
    group
}

impl World {
    fn managers(&self, team: &str) -> usize {
        let members = self.model.team_named(team).map(|(_, team)| team.members.values());
        members.into_iter().flatten().filter(|member| member.role == "manager").count()
    }
}

#[test]
pub(crate) fn lower_roles_on_teams_are_counted() {
    let mut world = World::new();
    let two =
        || Guards::new().with_role_downgrades(day().with_count(2)).with_member_removals(day().with_count(1));
    let config = guarded(two(), |_| {});
    let (ops, dev) = (group("g1", "Ops", 0..6), group("g2", "Dev", 0..4));
    let begun = [managers(ops.clone(), 4), managers(dev.clone(), 2)];
    world.run(&config, &begun);
    assert_eq!((world.managers("Ops"), world.managers("Dev")), (4, 2));
    // Somebody's mistake: nobody is a manager any more. Who leaves by right does, and who gets a higher role has it.
    let mut raised = dev.clone();
    raised.members.remove(0);
    raised.members[2].role = Some(TeamRole::Manager);
    let report = world.run(&config, &[ops.clone(), raised.clone()]);
    assert_eq!((world.managers("Ops"), world.managers("Dev"), world.members("Dev")), (4, 1, 3));
    assert_eq!(told(&report), ["guard-team-role-downgrades"; 4]);
    let [first, ..] = report.guarded.as_slice() else { panic!("{report}") };
    assert_eq!(first.write.to_string(), "set-role PT0001 user0@example.com manager -> responder");
    assert_eq!(
        first.refusal.detail,
        "no more than 2 lower roles on teams within 24h, and with this there would be 4; Ann can lift that, and \
         otherwise time alone is no help, since this is more than that by itself (guard-team-role-downgrades)"
    );
    // What is refused does not count, and what came of Dev does: one more may get a lower role.
    assert_eq!(world.run(&config, &[managers(ops.clone(), 3), raised.clone()]).guarded.len(), 0);
    assert_eq!(told(&world.run(&config, &[managers(ops.clone(), 2), raised.clone()])).len(), 1);
    assert_eq!(world.managers("Ops"), 3);
    world.lift = Some(Lift::ceilings(Timestamp::MAX));
    assert_eq!(world.run(&config, &[ops, raised]).guarded.len(), 0);
    assert_eq!((world.managers("Ops"), world.managers("Dev")), (0, 1));
}

/// A removal and a lower role of one team are judged apart: neither is held up by the other.
#[test]
pub(crate) fn lower_roles_and_removals_are_judged_apart() {
    for (downgrades, removals, left) in [(0, 9, (4, 4)), (9, 0, (0, 6)), (0, 0, (4, 6)), (9, 9, (0, 4))] {
        let mut world = World::new();
        let guards = Guards::new()
            .with_role_downgrades(day().with_count(downgrades))
            .with_member_removals(day().with_count(removals));
        let config = guarded(guards, |_| {});
        world.run(&config, &[managers(group("g1", "Ops", 0..6), 4)]);
        let report = world.run(&config, &[group("g1", "Ops", 0..4)]);
        assert_eq!((world.managers("Ops"), world.members("Ops")), left, "{report}");
        let refused = |rule: &str| told(&report).iter().filter(|told| **told == rule).count();
        let expected = (if downgrades == 0 { 4 } else { 0 }, if removals == 0 { 2 } else { 0 });
        assert_eq!((refused("guard-team-role-downgrades"), refused("guard-team-removals")), expected);
    }
}

/// A share is of the members of the team, also of a role that was raised by hand; a dry run notes nothing, and no run
/// remembers a request that it did not send.
#[test]
pub(crate) fn a_share_of_lower_roles_is_of_each_team() {
    let mut world = World::new();
    let config = guarded(Guards::new().with_role_downgrades(day().with_share(20, 5).unwrap()), |_| {});
    let groups = [group("g1", "Ops", 0..10), group("g2", "Dev", 0..4)];
    world.run(&config, &groups);
    let raise = |model: &mut PagerDuty, team: &str, number: usize| {
        let id = model.team_named(team).unwrap().0.clone();
        let members = model.teams.get_mut(&id).unwrap().members.values_mut();
        members.take(number).for_each(|member| member.role = "manager".to_owned());
    };
    raise(&mut world.model, "Ops", 3);
    raise(&mut world.model, "Dev", 3);
    let mut dry = config.clone();
    dry.options.mode = Mode::DryRun;
    let report = world.run(&dry, &groups);
    assert_eq!((told(&report).len(), report.plan.writes().len()), (3, 3), "{report}");
    for _ in 0..2 {
        let sync = TeamSync::new(config.clone(), groups.to_vec(), world.state.clone()).at(clock(world.now));
        let before = world.state.clone();
        let World { model, state, ledger, .. } = &mut world;
        let report = run_sync(sync, (model, &config, state), ledger, || Fault::None, |_, _, _| {}).unwrap();
        assert_eq!((told(&report), world.managers("Ops")), (vec!["guard-team-role-downgrades"; 3], 3));
        assert!(report.guarded[0].refusal.detail.contains("which is 20 % of 10 members of the team"));
        assert_eq!((world.state.group("g1"), world.managers("Dev")), (before.group("g1"), 0));
    }
    let three = managers(groups[0].clone(), 1);
    assert_eq!((world.run(&config, &[three, groups[1].clone()]).guarded, world.managers("Ops")), (vec![], 1));
}

#[test]
pub(crate) fn a_lower_role_that_pagerduty_refuses_does_not_count() {
    let mut world = World::new();
    let config = guarded(Guards::new().with_role_downgrades(day().with_count(1)), |_| {});
    let ops = group("g1", "Ops", 0..2);
    world.run(&config, &[managers(ops.clone(), 2)]);
    world.model.forbidden = vec!["PUT /teams/PT0001/users/PU0"];
    for _ in 0..3 {
        let report = world.run(&config, &[managers(ops.clone(), 0), group("g2", "Dev", 0..1)]);
        assert_eq!(told(&report), ["guard-team-role-downgrades"; 2], "{report}");
        let mut one = managers(ops.clone(), 2);
        one.members[0].role = None;
        let report = world.run(&config, &[one, group("g2", "Dev", 0..1)]);
        assert!(report.problems().all(|problem| matches!(problem, Problem::Refused(_))), "{report}");
        assert_eq!(report.guarded.len(), 0);
    }
    world.model.forbidden.clear();
    let report = world.run(&config, &[managers(ops, 1), group("g2", "Dev", 0..1)]);
    assert_eq!((report.guarded, world.managers("Ops")), (vec![], 1));
}

#[test]
pub(crate) fn a_user_is_protected_by_what_only_the_directory_knows() {
    let mut world = World::new();
    let config = guarded(Guards::new().with_protected(Protected::new().with_user("ann")), |_| {});
    world.run(&config, &[group("g1", "Ops", 0..3)]);
    world.protected = vec!["s1".to_owned()];
    let report = world.run(&config, &[group("g1", "Ops", 2..3)]);
    assert_eq!((told(&report), world.members("Ops")), (vec!["guard-protected-user"], 2));
    assert_eq!(
        report.guarded[0].refusal.detail,
        "the user `user1@example.com` is protected: it cannot leave a team; Bo can lift that (guard-protected-user)"
    );
    world.lift = Some(Lift::everything(Timestamp::MAX));
    let report = world.run(&config, &[group("g1", "Ops", 2..3)]);
    assert_eq!((told(&report).len(), world.members("Ops")), (0, 1));
}

#[test]
pub(crate) fn a_dry_run_says_what_would_be_refused() {
    let mut world = World::new();
    let config = guarded(Guards::new().with_member_removals(day().with_count(1)), |_| {});
    world.run(&config, &[group("g1", "Ops", 0..4)]);
    let mut dry = config.clone();
    dry.options.mode = Mode::DryRun;
    let kept = std::mem::take(&mut world.ledger);
    let report = world.run(&dry, &[group("g1", "Ops", 0..1)]);
    assert_eq!((report.plan.is_empty(), report.guarded.len()), (true, 3));
    world.ledger = kept;
    let report = world.run(&config, &[group("g1", "Ops", 0..3)]);
    assert_eq!((report.plan.writes().len(), world.members("Ops")), (1, 3));
    assert_eq!(clock(world.now), Timestamp::UNIX_EPOCH + SignedDuration::from_secs(1_000));
}
