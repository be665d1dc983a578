//! Each rule of the bridge beside a test in which it is kept, and one in which what it does not permit, or what is
//! not as it says, comes to something else. The tests are named as functions, so that none can be missing.

use scim_profiles::guard;
use scim_profiles::pagerduty::teams::RULES;

use crate::{
    answers, configuration, exchanged, found, gone, guards, lost_answers, members, roles, tokens, wire,
};

type Test = fn();

/// The rule, where it is kept, and where it stands against something.
const ROWS: &[(&str, Test, Test)] = &[
    ("team-name", found::a_team_is_created_with_its_members, found::a_team_is_renamed_with_its_group),
    (
        "team-name-blanks",
        found::blanks_around_a_name_make_no_other_name,
        found::blanks_around_a_name_make_no_other_name,
    ),
    (
        "team-name-length",
        found::a_team_is_created_with_its_members,
        found::a_name_no_team_can_have_holds_nothing_else_up,
    ),
    (
        "group-name",
        found::a_group_that_can_never_be_a_team_is_refused,
        found::a_group_that_can_never_be_a_team_is_refused,
    ),
    (
        "team-description-length",
        configuration::a_description_is_expanded_once_and_checked,
        configuration::a_description_is_expanded_once_and_checked,
    ),
    (
        "team-description-kept",
        wire::a_rename_keeps_the_description,
        lost_answers::a_team_of_another_description_did_not_come_of_the_creation,
    ),
    (
        "team-found-by-name",
        members::who_leaves_the_group_is_removed_and_who_was_there_is_not,
        found::a_team_that_is_there_can_be_left_alone,
    ),
    (
        "team-ambiguous",
        found::lists_are_read_page_by_page,
        found::of_several_teams_with_the_name_none_is_taken,
    ),
    (
        "team-same-name",
        found::a_team_is_created_with_its_members,
        found::groups_with_the_same_name_get_no_team_unless_it_is_known_whose_it_is,
    ),
    (
        "team-renamed",
        found::a_team_is_renamed_with_its_group,
        found::a_name_that_becomes_free_is_taken_in_the_same_run,
    ),
    (
        "team-names-exchanged",
        exchanged::teams_whose_groups_exchange_their_names_do_too,
        found::a_name_that_becomes_free_is_taken_in_the_same_run,
    ),
    (
        "team-lost",
        found::a_team_that_is_deleted_in_pagerduty_is_made_again,
        answers::somebody_elses_404_loses_no_team,
    ),
    (
        "team-taken-over",
        gone::a_group_that_was_made_anew_takes_the_team_over,
        gone::a_team_of_another_group_is_not_adopted,
    ),
    (
        "team-missing",
        found::a_team_that_is_deleted_in_pagerduty_is_made_again,
        answers::somebody_elses_404_loses_no_team,
    ),
    (
        "team-associations",
        gone::the_team_of_a_group_that_is_gone_stays_is_emptied_or_deleted,
        gone::a_team_to_which_something_belongs_is_emptied_and_deleted_later,
    ),
    (
        "team-others-kept",
        gone::the_team_of_a_group_that_is_gone_stays_is_emptied_or_deleted,
        gone::a_team_of_others_is_not_deleted,
    ),
    (
        "user-by-email",
        found::a_team_is_created_with_its_members,
        members::somebody_unknown_is_added_when_they_appear,
    ),
    (
        "user-exists-first",
        found::a_team_is_created_with_its_members,
        members::somebody_unknown_is_added_when_they_appear,
    ),
    (
        "user-email-length",
        found::a_team_is_created_with_its_members,
        members::somebody_unknown_is_added_when_they_appear,
    ),
    (
        "member-removed",
        members::who_leaves_the_group_is_removed_and_who_was_there_is_not,
        members::two_of_the_group_can_be_one_user,
    ),
    (
        "member-deactivated",
        members::who_is_deactivated_leaves_the_team_and_comes_back,
        guards::a_user_is_protected_by_what_only_the_directory_knows,
    ),
    (
        "member-verified",
        members::who_leaves_the_group_is_removed_and_who_was_there_is_not,
        members::whoever_has_the_address_of_a_member_by_now_is_not_removed,
    ),
    (
        "member-late",
        lost_answers::a_member_whose_addition_is_late_is_removed_by_a_later_run,
        lost_answers::whoever_is_added_by_hand_after_their_removal_stays,
    ),
    (
        "member-not-found-kept",
        members::who_leaves_the_group_is_removed_and_who_was_there_is_not,
        members::whom_nobody_finds_any_more_is_not_removed,
    ),
    (
        "member-stakeholder",
        roles::of_a_stakeholder_pagerduty_need_not_be_asked,
        roles::a_stakeholder_is_passed_over,
    ),
    (
        "member-on-escalation-policy",
        members::who_leaves_the_group_is_removed_and_who_was_there_is_not,
        members::somebody_on_an_escalation_policy_stays_and_is_told,
    ),
    (
        "role-fixed",
        roles::a_fixed_account_role_can_be_given_a_role_on_the_team,
        roles::a_fixed_account_role_is_left_alone,
    ),
    (
        "role-by-hand",
        roles::a_role_changed_by_hand_is_put_back,
        guards::a_protected_user_gets_no_lower_role_on_a_team,
    ),
    (
        "role-late",
        roles::a_role_that_shows_late_is_waited_for,
        roles::a_role_that_pagerduty_does_not_change_is_set_once,
    ),
    (
        "role-kept",
        lost_answers::a_role_that_pagerduty_does_not_change_is_set_twice,
        lost_answers::a_role_that_a_late_request_overtook_is_set_again,
    ),
    ("pages", found::lists_are_read_page_by_page, answers::answers_that_are_none_are_told_apart),
    (
        "pages-end",
        found::lists_are_read_page_by_page,
        answers::of_more_than_pagerduty_lists_nothing_is_concluded,
    ),
    ("serial", wire::requests_are_those_of_the_fixtures, answers::the_rate_limit_is_waited_for),
    ("rate-limit", answers::the_rate_limit_is_waited_for, answers::the_rate_limit_is_waited_for),
    (
        "missing-ability",
        found::a_team_is_created_with_its_members,
        answers::what_concerns_everything_ends_the_run,
    ),
    (
        "forbidden",
        found::a_team_is_created_with_its_members,
        found::what_is_forbidden_for_one_is_reported_for_that_one,
    ),
    (
        "forbidden-all",
        found::what_is_forbidden_for_one_is_reported_for_that_one,
        answers::what_concerns_everything_ends_the_run,
    ),
    (
        "unauthorized",
        tokens::a_token_is_asked_for_and_renewed_before_it_ends,
        tokens::a_token_that_is_not_accepted_is_renewed_once,
    ),
    (
        "scopes-dropped",
        tokens::a_token_is_asked_for_and_renewed_before_it_ends,
        tokens::a_token_without_the_scopes_is_refused,
    ),
    (
        "token-renewed",
        tokens::a_token_is_asked_for_and_renewed_before_it_ends,
        tokens::a_token_that_is_not_accepted_is_renewed_once,
    ),
    (
        "unknown-outcome",
        lost_answers::a_removal_that_was_not_answered_is_one,
        lost_answers::a_creation_that_is_refused_is_not_waited_for,
    ),
    (
        "write-ahead",
        lost_answers::a_team_whose_creation_was_not_answered_is_the_bridges_own,
        lost_answers::a_team_of_another_description_did_not_come_of_the_creation,
    ),
];

/// The guards that only the bridge has.
const GUARDS: &[(&str, Test, Test)] = &[
    (
        "guard-team-removals",
        guards::what_pagerduty_refuses_does_not_count,
        guards::a_group_that_is_emptied_by_mistake_does_not_empty_its_team,
    ),
    (
        "guard-team-role-downgrades",
        guards::a_lower_role_that_pagerduty_refuses_does_not_count,
        guards::lower_roles_on_teams_are_counted,
    ),
    (
        "guard-team-deletions",
        guards::teams_are_deleted_up_to_a_ceiling,
        guards::teams_are_deleted_up_to_a_ceiling,
    ),
];

#[test]
fn every_rule_is_kept_by_a_test_and_stands_against_something_in_one() {
    let ids = |rows: &[(&'static str, Test, Test)]| rows.iter().map(|(id, ..)| *id).collect::<Vec<_>>();
    let rules: Vec<_> = RULES.iter().map(|row| row.id).collect();
    let mut named = ids(ROWS);
    assert_eq!(named.len(), rules.len());
    named.retain(|id| !rules.contains(id));
    assert_eq!(named, [""; 0]);
    assert!(rules.iter().all(|id| ids(ROWS).contains(id)), "{rules:?}");
    let guards = guard::RULES.iter().map(|row| row.id).filter(|id| id.starts_with("guard-team-"));
    assert_eq!(guards.collect::<Vec<_>>(), ids(GUARDS));
}
