output "name" {
  description = "The job's name."
  value       = google_cloud_run_v2_job.job.name
}

output "schedule" {
  description = "When it runs, in UTC; null by hand."
  value       = var.job.schedule
}
