output "image" {
  description = "The image of the newest revision."
  value       = var.image
}

output "name" {
  description = "The service's name."
  value       = google_cloud_run_v2_service.function.name
}

output "revision" {
  description = "The revision that serves, where it is not the newest."
  value       = var.revision
}

output "uri" {
  description = "The address that Cloud Run gave the service; the catalog's own form of it works as well."
  value       = google_cloud_run_v2_service.function.uri
}
