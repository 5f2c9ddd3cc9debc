mock_provider "google" {}

variables {
  service = "admin-api"
  alerts  = { channels = ["projects/p/notificationChannels/1"], runbook_url = "https://example.com/README.md#runbook-availability" }
  slo     = { id = "availability-users", display_name = "users answers", goal = 0.999, availability_of = "admin-api-users" }
}

run "availability_counts_what_is_not_5xx" {
  command = plan

  assert {
    condition = (
      google_monitoring_slo.slo.goal == 0.999 &&
      strcontains(google_monitoring_slo.slo.request_based_sli[0].good_total_ratio[0].total_service_filter, "\"admin-api-users\"") &&
      endswith(google_monitoring_slo.slo.request_based_sli[0].good_total_ratio[0].bad_service_filter, "\"5xx\"") &&
      length(google_monitoring_slo.slo.request_based_sli[0].distribution_cut) == 0
    )
    error_message = "Not the share of requests to that service that do not end with 5xx."
  }
}

run "latency_counts_what_is_quick_enough" {
  command = plan

  variables {
    slo = { id = "latency-read", display_name = "reads are quick", goal = 0.99, latency = { metric = "logging.googleapis.com/user/x", within_ms = 500 } }
  }

  assert {
    condition = (
      google_monitoring_slo.slo.request_based_sli[0].distribution_cut[0].range[0].max == 500 &&
      length(google_monitoring_slo.slo.request_based_sli[0].good_total_ratio) == 0
    )
    error_message = "Not the share of requests within the limit."
  }
}

run "each_alarm_needs_both_windows_and_says_what_to_do" {
  command = plan

  assert {
    condition = alltrue([
      for policy in google_monitoring_alert_policy.burn : policy.combiner == "AND" && length(policy.conditions) == 2
    ])
    error_message = "One window alone rings too late or too long."
  }
  assert {
    condition = alltrue([
      for policy in google_monitoring_alert_policy.burn : strcontains(policy.documentation[0].content, "#runbook-availability")
    ])
    error_message = "An alarm without a runbook."
  }
}

run "an_objective_without_a_budget_is_refused" {
  command = plan

  variables {
    slo = merge(var.slo, { goal = 1 })
  }

  expect_failures = [var.slo]
}

run "an_objective_about_nothing_is_refused" {
  command = plan

  variables {
    slo = { id = "x", display_name = "x", goal = 0.9 }
  }

  expect_failures = [var.slo]
}
