# What a person must look at. Each has a runbook of its name in the README.
locals {
  job          = "resource.type=\"cloud_run_job\""
  revision     = "resource.type=\"cloud_run_revision\""
  subscription = "resource.type=\"pubsub_subscription\" resource.label.\"subscription_id\"=one_of(\"anchor-retry\", \"batch-retry\", \"dead-letter\")"
  waiting      = "metric.type=\"pubsub.googleapis.com/subscription/oldest_unacked_message_age\" resource.type=\"pubsub_subscription\""
  failed_runs  = "metric.type=\"run.googleapis.com/job/completed_execution_count\" ${local.job} metric.label.\"result\"=\"failed\""
  database     = "resource.type=\"cloudsql_database\" resource.label.\"database_id\"=\"${local.env.project_id}:${local.env.database.instance}\""

  alerts = {
    database-busy = {
      title = "the database is busy", severity = "WARNING"
      text  = "Its processors are at work for more than 90 % of 15 minutes: requests wait, and soon fail."
      conditions = [{
        filter = "metric.type=\"cloudsql.googleapis.com/database/cpu/utilization\" ${local.database}"
        above  = 0.9, for = "900s", period = "60s", align = "ALIGN_MEAN", reduce = "REDUCE_MAX", by = []
      }]
    }
    database-connections = {
      title = "the database is running out of connections", severity = "CRITICAL"
      text  = "More than 80 % of max_connections are taken. Beyond it, all services of this database fail to connect."
      conditions = [{
        filter = "metric.type=\"cloudsql.googleapis.com/database/postgresql/num_backends\" ${local.database}"
        above  = floor(local.env.database.max_connections * 0.8), for = "300s", period = "60s", align = "ALIGN_MAX", reduce = "REDUCE_SUM", by = []
      }]
    }
    dead-letters = {
      title = "a retry was given up", severity = "WARNING"
      text  = "Factory or Blockchain did not take a command as often as Pub/Sub tries, or the worker does not take what says so."
      conditions = [
        {
          filter = "metric.type=\"pubsub.googleapis.com/subscription/dead_letter_message_count\" ${local.subscription}"
          above  = 0, for = "0s", period = "300s", align = "ALIGN_DELTA", reduce = "REDUCE_SUM", by = ["resource.label.subscription_id"]
        },
        {
          filter = "${local.waiting} resource.label.\"subscription_id\"=\"dead-letter\""
          above  = 900, for = "300s", period = "60s", align = "ALIGN_MAX", reduce = "REDUCE_MAX", by = []
        },
      ]
    }
    failed-logins = {
      title = "many logins fail", severity = "WARNING"
      text  = "More than 100 logins in 5 minutes failed or were throttled: somebody guesses passwords, or a client has a wrong one."
      conditions = [{
        filter = "metric.type=\"${local.metric["failed_logins"]}\" ${local.revision}"
        above  = 100, for = "0s", period = "300s", align = "ALIGN_DELTA", reduce = "REDUCE_SUM", by = []
      }]
    }
    fold-lag = {
      title = "scans are not counted", severity = "WARNING"
      text  = "A scan waited for more than 15 minutes to be counted. Analytics stay exact, and get slower."
      conditions = [{
        filter = "metric.type=\"${local.metric["fold_lag"]}\" ${local.job}"
        above  = 900, for = "120s", period = "60s", align = "ALIGN_PERCENTILE_99", reduce = "REDUCE_MAX", by = []
      }]
    }
    job-failed = {
      title = "a job fails", severity = "WARNING"
      text  = "A job ended with an error three times within 10 minutes. Once is made good by the next run."
      conditions = [{
        filter = "${local.failed_runs} resource.label.\"job_name\"=starts_with(\"admin-api-\")"
        above  = 2, for = "0s", period = "600s", align = "ALIGN_DELTA", reduce = "REDUCE_SUM", by = ["resource.label.job_name"]
      }]
    }
    outbox-lag = {
      title = "messages are not published", severity = "CRITICAL"
      text  = "A message of the outbox is older than 5 minutes: a retry that an admin was promised does not happen."
      conditions = [{
        filter = "metric.type=\"${local.metric["outbox_lag"]}\" ${local.job}"
        above  = 300, for = "0s", period = "60s", align = "ALIGN_PERCENTILE_99", reduce = "REDUCE_MAX", by = []
      }]
    }
    retries-waiting = {
      title = "retries wait", severity = "WARNING"
      text  = "A retry is pushed again and again for 30 minutes: its neighbour does not answer, or the worker refuses the push."
      conditions = [{
        filter = "${local.waiting} resource.label.\"subscription_id\"=one_of(\"anchor-retry\", \"batch-retry\")"
        above  = 1800, for = "0s", period = "60s", align = "ALIGN_MAX", reduce = "REDUCE_MAX", by = ["resource.label.subscription_id"]
      }]
    }
    seal-lag = {
      title = "the audit log is not sealed", severity = "CRITICAL"
      text  = "An entry waited for more than 15 minutes for its number. What is not sealed can be changed without leaving a trace."
      conditions = [{
        filter = "metric.type=\"${local.metric["seal_lag"]}\" ${local.job}"
        above  = 900, for = "120s", period = "60s", align = "ALIGN_PERCENTILE_99", reduce = "REDUCE_MAX", by = []
      }]
    }
  }
}

resource "google_monitoring_alert_policy" "alert" {
  for_each = local.alerts

  display_name          = "Admin API: ${each.value.title}"
  combiner              = "OR"
  severity              = each.value.severity
  notification_channels = local.channels

  dynamic "conditions" {
    for_each = each.value.conditions

    content {
      display_name = "above ${conditions.value.above}"

      condition_threshold {
        filter          = conditions.value.filter
        comparison      = "COMPARISON_GT"
        threshold_value = conditions.value.above
        duration        = conditions.value.for

        aggregations {
          alignment_period     = conditions.value.period
          per_series_aligner   = conditions.value.align
          cross_series_reducer = conditions.value.reduce
          group_by_fields      = conditions.value.by
        }
      }
    }
  }

  documentation {
    mime_type = "text/markdown"
    subject   = "Admin API: ${each.value.title}"
    content   = "${each.value.text} What to do: ${local.runbooks}-${each.key}"
  }

  alert_strategy {
    auto_close = "86400s"
  }
}

# Without `jobs measure` the three lags are unknown, which looks like all is well.
resource "google_monitoring_alert_policy" "measure_silent" {
  display_name          = "Admin API: nothing is measured"
  combiner              = "OR"
  severity              = "WARNING"
  notification_channels = local.channels

  conditions {
    display_name = "no measurement for 10 minutes"

    condition_absent {
      filter   = "metric.type=\"${local.metric["measurements"]}\" ${local.job}"
      duration = "600s"

      aggregations {
        alignment_period     = "60s"
        per_series_aligner   = "ALIGN_DELTA"
        cross_series_reducer = "REDUCE_SUM"
      }
    }
  }

  documentation {
    mime_type = "text/markdown"
    subject   = "Admin API: nothing is measured"
    content   = "`jobs measure` said nothing for 10 minutes, so nobody would notice a lag. What to do: ${local.runbooks}-measure-silent"
  }

  alert_strategy {
    auto_close = "86400s"
  }
}
