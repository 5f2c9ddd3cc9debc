# One objective over 28 days, and the two alarms that its error budget is being used up too fast.
locals {
  requests = join(" ", [
    "metric.type=\"run.googleapis.com/request_count\" resource.type=\"cloud_run_revision\"",
    "resource.label.\"service_name\"=\"${coalesce(var.slo.availability_of, "-")}\"",
  ])

  # A rate of 1 uses the budget up in exactly 28 days. The short window ends the alarm soon after the trouble has ended.
  burns = {
    # 2 % of the budget in an hour.
    fast = { long = "3600s", short = "300s", rate = 14.4, severity = "CRITICAL" }
    # 5 % in six hours.
    slow = { long = "21600s", short = "1800s", rate = 6, severity = "WARNING" }
  }
}

resource "google_monitoring_slo" "slo" {
  service             = var.service
  slo_id              = var.slo.id
  display_name        = var.slo.display_name
  goal                = var.slo.goal
  rolling_period_days = 28

  request_based_sli {
    dynamic "good_total_ratio" {
      for_each = var.slo.availability_of[*]

      content {
        total_service_filter = local.requests
        bad_service_filter   = "${local.requests} metric.label.\"response_code_class\"=\"5xx\""
      }
    }

    dynamic "distribution_cut" {
      for_each = var.slo.latency[*]

      content {
        distribution_filter = "metric.type=\"${distribution_cut.value.metric}\" resource.type=\"cloud_run_revision\""

        range {
          max = distribution_cut.value.within_ms
        }
      }
    }
  }
}

resource "google_monitoring_alert_policy" "burn" {
  for_each = local.burns

  display_name          = "Admin API: ${var.slo.display_name}, budget burns ${each.key == "fast" ? "fast" : "slowly"}"
  combiner              = "AND"
  severity              = each.value.severity
  notification_channels = var.alerts.channels

  dynamic "conditions" {
    for_each = toset([each.value.long, each.value.short])

    content {
      display_name = "Burn rate over ${conditions.value} above ${each.value.rate}"

      condition_threshold {
        filter          = "select_slo_burn_rate(\"${google_monitoring_slo.slo.name}\", \"${conditions.value}\")"
        comparison      = "COMPARISON_GT"
        threshold_value = each.value.rate
        duration        = "0s"
      }
    }
  }

  documentation {
    mime_type = "text/markdown"
    subject   = "${var.slo.display_name}: the error budget burns"
    content   = "More requests fail the objective than the budget of 28 days allows. What to do: ${var.alerts.runbook_url}"
  }

  alert_strategy {
    auto_close = "86400s"
  }
}
