# One page: what clients see, what waits, and what both stand on.
locals {
  services = "resource.type=\"cloud_run_revision\" resource.label.\"service_name\"=starts_with(\"admin-api-\")"

  charts = [
    { title = "Requests a second, by function", unit = "1/s", align = "ALIGN_RATE", reduce = "REDUCE_SUM", by = ["resource.label.service_name"],
    filters = ["metric.type=\"run.googleapis.com/request_count\" ${local.services}"] },
    { title = "5xx a second, by function", unit = "1/s", align = "ALIGN_RATE", reduce = "REDUCE_SUM", by = ["resource.label.service_name"],
    filters = ["metric.type=\"run.googleapis.com/request_count\" ${local.services} metric.label.\"response_code_class\"=\"5xx\""] },
    { title = "95th percentile of latency, by function", unit = "ms", align = "ALIGN_DELTA", reduce = "REDUCE_PERCENTILE_95", by = ["resource.label.service_name"],
    filters = ["metric.type=\"run.googleapis.com/request_latencies\" ${local.services}"] },
    { title = "95th percentile of latency, by class of routes", unit = "ms", align = "ALIGN_DELTA", reduce = "REDUCE_PERCENTILE_95", by = [],
    filters = [for class in keys(local.route_classes) : "metric.type=\"${local.metric["latency_${class}"]}\" ${local.revision}"] },
    { title = "Instances, by function", unit = "1", align = "ALIGN_MAX", reduce = "REDUCE_SUM", by = ["resource.label.service_name"],
    filters = ["metric.type=\"run.googleapis.com/container/instance_count\" ${local.services}"] },
    { title = "Failed logins in 5 minutes", unit = "1", align = "ALIGN_DELTA", reduce = "REDUCE_SUM", by = [],
    filters = ["metric.type=\"${local.metric["failed_logins"]}\" ${local.revision}"] },
    { title = "Lag of outbox, fold and seal", unit = "s", align = "ALIGN_DELTA", reduce = "REDUCE_PERCENTILE_99", by = [],
    filters = [for name in ["outbox_lag", "fold_lag", "seal_lag"] : "metric.type=\"${local.metric[name]}\" ${local.job}"] },
    { title = "Oldest message that waits, by subscription", unit = "s", align = "ALIGN_MAX", reduce = "REDUCE_MAX", by = ["resource.label.subscription_id"],
    filters = ["metric.type=\"pubsub.googleapis.com/subscription/oldest_unacked_message_age\" ${local.subscription}"] },
    { title = "Dead letters in 5 minutes", unit = "1", align = "ALIGN_DELTA", reduce = "REDUCE_SUM", by = ["resource.label.subscription_id"],
    filters = ["metric.type=\"pubsub.googleapis.com/subscription/dead_letter_message_count\" ${local.subscription}"] },
    { title = "Commands that died within 24 hours", unit = "1", align = "ALIGN_DELTA", reduce = "REDUCE_PERCENTILE_99", by = [],
    filters = ["metric.type=\"${local.metric["commands_dead"]}\" ${local.job}"] },
    { title = "Runs of jobs that failed, in 5 minutes", unit = "1", align = "ALIGN_DELTA", reduce = "REDUCE_SUM", by = ["resource.label.job_name"],
    filters = [local.failed_runs] },
    { title = "Database connections, of ${local.env.database.max_connections}", unit = "1", align = "ALIGN_MAX", reduce = "REDUCE_SUM", by = [],
    filters = ["metric.type=\"cloudsql.googleapis.com/database/postgresql/num_backends\" ${local.database}"] },
    { title = "Database processors", unit = "1", align = "ALIGN_MEAN", reduce = "REDUCE_MAX", by = [],
    filters = ["metric.type=\"cloudsql.googleapis.com/database/cpu/utilization\" ${local.database}"] },
    { title = "Active users", unit = "1", align = "ALIGN_DELTA", reduce = "REDUCE_PERCENTILE_99", by = [],
    filters = ["metric.type=\"${local.metric["users_active"]}\" ${local.job}"] },
  ]
}

resource "google_monitoring_dashboard" "dashboard" {
  dashboard_json = jsonencode({
    displayName = "VokeTag Admin API"
    mosaicLayout = {
      columns = 48
      tiles = [for i, chart in local.charts : {
        xPos = (i % 2) * 24, yPos = floor(i / 2) * 16, width = 24, height = 16
        widget = {
          title = chart.title
          xyChart = {
            dataSets = [for filter in chart.filters : {
              plotType = "LINE"
              timeSeriesQuery = {
                unitOverride = chart.unit
                timeSeriesFilter = {
                  filter = filter
                  aggregation = {
                    alignmentPeriod    = endswith(chart.title, "5 minutes") ? "300s" : "60s"
                    perSeriesAligner   = chart.align
                    crossSeriesReducer = chart.reduce
                    groupByFields      = chart.by
                  }
                }
              }
            }]
          }
        }
      }]
    }
  })
}
