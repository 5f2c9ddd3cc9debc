# What is watched, from metrics that Google has anyway and from our log lines, so that it works with telemetry off.
module "catalog" {
  source = "../catalog"

  environment = var.environment
}

locals {
  env      = module.catalog.environment
  channels = [for channel in google_monitoring_notification_channel.email : channel.name]
  # The functions behind the gateway, whose answers clients see.
  api      = { for name, function in module.catalog.functions : name => function.name if function.ingress == "INGRESS_TRAFFIC_ALL" }
  runbooks = "${local.env.alerts.runbooks_url}#runbook"
}

resource "google_monitoring_notification_channel" "email" {
  for_each = toset(local.env.alerts.emails)

  display_name = each.key
  type         = "email"
  labels       = { email_address = each.key }
}
