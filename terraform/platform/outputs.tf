output "accounts" {
  description = "The service accounts. The neighbours let system and retry-worker in: roles/run.invoker on their services."
  value       = { for name, account in google_service_account.account : name => account.email }
}

output "connections" {
  description = "Database connections at the very most."
  value       = module.catalog.connections
}

output "database" {
  description = "The database: its instance and private address."
  value = {
    instance = google_sql_database_instance.database.name
    host     = google_sql_database_instance.database.private_ip_address
  }
}

output "registry" {
  description = "Where images are pushed: REGISTRY/FUNCTION:TAG."
  value       = google_artifact_registry_repository.images.registry_uri
}

output "secrets" {
  description = "The secrets, by the name of the setting."
  value       = { for name, secret in google_secret_manager_secret.secret : name => secret.secret_id }
}
