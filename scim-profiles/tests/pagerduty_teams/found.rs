//! The team of a group: found, created, named.

use scim_core::auth::Principal;
use scim_core::policy::{Context, Policy as _, Write};
use scim_core::{CredentialId, Object, Resource, ScimType, TenantId};
use scim_profiles::Profile;
use scim_profiles::pagerduty::teams::{
    Adoption, Deletion, DesiredGroup, End, MemberOutcome, Mode, Origin, Problem, Report, TeamNames,
    TeamOutcome, TeamState,
};

use crate::accounts::{alpha, deleting, pagerduty, pair, problems, roles};
use crate::model::PagerDuty;
use crate::run::{Fault, config, run, run_with, with};

#[test]
pub(crate) fn a_team_is_created_with_its_members() {
    let (mut model, mut state) = (pagerduty(), TeamState::default());
    let report = run(&mut model, &config(), &[alpha()], &mut state);
    assert_eq!(report.end, End::Complete);
    assert_eq!(report.groups[0].outcomes, [TeamOutcome::Created]);
    assert!(report.groups[0].members.iter().all(|member| member.outcome == MemberOutcome::Added));
    let (id, team) = model.team_named("Team Alpha").unwrap();
    assert_eq!(team.description, "Created via Scimify for tenant t-123");
    assert_eq!(state.group("g1").unwrap().team.as_ref(), Some(id));
    assert_eq!(state.group("g1").unwrap().origin, Origin::Created);
    assert_eq!(roles(&model, "Team Alpha"), [pair("PA", "responder"), pair("PB", "responder")]);
    // Again: nothing.
    let kept = state.clone();
    let report = run(&mut model, &config(), &[alpha()], &mut state);
    assert_eq!((model.writes().len(), report.plan.is_empty()), (0, true));
    assert_eq!(model.log.len(), 2, "{:?}", model.log);
    assert_eq!(state, kept);
}

#[test]
pub(crate) fn a_dry_run_only_reads() {
    let (mut model, mut state) = (pagerduty(), TeamState::default());
    let dry = with(|options| options.mode = Mode::DryRun);
    let report = run(&mut model, &dry, &[alpha()], &mut state);
    assert!(report.dry_run);
    assert!(model.log.iter().all(|line| line.starts_with("GET")), "{:?}", model.log);
    assert_eq!(state, TeamState::default());
    assert_eq!(
        report.plan.to_string(),
        "\
ACTION       GROUP       TEAM   E-MAIL                DETAIL
create-team  Team Alpha  (new)                        Team Alpha
add-member   Team Alpha  (new)  alex.doe@example.com  responder
add-member   Team Alpha  (new)  Bo.Roe@Example.com    responder
"
    );
    // The run does what the dry run says.
    let done = run(&mut model, &config(), &[alpha()], &mut state);
    let actions =
        |report: &Report| report.plan.writes().iter().map(|write| write.action()).collect::<Vec<_>>();
    assert_eq!(actions(&done), actions(&report));
    assert!(run(&mut model, &dry, &[alpha()], &mut state).plan.is_empty());
}

#[test]
pub(crate) fn a_team_that_is_there_can_be_left_alone() {
    let mut model = pagerduty().with_team("PX", "Team Alpha", &[]);
    let refusing = with(|options| options.adoption = Adoption::Refuse);
    let report = run(&mut model, &refusing, &[alpha()], &mut TeamState::default());
    assert_eq!(report.problems().collect::<Vec<_>>(), [&Problem::Exists("PX".into())]);
    assert_eq!(model.writes().len(), 0);
}

#[test]
pub(crate) fn a_team_is_renamed_with_its_group() {
    let (mut model, mut state) = (pagerduty(), TeamState::default());
    run(&mut model, &config(), &[alpha()], &mut state);
    let renamed = DesiredGroup { display_name: " Team Beta ".into(), ..alpha() };
    let report = run(&mut model, &config(), &[renamed], &mut state);
    assert_eq!(report.groups[0].outcomes, [TeamOutcome::Renamed { from: "Team Alpha".into() }]);
    assert_eq!(model.writes(), ["PUT /teams/PT0001"]);
    // The description is sent again, and stays.
    assert_eq!(model.teams["PT0001"].name, "Team Beta");
    assert_eq!(state.group("g1").unwrap().name, "Team Beta");
}

#[test]
pub(crate) fn a_name_that_becomes_free_is_taken_in_the_same_run() {
    let (mut model, mut state) = (PagerDuty { unique_names: true, ..pagerduty() }, TeamState::default());
    let group = |id: &str, name: &str| DesiredGroup::new(id, name);
    run(&mut model, &config(), &[group("g1", "a"), group("g2", "b"), group("g3", "c")], &mut state);
    let report =
        run(&mut model, &config(), &[group("g1", "b"), group("g2", "c"), group("g3", "d")], &mut state);
    assert_eq!(problems(&report), [""; 0]);
    let names: Vec<_> = model.teams.values().map(|team| team.name.as_str()).collect();
    assert_eq!(names, ["b", "c", "d"]);
    // Each when its name is free, so that nothing is refused and nobody is called otherwise meanwhile.
    assert_eq!(model.writes(), ["PUT /teams/PT0003", "PUT /teams/PT0002", "PUT /teams/PT0001"]);
    // A group that is new gets a name that is given up, and a dry run knows it.
    let mut groups = vec![group("g1", "e"), group("g2", "c"), group("g3", "d"), group("g4", "b")];
    let dry = with(|options| options.mode = Mode::DryRun);
    let would = run(&mut model, &dry, &groups, &mut state);
    assert_eq!((problems(&would), would.plan.writes().len()), (vec![], 2));
    assert_eq!(run(&mut model, &config(), &groups, &mut state).plan, would.plan);
    // While one of a row keeps its name, so do those who wait for it, and they are called as they were.
    let mut model = model.with_team("PX", "taken", &[]);
    (groups[0].display_name, groups[1].display_name) = ("c".into(), "taken".into());
    let report = run(&mut model, &config(), &groups, &mut state);
    let taken = "refused: 400 (code 2001): Invalid Input Provided: Name has already been taken";
    assert_eq!((problems(&report), report.plan.writes().len()), (vec![taken.to_owned(); 2], 0));
}

/// Where it is pushed, by POST, PUT and PATCH; who is called so already is changed otherwise.
#[test]
pub(crate) fn a_group_that_can_never_be_a_team_is_refused() {
    let generic = Profile::by_name("generic").unwrap();
    let policy = TeamNames::before(generic.policy());
    let principal = Principal { tenant: TenantId::new("t-123"), credential: CredentialId::new("okta") };
    let resource = |name: &str| {
        Resource(Object::from_iter([("displayName", name), ("userName", "u"), ("password", "p")]))
    };
    let admit = |kind: &str, write: Write<'_>, name: &str| {
        let context = Context::new(generic.registry().by_name(kind).unwrap(), &principal);
        let mut resource = resource(name);
        let admitted = policy.admit(&context, write, &mut resource);
        // The policy behind it is asked as well.
        assert_eq!(admitted.is_ok(), resource.get("password").is_none());
        admitted.map(drop).map_err(|error| (error.status().as_u16(), error.scim_type(), error.to_string()))
    };
    let (long, longest) = ("\u{e9}".repeat(101), format!("  {} ", "\u{e9}".repeat(100)));
    let current = resource("SRE");
    for write in [Write::Create, Write::Replace(&current), Write::Patch(&current)] {
        let (status, keyword, text) = admit("Group", write, &long).unwrap_err();
        assert_eq!((status, keyword), (400, Some(ScimType::InvalidValue)));
        assert!(
            text.ends_with("`displayName` has 101 characters, and the name of a team has 1 to 100"),
            "{text}"
        );
        assert!(admit("Group", write, "  ").unwrap_err().2.contains("has 0 characters"));
        assert_eq!(admit("Group", write, &longest), Ok(()));
        assert_eq!(admit("User", write, &long), Ok(()));
    }
    let current = resource(&long);
    assert_eq!(admit("Group", Write::Patch(&current), &long), Ok(()));
    assert_eq!(admit("Group", Write::Patch(&current), "SRE"), Ok(()));
    assert!(admit("Group", Write::Replace(&current), &"x".repeat(102)).is_err());
}

#[test]
pub(crate) fn a_name_no_team_can_have_holds_nothing_else_up() {
    let (mut model, mut state) = (pagerduty(), TeamState::default());
    let groups = [
        DesiredGroup::new("g0", "x".repeat(101)).with_member("u1", "alex.doe@example.com"),
        alpha(),
        DesiredGroup::new("g2", "   "),
        // Characters count, not bytes.
        DesiredGroup::new("g3", "é".repeat(100)),
    ];
    let report = run(&mut model, &config(), &groups, &mut state);
    let told = ["the name has 101 characters, and PagerDuty permits 100", "the group has no name"];
    assert_eq!(problems(&report), told);
    assert_eq!(model.teams.len(), 2);
    // Of a group that gets such a name, the team stays, and its members are kept up to date.
    let renamed = DesiredGroup::new("g1", "y".repeat(200)).with_member("u1", "alex.doe@example.com");
    let report = run(&mut model, &config(), &[renamed], &mut state);
    assert_eq!(problems(&report), ["the name has 200 characters, and PagerDuty permits 100"]);
    assert_eq!(roles(&model, "Team Alpha"), [pair("PA", "responder")]);
}

#[test]
pub(crate) fn of_several_teams_with_the_name_none_is_taken() {
    let mut model = pagerduty()
        .with_team("PX", "Team Alpha", &[])
        .with_team("PY", "Team Alpha", &[])
        .with_team("PZ", "team alpha", &[]);
    let report = run(&mut model, &config(), &[alpha()], &mut TeamState::default());
    assert_eq!(problems(&report), ["several teams have the name: PX, PY"]);
    assert_eq!(model.writes().len(), 0);
    // In another case it is another name.
    model.teams.remove("PY");
    run(&mut model, &config(), &[alpha()], &mut TeamState::default());
    assert_eq!(model.teams["PX"].members.len(), 2);
}

#[test]
pub(crate) fn groups_with_the_same_name_get_no_team_unless_it_is_known_whose_it_is() {
    let (mut model, mut state) = (pagerduty(), TeamState::default());
    run(&mut model, &config(), &[alpha()], &mut state);
    let groups = [alpha(), DesiredGroup::new("g2", "Team Alpha")];
    let report = run(&mut model, &config(), &groups, &mut state);
    assert_eq!(report.group("g1").unwrap().outcomes, [TeamOutcome::Found]);
    assert_eq!(problems(&report), ["several groups have the name"]);
    let report = run(&mut model, &config(), &groups, &mut TeamState::default());
    assert_eq!(problems(&report), ["several groups have the name"; 2]);
    let report = run(&mut model, &config(), &[alpha(), alpha()], &mut state);
    assert_eq!(problems(&report), ["several groups have the id"]);
}

#[test]
pub(crate) fn blanks_around_a_name_make_no_other_name() {
    let named = |id: &str, name: &str| DesiredGroup::new(id, name).with_member("u1", "alex.doe@example.com");
    // Neither has a team yet: nobody can say whose it would be.
    let (mut model, mut state) = (pagerduty(), TeamState::default());
    let both = [named("g1", "SRE2"), named("g2", " SRE2\t")];
    let report = run(&mut model, &config(), &both, &mut state);
    assert_eq!(problems(&report), ["several groups have the name"; 2]);
    assert_eq!(model.writes().len(), 0);
    // One alone has: it is taken, and its team is called so without them.
    run(&mut model, &config(), &both[1..], &mut state);
    assert_eq!(state.group("g2").unwrap().team.as_ref(), Some(model.team_named("SRE2").unwrap().0));
    let report = run(&mut model, &config(), &both, &mut state);
    assert_eq!(problems(&report), ["several groups have the name"]);
    assert_eq!(model.writes().len(), 0);
    assert_eq!(report.group("g1").unwrap().team, None);
    // To be called so without them is no other name.
    let report = run(&mut model, &config(), &[named("g2", "SRE2")], &mut state);
    assert_eq!((problems(&report), model.writes().len()), (vec![], 0));
    // Somebody's team that PagerDuty shows with blanks is no group's.
    let mut model = pagerduty().with_team("PX", " SRE2 ", &[("PB", "manager")]);
    let report = run(&mut model, &config(), &both[..1], &mut TeamState::default());
    assert_eq!(report.group("g1").unwrap().outcomes, [TeamOutcome::Created]);
    assert_eq!((roles(&model, " SRE2 "), model.teams.len()), (vec![pair("PB", "manager")], 2));
}

#[test]
pub(crate) fn a_team_that_is_deleted_in_pagerduty_is_made_again() {
    let (mut model, mut state) = (pagerduty(), TeamState::default());
    run(&mut model, &config(), &[alpha()], &mut state);
    model.teams.clear();
    let report = run(&mut model, &config(), &[alpha()], &mut state);
    assert_eq!(report.groups[0].outcomes, [TeamOutcome::Lost, TeamOutcome::Created]);
    assert_eq!(state.group("g1").unwrap().team.as_deref(), Some("PT0002"));
    assert_eq!(model.teams["PT0002"].members.len(), 2);
}

#[test]
pub(crate) fn lists_are_read_page_by_page() {
    let mut model = PagerDuty { page: 2, ..pagerduty() };
    for number in 0..7 {
        model = model.with_user(&format!("PU{number}"), &format!("{number}alex.doe@example.com")).with_team(
            &format!("PX{number}"),
            &format!("Team Alpha {number}"),
            &[],
        );
    }
    let members: Vec<_> = (0..7).map(|number| (format!("PU{number}"), "observer")).collect();
    let members: Vec<_> = members.iter().map(|(id, role)| (id.as_str(), *role)).collect();
    let mut model = model.with_team("PZ", "Team Alpha", &members);
    let report = run(&mut model, &config(), &[alpha()], &mut TeamState::default());
    assert_eq!(report.groups[0].outcomes, [TeamOutcome::Adopted]);
    assert_eq!(model.teams["PZ"].members.len(), 9);
    assert!(
        model.log.contains(&"GET /teams?query=Team%20Alpha&limit=100&offset=6".to_owned()),
        "{:?}",
        model.log
    );
}

#[test]
pub(crate) fn a_report_prints_and_serialises() {
    let (mut model, mut state) = (pagerduty(), TeamState::default());
    let group = alpha().with_member("u3", "cy@example.com");
    let report = run(&mut model, &config(), &[group], &mut state);
    assert_eq!(
        report.to_string(),
        "\
GROUP       TEAM    E-MAIL                OUTCOME
Team Alpha  PT0001                        created
Team Alpha  PT0001  alex.doe@example.com  added
Team Alpha  PT0001  Bo.Roe@Example.com    added
Team Alpha  PT0001  cy@example.com        no PagerDuty user has the e-mail address

complete; 1 groups, 3 changes made, 1 problems
"
    );
    let json = serde_json::to_value(&report).unwrap();
    assert_eq!(json["end"], "complete");
    assert_eq!(json["groups"][0]["outcomes"][0]["outcome"], "created");
    assert_eq!(json["groups"][0]["members"][0]["outcome"], "added");
    assert_eq!(json["groups"][0]["members"][2]["problem"], "unknown-user");
    assert_eq!(
        json["plan"][1],
        serde_json::json!({
            "action": "add-member", "group": "g1", "team": "PT0001", "user": "PA",
            "email": "alex.doe@example.com", "role": "responder",
        })
    );
    assert_eq!(report.plan.writes()[1].to_string(), "add-member PT0001 alex.doe@example.com responder");
    let kept = serde_json::to_string(&state).unwrap();
    assert_eq!(serde_json::from_str::<TeamState>(&kept).unwrap(), state);
}

#[test]
pub(crate) fn a_team_whose_creation_arrives_twice_is_the_bridges_own() {
    let (mut model, mut state) = (pagerduty(), TeamState::default());
    model.unique_names = true;
    // The second answer says that the name is taken.
    let mut requests = 0;
    let twice = || {
        requests += 1;
        if requests == 1 { Fault::None } else { Fault::TwiceAnsweredLast }
    };
    let report =
        run_with(&mut model, &config(), &[alpha()], &mut state, twice, |_, _, _| {}).expect("does not crash");
    assert_eq!(
        (report.end, report.groups[0].outcomes.as_slice()),
        (End::Complete, &[TeamOutcome::Created][..])
    );
    assert_eq!(state.group("g1").unwrap().origin, Origin::Created);
    assert_eq!(roles(&model, "Team Alpha"), [pair("PA", "responder"), pair("PB", "responder")]);
}

/// A 403 is about what was asked for: the rest goes on.
#[test]
pub(crate) fn what_is_forbidden_for_one_is_reported_for_that_one() {
    let beta = || DesiredGroup::new("g2", "Team Beta").with_member("u2", "bo.roe@example.com");
    let denied = "refused: 403 (code 2010): Access Denied";
    let after = |forbidden: &'static str, groups: &[DesiredGroup], deletion: Deletion| {
        let (mut model, mut state) = (pagerduty(), TeamState::default());
        run(&mut model, &config(), &[alpha(), beta()], &mut state);
        model.forbidden.push(forbidden);
        let report = run(&mut model, &deleting(deletion), groups, &mut state);
        assert_eq!(report.end, End::Complete, "{forbidden}");
        (model, state, report)
    };
    // The team, and its members.
    for forbidden in ["GET /teams/PT0001/members", "PUT /teams/PT0001", "GET /teams/PT0001"] {
        let renamed = DesiredGroup { display_name: "Team Gamma".into(), ..alpha() };
        let (model, state, report) =
            after(forbidden, &[renamed, DesiredGroup::new("g2", "Team Beta")], Deletion::Keep);
        assert_eq!(problems(&report), [denied], "{forbidden}");
        assert_eq!((model.teams["PT0001"].members.len(), model.teams["PT0002"].members.len()), (2, 0));
        assert_eq!(state.group("g1").unwrap().members.len(), 2);
    }
    // One member of it: whoever may not be removed is remembered, whoever may not be added is not.
    let (model, state, report) = after(
        "DELETE /teams/PT0001/users/PA",
        &[DesiredGroup::new("g1", "Team Alpha"), beta()],
        Deletion::Keep,
    );
    assert_eq!(
        (problems(&report), roles(&model, "Team Alpha")),
        (vec![denied.to_owned()], vec![pair("PA", "responder")])
    );
    assert!(state.group("g1").unwrap().members.contains_key("PA"));
    let (mut model, mut state) = (pagerduty(), TeamState::default());
    model.forbidden.push("PUT /teams/PT0001/users/PA");
    let report = run(&mut model, &config(), &[alpha(), beta()], &mut state);
    assert_eq!((report.end.clone(), problems(&report)), (End::Complete, vec![denied.to_owned()]));
    assert_eq!(roles(&model, "Team Alpha"), [pair("PB", "responder")]);
    assert!(!state.group("g1").unwrap().members.contains_key("PA"));
    // Whoever may not be read is not removed.
    let (model, _, report) =
        after("GET /users/PA", &[DesiredGroup::new("g1", "Team Alpha"), beta()], Deletion::Keep);
    assert_eq!((problems(&report), model.teams["PT0001"].members.len()), (vec![denied.to_owned()], 1));
    // A team that is to go.
    let (model, state, report) = after("DELETE /teams/PT0001", &[beta()], Deletion::Delete);
    assert!(problems(&report).iter().all(|problem| problem == denied) && model.teams.len() == 2, "{report}");
    assert!(state.group("g1").is_some());
    // One that is to come.
    let (mut model, mut state) = (pagerduty().with_team("PX", "Team Beta", &[]), TeamState::default());
    model.forbidden.push("POST /teams");
    let report = run(&mut model, &config(), &[alpha(), beta()], &mut state);
    assert_eq!((problems(&report), roles(&model, "Team Beta").len()), (vec![denied.to_owned()], 1));
}
