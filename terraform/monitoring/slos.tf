locals {
  # What is answered equally quickly, and what that is. Exports and `?wait=` take as long as is asked for, and stand in no class.
  route_classes = {
    analytics = {
      display_name = "analytics", goal = 0.99, within_ms = 2000
      filter       = "jsonPayload.service=\"analytics\" jsonPayload.method=\"GET\""
    }
    change = {
      display_name = "changes", goal = 0.99, within_ms = 1000
      filter       = "jsonPayload.service=(\"users\" OR \"system\") jsonPayload.method=(\"POST\" OR \"PATCH\" OR \"DELETE\")"
    }
    read = {
      display_name = "reads", goal = 0.99, within_ms = 500
      filter       = "jsonPayload.service=(\"users\" OR \"dashboard\" OR \"audit\") jsonPayload.method=\"GET\" NOT jsonPayload.path=\"/v1/admin/audit/export\""
    }
    # A password takes its time, and a failed login no less than 400 ms.
    sign_in = {
      display_name = "signing in", goal = 0.99, within_ms = 1000
      filter       = "jsonPayload.service=\"auth\" jsonPayload.method=\"POST\""
    }
  }
}

resource "google_monitoring_custom_service" "api" {
  service_id   = "admin-api"
  display_name = "VokeTag Admin API"
}

module "availability" {
  source   = "../modules/slo"
  for_each = local.api

  alerts  = { channels = local.channels, runbook_url = "${local.runbooks}-availability" }
  service = google_monitoring_custom_service.api.service_id
  slo     = { id = "availability-${each.key}", display_name = "${each.key} answers", goal = 0.999, availability_of = each.value }
}

module "latency" {
  source   = "../modules/slo"
  for_each = local.route_classes

  alerts  = { channels = local.channels, runbook_url = "${local.runbooks}-latency" }
  service = google_monitoring_custom_service.api.service_id
  slo = {
    id           = "latency-${replace(each.key, "_", "-")}"
    display_name = "${each.value.display_name}: within ${each.value.within_ms} ms"
    goal         = each.value.goal
    latency      = { metric = local.metric["latency_${each.key}"], within_ms = each.value.within_ms }
  }
}
