"""Where each fault of SYNC.md §6.3 is tested. Names are checked below: a test that is renamed is renamed here.

F1   killed at every change of the disk (bench)     station/store/test_crash.py::test_killed_at_every_change_of_one_unit
     control                                        station/store/test_crash.py::test_control_a_missing_flush_is_found
     at random, and with a server                   station/store/test_crash.py::test_killed_at_random
                                                    sync/test_exactly_once.py::test_the_bench_killed_anywhere_sends_the_rest_after_its_restart
F2   killed in a migration, bench and server        station/store/test_migrations.py
                                                    sync/test_server.py::test_a_migration_that_is_killed_leaves_nothing_half_done
     control: no transaction                        sync/operations/test_migration_kill.py::test_control_without_its_transaction_it_is_neither
F3   power cut                                      station/store/test_crash.py::test_power_cut_loses_nothing_that_was_promised
     control: NORMAL must lose                      station/store/test_crash.py::test_control_synchronous_normal_loses_promised_entries
F4   bench's disk full                              station/store/test_disk_full.py::test_the_reserve_lets_the_parcel_be_finished
     control: no reserve                            station/store/test_disk_full.py::test_control_without_the_reserve_the_parcel_in_hand_is_what_fails
F5   server's disk full                             faults/test_database.py::test_a_disk_that_is_full_or_broken_acknowledges_nothing_and_heals_by_itself
                                                    faults/test_database.py::test_a_full_photo_folder_is_said_with_507_and_records_go_on
     control: nobody looks whether it was written   faults/test_database.py::test_control_a_centre_that_does_not_look_whether_it_could_write_is_found_out
     PostgreSQL, its disk really full               faults/test_postgres_full.py::test_a_postgresql_whose_disk_is_full_acknowledges_nothing_and_heals_by_itself
F6   I/O errors                                     station/store/test_crash.py::test_a_failed_flush_is_never_acknowledged_unless_it_is_there
                                                    faults/test_database.py::test_whatever_postgresql_says_nothing_is_acknowledged_and_the_right_one_is_blamed
     control: a flush that never was                station/store/test_crash.py::test_control_a_missing_flush_is_found
F7   slow disk                                      faults/test_storm.py::test_while_the_disk_takes_its_time_the_bench_is_read_and_nothing_is_refused
     control: reading on the writer's connection    faults/test_storm.py::test_control_a_reader_on_the_writers_own_connection_waits_for_the_disk
     the centre's                                   faults/test_database.py::test_while_the_centres_disk_takes_its_time_others_are_answered_and_nothing_counts
     control: one thread for all                    faults/test_database.py::test_control_with_one_thread_for_all_a_slow_disk_stops_every_answer
F8   damaged files                                  station/store/test_opening.py::test_a_damaged_wal_is_noticed_kept_and_a_new_generation_begins
                                                    station/store/test_opening.py::test_what_is_not_a_database_is_said_so
                                                    station/store/test_proof.py::test_a_flipped_byte_anywhere_in_the_journals_pages_is_noticed
     control: SQLite's own check                    station/store/test_opening.py::test_control_sqlite_alone_loses_the_damaged_end_without_a_word
F9   copies and clones                              station/store/test_opening.py::test_yesterdays_copy_begins_a_new_generation
                                                    faults/test_machines.py::test_a_cloned_disk_keeps_both_machines_work
     control: nobody compares the chains            sync/access/test_generations.py::test_without_lineage_the_copy_would_go_on_beside_the_truth
F10  clocks                                         faults/test_machines.py::test_no_clock_changes_what_is_kept_nor_its_order
                                                    faults/test_machines.py::test_a_wall_clock_that_jumps_in_the_middle_of_a_shift_stops_nothing
     and its control: waiting by the wall clock     faults/test_machines.py::test_a_bench_does_not_wait_for_the_day_that_its_clock_was_set_back
F11  lost, cut, doubled, delayed                    faults/test_kills.py::test_through_a_hostile_network_and_kills_everything_arrives_once
     control: no unique key                         sync/test_exactly_once.py::test_the_checker_sees_doubles_when_the_constraint_is_missing
     the look-ahead, and its controls               faults/test_lookahead.py::test_no_schedule_breaks_the_look_ahead
                                                    faults/test_lookahead.py::test_control_a_loop_that_trusts_too_much_is_found_out
F12  server killed anywhere in a push               faults/test_kills.py::test_a_server_that_dies_in_a_push_has_taken_all_of_it_or_nothing
     control: counting what was only sent           faults/test_kills.py::test_control_acknowledging_before_the_answer_is_found_out
F13  portals, 429, HTML, garbage                    faults/test_network.py::test_between_two_true_answers_a_lie_acknowledges_nothing
                                                    sync/test_loop.py::test_a_wrong_answer_acknowledges_nothing_and_the_line_heals
     control: any 200 will do                       faults/test_network.py::test_control_a_client_that_takes_any_200_is_found_out
F14  poison                                         faults/test_poison.py::test_a_bad_entry_is_judged_alone_and_alike_by_both_databases
                                                    sync/test_loop.py::test_a_poison_entry_ends_alone_and_stays_here
     control                                        faults/test_poison.py::test_control_what_slips_past_the_judge_stops_one_database_only
F15  photos                                         sync/test_loop.py::test_a_lost_photo_is_noted_and_delays_nothing
                                                    sync/test_server.py::test_bytes_that_are_not_this_photo_are_refused_and_leave_nothing
                                                    faults/test_network.py::test_on_a_narrow_line_a_record_overtakes_the_photos
     a backlog of ten thousand (--slow)             faults/test_machines.py::test_a_backlog_of_photos_holds_up_no_record_and_all_arrive
     and its control: any bytes will do             faults/test_machines.py::test_a_photo_that_changed_on_its_way_is_never_under_its_name
F16  two benches, one unit                          sync/units/test_two_benches.py::test_the_same_unit_at_two_benches
                                                    sync/units/test_units.py::test_every_order_of_pushes_ends_in_the_same_state
     control: the last one wins                     faults/test_machines.py::test_control_where_the_last_one_wins_the_order_of_arrival_decides
F17  revoked with work pending                      sync/access/test_revoked.py::test_revoked_while_500_are_pending
     control: who was let in once                   sync/access/test_revoked.py::test_control_a_server_that_remembers_whom_it_let_in_takes_what_comes_after
F18  people and roles                               sync/people/test_people.py::test_a_record_is_judged_by_the_roles_at_its_own_time
     control: the roles of the arrival              sync/people/test_people.py::test_control_judged_by_the_roles_of_the_arrival_honest_work_would_be_flagged
F19  schema skew                                    sync/test_golden.py::test_entries_of_every_version_are_judged_as_ever
     two releases, each way                         sync/test_releases.py::test_the_centre_of_then_can_read_it_or_says_that_it_is_too_old
     quarantined, then read again                   sync/test_releases.py::test_what_the_centre_of_then_could_not_read_takes_effect_after_its_update
     control: a shape that changed unsaid           sync/test_releases.py::test_control_a_shape_that_changed_under_the_same_schema_would_be_refused_then
F20  centre restored                                faults/test_machines.py::test_a_centre_restored_while_a_backlog_is_sent_is_filled_up
                                                    sync/test_loop.py::test_a_restored_server_is_filled_up_again
     PostgreSQL                                     faults/test_machines.py::test_a_postgresql_put_back_to_yesterday_is_filled_up
     control: no new epoch, nothing compared        sync/operations/test_transfer.py::test_without_a_new_epoch_benches_would_keep_silent
F21  the feed's horizon                             sync/test_feed_client.py::test_a_bench_that_was_off_for_four_months_fetches_anew
     killed in the swap                             station/store/test_feed.py::test_killed_at_any_statement_of_a_swap
     control                                        station/store/test_feed.py::test_the_control_a_swap_in_two_transactions_is_seen_halved
     control: a sequence as a cursor                sync/test_feed.py::test_control_a_sequence_as_a_cursor_loses_a_row
F22  storm                                          faults/test_storm.py::test_a_storm_loses_nothing_and_the_bench_at_work_gets_through
     control: no jitter                             faults/test_storm.py::test_control_without_jitter_all_come_at_once
F23  PostgreSQL crashed, locked, shut               faults/test_database.py::test_postgresql_crashes_under_the_server_and_nothing_is_lost
     restarted in the middle of a push              faults/test_database.py::test_postgresql_restarted_in_the_middle_of_a_push_keeps_all_of_it_or_nothing
                                                    faults/test_database.py::test_a_lock_that_somebody_holds_stops_its_own_bench_only
                                                    faults/test_database.py::test_a_database_that_throws_everybody_out_is_come_back_to
                                                    faults/test_database.py::test_the_same_entries_sent_six_times_at_once_have_one_effect
     control: no limit on locks                     faults/test_database.py::test_control_without_a_limit_a_held_lock_holds_the_bench
F24  downstream hostility                           sync/downstream/test_dispatcher.py::test_a_name_that_points_inwards_is_never_connected_to
     control                                        sync/downstream/test_dispatcher.py::test_negative_control_resolving_twice_would_connect_inwards
F25  two programs on one home                       station/store/test_opening.py::test_a_second_program_is_refused_until_the_first_dies
                                                    sync/test_server.py::test_a_second_server_on_the_same_home_is_refused
     control: no lock                               station/store/test_opening.py::test_control_without_the_lock_two_programs_write_one_chain
F26  flapping, narrow line                          faults/test_network.py::test_a_line_that_comes_and_goes_makes_steady_progress
     a record behind photos, and its control        faults/test_liveness.py::test_on_a_slow_line_a_record_waits_for_one_photo_at_most
     control: photos first                          faults/test_liveness.py::test_control_with_photos_first_a_record_waits_for_all_of_them
     control: no back-off                           faults/test_liveness.py::test_control_without_a_back_off_it_is
F27  tampering                                      station/store/test_proof.py::test_a_tampered_entry_is_named
     control                                        faults/test_machines.py::test_control_the_checker_names_what_was_tampered_with
F28  files that others hold                         faults/test_machines.py::test_a_rename_that_is_refused_for_a_moment_is_tried_again
                                                    faults/test_machines.py::test_a_photo_that_another_program_holds_waits_and_is_not_lost
     control                                        faults/test_machines.py::test_control_a_rename_that_is_refused_for_good_is_an_error_soon

The checker of the invariants, with what it looks at: ``tests/faults/invariants.py``.
"""  # noqa: E501

from __future__ import annotations

import ast
import re
from pathlib import Path

TESTS = Path(__file__).resolve().parent.parent


def rows() -> list[str]:
    assert __doc__ is not None
    return __doc__.partition("\n\n")[2].partition("\n\nThe checker")[0].splitlines()


def test_every_fault_has_a_test_that_exists() -> None:
    faults = {found.group() for row in rows() if (found := re.match(r"F\d+", row))}
    assert faults == {f"F{number}" for number in range(1, 29)}
    for row in rows():
        file, _, name = row.split()[-1].partition("::")
        tree = ast.parse((TESTS / file).read_text())
        functions = {node.name for node in tree.body if isinstance(node, ast.FunctionDef)}
        assert name in functions or not name, row


def test_every_fault_has_a_control_that_takes_its_safety_away() -> None:
    fault, controlled = "", set()
    for row in rows():
        fault = found.group() if (found := re.match(r"F\d+", row)) else fault
        if "control" in row[:52].split(":")[0] and "::" in row:
            controlled.add(fault)
    assert controlled == {f"F{number}" for number in range(1, 29)}
