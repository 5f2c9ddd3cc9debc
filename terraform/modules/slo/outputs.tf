output "name" {
  description = "The objective's full name."
  value       = google_monitoring_slo.slo.name
}
