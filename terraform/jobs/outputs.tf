output "image" {
  description = "The image of all jobs."
  value       = var.image
}

output "jobs" {
  description = "The jobs, and when each runs (UTC); null: by hand."
  value       = { for job in module.job : job.name => job.schedule }
}
