# One API gateway. A configuration cannot be changed, only replaced: its name is its content's hash, the new one is made first, and
# the gateway moves to it before the old one goes.
locals {
  config_id = "${var.gateway.name}-${substr(sha256("${var.gateway.service_account}\n${var.openapi}"), 0, 12)}"
}

resource "google_api_gateway_api" "api" {
  provider = google-beta

  api_id       = var.gateway.name
  display_name = var.gateway.display_name
  labels       = var.labels
}

resource "google_api_gateway_api_config" "config" {
  provider = google-beta

  api           = google_api_gateway_api.api.api_id
  api_config_id = local.config_id
  display_name  = local.config_id
  labels        = var.labels

  openapi_documents {
    document {
      path     = "openapi.yaml"
      contents = base64encode(var.openapi)
    }
  }

  gateway_config {
    backend_config {
      google_service_account = var.gateway.service_account
    }
  }

  lifecycle {
    create_before_destroy = true
  }
}

resource "google_api_gateway_gateway" "gateway" {
  provider = google-beta

  gateway_id   = var.gateway.name
  api_config   = google_api_gateway_api_config.config.id
  display_name = var.gateway.display_name
  labels       = var.labels
  region       = var.gateway.region
}
