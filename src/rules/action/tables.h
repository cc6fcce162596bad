// The actions, one file each; listed here and nowhere else.
#pragma once

#include <span>

#include "rules/action.h"

namespace rules::action {

std::span<const ActionRow> accept_rows();
std::span<const ActionRow> auth_rows();
std::span<const ActionRow> capture_rows();
std::span<const ActionRow> close_rows();
std::span<const ActionRow> deny_rows();
std::span<const ActionRow> do_log_rows();
std::span<const ActionRow> early_hint_rows();
std::span<const ActionRow> expect_proxy_rows();
std::span<const ActionRow> header_rows();
std::span<const ActionRow> headers_bin_rows();
std::span<const ActionRow> map_rows();
std::span<const ActionRow> normalize_uri_rows();
std::span<const ActionRow> redirect_rows();
std::span<const ActionRow> reject_rows();
std::span<const ActionRow> replace_rows();
std::span<const ActionRow> return_rows();
std::span<const ActionRow> set_address_rows();
std::span<const ActionRow> set_bandwidth_limit_rows();
std::span<const ActionRow> set_log_level_rows();
std::span<const ActionRow> set_mark_rows();
std::span<const ActionRow> set_priority_rows();
std::span<const ActionRow> set_retries_rows();
std::span<const ActionRow> set_status_rows();
std::span<const ActionRow> set_timeout_rows();
std::span<const ActionRow> set_uri_rows();
std::span<const ActionRow> set_var_rows();
std::span<const ActionRow> silent_drop_rows();
std::span<const ActionRow> stick_counter_rows();
std::span<const ActionRow> strict_mode_rows();
std::span<const ActionRow> switch_mode_rows();
std::span<const ActionRow> track_sc_rows();
std::span<const ActionRow> unavailable_rows();
std::span<const ActionRow> use_service_rows();
std::span<const ActionRow> wait_rows();

void add_tables(Catalogue& catalogue);

}  // namespace rules::action
