# Numbers from log lines: what `jobs measure` says every minute, and the line that ends each request (of the API, not
# of probes).
locals {
  measured = "resource.type=\"cloud_run_job\" resource.labels.job_name=\"admin-api-measure\" jsonPayload.message=\"measured\""
  requests = join(" ", [
    "resource.type=\"cloud_run_revision\" resource.labels.service_name=~\"^admin-api-\"",
    "jsonPayload.duration_ms>=0 jsonPayload.path=~\"^/v1/\"",
  ])

  # A percentile is interpolated within its bucket, so each limit of an alert or an objective must be the edge of one.
  bounds = {
    ms  = [10, 25, 50, 100, 250, 500, 1000, 2000, 3000, 5000, 10000, 30000, 60000, 250000]
    s   = [1, 5, 15, 30, 60, 120, 300, 600, 900, 1800, 3600, 7200, 21600, 86400, 604800]
    "1" = [1, 2, 3, 5, 10, 20, 50, 100, 200, 500, 1000, 10000]
  }

  distributions = merge(
    {
      commands_dead  = { unit = "1", filter = local.measured, field = "commands_dead", description = "Commands given up in the last 24 hours." }
      fold_lag       = { unit = "s", filter = local.measured, field = "fold_lag_seconds", description = "How long a scan can have waited to be counted." }
      outbox_lag     = { unit = "s", filter = local.measured, field = "outbox_lag_seconds", description = "How old the oldest unpublished message is." }
      outbox_waiting = { unit = "1", filter = local.measured, field = "outbox_waiting", description = "How many messages are not published." }
      seal_lag       = { unit = "s", filter = local.measured, field = "seal_lag_seconds", description = "How old the oldest entry of the audit log without a number is." }
      users_active   = { unit = "1", filter = local.measured, field = "users_active", description = "Active users." }
    },
    {
      for class, it in local.route_classes : "latency_${class}" => {
        unit        = "ms"
        filter      = "${local.requests} jsonPayload.status_code<500 ${it.filter}"
        field       = "duration_ms"
        description = "Time to answer: ${it.display_name}."
      }
    },
  )

  counters = {
    failed_logins = {
      filter      = "${local.requests} jsonPayload.path=\"/v1/admin/auth/login\" jsonPayload.status_code=(401 OR 429)"
      description = "Logins that failed or were throttled."
    }
    measurements = { filter = local.measured, description = "Runs of `jobs measure`, without which the lags are not known." }
  }
}

resource "google_logging_metric" "distribution" {
  for_each = local.distributions

  name            = "admin_api/${each.key}"
  description     = each.value.description
  filter          = each.value.filter
  value_extractor = "EXTRACT(jsonPayload.${each.value.field})"

  metric_descriptor {
    metric_kind = "DELTA"
    value_type  = "DISTRIBUTION"
    unit        = each.value.unit
  }

  bucket_options {
    explicit_buckets {
      bounds = local.bounds[each.value.unit]
    }
  }
}

resource "google_logging_metric" "counter" {
  for_each = local.counters

  name        = "admin_api/${each.key}"
  description = each.value.description
  filter      = each.value.filter

  metric_descriptor {
    metric_kind = "DELTA"
    value_type  = "INT64"
    unit        = "1"
  }
}

locals {
  # With the resources in between, so that what uses a metric is made after it.
  metric = {
    for key, metric in merge(google_logging_metric.distribution, google_logging_metric.counter) : key => "logging.googleapis.com/user/${metric.name}"
  }
}
