#include "rules/action/tables.h"

namespace rules::action {

void add_tables(Catalogue& catalogue) {
  catalogue.add(accept_rows());
  catalogue.add(auth_rows());
  catalogue.add(capture_rows());
  catalogue.add(close_rows());
  catalogue.add(deny_rows());
  catalogue.add(do_log_rows());
  catalogue.add(early_hint_rows());
  catalogue.add(expect_proxy_rows());
  catalogue.add(header_rows());
  catalogue.add(headers_bin_rows());
  catalogue.add(map_rows());
  catalogue.add(normalize_uri_rows());
  catalogue.add(redirect_rows());
  catalogue.add(reject_rows());
  catalogue.add(replace_rows());
  catalogue.add(return_rows());
  catalogue.add(set_address_rows());
  catalogue.add(set_bandwidth_limit_rows());
  catalogue.add(set_log_level_rows());
  catalogue.add(set_mark_rows());
  catalogue.add(set_priority_rows());
  catalogue.add(set_retries_rows());
  catalogue.add(set_status_rows());
  catalogue.add(set_timeout_rows());
  catalogue.add(set_uri_rows());
  catalogue.add(set_var_rows());
  catalogue.add(silent_drop_rows());
  catalogue.add(stick_counter_rows());
  catalogue.add(strict_mode_rows());
  catalogue.add(switch_mode_rows());
  catalogue.add(track_sc_rows());
  catalogue.add(unavailable_rows());
  catalogue.add(use_service_rows());
  catalogue.add(wait_rows());
}

}  // namespace rules::action
