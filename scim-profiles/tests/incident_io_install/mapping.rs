//! What groups give, and how they are told.

use scim_profiles::incident_io::{
    Action, BaseRole, GroupNames, MappingError, OnCallSeat, Options, Preview, Problem, RoleMapping, Standing,
    Workspace,
};

use super::{actions, directory, mapping, row};

/// "I don't need to define any mapping for this case, as this is the default."
#[test]
pub(crate) fn whom_no_group_maps_is_a_standard_viewer() {
    let workspace = Workspace::default();
    let directory = directory(&["ann"], &[("Engineers", &["ann"])]);
    let mapping = mapping();
    let preview = Preview::new(&workspace, &directory, &mapping);
    assert_eq!(*row(&preview, "ann"), Standing::default());
    assert_eq!(row(&preview, "ann").seats.to_string(), "viewer");
    assert_eq!(actions(&preview), [("ann".to_owned(), vec![Action::Create])]);
}

/// The highest base role and all custom roles of several groups; a paid seat for admins and owners.
#[test]
pub(crate) fn several_groups_add_up() {
    let workspace = Workspace::default();
    let groups: &[(&str, &[&str])] = &[
        ("Incident Managers", &["ann", "bea"]),
        ("IT", &["ann"]),
        ("Platform", &["ann"]),
        ("SRE", &["bea", "cid"]),
    ];
    let directory = directory(&["ann", "bea", "cid"], groups);
    let mapping = mapping();
    let preview = Preview::new(&workspace, &directory, &mapping);
    let ann = row(&preview, "ann");
    assert_eq!((ann.base_role, ann.custom_roles.len(), ann.seats.response), (BaseRole::Owner, 1, true));
    let bea = row(&preview, "bea");
    // One seat by each group, whichever comes first.
    assert_eq!((bea.base_role, bea.seats.to_string().as_str()), (BaseRole::Admin, "responder + on-call"));
    let cid = row(&preview, "cid");
    assert_eq!((cid.base_role, cid.seats.on_call), (BaseRole::Standard, OnCallSeat::Managed));
}

/// A mapping whose groups are spelled otherwise than the directory's gives nothing, and says so; in any case
/// it gives the same as if they were spelled alike.
#[test]
pub(crate) fn names_of_groups_count_as_the_option_says() {
    let groups: &[(&str, &[&str])] =
        &[("PLATFORM", &["ann"]), ("platform", &["bea"]), ("incident managers", &["cid"]), ("SRE", &["cid"])];
    let directory = directory(&["ann", "bea", "cid"], groups);
    let workspace = Workspace::default();
    let exact = mapping();
    let preview = Preview::new(&workspace, &directory, &exact);
    assert_eq!(
        preview.problems(),
        [
            Problem::NoSuchGroup("IT"),
            Problem::OtherCase("Incident Managers", "incident managers"),
            Problem::OtherCase("Platform", "PLATFORM"),
        ]
    );
    assert_eq!(
        preview.problems()[1].to_string(),
        "the mapped group `Incident Managers` is not in the directory, which has `incident managers`: names of \
         groups count with their case"
    );
    let roles = |preview: &Preview<'_>| ["ann", "bea", "cid"].map(|name| row(preview, name).base_role);
    assert_eq!(roles(&preview), [BaseRole::Standard; 3]);

    let mut options = Options::default();
    options.group_names = GroupNames::AnyCase;
    let any_case = exact.with_options(options);
    let preview = Preview::new(&workspace, &directory, &any_case);
    assert_eq!(preview.problems(), [Problem::NoSuchGroup("IT"), Problem::SameGroupName("Platform")]);
    assert_eq!(roles(&preview), [BaseRole::Owner, BaseRole::Owner, BaseRole::Admin]);
    // Two spellings of one name give what both are mapped to.
    let twice = any_case.with_on_call("PlatForm");
    assert_eq!(twice.resolve(["platform"]), twice.resolve(["Platform"]));
    assert_eq!(
        twice.group("PLATFORM").map(|access| (access.base_role, access.on_call)),
        Some((BaseRole::Owner, true))
    );
}

#[test]
fn a_mapping_that_means_nothing_is_refused() {
    let roles = RoleMapping::new().with_custom_role("Security", ["x"]).unwrap();
    let texts = [
        roles.clone().with_custom_role("Security", ["y"]),
        roles.clone().with_custom_role("Owner", ["y"]),
        roles.with_custom_role_of("IT", "Safety"),
    ]
    .map(|result: Result<RoleMapping, MappingError>| result.unwrap_err().to_string());
    assert_eq!(
        texts,
        [
            "the custom role `Security` is defined twice",
            "`Owner` is a base role and cannot be the name of a custom role",
            "the group `IT` is mapped to the custom role `Safety`, which is not defined",
        ]
    );
}
