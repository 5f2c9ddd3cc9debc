locals {
  apis = [
    "apigateway", "artifactregistry", "cloudresourcemanager", "cloudscheduler", "cloudtrace", "compute", "iam", "logging",
    "monitoring", "pubsub", "redis", "run", "secretmanager", "servicecontrol", "servicemanagement", "servicenetworking",
    "serviceusage", "sqladmin",
  ]
}

resource "google_project_service" "api" {
  for_each = toset(local.apis)

  service = "${each.key}.googleapis.com"
  # Others in the project may use it.
  disable_on_destroy = false
}
