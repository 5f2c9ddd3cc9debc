mock_provider "google" {
  override_during = plan

  mock_resource "google_monitoring_notification_channel" {
    defaults = { name = "projects/voketag-prod/notificationChannels/1" }
  }
  mock_resource "google_monitoring_slo" {
    defaults = { name = "projects/1/services/admin-api/serviceLevelObjectives/x" }
  }
}

run "read" {
  module {
    source = "../environments"
  }
}

run "production" {
  command = plan

  variables {
    environment = run.read.environments.prod
  }

  assert {
    condition     = toset(keys(module.availability)) == toset(["analytics", "audit", "auth", "dashboard", "system", "users"])
    error_message = "A function behind the gateway has no objective."
  }
  assert {
    condition     = alltrue([for policy in google_monitoring_alert_policy.alert : length(policy.notification_channels) == 1])
    error_message = "An alarm that nobody hears."
  }
  assert {
    condition = alltrue([
      for key, policy in google_monitoring_alert_policy.alert : endswith(policy.documentation[0].content, "README.md#runbook-${key}")
    ])
    error_message = "An alarm does not point at its runbook."
  }
  # An interpolated percentile is only right at the edge of a bucket.
  assert {
    condition = alltrue(concat(
      [for class in local.route_classes : contains(local.bounds.ms, class.within_ms)],
      flatten([for alert in local.alerts : [for it in alert.conditions : contains(local.bounds.s, it.above) if it.align == "ALIGN_PERCENTILE_99"]]),
    ))
    error_message = "A limit is not the edge of a bucket."
  }
}

run "every_alert_has_a_runbook" {
  command = plan

  variables {
    environment = run.read.environments.prod
  }

  # The heading `Runbook: fold lag` has the anchor #runbook-fold-lag.
  assert {
    condition = alltrue([
      for name in output.runbooks : strcontains(file("${path.module}/../../README.md"), "# Runbook: ${replace(name, "-", " ")}\n")
    ])
    error_message = "README.md lacks the runbook of an alert."
  }
}

run "development" {
  command = plan

  variables {
    environment = run.read.environments.dev
  }
}
