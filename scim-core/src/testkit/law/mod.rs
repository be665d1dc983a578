//! The laws every [`Store`] obeys, one function each.
//!
//! A law is given a [`Trial`](super::Trial) of a fresh store and says by its error how the store
//! breaks it.

use super::Law;
use crate::Store;

mod concurrency;
mod list;
mod member;
mod membership;
mod model;
mod nesting;
mod order;
mod size;
mod tenant;
mod text;
mod told;
mod unique;
mod write;

/// Names the laws once: for their paths, for [`all`], and for `store_contract!`.
macro_rules! laws {
    (
        ($d:tt)
        special { $($module:ident: $($law:ident)+;)+ }
        general { $general_module:ident: $($general:ident)+; }
    ) => {
        $(pub use $module::{$($law),+};)+
        pub use $general_module::{$($general),+};

        /// Every law, general ones last.
        pub fn all<S: Store>() -> Vec<Law<S>> {
            vec![
                $($(Law {
                    name: stringify!($law),
                    is_general: false,
                    test: |trial| Box::pin($law(trial)),
                },)+)+
                $(Law {
                    name: stringify!($general),
                    is_general: true,
                    test: |trial| Box::pin($general(trial)),
                },)+
            ]
        }

        /// Makes a test of each law of [`testkit`](crate::testkit), named after it.
        ///
        /// Before the function that makes a fresh store stand the attributes of the tests; behind
        /// it may stand what [`Trial::with_spawn`](crate::testkit::Trial::with_spawn) takes.
        ///
        /// ```
        /// mod contract {
        ///     use scim_core::MemoryStore;
        ///
        ///     async fn new_store() -> MemoryStore {
        ///         MemoryStore::new()
        ///     }
        ///
        ///     scim_core::store_contract!(
        ///         #[tokio::test(flavor = "multi_thread")]
        ///         new_store,
        ///         |task| {
        ///             let handle = tokio::spawn(task);
        ///             Box::pin(async { handle.await.unwrap() })
        ///         }
        ///     );
        /// }
        /// ```
        #[macro_export]
        macro_rules! store_contract {
            ($d(#[$d attribute:meta])+ $d new_store:expr $d(, $d spawn:expr)? $d(,)?) => {
                $($(
                    $d(#[$d attribute])+
                    async fn $law() {
                        let trial = $crate::testkit::Trial::new(stringify!($law), ($d new_store)().await);
                        $d(let trial = trial.with_spawn($d spawn);)?
                        if let Err(broken) = $crate::testkit::law::$law(&trial).await {
                            panic!("{broken}");
                        }
                    }
                )+)+
                $(
                    $d(#[$d attribute])+
                    async fn $general() {
                        let trial = $crate::testkit::Trial::new(stringify!($general), ($d new_store)().await);
                        $d(let trial = trial.with_spawn($d spawn);)?
                        if let Err(broken) = $crate::testkit::law::$general(&trial).await {
                            panic!("{broken}");
                        }
                    }
                )+
            };
        }
    };
}

laws! {
    ($)
    special {
    write:
        what_is_created_is_read
        an_id_is_had_once
        what_is_not_there_is_not_found
        a_replacement_is_the_whole_resource
        what_is_deleted_is_gone
        nothing_of_the_deleted_comes_back
        a_replace_on_another_version_is_refused
        a_change_on_another_version_is_refused
        a_delete_on_another_version_is_refused
        a_change_is_applied
        a_change_is_stamped
        a_change_on_any_version_is_made
        a_change_of_nothing_keeps_the_version
        a_delta_does_what_replacing_does
        a_member_that_is_replaced_keeps_what_is_immutable
        a_refused_write_leaves_everything
        missing_tells_what_is_not_there
        what_is_referred_to_must_be_there;
    unique:
        a_unique_value_is_had_once
        a_unique_value_is_compared_folded
        a_unique_value_is_compared_in_one_form
        ones_own_unique_value_is_not_in_the_way
        a_deleted_resource_frees_its_unique_values
        a_unique_value_given_up_is_free
        types_of_one_schema_share_its_unique_values;
    list:
        a_list_is_in_the_order_of_creation
        a_page_is_the_part_asked_for
        a_count_of_zero_asks_for_the_total
        any_window_is_answered
        pages_hold_still_while_others_write
        reads_carry_what_is_asked_for
        what_is_read_in_pieces_is_what_is_read
        a_filter_sees_what_the_projection_leaves_out
        a_filter_finds_what_evaluation_finds
        a_filter_finds_what_was_last_written;
    order:
        a_sorted_list_is_in_its_order
        cursors_lead_through_the_list_and_back
        pages_by_cursor_hold_still_while_others_write;
    membership:
        the_deleted_leave_their_groups
        a_group_that_is_left_has_a_new_version
        a_refused_deletion_leaves_the_memberships
        deletions_and_changes_of_a_group_all_take_effect
        no_member_is_added_that_is_deleted_meanwhile
        memberships_are_told
        members_are_counted_and_looked_up
        memberships_come_with_a_page
        a_filter_finds_who_is_in_groups;
    nesting:
        no_group_comes_to_be_in_itself
        no_circle_is_closed_together;
    member:
        members_keep_the_type_they_are_given
        missing_tells_types_apart
        what_is_deleted_meanwhile_is_not_read_in_part;
    told:
        who_goes_and_comes_is_noted;
    tenant:
        another_tenant_sees_nothing
        another_tenant_changes_nothing
        another_tenant_has_its_own_ids_and_names
        tenants_are_told_apart_exactly
        a_resource_type_is_apart_from_others;
    text:
        any_text_is_kept
        any_text_is_found
        a_filter_up_to_the_limits_is_answered;
    size:
        a_large_group_is_kept
        a_large_group_is_changed_by_members;
    concurrency:
        of_concurrent_creates_with_one_value_one_succeeds
        of_concurrent_creates_with_one_id_one_succeeds
        of_concurrent_writes_on_one_version_one_succeeds
        no_change_is_lost
        no_change_on_any_version_is_lost
        who_holds_a_resource_writes_it_first
        a_read_is_of_one_version;
    }
    general {
    model:
        any_sequence_of_writes_does_what_each_says;
    }
}
